//===- ScheduleSpace.h - Schedules that may be tried ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A back end declares for an op which sizes a schedule may have: a list of
// values for each axis, and whether a combination can be run at all. What
// cannot is never compiled. The space of CPUs is here, beside the pass that
// chooses one point of it; that of GPUs is in codegen/gpu/ScheduleSpace.h.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SCHEDULESPACE_H
#define ATTN_PASSES_SCHEDULESPACE_H

#include "passes/ScheduleText.h"

namespace attn {

/// One axis of a space: "block_q" and its values as they are written.
struct ScheduleAxis {
  std::string name;
  std::vector<std::string> values;
};

/// Says why blocks of an op cannot be run; empty if they can.
using WhyNot = std::function<std::string(BlockSizes)>;

/// The schedules of an op.
struct ScheduleSpace {
  std::vector<ScheduleAxis> axes; ///< Empty: there is nothing to choose.
  WhyNot whyNot;

  /// The points that can be run, as texts that overrideSchedule() reads, in
  /// the order of the axes.
  std::vector<std::string> getPoints() const;
};

/// `blocks` with what a point says. Points are well formed.
BlockSizes applyPoint(llvm::StringRef point, BlockSizes blocks);

/// The point of a space that has these blocks.
std::string printPoint(const BlockSizes &blocks, const ScheduleSpace &space);

/// Bytes that a block of queries, accumulator, keys, values and scores takes;
/// `width` is the features of queries and values.
int64_t getScratchBytes(BlockSizes blocks, int64_t width, int64_t elementBytes);

/// A worker keeps an area of this size at most.
inline constexpr int64_t kScratchLimit = 4 << 20;

/// The most tokens along a grid that boxes of a space have together.
inline constexpr int64_t kMostBoxTokens = 128;

/// The space of an op on CPUs with registers of so many bits. `extents` are the
/// sizes of the grid of queries, where known; boxes beyond them are left out.
ScheduleSpace getCpuScheduleSpace(mlir::Operation *op, int64_t vectorBits,
                                  llvm::ArrayRef<int64_t> extents);

/// Boxes of `least` to `most` tokens, powers of two along each axis, that are
/// no longer than the axis (rounded up) and have no side of more than four
/// times another.
std::vector<std::string> getBoxes(int64_t least, int64_t most,
                                  llvm::ArrayRef<int64_t> extents);

} // namespace attn

#endif // ATTN_PASSES_SCHEDULESPACE_H
