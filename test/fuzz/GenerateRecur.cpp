//===- GenerateRecur.cpp - Random recurrences -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Random.h"
#include "test/fuzz/RecurSpec.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::fuzz;

//===----------------------------------------------------------------------===//
// Target and sizes
//===----------------------------------------------------------------------===//

static void chooseTarget(RecurSpec &spec, Random &random,
                         const std::vector<std::string> &targets) {
  Examination &examination = spec.examination;
  bool isSimulated = random.oneIn(5);
  std::string cpu = random.oneIn(2) ? targets.front() : random.pick(targets);
  examination.target = isSimulated ? "cuda:sm_80" : cpu;
  examination.seed = random.below(1000);
  examination.quick = !random.oneIn(16);
  examination.phases = random.oneIn(16) && !isSimulated;
  examination.threads = random.oneIn(4);
  examination.measured = true;
  // GPUs have no f64.
  spec.dtype = random.pick<std::string>({"f32", "f32", "f32", "bf16", "bf16",
                                         "f16", isSimulated ? "f32" : "f64"});
  spec.captureElement =
      spec.isDouble() ? "f64"
                      : random.pick<std::string>({"f32", "f32", "f16", "bf16"});
}

static int64_t chooseWidth(Random &random) {
  return random.pick<int64_t>(
      {1, 3, 16, 16, 24, 24, 64, 64, 100, 2, 5, 8, 17, 32, 33, 48});
}

/// Often one more or less than some chunks.
static int64_t chooseTokens(const RecurSpec &spec, Random &random) {
  int64_t most = spec.hasGpu() ? 70 : 300;
  int64_t chunk = spec.blockQ ? spec.blockQ : random.oneIn(2) ? 16 : 32;
  int64_t tokens = random.oneIn(8) ? random.between(1, 3)
                   : random.oneIn(2)
                       ? random.between(1, 5) * chunk + random.between(-1, 1)
                       : random.between(1, random.oneIn(2) ? 70 : most);
  return std::max<int64_t>(1, std::min(tokens, most));
}

static void chooseSizes(RecurSpec &spec, Random &random) {
  spec.batches = random.pick<int64_t>({1, 1, 2});
  spec.heads = random.pick<int64_t>({1, 1, 2, 4, 6});
  auto chooseHeads = [&] {
    int64_t heads =
        random.oneIn(2) ? spec.heads : random.pick<int64_t>({1, 2, 3});
    return spec.heads % heads ? 1 : heads;
  };
  spec.queryHeads = chooseHeads();
  spec.keyHeads = random.oneIn(2) ? spec.queryHeads : chooseHeads();
  spec.rows = chooseWidth(random);
  spec.columns = chooseWidth(random);
  spec.tokens = chooseTokens(spec, random);
  for (const char *dim : {"B", "H", "Hq", "Hk", "N"})
    if (random.oneIn(6))
      spec.statics.insert(dim);
}

//===----------------------------------------------------------------------===//
// The recurrence
//===----------------------------------------------------------------------===//

static void chooseGate(RecurSpec &spec, Random &random) {
  spec.gate =
      random.pick<std::string>({"", "H", "BHN", "BHN1", "BHNK", "BHNK"});
  if (spec.isTied())
    spec.gate = "BHNK";
  if (random.oneIn(2))
    spec.gateFill = random.pick<std::string>(
        {"one of 0", "one of -50", "one of -1000", "one of 0 -0.001 -1000",
         "one of 0 -0.03125 -0.5 -50 -1000",
         "one of 0 -0.03125 -0.5 -50 -1000"});
  spec.isGateMapped = spec.gate.size() == 4 && random.oneIn(4);
}

static void chooseRules(RecurSpec &spec, Random &random) {
  spec.write =
      random.pick<std::string>({"additive", "additive", "tied", "scaled"});
  spec.read = random.pick<std::string>({"after", "after", "before"});
  spec.order = random.pick<std::string>(
      {"causal", "causal", "reversed", "bidirectional"});
  chooseGate(spec, random);
  spec.isBetaColumn = random.oneIn(2);
  spec.hasBonus = spec.read == "before" && random.oneIn(2);
  if (random.oneIn(2))
    spec.scale = random.pick<double>({0.125, 1.5, -0.5});
}

