//===- attn-bench.cpp - Time the benchmarks of data files -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Hands the benchmarks of data files to Google Benchmark, which selects them by
// name, repeats and prints them. See docs/tools.md for files and counters.
//
//===----------------------------------------------------------------------===//

#include "tools/attn-bench/Catalogue.h"
#include "tools/attn-bench/Runner.h"
#include "tools/support/CommandLine.h"
#include "tools/support/KernelFlags.h"
#include "llvm/ADT/STLExtras.h"
#include <benchmark/benchmark.h>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

namespace {
/// The options that are our own.
struct Flags {
  cl::OptionCategory category{"Benchmarks"};

  cl::list<std::string> files{cl::Positional, cl::desc("FILE.json..."),
                              cl::cat(category)};
  cl::opt<std::string> rounds{
      "rounds", cl::init("10"), cl::value_desc("R"),
      cl::desc("Measure each benchmark R times, in turn with the probe of the "
               "machine; default 10"),
      cl::cat(category)};
  cl::opt<std::string> database{
      "db", cl::value_desc("FILE"),
      cl::desc("Database of tuned schedules; default: what the environment "
               "variable ATTN_TUNING_DB names, if anything"),
      cl::cat(category)};
};
} // namespace

static constexpr char kOverview[] =
    "Times compiled specs beside what the machine can do.\n\n"
    "Options of Google Benchmark are taken as well, among them\n"
    "  --benchmark_filter=REGEX       run the benchmarks whose name matches\n"
    "  --benchmark_list_tests         print the names, run nothing\n"
    "  --benchmark_format=json|csv    print in this form\n"
    "  --benchmark_out=FILE           write JSON to a file as well\n"
    "  --benchmark_repetitions=R      measure everything R times\n\n"
    "Counters: ratio is the share of the FMA peak that a kernel reaches or, "
    "for\n"
    "those that wait for memory, its GB/s over those of a copy.\n";

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

/// A member of the yardstick of every round.
static std::vector<double> getValues(const Rounds &rounds,
                                     double Yardstick::*member) {
  std::vector<double> values;
  for (const Yardstick &yard : rounds.yards)
    values.push_back(yard.*member);
  return values;
}

/// Sets NAME, NAME_p10 and NAME_p90 to the quantiles of the speeds of the
/// rounds over a member of their yardsticks; `work` is what a call does.
static void setRatios(benchmark::State &state, const std::string &name,
                      const Rounds &rounds, double work,
                      double Yardstick::*member) {
  std::vector<double> ratios;
  for (auto [seconds, yard] : llvm::zip_equal(rounds.seconds, rounds.yards))
    ratios.push_back(work * 1e-9 / seconds / (yard.*member));
  state.counters[name + "_p10"] = getQuantile(ratios, 0.1);
  state.counters[name] = getQuantile(ratios, 0.5);
  state.counters[name + "_p90"] = getQuantile(ratios, 0.9);
}

