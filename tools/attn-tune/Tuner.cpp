//===- Tuner.cpp - Look for the best schedule -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Tuner.h"
#include "runtime/compiler/tuning/CompilerBuild.h"
#include "tools/attn-run/RunnablePackage.h"
#include "tools/support/CommandLine.h"
#include "tools/support/Measure.h"
#include "llvm/Support/JSON.h"
#include <atomic>
#include <thread>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// Points that the model says are so much slower than the best are not tried.
static constexpr double kFarWorse = 1.6;

MakeKernel attn::getMakeKernel(const CompileInput &input) {
  return [&input](
             const std::string &schedule) -> Expected<std::unique_ptr<Kernel>> {
    CompileInput own = input;
    own.options.schedule = schedule;
    if (!isGpuTarget(own.options.target))
      return compile(own.text, own.name, own.options);
    auto kernel = RunnablePackage::compileForGpu(own);
    if (!kernel)
      return kernel.takeError();
    return std::unique_ptr<Kernel>(std::move(*kernel));
  };
}

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

Error Tuner::prepare(const Dims &dims) {
  best.reset();
  bestSchedule.clear();
  bestRatio = 1;
  measured = 0;
  Expected<std::unique_ptr<Kernel>> made = make("");
  if (!made)
    return made.takeError();
  baseline = std::move(*made);
  Expected<Dims> resolved = resolveDims(*baseline, dims, {});
  if (!resolved)
    return resolved.takeError();
  Expected<ModelledCall> created =
      ModelledCall::create(input, options, *resolved);
  if (!created)
    return created.takeError();
  call = std::move(*created);
  candidates = call->rank();
  Expected<Contest> begun =
      Contest::create(*baseline, *resolved, options.threads);
  if (!begun)
    return begun.takeError();
  contest = std::move(*begun);
  return Error::success();
}

/// The names of the lengths: those of the bucket.
Error Tuner::addDefinition() {
  std::vector<std::string> lengths;
  for (StringRef part : llvm::split(call->model.getKey().bucket, ','))
    lengths.push_back(part.split('=').first.str());
  return contest->addDefinition(input, *baseline, lengths);
}

/// The best of the ranking that have not been tried, and are not the default.
std::vector<const RankedSchedule *>
Tuner::selectCandidates(ArrayRef<TuningTrial> known) const {
  std::vector<const RankedSchedule *> selected;
  std::string chosen = call->getChosen();
  int64_t room = options.candidates - int64_t(known.size());
  for (const RankedSchedule &candidate : candidates) {
    if (int64_t(selected.size()) >= room)
      break;
    if (candidate.prediction.seconds >
        kFarWorse * candidates.front().prediction.seconds)
      break;
    bool isKnown = llvm::any_of(known, [&](const TuningTrial &trial) {
      return trial.schedule == candidate.schedule;
    });
    if (!isKnown && candidate.point != chosen)
      selected.push_back(&candidate);
  }
  return selected;
}

/// What is compiled to measure a candidate. Of a schedule for many queries, the
/// version for few would be compiled in vain.
static std::string getMeasured(const RankedSchedule &candidate) {
  return StringRef(candidate.schedule).starts_with("many:")
             ? candidate.point
             : candidate.schedule;
}

std::vector<Tuner::Compiled>
Tuner::compileAll(ArrayRef<const RankedSchedule *> all) const {
  std::vector<std::optional<Expected<std::unique_ptr<Kernel>>>> made(
      all.size());
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t n = next++; n < all.size(); n = next++) {
      if (isStopped())
        made[n].emplace(makeError("stopped"));
      else
        made[n].emplace(make(getMeasured(*all[n])));
    }
  };
  std::vector<std::thread> workers;
  int count = std::min<int>(getNumCores(0), int(all.size()));
  for (int n = 1; n < count; ++n)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
  std::vector<Compiled> compiled;
  for (auto [candidate, kernel] : llvm::zip_equal(all, made))
    compiled.push_back({candidate, std::move(*kernel)});
  return compiled;
}

//===----------------------------------------------------------------------===//
// Duels
//===----------------------------------------------------------------------===//

Error Tuner::store(const RankedSchedule &candidate, StringRef verdict,
                   const Duel &duel) {
  if (!database)
    return Error::success();
  return database->put(TuningTrial{
      call->model.getKey(), candidate.schedule, verdict.str(), duel.ratio,
      duel.seconds, candidate.prediction.seconds, getCompilerBuild().str()});
}

Error Tuner::tryOne(Compiled compiled, StringRef progress) {
  const RankedSchedule &candidate = *compiled.candidate;
  auto say = [&](const llvm::Twine &text) {
    llvm::errs() << "tune  " << progress << "  " << candidate.point << "  "
                 << text << "\n";
  };
  if (!compiled.kernel) {
    std::string message = llvm::toString(compiled.kernel.takeError());
    say("cannot be compiled: " + StringRef(message).split('\n').first);
    return store(candidate, "failed", Duel());
  }
  Expected<std::string> wrong = contest->check(**compiled.kernel);
  if (!wrong)
    return wrong.takeError();
  if (!wrong->empty()) {
    say("refused, its result is wrong: " + *wrong);
    return store(candidate, "wrong", Duel());
  }
  const Kernel &incumbent = best ? *best : *baseline;
  Expected<Duel> duel = contest->compare(incumbent, **compiled.kernel, rules);
  if (!duel)
    return duel.takeError();
  // A duel that was cut short says nothing.
  if (duel->rounds < rules.fewestToLose)
    return Error::success();
  ++measured;
  bool isWon = duel->isWon(rules);
  Duel toDefault = *duel;
  toDefault.ratio *= bestRatio;
  say(llvm::formatv("{0:f3} of the default ({1} rounds, {2:f3} to {3:f3} of "
                    "the best so far){4}",
                    toDefault.ratio, duel->rounds, duel->low, duel->high,
                    isWon ? ", best so far" : ""));
  if (Error error = store(candidate, isWon ? "ok" : "slower", toDefault))
    return error;
  if (isWon) {
    best = std::move(*compiled.kernel);
    bestSchedule = candidate.schedule;
    bestRatio = toDefault.ratio;
  }
  return Error::success();
}