/// The states hold neither two directions nor a denominator.
static void chooseStates(RecurSpec &spec, Random &random) {
  if (spec.order == "bidirectional" || usesDenominator(spec.norm))
    return;
  spec.hasInitial = random.oneIn(2);
  spec.isInitialShared = random.oneIn(3);
  spec.hasState = random.oneIn(2);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Up to two steps that keep the width, and one that changes it, of which
/// `width` features become, at times.
static Steps chooseSteps(Random &random, std::vector<std::string> choices,
                         int64_t width) {
  Steps steps;
  for (int64_t count = random.between(1, 2); count > 0; --count)
    steps.push_back(random.pick(choices));
  if (!random.oneIn(3))
    return steps;
  Steps resized = steps;
  resized.insert(resized.begin() + random.below(int64_t(steps.size()) + 1),
                 random.pick<std::string>({"one", "twice", "half", "tail"}));
  return getWidthBefore(resized, width) > 0 ? resized : steps;
}

static void chooseMap(RecurRows &rows, Random &random, int64_t width) {
  static const std::vector<std::string> kSteps = {
      "exp",  "exp",      "tanh",  "share", "half_of", "rms",
      "unit", "position", "table", "bias",  "gated",   "matrix"};
  rows.isOutside = random.oneIn(4);
  rows.steps = chooseSteps(random, kSteps, width);
  if (random.oneIn(6)) // Only rows as they are have known sums.
    rows.steps.insert(rows.steps.begin(), random.oneIn(2) ? "mean" : "largest");
}

static void chooseMaps(RecurSpec &spec, Random &random) {
  if (random.oneIn(3))
    chooseMap(spec.query, random, spec.rows);
  if (!spec.isTied() && random.oneIn(3))
    chooseMap(spec.key, random, spec.rows);
  if (random.oneIn(5))
    chooseMap(spec.value, random, spec.columns);
}

/// What is divided by is a sum of positive numbers, of which none is too small
/// for its type.
static void makeDivisible(RecurSpec &spec) {
  spec.gateFill = "decay";
  spec.query.steps.push_back("exp");
  if (!spec.isTied())
    spec.key.steps.push_back("exp");
  if (spec.scale)
    spec.scale = 0.125;
}

static void chooseNorm(RecurSpec &spec, Random &random) {
  if (random.oneIn(2))
    return;
  std::vector<std::string> choices = {"rms",  "rms",      "gated", "gated",
                                      "bias", "position", "tanh",  "matrix"};
  if (random.oneIn(2))
    choices = {"eps", "clamp", "subtract", "rms", "gated"};
  spec.norm = chooseSteps(random, choices, spec.columns);
  // Widths follow the steps here, and do not precede them.
  int64_t width = spec.columns;
  llvm::erase_if(spec.norm, [&](const std::string &step) {
    int64_t next = attn::fuzz::getWidth(step, width);
    if (next >= 1)
      width = next;
    return next < 1;
  });
  if (spec.value.steps.empty() && random.oneIn(8))
    spec.norm.insert(spec.norm.begin(), random.oneIn(2) ? "mean" : "largest");
  if (!random.oneIn(6))
    return;
  spec.norm.insert(spec.norm.begin(), "ratio");
  makeDivisible(spec);
}

static void chooseAfter(RecurSpec &spec, Random &random) {
  if (random.oneIn(8))
    spec.after = {
        random.pick<std::string>({"tanh", "rms", "table", "gated", "half_of"})};
}

//===----------------------------------------------------------------------===//
// The schedule
//===----------------------------------------------------------------------===//

/// Whether a block has all columns of the state.
static bool needsAllColumns(const RecurSpec &spec) {
  bool isTwice = spec.order == "bidirectional" &&
                 (!spec.gate.empty() || spec.read == "before");
  return isTwice || spec.splits || !spec.norm.empty() ||
         !spec.value.steps.empty();
}

static void chooseSchedule(RecurSpec &spec, Random &random) {
  if (random.oneIn(3))
    return;
  bool canSplit = spec.order != "bidirectional" && spec.value.steps.empty();
  if (random.oneIn(2) && (canSplit || random.oneIn(16)))
    spec.splits = random.between(1, 5);
  spec.blockQ = random.pick<int64_t>({16, 16, 32, 48, 64});
  spec.blockK = spec.columns;
  std::vector<int64_t> parts;
  for (int64_t part = 1; part <= spec.columns; ++part)
    if (spec.columns % part == 0 && (!spec.hasGpu() || part % 16 == 0))
      parts.push_back(part);
  if (!needsAllColumns(spec) && !parts.empty())
    spec.blockK = random.pick(parts);
  if (random.oneIn(16)) // What targets refuse, if they do.
    spec.blockK = random.between(1, 128);
  else if (spec.hasGpu())
    spec.blockK = (spec.blockK + 15) / 16 * 16;
}

/// Sums of many products exceed what f16 holds.
static void limitScale(RecurSpec &spec) {
  if (spec.dtype == "f16")
    spec.scale = 0.015625;
}

RecurSpec attn::fuzz::generateRecur(uint64_t seed, uint64_t index,
                                    const std::vector<std::string> &targets) {
  // Not the decisions of the attend with this number.
  constexpr uint64_t kSequence = 0x7265637572;
  Random random(seed ^ kSequence, index);
  RecurSpec spec;
  chooseTarget(spec, random, targets);
  chooseSizes(spec, random);
  chooseRules(spec, random);
  chooseMaps(spec, random);
  chooseNorm(spec, random);
  chooseAfter(spec, random);
  chooseStates(spec, random);
  chooseSchedule(spec, random);
  if (random.oneIn(2))
    spec.tokens = chooseTokens(spec, random);
  limitScale(spec);
  return spec;
}
