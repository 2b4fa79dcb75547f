//===- CudaParameters.h - What a launch on a GPU is given -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CUDAPARAMETERS_H
#define ATTN_RUNTIME_CUDAPARAMETERS_H

#include "runtime/CudaDriver.h"
#include "runtime/Device.h"

namespace attn {

/// The value of an expression that must lie in a range; `what` names it.
Result<int64_t> evaluateWithin(const SizeExpr &expr, const DeviceCall &call,
                               int64_t lowest, int64_t highest,
                               const char *what);

/// The parameters of a launch, as the driver takes them.
class CudaParameters {
public:
  explicit CudaParameters(size_t count);

  /// Computes parameter number `index`.
  Status set(size_t index, const LaunchArgument &argument,
             const DeviceCall &call, const CudaDriver &cuda);

  void **get() { return pointers.data(); }

private:
  /// Room for the largest: a tensor map. Of an i32 the first half word counts.
  struct alignas(CudaDriver::kMapAlignment) Parameter {
    uint64_t words[CudaDriver::kMapBytes / sizeof(uint64_t)] = {};
  };

  std::vector<Parameter> values;
  std::vector<void *> pointers;
};

} // namespace attn

#endif // ATTN_RUNTIME_CUDAPARAMETERS_H
