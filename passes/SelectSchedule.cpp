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
//   packing    4 Dpacked / (L block_q)       keys and values, once per block
//   state      2 Dv / (L block_k)            load and store of the accumulator
//   overhead   40 / (strip * columns)        loop set-up of a register tile
//
// where Dpacked counts the features of keys and values that are not read where
// they lie, and a strip is 2 or 3 registers of rows; times 1 + 3 strip / 4096
// + block_q / 8192 for what is lost at edges, and times a factor where the
// scores of a strip leave the first cache or the working set of a block the
// second.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "passes/BoxSchedule.h"
#include "passes/Passes.h"
#include "passes/Report.h"
#include "passes/ScheduleSpace.h"
#include "llvm/Support/FormatVariadic.h"

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
  int64_t strip;        ///< Rows of a register tile, as the CPU back end has.
  int64_t columns;      ///< Columns of a register tile.
  int64_t elementBytes; ///< Bytes of the accumulator type.
  int64_t l1Bytes, l2Bytes;
  int64_t widthQk, widthV;
  int64_t widthPacked = 0; ///< Features of keys and values that blocks copy.
};

} // namespace

/// The most strips of a block that are considered.
static constexpr int64_t kMostStrips = 8;
/// Blocks that share the keys where there are few queries.
static constexpr int64_t kSplits = 8;
/// The most tokens of a box where sizes are dynamic: of a small grid, more of a
/// larger box is beyond it.
static constexpr int64_t kMostTokens = 64;
/// The most queries and keys of boxes where there is a mask: it mostly keeps
/// what is near, which is more of the grid for a larger box
/// (docs/rationale/schedule.md).
static constexpr int64_t kNearQueries = 32, kNearKeys = 16;

/// Tokens of a chunk of a recurrence: the fewer, the less is computed between
/// them, and the more often the state is loaded and stored. Short chunks are
/// for channels that decay on their own, and for states that stay in the first
/// cache (docs/rationale/recur.md).
static constexpr int64_t kChunk = 32, kShortChunk = 16;

static int64_t chooseChunk(RecurOp op, int64_t elementBytes, int64_t l1Bytes) {
  if (op.hasOneToken())
    return 1;
  int64_t state = op.getStateRows() * op.getStateColumns() * elementBytes;
  return op.hasGatePerChannel() || state <= l1Bytes ? kShortChunk : kChunk;
}

/// Features of `rows` that each block copies: none where keys or values are
/// read as they lie, which takes whole vectors of the type that is computed in.
static int64_t getPackedWidth(Value rows, Region &map, int64_t lanes) {
  auto type = cast<RankedTensorType>(rows.getType());
  int64_t width = type.getShape().back();
  // The rows of a box are copied side by side.
  bool isPlain =
      getNumAxes(rows) == 1 && map.empty() && width % lanes == 0 &&
      getAccumulatorType(type.getElementType()) == type.getElementType();
  return isPlain ? 0 : width;
}

/// Bytes a block keeps at hand: query and accumulator, and one block of keys
/// and values.
static int64_t blockBytes(const Problem &problem, BlockSizes blocks) {
  return problem.elementBytes * (problem.widthQk + problem.widthV) *
         (blocks.q + blocks.k);
}

/// Whether the scores of a strip need most of the first cache.
static bool leavesFirstCache(const Problem &problem, BlockSizes blocks) {
  double scoreBytes =
      double(problem.elementBytes) * double(problem.strip) * double(blocks.k);
  return scoreBytes > 0.75 * double(problem.l1Bytes);
}

static bool leavesSecondCache(const Problem &problem, BlockSizes blocks) {
  return double(blockBytes(problem, blocks)) > 0.5 * double(problem.l2Bytes);
}

static double cyclesPerPair(const Problem &problem, BlockSizes blocks) {
  double lanes = problem.lanes, width = problem.widthQk + problem.widthV;
  double strip = double(problem.strip);
  double cycles = width / (2 * lanes) + 10 / lanes +
                  4 * double(problem.widthPacked) / (lanes * double(blocks.q)) +
                  2 * double(problem.widthV) / (lanes * double(blocks.k)) +
                  40 / (strip * double(problem.columns));
  double factor = 1 + 3 * strip / 4096 + double(blocks.q) / 8192;
  if (leavesFirstCache(problem, blocks))
    factor *= 1.05;
  if (leavesSecondCache(problem, blocks))
    factor *= 1.5;
  return cycles * factor;
}

namespace {
/// Blocks that are considered, and what they cost.
struct Candidate {
  BlockSizes blocks;
  double cycles;
  StringRef note = ""; ///< Why it is no choice, whatever it costs.
};
} // namespace

