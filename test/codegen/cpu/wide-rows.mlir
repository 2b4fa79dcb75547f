// Rows of many vectors (WideRows.cpp) are evaluated in a loop over columns, if
// all vectors are computed in the same way.
// RUN: attn-opt %s --attn-cpu-block-registers="vector-bits=256" --canonicalize \
// RUN:   --cse | FileCheck %s

#view = strided<[?, 1], offset: ?>

// What all vectors share, the sum of the row, is computed in front of the loop.
// CHECK-LABEL: func.func @scaled
// CHECK:         vector.reduction
// CHECK:         scf.for %[[COL:.*]] = %c0 to %c256 step %c32 {
// CHECK-NOT:       vector.reduction
// CHECK-COUNT-4:   vector.store
// CHECK-NOT:     vector.store
func.func @scaled(%x: memref<?x256xf32, #view>, %y: memref<?x256xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  scf.forall (%i) = (%c0) to (%n) step (%c8) {
    %none = arith.constant dense<0.0> : tensor<8xf32>
    %t = tile.load %x[%i, %c0] : memref<?x256xf32, #view> -> tensor<8x256xf32>
    %l = tile.reduce add %t, %none : tensor<8x256xf32> -> tensor<8xf32>
    %s = tile.broadcast %l along 1 : tensor<8xf32> -> tensor<8x256xf32>
    %r = arith.mulf %t, %s : tensor<8x256xf32>
    tile.store %r, %y[%i, %c0] : tensor<8x256xf32>, memref<?x256xf32, #view>
  }
  return
}

// Vectors that straddle two parts are not computed in the same way: no loop.
// CHECK-LABEL: func.func @turned
// CHECK-NOT:     step %c32
// CHECK-COUNT-32: vector.store %{{.*}}, %arg1
// CHECK:         return
func.func @turned(%x: memref<?x256xf32, #view>, %y: memref<?x256xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  scf.forall (%i) = (%c0) to (%n) step (%c8) {
    %t = tile.load %x[%i, %c0] : memref<?x256xf32, #view> -> tensor<8x256xf32>
    %a = tile.slice %t from 0 : tensor<8x256xf32> -> tensor<8x100xf32>
    %b = tile.slice %t from 100 : tensor<8x256xf32> -> tensor<8x156xf32>
    %r = tile.concat %b, %a : tensor<8x156xf32>, tensor<8x100xf32> -> tensor<8x256xf32>
    tile.store %r, %y[%i, %c0] : tensor<8x256xf32>, memref<?x256xf32, #view>
  }
  return
}

// Each value is looked at once, however often others use it: there are 3^20
// ways from the first to the last one.
// CHECK-LABEL: func.func @used_often
// CHECK:         scf.for %{{.*}} = %c0 to %c256 step %c32 {
// CHECK-COUNT-80:  math.fma
// CHECK-NOT:     math.fma
func.func @used_often(%x: memref<?x256xf32, #view>, %y: memref<?x256xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  scf.forall (%i) = (%c0) to (%n) step (%c8) {
    %t0 = tile.load %x[%i, %c0] : memref<?x256xf32, #view> -> tensor<8x256xf32>
    %t1 = math.fma %t0, %t0, %t0 : tensor<8x256xf32>
    %t2 = math.fma %t1, %t1, %t1 : tensor<8x256xf32>
    %t3 = math.fma %t2, %t2, %t2 : tensor<8x256xf32>
    %t4 = math.fma %t3, %t3, %t3 : tensor<8x256xf32>
    %t5 = math.fma %t4, %t4, %t4 : tensor<8x256xf32>
    %t6 = math.fma %t5, %t5, %t5 : tensor<8x256xf32>
    %t7 = math.fma %t6, %t6, %t6 : tensor<8x256xf32>
    %t8 = math.fma %t7, %t7, %t7 : tensor<8x256xf32>
    %t9 = math.fma %t8, %t8, %t8 : tensor<8x256xf32>
    %t10 = math.fma %t9, %t9, %t9 : tensor<8x256xf32>
    %t11 = math.fma %t10, %t10, %t10 : tensor<8x256xf32>
    %t12 = math.fma %t11, %t11, %t11 : tensor<8x256xf32>
    %t13 = math.fma %t12, %t12, %t12 : tensor<8x256xf32>
    %t14 = math.fma %t13, %t13, %t13 : tensor<8x256xf32>
    %t15 = math.fma %t14, %t14, %t14 : tensor<8x256xf32>
    %t16 = math.fma %t15, %t15, %t15 : tensor<8x256xf32>
    %t17 = math.fma %t16, %t16, %t16 : tensor<8x256xf32>
    %t18 = math.fma %t17, %t17, %t17 : tensor<8x256xf32>
    %t19 = math.fma %t18, %t18, %t18 : tensor<8x256xf32>
    %t20 = math.fma %t19, %t19, %t19 : tensor<8x256xf32>
    tile.store %t20, %y[%i, %c0] : tensor<8x256xf32>, memref<?x256xf32, #view>
  }
  return
}
