//===- attn-compile.cpp - Translate a spec to any stage -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes the form that a spec has after a stage of the compiler: text to
// standard output or a file, code to a file. See docs/tools.md for the options.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/JitConfig.h"
#include "tools/support/CommandLine.h"
#include "tools/support/KernelFlags.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

namespace {
/// The options.
struct Flags {
  cl::OptionCategory output{"Output"};

  KernelFlags kernel;

  cl::opt<std::string> stage{
      "emit", cl::init("so"), cl::value_desc("STAGE"),
      cl::desc("attn, tile, vector, llvm (MLIR after these stages), llvm-ir, "
               "asm, object, so (a shared object) or package; for cuda targets "
               "ptx or cubin; default so"),
      cl::cat(output)};
  cl::opt<std::string> path{
      "o", cl::init("-"), cl::value_desc("FILE"),
      cl::desc("Output file; the default, '-', is standard output and takes "
               "text only"),
      cl::cat(output)};
  cl::opt<bool> showConfig{
      "show-config",
      cl::desc("Print where the just-in-time compiler keeps kernels, and who "
               "says so"),
      cl::cat(output)};
};

/// A value of --emit.
struct StageName {
  StringRef name;
  Stage stage;
  bool isText;
  bool isPackage = false; ///< The shared object, in a package.
};
} // namespace

static Expected<StageName> parseStage(StringRef name) {
  static constexpr StageName stages[] = {
      {"attn", Stage::Attn, true},
      {"tile", Stage::Tile, true},
      {"vector", Stage::Vector, true},
      {"llvm", Stage::Llvm, true},
      {"llvm-ir", Stage::LlvmIr, true},
      {"asm", Stage::Assembly, true},
      {"object", Stage::Object, false},
      {"so", Stage::SharedObject, false},
      {"ptx", Stage::Ptx, true},
      {"cubin", Stage::Cubin, false},
      {"package", Stage::SharedObject, false, true}};
  for (const StageName &stage : stages)
    if (stage.name == name)
      return stage;
  std::string expected =
      llvm::join(llvm::map_range(
                     stages, [](const StageName &stage) { return stage.name; }),
                 ", ");
  bool isKnown = name == "hsaco";
  return makeError("--emit={0} is not {1} of this build; expected {2}", name,
                   isKnown ? "supported by the targets" : "an output",
                   expected);
}

/// The targets of a package, of which --target then keeps the first.
static Expected<std::vector<std::string>> splitTargets(KernelFlags &flags) {
  std::vector<std::string> targets;
  for (StringRef target : llvm::split(flags.target.getValue(), ',')) {
    if (Error error = checkTarget(target))
      return std::move(error);
    if (llvm::is_contained(targets, target))
      return makeError("--target: '{0}' is given twice", target);
    targets.push_back(target.str());
  }
  flags.target = targets.front();
  return targets;
}

/// The options for each target, with the schedule that the database, if there
/// is one, has for it. Says on standard error where each schedule is from.
static Expected<std::vector<CompileOptions>>
tuneTargets(const CompileInput &input, const std::vector<std::string> &targets,
            StringRef database) {
  std::vector<CompileOptions> all;
  for (const std::string &target : targets) {
    CompileInput own = input;
    own.options.target = target;
    Expected<std::string> origin = applyTuning(own, database);
    if (!origin)
      return origin.takeError();
    if (!origin->empty())
      llvm::errs() << "attn-compile: schedule of " << target << ": " << *origin
                   << "\n";
    all.push_back(std::move(own.options));
  }
  return all;
}

/// Prints what contexts of attn_jit.h would resolve in this environment.
static Error showConfig() {
  Result<JitConfig> config = JitConfig::resolve(nullptr);
  if (!config)
    return makeError("{0}", config.takeStatus().getMessage());
  Expected<std::string> cpu = describeTarget("cpu");
  if (!cpu)
    return cpu.takeError();
  llvm::outs() << config->toJson() << ",\n  \"cpu\": " << quoteJson(*cpu)
               << "\n}\n";
  return Error::success();
}

static Error run(int argc, char **argv) {
  forgetOptions();
  static Flags flags; // The registry of options keeps pointers into it.
  if (Error error = parseCommandLine(
          argc, argv, "Translates an attention spec to any stage.\n",
          {&flags.kernel.category, &flags.output}))
    return error;
  if (flags.showConfig)
    return showConfig();
  Expected<StageName> stage = parseStage(flags.stage);
  if (!stage)
    return stage.takeError();
  if (!stage->isText && flags.path == "-")
    return makeError("--emit={0}: expected -o FILE for binary output, got none",
                     stage->name);
  std::vector<std::string> targets;
  if (stage->isPackage) {
    auto split = splitTargets(flags.kernel);
    if (!split)
      return split.takeError();
    targets = std::move(*split);
  }
  Expected<CompileInput> input = parseKernelFlags(flags.kernel);
  if (!input)
    return input.takeError();
  if (targets.empty())
    targets.push_back(input->options.target);
  auto tuned = tuneTargets(*input, targets, getTuningDatabase(flags.kernel));
  if (!tuned)
    return tuned.takeError();
  Expected<std::string> contents =
      stage->isPackage
          ? emitPackage(input->text, input->name, *tuned)
          : emit(input->text, input->name, tuned->front(), stage->stage);
  if (!contents)
    return contents.takeError();
  return writeOutput(flags.path, *contents);
}

int main(int argc, char **argv) {
  if (Error error = run(argc, argv))
    return reportError(argv[0], std::move(error));
  return 0;
}
