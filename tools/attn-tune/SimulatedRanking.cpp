//===- SimulatedRanking.cpp - Rank by what a simulator counts -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/SimulatedRanking.h"
#include "runtime/DimName.h"
#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "tools/attn-tune/Contest.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <atomic>
#include <numeric>
#include <thread>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// Tokens along the axis of a sequence, of two axes and of three.
static constexpr int64_t kMostTokens[] = {256, 16, 8};

Dims attn::getSimulatedSizes(ArrayRef<Port> arguments, Dims dims,
                             ArrayRef<std::string> lengths) {
  for (const std::string &name : lengths)
    if (auto it = dims.find(name); it != dims.end())
      it->second =
          std::min(it->second,
                   kMostTokens[std::clamp<size_t>(lengths.size(), 1, 3) - 1]);
  // The names of batches and heads, in arguments that have both.
  std::vector<std::string> heads;
  int64_t common = 0;
  for (const Port &port : arguments) {
    if (port.sizes.size() < 3)
      continue;
    if (auto it = dims.find(std::string(DimName::parse(port.dims[0]).name));
        it != dims.end() && port.sizes[0] < 0)
      it->second = std::min<int64_t>(it->second, 1);
    auto it = dims.find(std::string(DimName::parse(port.dims[1]).name));
    if (it == dims.end() || port.sizes[1] >= 0)
      continue;
    if (!llvm::is_contained(heads, it->first))
      heads.push_back(it->first);
    common = std::gcd(common, it->second);
  }
  for (const std::string &name : heads)
    dims.find(name)->second /= std::max<int64_t>(common, 1);
  return dims;
}

//===----------------------------------------------------------------------===//
// Counters
//===----------------------------------------------------------------------===//

namespace {
/// What the launches of a call did. Numbers of memory are those within loops
/// over keys: what is done once would weigh more than it does at larger sizes.
struct Counted {
  double sectors = 0, wavefronts = 0, conflicts = 0;
  double ops = 0, matrixOps = 0;
};

/// A resource, the terms of the model that are about it, and how much of it a
/// call took beside what the model assumes.
struct Correction {
  std::vector<StringRef> terms;
  double factor = 1;
};

/// A schedule that was simulated.
struct Simulated {
  RankedSchedule candidate;
  std::unique_ptr<SimulatedKernel> kernel = nullptr;
  Counted counted = {};
  Correction matrix{{"matrix", "chunks", "products with the state"}};
  Correction shared{{"shared memory", "state"}};
  Correction global{{"second cache"}};
  Correction vector{{"vector", "decays", "regions"}};
  Prediction corrected = {};
  std::string refused = ""; ///< Why it is no candidate, if so.
};
} // namespace

static Counted addUp(const SimulatedKernel &kernel) {
  Counted sum;
  for (const auto &[name, report] : kernel.getReports()) {
    sum.ops += double(report.ops);
    sum.matrixOps += double(report.matrixOps);
    for (const sim::SiteCounters &site : report.counters) {
      if (!site.loop)
        continue;
      sum.sectors += double(site.counters.sectors);
      sum.wavefronts += double(site.counters.wavefronts);
      sum.conflicts += double(site.counters.conflicts);
    }
  }
  return sum;
}

/// What the model assumes of a resource.
static double getAssumed(ArrayRef<Prediction> ops,
                         const Correction &correction) {
  double amount = 0;
  for (const Prediction &op : ops)
    for (const CostTerm &term : op.terms)
      if (llvm::is_contained(correction.terms, term.name))
        amount += term.amount;
  return amount;
}

/// Compares with what the model assumes for `small`. Ops of the program are no
/// instructions: of these, it is only known how they compare with those of the
/// default schedule, `base`; 0 if that is this one.
static void compare(Simulated &one, const ModelledCall &small, double base) {
  constexpr double flopsOfMatrixOp = 2 * 16 * 8 * 16, sectorBytes = 32,
                   wavefrontBytes = 128;
  std::vector<Prediction> ops = small.model.predictOps(
      small.machine, small.threads, one.candidate.schedule);
  auto set = [&](Correction &correction, double counted) {
    double assumed = getAssumed(ops, correction);
    if (assumed > 0 && counted > 0)
      correction.factor = counted / assumed;
  };
  set(one.matrix, flopsOfMatrixOp * one.counted.matrixOps);
  set(one.shared, wavefrontBytes * one.counted.wavefronts);
  set(one.global, sectorBytes * one.counted.sectors);
  set(one.vector, one.counted.ops);
  if (base > 0)
    one.vector.factor /= base;
}

static void correct(Simulated &one, const ModelledCall &call) {
  std::map<std::string, double> factors;
  for (const Correction *correction :
       {&one.matrix, &one.shared, &one.global, &one.vector})
    for (StringRef term : correction->terms)
      factors[term.str()] = correction->factor;
  std::vector<Prediction> ops;
  for (Prediction &op : call.model.predictOps(call.machine, call.threads,
                                              one.candidate.schedule))
    ops.push_back(scaleTerms(std::move(op), factors, /*isGpu=*/true));
  one.corrected = attn::addUp(ops);
}

//===----------------------------------------------------------------------===//
// Simulation
//===----------------------------------------------------------------------===//

