//===- GenerateSpec.cpp - Random specs ------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/GenerateSpec.h"
#include "codegen/cpu/HostFeatures.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn;
using namespace attn::fuzz;

std::vector<std::string> attn::fuzz::getTargets() {
  std::vector<std::string> targets;
  for (const char *level : {"avx512", "avx2", "baseline"}) {
    llvm::Expected<CpuTarget> target = getCpuTarget(level);
    llvm::Error error = target ? checkRunsHere(*target) : target.takeError();
    if (!error)
      targets.push_back(std::string("cpu:") + level);
    llvm::consumeError(std::move(error));
  }
  return targets;
}

/// Elements of the accumulator's type in a vector of the target.
static int64_t getLanes(const Spec &spec) {
  int64_t bytes = spec.examination.target == "cpu:avx512" ? 64
                  : spec.examination.target == "cpu:avx2" ? 32
                                                          : 16;
  return bytes / (spec.isDouble() ? 8 : 4);
}

//===----------------------------------------------------------------------===//
// Target, schedule and sizes
//===----------------------------------------------------------------------===//

static void chooseTarget(Spec &spec, Random &random,
                         const std::vector<std::string> &targets) {
  // Half of the specs are for the widest vectors.
  spec.examination.target =
      random.oneIn(2) ? targets.front() : random.pick(targets);
  spec.examination.seed = random.below(1000);
  spec.examination.quick = !random.oneIn(16);
  spec.examination.phases = random.oneIn(16);
  spec.examination.threads = random.oneIn(4);
  spec.dtype = random.pick<std::string>(
      {"f32", "f32", "f32", "f64", "f16", "bf16", "bf16"});
}

static void chooseSchedule(Spec &spec, Random &random) {
  if (random.oneIn(24))
    return; // The compiler's choice; large blocks take long to compile.
  spec.blockQ = getLanes(spec) * random.pick<int64_t>({1, 1, 1, 2, 3, 6});
  // Groups of rows get ranges in blocks of a multiple of 8 keys.
  spec.blockK = random.pick<int64_t>({1, 2, 3, 4, 5, 7, 8, 8, 9, 16, 24});
  if (random.oneIn(16))
    spec.blockK = random.pick<int64_t>({12, 16, 17, 33, 64});
}

/// A number of rows: often at the edge of a block of so many.
static int64_t chooseRows(Random &random, int64_t block) {
  int64_t size;
  if (random.oneIn(8))
    size = random.between(1, 3);
  else if (block && random.oneIn(2))
    size = random.between(1, 3) * block + random.between(-1, 1);
  else
    size = random.between(1, 70);
  return std::max<int64_t>(1, std::min<int64_t>(size, 70));
}

static void chooseSizes(Spec &spec, Random &random) {
  spec.sizes["B"] = random.between(1, 2);
  spec.sizes["H"] = random.pick<int64_t>({1, 1, 2, 4});
  spec.sizes["D"] = random.pick<int64_t>({1, 2, 3, 4, 4, 8, 8, 16, 17, 32});
  spec.sameHeads = random.oneIn(3);
  if (!spec.sameHeads)
    spec.sizes["Hk"] = random.oneIn(2) ? 1 : spec.sizes["H"];
  if (!spec.sameHeads && spec.sizes["H"] == 4 && random.oneIn(2))
    spec.sizes["Hk"] = 2;
  spec.sameRows = random.oneIn(3);
  spec.sizes[spec.rows()] = chooseRows(random, spec.blockQ);
  if (!spec.sameRows)
    spec.sizes[spec.keys()] = chooseRows(random, spec.blockK);
  if (!spec.sameRows)
    spec.alignment = random.oneIn(2) ? "start" : "end";
  else if (random.oneIn(3))
    spec.alignment = random.oneIn(2) ? "start" : "end";
  for (auto &[name, size] : spec.sizes)
    if (random.oneIn(6))
      spec.statics.insert(name);
  if (random.oneIn(3))
    spec.scale = double(random.between(8, 64)) / 64;
  spec.hasLse = random.oneIn(2);
}

//===----------------------------------------------------------------------===//
// Few queries, shared operands, mixed heads
//===----------------------------------------------------------------------===//