/// The cheapest of the candidates; ties go to the one that is as large as
/// `first`, then to the smaller block.
static BlockSizes cheapest(ArrayRef<Candidate> candidates, BlockSizes first) {
  const Candidate *best = llvm::find_if(candidates, [&](const Candidate &one) {
    return one.blocks.q == first.q && one.blocks.k == first.k;
  });
  for (const Candidate &candidate : candidates)
    if (candidate.note.empty() && candidate.cycles < best->cycles)
      best = &candidate;
  return best->blocks;
}

static std::vector<Candidate> getCandidates(const Problem &problem) {
  std::vector<Candidate> candidates;
  for (int64_t strips = 1; strips <= kMostStrips; ++strips)
    for (int64_t k : {32, 64, 128}) {
      BlockSizes blocks{strips * problem.strip, k};
      candidates.push_back({blocks, cyclesPerPair(problem, blocks)});
    }
  return candidates;
}

static bool isMasked(AttendOp op) { return !op.getMask().empty(); }

/// The same for blocks that are boxes, of a power of two of tokens: most grids
/// are, so that little is computed in vain. Boxes reach beyond others.
static std::vector<Candidate> getBoxCandidates(const Problem &problem,
                                               AttendOp op) {
  ArrayRef<int64_t> queries = getExtents(op.getQuery()),
                    keys = getExtents(op.getKey());
  bool isDynamic =
      ShapedType::isDynamicShape(queries) || ShapedType::isDynamicShape(keys);
  StringRef note = isMasked(op) ? "boxes of more than 32 queries or 16 keys "
                                  "meet more of a mask"
                   : isDynamic  ? "boxes of more than 64 tokens reach beyond "
                                  "small grids"
                                : "";
  BlockSizes most{kMostTokens, kMostTokens};
  if (isMasked(op))
    most = {kNearQueries, kNearKeys};
  std::vector<Candidate> candidates;
  for (int64_t strips = 1; strips <= kMostStrips; strips *= 2)
    for (int64_t k : {16, 32, 64, 128}) {
      BlockSizes blocks{strips * problem.strip, k};
      double cycles = cyclesPerPair(problem, blocks) *
                      getWaste(chooseBox(blocks.q, queries, {}), queries, {}) *
                      getWaste(chooseBox(blocks.k, keys, {}), keys, {});
      bool isTooLarge = blocks.q > most.q || k > most.k;
      candidates.push_back({blocks, cycles, isTooLarge ? note : ""});
    }
  return candidates;
}

/// Reports the candidates other than `chosen`, and why they were not chosen.
static void reportCandidates(Operation *op, const Problem &problem,
                             ArrayRef<Candidate> candidates,
                             BlockSizes chosen) {
  if (!isReported(op->getContext()))
    return;
  for (const Candidate &candidate : candidates) {
    BlockSizes blocks = candidate.blocks;
    bool isChosen = blocks.q == chosen.q && blocks.k == chosen.k;
    StringRef reason = candidate.note;
    if (reason.empty())
      reason = leavesSecondCache(problem, blocks) ? "leaves the second cache"
               : leavesFirstCache(problem, blocks)
                   ? "scores leave the first cache"
                   : "costs more";
    report(op->getLoc(), "candidate")
        << FactValue("BlockQ", blocks.q) << FactValue("BlockK", blocks.k)
        << FactValue("Cycles", llvm::formatv("{0:f3}", candidate.cycles).str())
        << FactValue("Reason", isChosen ? "" : reason);
  }
}

