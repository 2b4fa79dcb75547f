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

#include "codegen/gpu/BlockProblems.h"
#include "codegen/gpu/Passes.h"
#include "codegen/gpu/ScheduleSpace.h"
#include "dialect/AttnDialect.h"
#include "passes/BoxSchedule.h"
#include "passes/Report.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_GPUSELECTSCHEDULE
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Rows of threads: block_q is a multiple, and a block of few queries has as
/// many rows.
static constexpr int64_t kRows = kThreadRows;
/// Blocks that share the keys where there are few queries.
static constexpr int64_t kSplits = 8;
/// Threads of a warp.
static constexpr int64_t kLanes = 32;
/// Most registers that are planned with.
static constexpr int64_t kRegisters = 224;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether `op` computes in a type that GPUs have; reports it if not.
static LogicalResult checkType(Operation *op, Type element) {
  if (!getAccumulatorType(element).isF64())
    return success();
  return emitError(op->getLoc())
         << "GPUs compute in f32: expected f32, f16 or bf16, got " << element;
}

namespace {
struct GpuSelectSchedule
    : attn::impl::GpuSelectScheduleBase<GpuSelectSchedule> {
  using GpuSelectScheduleBase::GpuSelectScheduleBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](Operation *op) {
      return llvm::TypeSwitch<Operation *, WalkResult>(op)
          .Case<AttendOp, MapRowsOp, MergeOp>(
              [&](auto known) { return select(known); })
          .Case([&](RecurOp recur) { return selectChunk(recur); })
          .Case([&](ReduceOp reduce) {
            Type element = typeOf(reduce.getInput()).getElementType();
            return WalkResult(checkType(reduce, element));
          })
          .Default(WalkResult::advance());
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// Whether a block fits that has so many others beside it; `at`, if it is
  /// not null, is the op whose candidate this is.
  bool fits(const BlockProblem &problem, int64_t blocks,
            Operation *at = nullptr) const {
    return fits({problem.blockQ, problem.blockK, 0},
                estimateSharedBytes(problem), estimateRegisters(problem),
                blocks, at);
  }
  bool fits(BlockSizes sizes, int64_t bytes, int64_t registers, int64_t blocks,
            Operation *at) const;
  std::optional<BlockSizes> chooseLarge(BlockProblem problem,
                                        Operation *at) const;
  BlockSizes choose(BlockProblem problem, int64_t mostRows,
                    Operation *at) const;
  LogicalResult checkAsked(AttendOp attend, BlockSizes blocks) const;
  LogicalResult checkWarps(AttendOp attend, BlockSizes blocks) const;
  template <typename OpT> WalkResult select(OpT op);

  bool fits(const ChunkProblem &problem, int64_t blocks,
            Operation *at = nullptr) const {
    return fits({problem.chunk, problem.columns, 0},
                estimateSharedBytes(problem), estimateRegisters(problem),
                blocks, at);
  }
  BlockSizes choose(RecurOp op, BlockSizes wanted, Operation *at) const;
  LogicalResult checkStages(RecurOp op, BlockSizes blocks) const;
  LogicalResult checkAsked(RecurOp op, BlockSizes blocks) const;
  WalkResult selectChunk(RecurOp op);
};
} // namespace

bool GpuSelectSchedule::fits(BlockSizes sizes, int64_t bytes, int64_t registers,
                             int64_t blocks, Operation *at) const {
  int64_t most = sharedBytes / blocks;
  bool fits = bytes <= most && registers <= kRegisters;
  if (at)
    report(at->getLoc(), "candidate")
        << FactValue("BlockQ", sizes.q) << FactValue("BlockK", sizes.k)
        << FactValue("Beside", blocks) << FactValue("Shared", bytes)
        << FactValue("MostShared", most) << FactValue("Registers", registers)
        << FactValue("MostRegisters", kRegisters)
        << FactValue("Reason", fits           ? ""
                               : bytes > most ? "shared memory"
                                              : "registers");
  return fits;
}

static Value getRows(AttendOp op) { return op.getQuery(); }
static Value getRows(MapRowsOp op) { return op.getInput(); }
static Value getRows(MergeOp op) { return op.getOutput(); }

