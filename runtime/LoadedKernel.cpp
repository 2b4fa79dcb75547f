//===- LoadedKernel.cpp - A kernel of a package on a device ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/LoadedKernel.h"
#include "runtime/CallEntry.h"
#include "runtime/CpuDevice.h"
#include "runtime/CudaDevice.h"

using namespace attn;

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

static Result<Candidate> chooseCode(const CodeChoice &choice, DLDevice device) {
  if (device.device_type == kDLCPU)
    return chooseCpuCode(choice);
  if (device.device_type == kDLCUDA)
    return chooseCudaCode(choice, device.device_id);
  return invalidArgument("device must be cpu or cuda, got " +
                         describeDevice(device));
}

Result<std::unique_ptr<LoadedKernel>>
LoadedKernel::load(std::shared_ptr<const Package> package,
                   const PackageKernel &kernel, DLDevice device,
                   const std::string &target) {
  Result<Candidate> candidate =
      chooseCode({kernel, package->sections, target}, device);
  if (!candidate)
    return candidate.takeStatus();
  Result<std::unique_ptr<LoadedProgram>> code =
      device.device_type == kDLCPU
          ? loadCpuProgram(*candidate)
          : loadCudaProgram(*candidate, device.device_id);
  if (!code)
    return code.takeStatus();
  std::unique_ptr<LoadedKernel> loaded(
      new LoadedKernel(std::move(package), kernel, *candidate, device));
  loaded->code = std::move(*code);
  return loaded;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

Result<TensorList> LoadedKernel::takeArguments(Tensors arguments) const {
  Result<TensorList> list = TensorList::create(
      "argument", kernel.interface.arguments, arguments, device);
  if (list)
    if (Status status = checkArguments(kernel.interface, list->getViews()))
      return status;
  return list;
}

Result<std::vector<std::vector<int64_t>>>
LoadedKernel::getResultSizes(Tensors arguments) const {
  Result<TensorList> inputs = takeArguments(arguments);
  if (!inputs)
    return inputs.takeStatus();
  return attn::getResultSizes(kernel.interface, inputs->getViews());
}

Result<int64_t> LoadedKernel::getWorkspaceBytes(Tensors arguments) const {
  Result<TensorList> inputs = takeArguments(arguments);
  if (!inputs)
    return inputs.takeStatus();
  std::vector<int64_t> dims = bindDims(kernel.interface, inputs->getViews());
  Result<Workspace> workspace = Workspace::layOut(program, dims);
  if (!workspace)
    return workspace.takeStatus();
  return workspace->bytes;
}

Status LoadedKernel::checkResources(const LaunchResources &resources,
                                    int64_t bytes) const {
  if (Status status = EntryCall::checkThreads(resources.threads))
    return status;
  if (device.device_type == kDLCPU && resources.stream)
    return invalidArgument("stream must be null on the CPU");
  if (resources.workspaceBytes < uint64_t(bytes))
    return invalidArgument("workspace must have " + std::to_string(bytes) +
                           " bytes, got " +
                           std::to_string(resources.workspaceBytes));
  if (bytes == 0)
    return {};
  if (!resources.workspace)
    return invalidArgument("workspace must not be null, as " +
                           std::to_string(bytes) + " bytes are needed");
  if (reinterpret_cast<uintptr_t>(resources.workspace) %
      ATTN_WORKSPACE_ALIGNMENT)
    return invalidArgument("workspace must be aligned to " +
                           std::to_string(ATTN_WORKSPACE_ALIGNMENT) + " bytes");
  return {};
}

Status LoadedKernel::launch(Tensors arguments, Tensors results,
                            const LaunchResources &resources) const {
  Result<TensorList> inputs = takeArguments(arguments);
  if (!inputs)
    return inputs.takeStatus();
  Result<TensorList> outputs =
      TensorList::create("result", kernel.interface.results, results, device);
  if (!outputs)
    return outputs.takeStatus();
  if (Status status = checkResults(kernel.interface, inputs->getViews(),
                                   outputs->getViews()))
    return status;
  if (Status status = checkOverlaps(kernel.interface, inputs->getViews(),
                                    outputs->getViews()))
    return status;
  std::vector<int64_t> dims = bindDims(kernel.interface, inputs->getViews());
  Result<Workspace> workspace = Workspace::layOut(program, dims);
  if (!workspace)
    return workspace.takeStatus();
  if (Status status = checkResources(resources, workspace->bytes))
    return status;
  std::vector<TensorView> tensors(inputs->getViews().begin(),
                                  inputs->getViews().end());
  tensors.insert(tensors.end(), outputs->getViews().begin(),
                 outputs->getViews().end());
  std::vector<std::span<const int64_t>> strides;
  for (const TensorView &tensor : tensors)
    strides.push_back(tensor.strides);
  return code->run({tensors,
                    {dims, strides},
                    *workspace,
                    static_cast<char *>(resources.workspace),
                    resources.stream,
                    resources.threads});
}
