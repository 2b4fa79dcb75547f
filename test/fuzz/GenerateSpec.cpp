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
// Row maps
//===----------------------------------------------------------------------===//

/// Steps for rows of the operand with these heads and rows; `resize` is a step
/// that changes the width, or empty.
static RowMap makeMap(Spec &spec, Random &random, const std::string &heads,
                      const std::string &rows, const std::string &resize) {
  RowMap map;
  int64_t width = spec.sizes["D"];
  int64_t count = random.between(resize.empty() ? 1 : 0, 2);
  for (int64_t i = 0; i < count; ++i) {
    RowStep step;
    step.op = random.pick<std::string>(
        {"scale", "table", "bias", "bits", "rms", "tanh", "centre", "rotate"});
    if (step.op == "rotate" && width % 2)
      step.op = "rms";
    step.constant = double(random.between(16, 128)) / 64;
    if (step.op == "table" || step.op == "bias" || step.op == "bits") {
      std::string last = "C" + std::to_string(spec.sizes.size());
      spec.sizes[last] = width + random.pick<int64_t>({0, 0, 3});
      spec.statics.insert(last);
      std::string element =
          step.op == "bits" ? "i1"
                            : random.pick<std::string>({"f32", "f16", "bf16"});
      step.capture =
          addCapture(spec, element, {step.op == "bias" ? heads : rows, last});
      if (step.op != "bits" && random.oneIn(3))
        step.offset = random.between(-2, 3);
    }
    map.push_back(step);
  }
  if (!resize.empty()) {
    RowStep step;
    step.op = resize;
    map.push_back(step);
  }
  return map;
}

static void chooseMaps(Spec &spec, Random &random) {
  spec.mapsInside = random.oneIn(2);
  // Query and key must go on having as many features as each other.
  std::string both =
      random.oneIn(8) ? random.pick<std::string>({"twice", "half"}) : "";
  if (random.oneIn(3) || !both.empty())
    spec.queryMap = makeMap(spec, random, "H", spec.rows(), both);
  if (random.oneIn(3) || !both.empty())
    spec.keyMap = makeMap(spec, random, spec.keyHeads(), spec.keys(), both);
  if (random.oneIn(2))
    spec.valueMap = makeMap(
        spec, random, spec.keyHeads(), spec.keys(),
        random.oneIn(3) ? random.pick<std::string>({"twice", "half"}) : "");
}

/// Products of mapped rows stay in the range where scores can be compared.
static void limitScale(Spec &spec) {
  Expr product = makeArgument("s");
  double magnitude = getBound(spec, product).magnitude;
  if (magnitude <= 32)
    return;
  double width = double(getWidth(spec.queryMap, spec.sizes["D"]));
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
  if (random.oneIn(4))
    chooseMaps(spec, random);
  limitScale(spec);
  chooseNormalizer(spec, random);
  RegionGenerator regions(spec, random);
  if (!random.oneIn(6))
    spec.mask = regions.makeMask();
  if (random.oneIn(2) || spec.normalizer == "sum")
    spec.score = regions.makeScore();
  if (random.oneIn(6))
    spec.prob = regions.makeProb();
  if (spec.normalizer.empty() && random.oneIn(10))
    spec.sink = regions.makeSink();
  updateBounds(spec);
  return spec;
}