/// The sizes of decoding: few queries, groups of heads, many keys. Blocks are
/// the compiler's choice in half of them.
static void chooseFewQueries(Spec &spec, Random &random) {
  spec.sameRows = false;
  spec.sizes.erase("N");
  spec.sizes["Nq"] = random.between(1, 4);
  spec.sizes["Nk"] =
      random.oneIn(3) ? random.between(1, 64) : random.between(64, 300);
  spec.sizes["H"] = random.pick<int64_t>({1, 2, 4, 6, 8});
  if (!spec.sameHeads)
    spec.sizes["Hk"] = spec.sizes["H"] > 2 && random.oneIn(2) ? 2 : 1;
  spec.alignment = random.oneIn(4) ? "start" : "end";
  if (random.oneIn(2))
    spec.statics.insert("Nq");
  else if (random.oneIn(2))
    spec.maxQueries = random.between(spec.sizes["Nq"], 17);
  spec.blockQ = spec.blockK = 0;
  if (random.oneIn(2))
    return;
  spec.blockQ = getLanes(spec) * random.pick<int64_t>({1, 1, 1, 2});
  spec.blockK = random.pick<int64_t>({5, 8, 16, 24, 32, 64});
}

/// Whether blocks may share the keys; `isLinear` is what `prob` is known to be.
static bool canSplit(const Spec &spec, bool isLinear) {
  // The queries of all heads of one key head are in one block, which may not
  // need a matrix for each of them. Mixed scores need those of all heads.
  auto isPerHead = [&](const RowStep &step) {
    return step.op == "contract" &&
           llvm::is_contained(spec.captures[step.capture].dims, "H");
  };
  bool needsMatrices = spec.mapsInside && spec.mixScores < 0 &&
                       llvm::any_of(spec.queryMap, isPerHead);
  return spec.normalizer.empty() && (!spec.prob || isLinear) && !needsMatrices;
}

static void chooseSharing(Spec &spec, Random &random) {
  spec.shared =
      random.pick<std::string>({"q", "q", "k", "v", "kv", "kv", "qv", "qkv"});
  spec.sizes["B"] = random.between(1, 3);
}

static std::string chooseMatrixElement(const Spec &spec, Random &random) {
  return spec.isDouble() ? "f64"
                         : random.pick<std::string>({"f32", "f16", "bf16"});
}

static void chooseMixing(Spec &spec, Random &random) {
  int64_t which = random.below(3);
  for (int Spec::*mixing : {&Spec::mixScores, &Spec::mixWeights})
    if (which == 0 || which == (mixing == &Spec::mixScores ? 1 : 2))
      spec.*mixing =
          addCapture(spec, chooseMatrixElement(spec, random), {"H", "H"});
}

//===----------------------------------------------------------------------===//
// Row maps
//===----------------------------------------------------------------------===//

namespace {
/// The rows of an operand.
struct Rows {
  std::string heads, rows;
};
/// A step that changes the width: an op, and the dimensions of its matrix.
struct Resizing {
  std::string op, taken, made;
};
} // namespace

/// A product with one matrix, with one per head, or per batch and head.
static RowStep makeContraction(Spec &spec, Random &random, const Rows &of,
                               std::string taken, std::string made) {
  RowStep step;
  step.op = "contract";
  std::vector<std::string> dims;
  int64_t kind = random.below(5);
  if (kind == 0)
    dims.push_back("B");
  if (kind <= 2)
    dims.push_back(of.heads);
  if (kind == 3) {
    dims.push_back("C" + std::to_string(spec.sizes.size()));
    spec.sizes[dims.back()] = random.between(1, 3);
  }
  if (random.oneIn(3)) // Matrices that do not exist are zero.
    step.offset = random.between(-1, 2);
  dims.push_back(std::move(taken));
  dims.push_back(std::move(made));
  step.capture = addCapture(spec, chooseMatrixElement(spec, random), dims);
  return step;
}

/// A step that reads a vector for each row, or for each head.
static void addVectors(Spec &spec, Random &random, const Rows &of,
                       int64_t width, RowStep &step) {
  std::string last = "C" + std::to_string(spec.sizes.size());
  spec.sizes[last] = width + random.pick<int64_t>({0, 0, 3});
  spec.statics.insert(last);
  std::string element = step.op == "bits"
                            ? "i1"
                            : random.pick<std::string>({"f32", "f16", "bf16"});
  step.capture =
      addCapture(spec, element, {step.op == "bias" ? of.heads : of.rows, last});
  if (step.op != "bits" && random.oneIn(3))
    step.offset = random.between(-2, 3);
}

