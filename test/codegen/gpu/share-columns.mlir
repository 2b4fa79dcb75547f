// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-share-columns))" --split-input-file | FileCheck %s

// One conversion for all that reads the columns of a tile.
// CHECK-LABEL: gpu.func @columns
// CHECK: %[[T:.*]] = tile.load
// CHECK-NEXT: %[[S:.*]] = tile.convert_layout %[[T]] : tensor<16x24xf32> -> tensor<16x24xf32, #tile.shared<row = 40, swizzle = false>>
// CHECK-NOT: tile.convert_layout
// CHECK: tile.scan mul %[[S]] exclusive : tensor<16x24xf32, #tile.shared<row = 40, swizzle = false>> -> tensor<16x24xf32>
// CHECK: tile.decay_dot %[[S]], %[[S]], %[[S]], %{{.*}} : tensor<16x24xf32, #tile.shared<row = 40, swizzle = false>> -> tensor<16x16xf32>
// CHECK: tile.reduce mul %[[S]], %{{.*}} along 0 : tensor<16x24xf32, #tile.shared<row = 40, swizzle = false>> -> tensor<24xf32>
gpu.module @kernels {
  gpu.func @columns(%x: memref<?x24xf32>, %one: tensor<24xf32>, %zero: tensor<16x16xf32>) kernel {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<?x24xf32> -> tensor<16x24xf32>
    %before = tile.scan mul %t exclusive : tensor<16x24xf32>
    %s = tile.decay_dot %t, %t, %t, %zero : tensor<16x24xf32> -> tensor<16x16xf32>
    %all = tile.reduce mul %t, %one along 0 : tensor<16x24xf32> -> tensor<24xf32>
    gpu.return
  }
}

// -----

// The columns of a vector that was broadcast are the same: rows of 16 are reduced,
// of a tile with a row for each of 40 results. The scan reads the same copy.
// CHECK-LABEL: gpu.func @vectors
// CHECK: %[[V:.*]] = tile.load
// CHECK-NEXT: %[[S:.*]] = tile.convert_layout %[[V]] : tensor<16xf32> -> tensor<16xf32, #tile.shared<row = 32, swizzle = false>>
// CHECK: tile.scan add %[[S]] : tensor<16xf32, #tile.shared<row = 32, swizzle = false>> -> tensor<16xf32>
// CHECK: %[[TURNED:.*]] = tile.convert_layout %[[S]] : tensor<16xf32, #tile.shared<row = 32, swizzle = false>> -> tensor<16xf32>
// CHECK: %[[B:.*]] = tile.broadcast %[[TURNED]] along 0 : tensor<16xf32> -> tensor<40x16xf32>
// CHECK: tile.reduce mul %[[B]], %{{.*}} : tensor<40x16xf32> -> tensor<40xf32>
// CHECK-NOT: along 0
gpu.module @kernels {
  gpu.func @vectors(%x: memref<?xf32>, %one: tensor<40xf32>) kernel {
    %c0 = arith.constant 0 : index
    %v = tile.load %x[%c0] : memref<?xf32> -> tensor<16xf32>
    %sums = tile.scan add %v : tensor<16xf32>
    %rows = tile.broadcast %v along 1 : tensor<16xf32> -> tensor<16x40xf32>
    %all = tile.reduce mul %rows, %one along 0 : tensor<16x40xf32> -> tensor<40xf32>
    gpu.return
  }
}

// -----

// A matrix of decays: rows of ones take no memory. Reductions of rows and products
// are left to attn-gpu-assign-layouts.
// CHECK-LABEL: gpu.func @decays
// CHECK: tile.broadcast
// CHECK-NEXT: tile.convert_layout
// CHECK-NOT: tile.convert_layout
// CHECK: tile.decay_dot %[[ONE:.*]], %[[ONE]], %{{.*}}, %{{.*}} : tensor<16x1xf32>, tensor<16x1xf32>, tensor<16x1xf32, #tile.shared<row = 40, swizzle = false>> -> tensor<16x16xf32>
gpu.module @kernels {
  gpu.func @decays(%a: tensor<16xf32>, %zero: tensor<16x16xf32>) kernel {
    %one = arith.constant dense<1.0> : tensor<16x1xf32>
    %column = tile.broadcast %a along 1 : tensor<16xf32> -> tensor<16x1xf32>
    %d = tile.decay_dot %one, %one, %column, %zero : tensor<16x1xf32> -> tensor<16x16xf32>
    %sums = tile.reduce add %d, %a : tensor<16x16xf32> -> tensor<16xf32>
    %p = tile.dot %d, %d, %zero : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    gpu.return
  }
}

// -----

// Beside products of 16 bits a scan of many rows is one thread's for each column, and
// leaves its result in shared memory. What it reads is loaded to there. Rows of 16 bits that decay are left to
// attn-gpu-assign-layouts.
// CHECK-LABEL: gpu.func @long_scan
// CHECK: %[[S:.*]] = tile.load {{.*}} -> tensor<64x24xf32, #tile.shared<row = 40, swizzle = false>>
// CHECK: %[[R:.*]] = tile.scan mul %[[S]] within 16 : tensor<64x24xf32, #tile.shared<row = 40, swizzle = false>>
// CHECK-NEXT: %[[OWN:.*]] = tile.convert_layout %[[R]] : tensor<64x24xf32, #tile.shared<row = 40, swizzle = false>> -> tensor<64x24xf32>
// CHECK: %[[T:.*]] = tile.convert_layout %[[S]] : tensor<64x24xf32, #tile.shared<row = 40, swizzle = false>> -> tensor<64x24xf32>
// CHECK: arith.mulf %[[OWN]], %[[T]]
// CHECK: tile.decay_dot %arg1, %arg1, %[[S]]
gpu.module @kernels {
  gpu.func @long_scan(%x: memref<?x24xf32>, %q: tensor<64x24xbf16>, %zero: tensor<64x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<?x24xf32> -> tensor<64x24xf32>
    %s = tile.scan mul %t within 16 : tensor<64x24xf32>
    %p = arith.mulf %s, %t : tensor<64x24xf32>
    %w = tile.decay_dot %q, %q, %t, %zero within 16 : tensor<64x24xbf16>, tensor<64x24xbf16>, tensor<64x24xf32> -> tensor<64x64xf32>
    %d = tile.dot %q, %q, %w transpose_rhs between 16 : tensor<64x24xbf16>, tensor<64x24xbf16> -> tensor<64x64xf32>
    gpu.return
  }
}
