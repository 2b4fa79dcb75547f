//===- SimulatedKernel.cpp - A GPU kernel that runs on this machine -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "runtime/compiler/KernelInterface.h"
#include "runtime/compiler/simulated/LaunchMemory.h"
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

std::vector<std::string> SimulatedKernel::getGathered() const {
  std::vector<std::string> names;
  for (auto [port, layout] : llvm::zip_equal(device.signature.arguments,
                                             device.signature.argumentLayouts))
    if (layout.isGathered)
      names.push_back(port.name);
  return names;
}

Expected<double> SimulatedKernel::flops(ArrayRef<Buffer> arguments) const {
  if (Status status =
          checkArguments(makeInterface(device.signature), getViews(arguments)))
    return toError(std::move(status));
  return counter->count(arguments);
}

/// The memory of an argument or a result. An argument is written if a result is
/// computed in its place.
static std::shared_ptr<sim::DeviceBuffer>
wrap(const Buffer &buffer, const Port &port, bool isRead, bool isWritten) {
  return sim::DeviceBuffer::wrap(
      static_cast<char *>(buffer.data), getExtent(buffer),
      {port.name, /*isReadOnly=*/!isWritten, /*isInitialized=*/isRead});
}

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

std::optional<sim::Place>
SimulatedKernel::getLastWriter(const char *address) const {
  const sim::DeviceBuffer *buffer = memory.find(address);
  return buffer ? module->getLastWriter(*buffer, buffer->offsetOf(address))
                : std::nullopt;
}

/// Puts arguments and results in the order of the lowered function's arguments.
void SimulatedKernel::fillMemory(ArrayRef<Buffer> arguments,
                                 ArrayRef<Buffer> results) const {
  const Signature &signature = device.signature;
  std::vector<std::shared_ptr<sim::DeviceBuffer>> inputs;
  std::vector<std::pair<std::shared_ptr<sim::DeviceBuffer>, const Buffer *>>
      ordered(arguments.size() + results.size());
  for (auto [i, buffer] : llvm::enumerate(arguments)) {
    bool isReplaced = llvm::any_of(
        signature.results, [&](const Port &port) { return port.inPlace == i; });
    inputs.push_back(wrap(buffer, signature.arguments[i], /*isRead=*/true,
                          /*isWritten=*/isReplaced));
    ordered[signature.argumentLayouts[i].position] = {inputs.back(), &buffer};
  }
  for (auto [i, buffer] : llvm::enumerate(results)) {
    const Port &port = signature.results[i];
    bool isInPlace =
        port.inPlace && arguments[*port.inPlace].data == buffer.data;
    ordered[signature.resultLayouts[i].position] = {
        isInPlace ? inputs[*port.inPlace]
                  : wrap(buffer, port, /*isRead=*/false, /*isWritten=*/true),
        &buffer};
  }
  memory = LaunchMemory();
  for (auto &[shared, buffer] : ordered)
    memory.add(shared, {{buffer->sizes.begin(), buffer->sizes.end()},
                        {buffer->strides.begin(), buffer->strides.end()}});
}

Error SimulatedKernel::launch(ArrayRef<Buffer> arguments,
                              ArrayRef<Buffer> results,
                              const LaunchOptions &options) const {
  Interface interface = makeInterface(device.signature);
  std::vector<TensorView> inputs = getViews(arguments),
                          outputs = getViews(results);
  if (Status status = checkArguments(interface, inputs))
    return toError(std::move(status));
  if (Status status = checkResults(interface, inputs, outputs))
    return toError(std::move(status));
  if (Status status = checkOverlaps(interface, inputs, outputs))
    return toError(std::move(status));
  fillMemory(arguments, results);
  auto plan = memory.plan(device.program->getFunction());
  if (!plan)
    return plan.takeError();
  sim::SimulatorOptions simulation;
  simulation.copyOrder = copyOrder;
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
