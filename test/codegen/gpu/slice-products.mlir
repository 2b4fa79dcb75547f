// RUN: attn-opt %s --attn-gpu-slice-products=bytes=8192 --canonicalize --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-gpu-slice-products --canonicalize --split-input-file | FileCheck %s --check-prefix=WHOLE

// 64 keys of 64 features are 16 KB: two slices of 32 features, read one after the
// other. The query is cut where it is made, in front of the loop.
// CHECK-LABEL: gpu.func @keys
// CHECK: %[[Q:.*]] = arith.mulf
// CHECK-DAG: %[[Q1:.*]] = tile.slice %[[Q]] from 32
// CHECK-DAG: %[[Q0:.*]] = tile.slice %[[Q]] from 0
// CHECK: scf.for %[[J:.*]] = %c0 to
// CHECK-NEXT: %[[K0:.*]] = tile.load %{{.*}}[%[[J]], %c0] : memref<?x64xf32> -> tensor<64x32xf32>
// CHECK-NEXT: %[[S0:.*]] = tile.dot %[[Q0]], %[[K0]], %[[ZERO:.*]] transpose_rhs
// CHECK-NEXT: %[[K1:.*]] = tile.load %{{.*}}[%[[J]], %c32] : memref<?x64xf32> -> tensor<64x32xf32>
// CHECK-NEXT: %[[S1:.*]] = tile.dot %[[Q1]], %[[K1]], %{{.*}} transpose_rhs
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[S0]], %[[S1]]
// CHECK-NEXT: tile.store %[[S]]
// WHOLE-LABEL: gpu.func @keys
// WHOLE: tile.load %{{.*}} -> tensor<64x64xf32>
// WHOLE-NOT: tile.slice
gpu.module @kernels {
  gpu.func @keys(%k: memref<?x64xf32>, %q: tensor<16x64xf32>, %y: memref<?x64xf32>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %scaled = arith.mulf %q, %q : tensor<16x64xf32>
    scf.for %j = %c0 to %n step %c64 {
      %t = tile.load %k[%j, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
      %s = tile.dot %scaled, %t, %zero transpose_rhs : tensor<16x64xf32>, tensor<64x64xf32> -> tensor<16x64xf32>
      tile.store %s, %y[%j, %c0] : tensor<16x64xf32>, memref<?x64xf32>
    }
    gpu.return
  }
}

// -----

// Values give slices of the result, which are joined; what they are added to is
// computed for each slice. Slices of conversions convert slices.
// CHECK-LABEL: gpu.func @values
// CHECK-DAG: %[[V0:.*]] = tile.load %{{.*}}[%{{.*}}, %c0] : memref<?x64xbf16> -> tensor<64x32xbf16>
// CHECK-DAG: %[[V1:.*]] = tile.load %{{.*}}[%{{.*}}, %c32] : memref<?x64xbf16> -> tensor<64x32xbf16>
// CHECK-DAG: %[[W0:.*]] = arith.extf %[[V0]]
// CHECK-DAG: %[[W1:.*]] = arith.extf %[[V1]]
// CHECK-DAG: %[[C0:.*]] = tile.broadcast %{{.*}} along 1 : tensor<16xf32> -> tensor<16x32xf32>
// CHECK-DAG: %[[A0:.*]] = tile.slice %{{.*}} from 0
// CHECK-DAG: %[[I0:.*]] = arith.mulf %[[A0]], %[[C0]] : tensor<16x32xf32>
// CHECK-DAG: %[[D0:.*]] = tile.dot %{{.*}}, %[[W0]], %[[I0]]
// CHECK-DAG: %[[D1:.*]] = tile.dot %{{.*}}, %[[W1]], %{{.*}}
// CHECK: tile.concat %[[D0]], %[[D1]]
gpu.module @kernels {
  gpu.func @values(%v: memref<?x64xbf16>, %p: tensor<16x64xf32>, %a: tensor<16x64xf32>, %c: tensor<16xf32>,
                   %y: memref<?x64xf32>, %j: index) kernel {
    %c0 = arith.constant 0 : index
    %half = tile.load %v[%j, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %t = arith.extf %half : tensor<64x64xbf16> to tensor<64x64xf32>
    %factor = tile.broadcast %c along 1 : tensor<16xf32> -> tensor<16x64xf32>
    %init = arith.mulf %a, %factor : tensor<16x64xf32>
    %o = tile.dot %p, %t, %init : tensor<16x64xf32>, tensor<64x64xf32> -> tensor<16x64xf32>
    tile.store %o, %y[%j, %c0] : tensor<16x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Of a tall matrix, columns are not enough: 128 rows of 32 columns are 16 KB.
// CHECK-LABEL: gpu.func @matrix
// CHECK: tile.load %{{.*}}[%c0, %c0] : memref<128x32xf32> -> tensor<64x32xf32>
// CHECK: tile.dot {{.*}} : tensor<16x64xf32>, tensor<64x32xf32>
// CHECK: tile.load %{{.*}}[%c64, %c0] : memref<128x32xf32> -> tensor<64x32xf32>
// CHECK: tile.dot {{.*}} : tensor<16x64xf32>, tensor<64x32xf32>
// CHECK: arith.addf
gpu.module @kernels {
  gpu.func @matrix(%w: memref<128x32xf32>, %x: tensor<16x128xf32>, %y: memref<?x32xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x32xf32>
    %t = tile.load %w[%c0, %c0] : memref<128x32xf32> -> tensor<128x32xf32>
    %o = tile.dot %x, %t, %zero : tensor<16x128xf32>, tensor<128x32xf32> -> tensor<16x32xf32>
    tile.store %o, %y[%i, %c0] : tensor<16x32xf32>, memref<?x32xf32>
    gpu.return
  }
}

// -----

// Rows that were joined are cut where they were, so each slice is read directly.
// CHECK-LABEL: gpu.func @joined
// CHECK: %[[A:.*]] = tile.load %arg0[{{.*}}] : memref<?x24xf32> -> tensor<64x24xf32>
// CHECK: tile.dot %{{.*}}, %[[A]], %{{.*}} transpose_rhs
// CHECK: %[[B:.*]] = tile.load %arg1[{{.*}}] : memref<?x32xf32> -> tensor<64x32xf32>
// CHECK: tile.dot %{{.*}}, %[[B]], %{{.*}} transpose_rhs
// CHECK-NOT: tile.concat
gpu.module @kernels {
  gpu.func @joined(%a: memref<?x24xf32>, %b: memref<?x32xf32>, %q: tensor<16x56xf32>, %y: memref<?x64xf32>, %j: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %s = tile.load %a[%j, %c0] : memref<?x24xf32> -> tensor<64x24xf32>
    %t = tile.load %b[%j, %c0] : memref<?x32xf32> -> tensor<64x32xf32>
    %k = tile.concat %s, %t : tensor<64x24xf32>, tensor<64x32xf32> -> tensor<64x56xf32>
    %d = tile.dot %q, %k, %zero transpose_rhs : tensor<16x56xf32>, tensor<64x56xf32> -> tensor<16x64xf32>
    tile.store %d, %y[%j, %c0] : tensor<16x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// What the kernel writes is not read again: the tile is cut as it was read.
// CHECK-LABEL: gpu.func @negative_written
// CHECK: tile.load %{{.*}} -> tensor<64x64xf32>
// CHECK-NOT: tile.load
// CHECK-COUNT-2: tile.dot
gpu.module @kernels {
  gpu.func @negative_written(%k: memref<?x64xf32>, %q: tensor<16x64xf32>, %j: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %t = tile.load %k[%j, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    tile.store %q, %k[%j, %c0] : tensor<16x64xf32>, memref<?x64xf32>
    %s = tile.dot %q, %t, %zero transpose_rhs : tensor<16x64xf32>, tensor<64x64xf32> -> tensor<16x64xf32>
    tile.store %s, %k[%j, %c0] : tensor<16x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Rows of a transposed left operand cannot be cut: only the columns of the right
// one are. Products of which both are transposed are left as they are.
// CHECK-LABEL: gpu.func @transposed
// CHECK: tile.dot %{{.*}} transpose_lhs : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<32x32xf32>
// CHECK: tile.dot %{{.*}} transpose_lhs : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<32x32xf32>
// CHECK: tile.concat
// CHECK: tile.dot %{{.*}} transpose_lhs transpose_rhs : tensor<32x32xf32>, tensor<128x32xf32> -> tensor<32x128xf32>
// CHECK-NOT: tile.dot
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @transposed(%v: memref<?x64xf32>, %y: memref<32x64xf32>, %z: memref<32x128xf32>, %k: tensor<128x32xf32>, %m: tensor<32x32xf32>,
                       %zero: tensor<32x64xf32>, %wide: tensor<32x128xf32>) kernel {
    %c0 = arith.constant 0 : index
    %t = tile.load %v[%c0, %c0] : memref<?x64xf32> -> tensor<128x64xf32>
    %s = tile.dot %k, %t, %zero transpose_lhs : tensor<128x32xf32>, tensor<128x64xf32> -> tensor<32x64xf32>
    %d = tile.dot %m, %k, %wide transpose_lhs transpose_rhs : tensor<32x32xf32>, tensor<128x32xf32> -> tensor<32x128xf32>
    tile.store %s, %y[%c0, %c0] : tensor<32x64xf32>, memref<32x64xf32>
    tile.store %d, %z[%c0, %c0] : tensor<32x128xf32>, memref<32x128xf32>
    gpu.return
  }
}

// -----

// Slices may be rounded as the whole may.
// CHECK-LABEL: gpu.func @precision
// CHECK-COUNT-2: tile.dot {{.*}} transpose_rhs precision(tf32) : tensor<16x32xf32>, tensor<64x32xf32>
gpu.module @kernels {
  gpu.func @precision(%k: memref<?x64xf32>, %q: tensor<16x64xf32>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %t = tile.load %k[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = tile.dot %q, %t, %zero transpose_rhs precision(tf32) : tensor<16x64xf32>, tensor<64x64xf32> -> tensor<16x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<16x64xf32>, memref<?x64xf32>
    gpu.return
  }
}
