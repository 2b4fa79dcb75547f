//===- Compilation.cpp - One run of the compiler --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Compilation.h"
#include "codegen/cpu/Pipeline.h"
#include "codegen/nvidia/Ptx.h"
#include "dialect/AttnDialect.h"
#include "passes/ScheduleText.h"
#include "runtime/CpuDevice.h"
#include "runtime/compiler/GpuProgram.h"
#include "runtime/compiler/ObjectCache.h"
#include "runtime/compiler/SharedObject.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

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
