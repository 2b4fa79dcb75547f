//===- SpecCompilation.cpp - The compiler behind contexts -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/SpecCompilation.h"
#include "codegen/cpu/HostFeatures.h"
#include "codegen/nvidia/Pipeline.h"
#include "runtime/CudaGpu.h"
#include "runtime/TensorViews.h"
#include "runtime/compiler/tuning/TunedSchedule.h"
#include "runtime/jit/BuildId.h"
#include "llvm/Config/llvm-config.h"

using namespace attn;
using llvm::Expected;
using llvm::StringRef;

/// An error of the compiler, which has no code, as a status.
static Status toStatus(attn_status code, llvm::Error error) {
  return {code, llvm::toString(std::move(error))};
}

/// An error of a spec and of the sizes of its calls.
static Status toSpecStatus(llvm::Error error) {
  bool isOfSizes = error.isA<CallSizesError>();
  return toStatus(isOfSizes ? ATTN_INVALID_ARGUMENT : ATTN_INVALID_SPEC,
                  std::move(error));
}

namespace {
class CompiledSpec : public ParsedSpec {
public:
  CompiledSpec(std::unique_ptr<PackageCompilation> compilation,
               SpecSchedule schedule)
      : compilation(std::move(compilation)), schedule(std::move(schedule)) {}

  const std::string &getCanonicalText() const override {
    return compilation->getCanonicalText();
  }
  const SpecSchedule &getSchedule() const override { return schedule; }

  Result<std::string> makePackage(const std::string &cacheKey) override {
    llvm::Expected<std::string> bytes = compilation->emit(cacheKey);
    if (!bytes)
      return toStatus(ATTN_INVALID_SPEC, bytes.takeError());
    return std::move(*bytes);
  }

private:
  std::unique_ptr<PackageCompilation> compilation;
  SpecSchedule schedule;
};

class Compiler : public SpecCompiler {
public:
  std::string getBuild() const override {
    std::string build = getBuildId();
    return build.empty() ? build : build + " LLVM " LLVM_VERSION_STRING;
  }

  Result<std::string> chooseTarget(DLDevice device) const override;
  Result<std::string> describeTarget(const std::string &target,
                                     DLDevice device) const override;
  Result<std::unique_ptr<ParsedSpec>>
  parse(const SpecRequest &request) const override;
};
} // namespace

Result<std::string> Compiler::chooseTarget(DLDevice device) const {
  if (device.device_type == kDLCPU)
    return std::string("cpu");
  if (device.device_type != kDLCUDA)
    return invalidArgument("device must be cpu or cuda, got " +
                           describeDevice(device));
  Result<CudaGpu> gpu = CudaGpu::open(device.device_id);
  if (!gpu)
    return gpu.takeStatus();
  // The newest that is not newer than the GPU.
  for (int made = gpu->capability; made >= 80; --made) {
    std::string chip = "sm_" + std::to_string(made);
    llvm::Expected<NvidiaTarget> known = getNvidiaTarget(chip);
    if (known)
      return "cuda:" + chip;
    llvm::consumeError(known.takeError());
  }
  return Status(ATTN_NO_CODE_FOR_DEVICE,
                describeDevice(device) + " must be sm_80 or newer, got sm_" +
                    std::to_string(gpu->capability));
}

Result<std::string> Compiler::describeTarget(const std::string &target,
                                             DLDevice device) const {
  llvm::Expected<std::string> text = attn::describeTarget(target);
  if (!text)
    return toStatus(ATTN_INVALID_ARGUMENT, text.takeError());
  StringRef level = *text;
  bool isForCpu = level.consume_front("cpu:");
  if (isForCpu != (device.device_type == kDLCPU))
    return invalidArgument("target '" + target + "' is not for " +
                           describeDevice(device) + "; expected a " +
                           (isForCpu ? "cuda" : "cpu") + " target");
  if (!isForCpu)
    return std::move(*text);
  auto cpu = getCpuTarget(level.take_until([](char c) { return c == ' '; }));
  if (!cpu)
    return toStatus(ATTN_INVALID_ARGUMENT, cpu.takeError());
  if (llvm::Error error = checkRunsHere(*cpu))
    return toStatus(ATTN_NO_CODE_FOR_DEVICE, std::move(error));
  return std::move(*text);
}

/// The schedule that a request gives, or that a database has for it.
static Result<SpecSchedule> findSchedule(const SpecRequest &request,
                                         StringRef text,
                                         const CompileOptions &options) {
  bool isGiven = !request.schedule.empty();
  if (isGiven || request.database.empty()) {
    if (!request.dims.empty())
      if (llvm::Error error =
              checkCallSizes(text, request.name, options, request.dims))
        return toSpecStatus(std::move(error));
    return SpecSchedule{request.schedule, isGiven ? "given" : "default"};
  }
  auto database =
      TuningDatabase::open(request.database, TuningDatabase::Mode::Read);
  if (!database)
    return toStatus(ATTN_IO_ERROR, database.takeError());
  Expected<TuningKey> key =
      makeTuningKey(text, request.name, options, /*device=*/"",
                    request.dims.empty() ? nullptr : &request.dims);
  if (!key)
    return toSpecStatus(key.takeError());
  Expected<TunedSchedule> found =
      findTuned(*database, *key, text, request.name, options);
  if (!found)
    return toStatus(ATTN_IO_ERROR, found.takeError());
  return SpecSchedule{found->schedule, found->origin};
}

Result<std::unique_ptr<ParsedSpec>>
Compiler::parse(const SpecRequest &request) const {
  StringRef text(request.text.data(), request.text.size());
  CompileOptions options;
  options.target = request.target;
  options.function = request.function;
  options.dtype = request.dtype;
  Result<SpecSchedule> schedule = findSchedule(request, text, options);
  if (!schedule)
    return schedule.takeStatus();
  options.schedule = schedule->text;
  auto parsed = parseForPackage(text, request.name, options);
  if (!parsed)
    return toStatus(ATTN_INVALID_SPEC, parsed.takeError());
  return std::unique_ptr<ParsedSpec>(
      std::make_unique<CompiledSpec>(std::move(*parsed), std::move(*schedule)));
}

std::unique_ptr<SpecCompiler> attn::makeSpecCompiler() {
  return std::make_unique<Compiler>();
}
