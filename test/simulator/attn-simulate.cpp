//===- attn-simulate.cpp - Run a device program and report ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   attn-simulate FILE.mlir --kernel=k --grid=2,1,1 --block=64
//       --arg=i32=128 --arg=x:f32[128]=iota,const --arg=y:f32[128]=none
//       --print=y
//
// An argument is TYPE=NUMBER, or NAME:TYPE[COUNT]=CONTENT with one of the
// contents iota (0, 1, 2...), zero, random, none (never written), or a number
// for all elements; "const" makes a buffer read-only. The exit status is 1 if
// there are defects. The program is in the dialects llvm and nvvm; with --lower
// it is converted to them as upstream's passes do it, memrefs being pointers.
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/Pipeline.h"
#include "codegen/simulator/Simulator.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "runtime/compiler/simulated/LaunchMemory.h"
#include "test/simulator/BufferArguments.h"
#include "tools/registration/Registration.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

using namespace attn;
using namespace attn::sim;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

namespace {
struct Flags {
  cl::OptionCategory category{"Simulation"};

  cl::opt<std::string> file{cl::Positional, cl::desc("FILE.mlir"),
                            cl::cat(category)};
  cl::opt<std::string> kernel{"kernel", cl::init("k"), cl::value_desc("NAME"),
                              cl::desc("Kernel to launch; default k"),
                              cl::cat(category)};
  cl::opt<bool> lower{"lower",
                      cl::desc("Convert the program from the dialects gpu, "
                               "nvgpu, vector, memref, scf and arith"),
                      cl::cat(category)};
  cl::opt<std::string> after{
      "after", cl::value_desc("PHASE"),
      cl::desc("Convert the program by the phases behind this one"),
      cl::cat(category)};
  cl::opt<std::string> host{
      "host", cl::value_desc("FUNCTION"),
      cl::desc("Launch what this function launches for the arguments"),
      cl::cat(category)};
  cl::opt<std::string> grid{"grid", cl::init("1"), cl::value_desc("X,Y,Z"),
                            cl::desc("Blocks; default 1"), cl::cat(category)};
  cl::opt<std::string> block{"block", cl::init("1"), cl::value_desc("X,Y,Z"),
                             cl::desc("Threads of a block; default 1"),
                             cl::cat(category)};
  cl::opt<std::string> shared{"shared", cl::init("0"), cl::value_desc("BYTES"),
                              cl::desc("Dynamic shared memory; default 0"),
                              cl::cat(category)};
  cl::list<std::string> args{"arg", cl::value_desc("ARGUMENT"),
                             cl::desc("Next argument of the kernel"),
                             cl::cat(category)};
  cl::list<std::string> print{"print", cl::value_desc("NAME"),
                              cl::desc("Print a buffer afterwards"),
                              cl::cat(category)};
  cl::list<std::string> writers{
      "writer", cl::value_desc("NAME:ELEMENT"),
      cl::desc("Say who wrote an element of a buffer last"), cl::cat(category)};
  cl::opt<bool> counters{"counters", cl::desc("Print what was counted"),
                         cl::cat(category)};
  cl::opt<bool> speed{"speed", cl::desc("Print accesses and ops per second"),
                      cl::cat(category)};
  cl::opt<bool> unchecked{
      "unchecked", cl::desc("Look for nothing but bounds, count nothing"),
      cl::cat(category)};
  cl::opt<std::string> copies{
      "copies", cl::init("issue"), cl::value_desc("issue|wait"),
      cl::desc("When asynchronous copies take effect"), cl::cat(category)};
  cl::opt<std::string> order{
      "order", cl::init("forward"), cl::value_desc("forward|reverse|random"),
      cl::desc("Order of the threads' turns"), cl::cat(category)};
  cl::opt<std::string> seed{"seed", cl::init("0"), cl::value_desc("S"),
                            cl::desc("Of the random order; default 0"),
                            cl::cat(category)};
  cl::opt<std::string> workers{"workers", cl::init("1"), cl::value_desc("N"),
                               cl::desc("Processors to use; default 1"),
                               cl::cat(category)};
  cl::opt<std::string> mostOps{
      "most-ops", cl::init("100000000"), cl::value_desc("N"),
      cl::desc("Ops after which a thread is taken to run for ever"),
      cl::cat(category)};
  cl::opt<std::string> launches{"launches", cl::init("1"), cl::value_desc("N"),
                                cl::desc("How often to launch; default 1"),
                                cl::cat(category)};
};
} // namespace

/// Up to three sizes, separated by commas.
static Expected<Dim3> parseDim3(StringRef text, StringRef flag) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ',');
  if (parts.size() > 3)
    return makeError("--{0}: expected at most three sizes, got '{1}'", flag,
                     text);
  Dim3 sizes = {1, 1, 1};
  for (auto [size, part] : llvm::zip(sizes, parts)) {
    Expected<int64_t> value = parseInteger(part, "--" + flag, 1);
    if (!value)
      return value.takeError();
    size = *value;
  }
  return sizes;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

