//===- Compiler.cpp - From the text of a spec to a callable kernel --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Compiler.h"
#include "codegen/cpu/BlockRegisters.h"
#include "codegen/cpu/ObjectCode.h"
#include "codegen/cpu/Pipeline.h"
#include "codegen/nvidia/Ptx.h"
#include "dialect/AttnDialect.h"
#include "passes/ScheduleText.h"
#include "runtime/CpuDevice.h"
#include "runtime/compiler/CpuKernel.h"
#include "runtime/compiler/DeviceProgram.h"
#include "runtime/compiler/GpuProgram.h"
#include "runtime/compiler/ObjectCache.h"
#include "runtime/compiler/PackageEmitter.h"
#include "runtime/compiler/Program.h"
#include "runtime/compiler/SharedObject.h"
#include "runtime/compiler/TargetPhases.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"
#include <chrono>

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

StringRef attn::getName(ElementType type) { return getTypeName(type); }

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

namespace {
/// What code is made for, and from which form of the program.
struct Target {
  /// Precision of the executable definition; empty: compile for speed.
  StringRef definition;
  CpuTarget cpu;
  /// Set for code that runs on a GPU.
  std::optional<NvidiaTarget> nvidia;
};
} // namespace

static Expected<Target> parseTarget(StringRef name) {
  StringRef level = name, definition;
  if (StringRef chip = name; chip.consume_front("cuda:")) {
    Expected<NvidiaTarget> device = getNvidiaTarget(chip);
    if (!device)
      return device.takeError();
    return Target{"", CpuTarget(), *device};
  }
  if (name == "reference" || name == "naive") {
    definition = name == "naive" ? "spec" : "f64";
    level = "";
  } else if (!level.consume_front("cpu") ||
             (!level.empty() && !level.consume_front(":"))) {
    return llvm::createStringError("unknown target '" + name +
                                   "': expected cpu, cpu:avx512, cpu:avx2, "
                                   "cpu:baseline, cuda:sm_80, cuda:sm_86, "
                                   "cuda:sm_89, cuda:sm_90, reference or "
                                   "naive");
  }
  Expected<CpuTarget> cpu = getCpuTarget(level);
  if (!cpu)
    return cpu.takeError();
  return Target{definition, *cpu, std::nullopt};
}

static SmallVector<Phase> getPhases(const Target &target,
                                    const CompileOptions &options) {
  SmallVector<Phase> phases;
  if (!target.definition.empty()) {
    phases = getReferencePhases(options.dtype, target.definition);
    llvm::append_range(phases, getPlainCpuPhases());
    return phases;
  }
  TileOptions tile;
  tile.dtype = options.dtype;
  tile.schedule = options.schedule;
  if (target.nvidia) {
    tile.selectSchedule = getNvidiaSchedule(*target.nvidia, options.schedule);
    phases = getTilePhases(tile);
    llvm::append_range(phases, getNvidiaPhases(*target.nvidia));
    return phases;
  }
  tile.vectorBits = target.cpu.vectorBits;
  tile.l1Bytes = target.cpu.l1Bytes;
  tile.l2Bytes = target.cpu.l2Bytes;
  tile.rowGroup =
      getStripRows(target.cpu.vectorBits, target.cpu.vectorRegisters);
  phases = getTilePhases(tile);
  llvm::append_range(phases, getCpuPhases(target.cpu));
  return phases;
}

