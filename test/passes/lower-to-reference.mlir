// RUN: attn-opt %s --attn-lower-to-reference | FileCheck %s
// RUN: attn-opt %s --attn-lower-to-reference=precision=spec | FileCheck %s --check-prefix=SPEC
// RUN: attn-opt %s --attn-reference-pipeline | FileCheck %s --check-prefix=BUFFERS

// Batches, heads, queries; a score per key; three sums.
// CHECK-LABEL: func.func @attend
// CHECK-SAME: %[[Q:.*]]: tensor<?x4x?x8xf64>, %[[K:.*]]: tensor<?x2x?x8xf64>
// CHECK-SAME: -> (tensor<?x4x?x8xf64>, tensor<?x4x?xf64>)
// CHECK: scf.for %[[B:[^ ]*]] = {{.*}} -> (tensor<?x4x?x8xf64>, tensor<?x4x?xf64>)
// CHECK: scf.for %[[H:[^ ]*]] = {{.*}} -> (tensor<?x4x?x8xf64>, tensor<?x4x?xf64>)
// CHECK: scf.for %[[I:[^ ]*]] = {{.*}} -> (tensor<?x4x?x8xf64>, tensor<?x4x?xf64>)
// CHECK: %[[S:.*]] = tensor.generate
// CHECK-NEXT: ^bb0(%[[J:.*]]: index):
// CHECK: arith.cmpi sge, %[[I]], %[[J]]
// CHECK: scf.if
// CHECK: %[[HK:.*]] = arith.divui %[[H]], %{{.*}} : index
// CHECK: scf.for %[[D:[^ ]*]] = {{.*}} -> (f64)
// CHECK: tensor.extract %[[Q]][%[[B]], %[[H]], %[[I]], %[[D]]]
// CHECK: tensor.extract %[[K]][%[[B]], %[[HK]], %[[J]], %[[D]]]
// CHECK: } else {
// CHECK: arith.constant 0xFFF0000000000000 : f64
// CHECK: scf.for
// CHECK: arith.maximumf
// CHECK: scf.for
// CHECK: math.exp
// CHECK: tensor.generate
// CHECK: math.exp
// CHECK: arith.divf
// CHECK: scf.for
// CHECK: math.log
// CHECK-NOT: attn.
//
// In the precision of the spec, sums are of the accumulator type.
// SPEC-LABEL: func.func @attend
// SPEC-SAME: -> (tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>)
// SPEC: scf.for {{.*}} -> (f32)
// SPEC: arith.extf %{{.*}} : bf16 to f32
// SPEC: arith.truncf %{{.*}} : f32 to bf16
//
// Results become arguments; what is allocated is freed; no library is called.
// BUFFERS-LABEL: func.func @attend
// BUFFERS-SAME: %{{.*}}: memref<?x4x?x8xf64, strided<[?, ?, ?, 1], offset: ?>>,
// BUFFERS-SAME: %[[OUT:[^:]*]]: memref<?x4x?x8xf64, strided<[?, ?, ?, 1], offset: ?>> {attn.result},
// BUFFERS-SAME: %[[LSE:[^:]*]]: memref<?x4x?xf64, strided<[?, ?, 1], offset: ?>> {attn.result})
// BUFFERS: %[[ALLOC:.*]] = memref.alloc(
// BUFFERS: memref.store %{{.*}}, %[[OUT]]
// BUFFERS: memref.store %{{.*}}, %[[LSE]]
// BUFFERS: memref.dealloc %[[ALLOC]]
// BUFFERS-NOT: {{memref.copy|linalg|tensor|bufferization}}
func.func @attend(%q: tensor<?x4x?x8xbf16>, %k: tensor<?x2x?x8xbf16>)
    -> (tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>) {
  %o, %lse = attn.attend %q, %k, %k
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x4x?x8xbf16>, tensor<?x2x?x8xbf16>, tensor<?x2x?x8xbf16>
        -> tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>
  return %o, %lse : tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>
}

// A map of rows is evaluated once per row, before the loops over pairs.
// CHECK-LABEL: func.func @attend_key_rows
// CHECK: math.tanh
// CHECK-NOT: math.tanh
// CHECK: math.exp
// CHECK-NOT: math.tanh
// BUFFERS-LABEL: func.func @attend_key_rows
// BUFFERS: math.tanh
// BUFFERS-NOT: math.tanh
func.func @attend_key_rows(%q: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  %o = attn.attend %q, %q, %q
      key (%x: tensor<8xf32>, %b, %h, %n) {
        %y = math.tanh %x : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// Loops of the program stay, and conversions between floats vanish in f64.
// CHECK-LABEL: func.func @tiles
// CHECK-SAME: memref<?x4xf64, strided<[?, 1], offset: ?>>
// CHECK: %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[SO:.*]] = %{{.*}}) -> (tensor<2x4xf64>)
// CHECK-NOT: arith.extf
// CHECK: memref.load
// CHECK: linalg.copy ins(%{{.*}} : tensor<2x4xf64>) outs(%[[SO]] : tensor<2x4xf64>)
// CHECK-NOT: arith.truncf
// CHECK: memref.store
// BUFFERS-LABEL: func.func @tiles
func.func @tiles(%x: memref<?x4xbf16, strided<[?, 1], offset: ?>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  %sum = scf.for %i = %c0 to %n step %c2 iter_args(%so = %zero) -> tensor<2x4xf32> {
    %t = tile.load %x[%i, %c0] : memref<?x4xbf16, strided<[?, 1], offset: ?>> -> tensor<2x4xbf16>
    %f = arith.extf %t : tensor<2x4xbf16> to tensor<2x4xf32>
    %next = arith.addf %so, %f : tensor<2x4xf32>
    scf.yield %next : tensor<2x4xf32>
  }
  %r = arith.truncf %sum : tensor<2x4xf32> to tensor<2x4xbf16>
  tile.store %r, %x[%c0, %c0] : tensor<2x4xbf16>, memref<?x4xbf16, strided<[?, 1], offset: ?>>
  return
}

// Under precision(tf32) the definition in f32 rounds both factors of both
// products: adds half a unit, unless the number is not finite, and cuts.
// CHECK-LABEL: func.func @precision
// CHECK-NOT: arith.bitcast
// SPEC-LABEL: func.func @precision
// SPEC-DAG: %[[MASK:.*]] = arith.constant 2139095040 : i32
// SPEC-DAG: %[[HALF:.*]] = arith.constant 4096 : i32
// SPEC: %[[BITS:.*]] = arith.bitcast %{{.*}} : f32 to i32
// SPEC: %[[TOP:.*]] = arith.andi %[[BITS]], %[[MASK]]
// SPEC: %[[FINITE:.*]] = arith.cmpi ne, %[[TOP]], %[[MASK]]
// SPEC: %[[UP:.*]] = arith.select %[[FINITE]], %[[HALF]], %{{.*}}
// SPEC: %[[SUM:.*]] = arith.addi %[[BITS]], %[[UP]]
// SPEC: %[[CUT:.*]] = arith.andi %[[SUM]], %{{.*}}
// SPEC: arith.bitcast %[[CUT]] : i32 to f32
// SPEC-COUNT-3: arith.bitcast %{{.*}} : f32 to i32
// SPEC-NOT: arith.bitcast %{{.*}} : f32 to i32
func.func @precision(%q: tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32> {
  %o = attn.attend %q, %q, %q precision(tf32) : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  return %o : tensor<?x4x?x8xf32>
}
