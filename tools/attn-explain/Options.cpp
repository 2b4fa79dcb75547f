//===- Options.cpp - The command line of attn-explain ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-explain/Options.h"
#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/support/ArgumentFlags.h"
#include "tools/support/CommandLine.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
namespace cl = llvm::cl;

namespace {
/// The options. Numbers are strings, so that the messages about them are ours.
struct Flags {
  cl::OptionCategory data{"Sizes and captured data"};
  cl::OptionCategory output{"Output"};

  KernelFlags kernel;

  cl::opt<std::string> dims{
      "dims", cl::value_desc("B=2,H=8,N=1024"),
      cl::desc("Sizes by name; others are those of files or the spec's "
               "defaults"),
      cl::cat(data)};
  ArgumentFlags arguments{data};
  cl::opt<bool> exact{
      "exact", cl::ValueDisallowed,
      cl::desc("Evaluate the mask for every pair, and compare the classes of "
               "all blocks with it; the exit status is 1 if one is wrong"),
      cl::cat(data)};

  cl::opt<std::string> svg{"svg", cl::value_desc("FILE"),
                           cl::desc("Write a picture of the blocks"),
                           cl::cat(output)};
  cl::opt<bool> json{"json", cl::ValueDisallowed,
                     cl::desc("Print JSON instead of text"), cl::cat(output)};
  cl::opt<std::string> candidates{
      "candidates", cl::init("5"), cl::value_desc("N"),
      cl::desc("How many schedules that were not chosen are listed; default 5"),
      cl::cat(output)};
};
} // namespace

static Error parseData(const Flags &flags, ExplainOptions &options) {
  if (flags.dims.getNumOccurrences()) {
    Expected<Dims> dims = parseDims(flags.dims);
    if (!dims)
      return dims.takeError();
    options.dims = std::move(*dims);
  }
  return flags.arguments.parse(options.arguments, options.fill);
}

Expected<ExplainOptions> attn::parseOptions(int argc, char **argv) {
  forgetOptions();
  static Flags flags; // The registry of options keeps pointers into it.
  if (Error error = parseCommandLine(
          argc, argv,
          "Tells what the compiler finds in a spec and decides about it.\n",
          {&flags.kernel.category, &flags.data, &flags.output}))
    return error;
  ExplainOptions options;
  if (Error error = parseData(flags, options))
    return error;
  if (Error error = readInteger(flags.candidates, 0, 1000, options.candidates))
    return error;
  options.svg = flags.svg;
  options.json = flags.json;
  options.exact = flags.exact;
  if (flags.svg.getNumOccurrences() && flags.svg.empty())
    return makeError("--svg: expected a file, got nothing");
  if (flags.kernel.dumpPhases.getNumOccurrences())
    return makeError("--dump-phases: expected attn-compile or attn-run, which "
                     "write phases");
  Expected<CompileInput> input = parseKernelFlags(flags.kernel);
  if (!input)
    return input.takeError();
  options.input = std::move(*input);
  CallSizes sizes(options.dims.begin(), options.dims.end());
  Expected<std::string> origin =
      applyTuning(options.input, getTuningDatabase(flags.kernel), &sizes);
  if (!origin)
    return origin.takeError();
  options.isTuned = isRecord("attn-explain", *origin);
  return options;
}
