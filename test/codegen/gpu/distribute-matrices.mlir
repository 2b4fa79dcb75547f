// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-distribute,canonicalize,cse))" --split-input-file | FileCheck %s

!p32 = tensor<64x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!p16 = tensor<64x16xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!shared = tensor<16x16xbf16, #tile.shared<row = 64, swizzle = true>>

// A thread has two rows of four columns. Weights are rounded in pairs, in the
// order of the registers of the instruction; both halves of the right operand
// come at once.
// CHECK-LABEL: gpu.func @rounded
// CHECK: nvvm.cp.async.wait.group 0
// CHECK: gpu.barrier
// CHECK: %[[W:.*]] = llvm.fptrunc %{{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK: %[[A0:.*]] = llvm.bitcast %[[W]] : vector<2xbf16> to i32
// CHECK: %[[A1:.*]] = llvm.bitcast
// CHECK: %[[A2:.*]] = llvm.bitcast
// CHECK: %[[A3:.*]] = llvm.bitcast
// CHECK: %[[V:.*]] = nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = true} : memref<1024xf16, {{.*}}> -> vector<4x2xf16>
// CHECK: nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]]  B[%{{.*}}, %{{.*}}]  C[{{.*}}]  {{.*}} multiplicandAPtxType = #nvvm.mma_type<bf16>{{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK: nvvm.mma.sync A[%[[A0]], %[[A1]], %[[A2]], %[[A3]]]
// CHECK-NOT: nvvm.mma.sync
gpu.module @kernels {
  gpu.func @rounded(%x: memref<64x16xf32>, %v: memref<?x16xbf16>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %p = tile.load %x[%c0, %c0] : memref<64x16xf32> -> !p32
    %w = arith.truncf %p : !p32 to !p16
    %b = tile.load %v[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<?x16xbf16> -> !shared
    tile.barrier block
    %o = tile.dot %w, %b, %p : !p16, !shared -> !p32
    tile.store %o, %x[%c0, %c0] : !p32, memref<64x16xf32>
    gpu.return
  }
}

// -----

!q = tensor<16x16xf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<16x32xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!ring = tensor<32x16xf16, #tile.shared<row = 64, swizzle = true, stages = 2>>
!shared = tensor<32x16xf16, #tile.shared<row = 64, swizzle = true>>

// Rows of a view that are multiples of 16 bytes are copied as such, those beyond
// the end as zeros; others element by element. Queries were 16 bits before.
// CHECK-LABEL: gpu.func @copied
// CHECK-DAG: memref.extract_aligned_pointer_as_index
// CHECK-DAG: %[[ALIGNED:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK: scf.if %[[ALIGNED]] {
// CHECK: %[[N:.*]] = arith.select %{{.*}}, %c8, %c0 : index
// CHECK: nvgpu.device_async_copy %{{.*}}, 8, %[[N]] {bypassL1}
// CHECK: } else {
// CHECK: memref.load {{.*}} : memref<?x16xf16
// CHECK: memref.store {{.*}} : memref<2048xf16
// CHECK: nvvm.cp.async.commit.group
// CHECK: nvvm.cp.async.wait.group 0
// CHECK: nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK-COUNT-4: nvvm.mma.sync A[{{.*}} : (vector<2xf16>, vector<2xf16>, f32)
// CHECK-NOT: nvvm.mma.sync
gpu.module @kernels {
  gpu.func @copied(%x: memref<?x16xf16, strided<[?, 1], offset: ?>>, %y: memref<?x32xf32>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : !s
    %q = tile.load %x[%c0, %c0] : memref<?x16xf16, strided<[?, 1], offset: ?>> -> !q
    %k = tile.load %x[%i, %c0] {tile.shared_offset = 0 : i64} : memref<?x16xf16, strided<[?, 1], offset: ?>> -> !shared
    tile.barrier block
    %s = tile.dot %q, %k, %zero transpose_rhs : !q, !shared -> !s
    tile.store %s, %y[%c0, %c0] : !s, memref<?x32xf32>
    gpu.return
  }

  // Columns that begin at a multiple of eight, wherever that is, are groups of 16
  // bytes, each in the view or behind its end, if the copy is one of a ring.
  // CHECK-LABEL: gpu.func @copied_columns
  // CHECK-SAME: %[[I:[a-z0-9]+]]: index)
  // CHECK: %[[FIRST:.*]] = arith.muli %[[I]], %c16
  // CHECK: %[[COLUMN:.*]] = arith.addi %[[FIRST]], %
  // CHECK: arith.cmpi ult, %[[COLUMN]], %c24
  // CHECK: nvgpu.device_async_copy
  // CHECK-LABEL: gpu.func @copied_anywhere
  // CHECK-NOT: device_async_copy
  // CHECK-LABEL: gpu.func @copied_alone
  // CHECK-NOT: device_async_copy
  gpu.func @copied_columns(%x: memref<?x24xf16, strided<[?, 1], offset: ?>>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %j = arith.muli %i, %c16 : index
    %k = tile.load %x[%c0, %j] stage(%c0) async {tile.shared_offset = 0 : i64} : memref<?x24xf16, strided<[?, 1], offset: ?>> -> !ring
    %a = tile.await %k stage(%c0) : !ring -> !shared
    gpu.return
  }
  gpu.func @copied_anywhere(%x: memref<?x24xf16, strided<[?, 1], offset: ?>>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %k = tile.load %x[%c0, %i] stage(%c0) async {tile.shared_offset = 0 : i64} : memref<?x24xf16, strided<[?, 1], offset: ?>> -> !ring
    %a = tile.await %k stage(%c0) : !ring -> !shared
    gpu.return
  }
  gpu.func @copied_alone(%x: memref<?x24xf16, strided<[?, 1], offset: ?>>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %j = arith.muli %i, %c16 : index
    %k = tile.load %x[%c0, %j] {tile.shared_offset = 0 : i64} : memref<?x24xf16, strided<[?, 1], offset: ?>> -> !shared
    gpu.return
  }

  // What is copied under a condition is a group of copies in any case: threads wait
  // for the others.
  // CHECK-LABEL: gpu.func @copied_when
  // CHECK-SAME: %[[WHEN:[a-z0-9]+]]: i1)
  // CHECK: scf.if %[[WHEN]] {
  // CHECK: nvgpu.device_async_copy
  // CHECK: memref.store {{.*}} : memref<2048xf16
  // CHECK-NEXT: llvm.loop_annotation
  // CHECK-NEXT: {{^ *}$}}
  // CHECK-NEXT: {{^ *}$}}
  // CHECK-NEXT: nvvm.cp.async.commit.group
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  gpu.func @copied_when(%x: memref<?x16xf16, strided<[?, 1], offset: ?>>, %i: index, %when: i1) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %k = tile.load %x[%i, %c0] when(%when) async {tile.shared_offset = 0 : i64} : memref<?x16xf16, strided<[?, 1], offset: ?>> -> !shared
    %a = tile.await %k : !shared
    gpu.return
  }
}

