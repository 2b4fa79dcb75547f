// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-matrix-products,canonicalize,cse))" --split-input-file | FileCheck %s

// Scores: the scale moves behind the product. Weights are rounded; exponentials
// may be those of the device.
// CHECK-LABEL: gpu.func @attention
// CHECK: %[[Q:.*]] = tile.load
// CHECK: %[[K:.*]] = tile.load
// CHECK: %[[V:.*]] = tile.load
// CHECK: %[[S:.*]] = tile.dot %[[Q]], %[[K]], %{{.*}} transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[S]], %cst{{.*}} : tensor<64x64xf32>
// CHECK: %[[P:.*]] = math.exp2 %[[SCALED]] fastmath<afn>
// CHECK: %[[W:.*]] = arith.truncf %[[P]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK: tile.dot %[[W]], %[[V]], %[[P]] : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK-NOT: arith.extf
gpu.module @kernels {
  gpu.func @attention(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %qs = arith.mulf %q32, %scale : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k32 = arith.extf %k : tensor<64x64xbf16> to tensor<64x64xf32>
    %v = tile.load %x[%c64, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %v32 = arith.extf %v : tensor<64x64xbf16> to tensor<64x64xf32>
    %s = tile.dot %qs, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %o = tile.dot %p, %v32, %p : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // One product that must stay keeps all: rotated queries are no weights.
  // CHECK-LABEL: gpu.func @rotated
  // CHECK: tile.dot {{.*}} tensor<64x64xf32>, tensor<64x64xf32>
  // CHECK: math.exp2 %{{[0-9]+}} : tensor
  // CHECK: tile.dot {{.*}} tensor<64x64xf32>, tensor<64x64xf32>
  gpu.func @rotated(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %r: tensor<64x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %qr = arith.mulf %q32, %r : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k32 = arith.extf %k : tensor<64x64xbf16> to tensor<64x64xf32>
    %s = tile.dot %qr, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %o = tile.dot %p, %k32, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // A scale must not move over what the product is added to; 24 is no multiple
  // of 16.
  // CHECK-LABEL: gpu.func @scaled_init
  // CHECK: tile.dot {{.*}} tensor<64x64xf32>, tensor<64x64xf32>
  gpu.func @scaled_init(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %init: tensor<64x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %qs = arith.mulf %q32, %scale : tensor<64x64xf32>
    %s = tile.dot %qs, %q32, %init transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  // CHECK-LABEL: gpu.func @narrow_values
  // CHECK: tile.dot {{.*}} tensor<64x64xf32>, tensor<64x24xf32>
  gpu.func @narrow_values(%x: memref<?x64xf16>, %z: memref<?x24xf16>, %y: memref<?x24xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x24xf32>
    %p = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %p32 = arith.extf %p : tensor<64x64xf16> to tensor<64x64xf32>
    %v = tile.load %z[%c0, %c0] : memref<?x24xf16> -> tensor<64x24xf16>
    %v32 = arith.extf %v : tensor<64x24xf16> to tensor<64x24xf32>
    %o = tile.dot %p32, %v32, %zero : tensor<64x64xf32>, tensor<64x24xf32> -> tensor<64x24xf32>
    tile.store %o, %y[%c0, %c0] : tensor<64x24xf32>, memref<?x24xf32>
    gpu.return
  }
}
