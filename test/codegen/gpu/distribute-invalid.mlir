// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-distribute))" --split-input-file --verify-diagnostics

#s = #tile.shared<row = 64, swizzle = true>
#p = #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>

// Tiles in shared memory are those that the kernel makes.
gpu.module @kernels {
  // expected-error@below {{takes 'tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>', expected parameters that are not in shared memory}}
  gpu.func @negative_shared_parameter(%q: tensor<64x64xbf16, #p>, %k: tensor<64x64xbf16, #s>, %z: tensor<64x64xf32, #p>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %d = tile.dot %q, %k, %z transpose_rhs : tensor<64x64xbf16, #p>, tensor<64x64xbf16, #s> -> tensor<64x64xf32, #p>
    gpu.return
  }
}

// -----

#s = #tile.shared<row = 64, swizzle = true>
#p = #tile.registers<rows = 16, columns = 8, vector = 2, paired = true>

// Matrix instructions leave results where they do.
gpu.module @kernels {
  gpu.func @negative_columns(%x: memref<?x64xbf16>, %q: tensor<64x64xbf16, #p>, %z: tensor<64x64xf32, #p>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<?x64xbf16> -> tensor<64x64xbf16, #s>
    // expected-error@below {{of 16 bits expected sizes that are multiples of 16, the right operand in shared memory, a result of f32 and, unless it is shared too, the left operand in '#tile.registers<rows = 32, columns = 4, vector = 2, paired = true>', got 'tensor<64x64xbf16, #tile.registers<rows = 16, columns = 8, vector = 2, paired = true>>'}}
    %d = tile.dot %q, %k, %z transpose_rhs : tensor<64x64xbf16, #p>, tensor<64x64xbf16, #s> -> tensor<64x64xf32, #p>
    gpu.return
  }
}

// -----

#s = #tile.shared<row = 64, swizzle = true>
#p = #tile.registers<rows = 16, columns = 8, vector = 1>

// Products of 32 bits read both operands from shared memory.
gpu.module @kernels {
  gpu.func @negative_left_in_registers(%x: memref<?x64xf32>, %q: tensor<64x64xf32, #p>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %k = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<?x64xf32> -> tensor<64x64xf32, #s>
    // expected-error@below {{expected operands in shared memory and a result of f32, got 'tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>'}}
    %d = tile.dot %q, %k, %q transpose_rhs : tensor<64x64xf32, #p>, tensor<64x64xf32, #s> -> tensor<64x64xf32, #p>
    gpu.return
  }
}
