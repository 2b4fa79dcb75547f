//===- attn-run.cpp - Compile, run, check and time a spec -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles the spec once and runs the kernel on every --dims. See docs/tools.md
// for the options.
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "tools/attn-run/Check.h"
#include "tools/attn-run/GpuCall.h"
#include "tools/attn-run/Options.h"
#include "tools/attn-run/PhaseCheck.h"
#include "tools/attn-run/RunnablePackage.h"
#include "tools/attn-run/WriteCounters.h"
#include "tools/support/CommandLine.h"
#include "tools/support/Measure.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace {
/// What is compiled once and used by all runs.
struct Session {
  RunOptions options;
  bool isPackage = false;
  bool isTuned = false; ///< The schedule is one of a database.
  std::unique_ptr<Kernel> kernel;
  /// The kernel, if it runs in the simulator.
  SimulatedKernel *simulated = nullptr;
  /// The kernel, if it runs on a GPU.
  RunnablePackage *onGpu = nullptr;
  /// The kernel whose arguments have the element types of the spec: the kernel
  /// itself, or the naive evaluation beside the reference, which takes float64.
  std::unique_ptr<Kernel> typed;
  ArgumentFiles files;
  std::optional<Checker> checker;
  PhaseKernels phases;
  /// For --counters: one entry per set of sizes.
  llvm::json::Array counted;

  const Kernel &getTyped() const { return typed ? *typed : *kernel; }
};
} // namespace

/// Prints "label       text".
static void printLine(StringRef label, const llvm::Twine &text) {
  llvm::outs() << llvm::formatv("{0,-12}{1}\n", label, text.str());
}

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

/// Every --save must name a result, and only once.
static Error checkResultNames(const Session &session) {
  auto names = llvm::map_to_vector(session.kernel->results(),
                                   [](const Port &port) { return port.name; });
  llvm::SmallVector<StringRef> seen;
  for (const auto &[name, path] : session.options.results) {
    if (!llvm::is_contained(names, name))
      return makeError("--save: unknown result '{0}'; expected {1}", name,
                       llvm::join(names, ", "));
    if (llvm::is_contained(seen, name))
      return makeError("--save: '{0}' is given twice", name);
    seen.push_back(name);
  }
  return Error::success();
}

/// Compiles for a target; the options are otherwise those of the user.
static Error compileFor(StringRef target, const RunOptions &options,
                        std::unique_ptr<Kernel> &kernel) {
  CompileOptions compileOptions = options.input.options;
  compileOptions.target = target;
  auto compiled =
      compile(options.input.text, options.input.name, compileOptions);
  if (!compiled)
    return compiled.takeError();
  kernel = std::move(*compiled);
  return Error::success();
}

/// Compiles the kernel for the simulator.
static Error compileSimulated(Session &session) {
  const CompileInput &input = session.options.input;
  auto compiled =
      SimulatedKernel::compile(input.text, input.name, input.options);
  if (!compiled)
    return compiled.takeError();
  session.simulated = compiled->get();
  if (session.options.lateCopies)
    session.simulated->setCopyOrder(sim::CopyOrder::AtWait);
  session.kernel = std::move(*compiled);
  return Error::success();
}

/// Compiles what the checks need.
static Error prepareChecks(Session &session) {
  const RunOptions &options = session.options;
  if (options.check || options.checkPhases) {
    Expected<Checker> checker = Checker::create(options.input);
    if (!checker)
      return checker.takeError();
    session.checker = std::move(*checker);
  }
  if (!options.checkPhases)
    return Error::success();
  Expected<PhaseKernels> phases = compilePhases(options.input);
  if (!phases)
    return phases.takeError();
  session.phases = std::move(*phases);
  return Error::success();
}

/// Looks for a tuned schedule. One kernel runs on all sizes; it gets what is
/// recorded for the largest of them, that is of the most tokens in all.
static Error findSchedule(Session &session) {
  RunOptions &options = session.options;
  auto getTokens = [](const Dims &dims) {
    double tokens = 1;
    for (const auto &[name, size] : dims)
      tokens *= double(size);
    return tokens;
  };
  const Dims &largest =
      *llvm::max_element(options.dims, [&](const Dims &a, const Dims &b) {
        return getTokens(a) < getTokens(b);
      });
  std::map<std::string, int64_t> sizes(largest.begin(), largest.end());
  // Sizes may be those of files: then they are not known yet.
  bool isKnown = options.arguments.empty();
  Expected<std::string> origin =
      applyTuning(options.input, options.database, isKnown ? &sizes : nullptr);
  if (!origin)
    return origin.takeError();
  session.isTuned = isRecord("attn-run", *origin);
  return Error::success();
}

