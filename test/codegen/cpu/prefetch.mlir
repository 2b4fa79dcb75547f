// RUN: attn-opt %s --pass-pipeline="builtin.module(func.func(attn-cpu-block-registers))" | FileCheck %s

// A block of one strip asks for the rows of the next step of the loop while it
// multiplies those of this one: 32 rows further, in the view.
// CHECK-LABEL: func @one_strip
// CHECK: scf.for
// CHECK: memref.prefetch %{{.*}}[%{{.*}}, %{{.*}}], read, locality<3>, data : memref<?x32xf32>
// CHECK: vector.fma
func.func @one_strip(%q: memref<?x32xf32>, %k: memref<?x32xf32>, %o: memref<?x32xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<16x32xf32>
  scf.forall (%b) in (1) {
    %x = tile.load %q[%c0, %c0] : memref<?x32xf32> -> tensor<16x32xf32>
    %r = scf.for %j = %c0 to %n step %c32 iter_args(%a = %zero) -> (tensor<16x32xf32>) {
      %y = tile.load %k[%j, %c0] : memref<?x32xf32> -> tensor<32x32xf32>
      %d = tile.dot %x, %y, %a : tensor<16x32xf32>, tensor<32x32xf32> -> tensor<16x32xf32>
      scf.yield %d : tensor<16x32xf32>
    }
    tile.store %r, %o[%c0, %c0] : tensor<16x32xf32>, memref<?x32xf32>
  }
  return
}

// Several strips read the rows of a block several times; nothing is asked for.
// CHECK-LABEL: func @two_strips
// CHECK-NOT: memref.prefetch
func.func @two_strips(%q: memref<?x32xf32>, %k: memref<?x32xf32>, %o: memref<?x32xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<96x32xf32>
  scf.forall (%b) in (1) {
    %x = tile.load %q[%c0, %c0] : memref<?x32xf32> -> tensor<96x32xf32>
    %r = scf.for %j = %c0 to %n step %c32 iter_args(%a = %zero) -> (tensor<96x32xf32>) {
      %y = tile.load %k[%j, %c0] : memref<?x32xf32> -> tensor<32x32xf32>
      %d = tile.dot %x, %y, %a : tensor<96x32xf32>, tensor<32x32xf32> -> tensor<96x32xf32>
      scf.yield %d : tensor<96x32xf32>
    }
    tile.store %r, %o[%c0, %c0] : tensor<96x32xf32>, memref<?x32xf32>
  }
  return
}
