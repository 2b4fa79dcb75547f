//===- ScheduleSpace.h - Schedules that GPUs may try ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The space of GPUs: sizes, warps and places for copies, within shared memory
// and registers (Resources.h). Whether products are matrix instructions follows
// from the op. Only these need more warps than the target has, or copies that
// are begun early, so others have neither axis.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_SCHEDULESPACE_H
#define ATTN_CODEGEN_GPU_SCHEDULESPACE_H

#include "codegen/gpu/Resources.h"
#include "passes/ScheduleSpace.h"

namespace attn {

/// Rows of threads of a block.
inline constexpr int64_t kThreadRows = 16;
/// Rows of a matrix instruction, and so of a warp at a time.
inline constexpr int64_t kBandRows = 16;
/// Threads of a warp.
inline constexpr int64_t kWarpLanes = 32;
/// The most registers that a thread may have.
inline constexpr int64_t kThreadRegisters = 255;
/// Registers of a multiprocessor.
inline constexpr int64_t kMultiprocessorRegisters = 65536;

/// `problem` in blocks of these sizes, warps and stages; `threads` are those of
/// the target.
BlockProblem withBlocks(BlockProblem problem, const BlockSizes &blocks,
                        int64_t threads);

/// What a recurrence says of its blocks, as one of all columns and the most
/// tokens.
ChunkProblem getProblem(RecurOp op, int64_t threads);

/// `problem` in blocks of these sizes, stages and parts.
ChunkProblem withBlocks(ChunkProblem problem, const BlockSizes &blocks);

/// Tokens of a chunk whose products are matrix instructions: 16 for each of
/// four warps.
inline constexpr int64_t kMatrixTokens = 64;

/// Tokens of a chunk: fewer where each pair of tokens has a decay per channel.
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
