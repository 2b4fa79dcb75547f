//===- ShrinkSpec.cpp - Simpler specs -------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/ShrinkSpec.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn::fuzz;

/// Simpler specs, the simplest first.
using Candidates = std::vector<Spec>;

/// The regions on pairs.
static constexpr std::optional<Expr> Spec::*kRegions[] = {
    &Spec::score, &Spec::mask, &Spec::prob, &Spec::sink};

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// All subtrees, the largest first.
static void collect(Expr &expr, std::vector<Expr *> &all) {
  all.push_back(&expr);
  for (Expr &arg : expr.args)
    collect(arg, all);
}

static bool isLeaf(const Expr &expr) {
  return expr.op == "const" || expr.op == "arg";
}

/// What may stand in the place of an expression; `argument` is the name of the
/// float that the region is given, or empty.
static std::vector<Expr> getReplacements(const Expr &expr,
                                         llvm::StringRef argument) {
  std::vector<Expr> results;
  if (isLeaf(expr)) {
    int64_t value;
    bool isNumber = !llvm::StringRef(expr.text).getAsInteger(10, value);
    if (expr.op == "const" && isNumber && value > 1)
      results = {makeInteger(value / 2, expr.kind),
                 makeInteger(value - 1, expr.kind)};
    if (expr.outer) {
      results.push_back(expr);
      results.back().outer = false;
    }
    return results;
  }
  switch (expr.kind) {
  case Kind::Bool:
    results = {makeConstant(Kind::Bool, "true"),
               makeConstant(Kind::Bool, "false")};
    break;
  case Kind::Float:
    results = {makeNumber(1)};
    if (!argument.empty())
      results.insert(results.begin(), makeArgument(argument.str()));
    break;
  case Kind::Index:
    results = {makeInteger(1), makeArgument("i"), makeArgument("j")};
    break;
  default:
    results = {makeInteger(1, expr.kind)};
  }
  std::vector<Expr *> below;
  Expr copy = expr;
  for (Expr &arg : copy.args)
    collect(arg, below);
  for (Expr *inner : below)
    if (inner->kind == expr.kind && !isLeaf(*inner))
      results.push_back(*inner);
  for (const Expr &arg : expr.args)
    if (arg.kind == expr.kind)
      results.push_back(arg);
  return results;
}

/// The spec with each subtree of one region replaced.
static void addExpressions(const Spec &spec, std::optional<Expr> Spec::*region,
                           Candidates &results) {
  if (!(spec.*region))
    return;
  Spec copy = spec;
  llvm::StringRef argument = region == &Spec::score  ? "s"
                             : region == &Spec::prob ? "p"
                                                     : "";
  std::vector<Expr *> all;
  collect(*(copy.*region), all);
  for (Expr *place : all) {
    // Moved, not copied: the places below it stay where they are.
    Expr before = std::move(*place);
    for (Expr &simpler : getReplacements(before, argument)) {
      *place = std::move(simpler);
      results.push_back(copy);
    }
    *place = std::move(before);
  }
}

//===----------------------------------------------------------------------===//
// Everything else
//===----------------------------------------------------------------------===//

/// Adds the spec with one change.
template <typename ChangeT>
static void add(const Spec &spec, Candidates &results, ChangeT change) {
  Spec copy = spec;
  change(copy);
  results.push_back(std::move(copy));
}

static void addMaps(const Spec &spec, Candidates &results) {
  for (RowMap Spec::*map : {&Spec::queryMap, &Spec::keyMap, &Spec::valueMap}) {
    if ((spec.*map).empty())
      continue;
    add(spec, results, [&](Spec &copy) { (copy.*map).clear(); });
    for (size_t at = 0; at < (spec.*map).size(); ++at) {
      add(spec, results, [&](Spec &copy) {
        (copy.*map).erase((copy.*map).begin() + int64_t(at));
      });
      if ((spec.*map)[at].offset)
        add(spec, results, [&](Spec &copy) { (copy.*map)[at].offset = 0; });
    }
  }
  if (!spec.queryMap.empty() && !spec.keyMap.empty())
    add(spec, results, [&](Spec &copy) {
      copy.queryMap.clear();
      copy.keyMap.clear();
    });
}

