// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-insert-barriers))" --split-input-file --verify-diagnostics | FileCheck %s
// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-insert-barriers,attn-gpu-insert-barriers))" --split-input-file --verify-diagnostics | FileCheck %s

!scores = tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
!sums = tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
!weights = tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>
!values = tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>

// Weights are written and read by the rows of a warp. Values are written and read
// by all; in the loop, the next ones must not overwrite those that a slower
// warp still reads.
// CHECK-LABEL: gpu.func @loop
// CHECK: scf.for
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.load
// CHECK-NEXT: tile.convert_layout
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.dot
// CHECK-NOT: tile.barrier
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @loop(%x: memref<?x64xf32>, %n: index, %p: !scores, %z: !sums) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    scf.for %j = %c0 to %n step %c64 {
      %v = tile.load %x[%j, %c0] {tile.shared_offset = 4096 : i64} : memref<?x64xf32> -> !values
      %w = tile.convert_layout %p {tile.shared_offset = 0 : i64} : !scores -> !weights
      %d = tile.dot %w, %v, %z : !weights, !values -> !sums
    }
    gpu.return
  }
}

// -----

!scores = tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
!sums = tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
!weights = tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>
!values = tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>

// Values are there already: weights in the loop need the warp only, in front of
// the product and in front of the next conversion.
// CHECK-LABEL: gpu.func @warp
// CHECK: tile.load
// CHECK: scf.for
// CHECK-NEXT: tile.barrier warp
// CHECK-NEXT: tile.convert_layout
// CHECK-NEXT: tile.barrier warp
// CHECK-NEXT: tile.dot
// CHECK-NOT: tile.barrier
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @warp(%x: memref<?x64xf32>, %n: index, %p: !scores, %z: !sums) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %v = tile.load %x[%c0, %c0] {tile.shared_offset = 4096 : i64} : memref<?x64xf32> -> !values
    tile.barrier block
    scf.for %j = %c0 to %n step %c64 {
      %w = tile.convert_layout %p {tile.shared_offset = 0 : i64} : !scores -> !weights
      %d = tile.dot %w, %v, %z : !weights, !values -> !sums
    }
    gpu.return
  }
}

// -----

// Two tiles in one place: what a warp reads, any thread may overwrite.
// CHECK-LABEL: gpu.func @one_place
// CHECK: tile.convert_layout
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.dot
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.load
gpu.module @kernels {
  gpu.func @one_place(%x: memref<?x64xf32>, %p: tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>,
      %z: tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>) kernel {
    %c0 = arith.constant 0 : index
    %v = tile.load %x[%c0, %c0] {tile.shared_offset = 4096 : i64} : memref<?x64xf32> -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>
    %w = tile.convert_layout %p {tile.shared_offset = 0 : i64} : tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>> -> tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>
    %d = tile.dot %w, %v, %z : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>, tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>> -> tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
    %u = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<?x64xf32> -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_place(%x: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    // expected-error@below {{has no place in shared memory; run 'attn-gpu-allocate-shared' first}}
    %v = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_control_flow(%c: i1) kernel {
    // expected-error@below {{not expected in a kernel: 'scf.if'}}
    scf.if %c {
      gpu.barrier
    }
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#quads = #tile.registers<rows = 16, columns = 8, vector = 4>
#shared = #tile.shared<row = 32, swizzle = true>

// Other warps wrote the rows that a transposed left operand, a scan, decaying
// products, and a reduction of columns read.
// CHECK-LABEL: gpu.func @columns
// CHECK: tile.convert_layout
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.dot
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.convert_layout
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.scan
// CHECK-NEXT: tile.decay_dot
// CHECK-NEXT: tile.reduce
// CHECK-NEXT: tile.convert_layout
// CHECK-NEXT: gpu.return
gpu.module @kernels {
  gpu.func @columns(%p: tensor<16x16xf32, #rows>, %z: tensor<16x16xf32, #quads>,
                    %one: tensor<16xf32, #tile.slice<along = 0, of = <rows = 16, columns = 8, vector = 1>>>) kernel {
    %a = tile.convert_layout %p {tile.shared_offset = 0 : i64} : tensor<16x16xf32, #rows> -> tensor<16x16xf32, #shared>
    %s = tile.dot %a, %a, %z transpose_lhs : tensor<16x16xf32, #shared>, tensor<16x16xf32, #shared> -> tensor<16x16xf32, #quads>
    %b = tile.convert_layout %p {tile.shared_offset = 0 : i64} : tensor<16x16xf32, #rows> -> tensor<16x16xf32, #shared>
    %e = tile.scan mul %b : tensor<16x16xf32, #shared> -> tensor<16x16xf32, #rows>
    %d = tile.decay_dot %b, %b, %b, %p : tensor<16x16xf32, #shared> -> tensor<16x16xf32, #rows>
    %w = tile.reduce mul %b, %one along 0 : tensor<16x16xf32, #shared> -> tensor<16xf32, #tile.slice<along = 0, of = <rows = 16, columns = 8, vector = 1>>>
    %back = tile.convert_layout %b : tensor<16x16xf32, #shared> -> tensor<16x16xf32, #rows>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
!rows = tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>

// A view of global memory that a kernel writes and reads again; the results of a
// second loop may go where those of the first one came from.
// CHECK-LABEL: gpu.func @views
// CHECK: scf.for
// CHECK-NEXT: tile.store
// CHECK-NEXT: }
// CHECK-NEXT: scf.for
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.load
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.store
// CHECK-NEXT: }
// CHECK-NEXT: gpu.return
gpu.module @kernels {
  gpu.func @views(%x: memref<?x16xf32>, %n: index, %t: !rows) kernel {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    scf.for %i = %c0 to %n step %c16 {
      tile.store %t, %x[%i, %c0] : !rows, memref<?x16xf32>
    }
    scf.for %i = %c0 to %n step %c16 {
      %r = tile.load %x[%i, %c0] : memref<?x16xf32> -> !rows
      tile.store %r, %x[%i, %c0] : !rows, memref<?x16xf32>
    }
    gpu.return
  }
}

// -----

!rows = tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
!top = memref<32x64xf32, strided<[64, 1]>>
!rest = memref<32x64xf32, strided<[64, 1], offset: 512>>

// Parts of one view may have rows in common.
// CHECK-LABEL: gpu.func @parts
// CHECK: tile.store
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: tile.load
gpu.module @kernels {
  gpu.func @parts(%x: memref<64x64xf32>, %t: !rows, %y: memref<64x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %a = memref.subview %x[0, 0] [32, 64] [1, 1] : memref<64x64xf32> to !top
    %b = memref.subview %x[8, 0] [32, 64] [1, 1] : memref<64x64xf32> to !rest
    tile.store %t, %a[%c0, %c0] : !rows, !top
    %r = tile.load %b[%c0, %c0] : !rest -> !rows
    tile.store %r, %y[%c0, %c0] : !rows, memref<64x64xf32>
    gpu.return
  }
}

// -----

!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>

gpu.module @kernels {
  // expected-error@below {{takes 'tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>', expected parameters that are not in shared memory}}
  gpu.func @negative_parameter(%k: !s, %z: !p) kernel {
    %d = tile.dot %k, %k, %z transpose_rhs : !s, !s -> !p
    gpu.return
  }
}