/// Makes the kernel: compiles a spec or loads a package.
static Error prepareKernel(Session &session) {
  RunOptions &options = session.options;
  session.isPackage = isPackage(options.input.text);
  if (options.simulate && session.isPackage)
    return makeError("--simulate: expected a spec, got the package '{0}'",
                     options.input.name);
  if (!session.isPackage)
    if (Error error = findSchedule(session))
      return error;
  if (options.simulate)
    return compileSimulated(session);
  bool isGpu = isGpuTarget(options.input.options.target);
  if (!session.isPackage && !isGpu)
    return compileFor(options.input.options.target, options, session.kernel);
  auto kernel = session.isPackage
                    ? RunnablePackage::load(options.input)
                    : RunnablePackage::compileForGpu(options.input);
  if (!kernel)
    return kernel.takeError();
  session.onGpu = isGpu ? kernel->get() : nullptr;
  session.kernel = std::move(*kernel);
  if (options.input.text.empty() && (options.check || options.checkPhases))
    return makeError("--check: expected a package with its spec, got '{0}', "
                     "which has none",
                     options.input.name);
  return Error::success();
}

static Expected<Session> prepare(RunOptions parsed) {
  Session session;
  session.options = std::move(parsed);
  const RunOptions &options = session.options;
  if (Error error = prepareKernel(session))
    return error;
  if (options.input.options.target == "reference")
    if (Error error = compileFor("naive", options, session.typed))
      return error;
  if (Error error = checkResultNames(session))
    return error;
  auto files = ArgumentFiles::read(options.arguments, session.getTyped());
  if (!files)
    return files.takeError();
  session.files = std::move(*files);
  // Wrong sizes are reported before anything is computed.
  for (const Dims &dims : options.dims)
    if (auto resolved =
            resolveDims(*session.kernel, dims, session.files.getSizes());
        !resolved)
      return resolved.takeError();
  if (Error error = prepareChecks(session))
    return error;
  return session;
}

//===----------------------------------------------------------------------===//
// One run
//===----------------------------------------------------------------------===//

static Expected<Work> getWork(const Session &session, const Arrays &arguments,
                              const Arrays &results) {
  Expected<double> flops = session.kernel->flops(getBuffers(arguments));
  if (!flops)
    return flops.takeError();
  Work work;
  work.flops = *flops;
  work.bytes = getNumBytes(arguments) + getNumBytes(results);
  work.probe = session.options.probe;
  work.float64 = results.front().getType() == ElementType::F64;
  work.threads = getNumCores(session.options.threads);
  return work;
}

/// What the simulator counted in the last call.
static void printSimulation(const SimulatedKernel &kernel) {
  for (const auto &[name, report] : kernel.getReports()) {
    sim::Counters sum;
    for (const sim::SiteCounters &site : report.counters)
      sum += site.counters;
    printLine("simulated",
              llvm::formatv("{0}: {1} blocks, {2} ops, sectors {3} of at least "
                            "{4}, bank conflicts {5} of {6}, barriers {7}",
                            name, report.blocks, report.ops, sum.sectors,
                            sum.idealSectors, sum.conflicts, sum.wavefronts,
                            sum.barriers)
                  .str());
  }
}

/// With --in-place: results have a copy of the arguments that they replace, and
/// are given in their place among `inputs`. Returns whether there is one.
static bool beginInPlace(const Session &session, const Arrays &arguments,
                         Arrays &results, std::vector<Buffer> &inputs) {
  bool any = false;
  for (auto [port, result] : llvm::zip(session.kernel->results(), results)) {
    if (!session.options.inPlace || !port.inPlace)
      continue;
    any = true;
    result.copyFrom(arguments[*port.inPlace]);
    inputs[*port.inPlace] = result.getBuffer();
  }
  return any;
}

/// The first call, measured if --memory asks for it, then the timed ones.
static Error callAndTime(const Session &session, const Arrays &arguments,
                         Arrays &results) {
  const RunOptions &options = session.options;
  std::vector<Buffer> inputs = getBuffers(arguments);
  std::vector<Buffer> outputs = getBuffers(results);
  bool isInPlace = beginInPlace(session, arguments, results, inputs);
  if (options.inPlace && !isInPlace)
    return makeError("--in-place: expected a result that may be computed in "
                     "place of an argument, as the last state of a recurrence, "
                     "got none");
  std::unique_ptr<GpuCall> onGpu;
  if (session.onGpu) {
    auto prepared =
        GpuCall::prepare(session.onGpu->getLoaded(), inputs, outputs);
    if (!prepared)
      return prepared.takeError();
    onGpu = std::move(*prepared);
  }
  auto call = [&] {
    return onGpu ? onGpu->run()
                 : session.kernel->launch(inputs, outputs, {options.threads});
  };
  Expected<Work> work = getWork(session, arguments, results);
  if (!work)
    return work.takeError();
  if (options.memory) {
    Expected<std::optional<int64_t>> growth = measureMemory(call);
    if (!growth)
      return growth.takeError();
    printLine("memory", *growth ? llvm::formatv("{0:f1} MiB added by the first "
                                                "call, at its peak",
                                                **growth / 1048576.0)
                                      .str()
                                : "not known on this system");
  } else if (options.repeat > 0) {
    if (Error error = call())
      return error;
  }
  Expected<Timing> timing =
      timeCalls(call, std::max<int64_t>(options.repeat, 1), *work);
  if (!timing)
    return timing.takeError();
  printTiming(llvm::outs(), *timing, *work);
  // Calls in place went on from each other's states.
  if (isInPlace && (options.repeat > 0 || options.memory)) {
    beginInPlace(session, arguments, results, inputs);
    if (Error error = call())
      return error;
  }
  if (session.simulated)
    printSimulation(*session.simulated);
  return onGpu ? onGpu->fetch() : Error::success();
}