static Expected<SimulatorOptions> makeOptions(const Flags &flags) {
  SimulatorOptions options;
  if (flags.unchecked)
    options.checkRaces = options.checkUninitialized = options.count = false;
  if (flags.copies == "wait")
    options.copyOrder = CopyOrder::AtWait;
  else if (flags.copies != "issue")
    return makeError("--copies: expected issue or wait, got '{0}'",
                     flags.copies);
  if (flags.order == "reverse")
    options.threadOrder = ThreadOrder::Reverse;
  else if (flags.order == "random")
    options.threadOrder = ThreadOrder::Random;
  else if (flags.order != "forward")
    return makeError("--order: expected forward, reverse or random, got '{0}'",
                     flags.order);
  Expected<int64_t> seed = parseInteger(flags.seed, "--seed", 0);
  if (!seed)
    return seed.takeError();
  Expected<int64_t> workers = parseInteger(flags.workers, "--workers", 1, 256);
  if (!workers)
    return workers.takeError();
  Expected<int64_t> mostOps = parseInteger(flags.mostOps, "--most-ops", 1);
  if (!mostOps)
    return mostOps.takeError();
  options.seed = *seed;
  options.workers = *workers;
  options.mostOps = *mostOps;
  return options;
}

static Expected<Launch> makeLaunch(const Flags &flags,
                                   BufferArguments &arguments) {
  Launch launch;
  Expected<Dim3> grid = parseDim3(flags.grid, "grid");
  if (!grid)
    return grid.takeError();
  Expected<Dim3> block = parseDim3(flags.block, "block");
  if (!block)
    return block.takeError();
  Expected<int64_t> shared = parseInteger(flags.shared, "--shared", 0);
  if (!shared)
    return shared.takeError();
  launch.grid = *grid;
  launch.block = *block;
  launch.sharedBytes = *shared;
  launch.arguments = arguments.values;
  return launch;
}

static void print(const NamedBuffer &buffer) {
  int64_t bytes = getByteSize(buffer.type);
  llvm::outs() << buffer.memory->getTraits().name << ":";
  for (int64_t i = 0; i < buffer.getCount(); ++i)
    llvm::outs() << llvm::format(
        " %g", loadElement(buffer.type, buffer.memory->data() + i * bytes));
  llvm::outs() << "\n";
}

static void print(const Report &report, const Flags &flags, double seconds) {
  for (const Defect &defect : report.defects)
    llvm::outs() << toString(defect) << "\n";
  if (flags.counters) {
    for (const SiteCounters &counters : report.counters)
      llvm::outs() << toString(counters) << "\n";
    llvm::outs() << "blocks " << report.blocks << " ops " << report.ops
                 << " accesses " << report.accesses << " matrix ops "
                 << report.matrixOps << "\n";
  }
  if (flags.speed)
    llvm::outs() << llvm::formatv(
        "{0:f3} s, {1:f2} million ops/s, {2:f2} million accesses/s, {3:f0} "
        "matrix ops/s\n",
        seconds, report.ops / seconds / 1e6, report.accesses / seconds / 1e6,
        report.matrixOps / seconds);
  llvm::outs() << report.defects.size() << " defects\n";
}

/// What upstream has to convert programs to what the simulator takes.
static constexpr llvm::StringLiteral kLower =
    "convert-scf-to-cf,convert-nvgpu-to-nvvm,convert-vector-to-llvm,"
    "gpu.module(convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1}),"
    "reconcile-unrealized-casts";

static Error run(mlir::PassManager &passes, mlir::ModuleOp module) {
  if (mlir::failed(passes.run(module)))
    return makeError("the program cannot be lowered");
  return Error::success();
}

/// Adds the phases of NVIDIA kernels behind `name`.
static Error addPhasesAfter(StringRef name, mlir::OpPassManager &passes) {
  Expected<NvidiaTarget> target = getNvidiaTarget("sm_80");
  if (!target)
    return target.takeError();
  llvm::SmallVector<Phase> phases = getNvidiaPhases(*target);
  auto *found = llvm::find_if(
      phases, [&](const Phase &phase) { return phase.name == name; });
  if (found == phases.end())
    return makeError("--after: there is no phase '{0}'", name);
  for (const Phase &phase : llvm::make_range(found + 1, phases.end()))
    phase.build(passes);
  return Error::success();
}

/// Converts a program to what the simulator takes. Done here rather than by
/// attn-opt in front, as not every op can be read again with its location.
static Error lower(const Flags &flags, mlir::ModuleOp module) {
  mlir::PassManager passes(module.getContext());
  if (!flags.after.empty()) {
    if (Error error = addPhasesAfter(flags.after, passes))
      return error;
  } else if (flags.lower &&
             mlir::failed(mlir::parsePassPipeline(kLower, passes))) {
    return makeError("the program cannot be lowered");
  }
  return run(passes, module);
}

namespace {
/// Kernels and how they are launched, in order.
struct Plan {
  std::vector<std::pair<std::string, Launch>> launches;
  LaunchMemory memory; ///< Of the launches of a host function.
};
} // namespace

