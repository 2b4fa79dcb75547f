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

def NvidiaToNvvm : Pass<"attn-nvidia-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Convert kernels to the LLVM and NVVM dialects";
  let description = [{
    One conversion of everything that is left. Indices have 64 bits. A parameter
    that is a memref becomes, in this order, a pointer to its first element in
    global memory, its dynamic sizes and its dynamic strides, all `i64`; an index
    becomes an `i64`. Shared memory is one external array. `nvvm.minctasm` is the number
    of blocks that leave each thread 255 registers.

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