static void addOptions(const Spec &spec, Candidates &results) {
  auto addIf = [&](bool condition, auto change) {
    if (condition)
      add(spec, results, change);
  };
  addIf(spec.examination.phases,
        [](Spec &copy) { copy.examination.phases = false; });
  addIf(spec.examination.threads,
        [](Spec &copy) { copy.examination.threads = false; });
  for (int Spec::*mixing : {&Spec::mixScores, &Spec::mixWeights})
    addIf(spec.*mixing >= 0, [=](Spec &copy) { copy.*mixing = -1; });
  for (size_t at = 0; at < spec.shared.size(); ++at)
    add(spec, results, [=](Spec &copy) { copy.shared.erase(at, 1); });
  addIf(spec.splits > 0, [](Spec &copy) { copy.splits = 0; });
  addIf(spec.maxQueries > 0, [](Spec &copy) { copy.maxQueries = 0; });
  for (size_t at = 0; at < spec.captures.size(); ++at)
    addIf(!spec.captures[at].fill.empty(),
          [=](Spec &copy) { copy.captures[at].fill.clear(); });
  addIf(!spec.normalizer.empty(), [](Spec &copy) { copy.normalizer.clear(); });
  addIf(spec.hasLse, [](Spec &copy) { copy.hasLse = false; });
  addIf(spec.scale.has_value(), [](Spec &copy) { copy.scale.reset(); });
  addIf(spec.mapsInside, [](Spec &copy) { copy.mapsInside = false; });
  addIf(!spec.statics.empty(), [](Spec &copy) { copy.statics.clear(); });
  addIf(spec.dtype != "f32", [](Spec &copy) { copy.dtype = "f32"; });
  addIf(spec.dtype != "f32" && spec.dtype != "f64",
        [](Spec &copy) { copy.dtype = "f64"; });
  addIf(spec.alignment == "end", [](Spec &copy) { copy.alignment = "start"; });
  addIf(!spec.alignment.empty(), [](Spec &copy) { copy.alignment.clear(); });
  addIf(!spec.sameHeads, [](Spec &copy) {
    copy.sameHeads = true;
    copy.sizes.erase("Hk");
    for (Capture &capture : copy.captures)
      llvm::replace(capture.dims, std::string("Hk"), std::string("H"));
  });
}

/// Small sizes first, then halves, then one less.
static void addSizes(const Spec &spec, Candidates &results) {
  auto addNumber = [&](int64_t size, int64_t lowest, auto set) {
    for (int64_t smaller : {lowest, 2 * lowest, size / 2, size - lowest})
      if (smaller >= lowest && smaller < size)
        add(spec, results, [&](Spec &copy) { set(copy, smaller); });
  };
  for (const auto &[name, size] : spec.sizes)
    addNumber(size, 1, [name = name](Spec &copy, int64_t smaller) {
      copy.sizes[name] = smaller;
    });
  addNumber(spec.splits, 1,
            [](Spec &copy, int64_t smaller) { copy.splits = smaller; });
  addNumber(spec.blockK, 1,
            [](Spec &copy, int64_t smaller) { copy.blockK = smaller; });
  if (spec.blockQ) // Any multiple of the most lanes that there are.
    addNumber(spec.blockQ, 16,
              [](Spec &copy, int64_t smaller) { copy.blockQ = smaller; });
}

static bool reads(const std::optional<Expr> &region, int capture) {
  if (!region)
    return false;
  Expr copy = *region;
  std::vector<Expr *> all;
  collect(copy, all);
  return llvm::any_of(all,
                      [&](Expr *expr) { return expr->capture == capture; });
}

/// Renumbers after a capture was removed.
static void renumber(Expr &expr, int removed) {
  if (expr.capture > removed)
    --expr.capture;
  for (Expr &arg : expr.args)
    renumber(arg, removed);
}

static void removeCapture(Spec &spec, int number) {
  spec.captures.erase(spec.captures.begin() + number);
  for (auto region : kRegions)
    if (spec.*region)
      renumber(*(spec.*region), number);
  for (RowMap *map : {&spec.queryMap, &spec.keyMap, &spec.valueMap})
    for (RowStep &step : *map)
      if (step.capture > number)
        --step.capture;
  for (int *mixing : {&spec.mixScores, &spec.mixWeights})
    if (*mixing > number)
      --*mixing;
}

/// Removes what is not used: captures and their dimensions. Examined like every
/// other step, as an argument more or less may matter.
static void addUnused(const Spec &spec, Candidates &results) {
  Spec copy = spec;
  for (int number = int(spec.captures.size()) - 1; number >= 0; --number) {
    bool isUsed = llvm::any_of(
        kRegions, [&](auto region) { return reads(copy.*region, number); });
    for (const RowMap *map : {&copy.queryMap, &copy.keyMap, &copy.valueMap})
      for (const RowStep &step : *map)
        isUsed |= step.capture == number;
    isUsed |= number == copy.mixScores || number == copy.mixWeights;
    if (!isUsed)
      removeCapture(copy, number);
  }
  std::set<std::string> used;
  for (const Capture &capture : copy.captures)
    used.insert(capture.dims.begin(), capture.dims.end());
  std::erase_if(copy.sizes, [&](const auto &entry) {
    bool isOfCaptures = entry.first.front() == 'C' ||
                        (entry.first.front() == 'D' && entry.first != "D");
    return isOfCaptures && !used.count(entry.first);
  });
  if (copy.sizes != spec.sizes || copy.captures.size() != spec.captures.size())
    results.push_back(std::move(copy));
}

std::vector<Spec> attn::fuzz::getSimpler(const Spec &spec) {
  Candidates results;
  for (auto region : kRegions)
    if (spec.*region)
      add(spec, results, [&](Spec &copy) { (copy.*region).reset(); });
  addUnused(spec, results);
  addMaps(spec, results);
  addOptions(spec, results);
  for (auto region : kRegions)
    addExpressions(spec, region, results);
  addSizes(spec, results);
  return results;
}
