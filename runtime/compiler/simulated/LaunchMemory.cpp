//===- LaunchMemory.cpp - The memory of simulated launches ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/simulated/LaunchMemory.h"

using namespace attn;
using llvm::Expected;

void LaunchMemory::add(std::shared_ptr<sim::DeviceBuffer> buffer,
                       ArgumentView view) {
  buffers.push_back(std::move(buffer));
  views.push_back(std::move(view));
}

Expected<LaunchPlan> LaunchMemory::plan(mlir::func::FuncOp host) {
  Expected<LaunchPlan> plan = planLaunches(host, views);
  if (!plan)
    return plan.takeError();
  for (int64_t bytes : plan->workspaceBytes) {
    auto buffer = sim::DeviceBuffer::create(
        bytes, {"workspace " + std::to_string(buffers.size()),
                /*isReadOnly=*/false, /*isInitialized=*/false});
    if (!buffer)
      return buffer.takeError();
    buffers.push_back(std::move(*buffer));
  }
  return std::move(*plan);
}

sim::Launch LaunchMemory::getLaunch(const KernelLaunch &launch) const {
  sim::Launch result{launch.grid, launch.block, launch.sharedBytes, {}};
  for (const KernelParameter &parameter : launch.parameters)
    if (parameter.isPointer)
      result.arguments.push_back(sim::Argument::pointer(
          *buffers[parameter.buffer], parameter.byteOffset));
    else
      result.arguments.push_back({nullptr, 0, parameter.bits, parameter.bytes});
  return result;
}

const sim::DeviceBuffer *LaunchMemory::find(const char *address) const {
  for (const auto &buffer : buffers)
    if (buffer->contains(address, 1))
      return buffer.get();
  return nullptr;
}
