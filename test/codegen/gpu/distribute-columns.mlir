// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-distribute,canonicalize,cse))" --split-input-file | FileCheck %s

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 32, swizzle = true>

// Row r is combined from rows 0 to r of the two columns that the thread owns; in
// a reverse exclusive scan from rows r + 1 on.
// CHECK-LABEL: gpu.func @scan_rows
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.0
// CHECK: %[[ROW:.*]] = arith.divui %{{.*}}, %c8
// CHECK: gpu.barrier
// CHECK: %[[NEXT:.*]] = arith.addi %[[ROW]], %c1
// CHECK: %[[END:.*]] = arith.minui %[[NEXT]], %c16
// CHECK: scf.for %{{.*}} = %c0 to %[[END]] step %c1 iter_args(%[[A:.*]] = %[[ONE]], %[[B:.*]] = %[[ONE]])
// CHECK: %[[X:.*]] = memref.load
// CHECK: arith.mulf %[[A]], %[[X]]
// CHECK: %[[Y:.*]] = memref.load
// CHECK: arith.mulf %[[B]], %[[Y]]
// CHECK-NOT: memref.load
// CHECK: scf.for %{{.*}} = %[[NEXT]] to %c16 step %c1
gpu.module @kernels {
  gpu.func @scan_rows(%x: memref<16x16xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x16xf32> -> tensor<16x16xf32, #shared>
    tile.barrier block
    %a = tile.scan mul %t : tensor<16x16xf32, #shared> -> tensor<16x16xf32, #rows>
    %b = tile.scan mul %t reverse exclusive : tensor<16x16xf32, #shared> -> tensor<16x16xf32, #rows>
    %p = arith.addf %a, %b : tensor<16x16xf32, #rows>
    tile.store %p, %y[%c0, %c0] : tensor<16x16xf32, #rows>, memref<16x16xf32>
    gpu.return
  }
}

// -----

!row = tensor<32xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>>
!shared = tensor<32xf32, #tile.shared<row = 32, swizzle = true>>

// The first thread of each row stores its elements. Then every lane has one, and
// combines it with those at distances 1 to 16; a thread fetches its two.
// CHECK-LABEL: gpu.func @scan_vector
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK: scf.if %[[FIRST]]
// CHECK-COUNT-2: memref.store %{{.*}} #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK: memref.load
// CHECK-NOT: memref.load
// CHECK-COUNT-5: gpu.shuffle idx %{{.*}}, %{{.*}}, %c32_i32
// CHECK: arith.addf
// CHECK-COUNT-2: gpu.shuffle idx
// CHECK-NOT: gpu.shuffle
gpu.module @kernels {
  gpu.func @scan_vector(%x: memref<32xf32>, %y: memref<32xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0] : memref<32xf32> -> !row
    %s = tile.convert_layout %t {tile.shared_offset = 0 : i64} : !row -> !shared
    tile.barrier block
    %a = tile.scan add %s : !shared -> !row
    tile.store %a, %y[%c0] : !row, memref<32xf32>
    gpu.return
  }
}

// -----

#shared = #tile.shared<row = 32, swizzle = true>
!keys = tensor<24xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>>
!line = tensor<24xf32, #tile.slice<along = 0, of = <rows = 16, columns = 8, vector = 1>>>

// All rows of the columns that the thread has a result of: two, of which the
// second may not exist, or three.
// CHECK-LABEL: gpu.func @reduce_columns
// CHECK: gpu.barrier
// CHECK: scf.for %[[T:.*]] = %c0 to %c16 step %c1 iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (f32, f32)
// CHECK-COUNT-2: memref.load
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c1 iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (f32, f32, f32)
// CHECK-COUNT-3: memref.load
gpu.module @kernels {
  gpu.func @reduce_columns(%x: memref<16x24xf32>, %y: memref<24xf32>, %z: memref<24xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x24xf32> -> tensor<16x24xf32, #shared>
    tile.barrier block
    %keys = arith.constant dense<1.0> : !keys
    %a = tile.reduce mul %t, %keys along 0 : tensor<16x24xf32, #shared> -> !keys
    tile.store %a, %y[%c0] : !keys, memref<24xf32>
    %line = arith.constant dense<1.0> : !line
    %b = tile.reduce mul %t, %line along 0 : tensor<16x24xf32, #shared> -> !line
    tile.store %b, %z[%c0] : !line, memref<24xf32>
    gpu.return
  }
}

