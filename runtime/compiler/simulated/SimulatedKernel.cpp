//===- SimulatedKernel.cpp - A GPU kernel that runs on this machine -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "runtime/compiler/KernelInterface.h"
#include <thread>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

Expected<std::unique_ptr<SimulatedKernel>>
SimulatedKernel::compile(StringRef text, StringRef name,
                         const CompileOptions &options) {
  Expected<DeviceProgram> device = compileForDevice(text, name, options);
  if (!device)
    return device.takeError();
  std::unique_ptr<SimulatedKernel> kernel(
      new SimulatedKernel(std::move(*device)));
  auto counter = makeFlopCounter(text, name, options);
  if (!counter)
    return counter.takeError();
  kernel->counter = std::move(*counter);
  auto module = sim::SimulatedModule::load(kernel->device.program->getModule(),
                                           options.quick ? CodeEffort::Low
                                                         : CodeEffort::Full);
  if (!module)
    return module.takeError();
  kernel->module = std::move(*module);
  return std::move(kernel);
}

Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
SimulatedKernel::resultSizes(ArrayRef<Buffer> arguments) const {
  return getResultSizes(makeInterface(device.signature), arguments);
}

Expected<double> SimulatedKernel::flops(ArrayRef<Buffer> arguments) const {
  if (Status status =
          checkArguments(makeInterface(device.signature), getViews(arguments)))
    return toError(std::move(status));
  return counter->count(arguments);
}

namespace {
/// The memory of one call.
class CallMemory {
public:
  void add(const Buffer &buffer, const Port &port, bool isResult) {
    buffers.push_back(sim::DeviceBuffer::wrap(
        static_cast<char *>(buffer.data), getExtent(buffer),
        {port.name, /*isReadOnly=*/!isResult, /*isInitialized=*/!isResult}));
    views.push_back({{buffer.sizes.begin(), buffer.sizes.end()},
                     {buffer.strides.begin(), buffer.strides.end()}});
  }
  Error addWorkspace(int64_t bytes) {
    auto buffer = sim::DeviceBuffer::create(
        bytes, {"workspace " + std::to_string(buffers.size()),
                /*isReadOnly=*/false, /*isInitialized=*/false});
    if (!buffer)
      return buffer.takeError();
    buffers.push_back(std::move(*buffer));
    return Error::success();
  }
  sim::Launch getLaunch(const KernelLaunch &launch) {
    sim::Launch result{launch.grid, launch.block, launch.sharedBytes, {}};
    for (const KernelParameter &parameter : launch.parameters)
      if (parameter.isPointer)
        result.arguments.push_back(sim::Argument::pointer(
            *buffers[parameter.buffer], parameter.byteOffset));
      else
        result.arguments.push_back(
            {nullptr, 0, parameter.bits, parameter.bytes});
    return result;
  }

  std::vector<ArgumentView> views;

private:
  std::vector<std::unique_ptr<sim::DeviceBuffer>> buffers;
};
} // namespace

/// What the simulator found, as an error.
static Error describe(StringRef kernel, const sim::Report &report) {
  if (report.isClean())
    return Error::success();
  std::string text;
  for (const sim::Defect &defect : report.defects)
    text += "\n  " + sim::toString(defect);
  return llvm::createStringError(
      "kernel '" + kernel + "': the simulator found " +
      llvm::Twine(report.defects.size()) + " defects:" + text);
}

Error SimulatedKernel::launch(ArrayRef<Buffer> arguments,
                              ArrayRef<Buffer> results,
                              const LaunchOptions &options) const {
  Interface interface = makeInterface(device.signature);
  std::vector<TensorView> inputs = getViews(arguments);
  if (Status status = checkArguments(interface, inputs))
    return toError(std::move(status));
  if (Status status = checkResults(interface, inputs, getViews(results)))
    return toError(std::move(status));
  // In the order of the lowered function's arguments.
  std::vector<std::pair<const Buffer *, const Port *>> ports(arguments.size() +
                                                             results.size());
  auto place = [&](const auto &layouts, ArrayRef<Buffer> given,
                   const std::vector<Port> &known) {
    for (auto [layout, buffer, port] : llvm::zip_equal(layouts, given, known))
      ports[layout.position] = {&buffer, &port};
  };
  place(device.signature.argumentLayouts, arguments,
        device.signature.arguments);
  place(device.signature.resultLayouts, results, device.signature.results);
  CallMemory memory;
  for (auto [buffer, port] : ports)
    memory.add(*buffer, *port,
               port >= device.signature.results.data() &&
                   port < device.signature.results.data() + results.size());
  auto plan = planLaunches(device.program->getFunction(), memory.views);
  if (!plan)
    return plan.takeError();
  for (int64_t bytes : plan->workspaceBytes)
    if (Error error = memory.addWorkspace(bytes))
      return error;
  sim::SimulatorOptions simulation;
  simulation.workers =
      options.threads ? options.threads : std::thread::hardware_concurrency();
  reports.clear();
  for (const KernelLaunch &launch : plan->launches) {
    auto report =
        module->launch(launch.kernel, memory.getLaunch(launch), simulation);
    if (!report)
      return report.takeError();
    if (Error error = describe(launch.kernel, *report))
      return error;
    reports.emplace_back(launch.kernel, std::move(*report));
  }
  return Error::success();
}
