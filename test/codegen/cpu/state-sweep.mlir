// A step of a recurrence: rows of the state are read, summed and replaced in one
// loop.
//
// RUN: attn-opt %s --attn-cpu-block-registers --canonicalize --cse | FileCheck %s
// RUN: attn-run %s --target=cpu --func=step --check --dims=K=32 --dims=K=20
// RUN: attn-run %s --target=cpu --func=steps --check
// RUN: attn-run %s --target=cpu:baseline --func=steps --check

#rows = strided<[?, 1], offset: ?>
#flat = strided<[1], offset: ?>

// The state is viewed where it lies, as all of its rows exist. The sums of its
// columns are two vectors in registers.
// CHECK-LABEL: func.func @step
// CHECK: %[[VIEW:.*]] = scf.if %{{.*}} -> (memref<32x32xf32
// CHECK: %[[SUMS:.*]]:2 = scf.for %[[ROW:.*]] = %c0 to %c32 step %c1 iter_args(%[[S0:.*]] = %{{.*}}, %[[S1:.*]] = %{{.*}}) -> (vector<16xf32>, vector<16xf32>) {
// CHECK-DAG:   %[[X0:.*]] = vector.load %[[VIEW]][%[[ROW]], %c0]
// CHECK-DAG:   %[[X1:.*]] = vector.load %[[VIEW]][%[[ROW]], %c16]
// CHECK-DAG:   %[[W0:.*]] = arith.mulf %[[X0]],
// CHECK-DAG:   %[[N0:.*]] = arith.addf %[[S0]], %[[W0]]
// CHECK-NOT:   vector.load %[[VIEW]]
// CHECK:       scf.if
// CHECK-NEXT:    vector.store %{{.*}}, %[[HT:.*]][%[[ROW]], %c0]
// CHECK-NEXT:    vector.store %{{.*}}, %[[HT]][%[[ROW]], %c16]
// CHECK:       scf.yield %[[N0]], %{{.*}}
// CHECK-NOT: %[[VIEW]]
// CHECK: vector.store %{{.*}}, %{{.*}}[%c0, %c16] : memref<1x32xf32
func.func @step(
    %q: memref<32xf32, #flat> {attn.name = "q", attn.dims = ["M"]},
    %v: memref<1x32xf32, #rows> {attn.name = "v", attn.dims = ["N", "V"]},
    %h0: memref<?x32xf32, #rows> {attn.name = "h0", attn.dims = ["K", "V"]},
    %out: memref<1x32xf32, #rows> {attn.name = "out", attn.dims = ["N", "V"], attn.result},
    %ht: memref<?x32xf32, #rows> {attn.name = "ht", attn.dims = ["K", "V"], attn.result})
    attributes {attn.defaults = {K = 32, N = 1}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zeros = arith.constant dense<0.0> : tensor<32xf32>
  scf.forall (%block) in (%c1) {
    %s = tile.load %h0[%c0, %c0] : memref<?x32xf32, #rows> -> tensor<32x32xf32>
    %w = tile.load %q[%c0] : memref<32xf32, #flat> -> tensor<32xf32>
    %x = tile.load %v[%c0, %c0] : memref<1x32xf32, #rows> -> tensor<1x32xf32>
    %ws = tile.broadcast %w along 1 : tensor<32xf32> -> tensor<32x32xf32>
    %weighted = arith.mulf %s, %ws : tensor<32x32xf32>
    %read = tile.reduce add %weighted, %zeros along 0 : tensor<32x32xf32> -> tensor<32xf32>
    %row = tile.broadcast %read along 0 : tensor<32xf32> -> tensor<1x32xf32>
    tile.store %row, %out[%c0, %c0] : tensor<1x32xf32>, memref<1x32xf32, #rows>
    %column = tile.reduce add %x, %zeros along 0 : tensor<1x32xf32> -> tensor<32xf32>
    %xs = tile.broadcast %column along 0 : tensor<32xf32> -> tensor<32x32xf32>
    %written = arith.mulf %ws, %xs : tensor<32x32xf32>
    %next = arith.addf %s, %written : tensor<32x32xf32>
    tile.store %next, %ht[%c0, %c0] : tensor<32x32xf32>, memref<?x32xf32, #rows>
  }
  return
}

// Carried by a loop, the state lies in a buffer of rows that is replaced row by
// row, and stored at the end. Only a part of its rows and columns exists.
// CHECK-LABEL: func.func @steps
// CHECK: %[[STATE:.*]] = memref.alloca() {{.*}} : memref<16x32xf32>
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c1 {
// CHECK:   scf.for %[[ROW:.*]] = %c0 to %c16 step %c1 iter_args
// CHECK:     vector.load %[[STATE]][%[[ROW]], %c0]
// CHECK:     vector.load %[[STATE]][%[[ROW]], %c16]
// CHECK:     vector.store %{{.*}}, %[[STATE]][%[[ROW]], %c0]
// CHECK:     vector.store %{{.*}}, %[[STATE]][%[[ROW]], %c16]
func.func @steps(
    %q: memref<?x12xf32, #rows> {attn.name = "q", attn.dims = ["N", "K"]},
    %v: memref<?x20xf32, #rows> {attn.name = "v", attn.dims = ["N", "V"]},
    %h0: memref<12x20xf32, #rows> {attn.name = "h0", attn.dims = ["K", "V"]},
    %out: memref<?x20xf32, #rows> {attn.name = "out", attn.dims = ["N", "V"], attn.result},
    %ht: memref<12x20xf32, #rows> {attn.name = "ht", attn.dims = ["K", "V"], attn.result})
    attributes {attn.defaults = {N = 7}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %q, %c0 : memref<?x12xf32, #rows>
  %zeros_k = arith.constant dense<0.0> : tensor<16xf32>
  %zeros_v = arith.constant dense<0.0> : tensor<20xf32>
  %half = arith.constant dense<0.5> : tensor<16x20xf32>
  scf.forall (%block) in (%c1) {
    %first = tile.load %h0[%c0, %c0] : memref<12x20xf32, #rows> -> tensor<16x20xf32>
    %last = scf.for %t = %c0 to %n step %c1 iter_args(%s = %first) -> (tensor<16x20xf32>) {
      %x = tile.load %q[%t, %c0] : memref<?x12xf32, #rows> -> tensor<1x16xf32>
      %y = tile.load %v[%t, %c0] : memref<?x20xf32, #rows> -> tensor<1x20xf32>
      %w = tile.reduce add %x, %zeros_k along 0 : tensor<1x16xf32> -> tensor<16xf32>
      %ws = tile.broadcast %w along 1 : tensor<16xf32> -> tensor<16x20xf32>
      %z = tile.reduce add %y, %zeros_v along 0 : tensor<1x20xf32> -> tensor<20xf32>
      %zs = tile.broadcast %z along 0 : tensor<20xf32> -> tensor<16x20xf32>
      %kept = arith.mulf %s, %half : tensor<16x20xf32>
      %written = arith.mulf %ws, %zs : tensor<16x20xf32>
      %next = arith.addf %kept, %written : tensor<16x20xf32>
      %weighted = arith.mulf %next, %ws : tensor<16x20xf32>
      %read = tile.reduce add %weighted, %zeros_v along 0 : tensor<16x20xf32> -> tensor<20xf32>
      %row = tile.broadcast %read along 0 : tensor<20xf32> -> tensor<1x20xf32>
      tile.store %row, %out[%t, %c0] : tensor<1x20xf32>, memref<?x20xf32, #rows>
      scf.yield %next : tensor<16x20xf32>
    }
    tile.store %last, %ht[%c0, %c0] : tensor<16x20xf32>, memref<12x20xf32, #rows>
  }
  return
}
