//===- LaunchMemory.h - The memory of simulated launches --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The buffers of one call of a host function: its arguments, results and work
// space, and the launches that it makes of them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_SIMULATED_LAUNCHMEMORY_H
#define ATTN_RUNTIME_COMPILER_SIMULATED_LAUNCHMEMORY_H

#include "codegen/gpu/LaunchPlan.h"
#include "codegen/simulator/Simulator.h"

namespace attn {

class LaunchMemory {
public:
  /// Adds the next argument of the host function. Arguments may share a buffer.
  void add(std::shared_ptr<sim::DeviceBuffer> buffer, ArgumentView view);

  /// What `host` launches for these arguments; adds its work space.
  llvm::Expected<LaunchPlan> plan(mlir::func::FuncOp host);

  /// A launch of the plan with its buffers.
  sim::Launch getLaunch(const KernelLaunch &launch) const;

  /// The buffer that holds the byte at `address`; null if none does.
  const sim::DeviceBuffer *find(const char *address) const;

private:
  std::vector<std::shared_ptr<sim::DeviceBuffer>> buffers;
  std::vector<ArgumentView> views;
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_SIMULATED_LAUNCHMEMORY_H