/// What the host function launches for the arguments.
static Error planHost(const Flags &flags, mlir::ModuleOp module,
                      BufferArguments &arguments, Plan &plan) {
  auto host = module.lookupSymbol<mlir::func::FuncOp>(flags.host);
  if (!host)
    return makeError("--host: there is no function '{0}'", flags.host);
  if (arguments.buffers.size() != arguments.values.size())
    return makeError("--host: expected only buffers as arguments");
  for (NamedBuffer &buffer : arguments.buffers) {
    DeviceBuffer &memory = *buffer.memory;
    ArgumentView view{buffer.sizes, {}};
    for (size_t dim = 0; dim < buffer.sizes.size(); ++dim)
      view.strides.push_back(
          llvm::product_of(llvm::drop_begin(buffer.sizes, dim + 1)));
    plan.memory.add(
        DeviceBuffer::wrap(memory.data(), memory.size(), memory.getTraits()),
        std::move(view));
  }
  Expected<LaunchPlan> launches = plan.memory.plan(host);
  if (!launches)
    return launches.takeError();
  for (const KernelLaunch &launch : launches->launches)
    plan.launches.emplace_back(launch.kernel, plan.memory.getLaunch(launch));
  return Error::success();
}

static Expected<Plan> makePlan(const Flags &flags, mlir::ModuleOp module,
                               BufferArguments &arguments) {
  Plan plan;
  if (!flags.host.empty()) {
    if (Error error = planHost(flags, module, arguments, plan))
      return std::move(error);
    return std::move(plan);
  }
  Expected<Launch> launch = makeLaunch(flags, arguments);
  if (!launch)
    return launch.takeError();
  Expected<int64_t> count = parseInteger(flags.launches, "--launches", 1);
  if (!count)
    return count.takeError();
  plan.launches.assign(*count, {flags.kernel, *launch});
  return std::move(plan);
}

/// Prints who wrote the elements that are asked for.
static Error printWriters(const Flags &flags, const SimulatedModule &module,
                          const Plan &plan,
                          const std::vector<NamedBuffer> &buffers) {
  for (StringRef asked : flags.writers) {
    auto [name, number] = asked.split(':');
    auto buffer = llvm::find_if(buffers, [&](const NamedBuffer &known) {
      return known.memory->getTraits().name == name;
    });
    Expected<int64_t> element = parseInteger(number, "--writer", 0);
    if (!element)
      return element.takeError();
    if (buffer == buffers.end() || *element >= buffer->getCount())
      return makeError("--writer: there is no element '{0}'", asked);
    int64_t offset = *element * getByteSize(buffer->type);
    // Launches of a host function write through buffers of their own.
    const DeviceBuffer *memory =
        plan.memory.find(buffer->memory->data() + offset);
    auto writer =
        module.getLastWriter(memory ? *memory : *buffer->memory, offset);
    llvm::outs() << "writer of " << asked << ": "
                 << (writer ? toString(*writer) : "nothing") << "\n";
  }
  return Error::success();
}

/// Launches all of the plan and prints what was found; whether all is well.
static Expected<bool> launchAll(const Flags &flags, mlir::ModuleOp module,
                                const Plan &plan,
                                const std::vector<NamedBuffer> &buffers) {
  Expected<SimulatorOptions> options = makeOptions(flags);
  if (!options)
    return options.takeError();
  auto simulated = SimulatedModule::load(module);
  if (!simulated)
    return simulated.takeError();
  bool isClean = true;
  for (const auto &[kernel, launch] : plan.launches) {
    auto start = std::chrono::steady_clock::now();
    Expected<Report> report = (*simulated)->launch(kernel, launch, *options);
    if (!report)
      return report.takeError();
    std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - start;
    print(*report, flags, time.count());
    isClean &= report->isClean();
  }
  if (Error error = printWriters(flags, **simulated, plan, buffers))
    return std::move(error);
  return isClean;
}

static Expected<bool> run(const Flags &flags) {
  mlir::DialectRegistry registry;
  registerEverything(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(flags.file, &context);
  if (!module)
    return makeError("{0}: cannot be read", flags.file);
  if (Error error = lower(flags, *module))
    return std::move(error);
  Expected<BufferArguments> arguments = parseArguments(flags.args);
  if (!arguments)
    return arguments.takeError();
  Expected<Plan> plan = makePlan(flags, *module, *arguments);
  if (!plan)
    return plan.takeError();
  Expected<bool> isClean = launchAll(flags, *module, *plan, arguments->buffers);
  if (!isClean)
    return isClean.takeError();
  for (const NamedBuffer &buffer : arguments->buffers)
    if (llvm::is_contained(flags.print, buffer.memory->getTraits().name))
      print(buffer);
  return isClean;
}

int main(int argc, char **argv) {
  forgetOptions();
  Flags flags;
  if (Error error = parseCommandLine(
          argc, argv, "Runs a GPU kernel thread by thread on this machine.",
          {&flags.category}))
    return reportError("attn-simulate", std::move(error));
  Expected<bool> isClean = run(flags);
  if (!isClean)
    return reportError("attn-simulate", isClean.takeError());
  return *isClean ? 0 : 1;
}
