//===- Compiler.cpp - From the text of a spec to a callable kernel --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Compiler.h"
#include "runtime/compiler/Compilation.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"
#include <chrono>

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

StringRef attn::getName(ElementType type) { return getTypeName(type); }

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
                                        ArrayRef<CompileOptions> options) {
  std::vector<CompiledCode> codes;
  for (const CompileOptions &own : options) {
    auto parsed = parseCode(text, name, own);
    if (!parsed)
      return parsed.takeError();
    Expected<CompiledCode> code = (*parsed)->compile();
    if (!code)
      return code.takeError();
    codes.push_back(std::move(*code));
  }
  return writePackage(std::move(codes), options.front().dtype);
}
