//===- SelectSchedule.cpp - Block sizes for GPUs --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The largest blocks that fit. A product of `block_q` by `block_k` reads
// 1 / block_q + 1 / block_k numbers per multiplication from shared memory, and
// the keys are read from global memory once per block of queries; so both are
// made large, queries first, as long as registers suffice and two blocks share
// a multiprocessor, or at least one has room.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Passes.h"
#include "codegen/gpu/Resources.h"
#include "dialect/AttnDialect.h"
#include "passes/ScheduleText.h"

namespace attn {
#define GEN_PASS_DEF_GPUSELECTSCHEDULE
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Rows of threads: block_q is a multiple, and a block of few queries has as
/// many rows.
static constexpr int64_t kRows = 16;
/// Blocks that share the keys where there are few queries.
static constexpr int64_t kSplits = 8;
/// Most registers of a thread that are planned with; the hardware has 255.
static constexpr int64_t kRegisters = 224;

namespace {
struct GpuSelectSchedule
    : attn::impl::GpuSelectScheduleBase<GpuSelectSchedule> {
  using GpuSelectScheduleBase::GpuSelectScheduleBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (auto attend = dyn_cast<AttendOp>(op))
        return select(attend, attend.getQuery(), attend.getValue());
      if (auto map = dyn_cast<MapRowsOp>(op))
        return select(map, map.getInput(), map.getOutput());
      if (auto merge = dyn_cast<MergeOp>(op))
        return select(merge, merge.getOutput(), merge.getOutput());
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  bool fits(const BlockProblem &problem, int64_t blocks) const {
    return estimateSharedBytes(problem) <= sharedBytes / blocks &&
           estimateRegisters(problem) <= kRegisters;
  }
  BlockSizes choose(BlockProblem problem, int64_t mostRows) const;
  template <typename OpT>
  WalkResult select(OpT op, Value queryRows, Value valueRows);
};
} // namespace

/// The first candidate that fits twice, else once; else the smallest.
BlockSizes GpuSelectSchedule::choose(BlockProblem problem,
                                     int64_t mostRows) const {
  for (int64_t blocks : {2, 1})
    for (int64_t q : {64, 32, 16})
      for (int64_t k : {64, 32, 16}) {
        problem.blockQ = std::min(q, mostRows);
        problem.blockK = k;
        if (fits(problem, blocks))
          return {problem.blockQ, k, 0};
      }
  return {kRows, 16, 0};
}

template <typename OpT>
WalkResult GpuSelectSchedule::select(OpT op, Value queryRows, Value valueRows) {
  BlockProblem problem{
      cast<RankedTensorType>(queryRows.getType()).getDimSize(3),
      cast<RankedTensorType>(valueRows.getType()).getDimSize(3), 0, 0, threads};
  Type element = cast<RankedTensorType>(queryRows.getType()).getElementType();
  if (getAccumulatorType(element).isF64()) {
    emitError(op->getLoc())
        << "GPUs compute in f32: expected f32, f16 or bf16, got " << element;
    return WalkResult::interrupt();
  }
  auto attend = dyn_cast<AttendOp>(op.getOperation());
  bool isFew = attend && hasFewQueries(attend);
  BlockSizes blocks = choose(problem, attend && !isFew ? 64 : kRows);
  if (isFew && attend.isMergeable())
    blocks.splits = kSplits;
  if (ScheduleAttr given = op.getScheduleAttr())
    blocks = {given.getBlockQ(), given.getBlockK(), given.getSplits()};
  FailureOr<BlockSizes> asked = overrideSchedule(op, schedule, blocks);
  if (failed(asked))
    return WalkResult::interrupt();
  blocks = *asked;
  if (blocks.q % kRows || blocks.k % kRows) {
    emitError(op->getLoc())
        << "schedule: 'block_q' and 'block_k' must be multiples of " << kRows
        << " on GPUs, got " << blocks.q << " and " << blocks.k;
    return WalkResult::interrupt();
  }
  op.setScheduleAttr(
      ScheduleAttr::get(&getContext(), blocks.q, blocks.k, blocks.splits));
  return WalkResult::advance();
}
