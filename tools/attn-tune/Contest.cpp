//===- Contest.cpp - Check and time kernels against each other ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Contest.h"
#include "runtime/DimName.h"
#include "tools/attn-run/RunnablePackage.h"
#include "tools/support/CommandLine.h"
#include "tools/support/Measure.h"
#include <cmath>
#include <ctime>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// Tokens along the axes of short sequences, of one axis and of several.
static constexpr int64_t kShort = 150, kShortAxis = 20;

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

/// Seconds since some moment.
static double getTime(const DuelRules &rules) {
  timespec time;
  clock_gettime(rules.ofProcessor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
                &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// Seconds of a call, of several in a row.
static Expected<double> timeSlice(Call call, int64_t calls,
                                  const DuelRules &rules) {
  double start = getTime(rules);
  for (int64_t n = 0; n < calls; ++n)
    if (Error error = call())
      return error;
  return (getTime(rules) - start) / double(calls);
}

/// How many calls make a slice.
static int64_t countCalls(double seconds, const DuelRules &rules) {
  constexpr double most = 10000;
  double calls = std::ceil(rules.sliceSeconds / std::max(seconds, 1e-9));
  return int64_t(std::clamp(calls, 1.0, most));
}

Expected<Duel> attn::compareCalls(Call other, Call call,
                                  const DuelRules &rules) {
  Expected<double> warm = timeSlice(call, 1, rules),
                   otherWarm = timeSlice(other, 1, rules);
  if (!warm || !otherWarm)
    return llvm::joinErrors(warm.takeError(), otherWarm.takeError());
  int64_t calls = countCalls(*warm, rules),
          otherCalls = countCalls(*otherWarm, rules);
  std::vector<double> ratios, times, otherTimes;
  Expected<double> before = timeSlice(other, otherCalls, rules);
  if (!before)
    return before.takeError();
  Duel duel;
  while (duel.rounds < rules.most && !(rules.isStopped && rules.isStopped())) {
    Expected<double> own = timeSlice(call, calls, rules);
    if (!own)
      return own.takeError();
    Expected<double> after = timeSlice(other, otherCalls, rules);
    if (!after)
      return after.takeError();
    ratios.push_back(*own / ((*before + *after) / 2));
    times.push_back(*own);
    otherTimes.push_back(*after);
    before = std::move(after);
    duel.rounds = int64_t(ratios.size());
    duel.ratio = getQuantile(ratios, 0.5);
    duel.low = getQuantile(ratios, 0.25);
    duel.high = getQuantile(ratios, 0.75);
    bool isLost = duel.rounds >= rules.fewestToLose && duel.low > 1;
    bool isWon = duel.rounds >= rules.fewest && duel.high < 1 - rules.margin;
    if (isLost || isWon)
      break;
  }
  if (!times.empty())
    duel.shortestRatio =
        *llvm::min_element(times) / *llvm::min_element(otherTimes);
  duel.seconds = times.empty() ? 0 : getQuantile(times, 0.5);
  duel.otherSeconds = otherTimes.empty() ? 0 : getQuantile(otherTimes, 0.5);
  return duel;
}

//===----------------------------------------------------------------------===//
// Contests
//===----------------------------------------------------------------------===//

/// A kernel that is ready to be called again and again.
namespace {
struct Entrant {
  std::vector<Buffer> inputs, outputs;
  const Kernel *kernel = nullptr;
  std::unique_ptr<GpuCall> onGpu;
  int threads = 0;

  static Expected<Entrant> create(const Kernel &kernel, const Arrays &inputs,
                                  const Arrays &outputs, int threads);
  Error call() {
    return onGpu ? onGpu->run() : kernel->launch(inputs, outputs, {threads});
  }
};
} // namespace

Expected<Entrant> Entrant::create(const Kernel &kernel, const Arrays &inputs,
                                  const Arrays &outputs, int threads) {
  Entrant entrant{getBuffers(inputs), getBuffers(outputs), &kernel, nullptr,
                  threads};
  // Only packages run on GPUs; others are those of this CPU.
  auto *package = dynamic_cast<const RunnablePackage *>(&kernel);
  if (!package)
    return entrant;
  auto prepared =
      GpuCall::prepare(package->getLoaded(), entrant.inputs, entrant.outputs);
  if (!prepared)
    return prepared.takeError();
  entrant.onGpu = std::move(*prepared);
  return entrant;
}

Error Contest::launch(const Kernel &kernel, const Arrays &inputs,
                      Arrays &outputs) const {
  Expected<Entrant> entrant = Entrant::create(kernel, inputs, outputs, threads);
  if (!entrant)
    return entrant.takeError();
  if (Error error = entrant->call())
    return error;
  return entrant->onGpu ? entrant->onGpu->fetch() : Error::success();
}

Expected<Contest> Contest::create(const Kernel &baseline, Dims dims,
                                  int threads) {
  Contest contest;
  contest.dims = std::move(dims);
  contest.threads = threads;
  Expected<Arrays> arguments =
      makeArguments(baseline.arguments(), contest.dims, {}, ArgumentOptions());
  if (!arguments)
    return arguments.takeError();
  contest.arguments = std::move(*arguments);
  for (Arrays *arrays : {&contest.expected, &contest.results}) {
    Expected<Arrays> made = makeResults(baseline, contest.arguments);
    if (!made)
      return made.takeError();
    *arrays = std::move(*made);
  }
  for (const Port &port : baseline.results())
    contest.names.push_back(port.name);
  if (Error error =
          contest.launch(baseline, contest.arguments, contest.expected))
    return std::move(error);
  return contest;
}

Error Contest::addDefinition(const CompileInput &input, const Kernel &baseline,
                             llvm::ArrayRef<std::string> lengths) {
  Dims brief = dims;
  int64_t most = lengths.size() > 2   ? kShortAxis / 2
                 : lengths.size() > 1 ? kShortAxis
                                      : kShort;
  for (const std::string &name : lengths)
    if (auto it = brief.find(name); it != brief.end() && it->second > most) {
      growth *= double(it->second) / double(most);
      it->second = most;
    }
  growth = std::sqrt(growth);
  Expected<Checker> checker = Checker::create(input);
  if (!checker)
    return checker.takeError();
  Expected<Arrays> made =
      makeArguments(baseline.arguments(), brief, {}, ArgumentOptions());
  if (!made)
    return made.takeError();
  shortArguments = std::move(*made);
  Expected<Definition> evaluated = checker->evaluate(shortArguments);
  if (!evaluated)
    return evaluated.takeError();
  definition = std::move(*evaluated);
  Expected<std::string> wrong = check(baseline);
  if (!wrong)
    return wrong.takeError();
  if (!wrong->empty())
    return makeError("the default schedule gives wrong results ({0}); nothing "
                     "can be tuned against it",
                     *wrong);
  return Error::success();
}

/// "out[0, 3, 2]: expected 1.25, got 1.5, tolerance 1e-06".
static std::string describe(const Comparison &comparison, StringRef against) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "'" << comparison.name << "' differs from " << against << " by "
         << llvm::format("%.3g", comparison.error) << ", allowed are "
         << llvm::format("%.3g", comparison.tolerance);
  if (comparison.worst >= 0)
    stream << ", at " << formatSizes(comparison.coordinates);
  return text;
}

Expected<std::string> Contest::check(const Kernel &kernel) {
  if (definition) {
    Expected<Arrays> outputs = makeResults(kernel, shortArguments);
    if (!outputs)
      return outputs.takeError();
    if (Error error = launch(kernel, shortArguments, *outputs))
      return std::move(error);
    for (auto [name, result, reference, naive] :
         llvm::zip(definition->names, *outputs, definition->reference,
                   definition->naiveErrors))
      if (Comparison of = compareResult(name, result, reference, naive); !of.ok)
        return describe(of, "the definition");
  }
  Expected<Arrays> fresh = makeResults(kernel, arguments);
  if (!fresh)
    return fresh.takeError();
  results = std::move(*fresh);
  if (Error error = launch(kernel, arguments, results))
    return std::move(error);
  // Both may be wrong by their tolerance, in two directions.
  for (auto [number, name] : llvm::enumerate(names)) {
    double naive = definition ? definition->naiveErrors[number] : 0;
    Comparison of = compareResult(name, results[number], expected[number],
                                  2 * growth * naive);
    of.tolerance *= 2;
    if (of.error > of.tolerance)
      return describe(of, "the default schedule's result");
  }
  return std::string();
}

Expected<Duel> Contest::compare(const Kernel &other, const Kernel &kernel,
                                const DuelRules &rules) {
  Expected<Entrant> first = Entrant::create(other, arguments, results, threads);
  if (!first)
    return first.takeError();
  Expected<Entrant> second =
      Entrant::create(kernel, arguments, results, threads);
  if (!second)
    return second.takeError();
  return compareCalls([&] { return first->call(); },
                      [&] { return second->call(); }, rules);
}
