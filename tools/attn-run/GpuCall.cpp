//===- GpuCall.cpp - A call with its tensors on a GPU ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/GpuCall.h"
#include "runtime/compiler/KernelInterface.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;

/// Tools use the first GPU.
static constexpr DLDevice kGpu = {kDLCUDA, 0};

TensorArguments::TensorArguments(ArrayRef<Buffer> buffers, DLDevice device) {
  for (const Buffer &buffer : buffers)
    tensors.push_back({buffer.data, device, int32_t(buffer.sizes.size()),
                       getDLType(buffer.type),
                       const_cast<int64_t *>(buffer.sizes.data()),
                       const_cast<int64_t *>(buffer.strides.data()), 0});
  for (const DLTensor &tensor : tensors)
    pointers.push_back(&tensor);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

GpuMemory::~GpuMemory() {
  if (!address)
    return;
  if (auto current = context.makeCurrent())
    context.getDriver().cuMemFree(address);
}

Status GpuMemory::allocate(int64_t wanted) {
  if (wanted == 0)
    return {};
  const CudaDriver &cuda = context.getDriver();
  if (Status status =
          cuda.check(cuda.cuMemAlloc(&address, wanted), "cuMemAlloc"))
    return std::move(status).within("for " + std::to_string(wanted) +
                                    " bytes: ");
  bytes = wanted;
  return {};
}

Status GpuMemory::copyFrom(const void *host) const {
  const CudaDriver &cuda = context.getDriver();
  return bytes
             ? cuda.check(cuda.cuMemcpyHtoDAsync(address, host, bytes, nullptr),
                          "cuMemcpyHtoDAsync")
             : Status();
}

Status GpuMemory::copyTo(void *host) const {
  const CudaDriver &cuda = context.getDriver();
  return bytes
             ? cuda.check(cuda.cuMemcpyDtoHAsync(host, address, bytes, nullptr),
                          "cuMemcpyDtoHAsync")
             : Status();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

GpuCall::GpuCall(const LoadedKernel &kernel, CudaContext given,
                 ArrayRef<Buffer> arguments, ArrayRef<Buffer> results)
    : kernel(kernel), context(std::move(given)), results(results),
      inputs(arguments, kGpu), outputs(results, kGpu), workspace(context) {}

Status GpuCall::upload(ArrayRef<Buffer> buffers, TensorArguments &tensors) {
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    GpuMemory &copy = memory.emplace_back(context);
    if (Status status = copy.allocate(getExtent(buffer)))
      return status;
    if (Status status = copy.copyFrom(buffer.data))
      return status;
    tensors.setData(i, copy.get());
  }
  return {};
}

Status GpuCall::wait() {
  const CudaDriver &cuda = context.getDriver();
  return cuda.check(cuda.cuStreamSynchronize(nullptr), "cuStreamSynchronize");
}

Status GpuCall::prepareMemory(ArrayRef<Buffer> arguments) {
  // Wrong sizes are found before anything is allocated for them.
  Result<int64_t> bytes = kernel.getWorkspaceBytes(inputs.get());
  if (!bytes)
    return bytes.takeStatus();
  auto current = context.makeCurrent();
  if (!current)
    return current.takeStatus();
  if (Status status = upload(arguments, inputs))
    return status;
  if (Status status = upload(results, outputs))
    return status;
  if (Status status = workspace.allocate(*bytes))
    return status;
  return wait();
}

llvm::Expected<std::unique_ptr<GpuCall>>
GpuCall::prepare(const LoadedKernel &kernel, ArrayRef<Buffer> arguments,
                 ArrayRef<Buffer> results) {
  Result<CudaGpu> gpu = CudaGpu::open(kGpu.device_id);
  if (!gpu)
    return toError(gpu.takeStatus());
  Result<CudaContext> context = CudaContext::retain(*gpu);
  if (!context)
    return toError(context.takeStatus());
  std::unique_ptr<GpuCall> call(
      new GpuCall(kernel, std::move(*context), arguments, results));
  if (Status status = call->prepareMemory(arguments))
    return toError(std::move(status));
  return call;
}

Error GpuCall::run() {
  auto current = context.makeCurrent();
  if (!current)
    return toError(current.takeStatus());
  if (Status status = kernel.launch(
          inputs.get(), outputs.get(),
          {workspace.get(), size_t(workspace.getNumBytes()), nullptr, 0}))
    return toError(std::move(status));
  return toError(wait());
}

Error GpuCall::fetch() {
  auto current = context.makeCurrent();
  if (!current)
    return toError(current.takeStatus());
  auto copies = llvm::drop_begin(memory, memory.size() - results.size());
  for (auto [buffer, copy] : llvm::zip_equal(results, copies))
    if (Status status = copy.copyTo(buffer.data))
      return toError(std::move(status));
  return toError(wait());
}