/// Reports the schedule of `op` and what it computes with.
static void reportResources(Operation *op, ScheduleAttr schedule, bool isAsked,
                            StringRef products, int64_t threads) {
  StringRef rule = isAsked ? "it was asked for"
                           : "the largest blocks that fit, two on a "
                             "multiprocessor if possible";
  reportSchedule(op, schedule, rule);
  report(op->getLoc(), "device")
      << FactValue("Warps", threads / 32) << FactValue("Products", products);
}

/// What the products of a block are computed with.
static StringRef getProducts(bool isNarrow, bool isTf32 = false) {
  return !isNarrow ? "f32 units"
         : isTf32  ? "matrix instructions of tf32"
                   : "matrix instructions of 16 bits";
}

/// Larger blocks than usual for pairs that need little but products. Matrix
/// instructions wait for what they read from shared memory: with two bands of
/// rows, a warp reads keys and values once for both, for which up to 64
/// features leave registers. 128 keys at a time halve the steps between
/// products: for 128 features, where windows gain nothing, and only Hopper has
/// the room, and the registers without spills; and for up to 64 features where
/// terms of positions take the registers of a second band. A ring of two
/// places, up to 64 features, takes less time where nothing is masked and more
/// where something is. All as measured on an H200
/// (docs/results/device-h200-16bit.md).
std::optional<BlockSizes> GpuSelectSchedule::chooseLarge(BlockProblem problem,
                                                         Operation *at) const {
  int64_t features = std::max(problem.widthQk, problem.widthV);
  bool isNarrow = features <= 64;
  bool isWide = features == 128 && problem.maskOps <= 1;
  bool hasBands = problem.hasFewPairOps && isNarrow;
  bool hasLongSteps =
      problem.hasFewPairOps ? isWide : problem.addsDistances && isNarrow;
  if (!hasBands && !hasLongSteps)
    return std::nullopt;
  problem.blockQ = hasBands ? 128 : 64;
  problem.blockK = hasBands ? 64 : 128;
  if (!fits(problem, isNarrow ? 2 : 3, at))
    return std::nullopt;
  BlockSizes blocks{problem.blockQ, problem.blockK};
  problem.stages = 2;
  if (hasBands && problem.maskOps == 0 && fits(problem, 4))
    blocks.stages = problem.stages;
  return blocks;
}

/// A large block if there is one, else the first candidate that fits twice,
/// else once; else the smallest.
BlockSizes GpuSelectSchedule::choose(BlockProblem problem, int64_t mostRows,
                                     Operation *at) const {
  if (mostRows > kRows)
    if (std::optional<BlockSizes> large = chooseLarge(problem, at))
      return *large;
  for (int64_t blocks : {2, 1})
    for (int64_t q : {64, 32, 16})
      for (int64_t k : {64, 32, 16}) {
        problem.blockQ = std::min(q, mostRows);
        problem.blockK = k;
        if (fits(problem, blocks, at))
          return {problem.blockQ, k, 0};
      }
  return {kRows, 16, 0};
}

/// Refuses more blocks at a time than have room on a multiprocessor.
static LogicalResult checkResident(Location loc, BlockSizes blocks,
                                   int64_t bytes, int64_t most,
                                   int64_t registers, int64_t threads) {
  if (!blocks.resident)
    return success();
  // Each block takes some memory for the system; a thread gets 8 registers at a
  // time.
  constexpr int64_t reserved = 1024, unit = 8;
  int64_t mostBytes = (most + reserved) / blocks.resident - reserved;
  int64_t mostRegisters = std::min<int64_t>(
      kThreadRegisters,
      llvm::alignDown(kMultiprocessorRegisters / (threads * blocks.resident),
                      unit));
  bool hasMemory = bytes <= mostBytes;
  if (hasMemory && registers <= mostRegisters)
    return success();
  return emitError(loc) << "schedule: 'resident' of " << blocks.resident
                        << " leaves each block "
                        << (hasMemory ? mostRegisters : mostBytes)
                        << (hasMemory ? " registers per thread"
                                      : " bytes of shared memory")
                        << ", those of " << blocks.q << " x " << blocks.k
                        << " need " << (hasMemory ? "about " : "")
                        << (hasMemory ? registers : bytes)
                        << "; choose smaller blocks, or fewer at a time";
}