Error Tuner::tryAll(std::vector<Compiled> compiled) {
  for (auto [number, one] : llvm::enumerate(compiled)) {
    if (isStopped()) {
      if (!one.kernel)
        llvm::consumeError(one.kernel.takeError());
      continue;
    }
    std::string progress =
        llvm::formatv("{0}/{1}", number + 1, compiled.size());
    if (Error error = tryOne(std::move(one), progress))
      return error;
  }
  return Error::success();
}

/// Goes on with the best of an earlier run.
Error Tuner::takeUp(ArrayRef<TuningTrial> known) {
  const TuningTrial *winner = nullptr;
  for (const TuningTrial &trial : known)
    if (trial.verdict == "ok" && (!winner || trial.ratio < winner->ratio))
      winner = &trial;
  if (!known.empty())
    llvm::errs() << "tune  " << known.size()
                 << " schedules are in the database already\n";
  if (!winner)
    return Error::success();
  Expected<std::unique_ptr<Kernel>> made = make(winner->schedule);
  if (!made)
    return made.takeError();
  best = std::move(*made);
  bestSchedule = winner->schedule;
  bestRatio = winner->ratio;
  return Error::success();
}

/// A winner must win against the default once more, from the start: it was the
/// best of several, and the best of several is lucky.
Error Tuner::record(llvm::raw_ostream &output) {
  // The end of the time does not take the result away.
  DuelRules full = rules;
  full.isStopped = nullptr;
  Duel duel;
  if (best) {
    Expected<std::string> wrong = contest->check(*best);
    if (!wrong)
      return wrong.takeError();
    full.fewest = full.fewestToLose = 9;
    Expected<Duel> last = contest->compare(*baseline, *best, full);
    if (!last)
      return last.takeError();
    duel = *last;
    if (!wrong->empty() || !duel.isWon(full)) {
      best.reset();
      bestSchedule.clear();
    }
  }
  if (!best) {
    Expected<Duel> same = contest->compare(*baseline, *baseline, full);
    if (!same)
      return same.takeError();
    duel = *same;
    duel.ratio = 1;
    duel.seconds = duel.otherSeconds;
    bestSchedule = call->model.getScheduleText(call->getChosen());
  }
  TuningRecord made{call->model.getKey(),
                    bestSchedule,
                    duel.seconds,
                    best ? duel.seconds / duel.ratio : duel.seconds,
                    call->model.getTokens(),
                    call->model.getFunctionName().str(),
                    formatDims(contest->getDims(), ","),
                    getCompilerBuild().str()};
  if (database) {
    Expected<bool> stored = database->put(made);
    if (!stored)
      return stored.takeError();
    if (!*stored)
      llvm::errs() << "tune  the database has a better record, which stays\n";
  }
  output << llvm::formatv(
      "{0}  {1}  {2}  {3:f3} ms  {4:f3} of the default{5}\n", made.name,
      made.key.bucket, made.schedule, 1e3 * made.seconds, made.getRatio(),
      best ? "" : " (the default is the best)");
  return Error::success();
}

Error Tuner::tune(const Dims &dims, llvm::raw_ostream &output) {
  if (Error error = prepare(dims))
    return error;
  if (candidates.empty()) {
    output << call->model.getFunctionName() << "  has nothing to choose\n";
    return Error::success();
  }
  std::vector<TuningTrial> known;
  if (database) {
    Expected<std::vector<TuningTrial>> trials =
        database->getTrials(call->model.getKey());
    if (!trials)
      return trials.takeError();
    known = std::move(*trials);
  }
  std::vector<const RankedSchedule *> selected = selectCandidates(known);
  llvm::errs() << llvm::formatv(
      "tune  {0} {1}: {2} schedules can be run, {3} are tried\n",
      call->model.getFunctionName(), formatDims(contest->getDims(), ","),
      candidates.size(), selected.size());
  if (Error error = addDefinition())
    return error;
  if (Error error = takeUp(known))
    return error;
  if (Error error = tryAll(compileAll(selected)))
    return error;
  return record(output);
}

Error Tuner::measureAll(const Dims &dims, llvm::raw_ostream &output) {
  if (Error error = prepare(dims))
    return error;
  std::vector<const RankedSchedule *> all;
  for (const RankedSchedule &candidate : candidates)
    all.push_back(&candidate);
  // All rounds of each: slow points are of interest too. With single calls the
  // shortest of them are free of what other programs do.
  rules.fewest = rules.most = rules.fewestToLose = 9;
  rules.sliceSeconds = 0;
  rules.ofProcessor = options.threads == 1;
  std::string chosen = call->getChosen();
  for (Compiled &one : compileAll(all)) {
    const RankedSchedule &candidate = *one.candidate;
    if (!one.kernel)
      return one.kernel.takeError();
    Expected<Duel> duel = contest->compare(*baseline, **one.kernel, rules);
    if (!duel)
      return duel.takeError();
    llvm::json::Object line{{"schedule", candidate.point},
                            {"ratio", duel->shortestRatio},
                            {"seconds", duel->seconds},
                            {"predicted", candidate.prediction.seconds}};
    if (candidate.point == chosen)
      line["default"] = true;
    output << llvm::json::Value(std::move(line)) << "\n";
    output.flush();
  }
  return Error::success();
}
