//===- BlockProblems.h - What ops say of their blocks -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The widths of rows, whatever regions make of them, and whether and how their
// products can be of 16 bits. attn-nvidia-matrix-products decides the latter
// later, on tiles; here it is foreseen, because sizes of blocks depend on it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_BLOCKPROBLEMS_H
#define ATTN_CODEGEN_GPU_BLOCKPROBLEMS_H

#include "codegen/gpu/Resources.h"
#include "dialect/AttnDialect.h"

namespace attn {

/// Sizes of blocks are left open.
BlockProblem getProblem(AttendOp op);
BlockProblem getProblem(MapRowsOp op);
BlockProblem getProblem(MergeOp op);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_BLOCKPROBLEMS_H