/// Says that `of` needs more than the device has, if so.
static LogicalResult checkFits(Location loc, BlockSizes blocks, int64_t bytes,
                               int64_t most, int64_t registers,
                               int64_t threads) {
  if (bytes > most)
    return emitError(loc) << "schedule: blocks of " << blocks.q << " x "
                          << blocks.k << " need " << bytes
                          << " bytes of shared memory, at most " << most
                          << " are available on this device; choose smaller "
                             "blocks"
                          << (blocks.stages > 1 ? ", or fewer stages" : "");
  if (registers > kThreadRegisters)
    return emitError(loc) << "schedule: blocks of " << blocks.q << " x "
                          << blocks.k << " need about " << registers
                          << " registers per thread, at most "
                          << kThreadRegisters
                          << " are available; choose smaller blocks";
  return checkResident(loc, blocks, bytes, most, registers, threads);
}

/// Refuses blocks that a user asked for and that the device has no room for.
LogicalResult GpuSelectSchedule::checkAsked(AttendOp attend,
                                            BlockSizes blocks) const {
  BlockProblem problem = withBlocks(getProblem(attend), blocks, threads);
  if (failed(checkWarps(attend, blocks)))
    return failure();
  return checkFits(attend.getLoc(), blocks, estimateSharedBytes(problem),
                   sharedBytes, estimateRegisters(problem), problem.threads);
}

/// Refuses what says something of matrix instructions only; `where` is what
/// keeps an op from them that could have them.
static LogicalResult refuseWithoutMatrices(Operation *op, StringRef key,
                                           int64_t value, const Twine &where) {
  return emitError(op->getLoc())
         << "schedule: '" << key << "' of " << value
         << " needs products by matrix instructions, of 16 bits or tf32, which "
            "this op has not"
         << where << "; expected a schedule without it";
}

/// Refuses warps, stages and overlap that a user asked for where they say
/// nothing: only the copies of 16 bits are begun early, and only matrix
/// instructions need more than the target's warps, or run beside others.
LogicalResult GpuSelectSchedule::checkWarps(AttendOp attend,
                                            BlockSizes blocks) const {
  constexpr int64_t band = 16;
  bool hasMore = blocks.warps && kLanes * blocks.warps != threads;
  BlockProblem problem = getProblem(attend);
  if (!withBlocks(problem, blocks, threads).isNarrow) {
    std::string where = problem.isNarrow
                            ? " with 'block_k' of " + std::to_string(blocks.k)
                            : std::string();
    if (hasMore)
      return refuseWithoutMatrices(attend, "warps", blocks.warps, where);
    if (blocks.stages > 1)
      return refuseWithoutMatrices(attend, "stages", blocks.stages, where);
    if (blocks.overlap)
      return refuseWithoutMatrices(attend, "overlap", blocks.overlap, where);
  }
  if (hasMore && blocks.q % (band * blocks.warps))
    return emitError(attend.getLoc())
           << "schedule: 'block_q' must be a multiple of "
           << band * blocks.warps << ", " << band << " for each of "
           << blocks.warps << " warps, got " << blocks.q;
  return success();
}

/// Refuses a size that leaves rows of threads without a row.
static LogicalResult checkMultiple(Operation *op, StringRef key, int64_t size) {
  if (size % kRows == 0)
    return success();
  return emitError(op->getLoc())
         << "schedule: '" << key << "' must be a multiple of " << kRows
         << " on GPUs, got " << size;
}

