//===- SelectSchedule.cpp - Choose block sizes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The estimate, in cycles per pair of query and key, of a core with two
// multiply-add ports and L lanes (docs/rationale/schedule.md derives it):
//
//   products   (Dqk + Dv) / (2 L)
//   softmax    10 / L
//   packing    6 (Dqk + Dv) / (L block_q)    keys and values, once per block
//   state      2 Dv / (L block_k)            load and store of the accumulator
//   overhead   40 / (lane strip * 8)         loop set-up of a register tile
//
// times 1 + block_q / 4096 for what is lost at the edges of large blocks, and
// times a factor where the working set of a strip leaves the first cache or
// that of a block the second.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "passes/Passes.h"
#include "passes/ScheduleText.h"

namespace attn {
#define GEN_PASS_DEF_SELECTSCHEDULE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// What the estimate needs to know of the machine and of the op.
struct Problem {
  int64_t lanes;        ///< Elements of the accumulator type in a register.
  int64_t elementBytes; ///< Bytes of the accumulator type.
  int64_t l1Bytes, l2Bytes;
  int64_t widthQk, widthV;
};

} // namespace

/// Registers side by side in a register tile; the CPU back end uses the same.
static constexpr int64_t kStripRegisters = 3;
/// Scratch of one block may not exceed this; a worker keeps one such area.
static constexpr int64_t kScratchLimit = 4 << 20;
/// Blocks that share the keys where there are few queries.
static constexpr int64_t kSplits = 8;

/// Bytes a block keeps at hand: query and accumulator, and one block of keys
/// and values.
static int64_t blockBytes(const Problem &problem, BlockSizes blocks) {
  return problem.elementBytes * (problem.widthQk + problem.widthV) *
         (blocks.q + blocks.k);
}

static double cyclesPerPair(const Problem &problem, BlockSizes blocks) {
  double lanes = problem.lanes, width = problem.widthQk + problem.widthV;
  double strip = kStripRegisters * lanes;
  double cycles = width / (2 * lanes) + 10 / lanes +
                  6 * width / (lanes * double(blocks.q)) +
                  2 * double(problem.widthV) / (lanes * double(blocks.k)) +
                  40 / (strip * 8);
  double factor = 1 + double(blocks.q) / 4096;
  double stripBytes =
      double(problem.elementBytes) * strip * double(blocks.k + problem.widthQk);
  if (stripBytes > 0.75 * double(problem.l1Bytes))
    factor *= 1.05;
  if (double(blockBytes(problem, blocks)) > 0.5 * double(problem.l2Bytes))
    factor *= 1.5;
  return cycles * factor;
}

/// The cheapest of the candidates; ties go to the smaller block.
static BlockSizes cheapest(const Problem &problem) {
  BlockSizes best{kStripRegisters * problem.lanes, 64};
  for (int64_t strips = 1; strips <= 8; ++strips)
    for (int64_t k : {32, 64, 128}) {
      BlockSizes candidate{strips * kStripRegisters * problem.lanes, k};
      if (cyclesPerPair(problem, candidate) < cyclesPerPair(problem, best))
        best = candidate;
    }
  return best;
}

/// Why `blocks` cannot be run, if so.
static LogicalResult checkFits(Operation *op, const Problem &problem,
                               BlockSizes blocks) {
  if (blocks.q % problem.lanes)
    return emitError(op->getLoc())
           << "schedule: 'block_q' must be a multiple of the " << problem.lanes
           << " vector lanes of this target, got " << blocks.q;
  int64_t bytes =
      blockBytes(problem, blocks) + problem.elementBytes * blocks.q * blocks.k;
  if (bytes > kScratchLimit)
    return emitError(op->getLoc())
           << "schedule: block_q = " << blocks.q
           << " and block_k = " << blocks.k << " need " << bytes
           << " bytes of scratch, at most " << kScratchLimit
           << " are allowed; choose smaller blocks";
  return success();
}

namespace {
struct SelectSchedule : attn::impl::SelectScheduleBase<SelectSchedule> {
  using SelectScheduleBase::SelectScheduleBase;

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
  template <typename OpT>
  WalkResult select(OpT op, Value queryRows, Value valueRows) {
    auto rows = cast<RankedTensorType>(queryRows.getType());
    auto values = cast<RankedTensorType>(valueRows.getType());
    int64_t bytes = getAccumulatorType(rows.getElementType()).isF64() ? 8 : 4;
    Problem problem{
        vectorBits / 8 / bytes, bytes, l1Bytes, l2Bytes, rows.getDimSize(3),
        values.getDimSize(3)};
    BlockSizes blocks = cheapest(problem);
    if (auto attend = dyn_cast<AttendOp>(op.getOperation());
        attend && hasFewQueries(attend))
      blocks = {problem.lanes, 64, attend.isMergeable() ? kSplits : 0};
    // Every row is read once per set; nothing is gained by a larger block.
    if (isa<MergeOp>(op))
      blocks = {problem.lanes, 64};
    if (ScheduleAttr given = op.getScheduleAttr())
      blocks = {given.getBlockQ(), given.getBlockK(), given.getSplits()};
    FailureOr<BlockSizes> asked = overrideSchedule(op, schedule, blocks);
    if (failed(asked))
      return WalkResult::interrupt();
    blocks = *asked;
    if (failed(checkFits(op, problem, blocks)))
      return WalkResult::interrupt();
    op.setScheduleAttr(
        ScheduleAttr::get(&getContext(), blocks.q, blocks.k, blocks.splits));
    return WalkResult::advance();
  }
};
} // namespace
