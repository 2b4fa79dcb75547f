//===- Passes.h - Passes that all GPU targets share -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_PASSES_H
#define ATTN_CODEGEN_GPU_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace attn {

/// On a kernel: bytes of dynamic shared memory that a launch must give it.
inline constexpr llvm::StringLiteral kSharedBytesAttr = "tile.shared_bytes";

/// On what makes a tile in shared memory: where it lies, in bytes.
inline constexpr llvm::StringLiteral kSharedOffsetAttr = "tile.shared_offset";

/// On a parameter of a kernel that is a view: its first element lies at a
/// multiple of so many bytes. Unknown of what callers pass.
inline constexpr llvm::StringLiteral kAlignmentAttr = "tile.alignment";

/// On a kernel: each thread computes a block of its own.
inline constexpr llvm::StringLiteral kBlockPerThreadAttr =
    "tile.block_per_thread";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/gpu/Passes.h.inc"

} // namespace attn

#endif // ATTN_CODEGEN_GPU_PASSES_H
