//===- CpuKernel.h - A kernel that was loaded into the process --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_CPUKERNEL_H
#define ATTN_RUNTIME_COMPILER_CPUKERNEL_H

#include "runtime/CallEntry.h"
#include "runtime/compiler/FlopCounter.h"
#include "runtime/compiler/KernelInterface.h"
#include "runtime/compiler/SharedObject.h"

namespace attn {

/// Calls the entry of a shared object; see runtime/ParallelFor.h.
class CpuKernel : public Kernel {
public:
  /// Loads the bytes of a shared object.
  static llvm::Expected<std::unique_ptr<CpuKernel>>
  load(llvm::StringRef bytes, Signature signature, std::string schedule);

  void setCompileSeconds(double value) { seconds = value; }

  /// How to compile the function that `attn-count-pairs` makes of this one.
  void setMakeCounter(FlopCounter::MakeKernel make) {
    counter = std::make_unique<FlopCounter>(signature, std::move(make));
  }

  llvm::ArrayRef<Port> arguments() const override {
    return signature.arguments;
  }
  llvm::ArrayRef<Port> results() const override { return signature.results; }
  const std::map<std::string, int64_t> &defaultDims() const override {
    return signature.defaults;
  }
  llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
  resultSizes(llvm::ArrayRef<Buffer> arguments) const override;
  llvm::Error launch(llvm::ArrayRef<Buffer> arguments,
                     llvm::ArrayRef<Buffer> results,
                     const LaunchOptions &options) const override;
  double compileSeconds() const override { return seconds; }
  std::string schedule() const override { return chosenSchedule; }
  llvm::Expected<double> flops(llvm::ArrayRef<Buffer> arguments) const override;

private:
  CpuKernel() = default;

  std::unique_ptr<SharedObject> code;
  Entry entry = nullptr;
  Signature signature;
  Interface interface;
  std::vector<PortPosition> positions;
  std::string chosenSchedule;
  double seconds = 0;
  std::unique_ptr<FlopCounter> counter; ///< Null in kernels of counters.
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_CPUKERNEL_H
