//===- Ptx.h - From kernels in NVVM to PTX and machine code -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_NVIDIA_PTX_H
#define ATTN_CODEGEN_NVIDIA_PTX_H

#include "codegen/nvidia/Pipeline.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace attn {

/// LLVM IR, optimized, of the kernels of a module.
llvm::Expected<std::string> makeNvidiaLlvmIr(mlir::gpu::GPUModuleOp kernels,
                                             const NvidiaTarget &target);

/// PTX of the kernels of a module, by LLVM.
llvm::Expected<std::string> makePtx(mlir::gpu::GPUModuleOp kernels,
                                    const NvidiaTarget &target);

/// Machine code for the device, by 'ptxas' of a CUDA toolkit: the one that the
/// environment variable ATTN_PTXAS names, else that on the PATH, else that of
/// /usr/local/cuda.
llvm::Expected<std::string> assemblePtx(llvm::StringRef ptx,
                                        const NvidiaTarget &target);

} // namespace attn

#endif // ATTN_CODEGEN_NVIDIA_PTX_H
