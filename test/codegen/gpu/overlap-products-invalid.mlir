// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-overlap-products))" --split-input-file --verify-diagnostics

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// Scores that start from sums cannot be computed before them.
gpu.module @kernels {
  gpu.func @negative_scores_of_sums(%k: memref<?x64xbf16>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      // expected-error@below {{needs results of the iteration before, so products cannot overlap; expected a schedule without 'overlap'}}
      %s = tile.dot %q, %kt, %a transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t : !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// Weights in shared memory have one place.
gpu.module @kernels {
  gpu.func @negative_shared_weights(%k: memref<?x64xbf16>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %x = tile.convert_layout %w : !h -> !s
      // expected-error@below {{reads 'tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>' of the iteration before, which the loop cannot carry; expected a schedule without 'overlap'}}
      %t = tile.dot %x, %kt, %a : !s, !s -> !p
      scf.yield %t : !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// What is stored cannot be stored an iteration early.
gpu.module @kernels {
  gpu.func @negative_store(%k: memref<?x64xbf16>, %o: memref<?x64xf32>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %r = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      // expected-error@below {{cannot be in a loop whose products overlap with those of its next iteration; expected a schedule without 'overlap'}}
      tile.store %s, %o[%j, %c0] : !p, memref<?x64xf32>
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t : !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// Nor can scores that start from sums of two iterations ago.
gpu.module @kernels {
  gpu.func @negative_scores_of_sums_before(%k: memref<?x64xbf16>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o:2 = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z, %b = %z) -> (!p, !p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      // expected-error@below {{needs results of the iteration before, so products cannot overlap; expected a schedule without 'overlap'}}
      %s = tile.dot %q, %kt, %b transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t, %a : !p, !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

gpu.module @kernels {
  gpu.func @negative_narrow_count(%k: memref<?x64xbf16>, %end: i32, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : i32
    %c64 = arith.constant 64 : i32
    %first = arith.constant 0 : index
    // expected-error@below {{counts in 'i32', expected 'index' where products overlap}}
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) : i32 {
      %i = arith.index_cast %j : i32 to index
      %kt = tile.load %k[%i, %first] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t : !p
    }
    gpu.return
  }
}
