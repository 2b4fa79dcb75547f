//===- RunnablePackage.cpp - Run packages like compiled specs -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/RunnablePackage.h"
#include "runtime/CudaGpu.h"
#include "runtime/compiler/KernelInterface.h"
#include "tools/attn-run/GpuCall.h"
#include "tools/support/CommandLine.h"
#include <chrono>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

bool attn::isPackage(StringRef contents) {
  return contents.starts_with("\x89"
                              "ATTN");
}

bool attn::isGpuTarget(StringRef target) {
  return target == "cuda" || target.starts_with("cuda:");
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

/// Refuses options that only make sense where something is compiled.
static Error checkOptions(const CompileInput &input) {
  const CompileOptions &options = input.options;
  for (auto [name, value] : {std::pair("dtype", &options.dtype),
                             std::pair("schedule", &options.schedule),
                             std::pair("dump-phases", &options.dumpPhasesTo)})
    if (!value->empty())
      return makeError("--{0}: expected a spec, got the package '{1}', which "
                       "is compiled already",
                       name, input.name);
  StringRef target = options.target;
  if (target != "cpu" && !target.starts_with("cpu:") && !isGpuTarget(target))
    return makeError("--target: expected cpu, cpu:LEVEL, cuda or cuda:sm_NN "
                     "for the package '{0}', got '{1}'",
                     input.name, target);
  return Error::success();
}

/// Looks for the GPU that code is to run on.
static Expected<CudaGpu> openGpu(StringRef target, StringRef wayOut) {
  Result<CudaGpu> gpu = CudaGpu::open(0);
  if (gpu)
    return *gpu;
  return makeError("target '{0}': expected a GPU, got {1}; {2}", target,
                   gpu.takeStatus().getMessage(), wayOut);
}

Error RunnablePackage::makeCounter(const CompileInput &input) {
  if (input.text.empty())
    return Error::success();
  auto made = makeFlopCounter(input.text, input.name, input.options);
  if (!made)
    return made.takeError();
  counter = std::move(*made);
  return Error::success();
}

Error RunnablePackage::read(CompileInput &input) {
  auto fail = [&](Status status) {
    return toError(std::move(status).within("'" + input.name + "': "));
  };
  auto package = Package::read(input.text);
  if (!package)
    return fail(package.takeStatus());
  auto found = (*package)->findKernel(input.options.function);
  if (!found)
    return fail(found.takeStatus());
  StringRef target = input.options.target;
  bool isOpen = target == "cpu" || target == "cuda";
  auto made =
      LoadedKernel::load(*package, **found, device, isOpen ? "" : target.str());
  if (!made)
    return fail(made.takeStatus());
  loaded = std::move(*made);
  input.text = (*found)->spec;
  input.options.dtype = (*found)->dtype;
  input.options.target = loaded->getTarget();
  return Error::success();
}

/// Loads the package in `input`; the time since `start` is what that took.
Error RunnablePackage::finish(CompileInput &input, Clock::time_point start) {
  if (Error error = read(input))
    return error;
  seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return makeCounter(input);
}

Expected<std::unique_ptr<RunnablePackage>>
RunnablePackage::load(CompileInput &input) {
  if (Error error = checkOptions(input))
    return std::move(error);
  StringRef target = input.options.target;
  std::unique_ptr<RunnablePackage> kernel(new RunnablePackage());
  if (isGpuTarget(target)) {
    kernel->device = {kDLCUDA, 0};
    Expected<CudaGpu> gpu = openGpu(
        target, "--target=cpu runs the package's code for the CPU, if any");
    if (!gpu)
      return gpu.takeError();
  }
  auto start = Clock::now();
  if (Error error = kernel->finish(input, start))
    return std::move(error);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Specs on GPUs
//===----------------------------------------------------------------------===//

/// The capability of devices that code for a target needs: 80 for "cuda:sm_80".
static int getCapability(StringRef target) {
  int capability = 0;
  target.consume_front("cuda:sm_");
  return target.getAsInteger(10, capability) ? 0 : capability;
}

/// The target to compile for: of "cuda" the highest that the GPU can run.
static Expected<std::string> chooseTarget(StringRef target,
                                          const CudaGpu &gpu) {
  if (target != "cuda") {
    if (getCapability(target) <= gpu.capability)
      return target.str();
    return makeError("target '{0}': expected at most that of the GPU, "
                     "cuda:sm_{1}; --simulate runs it on the CPU",
                     target, gpu.capability);
  }
  StringRef best;
  for (StringRef known : getGpuTargets())
    if (getCapability(known) <= gpu.capability &&
        getCapability(known) > getCapability(best))
      best = known;
  if (best.empty())
    return makeError("target 'cuda': expected a GPU of at least sm_80, got "
                     "sm_{0}",
                     gpu.capability);
  return best.str();
}

Expected<std::unique_ptr<RunnablePackage>>
RunnablePackage::compileForGpu(CompileInput &input) {
  auto start = Clock::now();
  CompileOptions &options = input.options;
  Expected<CudaGpu> gpu =
      openGpu(options.target, "--simulate runs the kernels on the CPU");
  if (!gpu)
    return gpu.takeError();
  Expected<std::string> target = chooseTarget(options.target, *gpu);
  if (!target)
    return target.takeError();
  options.target = *target;
  auto bytes = emitPackage(input.text, input.name, options);
  if (!bytes)
    return bytes.takeError();
  input.text = std::move(*bytes);
  std::unique_ptr<RunnablePackage> kernel(new RunnablePackage());
  kernel->device = {kDLCUDA, 0};
  if (Error error = kernel->finish(input, start))
    return std::move(error);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

ArrayRef<Port> RunnablePackage::arguments() const {
  return loaded->getKernel().interface.arguments;
}

ArrayRef<Port> RunnablePackage::results() const {
  return loaded->getKernel().interface.results;
}

const std::map<std::string, int64_t> &RunnablePackage::defaultDims() const {
  return loaded->getKernel().interface.defaults;
}

std::string RunnablePackage::schedule() const { return loaded->getSchedule(); }

llvm::Expected<double>
RunnablePackage::flops(ArrayRef<Buffer> arguments) const {
  const attn::PackageKernel &kernel = loaded->getKernel();
  std::vector<TensorView> views = getViews(arguments);
  if (Status status = checkArguments(kernel.interface, views))
    return toError(std::move(status));
  if (counter)
    return counter->count(arguments);
  std::vector<int64_t> dims = bindDims(kernel.interface, views);
  double flops = 0;
  for (const SizeExpr &count : kernel.flops)
    if (Result<int64_t> value = count.evaluate({dims, {}}))
      flops += double(*value);
  return flops;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {
/// Memory as launches want it.
struct WorkspaceMemory {
  explicit WorkspaceMemory(size_t bytes)
      : bytes(bytes),
        data(bytes ? std::aligned_alloc(ATTN_WORKSPACE_ALIGNMENT, bytes)
                   : nullptr) {}
  ~WorkspaceMemory() { std::free(data); }

  size_t bytes;
  void *data;
};
} // namespace

Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
RunnablePackage::resultSizes(ArrayRef<Buffer> arguments) const {
  TensorArguments inputs(arguments, device);
  auto sizes = loaded->getResultSizes(inputs.get());
  if (!sizes)
    return toError(sizes.takeStatus());
  std::vector<llvm::SmallVector<int64_t, 4>> result;
  for (const std::vector<int64_t> &size : *sizes)
    result.emplace_back(size.begin(), size.end());
  return result;
}

Error RunnablePackage::launch(ArrayRef<Buffer> arguments,
                              ArrayRef<Buffer> results,
                              const LaunchOptions &options) const {
  if (isOnGpu()) {
    auto call = GpuCall::prepare(*loaded, arguments, results);
    if (!call)
      return call.takeError();
    if (Error error = (*call)->run())
      return error;
    return (*call)->fetch();
  }
  TensorArguments inputs(arguments, device), outputs(results, device);
  Result<int64_t> bytes = loaded->getWorkspaceBytes(inputs.get());
  if (!bytes)
    return toError(bytes.takeStatus());
  WorkspaceMemory workspace(*bytes);
  if (workspace.bytes && !workspace.data)
    return makeError("out of memory for {0} bytes of workspace", *bytes);
  return toError(loaded->launch(
      inputs.get(), outputs.get(),
      {workspace.data, workspace.bytes, nullptr, options.threads}));
}
