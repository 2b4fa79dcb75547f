//===- CostModel.cpp - How long an op takes, and why ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/CostModel.h"
#include "codegen/gpu/ScheduleSpace.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace attn;

/// Groups of terms: what computes, and what moves data. What warps of matrix
/// instructions do one after the other adds up on GPUs too.
static constexpr int kCompute = 0, kShared = 1, kCache = 2, kMemory = 3,
                     kStart = -1, kWarps = -2;

//===----------------------------------------------------------------------===//
// Sums and maxima
//===----------------------------------------------------------------------===//

/// The largest group, and what comes in front of all.
static void finish(Prediction &prediction, bool isGpu) {
  std::map<int, double> groups;
  double start = 0, longest = 0, largest = 0;
  for (auto [n, term] : llvm::enumerate(prediction.terms)) {
    if (term.group == kStart)
      start += term.seconds;
    else // On a GPU other terms are resources of their own.
      groups[isGpu && term.group != kWarps ? int(n) : term.group] +=
          term.seconds;
    if (term.seconds > largest) {
      largest = term.seconds;
      prediction.limit = term.name;
    }
  }
  for (auto [group, seconds] : groups)
    longest = std::max(longest, seconds);
  prediction.seconds = longest + start;
}

Prediction attn::scaleTerms(Prediction prediction,
                            const std::map<std::string, double> &factors,
                            bool isGpu) {
  for (CostTerm &term : prediction.terms)
    if (auto it = factors.find(term.name); it != factors.end()) {
      term.seconds *= it->second;
      term.amount *= it->second;
    }
  finish(prediction, isGpu);
  return prediction;
}

Prediction attn::addUp(ArrayRef<Prediction> ops) {
  Prediction sum;
  double bytes = 0, largest = 0;
  for (const Prediction &op : ops) {
    sum.seconds += op.seconds;
    llvm::append_range(sum.terms, op.terms);
    sum.flops += op.flops;
    bytes += op.intensity > 0 ? op.flops / op.intensity : 0;
    sum.isRough |= op.isRough;
    for (const std::string &assumption : op.assumptions)
      if (!llvm::is_contained(sum.assumptions, assumption))
        sum.assumptions.push_back(assumption);
    if (op.seconds > largest) {
      largest = op.seconds;
      sum.limit = op.limit;
    }
  }
  sum.intensity = bytes > 0 ? sum.flops / bytes : 0;
  return sum;
}

/// The rate of products, of a unit.
static double getMatrixRate(const OpFacts &facts, const Machine &machine) {
  // Instructions of tf32 multiply half as many numbers.
  double narrow = machine.matrix16 / (facts.problem.isTf32 ? 2 : 1);
  if (machine.isGpu())
    return facts.isNarrow ? narrow : machine.matrix32;
  return facts.accumulatorBytes == 8 ? machine.matrix64 : machine.matrix32;
}

namespace {
/// The terms of one op.
class Estimate {
public:
  Estimate(const OpFacts &facts, const BlockSizes &blocks,
           const Machine &machine, const CostTarget &target, int threads)
      : facts(facts), blocks(blocks), machine(machine), target(target),
        units(double(machine.isGpu() || threads <= 0
                         ? machine.units
                         : std::min<int64_t>(threads, machine.units))) {}

  Prediction run();

private:
  void add(StringRef name, int group, double amount, StringRef what,
           double rate, double share = 1);
  void addAttend();
  void addAttendOnCpu(const Visits &visits);
  double countPairs(const Visits &visits, double strip) const;
  void addProducts(double pairs, double strip);
  void addListing(const Visits &visits);
  void addBlock(double pairs, double strip);
  void addKeys(double pairs, double strip);
  void addAttendOnGpu(const Visits &visits, double blockCount);
  void addCopies(const Visits &visits, double blockCount);
  void addMerge(double bytes);
  void addRecur();
  void addRows();
  double getBusy(double blockCount) const;
  double getStripRows() const;
  double getSharedBytes() const;

