//===- CostModel.cpp - How long an op takes, and why ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/CostModel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace attn;

/// Groups of terms: what computes, and what moves data.
static constexpr int kCompute = 0, kShared = 1, kCache = 2, kMemory = 3,
                     kStart = -1;

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
    else // On a GPU each term is a resource of its own.
      groups[isGpu ? int(n) : term.group] += term.seconds;
    if (term.seconds > largest) {
      largest = term.seconds;
      prediction.limit = term.name;
    }
  }
  for (auto [group, seconds] : groups)
    longest = std::max(longest, seconds);
  prediction.seconds = longest + start;
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
  if (machine.isGpu())
    return facts.isNarrow ? machine.matrix16 : machine.matrix32;
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
  void addAttendOnGpu(const Visits &visits);
  void addRecur();
  void addRows();
  double getBusy(double blockCount) const;
  double getStripRows() const;

  const OpFacts &facts;
  const BlockSizes &blocks;
  const Machine &machine;
  const CostTarget &target;
  double units;
  double busy = 1; ///< Units that have work, on average.
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
  prediction.terms.push_back({name.str(), seconds, std::move(reason), group});
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
  visits.pairs *= facts.heads;
  visits.steps *= facts.heads;
  double rows = std::ceil(facts.queries / double(blocks.q));
  busy =
      getBusy(facts.heads * rows * double(std::max<int64_t>(blocks.splits, 1)));
  if (target.isGpu())
    return addAttendOnGpu(visits);
  addAttendOnCpu(visits);
}

/// Work of the vector units for each pair beside the products, in exponentials.
static constexpr double kSoftmax = 1.6, kPairOp = 0.08;
/// The same of each op of a mask that is asked for pairs, and for pairs of
/// blocks to list those with kept keys, which is scalar code.
static constexpr double kMaskOp = 0.4, kListOp = 28;
/// Operations that setting up the loops of a register tile costs, in cycles.
static constexpr double kTileSetup = 40;
/// What is reached with one register of rows: sums wait for each other. What
/// large blocks lose, as their strips drive each other out of the caches, grows
/// with their rows. Measured (docs/results/tuning.md).
static constexpr double kOneRegister = 0.42, kRowsThatDouble = 4096;

void Estimate::addAttendOnCpu(const Visits &visits) {
  double strip = getStripRows();
  double lanes = double(target.vectorBits) / 8 / double(facts.accumulatorBytes);
  double width = facts.widthQk + facts.widthV;
  double bytes = double(facts.accumulatorBytes);
  double q = double(blocks.q), k = double(blocks.k);
  double rate = getMatrixRate(facts, machine);
  // A register tile of one register of rows waits for its operands.
  double columns = target.vectorRegisters > 16 ? 8 : 4;
  double perTile = strip * std::min(columns, k);
  double products = perTile * width; // Multiply-adds.
  double setup = kTileSetup * 2 * lanes;
  double share = products / (products + setup);
  if (strip == lanes)
    share *= kOneRegister;
  share /= 1 + q / kRowsThatDouble;
  add("products", kCompute, 2 * visits.pairs * width, "operations", rate,
      share);
  add("softmax", kCompute,
      visits.pairs * (kSoftmax * facts.exponentials + kPairOp * facts.pairOps),
      "exponentials", machine.exp);
  add("packing", kCompute, 2 * visits.steps * k * facts.widthPacked * bytes,
      "bytes packed", machine.shared);
  add("mask", kCompute,
      kMaskOp * facts.maskOps * facts.heads * visits.kept * visits.mixed,
      "exponentials", machine.exp);
  add("listing", kCompute, kListOp * facts.listOps * visits.asked * facts.heads,
      "exponentials", machine.exp);
  // Scores that leave the first cache come back from the second.
  if (strip * k * bytes > 0.75 * double(machine.l1Bytes))
    add("scores", kCompute, 3 * visits.pairs * bytes, "bytes of scores",
        machine.shared);
  add("state", kCompute, 2 * visits.steps * q * facts.widthV * bytes,
      "bytes of accumulators", machine.shared);
  // Keys and values pass once per strip: from the first cache if they fit.
  double passed = visits.pairs / strip * width * bytes;
  if (k * width * bytes > 0.5 * double(machine.l1Bytes))
    add("second cache", kShared, passed, "bytes", machine.shared);
  double ofHead = facts.keys * width * bytes;
  if (ofHead > 0.5 * double(machine.l2Bytes))
    add("last cache", kCache, visits.pairs / q * width * bytes, "bytes",
        machine.cache);
  double block = (width * (q + k) + strip * k) * bytes;
  if (block > 0.8 * double(machine.l2Bytes))
    add("spilled block", kCache, passed, "bytes", machine.cache);
}

void Estimate::addAttendOnGpu(const Visits &visits) {
  double width = facts.widthQk + facts.widthV;
  double bytes = facts.isNarrow ? 2 : 4;
  double q = double(blocks.q), k = double(blocks.k);
  double pairs = std::max(visits.pairs, visits.steps * q * k);
  // Measured kernels of matrix instructions reach about half of the peak.
  add("matrix", kCompute, 2 * pairs * width, "operations",
      getMatrixRate(facts, machine), 0.5);
  add("exp", kShared, pairs * facts.exponentials, "exponentials", machine.exp);
  add("vector", kCache, pairs * (6 + facts.pairOps), "operations",
      machine.matrix32 / 2);
  // Each operand of a product is read once per band of the other.
  double read =
      pairs * width * bytes * (1 / q + (facts.isNarrow ? 1.0 / 16 : 1 / k));
  add("shared memory", kShared, read, "bytes", machine.shared);
  double keys = visits.steps * k * width * double(facts.elementBytes);
  add("second cache", kCache, keys, "bytes", machine.cache);
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
  double decays = facts.decaysPerChannel ? tokens * chunk * rows * parts
                                         : tokens * chunk * parts;
  add("decays", kCompute, decays, "exponentials",
      facts.decaysPerChannel ? 4 * machine.exp : machine.exp);
  add("regions", kCompute, 0.1 * tokens * parts * facts.pairOps, "exponentials",
      machine.exp);
  double moved = sweeps * facts.heads * chunks * 2 * rows * columns * bytes;
  bool isNear = rows * own * bytes <= double(machine.l1Bytes);
  add("state", target.isGpu() ? kShared : kCompute, moved, "bytes of states",
      (isNear ? 4 : 1) * machine.shared);
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
      {"start", 1e-6 * machine.startMicroseconds, "of a call", kStart});
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
