//===- LoadedKernel.h - A kernel of a package on a device -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_LOADEDKERNEL_H
#define ATTN_RUNTIME_LOADEDKERNEL_H

#include "runtime/Device.h"
#include "runtime/Package.h"
#include "runtime/TensorViews.h"

namespace attn {

/// What a launch is given beside tensors.
struct LaunchResources {
  void *workspace = nullptr;
  size_t workspaceBytes = 0;
  void *stream = nullptr;
  int threads = 0;
};

/// Checks calls and runs them. All members may be called concurrently.
class LoadedKernel {
public:
  using Tensors = std::span<const DLTensor *const>;

  /// Chooses code for the device and loads it. With a `target` only code that
  /// was made for it will do.
  static Result<std::unique_ptr<LoadedKernel>>
  load(std::shared_ptr<const Package> package, const PackageKernel &kernel,
       DLDevice device, const std::string &target = "");

  const PackageKernel &getKernel() const { return kernel; }
  const std::string &getTarget() const { return section.target; }
  const std::string &getSchedule() const { return program.schedule; }

  /// Checks the arguments and returns the sizes of the results.
  Result<std::vector<std::vector<int64_t>>>
  getResultSizes(Tensors arguments) const;

  /// Checks the arguments and returns the bytes that a launch needs.
  Result<int64_t> getWorkspaceBytes(Tensors arguments) const;

  Status launch(Tensors arguments, Tensors results,
                const LaunchResources &resources) const;

private:
  LoadedKernel(std::shared_ptr<const Package> package,
               const PackageKernel &kernel, const Candidate &candidate,
               DLDevice device)
      : package(std::move(package)), kernel(kernel),
        program(*candidate.program), section(*candidate.section),
        device(device) {}

  Result<TensorList> takeArguments(Tensors arguments) const;
  Status checkResources(const LaunchResources &resources, int64_t bytes) const;

  std::shared_ptr<const Package> package; ///< Keeps what follows alive.
  const PackageKernel &kernel;
  const LaunchProgram &program;
  const Section &section;
  DLDevice device;
  std::unique_ptr<LoadedProgram> code;
};

} // namespace attn

#endif // ATTN_RUNTIME_LOADEDKERNEL_H