Expected<SmallVector<Phase>>
attn::getTargetPhases(const CompileOptions &options, std::string &target) {
  Expected<Target> parsed = parseTarget(options.target);
  if (!parsed)
    return parsed.takeError();
  bool isCpu = !parsed->nvidia && parsed->definition.empty();
  target = isCpu ? "cpu:" + parsed->cpu.name : options.target;
  return getPhases(*parsed, options);
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

namespace {
/// One run of the compiler. Members are the state between its steps.
class Compilation {
public:
  Compilation(const CompileOptions &options, Target target)
      : options(options), target(std::move(target)) {}

  Error parse(StringRef text, StringRef name);
  /// What the function is before anything is lowered.
  Expected<Signature> readSignature(StringRef text, StringRef name);
  /// Runs the phases up to the form `last`.
  Error lower(Form last);
  /// Both for the function that counts the pairs of the function of `text`.
  Error lowerCounter(StringRef text, StringRef name);
  /// To LLVM IR, which the caller may want as it is, or optimized.
  Error translate();
  Error optimize();
  Expected<std::string> generate(llvm::CodeGenFileType type);
  /// From what translate() left; does what optimize() does, if need be.
  Expected<std::string> makeSharedObject();
  Expected<std::unique_ptr<CpuKernel>> load();
  /// Code and launches for a package; `spec` is the text of the program.
  Expected<CompiledCode> makeCode(std::string spec);
  /// LLVM IR, PTX or machine code of the kernels for a GPU.
  Expected<std::string> emitDeviceCode(Stage stage);

  DeviceProgram takeDeviceProgram() {
    return {std::move(program), std::move(signature), std::move(schedule)};
  }
  Program &getProgram() { return *program; }
  const Target &getTarget() const { return target; }
  std::string getLlvmIr() const { return code->getText(); }

private:
  Error read(StringRef text, StringRef name);
  Error describe(StringRef name);
  Error makeCpuCode(CompiledCode &made);
  Error makeGpuCode(CompiledCode &made);
  Error runPhase(const Phase &phase);
  Error dump(StringRef name, StringRef extension, StringRef text);
  void readSchedule();

  const CompileOptions &options;
  Target target;
  DefaultTimingManager timingManager;
  TimingScope timing;
  std::unique_ptr<Program> program;
  Signature signature;
  std::string schedule;
  std::unique_ptr<ObjectCode> code;
  int dumped = 0;
};
} // namespace

Error Compilation::read(StringRef text, StringRef name) {
  Expected<std::unique_ptr<Program>> parsed =
      Program::parse(text, name, options.function);
  if (!parsed)
    return parsed.takeError();
  program = std::move(*parsed);
  return Error::success();
}

/// Finds out what the function expects of its callers.
Error Compilation::describe(StringRef name) {
  FailureOr<Signature> described = describeFunction(program->getFunction());
  if (failed(described))
    return program->takeError(name + ": cannot be described");
  signature = std::move(*described);
  // Definitions do not say when they write a result.
  if (!target.definition.empty())
    for (Port &port : signature.results)
      port.inPlace.reset();
  return Error::success();
}

Expected<Signature> Compilation::readSignature(StringRef text, StringRef name) {
  if (Error error = read(text, name))
    return std::move(error);
  if (Error error = describe(name))
    return std::move(error);
  return std::move(signature);
}

Error Compilation::parse(StringRef text, StringRef name) {
  // What counts pairs is no part of the report.
  applyDefaultTimingManagerCLOptions(timingManager);
  timing = timingManager.getRootScope();
  TimingScope scope = timing.nest("parse");
  if (Error error = read(text, name))
    return error;
  if (Error error = describe(name))
    return error;
  annotateFunction(program->getFunction(), signature);
  return dump("parsed", "mlir", program->getText());
}

/// Writes a numbered file into the folder for dumps, if one was asked for.
Error Compilation::dump(StringRef name, StringRef extension, StringRef text) {
  if (options.dumpPhasesTo.empty())
    return Error::success();
  std::string file;
  llvm::raw_string_ostream(file)
      << llvm::format("%02d-", dumped++) << name << '.' << extension;
  llvm::SmallString<128> path(options.dumpPhasesTo);
  std::error_code code = llvm::sys::fs::create_directories(path);
  if (code)
    return llvm::createStringError(path + ": cannot write: " + code.message());
  llvm::sys::path::append(path, file);
  return writeFile(path, text);
}

/// The schedules that ops carry, each once, in the order of the ops.
void Compilation::readSchedule() {
  SmallVector<std::string> found;
  program->getModule().walk([&](Operation *op) {
    auto attribute = op->getAttrOfType<ScheduleAttr>("schedule");
    if (!attribute)
      return;
    std::string text = printSchedule(attribute);
    if (!llvm::is_contained(found, text))
      found.push_back(text);
  });
  if (!found.empty())
    schedule = llvm::join(found, ";");
}

Error Compilation::runPhase(const Phase &phase) {
  TimingScope scope = timing.nest(phase.name);
  // The types of buffers are those just before memrefs disappear.
  bool isLast = phase.form == Form::Llvm;
  if (isLast && program->getFunction() &&
      failed(readLoweredTypes(program->getFunction(), signature)))
    return program->takeError("cannot be lowered to memrefs");
  if (Error error = program->run(phase, scope))
    return error;
  if (phase.form == Form::Attn)
    readSchedule();
  return dump(phase.name, "mlir", program->getText());
}

Error Compilation::lower(Form last) {
  // A program in a later form enters where it belongs.
  bool isAboveVectors = program->isAboveVectors();
  for (const Phase &phase : getPhases(target, options)) {
    if (phase.form > last)
      break;
    if (!isAboveVectors && phase.form < Form::Vector)
      continue;
    if (Error error = runPhase(phase))
      return error;
  }
  return Error::success();
}

Error Compilation::lowerCounter(StringRef text, StringRef name) {
  if (Error error = read(text, name))
    return error;
  SmallVector<Phase> phases = getCountPhases(options.dtype);
  for (const Phase &phase : phases)
    if (Error error = runPhase(phase))
      return error;
  if (Error error = describe(name))
    return error;
  // Captured tensors have the types that they have for the kernel itself.
  phases = getReferencePhases(
      "", target.definition.empty() ? "spec" : target.definition);
  llvm::append_range(phases, getPlainCpuPhases());
  for (const Phase &phase : phases)
    if (Error error = runPhase(phase))
      return error;
  return Error::success();
}

Error Compilation::translate() {
  TimingScope scope = timing.nest("llvm-ir");
  Expected<std::unique_ptr<ObjectCode>> made =
      ObjectCode::create(program->getModule(), target.cpu,
                         options.quick ? CodeEffort::Low : CodeEffort::Full);
  if (!made) {
    llvm::consumeError(made.takeError());
    return program->takeError("error: cannot be translated to LLVM IR");
  }
  code = std::move(*made);
  return Error::success();
}

Error Compilation::optimize() {
  TimingScope scope = timing.nest("llvm-ir");
  code->optimize();
  return dump("llvm-ir", "ll", options.dumpPhasesTo.empty() ? "" : getLlvmIr());
}

Expected<std::string> Compilation::generate(llvm::CodeGenFileType type) {
  TimingScope scope = timing.nest("machine-code");
  return code->generate(type);
}

Expected<std::string> Compilation::makeSharedObject() {
  auto make = [&]() -> Expected<std::string> {
    if (Error error = optimize())
      return std::move(error);
    Expected<std::string> object = generate(llvm::CodeGenFileType::ObjectFile);
    if (!object)
      return object.takeError();
    TimingScope scope = timing.nest("link");
    return linkSharedObject(*object);
  };
  // The form that is dumped must be made.
  return options.dumpPhasesTo.empty() ? findSharedObject(*code, make) : make();
}

Expected<std::unique_ptr<CpuKernel>> Compilation::load() {
  if (Error error = translate())
    return std::move(error);
  Expected<std::string> bytes = makeSharedObject();
  if (!bytes)
    return bytes.takeError();
  TimingScope scope = timing.nest("load");
  return CpuKernel::load(*bytes, std::move(signature), std::move(schedule));
}

Error Compilation::makeCpuCode(CompiledCode &made) {
  if (Error error = translate())
    return error;
  Expected<std::string> bytes = makeSharedObject();
  if (!bytes)
    return bytes.takeError();
  made.program = makeCpuProgram(signature);
  made.section.target = "cpu:" + target.cpu.name;
  made.section.triple = getHostTriple();
  made.section.bytes = std::move(*bytes);
  return Error::success();
}

/// PTX, which drivers compile for devices of later architectures as well.
Error Compilation::makeGpuCode(CompiledCode &made) {
  auto launches = makeGpuProgram(program->getFunction(), signature);
  if (!launches)
    return launches.takeError();
  Expected<std::string> ptx = emitDeviceCode(Stage::Ptx);
  if (!ptx)
    return ptx.takeError();
  made.program = std::move(*launches);
  made.section.target = "cuda:" + target.nvidia->chip;
  made.section.triple = "nvptx64-nvidia-cuda";
  made.section.format = CodeFormat::Ptx;
  made.section.bytes = std::move(*ptx);
  return Error::success();
}

Expected<CompiledCode> Compilation::makeCode(std::string spec) {
  CompiledCode made;
  if (Error error = target.nvidia ? makeGpuCode(made) : makeCpuCode(made))
    return std::move(error);
  made.signature = std::move(signature);
  made.schedule = std::move(schedule);
  made.spec = std::move(spec);
  return made;
}

Expected<std::string> Compilation::emitDeviceCode(Stage stage) {
  TimingScope scope = timing.nest("device-code");
  auto modules = program->getModule().getOps<gpu::GPUModuleOp>();
  if (modules.empty())
    return llvm::createStringError("the program has no kernel");
  gpu::GPUModuleOp kernels = *modules.begin();
  if (stage == Stage::LlvmIr)
    return makeNvidiaLlvmIr(kernels, *target.nvidia);
  Expected<std::string> ptx = makePtx(kernels, *target.nvidia);
  if (!ptx)
    return ptx.takeError();
  if (Error error = dump("ptx", "ptx", *ptx))
    return std::move(error);
  if (stage == Stage::Ptx)
    return ptx;
  return assemblePtx(*ptx, *target.nvidia);
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

/// Compiles the function that `attn-count-pairs` makes of a spec.
static Expected<std::unique_ptr<Kernel>>
compileCounter(const std::string &text, const std::string &name,
               const CompileOptions &options) {
  Expected<Target> target = parseTarget(options.target);
  if (!target)
    return target.takeError();
  Compilation compilation(options, *target);
  if (Error error = compilation.lowerCounter(text, name))
    return std::move(error);
  return compilation.load();
}

/// How to do that when it is needed.
static FlopCounter::MakeKernel getMakeCounter(StringRef text, StringRef name,
                                              CompileOptions options) {
  options.dumpPhasesTo.clear();
  options.quick = false; // It is small, and may run for every pair.
  return [text = text.str(), name = name.str(), options] {
    return compileCounter(text, name, options);
  };
}

Expected<std::unique_ptr<FlopCounter>>
attn::makeFlopCounter(StringRef text, StringRef name,
                      const CompileOptions &options) {
  CompileOptions own = options;
  own.target = "cpu";
  Expected<Target> target = parseTarget(own.target);
  if (!target)
    return target.takeError();
  Compilation compilation(own, *target);
  Expected<Signature> signature = compilation.readSignature(text, name);
  if (!signature)
    return signature.takeError();
  return std::make_unique<FlopCounter>(std::move(*signature),
                                       getMakeCounter(text, name, own));
}

Expected<std::unique_ptr<Kernel>> attn::compile(StringRef text, StringRef name,
                                                const CompileOptions &options) {
  auto start = std::chrono::steady_clock::now();
  Expected<Target> target = parseTarget(options.target);
  if (!target)
    return target.takeError();
  if (target->nvidia)
    return llvm::createStringError("target '" + options.target +
                                   "' cannot be run by this build: cuda "
                                   "targets need a device or a simulator; "
                                   "attn-compile makes code for it");
  if (Error error = checkRunsHere(target->cpu))
    return std::move(error);
  Compilation compilation(options, *target);
  if (Error error = compilation.parse(text, name))
    return std::move(error);
  if (Error error = compilation.lower(Form::Llvm))
    return std::move(error);
  Expected<std::unique_ptr<CpuKernel>> kernel = compilation.load();
  if (!kernel)
    return kernel.takeError();
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  (*kernel)->setCompileSeconds(time.count());
  (*kernel)->setMakeCounter(getMakeCounter(text, name, options));
  return std::move(*kernel);
}

Expected<DeviceProgram> attn::compileForDevice(StringRef text, StringRef name,
                                               const CompileOptions &options) {
  auto start = std::chrono::steady_clock::now();
  Expected<Target> target = parseTarget(options.target);
  if (!target)
    return target.takeError();
  if (!target->nvidia)
    return llvm::createStringError("target '" + options.target +
                                   "': expected a cuda target");
  Compilation compilation(options, *target);
  if (Error error = compilation.parse(text, name))
    return std::move(error);
  if (Error error = compilation.lower(Form::Llvm))
    return std::move(error);
  DeviceProgram device = compilation.takeDeviceProgram();
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  device.seconds = time.count();
  return device;
}

/// The form of the program in which `stage` shows it.
static Form getForm(Stage stage) {
  switch (stage) {
  case Stage::Attn:
    return Form::Attn;
  case Stage::Tile:
    return Form::Tile;
  case Stage::Vector:
    return Form::Vector;
  default:
    return Form::Llvm;
  }
}

/// Why `target` has no `stage`, if so.
static Error checkStage(const Target &target, StringRef name, Stage stage) {
  if (stage == Stage::Tile && !target.definition.empty())
    return llvm::createStringError("target '" + name +
                                   "' has no tile program: expected a cpu or "
                                   "cuda target");
  bool isForCpu = stage == Stage::Assembly || stage == Stage::Object ||
                  stage == Stage::SharedObject;
  if (target.nvidia && isForCpu)
    return llvm::createStringError(
        "target '" + name +
        "' has no code for the CPU: expected attn, tile, vector, llvm, "
        "llvm-ir, ptx or cubin");
  if (!target.nvidia && (stage == Stage::Ptx || stage == Stage::Cubin))
    return llvm::createStringError("target '" + name +
                                   "' has no code for NVIDIA GPUs: expected a "
                                   "cuda target");
  return Error::success();
}

Expected<std::string> attn::emit(StringRef text, StringRef name,
                                 const CompileOptions &options, Stage stage) {
  Expected<Target> target = parseTarget(options.target);
  if (!target)
    return target.takeError();
  if (Error error = checkStage(*target, options.target, stage))
    return std::move(error);
  Compilation compilation(options, *target);
  if (Error error = compilation.parse(text, name))
    return std::move(error);
  if (Error error = compilation.lower(getForm(stage)))
    return std::move(error);
  if (stage <= Stage::Llvm)
    return compilation.getProgram().getText();
  if (target->nvidia)
    return compilation.emitDeviceCode(stage);
  if (Error error = compilation.translate())
    return std::move(error);
  if (stage == Stage::SharedObject)
    return compilation.makeSharedObject();
  if (Error error = compilation.optimize())
    return std::move(error);
  switch (stage) {
  case Stage::LlvmIr:
    return compilation.getLlvmIr();
  case Stage::Assembly:
    return compilation.generate(llvm::CodeGenFileType::AssemblyFile);
  default:
    return compilation.generate(llvm::CodeGenFileType::ObjectFile);
  }
}

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

static Expected<Target> parsePackageTarget(StringRef name) {
  Expected<Target> target = parseTarget(name);
  if (target && !target->definition.empty())
    return llvm::createStringError("target '" + name +
                                   "' has no package: expected a cpu or cuda "
                                   "target");
  return target;
}

Expected<std::string> attn::describeTarget(StringRef name) {
  Expected<Target> target = parsePackageTarget(name);
  if (!target)
    return target.takeError();
  if (target->nvidia)
    return "cuda:" + target->nvidia->chip;
  // Schedules fit into the caches; LLVM orders code for the processor.
  return llvm::formatv("cpu:{0} l1={1} l2={2} tune={3}", target->cpu.name,
                       target->cpu.l1Bytes, target->cpu.l2Bytes,
                       llvm::sys::getHostCPUName())
      .str();
}

namespace {
/// One target of a package.
class CodeCompilation : public PackageCompilation {
public:
  CodeCompilation(const CompileOptions &options, Target target)
      : options(options), compilation(this->options, std::move(target)) {}

  Error parse(StringRef text, StringRef name) {
    if (Error error = compilation.parse(text, name))
      return error;
    spec = compilation.getProgram().getText();
    return Error::success();
  }

  const std::string &getCanonicalText() const override { return spec; }

  Expected<CompiledCode> compile() {
    if (Error error = compilation.lower(Form::Llvm))
      return std::move(error);
    return compilation.makeCode(spec);
  }

  Expected<std::string> emit(StringRef cacheKey) override {
    Expected<CompiledCode> code = compile();
    if (!code)
      return code.takeError();
    std::vector<CompiledCode> codes;
    codes.push_back(std::move(*code));
    return writePackage(std::move(codes), options.dtype, cacheKey);
  }

private:
  CompileOptions options;
  Compilation compilation;
  std::string spec;
};
} // namespace

static Expected<std::unique_ptr<CodeCompilation>>
parseCode(StringRef text, StringRef name, const CompileOptions &options) {
  Expected<Target> target = parsePackageTarget(options.target);
  if (!target)
    return target.takeError();
  auto made = std::make_unique<CodeCompilation>(options, *target);
  if (Error error = made->parse(text, name))
    return std::move(error);
  return made;
}

Expected<std::unique_ptr<PackageCompilation>>
attn::parseForPackage(StringRef text, StringRef name,
                      const CompileOptions &options) {
  return parseCode(text, name, options);
}

Expected<std::string> attn::emitPackage(StringRef text, StringRef name,
                                        const CompileOptions &options,
                                        ArrayRef<std::string> targets) {
  std::vector<CompiledCode> codes;
  for (const std::string &target : targets) {
    CompileOptions own = options;
    own.target = target;
    auto parsed = parseCode(text, name, own);
    if (!parsed)
      return parsed.takeError();
    Expected<CompiledCode> code = (*parsed)->compile();
    if (!code)
      return code.takeError();
    codes.push_back(std::move(*code));
  }
  return writePackage(std::move(codes), options.dtype);
}
