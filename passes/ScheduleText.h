//===- ScheduleText.h - Schedules that a user asks for ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the passes that choose schedules, one per kind of target, share.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SCHEDULETEXT_H
#define ATTN_PASSES_SCHEDULETEXT_H

#include "dialect/AttnDialect.h"

namespace attn {

/// The numbers of a schedule.
struct BlockSizes {
  int64_t q, k;
  int64_t splits = 0;
  int64_t warps = 0, stages = 0; ///< 0: what the target has.
  int64_t overlap = 0;           ///< 1: products of two blocks of keys overlap.
  int64_t resident = 0;          ///< Blocks at a time; 0: the usual number.
  /// Sizes along each axis; empty where blocks are no boxes, or steps are 1.
  llvm::SmallVector<int64_t> boxQ = {}, boxK = {}, step = {};
};

/// The numbers of an attribute.
BlockSizes getBlockSizes(ScheduleAttr schedule);

/// `blocks` with what `text`, "block_q=96,block_k=64" or "box_q=8x8,box_k=8x8",
/// says; an error at `op` if it says something else. An empty text changes
/// nothing. A text of parts, "few:block_q=16,splits=4;many:block_q=64", says
/// something of ops with few queries, or tokens, and of others.
mlir::FailureOr<BlockSizes>
overrideSchedule(mlir::Operation *op, llvm::StringRef text, BlockSizes blocks);

/// Whether `text` has parts, so that versions for few and for many queries are
/// both made.
bool hasScheduleParts(llvm::StringRef text);

/// The part "few" or "many" of a text that has parts; else the text.
llvm::StringRef getSchedulePart(llvm::StringRef text, bool isFew);

/// The sizes that a list of blocks asks for; `blocks` without one.
BlockSizes takeListed(AttendOp op, BlockSizes blocks);

/// Refuses what says how GPUs execute blocks for `op`, for which it says
/// nothing: `of` is why.
mlir::LogicalResult checkNotForGpu(mlir::Operation *op, BlockSizes blocks,
                                   llvm::StringRef of);

/// What `schedule` says, in the form that overrideSchedule() reads.
std::string printSchedule(ScheduleAttr schedule);

/// Reports the schedule of `op`, and the rule that chose it.
void reportSchedule(mlir::Operation *op, ScheduleAttr schedule,
                    llvm::StringRef rule);

/// Whether a block of queries is known to be far from full.
bool hasFewQueries(AttendOp op);

/// The same for any op with a schedule: a recurrence of one token has few.
bool hasFewTokens(mlir::Operation *op);

/// At most so many queries are few.
inline constexpr int64_t kFewQueries = 16;

} // namespace attn

#endif // ATTN_PASSES_SCHEDULETEXT_H
