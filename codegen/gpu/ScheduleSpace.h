//===- ScheduleSpace.h - Schedules that GPUs may try ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The space of GPUs. A block has a fixed number of threads, so warps are no
// axis, and whether products are matrix instructions follows from the op; what
// is left are sizes, within shared memory and registers (Resources.h).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_SCHEDULESPACE_H
#define ATTN_CODEGEN_GPU_SCHEDULESPACE_H

#include "codegen/gpu/Resources.h"
#include "passes/ScheduleSpace.h"

namespace attn {

/// Rows of threads of a block.
inline constexpr int64_t kThreadRows = 16;
/// The most registers that a thread may have.
inline constexpr int64_t kThreadRegisters = 255;

/// What a recurrence says of its blocks.
ChunkProblem getProblem(RecurOp op, BlockSizes blocks, int64_t threads);

/// Tokens of a chunk: fewer where each pair of tokens has a decay per channel;
/// 16 for each of four warps where products are matrix instructions.
int64_t getMostTokens(RecurOp op);

/// Whether a block must have all columns of the state.
bool needsAllColumns(RecurOp op);

/// The space of an op on a GPU whose blocks may have so much shared memory;
/// `extents` as for getCpuScheduleSpace().
ScheduleSpace getGpuScheduleSpace(mlir::Operation *op, int64_t sharedBytes,
                                  int64_t threads,
                                  llvm::ArrayRef<int64_t> extents);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_SCHEDULESPACE_H