  const OpFacts &facts;
  const BlockSizes &blocks;
  const Machine &machine;
  const CostTarget &target;
  double units;
  double busy = 1; ///< Units that have work, on average.
  /// Queries times the blocks of keys that they meet. Those behind the last
  /// query are not visited.
  double rowSteps = 0;
  double mixed = 1; ///< Share of the pairs that are in blocks with a mask.
  Prediction prediction;
};
} // namespace

/// Adds `amount` of work that the busy units do at `rate`, in 10^9 per second;
/// `share` is the part of the rate that is reached.
void Estimate::add(StringRef name, int group, double amount, StringRef what,
                   double rate, double share) {
  if (amount <= 0)
    return;
  double seconds = amount / (1e9 * rate * share * busy);
  std::string reason =
      llvm::formatv("{0:e2} {1} / ({2:f2} units x {3:f1} G/s x {4:f2})", amount,
                    what, busy, rate, share);
  prediction.terms.push_back(
      {name.str(), seconds, amount, std::move(reason), group});
}

/// Units that work on so many equal blocks, on average over the time: the last
/// turn may leave some idle.
double Estimate::getBusy(double blockCount) const {
  if (blockCount <= 0)
    return 1;
  return blockCount / std::ceil(blockCount / units);
}

/// Rows that the CPU back end computes side by side.
double Estimate::getStripRows() const {
  int64_t lanes = target.vectorBits / 8 / facts.accumulatorBytes;
  int64_t usual = target.vectorRegisters > 16 ? 2 : 3;
  for (int64_t registers : {usual, 5 - usual})
    if (blocks.q % (registers * lanes) == 0)
      return double(registers * lanes);
  return double(lanes);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

void Estimate::addAttend() {
  Visits visits = facts.kept->count(blocks, int64_t(getStripRows()));
  prediction.isRough = facts.kept->isUnknown();
  if (std::string assumption = facts.kept->getAssumption(); !assumption.empty())
    prediction.assumptions.push_back(std::move(assumption));
  prediction.flops =
      2 * facts.heads * visits.kept * (facts.widthQk + facts.widthV);
  if (facts.queries * facts.keys * facts.heads == 0)
    return;
  double q = double(blocks.q), rows = facts.heads * facts.queries;
  double blockCount = facts.heads * std::ceil(facts.queries / q);
  double ofOneHead = blockCount;
  // Blocks that share the keys have the queries of all heads of a key head.
  if (blocks.splits > 0)
    blockCount = facts.keyHeads * std::ceil(rows / facts.keyHeads / q);
  mixed = visits.mixed;
  visits.pairs *= facts.heads;
  visits.steps *= facts.heads * blockCount / ofOneHead;
  rowSteps = visits.steps * rows / blockCount;
  double parts = std::min(double(std::max<int64_t>(blocks.splits, 1)),
                          std::ceil(facts.keys / double(blocks.k)));
  busy = getBusy(blockCount * parts);
  if (target.isGpu())
    addAttendOnGpu(visits, blockCount * parts);
  else
    addAttendOnCpu(visits);
  if (blocks.splits > 0)
    addMerge(2 * parts * rows * (facts.widthV + 2) *
             double(facts.accumulatorBytes));
}

/// What blocks that share keys write, and another launch reads.
void Estimate::addMerge(double bytes) {
  add("merge", target.isGpu() ? kStart : kCompute, bytes,
      "bytes of partial results", machine.cache);
  if (target.isGpu())
    prediction.terms.push_back({"merge launch",
                                1e-6 * machine.startMicroseconds, 1,
                                "of another launch", kStart});
}

/// Work of the vector units for each pair beside the products, in exponentials.
static constexpr double kSoftmax = 1.6, kPairOp = 0.08;
/// The same to list the pairs of blocks with kept keys, for each of these and
/// each op of a mask that is asked for them.
static constexpr double kListOp = 1.5;
/// How much faster the first cache is than the second.
static constexpr double kFirstCache = 4;
/// Operations that setting up the loops of a register tile costs, in cycles.
static constexpr double kTileSetup = 40;
/// What products reach row by row, each operand of which is loaded for one
/// multiply-add, where keys and values of a block stay in the first cache and
/// where they do not. Measured (docs/results/tuning.md).
static constexpr double kRowsFromFirst = 0.53, kRowsFromSecond = 0.42;

/// Blocks of one register of rows are computed row by row, others in strips.
void Estimate::addAttendOnCpu(const Visits &visits) {
  double lanes = double(target.vectorBits) / 8 / double(facts.accumulatorBytes);
  bool isByRows = double(blocks.q) <= lanes;
  double strip = isByRows ? 1 : getStripRows();
  double pairs = countPairs(visits, strip);
  addProducts(pairs, strip);
  addListing(visits);
  add("packing", kCompute,
      2 * visits.steps * double(blocks.k) * facts.widthPacked *
          double(facts.accumulatorBytes),
      "bytes packed", machine.shared);
  addBlock(pairs, strip);
  addKeys(pairs, strip);
}

/// Pairs that are computed. Where the keys of a query are a range, strips visit
/// that of their rows; elsewhere, and row by row, all keys of the blocks that
/// theirs meets. Strips behind the last query are left out, but not those of
/// square blocks (BlockLowering::findLiveStrips) or of boxes.
double Estimate::countPairs(const Visits &visits, double strip) const {
  if (strip == 1)
    return rowSteps * double(blocks.k);
  int64_t queries = int64_t(facts.queries);
  double live = double(llvm::alignTo(queries, int64_t(strip)));
  double all = double(llvm::alignTo(queries, blocks.q));
  bool hasAll = blocks.q == blocks.k || !blocks.boxQ.empty();
  if (facts.kept->hasRange())
    return hasAll ? visits.pairs * all / live : visits.pairs;
  double pairs = visits.steps * double(blocks.q) * double(blocks.k);
  return hasAll ? pairs : pairs * live / all;
}

/// Products and what is computed for each pair between them.
void Estimate::addProducts(double pairs, double strip) {
  double width = facts.widthQk + facts.widthV, k = double(blocks.k);
  double bytes = double(facts.accumulatorBytes);
  double lanes = double(target.vectorBits) / 8 / bytes;
  double columns = target.vectorRegisters > 16 ? 8 : 4;
  double perTile =
      std::max(strip, lanes) * std::min(columns, k) * width; // Multiply-adds.
  double share = perTile / (perTile + kTileSetup * 2 * lanes);
  if (strip == 1)
    share *= k * width * bytes <= double(machine.l1Bytes) ? kRowsFromFirst
                                                          : kRowsFromSecond;
  add("products", kCompute, 2 * pairs * width, "operations",
      getMatrixRate(facts, machine), share);
  add("softmax", kCompute,
      pairs * (kSoftmax * facts.exponentials + kPairOp * facts.pairOps),
      "exponentials", machine.exp);
  add("mask", kCompute, kPairOp * facts.maskOps * pairs * mixed, "exponentials",
      machine.exp);
}

/// Blocks of a mask that is no range of keys.
void Estimate::addListing(const Visits &visits) {
  add("listing", kCompute, kListOp * facts.listOps * visits.asked * facts.heads,
      "exponentials", machine.exp);
}

/// What a block of queries keeps between two blocks of keys: queries and
/// accumulators. Those of one strip stay in the first cache; several strips
/// drive each other out of it, and a large block out of the second one.
void Estimate::addBlock(double pairs, double strip) {
  double q = double(blocks.q), k = double(blocks.k);
  double bytes = double(facts.accumulatorBytes);
  double width = facts.widthQk + facts.widthV;
  double block = (width * (q + k) + q * k) * bytes;
  bool isAlone = strip == 1 || q <= strip;
  bool isLarge = block > 0.8 * double(machine.l2Bytes);
  add("block", kCompute, rowSteps * (facts.widthQk + 2 * facts.widthV) * bytes,
      "bytes of queries and accumulators",
      isAlone   ? kFirstCache * machine.shared
      : isLarge ? machine.cache
                : machine.shared);
  // Scores pass in the order of memory, so they come early from where they are,
  // beside the computation: measured, those that leave a cache cost nothing.
  if (strip * k * bytes > 0.75 * double(machine.l1Bytes))
    add("scores", kShared, 3 * pairs * bytes, "bytes of scores",
        machine.shared);
  if (isLarge)
    add("scores of a large block", kCache, 2 * pairs * bytes, "bytes of scores",
        machine.cache);
}

/// Keys and values, which pass once for each strip.
void Estimate::addKeys(double pairs, double strip) {
  double bytes = double(facts.accumulatorBytes);
  double ofKey = (facts.widthQk + facts.widthV) * bytes;
  if (double(blocks.k) * ofKey > 0.5 * double(machine.l1Bytes))
    add("second cache", kShared, pairs / strip * ofKey, "bytes",
        machine.shared);
  if (facts.keys * ofKey > 0.5 * double(machine.l2Bytes))
    add("last cache", kCache, pairs / double(blocks.q) * ofKey, "bytes",
        machine.cache);
}

/// From the begin of a copy to shared memory to its end, in microseconds: of
/// the second cache or of memory, with others in front of it.
static constexpr double kCopyMicroseconds = 0.8;
/// Registers of a multiprocessor.
static constexpr int64_t kAllRegisters = 65536;

/// A block waits for each copy, less what it begins early: a place is filled
/// again once per latency at most. With one place for keys and one for values,
/// each is on its way during half of a step; a ring of S places has S - 1 steps
/// on their way. Blocks that share a multiprocessor wait side by side.
void Estimate::addCopies(const Visits &visits, double blockCount) {
  BlockProblem own = withBlocks(facts.problem, blocks, target.threads);
  int64_t beside =
      std::min(machine.l1Bytes / std::max<int64_t>(estimateSharedBytes(own), 1),
               kAllRegisters / (own.threads * estimateRegisters(own)));
  double resident = std::min(double(std::max<int64_t>(beside, 1)),
                             std::max(blockCount / units, 1.0));
  double ahead = own.stages > 1 ? double(own.stages - 1) : 0.5;
  double seconds =
      1e-6 * kCopyMicroseconds * visits.steps / (busy * resident * ahead);
  std::string reason = llvm::formatv(
      "{0:e2} steps x {1:f1} us / ({2:f2} units x {3:f1} blocks x {4:f1} steps "
      "ahead)",
      visits.steps, kCopyMicroseconds, busy, resident, ahead);
  prediction.terms.push_back(
      {"copies", seconds, visits.steps, std::move(reason), kMemory});
}

/// Products, softmax and reads of shared memory add up, but for what other
/// warps do meanwhile: together they are as much faster. And what a step costs
/// beside them, in microseconds: barriers, and accumulators that are scaled.
/// Both were measured on an H200 (docs/results/tuning.md).
static constexpr double kWarpOverlap = 1.55, kStepMicroseconds = 0.16;

void Estimate::addAttendOnGpu(const Visits &visits, double blockCount) {
  double width = facts.widthQk + facts.widthV;
  double k = double(blocks.k);
  double pairs = std::max(visits.pairs, visits.steps * double(blocks.q) * k);
  double share = facts.isNarrow ? kWarpOverlap : 1;
  auto group = [&](int alone) { return facts.isNarrow ? kWarps : alone; };
  add("matrix", group(kCompute), 2 * pairs * width, "operations",
      getMatrixRate(facts, machine), facts.isNarrow ? share : 0.5);
  add("exp", group(kShared), pairs * facts.exponentials, "exponentials",
      machine.exp, share);
  add("vector", group(kCache), pairs * (6 + facts.pairOps), "operations",
      machine.matrix32 / 2, share);
  add("shared memory", group(kShared), pairs * getSharedBytes(), "bytes",
      machine.shared, share);
  if (facts.isNarrow)
    add("steps", kWarps, visits.steps, "steps", 1e-3 / kStepMicroseconds);
  double keys = visits.steps * k * width * double(facts.elementBytes);
  add("second cache", kCache, keys, "bytes", machine.cache);
  addCopies(visits, blockCount);
}

/// Bytes of shared memory that are read and written for a pair. Each operand of
/// a product is read once per band of the other: a warp of matrix instructions
/// reads keys for all of its bands of rows and, if it has several, queries for
/// each block of keys.
double Estimate::getSharedBytes() const {
  double q = double(blocks.q), k = double(blocks.k);
  double width = facts.widthQk + facts.widthV;
  if (!facts.isNarrow)
    return 4 * width * (1 / q + 1 / k);
  int64_t warps = blocks.warps ? blocks.warps : target.threads / kWarpLanes;
  int64_t bands = llvm::divideCeil(blocks.q, warps * int64_t(kBandRows));
  double ofKeys = width * (1 / q + 1 / double(kBandRows * bands));
  return double(facts.elementBytes) *
         (ofKeys + (bands > 1 ? facts.widthQk / k : 0));
}

//===----------------------------------------------------------------------===//
// Recurrences and rows
//===----------------------------------------------------------------------===//

void Estimate::addRecur() {
  double rows = facts.widthQk, columns = facts.widthV;
  double chunk = double(blocks.q), own = std::min(double(blocks.k), columns);
  double parts = std::ceil(columns / own);
  double split = double(std::max<int64_t>(blocks.splits, 1));
  double sweeps = facts.isBothWays ? 2 : 1;
  double chunks = std::ceil(facts.queries / chunk) + facts.groups - 1;
  double tokens = sweeps * facts.heads * chunks * chunk;
  prediction.flops = sweeps * facts.heads * facts.queries * 4 * rows * columns;
  busy = getBusy(facts.heads * parts * split * facts.groups);
  double rate = getMatrixRate(facts, machine);
  double bytes = double(facts.accumulatorBytes);
  // Within chunks each part of the columns computes all weights again; the
  // state is read and written, and once more where parts are visited twice.
  double state = blocks.splits > 1 ? 6 : 4;
  double inside = chunk > 1 ? 2 * tokens * chunk * (rows * parts + columns) : 0;
  double share = 1;
  if (!target.isGpu()) {
    // Few columns leave registers empty; steps of one token are no products.
    share = chunk > 1 ? 0.85 * own / (own + 16) : 0.15;
  } else if (facts.isNarrow && blocks.q % 64 != 0) {
    rate = machine.matrix32;
  }
  add("chunks", kCompute, inside, "operations", rate, share);
  add("products with the state", kCompute, state * tokens * rows * columns,
      "operations", rate, share);
  // Matrix instructions multiply those between bands of 16 tokens.
  double pairs = facts.isNarrow ? std::min(chunk, double(kBandRows)) : chunk;
  double decays = facts.decaysPerChannel ? tokens * pairs * rows * parts
                                         : tokens * chunk * parts;
  add("decays", kCompute, decays, "exponentials",
      facts.decaysPerChannel ? 4 * machine.exp : machine.exp);
  add("regions", kCompute, 0.1 * tokens * parts * facts.pairOps, "exponentials",
      machine.exp);
  double moved = sweeps * facts.heads * chunks * 2 * rows * columns * bytes;
  bool isNear = rows * own * bytes <= double(machine.l1Bytes);
  add("state", target.isGpu() ? kShared : kCompute, moved, "bytes of states",
      (isNear ? kFirstCache : 1) * machine.shared);
}

void Estimate::addRows() {
  busy = units;
  add("regions", kCompute, 0.1 * facts.queries * facts.pairOps, "exponentials",
      machine.exp);
}

Prediction Estimate::run() {
  switch (facts.kind) {
  case OpFacts::Kind::Attend:
    addAttend();
    break;
  case OpFacts::Kind::Recur:
    addRecur();
    break;
  case OpFacts::Kind::Rows:
    addRows();
    break;
  }
  double busyBefore = busy;
  busy = 1; // Memory is shared by all units.
  add("memory", kMemory, facts.ioBytes, "bytes", machine.memory);
  busy = busyBefore;
  prediction.terms.push_back(
      {"start", 1e-6 * machine.startMicroseconds, 1, "of a call", kStart});
  prediction.intensity =
      facts.ioBytes > 0 ? prediction.flops / facts.ioBytes : 0;
  finish(prediction, machine.isGpu());
  return prediction;
}

Prediction attn::predictOp(const OpFacts &facts, const BlockSizes &blocks,
                           const Machine &machine, const CostTarget &target,
                           int threads) {
  return Estimate(facts, blocks, machine, target, threads).run();
}
