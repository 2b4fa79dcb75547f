//===- ShrinkRecur.cpp - Simpler recurrences ------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/RecurSpec.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::fuzz;

using Candidates = std::vector<RecurSpec>;

/// Adds the spec with one change, unless a row would have no features.
template <typename ChangeT>
static void add(const RecurSpec &spec, Candidates &results, ChangeT change) {
  RecurSpec copy = spec;
  change(copy);
  bool isWhole = getWidthBefore(copy.query.steps, copy.rows) > 0 &&
                 getWidthBefore(copy.key.steps, copy.rows) > 0 &&
                 getWidthBefore(copy.value.steps, copy.columns) > 0;
  for (size_t count = 1; count <= copy.norm.size(); ++count)
    isWhole &=
        getWidth(Steps(copy.norm.begin(), copy.norm.begin() + int64_t(count)),
                 copy.columns) > 0;
  if (isWhole)
    results.push_back(std::move(copy));
}

/// Steps of a list that `get` finds in a spec: without all, without each.
template <typename GetT>
static void addSteps(const RecurSpec &spec, Candidates &results, GetT get) {
  RecurSpec copy = spec;
  size_t count = get(copy).size();
  if (count)
    add(spec, results, [&](RecurSpec &changed) { get(changed).clear(); });
  for (size_t at = 0; count > 1 && at < count; ++at)
    add(spec, results, [&](RecurSpec &changed) {
      get(changed).erase(get(changed).begin() + int64_t(at));
    });
}

static void addRows(const RecurSpec &spec, Candidates &results) {
  auto query = [](RecurSpec &of) -> Steps & { return of.query.steps; };
  auto key = [](RecurSpec &of) -> Steps & { return of.key.steps; };
  auto value = [](RecurSpec &of) -> Steps & { return of.value.steps; };
  addSteps(spec, results, query);
  addSteps(spec, results, key);
  addSteps(spec, results, value);
  addSteps(spec, results, [](RecurSpec &of) -> Steps & { return of.norm; });
  addSteps(spec, results, [](RecurSpec &of) -> Steps & { return of.after; });
  for (RecurRows RecurSpec::*rows :
       {&RecurSpec::query, &RecurSpec::key, &RecurSpec::value})
    if ((spec.*rows).isOutside)
      add(spec, results, [=](RecurSpec &of) { (of.*rows).isOutside = false; });
}

static void addOptions(const RecurSpec &spec, Candidates &results) {
  auto addIf = [&](bool condition, auto change) {
    if (condition)
      add(spec, results, change);
  };
  for (bool RecurSpec::*flag :
       {&RecurSpec::hasBonus, &RecurSpec::hasInitial, &RecurSpec::hasState,
        &RecurSpec::isInitialShared, &RecurSpec::isBetaColumn,
        &RecurSpec::isGateMapped})
    addIf(spec.*flag, [=](RecurSpec &of) { of.*flag = false; });
  for (bool Examination::*flag : {&Examination::phases, &Examination::threads})
    addIf(spec.examination.*flag,
          [=](RecurSpec &of) { of.examination.*flag = false; });
  addIf(spec.splits > 0, [](RecurSpec &of) { of.splits = 0; });
  addIf(spec.blockQ > 0,
        [](RecurSpec &of) { of.blockQ = of.blockK = of.splits = 0; });
  addIf(!spec.gate.empty() && !spec.isTied(),
        [](RecurSpec &of) { of.gate.clear(); });
  addIf(spec.gate.size() > 1 && !spec.isTied(),
        [](RecurSpec &of) { of.gate = "H"; });
  addIf(spec.gate.size() == 4 && !spec.isTied(),
        [](RecurSpec &of) { of.gate = "BHN"; });
  addIf(spec.gateFill != "decay", [](RecurSpec &of) { of.gateFill = "decay"; });
  addIf(spec.write != "additive", [](RecurSpec &of) { of.write = "additive"; });
  addIf(spec.read != "after" && !spec.hasBonus,
        [](RecurSpec &of) { of.read = "after"; });
  addIf(spec.order != "causal", [](RecurSpec &of) { of.order = "causal"; });
  addIf(spec.order == "bidirectional",
        [](RecurSpec &of) { of.order = "reversed"; });
  addIf(spec.scale.has_value(), [](RecurSpec &of) { of.scale.reset(); });
  addIf(!spec.statics.empty(), [](RecurSpec &of) { of.statics.clear(); });
  auto setType = [](const char *type) {
    return [=](RecurSpec &of) { of.dtype = of.captureElement = type; };
  };
  addIf(spec.dtype != "f32", setType("f32"));
  addIf(spec.dtype != "f32" && !spec.isDouble() && !spec.hasGpu(),
        setType("f64"));
  addIf(spec.dtype != "f64" && spec.captureElement != "f32",
        [](RecurSpec &of) { of.captureElement = "f32"; });
}

/// Small sizes first, then halves, then one less.
static void addSizes(const RecurSpec &spec, Candidates &results) {
  auto addNumbers = [&](int64_t RecurSpec::*size, int64_t lowest) {
    int64_t number = spec.*size;
    for (int64_t smaller : {lowest, 2 * lowest, number / 2, number - lowest})
      if (smaller >= lowest && smaller < number)
        add(spec, results, [&](RecurSpec &of) {
          of.*size = smaller;
          for (int64_t RecurSpec::*heads :
               {&RecurSpec::queryHeads, &RecurSpec::keyHeads})
            if (of.*heads > of.heads || of.heads % of.*heads)
              of.*heads = of.heads;
        });
  };
  for (int64_t RecurSpec::*size :
       {&RecurSpec::batches, &RecurSpec::heads, &RecurSpec::queryHeads,
        &RecurSpec::keyHeads, &RecurSpec::tokens, &RecurSpec::rows,
        &RecurSpec::columns, &RecurSpec::splits})
    addNumbers(size, 1);
  addNumbers(&RecurSpec::blockQ, 16);
  if (spec.blockK != spec.columns && spec.blockQ)
    add(spec, results, [](RecurSpec &of) { of.blockK = of.columns; });
}

std::vector<RecurSpec> attn::fuzz::getSimpler(const RecurSpec &spec) {
  Candidates results;
  addRows(spec, results);
  addOptions(spec, results);
  addSizes(spec, results);
  return results;
}
