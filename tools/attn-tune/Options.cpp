//===- Options.cpp - The command line of attn-tune ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Options.h"
#include "tools/support/CommandLine.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

namespace {
/// The options. Numbers are strings, so that the messages about them are ours.
struct Flags {
  cl::OptionCategory tuning{"Tuning"};
  cl::OptionCategory data{"Database and machine"};

  KernelFlags kernel;

  cl::list<std::string> dims{
      "dims", cl::value_desc("B=2,H=8,N=1024"),
      cl::desc("Sizes to tune for; repeat it for several. Others are the "
               "spec's defaults"),
      cl::cat(tuning)};
  cl::opt<std::string> budget{
      "budget", cl::init("60"), cl::value_desc("SECONDS"),
      cl::desc("Stop after this time; default 60"), cl::cat(tuning)};
  cl::opt<std::string> candidates{
      "candidates", cl::init("8"), cl::value_desc("N"),
      cl::desc("Measure at most N schedules for each --dims; default 8"),
      cl::cat(tuning)};
  cl::opt<std::string> threads{
      "threads", cl::init("0"), cl::value_desc("T"),
      cl::desc("Threads of the calls; 0, the default, uses all cores"),
      cl::cat(tuning)};
  cl::opt<std::string> device{
      "device", cl::value_desc("NAME"),
      cl::desc("Rank for this GPU of the table, such as H200, if there is none "
               "here"),
      cl::cat(tuning)};
  cl::opt<bool> explain{
      "explain", cl::ValueDisallowed,
      cl::desc("Print the whole ranking of the model, and its terms for the "
               "default schedule and for the best; measure nothing"),
      cl::cat(tuning)};
  cl::opt<std::string> exhaustive{
      "exhaustive", cl::value_desc("FILE"),
      cl::desc("Measure all schedules that can be run and write the times to "
               "this file; nothing is recorded"),
      cl::cat(tuning)};

  cl::opt<bool> calibrate{
      "calibrate", cl::ValueDisallowed,
      cl::desc("Measure what this processor can do, for the model"),
      cl::cat(data)};
  cl::opt<bool> report{"report", cl::ValueDisallowed,
                       cl::desc("Print what the database has, for one spec or "
                                "for all"),
                       cl::cat(data)};
  cl::opt<std::string> svg{
      "svg", cl::value_desc("FILE"),
      cl::desc("With --report and a spec: draw predicted against measured "
               "times, and the roofline"),
      cl::cat(data)};
  cl::opt<std::string> exportTo{
      "export", cl::value_desc("FILE"),
      cl::desc("Write the records as lines of JSON; '-' is standard output"),
      cl::cat(data)};
  cl::opt<std::string> importFrom{
      "import", cl::value_desc("FILE"),
      cl::desc("Take records from lines of JSON, where they are better"),
      cl::cat(data)};
  cl::opt<std::string> merge{
      "merge", cl::value_desc("FILE"),
      cl::desc("Take the records of another database, where they are better"),
      cl::cat(data)};
};
} // namespace

static Error parseNumbers(const Flags &flags, TuneOptions &options) {
  if (Error error = readInteger(flags.budget, 1, 86400, options.budgetSeconds))
    return error;
  if (Error error = readInteger(flags.candidates, 1, 1000, options.candidates))
    return error;
  return readInteger(flags.threads, 0, 1024, options.threads);
}

/// Options that need others, or exclude them.
static Error checkTogether(const Flags &flags, const TuneOptions &options) {
  bool hasSpec = !flags.kernel.spec.empty();
  bool isOther = options.calibrate || options.report ||
                 !options.exportTo.empty() || !options.importFrom.empty() ||
                 !options.merge.empty();
  if (!hasSpec && !isOther)
    return makeError("expected one spec, or --calibrate, --report, --export, "
                     "--import or --merge");
  if (!options.svg.empty() && !(options.report && hasSpec))
    return makeError("--svg: expected --report and a spec beside it");
  if (!flags.kernel.schedule.getValue().empty())
    return makeError("--schedule: attn-tune looks for one; attn-run takes it");
  StringRef target = flags.kernel.target;
  if (target == "reference" || target == "naive")
    return makeError("target '{0}' has no schedules: expected a cpu or cuda "
                     "target",
                     target);
  bool needsDatabase =
      (hasSpec && !options.explain && options.exhaustive.empty() &&
       target.starts_with("cpu")) ||
      (isOther && !options.calibrate);
  if (needsDatabase && options.database.empty())
    return makeError("expected a database: --db=FILE, or the environment "
                     "variable ATTN_TUNING_DB");
  return Error::success();
}

Expected<TuneOptions> attn::parseTuneOptions(int argc, char **argv) {
  forgetOptions();
  static Flags flags; // The registry of options keeps pointers into it.
  if (Error error = parseCommandLine(
          argc, argv, "Finds good schedules for a spec on this machine.\n",
          {&flags.kernel.category, &flags.tuning, &flags.data}))
    return error;
  TuneOptions options;
  if (Error error = parseNumbers(flags, options))
    return error;
  options.database = getTuningDatabase(flags.kernel);
  options.device = flags.device;
  options.calibrate = flags.calibrate;
  options.report = flags.report;
  options.explain = flags.explain;
  options.svg = flags.svg;
  options.exhaustive = flags.exhaustive;
  options.exportTo = flags.exportTo;
  options.importFrom = flags.importFrom;
  options.merge = flags.merge;
  if (Error error = checkTogether(flags, options))
    return error;
  Expected<std::vector<Dims>> dims = parseAllDims(flags.dims);
  if (!dims)
    return dims.takeError();
  options.dims = std::move(*dims);
  if (flags.kernel.spec.empty())
    return options;
  Expected<CompileInput> input =
      parseKernelFlags(flags.kernel, /*hasDevice=*/false);
  if (!input)
    return input.takeError();
  options.input = std::move(*input);
  return options;
}
