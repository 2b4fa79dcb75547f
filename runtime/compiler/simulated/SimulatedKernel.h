//===- SimulatedKernel.h - A GPU kernel that runs on this machine -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The Kernel of a cuda target whose launches go to the simulator. What the
// simulator finds (races, accesses out of bounds, ...) makes a launch fail.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_SIMULATED_SIMULATEDKERNEL_H
#define ATTN_RUNTIME_COMPILER_SIMULATED_SIMULATEDKERNEL_H

#include "codegen/gpu/LaunchPlan.h"
#include "codegen/simulator/Simulator.h"
#include "runtime/compiler/DeviceProgram.h"
#include "runtime/compiler/FlopCounter.h"
#include "runtime/compiler/simulated/LaunchMemory.h"

namespace attn {

class SimulatedKernel : public Kernel {
public:
  static llvm::Expected<std::unique_ptr<SimulatedKernel>>
  compile(llvm::StringRef text, llvm::StringRef name,
          const CompileOptions &options);

  llvm::ArrayRef<Port> arguments() const override {
    return device.signature.arguments;
  }
  llvm::ArrayRef<Port> results() const override {
    return device.signature.results;
  }
  const std::map<std::string, int64_t> &defaultDims() const override {
    return device.signature.defaults;
  }
  llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
  resultSizes(llvm::ArrayRef<Buffer> arguments) const override;
  llvm::Error launch(llvm::ArrayRef<Buffer> arguments,
                     llvm::ArrayRef<Buffer> results,
                     const LaunchOptions &options) const override;
  double compileSeconds() const override { return device.seconds; }
  std::string schedule() const override { return device.schedule; }
  llvm::Expected<double> flops(llvm::ArrayRef<Buffer> arguments) const override;

  /// When asynchronous copies of later calls take effect; at first, at issue.
  void setCopyOrder(sim::CopyOrder order) { copyOrder = order; }

  /// One report per launch of the last call, with the name of its kernel.
  using Reports = std::vector<std::pair<std::string, sim::Report>>;
  const Reports &getReports() const { return reports; }

  /// Who wrote the byte at `address` last, in a result of the last call.
  std::optional<sim::Place> getLastWriter(const char *address) const;

  /// Names of the arguments of which regions read single elements, at places
  /// that they compute: captured tables.
  std::vector<std::string> getGathered() const;

private:
  explicit SimulatedKernel(DeviceProgram device) : device(std::move(device)) {}
  void fillMemory(llvm::ArrayRef<Buffer> arguments,
                  llvm::ArrayRef<Buffer> results) const;

  DeviceProgram device;
  sim::CopyOrder copyOrder = sim::CopyOrder::AtIssue;
  std::unique_ptr<FlopCounter> counter;
  std::unique_ptr<sim::SimulatedModule> module;
  mutable Reports reports;
  /// Of the last call; it is the caller's, and only its shadow is read.
  mutable LaunchMemory memory;
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_SIMULATED_SIMULATEDKERNEL_H