template <typename OpT> WalkResult GpuSelectSchedule::select(OpT op) {
  BlockProblem problem = getProblem(op);
  problem.threads = threads;
  Type element = typeOf(getRows(op)).getElementType();
  if (failed(checkType(op, element)))
    return WalkResult::interrupt();
  auto attend = dyn_cast<AttendOp>(op.getOperation());
  bool isFew = attend && hasFewQueries(attend);
  problem.packsHeads = isFew && attend.isMergeable();
  bool isAsked = !schedule.empty() || op.getScheduleAttr() ||
                 (attend && attend.getBlockSizes());
  BlockSizes blocks = choose(problem, attend && !isFew ? 64 : kRows,
                             isAsked || !attend ? nullptr : op);
  if (isFew && attend.isMergeable())
    blocks.splits = kSplits;
  if (attend)
    blocks.step = chooseStep(attend, schedule);
  if (ScheduleAttr given = op.getScheduleAttr())
    blocks = getBlockSizes(given);
  if (attend)
    blocks = takeListed(attend, blocks);
  FailureOr<BlockSizes> asked = overrideSchedule(op, schedule, blocks);
  if (failed(asked))
    return WalkResult::interrupt();
  blocks = *asked;
  // Rows that are merged or mapped have none of these.
  if (!attend)
    blocks.warps = blocks.stages = blocks.overlap = blocks.resident = 0;
  if (failed(checkMultiple(op, "block_q", blocks.q)) ||
      failed(checkMultiple(op, "block_k", blocks.k)))
    return WalkResult::interrupt();
  if (attend && isAsked && failed(checkAsked(attend, blocks)))
    return WalkResult::interrupt();
  FailureOr<ScheduleAttr> made = makeSchedule(op, blocks);
  if (failed(made))
    return WalkResult::interrupt();
  op.setScheduleAttr(*made);
  problem = withBlocks(problem, blocks, threads);
  reportResources(op, *made, isAsked,
                  getProducts(problem.isNarrow, problem.isTf32),
                  problem.threads);
  return WalkResult::advance();
}

//===----------------------------------------------------------------------===//
// Recurrences
//===----------------------------------------------------------------------===//

/// Whether decays are those of channels, be there one.
static bool decaysPerChannel(RecurOp op) {
  return op.hasGatePerChannel() || op.getWrite() == WriteRule::Tied;
}

/// Whether an operand of some product of a recurrence is what was loaded:
/// values where channels decay, as all else is multiplied with decays.
static bool hasExactOperand(RecurOp op) {
  bool computesKeys =
      !op.getKeyRows().empty() || op.getWrite() != WriteRule::Additive;
  return op.getValueRows().empty() ||
         (!decaysPerChannel(op) &&
          (op.getQueryRows().empty() || !computesKeys));
}

/// Whether the products of a recurrence can be of 16 bits: its operands are,
/// one of them as it was loaded, and sizes are such that each warp has the same
/// rows of the state. Channels that decay have no denominator, queries as they
/// were loaded, as others would meet in banks. With a denominator not in f16:
/// weights far below its smallest number have a quotient.
static bool isNarrow(RecurOp op) {
  constexpr int64_t band = 64;
  Type element = typeOf(op.getQuery()).getElementType();
  auto isSame = [&](Value value) {
    return !value || typeOf(value).getElementType() == element;
  };
  return element.getIntOrFloatBitWidth() == 16 && isSame(op.getKey()) &&
         isSame(op.getValue()) && hasExactOperand(op) &&
         !(op.usesDenominator() && element.isF16()) &&
         !(decaysPerChannel(op) &&
           (op.usesDenominator() || !op.getQueryRows().empty())) &&
         op.getStateRows() % band == 0 &&
         op.getStateColumns() % kMatrixMultiple == 0;
}

int64_t attn::getMostTokens(RecurOp op) {
  if (isNarrow(op))
    return kMatrixTokens;
  return decaysPerChannel(op) ? 16 : 32;
}

bool attn::needsAllColumns(RecurOp op) {
  return !op.getNorm().empty() || !op.getValueRows().empty();
}

ChunkProblem attn::getProblem(RecurOp op, int64_t threads) {
  int64_t rows = llvm::alignTo(op.getStateRows(), kRows);
  return {rows,
          op.getStateColumns(),
          getMostTokens(op),
          decaysPerChannel(op),
          op.usesDenominator(),
          threads,
          isNarrow(op),
          /*stages=*/1,
          !op.getQueryRows().empty(),
          !op.getKeyRows().empty() || op.getWrite() != WriteRule::Additive,
          !op.getValueRows().empty(),
          bool(op.getState()),
          (op.usesDenominator() || decaysPerChannel(op)) &&
                  typeOf(op.getQuery()).getElementType().isBF16()
              ? 3
              : 2};
}

