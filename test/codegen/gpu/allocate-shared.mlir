// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-allocate-shared))" | FileCheck %s --check-prefixes=CHECK,APART
// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-allocate-shared{budget=0}))" | FileCheck %s --check-prefixes=CHECK,SHARED
// RUN: not attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-allocate-shared{budget=0 limit=12000}))" 2>&1 | FileCheck %s --check-prefix=LIMIT

// LIMIT: error: kernel 'loop' needs 12288 bytes of shared memory per block, at most 12000 are available on this device; choose smaller blocks

!registers = tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
!shared = tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>

// Within the budget every tile has a place of its own. Beyond it, %a keeps its
// place for the whole loop, and %c takes that of %b, which is dead by then.
// CHECK-LABEL: gpu.func @loop
// CHECK-SAME: attributes {
// APART-SAME: tile.shared_bytes = 16384 : i64
// SHARED-SAME: tile.shared_bytes = 12288 : i64
// CHECK: tile.load {{.*}} {tile.shared_offset = 0 : i64}
// CHECK: tile.load {{.*}} {tile.shared_offset = 4096 : i64}
// CHECK: tile.dot
// APART: tile.load {{.*}} {tile.shared_offset = 8192 : i64}
// APART: tile.load {{.*}} {tile.shared_offset = 12288 : i64}
// SHARED: tile.load {{.*}} {tile.shared_offset = 4096 : i64}
// SHARED: tile.load {{.*}} {tile.shared_offset = 8192 : i64}
gpu.module @kernels {
  gpu.func @loop(%x: memref<?x64xf32>, %n: index, %z: tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>) kernel {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %a = tile.load %x[%c0, %c0] : memref<?x64xf32> -> !shared
    scf.for %j = %c0 to %n step %c16 {
      %b = tile.load %x[%j, %c0] : memref<?x64xf32> -> !shared
      %d = tile.dot %a, %b, %z transpose_rhs : !shared, !shared -> tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
      %c = tile.load %x[%j, %c0] : memref<?x64xf32> -> !shared
      %e = tile.load %x[%j, %c0] : memref<?x64xf32> -> !shared
      %f = tile.dot %c, %e, %z transpose_rhs : !shared, !shared -> tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
    }
    gpu.return
  }
}
