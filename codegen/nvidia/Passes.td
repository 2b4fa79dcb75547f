//===- Passes.td - Passes of the NVIDIA back end -----------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_NVIDIA_PASSES_TD
#define ATTN_CODEGEN_NVIDIA_PASSES_TD

include "mlir/Pass/PassBase.td"

def NvidiaMatrixProducts
    : Pass<"attn-nvidia-matrix-products", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Let products take operands of 16 bits";
  let description = [{
    Tile programs convert operands of 16 bits to f32 in front of products. In kernels
    all of whose products can do without, they do. A tile of 16 bits, perhaps multiplied
    by numbers, one for all or one for each row, which then multiply the product, stays as
    it is. A left operand that is
    computed from another product, such as weights, is rounded. What else is computed from
    tiles of 16 bits, such as rotated rows, becomes a sum of tiles: of two of f16, whose rows
    are divided by a power of 2 that multiplies the product, or of three of bf16 where the other
    operand is a tile of bf16. The product becomes two or three (six where nothing may multiply the
    product); those of tiles that are small in
    both are left out. Beside a rounded operand two tiles of bf16 do.
    Joined rows are multiplied part by part. Exponentials (`math.exp2`) of such kernels get
    `fastmath<afn>`, for `attn-nvidia-approximate-math`; so do `math.exp` and `math.tanh` of
    scores, the products of queries and keys, and of what is computed from them element by
    element; quotients get `fastmath<arcp>`, products, sums and differences
    `fastmath<contract>`. `docs/numerics.md` says what rounding costs.

    Products of f32 with `precision(tf32)` keep their operands; numbers that multiply queries
    multiply the product here too, and functions get the same flags. If not all products of a
    kernel can be of tf32, as sizes are not multiples of 16, right operands have more
    than 128 columns or a left operand is transposed, all lose the attribute: behind this pass
    it says that matrix instructions multiply.

    Before: kernels with tiles without layouts. After: the products of a kernel have
    operands of 16 bits, or of tf32, all or none. Does nothing else in kernels with another product, with
    a transposed left operand or between blocks of rows, with sizes that are not multiples of 16 or with more than
    256 columns or terms, or whose right operand is computed and has more than 128 columns.

    Example (afterwards `tile.dot` of two tiles of bf16 and an `arith.mulf` behind it):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xbf16>, %y: memref<?x64xf32>) kernel {
        %c0 = arith.constant 0 : index
        %zero = arith.constant dense<0.0> : tensor<64x64xf32>
        %scale = arith.constant dense<0.125> : tensor<64x64xf32>
        %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
        %b = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
        %q = arith.mulf %b, %scale : tensor<64x64xf32>
        %s = tile.dot %q, %b, %zero transpose_rhs
           : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
        tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def NvidiaMatrixStates
    : Pass<"attn-nvidia-matrix-states", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Let products of recurrences take operands of 16 bits";
  let description = [{
    In kernels with a product of a transposed left operand, which update a state, all
    products get operands of 16 bits: tiles of that type that are converted as they are,
    everything else as a sum of two tiles, right operands of bf16 beside a denominator of three. Weights, what is added to a state that is stored
    in 32 bits, and all that is computed where channels decay, become a sum of two tiles of f16 or three of bf16. Numbers that multiply the keys that
    are added to the state, such as decays, multiply the values instead, if the keys are computed and the
    state is not stored, or if there are fewer columns of values. Keys that a state adds as queries are
    multiplied with them have the terms that are there, if these are as many. A denominator, one column that sums keys,
    becomes 16 columns of sixteenths. A `tile.decay_dot` of 16 rows for each warp
    becomes products between blocks of rows, of half of them, of a quarter, and so on down to 16, of rows
    times their decays up to the border between two blocks, and a `tile.decay_dot` within 16. Sums of gates between the tokens of a
    chunk become differences of sums. Exponentials of gates get `fastmath<afn>`; in kernels that store
    no state quotients of rows get `fastmath<arcp>`, and in bf16 exponentials of rows `fastmath<afn>`.
    `docs/numerics.md` says what rounding costs.

    Before: kernels with tiles without layouts. After: the products of a kernel have
    operands of 16 bits, all or none. Does nothing in kernels without such a product or
    without tiles of 16 bits, in those with a product whose sizes are not multiples of 16, or
    whose rows are not as many for each warp, and in those with another `tile.decay_dot`.

    Example (afterwards three products of bf16, two of them for the terms of `%s`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xbf16>, %y: memref<?x64xbf16>, %n: index) kernel
          attributes {known_block_size = array<i32: 128, 1, 1>} {
        %c0 = arith.constant 0 : index
        %c64 = arith.constant 64 : index
        %zero = arith.constant dense<0.0> : tensor<64x64xf32>
        %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
          %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
          %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
          %o = tile.dot %k, %s, %zero
             : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
          %r = arith.truncf %o : tensor<64x64xf32> to tensor<64x64xbf16>
          tile.store %r, %y[%i, %c0] : tensor<64x64xbf16>, memref<?x64xbf16>
          %t = tile.dot %k, %k, %s transpose_lhs
             : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
          scf.yield %t : tensor<64x64xf32>
        }
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def NvidiaDelayScales
    : Pass<"attn-nvidia-delay-scales", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Multiply maxima and differences by the scale, not scores";
  let description = [{
    Where a product of 16 bits is multiplied by a positive number, `max` of its rows is taken
    first, masked elements (-inf) are chosen first, and a difference becomes a fused
    multiply-add. Maxima keep their bits. A difference from one number per row that is multiplied
    by a positive number, to become an exponent of 2, takes that into its own.

    Before: what `attn-nvidia-matrix-products` leaves. After: such products are multiplied for
    other uses only. Does nothing elsewhere.

    Example (afterwards `tile.reduce` of `%s`, and `math.fma` of `%s`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%q: tensor<64x64xbf16>, %k: tensor<64x64xbf16>, %y: memref<?x64xf32>) kernel {
        %c0 = arith.constant 0 : index
        %zero = arith.constant dense<0.0> : tensor<64x64xf32>
        %scale = arith.constant dense<0.125> : tensor<64x64xf32>
        %lowest = arith.constant dense<0xFF800000> : tensor<64xf32>
        %s = tile.dot %q, %k, %zero transpose_rhs
           : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
        %x = arith.mulf %s, %scale : tensor<64x64xf32>
        %m = tile.reduce max %x, %lowest : tensor<64x64xf32> -> tensor<64xf32>
        %b = tile.broadcast %m along 1 : tensor<64xf32> -> tensor<64x64xf32>
        %d = arith.subf %x, %b : tensor<64x64xf32>
        tile.store %d, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def NvidiaApproximateMath
    : Pass<"attn-nvidia-approximate-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Use the functions of the device where that is allowed";
  let description = [{
    Functions of f32 with `fastmath<afn>`, and quotients with `fastmath<arcp>`, become
    instructions of the device:

    | op | becomes | relative error |
    |---|---|---|
    | `math.exp2` | `ex2.approx.ftz.f32`; 0 below 2^-126 | 2^-22 |
    | `math.exp` | the same of x log2(e) | 2^-22 + 2^-23 abs(x) |
    | `math.tanh` | x + x^3 p(x^2) below 1/2, else 1 - 2 / (exp(2 x) + 1) | 2^-20.9 |
    | `arith.divf` by a number | a product with its reciprocal | 2^-23 |
    | `arith.divf` by an exponential and 1 or more | `rcp.approx.ftz.f32` of a quarter of that, and two products | 2^-22 |
    | `arith.divf` otherwise | `div.full.f32` | 2^-22 |

    A number whose reciprocal is not normal stays a divisor of `div.full.f32`. A quotient of a
    product with a number is one product.

    Before: math on scalars. After: no such op. Does nothing elsewhere.

    Before and after:

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: f32, %y: memref<f32>) kernel {
        %e = math.exp2 %x fastmath<afn> : f32
        memref.store %e, %y[] : memref<f32>
        gpu.return
      }
    }
    ```

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: f32, %y: memref<f32>) kernel {
        %e = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%x) : (f32) -> f32
        memref.store %e, %y[] : memref<f32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def NvidiaToNvvm : Pass<"attn-nvidia-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Convert kernels to the LLVM and NVVM dialects";
  let description = [{
    One conversion of everything that is left. Indices have 64 bits. A parameter
    that is a memref becomes, in this order, a pointer to its first element in
    global memory, its dynamic sizes and its dynamic strides, all `i64`; an index
    becomes an `i64`. Shared memory is one external array. `nvvm.minctasm` is the number
    of blocks that leave each thread 255 registers, or that `tile.resident` asks for.

    Before: distributed kernels without math functions other than instructions.
    After: `llvm` and `nvvm`, and no `__nv_` function. Reports the first op that has no
    conversion.

    Before and after (the pointer, the size and the stride of `%x`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?xf32, strided<[?], offset: ?>>) kernel
          attributes {known_block_size = array<i32: 128, 1, 1>} {
        tile.barrier warp
        gpu.return
      }
    }
    ```

    ```mlir
    gpu.module @kernels {
      llvm.func @f(%x: !llvm.ptr<1>, %size: i64, %stride: i64)
          attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>,
                      nvvm.minctasm = 2 : i32} {
        %mask = llvm.mlir.constant(-1 : i32) : i32
        nvvm.bar.warp.sync %mask : i32
        llvm.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::cf::ControlFlowDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // ATTN_CODEGEN_NVIDIA_PASSES_TD