/// Blocks of a recurrence have the warps of the target.
static LogicalResult checkNoWarps(RecurOp op, BlockSizes blocks) {
  blocks.stages = blocks.resident = 0;
  return checkNotForGpu(op, blocks, "a recurrence");
}

/// The most columns that fit twice, else once, and most tokens with them; else
/// the smallest. Blocks of 64 columns compute what does not depend on columns
/// seldom enough, and there are more of them than of larger ones; all blocks
/// have as many. They have room for the stages and parts of `wanted`.
BlockSizes GpuSelectSchedule::choose(RecurOp op, BlockSizes wanted,
                                     Operation *at) const {
  int64_t whole = op.getStateColumns();
  ChunkProblem problem = getProblem(op, threads);
  auto fitsBeside = [&](int64_t q, int64_t k, int64_t blocks, Operation *at) {
    wanted.q = q;
    wanted.k = k;
    return fits(withBlocks(problem, wanted), blocks, at);
  };
  SmallVector<int64_t> columns;
  for (int64_t k : {64, 48, 32, 16})
    if (!needsAllColumns(op) && (k >= whole || whole % k == 0))
      columns.push_back(std::min(k, whole));
  if (columns.empty())
    columns.push_back(whole);
  SmallVector<int64_t> tokens{op.hasOneToken() ? 1 : 16};
  if (!op.hasOneToken() && getMostTokens(op) > 16)
    tokens.insert(tokens.begin(), getMostTokens(op));
  // Matrix instructions are worth a block that is alone, and stages need them.
  if (!op.hasOneToken() && problem.isNarrow &&
      (wanted.stages > 1 ||
       fitsBeside(kMatrixTokens, columns.back(), 1, nullptr)))
    tokens = {kMatrixTokens};
  for (int64_t blocks : {2, 1})
    for (int64_t k : columns)
      for (int64_t q : tokens)
        if (fitsBeside(q, k, blocks, at))
          return {q, k, 0};
  return {tokens.back(), columns.back(), 0};
}

/// Refuses stages where chunks are not copied to shared memory as they are.
LogicalResult GpuSelectSchedule::checkStages(RecurOp op,
                                             BlockSizes blocks) const {
  if (blocks.stages < 2 || withBlocks(getProblem(op, threads), blocks).isNarrow)
    return success();
  bool isChunk = blocks.q % kMatrixTokens == 0;
  return refuseWithoutMatrices(
      op, "stages", blocks.stages,
      (isChunk ? " with 'block_k' of " : " with 'block_q' of ") +
          Twine(isChunk ? blocks.k : blocks.q));
}

LogicalResult GpuSelectSchedule::checkAsked(RecurOp op,
                                            BlockSizes blocks) const {
  ChunkProblem problem = withBlocks(getProblem(op, threads), blocks);
  return checkFits(op.getLoc(), blocks, estimateSharedBytes(problem),
                   sharedBytes, estimateRegisters(problem), threads);
}

WalkResult GpuSelectSchedule::selectChunk(RecurOp op) {
  if (failed(checkType(op, typeOf(op.getQuery()).getElementType())))
    return WalkResult::interrupt();
  bool isAsked = !schedule.empty() || op.getScheduleAttr();
  ScheduleAttr given = op.getScheduleAttr();
  BlockSizes blocks = given ? getBlockSizes(given) : BlockSizes{0, 0};
  FailureOr<BlockSizes> asked = overrideSchedule(op, schedule, blocks);
  if (!given && succeeded(asked))
    asked = overrideSchedule(
        op, schedule,
        choose(op, *asked, isAsked ? nullptr : op.getOperation()));
  if (failed(asked) || failed(checkNoWarps(op, *asked)) ||
      failed(checkStages(op, *asked)))
    return WalkResult::interrupt();
  if (isAsked && failed(checkAsked(op, *asked)))
    return WalkResult::interrupt();
  op.setScheduleAttr(ScheduleAttr::get(&getContext(), asked->q, asked->k,
                                       asked->splits, asked->warps,
                                       asked->stages, asked->resident));
  reportResources(
      op, op.getScheduleAttr(), isAsked,
      getProducts(withBlocks(getProblem(op, threads), *asked).isNarrow),
      threads);
  return WalkResult::advance();
}
