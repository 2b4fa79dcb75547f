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

#include "codegen/simulator/Simulator.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "tools/registration/Registration.h"
#include "tools/support/CommandLine.h"
#include "tools/support/Element.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <random>

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

static Expected<ElementType> parseType(StringRef text) {
  for (ElementType type :
       {ElementType::F64, ElementType::F32, ElementType::F16, ElementType::BF16,
        ElementType::I64, ElementType::I32, ElementType::I16, ElementType::I8})
    if (getName(type) == text)
      return type;
  return makeError("--arg: unknown type '{0}'", text);
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

namespace {
struct NamedBuffer {
  ElementType type;
  int64_t count;
  std::unique_ptr<DeviceBuffer> memory;
};

struct Arguments {
  std::vector<NamedBuffer> buffers;
  std::vector<Argument> values;
};
} // namespace

static void store(NamedBuffer &buffer, int64_t index, double value) {
  storeElement(buffer.type,
               buffer.memory->data() + index * getByteSize(buffer.type),
               roundTo(buffer.type, value));
}

static Error fill(NamedBuffer &buffer, StringRef content) {
  double constant = 0;
  if (content != "iota" && content != "zero" && content != "random" &&
      content.getAsDouble(constant))
    return makeError("--arg: unknown content '{0}'", content);
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (int64_t i = 0; i < buffer.count; ++i)
    store(buffer, i,
          content == "iota"     ? i
          : content == "random" ? normal(random)
                                : constant);
  return Error::success();
}

/// NAME:TYPE[COUNT]=CONTENT[,const].
static Error addBuffer(StringRef text, Arguments &arguments) {
  auto [head, content] = text.split('=');
  auto [name, shape] = head.split(':');
  auto [typeName, rest] = shape.split('[');
  int64_t count = 0;
  if (!rest.consume_back("]") || rest.getAsInteger(10, count) || count < 0)
    return makeError("--arg: expected NAME:TYPE[COUNT]=CONTENT, got '{0}'",
                     text);
  Expected<ElementType> type = parseType(typeName);
  if (!type)
    return type.takeError();
  bool isReadOnly = content.consume_back(",const");
  bool isEmpty = content == "none";
  auto memory = DeviceBuffer::create(count * getByteSize(*type),
                                     {name.str(), isReadOnly, !isEmpty});
  if (!memory)
    return memory.takeError();
  NamedBuffer buffer{*type, count, std::move(*memory)};
  if (!isEmpty)
    if (Error error = fill(buffer, content))
      return error;
  arguments.values.push_back(Argument::pointer(*buffer.memory));
  arguments.buffers.push_back(std::move(buffer));
  return Error::success();
}

static Error addScalar(StringRef text, Arguments &arguments) {
  auto [typeName, number] = text.split('=');
  Expected<ElementType> type = parseType(typeName);
  if (!type)
    return type.takeError();
  double value = 0;
  if (number.getAsDouble(value))
    return makeError("--arg: expected a number, got '{0}'", number);
  Argument argument;
  argument.bytes = getByteSize(*type);
  char bytes[sizeof(argument.bits)] = {};
  storeElement(*type, bytes, roundTo(*type, value));
  std::memcpy(&argument.bits, bytes, sizeof(bytes));
  arguments.values.push_back(argument);
  return Error::success();
}

static Expected<Arguments> makeArguments(const Flags &flags) {
  Arguments arguments;
  for (StringRef text : flags.args)
    if (Error error = text.contains('[') ? addBuffer(text, arguments)
                                         : addScalar(text, arguments))
      return std::move(error);
  return arguments;
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

static Expected<Launch> makeLaunch(const Flags &flags, Arguments &arguments) {
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
  for (int64_t i = 0; i < buffer.count; ++i)
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

/// Converts a program to what the simulator takes. Done here rather than by
/// attn-opt in front, as not every op can be read again with its location.
static Error lower(mlir::ModuleOp module) {
  mlir::PassManager manager(module.getContext());
  static constexpr llvm::StringLiteral pipeline =
      "convert-scf-to-cf,convert-nvgpu-to-nvvm,convert-vector-to-llvm,"
      "gpu.module(convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1}),"
      "reconcile-unrealized-casts";
  if (mlir::failed(mlir::parsePassPipeline(pipeline, manager)) ||
      mlir::failed(manager.run(module)))
    return makeError("the program cannot be lowered");
  return Error::success();
}

static Expected<bool> run(const Flags &flags) {
  mlir::DialectRegistry registry;
  registerEverything(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(flags.file, &context);
  if (!module)
    return makeError("{0}: cannot be read", flags.file);
  if (flags.lower)
    if (Error error = lower(*module))
      return std::move(error);
  Expected<Arguments> arguments = makeArguments(flags);
  if (!arguments)
    return arguments.takeError();
  Expected<Launch> launch = makeLaunch(flags, *arguments);
  if (!launch)
    return launch.takeError();
  Expected<SimulatorOptions> options = makeOptions(flags);
  if (!options)
    return options.takeError();
  Expected<int64_t> launches = parseInteger(flags.launches, "--launches", 1);
  if (!launches)
    return launches.takeError();
  auto simulated = SimulatedModule::load(*module);
  if (!simulated)
    return simulated.takeError();
  bool isClean = true;
  for (int64_t i = 0; i < *launches; ++i) {
    auto start = std::chrono::steady_clock::now();
    Expected<Report> report =
        (*simulated)->launch(flags.kernel, *launch, *options);
    if (!report)
      return report.takeError();
    std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - start;
    print(*report, flags, time.count());
    isClean &= report->isClean();
  }
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
