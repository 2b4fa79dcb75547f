// RUN: attn-opt %s --attn-lower-to-reference | FileCheck %s
// RUN: attn-opt %s --attn-lower-to-reference=precision=spec | FileCheck %s --check-prefix=SPEC
// RUN: attn-opt %s --attn-reference-pipeline | FileCheck %s --check-prefix=BUFFERS

// Batches, heads, then tokens in order, with the state in between: decay, write,
// read. The scale and the region come last.
// CHECK-LABEL: func.func @gate_per_token
// CHECK-SAME: %[[Q:.*]]: tensor<?x2x?x8xf64>, %[[V:.*]]: tensor<?x4x?x6xf64>, %[[G:.*]]: tensor<?x4x?xf64>)
// CHECK-SAME: -> (tensor<?x4x?x6xf64>, tensor<?x4x8x6xf64>)
// CHECK: scf.for %[[B:[^ ]*]] = {{.*}} -> (tensor<?x4x?x6xf64>, tensor<?x4x8x6xf64>)
// CHECK: scf.for %[[H:[^ ]*]] = {{.*}} -> (tensor<?x4x?x6xf64>, tensor<?x4x8x6xf64>)
// CHECK: scf.for %[[T:[^ ]*]] = {{.*}} -> (tensor<8x6xf64>, tensor<?x4x?x6xf64>)
// CHECK: scf.for {{.*}} -> (tensor<8x6xf64>)
// CHECK: tensor.extract %[[G]][%[[B]], %[[H]], %[[T]]]
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK: scf.for {{.*}} -> (tensor<8x6xf64>)
// CHECK: %[[HK:.*]] = arith.divui %[[H]], %{{.*}} : index
// CHECK: tensor.extract %[[Q]][%[[B]], %[[HK]], %[[T]], %{{.*}}]
// CHECK: tensor.extract %[[V]][%[[B]], %{{.*}}, %[[T]], %{{.*}}]
// CHECK: arith.addf
// CHECK: scf.for {{.*}} -> (tensor<?x4x?x6xf64>)
// CHECK: scf.for {{.*}} -> (f64)
// CHECK: tensor.extract %[[Q]]
// CHECK: arith.constant 5.000000e-01 : f64
// CHECK: math.tanh
// CHECK-NOT: attn.
//
// In the precision of the spec, states are of the accumulator type.
// SPEC-LABEL: func.func @gate_per_token
// SPEC-SAME: -> (tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>)
// SPEC: scf.for {{.*}} -> (tensor<8x6xf32>, tensor<?x4x?x6xf32>)
// SPEC: arith.truncf %{{.*}} : f32 to bf16
//
// BUFFERS-LABEL: func.func @gate_per_token
// BUFFERS-SAME: %[[OUT:[^:]*]]: memref<?x4x?x6xf64, strided<[?, ?, ?, 1], offset: ?>> {attn.result},
// BUFFERS-SAME: %[[STATE:[^:]*]]: memref<?x4x8x6xf64, strided<[?, ?, ?, 1], offset: ?>> {attn.result})
// BUFFERS: memref.store %{{.*}}, %[[OUT]]
// BUFFERS: memref.store %{{.*}}, %[[STATE]]
// BUFFERS-NOT: {{memref.copy|linalg|tensor|bufferization}}
func.func @gate_per_token(%q: tensor<?x2x?x8xbf16>, %v: tensor<?x4x?x6xbf16>, %g: tensor<?x4x?xf32>)
    -> (tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>) {
  %o, %s = attn.recur %q, %q, %v gate(%g : tensor<?x4x?xf32>) scale(0.5)
      norm (%num: tensor<6xf32>, %den: f32, %b, %h, %i) {
        %y = math.tanh %num : tensor<6xf32>
        attn.yield %y : tensor<6xf32>
      } : tensor<?x2x?x8xbf16>, tensor<?x2x?x8xbf16>, tensor<?x4x?x6xbf16> -> tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>
  return %o, %s : tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>
}

// Without a gate nothing decays; without a use of %den there is no denominator.
// With one, the state has one more column. The second sweep goes back.
// CHECK-LABEL: func.func @ratio_of_both
// CHECK-NOT: math.exp
// CHECK: scf.for {{.*}} -> (tensor<8x7xf64>, tensor<1x1x?x7xf64>)
// CHECK: scf.for {{.*}} -> (tensor<8x7xf64>, tensor<1x1x?x7xf64>)
// CHECK: arith.subi
// CHECK: arith.divf
// CHECK-NOT: math.exp
// SPEC-LABEL: func.func @ratio_of_both
// BUFFERS-LABEL: func.func @ratio_of_both
func.func @ratio_of_both(%q: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x6xf32>) -> tensor<1x1x?x6xf32> {
  %o = attn.recur %q, %q, %v order(bidirectional)
      norm (%num: tensor<6xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<6xf32>
        %y = arith.divf %num, %row : tensor<6xf32>
        attn.yield %y : tensor<6xf32>
      } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x6xf32> -> tensor<1x1x?x6xf32>
  return %o : tensor<1x1x?x6xf32>
}