// -----

#quads = #tile.registers<rows = 16, columns = 8, vector = 4>
#shared = #tile.shared<row = 32, swizzle = true>
#plain = #tile.shared<row = 32, swizzle = false>

// The left operand is read down its columns, one number for each of the two rows
// of the result that a thread owns and each of four steps.
// CHECK-LABEL: gpu.func @transposed
// CHECK: gpu.barrier
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c4
// CHECK-COUNT-8: memref.load %{{.*}} : memref<512xf32, #gpu.address_space<workgroup>>
// CHECK-NOT: memref.load
// CHECK-COUNT-4: vector.load
// CHECK-COUNT-32: math.fma
// CHECK-NOT: math.fma
gpu.module @kernels {
  gpu.func @transposed(%x: memref<16x32xf32>, %y: memref<16x32xf32>, %z: memref<32x32xf32> {tile.alignment = 16 : i64}) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x32xf32> -> tensor<16x32xf32, #shared>
    %v = tile.load %y[%c0, %c0] {tile.shared_offset = 2048 : i64} : memref<16x32xf32> -> tensor<16x32xf32, #plain>
    tile.barrier block
    %zero = arith.constant dense<0.0> : tensor<32x32xf32, #quads>
    %s = tile.dot %k, %v, %zero transpose_lhs : tensor<16x32xf32, #shared>, tensor<16x32xf32, #plain> -> tensor<32x32xf32, #quads>
    tile.store %s, %z[%c0, %c0] : tensor<32x32xf32, #quads>, memref<32x32xf32>
    gpu.return
  }
}

// -----

// From one column at a time to four, as tiles are loaded that accumulators start
// from: the permutations of the way there, in the opposite order.
// CHECK-LABEL: gpu.func @start
// CHECK-COUNT-4: memref.load
// CHECK-COUNT-8: arith.select
// CHECK-NOT: arith.select
// CHECK-COUNT-4: gpu.shuffle idx
// CHECK-NOT: gpu.shuffle
// CHECK-COUNT-8: arith.select
// CHECK: vector.store
#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#quads = #tile.registers<rows = 16, columns = 8, vector = 4>
gpu.module @kernels {
  gpu.func @start(%x: memref<16x32xf32>, %z: memref<16x32xf32> {tile.alignment = 16 : i64}) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<16x32xf32> -> tensor<16x32xf32, #rows>
    %d = tile.convert_layout %t : tensor<16x32xf32, #rows> -> tensor<16x32xf32, #quads>
    tile.store %d, %z[%c0, %c0] : tensor<16x32xf32, #quads>, memref<16x32xf32>
    gpu.return
  }
}

// -----

#shared = #tile.shared<row = 40, swizzle = false>

// A thread has a column: it reads 16 rows, combines them from the last one on, and
// starts anew with each block of 32.
// CHECK-LABEL: gpu.func @scan_columns
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.0
// CHECK-DAG: %[[ID:.*]] = gpu.thread_id
// CHECK: gpu.barrier
// CHECK: scf.for %[[COLUMN:.*]] = %[[ID]] to %c24 step %c128 {
// CHECK: scf.for %[[N:.*]] = %c0 to %c64 step %c16 iter_args(%[[CARRY:.*]] = %[[ONE]]) -> (f32) {
// CHECK: %[[IN:.*]] = arith.remui %[[N]], %c32
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[IN]], %c0
// CHECK: %[[BEFORE:.*]] = arith.select %[[FIRST]], %[[ONE]], %[[CARRY]]
// CHECK: arith.subi %c63, %[[N]]
// CHECK: %[[X:.*]] = memref.load
// CHECK-COUNT-15: memref.load
// CHECK: %[[WITH:.*]] = arith.mulf %[[BEFORE]], %[[X]]
// CHECK-NEXT: memref.store %[[BEFORE]]
// CHECK: arith.mulf %[[WITH]]
// CHECK: memref.store %[[WITH]]
// CHECK-COUNT-14: memref.store
// CHECK-NOT: memref.store
// CHECK: scf.yield
gpu.module @kernels {
  gpu.func @scan_columns(%x: memref<64x24xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<64x24xf32> -> tensor<64x24xf32, #shared>
    tile.barrier block
    %a = tile.scan mul %t reverse exclusive within 32 {tile.shared_offset = 10240 : i64} : tensor<64x24xf32, #shared>
    gpu.return
  }
}

