//===- RunnablePackage.cpp - Run packages like compiled specs -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/RunnablePackage.h"
#include "runtime/compiler/KernelInterface.h"
#include "tools/support/CommandLine.h"
#include <chrono>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// All kernels run on the CPU of this machine.
static constexpr DLDevice kCpu = {kDLCPU, 0};

bool attn::isPackage(StringRef contents) {
  return contents.starts_with("\x89"
                              "ATTN");
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
  if (target != "cpu" && !target.starts_with("cpu:"))
    return makeError("--target: expected cpu or cpu:LEVEL for the package "
                     "'{0}', got '{1}'",
                     input.name, target);
  return Error::success();
}

Expected<std::unique_ptr<Kernel>> RunnablePackage::load(CompileInput &input) {
  if (Error error = checkOptions(input))
    return std::move(error);
  auto fail = [&](Status status) {
    return toError(std::move(status).within("'" + input.name + "': "));
  };
  auto start = std::chrono::steady_clock::now();
  auto package = Package::read(input.text);
  if (!package)
    return fail(package.takeStatus());
  auto found = (*package)->findKernel(input.options.function);
  if (!found)
    return fail(found.takeStatus());
  StringRef target = input.options.target;
  auto loaded = LoadedKernel::load(*package, **found, kCpu,
                                   target == "cpu" ? "" : target.str());
  if (!loaded)
    return fail(loaded.takeStatus());
  std::unique_ptr<RunnablePackage> kernel(new RunnablePackage());
  kernel->loaded = std::move(*loaded);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  kernel->seconds = time.count();
  input.text = (*found)->spec;
  input.options.dtype = (*found)->dtype;
  input.options.target = kernel->loaded->getTarget();
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
/// Buffers as tensors of DLPack.
class Tensors {
public:
  explicit Tensors(ArrayRef<Buffer> buffers) {
    for (const Buffer &buffer : buffers)
      tensors.push_back({buffer.data, kCpu, int32_t(buffer.sizes.size()),
                         getDLType(buffer.type),
                         const_cast<int64_t *>(buffer.sizes.data()),
                         const_cast<int64_t *>(buffer.strides.data()), 0});
    for (const DLTensor &tensor : tensors)
      pointers.push_back(&tensor);
  }

  LoadedKernel::Tensors get() const { return pointers; }

private:
  std::vector<DLTensor> tensors;
  std::vector<const DLTensor *> pointers;
};

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
  auto sizes = loaded->getResultSizes(Tensors(arguments).get());
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
  Tensors inputs(arguments), outputs(results);
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