static void setCounters(benchmark::State &state, const Rounds &rounds,
                        Bound bound) {
  auto median = [&](double Yardstick::*member) {
    return getQuantile(getValues(rounds, member), 0.5);
  };
  double seconds = getQuantile(rounds.seconds, 0.5);
  state.counters["GFLOP/s"] = rounds.flops * 1e-9 / seconds;
  state.counters["GB/s"] = rounds.bytes * 1e-9 / seconds;
  if (bound == Bound::Compute) {
    state.counters["peak_GFLOP/s"] = median(&Yardstick::peak);
    setRatios(state, "ratio", rounds, rounds.flops, &Yardstick::peak);
    return;
  }
  state.counters["copy_GB/s"] = median(&Yardstick::peak);
  setRatios(state, "ratio", rounds, rounds.bytes, &Yardstick::peak);
  state.counters["read_GB/s"] = median(&Yardstick::read);
  setRatios(state, "read_ratio", rounds, rounds.bytes, &Yardstick::read);
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Runs a benchmark when Google Benchmark asks for it. It is told the median of
/// the rounds once for each round.
static Error measure(Runner &runner, const Benchmark &benchmark,
                     benchmark::State &state) {
  Expected<Rounds> rounds = runner.run(benchmark, state.max_iterations);
  if (!rounds)
    return makeError("{0}: {1}", benchmark.where,
                     llvm::toString(rounds.takeError()));
  double seconds = getQuantile(rounds->seconds, 0.5);
  for ([[maybe_unused]] auto round : state)
    state.SetIterationTime(seconds);
  setCounters(state, *rounds, benchmark.bound);
  state.SetLabel(rounds->schedule);
  return Error::success();
}

/// The program's name, and the arguments that are options of Google Benchmark,
/// or those that are not.
static std::vector<char *> selectArguments(int argc, char **argv,
                                           bool ofBenchmark) {
  std::vector<char *> selected = {argv[0]};
  for (char *argument : llvm::ArrayRef(argv, argc).drop_front())
    if (StringRef(argument).starts_with("--benchmark_") == ofBenchmark)
      selected.push_back(argument);
  return selected;
}

/// Reads both kinds of options; returns the number of rounds.
static Expected<int64_t> parseOptions(int argc, char **argv,
                                      std::vector<std::string> &files,
                                      std::string &database) {
  std::vector<char *> ours = selectArguments(argc, argv, false);
  std::vector<char *> theirs = selectArguments(argc, argv, true);
  forgetOptions();
  static Flags flags; // The registry of options keeps pointers into it.
  if (Error error = parseCommandLine(ours.size(), ours.data(), kOverview,
                                     {&flags.category}))
    return error;
  int count = theirs.size();
  benchmark::Initialize(&count, theirs.data());
  if (count > 1)
    return makeError("unknown option '{0}'; --help lists the options",
                     theirs[1]);
  if (flags.files.empty())
    return makeError("expected data files, got none");
  files = flags.files;
  const char *variable = std::getenv("ATTN_TUNING_DB");
  database = flags.database.getNumOccurrences() || !variable
                 ? flags.database.getValue()
                 : std::string(variable);
  return parseInteger(flags.rounds, "--rounds", 1, 1000000);
}

/// Gives a benchmark the schedule that is recorded for its sizes, if it states
/// none.
static Error takeTuned(Benchmark &benchmark, StringRef database) {
  CompileInput input{benchmark.specText, benchmark.specPath, benchmark.options};
  std::map<std::string, int64_t> sizes(benchmark.dims.begin(),
                                       benchmark.dims.end());
  Expected<std::string> origin = applyTuning(input, database, &sizes);
  if (!origin)
    return makeError("{0}: {1}", benchmark.where,
                     llvm::toString(origin.takeError()));
  (void)isRecord("attn-bench: " + benchmark.where, *origin);
  benchmark.options.schedule = input.options.schedule;
  return Error::success();
}

static Error run(int argc, char **argv) {
  std::vector<std::string> files;
  std::string database;
  Expected<int64_t> rounds = parseOptions(argc, argv, files, database);
  if (!rounds)
    return rounds.takeError();
  Expected<std::vector<Benchmark>> benchmarks = readCatalogue(files);
  if (!benchmarks)
    return benchmarks.takeError();
  for (Benchmark &benchmark : *benchmarks)
    if (Error error = takeTuned(benchmark, database))
      return error;
  if (benchmarks->empty())
    return makeError("expected a benchmark in the data files, got none");
  Runner runner;
  Error failure = Error::success();
  for (const Benchmark &benchmark : *benchmarks)
    benchmark::RegisterBenchmark(
        benchmark.name.c_str(),
        [&](benchmark::State &state) {
          if (Error error = measure(runner, benchmark, state)) {
            state.SkipWithError("failed");
            failure = llvm::joinErrors(std::move(failure), std::move(error));
          }
        })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(*rounds);
  if (benchmark::RunSpecifiedBenchmarks() == 0)
    failure = llvm::joinErrors(std::move(failure),
                               makeError("--benchmark_filter: expected a part "
                                         "of a benchmark's name, got '{0}'",
                                         benchmark::GetBenchmarkFilter()));
  benchmark::Shutdown();
  return failure;
}

int main(int argc, char **argv) {
  if (Error error = run(argc, argv))
    return reportError(argv[0], std::move(error));
  return 0;
}
