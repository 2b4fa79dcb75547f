//===- attn-tune.cpp - Find good schedules for a spec ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See docs/tuning.md. Progress goes to standard error, results to standard
// output.
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaGpu.h"
#include "tools/attn-tune/Calibrate.h"
#include "tools/attn-tune/Report.h"
#include "tools/attn-tune/SimulatedRanking.h"
#include "tools/attn-tune/Tuner.h"
#include "tools/support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
#include <chrono>
#include <csignal>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using Clock = std::chrono::steady_clock;

/// Set by Ctrl-C. The second one ends the process at once, which harms nothing.
static volatile std::sig_atomic_t interrupted = 0;

static void interrupt(int) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static Error calibrateHere() {
  Expected<Machine> machine = calibrate();
  if (!machine)
    return machine.takeError();
  std::string path = getMachinePath();
  if (Error error = writeMachine(path, *machine))
    return error;
  llvm::outs() << describeMachine(*machine) << "written to  " << path << "\n";
  return Error::success();
}

static Error importRecords(TuningDatabase &database, StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
  if (!buffer)
    return makeError("'{0}': cannot read: {1}", path,
                     buffer.getError().message());
  Expected<int64_t> count = database.importText((*buffer)->getBuffer(), path);
  if (!count)
    return count.takeError();
  llvm::outs() << "imported    " << *count << " records\n";
  return Error::success();
}

static Error mergeRecords(TuningDatabase &database, StringRef path) {
  auto other = TuningDatabase::open(path, TuningDatabase::Mode::Read);
  if (!other)
    return other.takeError();
  Expected<int64_t> count = database.merge(*other);
  if (!count)
    return count.takeError();
  llvm::outs() << "merged      " << *count << " records\n";
  return Error::success();
}

/// What is done with the database alone.
static Error manage(const TuneOptions &options, TuningDatabase &database) {
  if (!options.merge.empty())
    if (Error error = mergeRecords(database, options.merge))
      return error;
  if (!options.importFrom.empty())
    if (Error error = importRecords(database, options.importFrom))
      return error;
  if (!options.exportTo.empty()) {
    Expected<std::string> text = database.exportText();
    if (!text)
      return text.takeError();
    if (Error error = writeOutput(options.exportTo, *text))
      return error;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Tuning
//===----------------------------------------------------------------------===//

/// Prints the ranking of a GPU that is not here, or the terms of the model.
static Error rankOnly(const TuneOptions &options, const Dims &dims) {
  Expected<ModelledCall> call =
      ModelledCall::create(*options.input, options, dims);
  if (!call)
    return call.takeError();
  if (!options.explain)
    return rankBySimulator(llvm::outs(), options, *call, dims,
                           [] { return bool(interrupted); });
  printRanking(llvm::outs(), *call, options.explain);
  return Error::success();
}

/// Whether the kernels of the target run here.
static bool runsHere(const TuneOptions &options) {
  if (!StringRef(options.input->options.target).starts_with("cuda"))
    return true;
  return options.device.empty() && bool(CudaGpu::open(0));
}

/// What is left of the time, spread evenly over what is left of the sizes.
namespace {
class Budget {
public:
  explicit Budget(double seconds) : end(Clock::now() + toDuration(seconds)) {}

  void begin(size_t left) {
    auto now = Clock::now();
    turn = now + (end - now) / int64_t(std::max<size_t>(left, 1));
  }
  bool isOver() const { return Clock::now() >= turn; }

private:
  static Clock::duration toDuration(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(seconds));
  }
  Clock::time_point end, turn;
};
} // namespace

static Error measureAll(const TuneOptions &options, Tuner &tuner) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (const Dims &dims : options.dims)
    if (Error error = tuner.measureAll(dims, stream))
      return error;
  return writeOutput(options.exhaustive, text);
}

static Error tuneAll(const TuneOptions &options, TuningDatabase *database) {
  Budget budget(options.budgetSeconds);
  bool isExhaustive = !options.exhaustive.empty();
  Tuner tuner(options, *options.input, database, getMakeKernel(*options.input),
              [&, isExhaustive] {
                return interrupted || (!isExhaustive && budget.isOver());
              });
  if (isExhaustive)
    return measureAll(options, tuner);
  for (size_t n = 0; n < options.dims.size() && !interrupted; ++n) {
    budget.begin(options.dims.size() - n);
    if (Error error = tuner.tune(options.dims[n], llvm::outs()))
      return error;
    llvm::outs().flush();
  }
  if (interrupted)
    llvm::errs() << "tune  interrupted; the same command goes on from here\n";
  return Error::success();
}

static Error run(const TuneOptions &options) {
  if (options.calibrate)
    if (Error error = calibrateHere())
      return error;
  bool isRanking = options.input && !options.report &&
                   (options.explain || !runsHere(options));
  if (isRanking) {
    if (!options.explain)
      llvm::outs() << "no device of target '" << options.input->options.target
                   << "' here: ranked by the model and by what a simulator "
                      "counts, nothing is recorded\n";
    for (const Dims &dims : options.dims)
      if (Error error = rankOnly(options, dims))
        return error;
    return Error::success();
  }
  std::optional<TuningDatabase> database;
  if (!options.database.empty()) {
    bool isRead =
        !options.input && options.merge.empty() && options.importFrom.empty();
    auto opened = TuningDatabase::open(options.database,
                                       isRead || options.report
                                           ? TuningDatabase::Mode::Read
                                           : TuningDatabase::Mode::Write);
    if (!opened)
      return opened.takeError();
    database.emplace(std::move(*opened));
    if (Error error = manage(options, *database))
      return error;
  }
  if (options.report)
    return report(options, *database);
  return options.input ? tuneAll(options, database ? &*database : nullptr)
                       : Error::success();
}

int main(int argc, char **argv) {
  std::signal(SIGINT, interrupt);
  // A limit of file sizes is an error of the write, not the end.
  std::signal(SIGXFSZ, SIG_IGN);
  Expected<TuneOptions> options = parseTuneOptions(argc, argv);
  if (!options)
    return reportError(argv[0], options.takeError());
  if (Error error = run(*options)) {
    llvm::outs().flush();
    return reportError(argv[0], std::move(error));
  }
  constexpr int ofInterrupt = 130;
  return interrupted ? ofInterrupt : 0;
}
