//===- Device.h - Code that was loaded on a device --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One implementation per kind of device (CpuDevice.h, CudaDevice.h). It runs
// the launches of a program; what a call is given has been checked before.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DEVICE_H
#define ATTN_RUNTIME_DEVICE_H

#include "runtime/CallChecks.h"
#include "runtime/Workspace.h"
#include <memory>

namespace attn {

/// What one call runs on.
struct DeviceCall {
  std::span<const TensorView> tensors; ///< Arguments, then results.
  SizeValues values;
  const Workspace &workspace;
  char *memory = nullptr; ///< The workspace itself.
  void *stream = nullptr;
  int threads = 0;
};

/// A program with its code. Calls may run concurrently.
class LoadedProgram {
public:
  virtual ~LoadedProgram() = default;
  virtual Status run(const DeviceCall &call) const = 0;
};

/// A program that was chosen for a device.
struct Candidate {
  const LaunchProgram *program = nullptr;
  const Section *section = nullptr;
};

/// What code is chosen from.
struct CodeChoice {
  const PackageKernel &kernel;
  const std::vector<Section> &sections;
  std::string target; ///< Only code that was made for it; empty: any.

  /// The programs whose code has one of these formats.
  std::vector<Candidate> find(std::span<const CodeFormat> formats) const;

  /// "kernel 'NAME' has no code for DEVICE; the package has TARGET, TARGET".
  Status noCodeFor(const std::string &device) const;
};

} // namespace attn

#endif // ATTN_RUNTIME_DEVICE_H