// -----

!q = tensor<64x16xf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!shared = tensor<64x16xf16, #tile.shared<row = 64, swizzle = true>>

// Of a product between blocks of 32 rows a warp has half of the columns: those of the
// block that it is not in. Its reads begin there, and its sums go there.
// CHECK-LABEL: gpu.func @between
// CHECK: %[[WARP:.*]] = arith.divui %{{.*}}, %c32
// CHECK: %[[ROW:.*]] = arith.muli %[[WARP]], %c16
// CHECK: %[[OWN:.*]] = arith.divui %[[ROW]], %c32
// CHECK: %[[OTHER:.*]] = arith.xori %[[OWN]], %c1
// CHECK: arith.muli %[[OTHER]], %c32
// CHECK-COUNT-2: nvgpu.ldmatrix
// CHECK-NOT: nvgpu.ldmatrix
// CHECK: arith.cmpi eq, %[[OTHER]], %c0
gpu.module @kernels {
  gpu.func @between(%x: memref<64x16xf16>, %y: memref<64x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %init = tile.load %y[%c0, %c0] : memref<64x64xf32> -> !s
    %q = tile.load %x[%c0, %c0] : memref<64x16xf16> -> !q
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<64x16xf16> -> !shared
    tile.barrier block
    %s = tile.dot %q, %k, %init transpose_rhs between 32 : !q, !shared -> !s
    tile.store %s, %y[%c0, %c0] : !s, memref<64x64xf32>
    gpu.return
  }
}

// -----

!r32 = tensor<64x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!r16 = tensor<64x16xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s16 = tensor<64x16xbf16, #tile.shared<row = 64, swizzle = true>>

// Two neighbours of bf16 are a word: numbers of 32 bits are a shift and a mask of it,
// of what comes back from shared memory and of what is rounded.
// CHECK-LABEL: gpu.func @words
// CHECK-DAG: %[[MASK:.*]] = arith.constant -65536 : i32
// CHECK-DAG: %[[BITS:.*]] = arith.constant 16 : i32
// CHECK: %[[PAIR:.*]] = vector.load {{.*}} vector<2xbf16>
// CHECK: %[[CAST:.*]] = vector.bitcast %[[PAIR]] : vector<2xbf16> to vector<1xi32>
// CHECK: %[[WORD:.*]] = vector.extract %[[CAST]][0]
// CHECK: %[[LOW:.*]] = arith.shli %[[WORD]], %[[BITS]]
// CHECK: arith.bitcast %[[LOW]] : i32 to f32
// CHECK: %[[HIGH:.*]] = arith.andi %[[WORD]], %[[MASK]]
// CHECK: arith.bitcast %[[HIGH]] : i32 to f32
// CHECK: %[[TERM:.*]] = llvm.bitcast %{{.*}} : vector<2xbf16> to i32
// CHECK: arith.shli %[[TERM]], %[[BITS]]
// CHECK: arith.andi %[[TERM]], %[[MASK]]
gpu.module @kernels {
  gpu.func @words(%x: memref<64x16xbf16>, %y: memref<64x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<64x16xbf16> -> !s16
    tile.barrier block
    %b = tile.convert_layout %a : !s16 -> !r16
    %wide = arith.extf %b : !r16 to !r32
    %double = arith.addf %wide, %wide : !r32
    %term = arith.truncf %double : !r32 to !r16
    %back = arith.extf %term : !r16 to !r32
    %rest = arith.subf %double, %back : !r32
    tile.store %rest, %y[%c0, %c0] : !r32, memref<64x16xf32>
    gpu.return
  }
}
