//===- BoxSchedule.h - Boxes for grids of tokens ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the passes that choose schedules, one per kind of target, do for grids.
// docs/rationale/schedule.md tells how a box is chosen.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_BOXSCHEDULE_H
#define ATTN_PASSES_BOXSCHEDULE_H

#include "passes/ScheduleText.h"

namespace attn {

/// The box of `tokens` tokens that covers a grid of `extents`, of which some
/// may be dynamic, with the smallest surface.
llvm::SmallVector<int64_t> chooseBox(int64_t tokens,
                                     llvm::ArrayRef<int64_t> extents,
                                     llvm::ArrayRef<int64_t> step);

/// Tokens of the boxes that cover a grid, over the tokens of the grid, as far
/// as static sizes tell; at least 1.
double getWaste(llvm::ArrayRef<int64_t> box, llvm::ArrayRef<int64_t> extents,
                llvm::ArrayRef<int64_t> step);

/// The sizes of `tensor` along the axes of tokens.
llvm::ArrayRef<int64_t> getExtents(mlir::Value tensor);

/// The step that is chosen for `op` where `text`, what is asked for, does not
/// say it; empty for 1. An op of one axis has boxes only if nothing is asked
/// for.
llvm::SmallVector<int64_t> chooseStep(AttendOp op, llvm::StringRef text);

/// `blocks` as the schedule of `op`, with boxes that are not chosen yet where
/// tokens are a grid or boxes are asked for; an error at `op` if they do not
/// fit.
mlir::FailureOr<ScheduleAttr> makeSchedule(mlir::Operation *op,
                                           BlockSizes blocks);

} // namespace attn

#endif // ATTN_PASSES_BOXSCHEDULE_H