/// Compiles all, as many at a time as there are cores.
static void compileAll(const CompileInput &input,
                       llvm::MutableArrayRef<Simulated> all) {
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t n = next++; n < all.size(); n = next++) {
      CompileOptions own = input.options;
      own.schedule = all[n].candidate.schedule;
      own.quick = true;
      auto made = SimulatedKernel::compile(input.text, input.name, own);
      if (made)
        all[n].kernel = std::move(*made);
      else
        all[n].refused = llvm::toString(made.takeError());
    }
  };
  std::vector<std::thread> workers;
  for (int n = 1; n < std::min<int>(getNumCores(0), int(all.size())); ++n)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
}

/// The default schedule, then the first of the ranking.
static std::vector<Simulated> selectCandidates(ArrayRef<RankedSchedule> ranked,
                                               StringRef chosen, int64_t most) {
  std::vector<Simulated> selected;
  auto isDefault = [&](const RankedSchedule &one) {
    return one.point == chosen;
  };
  if (auto it = llvm::find_if(ranked, isDefault); it != ranked.end())
    selected.push_back({*it, nullptr});
  else
    selected.push_back({ranked.front(), nullptr});
  for (const RankedSchedule &one : ranked)
    if (int64_t(selected.size()) <= most &&
        one.point != selected.front().candidate.point)
      selected.push_back({one, nullptr});
  return selected;
}

/// Checks and counts a call of one kernel.
static void simulate(Simulated &one, Contest &contest) {
  Expected<std::string> wrong = contest.check(*one.kernel);
  one.refused = wrong ? *wrong : llvm::toString(wrong.takeError());
  if (one.refused.empty())
    one.counted = addUp(*one.kernel);
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static void print(llvm::raw_ostream &stream, ArrayRef<Simulated> all,
                  StringRef chosen) {
  stream << llvm::formatv("{0,4}  {1,-48} {2,12} {3,12}  {4,7} {5,7} {6,9} "
                          "{7,6}  {8}\n",
                          "rank", "schedule", "predicted", "corrected",
                          "sectors", "shared", "conflicts", "ops", "limit");
  int rank = 0;
  for (const Simulated &one : all) {
    if (!one.refused.empty())
      continue;
    const Counted &counted = one.counted;
    double conflicts = counted.wavefronts > 0
                           ? 100 * counted.conflicts / counted.wavefronts
                           : 0;
    stream << llvm::formatv(
        "{0,4}  {1,-48} {2,9:f4} ms {3,9:f4} ms  {4,6:f2}x {5,6:f2}x {6,7:f1} "
        "% {7,5:f2}x  {8}{9}\n",
        ++rank, one.candidate.point, 1e3 * one.candidate.prediction.seconds,
        1e3 * one.corrected.seconds, one.global.factor, one.shared.factor,
        conflicts, one.vector.factor, one.corrected.limit,
        one.candidate.point == chosen ? "  (the default)" : "");
  }
  for (const Simulated &one : all)
    if (!one.refused.empty())
      stream << "refused  " << one.candidate.point << "  "
             << StringRef(one.refused).split('\n').first << "\n";
}

/// Simulates all; the first is the default.
static Error simulateAll(const TuneOptions &options, const ModelledCall &call,
                         std::vector<Simulated> &all, const Dims &dims,
                         llvm::raw_ostream &stream,
                         const std::function<bool()> &isStopped) {
  const CompileInput &input = *options.input;
  compileAll(input, all);
  if (!all.front().kernel)
    return makeError("{0}", all.front().refused);
  const Kernel &first = *all.front().kernel;
  Expected<Dims> resolved = resolveDims(first, dims, {});
  if (!resolved)
    return resolved.takeError();
  std::vector<std::string> lengths;
  for (StringRef part : llvm::split(call.model.getKey().bucket, ','))
    lengths.push_back(part.split('=').first.str());
  Dims few = getSimulatedSizes(first.arguments(), *resolved, lengths);
  Expected<ModelledCall> small = ModelledCall::create(input, options, few);
  if (!small)
    return small.takeError();
  Expected<Contest> contest = Contest::create(first, few, options.threads);
  if (!contest)
    return contest.takeError();
  if (Error error = contest->addDefinition(input, first, lengths))
    return error;
  stream << "simulated with " << formatDims(few, ",") << "\n";
  double base = 0;
  for (Simulated &one : all) {
    if (isStopped())
      one.refused = "it was not simulated, as the user stopped";
    else if (one.kernel)
      simulate(one, *contest);
    if (!one.refused.empty())
      continue;
    compare(one, *small, base);
    if (base == 0)
      base = std::exchange(one.vector.factor, 1);
    correct(one, call);
  }
  return Error::success();
}

Error attn::rankBySimulator(llvm::raw_ostream &stream,
                            const TuneOptions &options,
                            const ModelledCall &call, const Dims &dims,
                            const std::function<bool()> &isStopped) {
  std::vector<RankedSchedule> ranked = call.rank();
  stream << llvm::formatv("{0}  {1} schedules can be run\n", call.getTitle(),
                          ranked.size());
  if (ranked.empty())
    return Error::success();
  std::string chosen = call.getChosen();
  std::vector<Simulated> all =
      selectCandidates(ranked, chosen, options.candidates);
  if (Error error = simulateAll(options, call, all, dims, stream, isStopped))
    return error;
  llvm::sort(all, [](const Simulated &a, const Simulated &b) {
    return std::tie(a.corrected.seconds, a.candidate.prediction.seconds,
                    a.candidate.point) <
           std::tie(b.corrected.seconds, b.candidate.prediction.seconds,
                    b.candidate.point);
  });
  print(stream, all, chosen);
  return Error::success();
}
