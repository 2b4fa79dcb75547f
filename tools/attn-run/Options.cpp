//===- Options.cpp - The command line of attn-run -------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/Options.h"
#include "tools/attn-run/RunnablePackage.h"
#include "tools/support/ArgumentFlags.h"
#include "tools/support/CommandLine.h"
#include "tools/support/KernelFlags.h"
#include "llvm/Support/CommandLine.h"
#include <cstdint>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

namespace {
/// The options. Numbers are strings, so that the messages about them are ours.
struct Flags {
  cl::OptionCategory data{"Arguments and results"};
  cl::OptionCategory running{"Running and measuring"};
  cl::OptionCategory checking{"Checking"};

  KernelFlags kernel;

  cl::list<std::string> dims{
      "dims", cl::value_desc("B=2,H=8,N=1024"),
      cl::desc("Sizes by name; repeat it to run the same kernel on several "
               "sizes. Others are those of files or the spec's defaults"),
      cl::cat(data)};
  ArgumentFlags arguments{data};
  cl::list<std::string> saves{
      "save", cl::value_desc("NAME=FILE.npy"),
      cl::desc("Write a result to a file; bf16 becomes float32"),
      cl::cat(data)};
  cl::opt<std::string> layout{
      "layout", cl::init("bhnd"), cl::value_desc("bhnd|bnhd"),
      cl::desc("Order in memory of arguments and results [B, H, N, D]; "
               "default bhnd"),
      cl::cat(data)};

  cl::opt<std::string> threads{
      "threads", cl::init("0"), cl::value_desc("T"),
      cl::desc("Threads; 0, the default, uses all cores"), cl::cat(running)};
  cl::opt<std::string> repeat{"repeat", cl::value_desc("R"),
                              cl::desc("Time R calls after one that warms up"),
                              cl::cat(running)};
  cl::opt<bool> simulate{
      "simulate", cl::ValueDisallowed,
      cl::desc("Run the kernels of a cuda target on the CPU, thread by thread, "
               "and check every access"),
      cl::cat(running)};
  cl::opt<std::string> copies{
      "copies", cl::init("issue"), cl::value_desc("issue|wait"),
      cl::desc(
          "With --simulate: when asynchronous copies take effect, as early "
          "or as late as they may; default issue"),
      cl::cat(running)};
  cl::opt<std::string> counters{
      "counters", cl::value_desc("FILE.json"),
      cl::desc("With --simulate: write what was counted for each op of each "
               "launch"),
      cl::cat(running)};
  cl::opt<bool> probe{
      "probe", cl::ValueDisallowed,
      cl::desc("Measure the FMA peak before each timed call and print the "
               "share that the kernel reaches"),
      cl::cat(running)};
  cl::opt<bool> memory{"memory", cl::ValueDisallowed,
                       cl::desc("Print how much memory the first call adds"),
                       cl::cat(running)};
  cl::opt<bool> inPlace{
      "in-place", cl::ValueDisallowed,
      cl::desc("Give results that may be computed in place of an argument its "
               "memory; results are those of a call from the given arguments"),
      cl::cat(running)};

  cl::opt<bool> check{
      "check", cl::ValueDisallowed,
      cl::desc("Compare the results with the float64 definition; the exit "
               "status is 1 if one is over tolerance"),
      cl::cat(checking)};
  cl::opt<bool> checkPhases{
      "check-phases", cl::ValueDisallowed,
      cl::desc("Run the IR after each phase by plain loops and compare it with "
               "the definition"),
      cl::cat(checking)};
};
} // namespace

static Error parseData(const Flags &flags, RunOptions &options) {
  Expected<std::vector<Dims>> dims = parseAllDims(flags.dims);
  if (!dims)
    return dims.takeError();
  options.dims = std::move(*dims);
  if (Error error = flags.arguments.parse(options.arguments, options.fill))
    return error;
  auto parsedSaves = parseNamedFiles("save", flags.saves);
  if (!parsedSaves)
    return parsedSaves.takeError();
  options.results = std::move(*parsedSaves);
  if (!options.results.empty() && options.dims.size() > 1)
    return makeError("--save: expected one --dims, got {0}",
                     options.dims.size());
  StringRef layout = flags.layout;
  if (layout != "bhnd" && layout != "bnhd")
    return makeError("--layout: expected bhnd or bnhd, got '{0}'", layout);
  options.fill.layout = layout == "bnhd" ? Layout::Bnhd : Layout::Bhnd;
  return Error::success();
}

static Error parseRunning(const Flags &flags, RunOptions &options) {
  if (Error error = readInteger(flags.threads, 0, 1024, options.threads))
    return error;
  if (flags.repeat.getNumOccurrences())
    if (Error error = readInteger(flags.repeat, 1, 1000000, options.repeat))
      return error;
  options.probe = flags.probe;
  options.memory = flags.memory;
  options.inPlace = flags.inPlace;
  options.check = flags.check;
  options.checkPhases = flags.checkPhases;
  return Error::success();
}

/// Options that make no sense with every target.
static Error checkTargetOptions(const RunOptions &options) {
  StringRef target = options.input.options.target;
  bool isGpu = isGpuTarget(target);
  if (options.simulate && !isGpu)
    return makeError("--simulate: expected a cuda target, got '{0}'", target);
  if (options.simulate && target == "cuda")
    return makeError("--simulate: expected a cuda target with an architecture, "
                     "as cuda:sm_80, got 'cuda'");
  if (isGpu && options.checkPhases)
    return makeError("--check-phases: expected a cpu target, got '{0}'",
                     target);
  for (auto [name, isGiven] :
       {std::pair("probe", options.probe), std::pair("memory", options.memory),
        std::pair("in-place", options.inPlace)})
    if (isGpu && !options.simulate && isGiven)
      return makeError("--{0}: expected a cpu target, got '{1}'", name, target);
  return Error::success();
}

Expected<RunOptions> attn::parseOptions(int argc, char **argv) {
  forgetOptions();
  static Flags flags; // The registry of options keeps pointers into it.
  if (Error error = parseCommandLine(
          argc, argv,
          "Compiles an attention spec, runs it, checks and times it.\n",
          {&flags.kernel.category, &flags.data, &flags.running,
           &flags.checking}))
    return error;
  RunOptions options;
  if (Error error = parseData(flags, options))
    return error;
  if (Error error = parseRunning(flags, options))
    return error;
  Expected<CompileInput> input =
      parseKernelFlags(flags.kernel, /*hasDevice=*/true);
  if (!input)
    return input.takeError();
  options.input = std::move(*input);
  options.database = getTuningDatabase(flags.kernel);
  options.simulate = flags.simulate;
  options.counters = flags.counters;
  if (flags.copies != "issue" && flags.copies != "wait")
    return makeError("--copies: expected 'issue' or 'wait', got '{0}'",
                     flags.copies.getValue());
  if (flags.copies.getNumOccurrences() && !options.simulate)
    return makeError("--copies: expected --simulate beside it");
  options.lateCopies = flags.copies == "wait";
  if (flags.counters.getNumOccurrences() && !options.simulate)
    return makeError("--counters: expected --simulate beside it");
  if (Error error = checkTargetOptions(options))
    return error;
  return options;
}