// -----

#shared = #tile.shared<row = 40, swizzle = false>

// From the borders of pairs of blocks on, a thread has a column of a block: of the
// second of a pair downwards, with the row itself, of the first upwards without it (so
// nobody needs its first row).
// CHECK-LABEL: gpu.func @scan_across
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.0
// CHECK-DAG: %[[ID:.*]] = gpu.thread_id
// CHECK: gpu.barrier
// CHECK: scf.for %[[N:.*]] = %[[ID]] to %c96 step %c128 {
// CHECK: %[[BLOCK:.*]] = arith.divui %[[N]], %c24
// CHECK: %[[COLUMN:.*]] = arith.remui %[[N]], %c24
// CHECK: %[[ROW:.*]] = arith.muli %[[BLOCK]], %c16
// CHECK: %[[SECOND:.*]] = arith.remui %[[BLOCK]], %c2
// CHECK: %[[BEHIND:.*]] = arith.cmpi ne, %[[SECOND]], %c0
// CHECK: scf.if %[[BEHIND]] {
// CHECK: %[[X:.*]] = memref.load
// CHECK-COUNT-15: memref.load
// CHECK: memref.store %[[X]]
// CHECK: arith.mulf %[[X]]
// CHECK-COUNT-15: memref.store
// CHECK: } else {
// CHECK: arith.addi %[[ROW]], %c15
// CHECK: %[[Y:.*]] = memref.load %{{.*}}[%[[LAST:.*]]] :
// CHECK-COUNT-14: memref.load
// CHECK-NOT: memref.load
// CHECK: memref.store %[[ONE]], %{{.*}}[%[[LAST]]] :
// CHECK: memref.store %[[Y]]
// CHECK-COUNT-14: memref.store
// CHECK-NOT: memref.store
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @scan_across(%x: memref<64x24xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<64x24xf32> -> tensor<64x24xf32, #shared>
    tile.barrier block
    %a = tile.scan mul %t across 16 {tile.shared_offset = 10240 : i64} : tensor<64x24xf32, #shared>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>
#ofrows = #tile.slice<along = 1, of = #rows>
#half = #tile.shared<row = 64, swizzle = true>
#shared = #tile.shared<row = 72, swizzle = false>

// Beside bands that decay the four lanes of a row sum a quarter of a column each, and
// give each other what they have. Gates are copied by 16 bytes, four numbers.
// CHECK-LABEL: gpu.func @reduce_together
// CHECK: nvgpu.device_async_copy {{.*}}, 4 {bypassL1} : memref<?xf32> to
// CHECK: gpu.barrier
// CHECK-COUNT-16: memref.load
// CHECK-NOT: memref.load
// CHECK: gpu.shuffle  xor %{{.*}}, %c2_i32
// CHECK: gpu.shuffle  xor %{{.*}}, %c1_i32
// CHECK-COUNT-16: memref.load
// CHECK-NOT: memref.load
// CHECK: gpu.shuffle
gpu.module @kernels {
  gpu.func @reduce_together(%g: memref<64x64xf32>, %k: memref<64x64xbf16>, %y: memref<64x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64xf32, #ofrows>
    %init = arith.constant dense<0.0> : tensor<64x64xf32, #rows>
    %t = tile.load %g[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<64x64xf32> -> tensor<64x64xf32, #shared>
    %q = tile.load %k[%c0, %c0] {tile.shared_offset = 20480 : i64} : memref<64x64xbf16> -> tensor<64x64xbf16, #half>
    tile.barrier block
    %s = tile.reduce add %t, %zero along 0 : tensor<64x64xf32, #shared> -> tensor<64xf32, #ofrows>
    %b = tile.broadcast %s along 1 : tensor<64xf32, #ofrows> -> tensor<64x64xf32, #rows>
    %d = tile.decay_dot %q, %q, %t, %b within 16
       : tensor<64x64xbf16, #half>, tensor<64x64xbf16, #half>, tensor<64x64xf32, #shared> -> tensor<64x64xf32, #rows>
    tile.store %d, %y[%c0, %c0] : tensor<64x64xf32, #rows>, memref<64x64xf32>
    gpu.return
  }
}