/// Steps for rows of an operand; the last is `resizing`, if it has an op.
static RowMap makeMap(Spec &spec, Random &random, const Rows &of,
                      const Resizing &resizing) {
  RowMap map;
  int64_t width = spec.sizes["D"];
  int64_t count = random.between(resizing.op.empty() ? 1 : 0, 2);
  for (int64_t i = 0; i < count; ++i) {
    RowStep step;
    step.op =
        random.pick<std::string>({"scale", "table", "bias", "bits", "rms",
                                  "tanh", "centre", "rotate", "contract"});
    if (step.op == "rotate" && width % 2)
      step.op = "rms";
    step.constant = double(random.between(16, 128)) / 64;
    if (step.op == "contract")
      step = makeContraction(spec, random, of, "D", "D");
    else if (step.op == "table" || step.op == "bias" || step.op == "bits")
      addVectors(spec, random, of, width, step);
    map.push_back(step);
  }
  if (resizing.op == "contract") {
    map.push_back(
        makeContraction(spec, random, of, resizing.taken, resizing.made));
  } else if (!resizing.op.empty()) {
    map.emplace_back();
    map.back().op = resizing.op;
  }
  return map;
}

/// Matrices take all features or half of them, and make as many as `made` says.
static Resizing chooseResizing(Spec &spec, Random &random,
                               const std::string &made) {
  Resizing resizing{random.pick<std::string>({"twice", "half", "contract"}),
                    "D", made};
  if (resizing.op != "contract")
    return resizing;
  spec.sizes[made] = random.pick<int64_t>({1, 2, 3, 4, 8, 8, 16, 24, 33});
  if (random.oneIn(2))
    return resizing;
  resizing.taken = "Dh";
  spec.sizes["Dh"] = std::max<int64_t>(spec.sizes["D"] / 2, 1);
  return resizing;
}

static void chooseMaps(Spec &spec, Random &random) {
  spec.mapsInside = random.oneIn(2);
  Rows queries{"H", spec.rows()}, keys{spec.keyHeads(), spec.keys()};
  // Query and key must go on having as many features as each other.
  Resizing both, none;
  if (random.oneIn(6))
    both = chooseResizing(spec, random, "De");
  if (random.oneIn(3) || !both.op.empty())
    spec.queryMap = makeMap(spec, random, queries, both);
  if (random.oneIn(3) || !both.op.empty())
    spec.keyMap = makeMap(spec, random, keys, both);
  if (random.oneIn(2))
    spec.valueMap =
        makeMap(spec, random, keys,
                random.oneIn(3) ? chooseResizing(spec, random, "Dv") : none);
}

/// Products of mapped rows stay in the range where scores can be compared.
static void limitScale(Spec &spec) {
  Expr product = makeArgument("s");
  double magnitude = getBound(spec, product).magnitude;
  if (magnitude <= 32)
    return;
  double width = double(getWidth(spec, spec.queryMap));
  double scale = spec.scale.value_or(1 / std::sqrt(width));
  spec.scale =
      std::max(std::floor(scale * 32 / magnitude * 4096) / 4096, 0x1p-12);
}

static void chooseNormalizer(Spec &spec, Random &random) {
  if (!random.oneIn(5))
    return;
  spec.normalizer = random.oneIn(2) ? "sum" : "none";
  spec.hasLse = false;
}

//===----------------------------------------------------------------------===//
// Specs
//===----------------------------------------------------------------------===//

Spec attn::fuzz::generateSpec(uint64_t seed, uint64_t index,
                              const std::vector<std::string> &targets) {
  Random random(seed, index);
  Spec spec;
  chooseTarget(spec, random, targets);
  chooseSchedule(spec, random);
  chooseSizes(spec, random);
  bool hasFewQueries = random.oneIn(5);
  if (hasFewQueries)
    chooseFewQueries(spec, random);
  if (random.oneIn(6))
    chooseSharing(spec, random);
  if (random.oneIn(10))
    chooseMixing(spec, random);
  if (random.oneIn(3))
    chooseMaps(spec, random);
  limitScale(spec);
  chooseNormalizer(spec, random);
  RegionGenerator regions(spec, random);
  if (!random.oneIn(6))
    spec.mask = regions.makeMask();
  if (random.oneIn(2) || spec.normalizer == "sum")
    spec.score = regions.makeScore();
  // Blocks share keys only where prob is linear.
  bool isLinear = hasFewQueries && random.oneIn(2);
  if (random.oneIn(6) && spec.mixWeights < 0)
    spec.prob = regions.makeProb(isLinear);
  if (spec.normalizer.empty() && random.oneIn(10))
    spec.sink = regions.makeSink();
  if (hasFewQueries && spec.blockQ && canSplit(spec, isLinear))
    spec.splits = random.pick<int64_t>({0, 1, 2, 2, 3, 5, 8, 9});
  updateBounds(spec);
  return spec;
}