/// Why `blocks` cannot be run, if so.
static LogicalResult checkFits(Operation *op, const Problem &problem,
                               BlockSizes blocks) {
  if (blocks.q % problem.lanes)
    return emitError(op->getLoc())
           << "schedule: 'block_q' must be a multiple of the " << problem.lanes
           << " vector lanes of this target, got " << blocks.q;
  int64_t bytes = getScratchBytes(blocks, problem.widthQk + problem.widthV,
                                  problem.elementBytes);
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
      if (auto recur = dyn_cast<RecurOp>(op))
        return selectChunk(recur);
      if (auto merge = dyn_cast<MergeOp>(op))
        return select(merge, merge.getOutput(), merge.getOutput());
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// Chunks of tokens and columns of the state.
  WalkResult selectChunk(RecurOp op) {
    int64_t bytes =
        getAccumulatorType(
            cast<RankedTensorType>(op.getQuery().getType()).getElementType())
                .isF64()
            ? 8
            : 4;
    BlockSizes blocks{chooseChunk(op, bytes, l1Bytes), op.getStateColumns()};
    StringRef rule =
        op.hasOneToken() ? "there is one token"
        : op.hasGatePerChannel()
            ? "chunks of 16 tokens where channels decay on their own, and all "
              "columns of the state"
        : blocks.q == kShortChunk
            ? "chunks of 16 tokens where the state stays in the first cache, "
              "and all columns of it"
            : "chunks of 32 tokens, and all columns of the state";
    if (ScheduleAttr given = op.getScheduleAttr()) {
      blocks = getBlockSizes(given);
      rule = "the spec states it";
    }
    if (!schedule.empty())
      rule = "it was asked for";
    FailureOr<BlockSizes> asked = overrideSchedule(op, schedule, blocks);
    if (failed(asked) || failed(checkNotForGpu(op, *asked, "a CPU")))
      return WalkResult::interrupt();
    int64_t lanes = vectorBits / 8 / bytes;
    if (asked->q % lanes && asked->q != 1) {
      emitError(op->getLoc())
          << "schedule: 'block_q' must be 1 or a multiple of the " << lanes
          << " vector lanes of this target, got " << asked->q;
      return WalkResult::interrupt();
    }
    op.setScheduleAttr(
        ScheduleAttr::get(&getContext(), asked->q, asked->k, asked->splits));
    reportSchedule(op, op.getScheduleAttr(), rule);
    return WalkResult::advance();
  }

  /// What is best for `op`, and which rule says so.
  std::pair<BlockSizes, StringRef> choose(Operation *op, Problem problem) {
    // Every row is read once per set; nothing is gained by a larger block.
    if (isa<MergeOp>(op))
      return {{problem.lanes, 64}, "each row is read once"};
    StringRef least = "the least estimate of cycles per pair";
    auto attend = dyn_cast<AttendOp>(op);
    if (attend && hasFewQueries(attend))
      return {{problem.lanes, 64, attend.isMergeable() ? kSplits : 0},
              attend.isMergeable() ? "few queries: blocks share the keys"
                                   : "few queries"};
    bool hasBoxes = attend && attend.getNumAxes() > 1;
    if (hasBoxes)
      problem.strip = 2 * problem.lanes;
    std::vector<Candidate> candidates =
        hasBoxes ? getBoxCandidates(problem, attend) : getCandidates(problem);
    int64_t keys = hasBoxes && isMasked(attend) ? kNearKeys : 64;
    BlockSizes best = cheapest(candidates, {problem.strip, keys});
    bool isOpen = schedule.empty() && !op->hasAttr("schedule") &&
                  !(attend && attend.getBlockSizes());
    if (isOpen)
      reportCandidates(op, problem, candidates, best);
    return {best, hasBoxes ? "the least estimate, with what boxes compute "
                             "beyond the grid"
                           : least};
  }

  template <typename OpT>
  WalkResult select(OpT op, Value queryRows, Value valueRows) {
    auto rows = cast<RankedTensorType>(queryRows.getType());
    auto values = cast<RankedTensorType>(valueRows.getType());
    int64_t bytes = getAccumulatorType(rows.getElementType()).isF64() ? 8 : 4;
    Problem problem;
    problem.lanes = vectorBits / 8 / bytes;
    // Units of 512 bits have 32 registers, others 16.
    problem.strip = problem.lanes * (vectorBits >= 512 ? 2 : 3);
    problem.columns = vectorBits >= 512 ? 8 : 4;
    problem.elementBytes = bytes;
    problem.l1Bytes = l1Bytes;
    problem.l2Bytes = l2Bytes;
    problem.widthQk = rows.getShape().back();
    problem.widthV = values.getShape().back();
    if (auto attend = dyn_cast<AttendOp>(op.getOperation()))
      problem.widthPacked =
          getPackedWidth(attend.getKey(), attend.getKeyRows(), problem.lanes) +
          getPackedWidth(attend.getValue(), attend.getValueRows(),
                         problem.lanes);
    auto [blocks, rule] = choose(op, problem);
    if (auto attend = dyn_cast<AttendOp>(op.getOperation()))
      blocks.step = chooseStep(attend, schedule);
    if (ScheduleAttr given = op.getScheduleAttr()) {
      blocks = getBlockSizes(given);
      rule = "the spec states it";
    }
    if (auto attend = dyn_cast<AttendOp>(op.getOperation());
        attend && attend.getBlockSizes()) {
      blocks = takeListed(attend, blocks);
      rule = "the list of blocks states its sizes";
    }
    if (!schedule.empty())
      rule = "it was asked for";
    FailureOr<BlockSizes> asked = overrideSchedule(op, schedule, blocks);
    if (failed(asked) || failed(checkNotForGpu(op, *asked, "a CPU")))
      return WalkResult::interrupt();
    blocks = *asked;
    if (failed(checkFits(op, problem, blocks)))
      return WalkResult::interrupt();
    FailureOr<ScheduleAttr> made = makeSchedule(op, blocks);
    if (failed(made))
      return WalkResult::interrupt();
    op.setScheduleAttr(*made);
    reportSchedule(op, *made, rule);
    return WalkResult::advance();
  }
};
} // namespace
