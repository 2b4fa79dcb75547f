// RUN: attn-opt %s --attn-gpu-slice-stores=columns=32 --canonicalize --split-input-file | FileCheck %s

// Two slices, each loaded, computed and stored before the next one.
// CHECK-LABEL: gpu.func @sum
// CHECK: %[[X0:.*]] = tile.load %[[X:.*]][%[[I:.*]], %c0] : memref<?x48xf32> -> tensor<16x32xf32>
// CHECK: %[[F0:.*]] = tile.broadcast %{{.*}} along 1 : tensor<16xf32> -> tensor<16x32xf32>
// CHECK: %[[S0:.*]] = arith.mulf %[[X0]], %[[F0]] : tensor<16x32xf32>
// CHECK: tile.store %[[S0]], %[[Y:.*]][%[[I]], %c0]
// CHECK: %[[X1:.*]] = tile.load %[[X]][%[[I]], %c32] : memref<?x48xf32> -> tensor<16x16xf32>
// CHECK: tile.store %{{.*}}, %[[Y]][%[[I]], %c32] : tensor<16x16xf32>
gpu.module @kernels {
  gpu.func @sum(%x: memref<?x48xf32>, %f: memref<?xf32>, %y: memref<?x48xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%i, %c0] : memref<?x48xf32> -> tensor<16x48xf32>
    %r = tile.load %f[%i] : memref<?xf32> -> tensor<16xf32>
    %b = tile.broadcast %r along 1 : tensor<16xf32> -> tensor<16x48xf32>
    %d = arith.mulf %t, %b : tensor<16x48xf32>
    tile.store %d, %y[%i, %c0] : tensor<16x48xf32>, memref<?x48xf32>
    gpu.return
  }
}

// -----

// Columns that meet stay together.
// CHECK-LABEL: gpu.func @negative_reduce
// CHECK: tile.store %{{.*}} : tensor<16x48xf32>
gpu.module @kernels {
  gpu.func @negative_reduce(%x: memref<?x48xf32>, %y: memref<?x48xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16xf32>
    %t = tile.load %x[%i, %c0] : memref<?x48xf32> -> tensor<16x48xf32>
    %r = tile.reduce add %t, %zero : tensor<16x48xf32> -> tensor<16xf32>
    %b = tile.broadcast %r along 1 : tensor<16xf32> -> tensor<16x48xf32>
    %d = arith.divf %t, %b : tensor<16x48xf32>
    tile.store %d, %y[%i, %c0] : tensor<16x48xf32>, memref<?x48xf32>
    gpu.return
  }
}
