// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-distribute,canonicalize,cse))" --split-input-file --verify-diagnostics | FileCheck %s

!q = tensor<64x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!keys = tensor<16x16xf32, #tile.shared<row = 40, swizzle = false>>
!values = tensor<16x16xf32, #tile.shared<row = 36, swizzle = false>>

// A lane has two neighbours of each of two rows of queries: the registers of an
// instruction, rounded once, are the first of both rows, then the second. It reads
// the same two of its key at once.
// CHECK-LABEL: gpu.func @keys
// CHECK: %[[LANE:.*]] = arith.remui %{{.*}}, %c32
// CHECK: %[[G:.*]] = arith.divui %[[LANE]], %c4
// CHECK: %[[T:.*]] = arith.remui %[[LANE]], %c4
// CHECK: %[[PAIR:.*]] = arith.muli %[[T]], %c2
// CHECK: %[[ROW:.*]] = arith.muli %[[G]], %c40
// CHECK: %[[START:.*]] = arith.addi %[[ROW]], %[[PAIR]]
// CHECK: memref.load %{{.*}}[%[[UPPER:.*]], %[[EVEN:.*]]] : memref<64x16xf32>
// CHECK-NEXT: %[[Q00:.*]] = nvvm.convert.float.to.tf32
// CHECK-NEXT: memref.load %{{.*}}[%[[UPPER]], %[[ODD:.*]]] : memref<64x16xf32>
// CHECK-NEXT: %[[Q01:.*]] = nvvm.convert.float.to.tf32
// CHECK: memref.load %{{.*}}[%[[LOWER:.*]], %[[EVEN]]] : memref<64x16xf32>
// CHECK-NEXT: %[[Q10:.*]] = nvvm.convert.float.to.tf32
// CHECK-NEXT: memref.load %{{.*}}[%[[LOWER]], %[[ODD]]] : memref<64x16xf32>
// CHECK-NEXT: %[[Q11:.*]] = nvvm.convert.float.to.tf32
// CHECK: memref.load %{{.*}} : memref<16x16xf32>
// CHECK: %[[WORD:.*]] = nvvm.convert.float.to.tf32 %{{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK-NEXT: %[[ROUNDED:.*]] = arith.bitcast %[[WORD]] : i32 to f32
// CHECK: memref.store %[[ROUNDED]], %{{.*}} : memref<640xf32
// CHECK: gpu.barrier
// CHECK-NOT: nvvm.convert
// CHECK: %[[BOTH:.*]] = vector.load %{{.*}}[%[[START]]] {alignment = 8 : i64} : memref<640xf32, {{.*}}>, vector<2xf32>
// CHECK: %[[LOW:.*]] = vector.extract %[[BOTH]][0]
// CHECK: %[[HIGH:.*]] = vector.extract %[[BOTH]][1]
// CHECK: %[[B0:.*]] = arith.bitcast %[[LOW]] : f32 to i32
// CHECK: %[[B1:.*]] = arith.bitcast %[[HIGH]] : f32 to i32
// CHECK: nvvm.mma.sync A[%[[Q00]], %[[Q10]], %[[Q01]], %[[Q11]]]  B[%[[B0]], %[[B1]]]  C[%{{.*}}]  {{.*}} multiplicandAPtxType = #nvvm.mma_type<tf32>{{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 8>
// CHECK-COUNT-3: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
gpu.module @kernels {
  gpu.func @keys(%x: memref<64x16xf32>, %k: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : !s
    %q = tile.load %x[%c0, %c0] : memref<64x16xf32> -> !q
    %b = tile.load %k[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x16xf32> -> !keys
    tile.barrier block
    %s = tile.dot %q, %b, %zero transpose_rhs precision(tf32) : !q, !keys -> !s
    tile.store %s, %x[%c0, %c0] : !s, memref<64x16xf32>
    gpu.return
  }

  // Of values it reads one element of each of two rows.
  // CHECK-LABEL: gpu.func @values
  // CHECK: %[[LANE:.*]] = arith.remui %{{.*}}, %c32
  // CHECK: %[[G:.*]] = arith.divui %[[LANE]], %c4
  // CHECK: %[[T:.*]] = arith.remui %[[LANE]], %c4
  // CHECK: %[[ROW:.*]] = arith.muli %[[T]], %c72
  // CHECK: %[[START:.*]] = arith.addi %[[ROW]], %[[G]]
  // CHECK: gpu.barrier
  // CHECK: %[[LOW:.*]] = memref.load %{{.*}}[%[[START]]]
  // CHECK: %[[NEXT:.*]] = arith.addi %[[START]], %c36
  // CHECK: %[[HIGH:.*]] = memref.load %{{.*}}[%[[NEXT]]]
  // CHECK: %[[B0:.*]] = arith.bitcast %[[LOW]] : f32 to i32
  // CHECK: %[[B1:.*]] = arith.bitcast %[[HIGH]] : f32 to i32
  // CHECK: nvvm.mma.sync {{.*}} B[%[[B0]], %[[B1]]]
  gpu.func @values(%x: memref<64x16xf32>, %v: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %p = tile.load %x[%c0, %c0] : memref<64x16xf32> -> !q
    %b = tile.load %v[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x16xf32> -> !values
    tile.barrier block
    %o = tile.dot %p, %b, %p precision(tf32) : !q, !values -> !s
    tile.store %o, %x[%c0, %c0] : !s, memref<64x16xf32>
    gpu.return
  }
}

// -----

!q = tensor<16x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!swizzled = tensor<16x16xf32, #tile.shared<row = 32, swizzle = true>>
gpu.module @kernels {
  gpu.func @negative_swizzled(%x: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %q = tile.load %x[%c0, %c0] : memref<16x16xf32> -> !q
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x16xf32> -> !swizzled
    // expected-error@below {{with 'precision(tf32)' reads tiles without 'swizzle', got 'tensor<16x16xf32, #tile.shared<row = 32, swizzle = true>>'}}
    %s = tile.dot %q, %k, %q transpose_rhs precision(tf32) : !q, !swizzled -> !q
    tile.store %s, %x[%c0, %c0] : !q, memref<16x16xf32>
    gpu.return
  }
}

// -----

!q = tensor<16x12xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<16x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!k = tensor<16x12xf32, #tile.shared<row = 40, swizzle = false>>
gpu.module @kernels {
  gpu.func @negative_depth(%x: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %q = tile.load %x[%c0, %c0] : memref<16x16xf32> -> !q
    %s = tile.load %x[%c0, %c0] : memref<16x16xf32> -> !s
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x16xf32> -> !k
    // expected-error@below {{with 'precision(tf32)' needs multiples of 16 rows and 8 columns and depth, and no 'transpose_lhs', on GPUs, got 'tensor<16x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>' and depth 12; run 'attn-nvidia-matrix-products' first}}
    %o = tile.dot %q, %k, %s transpose_rhs precision(tf32) : !q, !k -> !s
    tile.store %o, %x[%c0, %c0] : !s, memref<16x16xf32>
    gpu.return
  }
}

// -----

!keys = tensor<16x16xf32, #tile.shared<row = 40, swizzle = false>>
!q = tensor<16x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>

// Of a copy that was begun before, a thread rounds what it copied itself, as soon
// as it is there: four neighbours. Rows that are not aligned are copied by the
// same threads.
// CHECK-LABEL: gpu.func @copied
// CHECK: nvgpu.device_async_copy {{.*}}, 4, %{{.*}} {bypassL1}
// CHECK: } else {
// CHECK: scf.for %[[GROUP:.*]] = %thread_id_x to %c64 step %c128
// CHECK-COUNT-4: memref.store
// CHECK: nvvm.cp.async.wait.group 0
// CHECK: scf.if %{{.*}} {
// CHECK: %[[FOUR:.*]] = vector.load %[[BUFFER:.*]][%[[PLACE:.*]]] {alignment = 16 : i64} : memref<640xf32, {{.*}}>, vector<4xf32>
// CHECK-COUNT-4: nvvm.convert.float.to.tf32
// CHECK: vector.store %{{.*}}, %[[BUFFER]][%[[PLACE]]] {alignment = 16 : i64}
// CHECK: gpu.barrier
gpu.module @kernels {
  gpu.func @copied(%x: memref<?x16xf32, strided<[?, 1], offset: ?>>, %y: memref<16x16xf32>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %q = tile.load %y[%c0, %c0] : memref<16x16xf32> -> !q
    %begun = tile.load %x[%i, %c0] async {tile.shared_offset = 0 : i64} : memref<?x16xf32, strided<[?, 1], offset: ?>> -> !keys
    %k = tile.await %begun : !keys
    tile.barrier block
    %s = tile.dot %q, %k, %q transpose_rhs precision(tf32) : !q, !keys -> !q
    tile.store %s, %y[%c0, %c0] : !q, memref<16x16xf32>
    gpu.return
  }
}
