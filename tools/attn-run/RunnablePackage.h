//===- RunnablePackage.h - Run packages like compiled specs -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_RUNNABLEPACKAGE_H
#define ATTN_TOOLS_ATTN_RUN_RUNNABLEPACKAGE_H

#include "runtime/LoadedKernel.h"
#include "runtime/compiler/FlopCounter.h"
#include "tools/support/KernelFlags.h"

#include <chrono>

namespace attn {

/// Whether a file starts like a package.
bool isPackage(llvm::StringRef contents);

/// Whether a target is a GPU: "cuda", the one of this machine, or "cuda:sm_80".
bool isGpuTarget(llvm::StringRef target);

/// A kernel of a package, called through the runtime that has no compiler.
class RunnablePackage final : public Kernel {
public:
  /// Loads what `input` asks for: its text is a package. Afterwards the text is
  /// that of the spec in the package, for checks; empty if it has none. Code
  /// for a GPU is loaded on the first one of this machine.
  static llvm::Expected<std::unique_ptr<RunnablePackage>>
  load(CompileInput &input);

  /// The same for a spec: compiles it for the GPU that is there.
  static llvm::Expected<std::unique_ptr<RunnablePackage>>
  compileForGpu(CompileInput &input);

  llvm::ArrayRef<Port> arguments() const override;
  llvm::ArrayRef<Port> results() const override;
  const std::map<std::string, int64_t> &defaultDims() const override;
  llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
  resultSizes(llvm::ArrayRef<Buffer> arguments) const override;
  llvm::Error launch(llvm::ArrayRef<Buffer> arguments,
                     llvm::ArrayRef<Buffer> results,
                     const LaunchOptions &options) const override;

  /// Whether it runs on a GPU; a GpuCall then keeps tensors there.
  bool isOnGpu() const { return device.device_type == kDLCUDA; }
  const LoadedKernel &getLoaded() const { return *loaded; }

  double compileSeconds() const override { return seconds; }
  std::string schedule() const override;
  llvm::Expected<double> flops(llvm::ArrayRef<Buffer> arguments) const override;

private:
  RunnablePackage() = default;
  using Clock = std::chrono::steady_clock;
  llvm::Error read(CompileInput &input);
  llvm::Error finish(CompileInput &input, Clock::time_point start);
  llvm::Error makeCounter(const CompileInput &input);

  DLDevice device = {kDLCPU, 0};
  std::unique_ptr<LoadedKernel> loaded;
  std::unique_ptr<FlopCounter> counter; ///< Null if the package has no spec.
  double seconds = 0;                   ///< From bytes or text to callable.
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_RUNNABLEPACKAGE_H