static Error save(const Session &session, const Arrays &results) {
  for (const auto &[name, path] : session.options.results)
    for (auto [port, array] : llvm::zip(session.kernel->results(), results))
      if (port.name == name)
        if (Error error = saveArray(path, array))
          return error;
  return Error::success();
}

/// Prints the comparisons; `passed` becomes false if one is over tolerance.
static Error runChecks(const Session &session, const Arrays &arguments,
                       const Arrays &results, bool &passed) {
  if (!session.checker)
    return Error::success();
  Expected<Definition> definition = session.checker->evaluate(arguments);
  if (!definition)
    return definition.takeError();
  auto explain = [&](const Array &result, int64_t element) -> std::string {
    auto writer = session.simulated->getLastWriter(result.getAddress(element));
    return "written by " +
           (writer ? sim::toString(*writer) : std::string("nothing"));
  };
  if (session.options.check)
    passed &= reportComparisons(llvm::outs(), "check", *definition, results,
                                session.simulated ? ExplainElement(explain)
                                                  : ExplainElement());
  for (const auto &[phase, kernel] : session.phases) {
    Expected<Arrays> values = evaluate(*kernel, arguments);
    if (!values)
      return makeError("phase {0}: {1}", phase,
                       llvm::toString(values.takeError()));
    passed &= reportComparisons(llvm::outs(),
                                llvm::formatv("phase {0,-20}", phase).str(),
                                *definition, *values);
  }
  return Error::success();
}

/// Runs the kernel on one set of sizes; `passed` is as in runChecks().
static Error runOnce(Session &session, const Dims &given, bool &passed) {
  const RunOptions &options = session.options;
  Expected<Dims> dims =
      resolveDims(*session.kernel, given, session.files.getSizes());
  if (!dims)
    return dims.takeError();
  printLine("dims", formatDims(*dims));
  llvm::outs().flush();
  Expected<Arrays> arguments = makeArguments(
      session.getTyped().arguments(), *dims, session.files, options.fill);
  if (!arguments)
    return arguments.takeError();
  if (session.typed)
    arguments = convertArguments(*arguments, session.kernel->arguments(),
                                 options.fill.layout);
  if (!arguments)
    return arguments.takeError();
  Expected<Arrays> results =
      makeResults(*session.kernel, *arguments, options.fill.layout);
  if (!results)
    return results.takeError();
  if (Error error = callAndTime(session, *arguments, *results))
    return error;
  if (!options.counters.empty())
    session.counted.push_back(describeCounters(*session.simulated, *dims));
  if (Error error = save(session, *results))
    return error;
  return runChecks(session, *arguments, *results, passed);
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

static void printKernel(const Session &session) {
  const CompileOptions &options = session.options.input.options;
  printLine("target", options.target +
                          (options.dtype.empty() ? "" : " " + options.dtype));
  std::string schedule = session.kernel->schedule();
  printLine("schedule", (schedule.empty() ? "none" : schedule) +
                            (session.isTuned ? "  (tuned)" : ""));
  double seconds = session.kernel->compileSeconds();
  if (session.isPackage)
    printLine(
        "load",
        llvm::formatv("package to callable: {0:f2} ms", 1e3 * seconds).str());
  else
    printLine("compile",
              llvm::formatv("text to callable: {0:f2} s", seconds).str());
}

/// Runs everything; returns whether all checks passed.
static Expected<bool> run(int argc, char **argv) {
  Expected<RunOptions> options = parseOptions(argc, argv);
  if (!options)
    return options.takeError();
  Expected<Session> session = prepare(std::move(*options));
  if (!session)
    return session.takeError();
  printKernel(*session);
  bool passed = true;
  for (const Dims &dims : session->options.dims)
    if (Error error = runOnce(*session, dims, passed))
      return error;
  if (const std::string &path = session->options.counters; !path.empty())
    if (Error error = writeCounters(path, *session->simulated,
                                    std::move(session->counted)))
      return error;
  if (session->options.dims.size() > 1)
    llvm::outs() << "compilations: " << (session->isPackage ? 0 : 1) << '\n';
  return passed;
}

int main(int argc, char **argv) {
  Expected<bool> passed = run(argc, argv);
  if (!passed) {
    llvm::outs().flush();
    return reportError(argv[0], passed.takeError());
  }
  return *passed ? 0 : 1;
}
