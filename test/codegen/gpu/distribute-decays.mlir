// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-distribute,canonicalize,cse))" --split-input-file | FileCheck %s

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 64, swizzle = true>

// Each of the eight lanes of a row takes four channels of 32. From the last row
// on, a row of the right operand counts if it is not later than the lane's; then
// four terms, and four weights that decay. Sixteen sums of eight lanes are added
// up in 4 + 2 + 1 shuffles for each of the two that a lane keeps.
// CHECK-LABEL: gpu.func @channels
// CHECK: %[[ROW:.*]] = arith.divui %{{.*}}, %c8
// CHECK: gpu.barrier
// CHECK: scf.for %[[K:.*]] = %c0 to %c64 step %c32
// CHECK: %[[OWN:.*]] = arith.addi %[[K]], %{{.*}}
// CHECK: %[[W:.*]] = vector.load {{.*}} vector<4xf32>
// CHECK: %[[LAST:.*]] = arith.cmpi uge, %[[ROW]], %c15
// CHECK: scf.if %[[LAST]] -> (f32, f32, f32, f32, f32)
// CHECK-COUNT-2: vector.load
// CHECK-COUNT-4: math.fma
// CHECK: scf.yield
// CHECK: arith.cmpi uge, %[[ROW]], %c14
// CHECK: scf.yield {{.*}} : f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32
// CHECK-COUNT-4: gpu.shuffle xor %{{.*}}, %c4_i32
// CHECK-COUNT-2: gpu.shuffle xor %{{.*}}, %c2_i32
// CHECK: gpu.shuffle xor %{{.*}}, %c1_i32
// CHECK-COUNT-7: gpu.shuffle xor
// CHECK-NOT: gpu.shuffle
gpu.module @kernels {
  gpu.func @channels(%x: memref<16x64xf32>, %a: memref<16x64xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x16xf32, #rows>
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x64xf32> -> tensor<16x64xf32, #shared>
    %d = tile.load %a[%c0, %c0] {tile.shared_offset = 4096 : i64} : memref<16x64xf32> -> tensor<16x64xf32, #shared>
    tile.barrier block
    %s = tile.decay_dot %k, %k, %d, %zero : tensor<16x64xf32, #shared> -> tensor<16x16xf32, #rows>
    tile.store %s, %y[%c0, %c0] : tensor<16x16xf32, #rows>, memref<16x16xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 64, swizzle = true>

// Of 40 channels the second step has two lanes' worth. In reverse, the first row
// comes first, and with 'strict' a row does not count for itself.
// CHECK-LABEL: gpu.func @ragged
// CHECK: scf.for %[[K:.*]] = %c0 to %c40 step %c32
// CHECK: %[[OWN:.*]] = arith.addi %[[K]], %{{.*}}
// CHECK: %[[IN:.*]] = arith.cmpi ult, %[[OWN]], %c40
// CHECK: scf.if %[[IN]]
// CHECK: %[[FIRST:.*]] = arith.cmpi ult, %[[ROW:.*]], %c0
// CHECK: arith.cmpi ult, %[[ROW]], %c1 :
// CHECK: arith.cmpi ult, %[[ROW]], %c2 :
gpu.module @kernels {
  gpu.func @ragged(%x: memref<16x40xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x16xf32, #rows>
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x40xf32> -> tensor<16x40xf32, #shared>
    tile.barrier block
    %s = tile.decay_dot %k, %k, %k, %zero reverse strict : tensor<16x40xf32, #shared> -> tensor<16x16xf32, #rows>
    tile.store %s, %y[%c0, %c0] : tensor<16x16xf32, #rows>, memref<16x16xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 32, swizzle = true>

// One channel, rows of ones: the products of decays alone. Each lane walks along
// all of them but the first, and keeps those of its two columns.
// CHECK-LABEL: gpu.func @matrix
// CHECK: gpu.barrier
// CHECK: arith.cmpi eq, %{{.*}}, %c7
// CHECK: scf.if %{{.*}} -> (f32, f32)
// CHECK-NOT: arith.mulf
// CHECK: arith.select %{{.*}}, %cst{{[_0-9]*}}, %cst{{[_0-9]*}} : f32
// CHECK: memref.load
// CHECK: scf.yield
// CHECK-COUNT-14: memref.load
// CHECK-NOT: memref.load
// CHECK-NOT: gpu.shuffle
gpu.module @kernels {
  gpu.func @matrix(%a: memref<16x1xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x16xf32, #rows>
    %one = arith.constant dense<1.0> : tensor<16x1xf32, #rows>
    %d = tile.load %a[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x1xf32> -> tensor<16x1xf32, #shared>
    tile.barrier block
    %s = tile.decay_dot %one, %one, %d, %zero
       : tensor<16x1xf32, #rows>, tensor<16x1xf32, #rows>, tensor<16x1xf32, #shared> -> tensor<16x16xf32, #rows>
    tile.store %s, %y[%c0, %c0] : tensor<16x16xf32, #rows>, memref<16x16xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>
#half = #tile.shared<row = 64, swizzle = true>
#shared = #tile.shared<row = 40, swizzle = false>

// Bands of matrix instructions: the first row of a thread meets the first eight
// columns of its band, in each of which it may begin; the second row all 16, of which
// it begins in the last eight. Both walk together: a row of keys is read once, and two
// elements of bf16 become numbers by a shift and a mask. The sums go to the columns of
// the warp's band.
// CHECK-LABEL: gpu.func @bands
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK-COUNT-3: vector.load {{.*}} vector<4xbf16>
// CHECK: arith.shli
// CHECK: arith.andi
// CHECK-NOT: scf.if
// CHECK-COUNT-96: math.fma
// CHECK-NOT: math.fma
// CHECK: scf.yield
// CHECK-NOT: scf.for
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @bands(%x: memref<64x32xbf16>, %a: memref<64x32xf32>, %y: memref<64x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32, #rows>
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<64x32xbf16> -> tensor<64x32xbf16, #half>
    %d = tile.load %a[%c0, %c0] {tile.shared_offset = 8192 : i64} : memref<64x32xf32> -> tensor<64x32xf32, #shared>
    tile.barrier block
    %s = tile.decay_dot %k, %k, %d, %zero within 16
       : tensor<64x32xbf16, #half>, tensor<64x32xbf16, #half>, tensor<64x32xf32, #shared> -> tensor<64x64xf32, #rows>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32, #rows>, memref<64x64xf32>
    gpu.return
  }
}
