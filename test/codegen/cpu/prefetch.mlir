// RUN: attn-opt %s --pass-pipeline="builtin.module(func.func(attn-cpu-block-registers))" | FileCheck %s

// A block of few rows asks for the rows of the next step of the loop while it
// multiplies those of this one, which it reads where they are: a copy is made
// only where the view ends. Lanes run along the columns, so nothing is shuffled.
// CHECK-LABEL: func @few_rows
// CHECK: scf.for %[[J:[^ ]*]] = %c0 to
// CHECK: %[[ROWS:[^ ]*]] = scf.if %{{.*}} -> (memref<32x32xf32, strided<[?, 1], offset: ?>>)
// CHECK: memref.subview %arg1[%[[J]], %c0] [32, 32] [1, 1]
// CHECK: } else {
// CHECK: scf.for
// CHECK-NOT: vector.shuffle
// CHECK: memref.prefetch %arg1[%{{.*}}, %{{.*}}], read, locality<2>, data : memref<?x32xf32>
// CHECK: vector.load %[[ROWS]]
// CHECK: vector.fma
// CHECK-LABEL: func @one_strip
func.func @few_rows(%q: memref<?x32xf32>, %k: memref<?x32xf32>, %o: memref<?x32xf32>, %n: index) {
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

// A block of one strip asks for the rows of the next step of the loop while it
// multiplies those of this one: 32 rows further, in the view. It reads rows where
// they are, as blocks of few rows do.
// CHECK: scf.for %[[J:[^ ]*]] = %c0 to
// CHECK: %[[ROWS:[^ ]*]] = scf.if %{{.*}} -> (memref<32x32xf32, strided<[?, 1], offset: ?>>)
// CHECK: memref.subview %arg1[%[[J]], %c0] [32, 32] [1, 1]
// CHECK: } else {
// CHECK: memref.prefetch %{{.*}}[%{{.*}}, %{{.*}}], read, locality<3>, data : memref<?x32xf32>
// CHECK: memref.load %[[ROWS]]
// CHECK: vector.fma
func.func @one_strip(%q: memref<?x32xf32>, %k: memref<?x32xf32>, %o: memref<?x32xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  scf.forall (%b) in (1) {
    %x = tile.load %q[%c0, %c0] : memref<?x32xf32> -> tensor<48x32xf32>
    %r = scf.for %j = %c0 to %n step %c32 iter_args(%a = %zero) -> (tensor<48x32xf32>) {
      %y = tile.load %k[%j, %c0] : memref<?x32xf32> -> tensor<32x32xf32>
      %d = tile.dot %x, %y, %a : tensor<48x32xf32>, tensor<32x32xf32> -> tensor<48x32xf32>
      scf.yield %d : tensor<48x32xf32>
    }
    tile.store %r, %o[%c0, %c0] : tensor<48x32xf32>, memref<?x32xf32>
  }
  return
}

// A part of the rows begins inside of a vector: reading it where the rows are
// would go beyond the last one.
// CHECK-LABEL: func @part_of_rows
// CHECK-NOT: memref.subview %arg1
// CHECK: vector.fma
func.func @part_of_rows(%q: memref<?x32xf32>, %k: memref<?x32xf32>, %o: memref<?x24xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant dense<0.0> : tensor<16x24xf32>
  %zeros = arith.constant dense<0.0> : tensor<16x32xf32>
  scf.forall (%b) in (1) {
    %x = tile.load %q[%c0, %c0] : memref<?x32xf32> -> tensor<16x32xf32>
    %r = scf.for %j = %c0 to %n step %c32 iter_args(%a = %zero) -> (tensor<16x24xf32>) {
      %y = tile.load %k[%j, %c0] : memref<?x32xf32> -> tensor<32x32xf32>
      %v = tile.slice %y from 8 : tensor<32x32xf32> -> tensor<32x24xf32>
      %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<16x32xf32>, tensor<32x32xf32> -> tensor<16x32xf32>
      %d = tile.dot %s, %v, %a : tensor<16x32xf32>, tensor<32x24xf32> -> tensor<16x24xf32>
      scf.yield %d : tensor<16x24xf32>
    }
    tile.store %r, %o[%c0, %c0] : tensor<16x24xf32>, memref<?x24xf32>
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
