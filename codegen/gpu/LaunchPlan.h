//===- LaunchPlan.h - What a host must launch -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After attn-gpu-map-blocks the function that a user calls only computes sizes,
// allocates work space and launches kernels. It never looks at data, so all
// that it does follows from the sizes of its arguments: that is a LaunchPlan.
// It is found by folding the function op by op.
//
// Buffers have numbers: first the arguments of the function, results included,
// then work space in the order of allocation.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_LAUNCHPLAN_H
#define ATTN_CODEGEN_GPU_LAUNCHPLAN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"
#include <array>

namespace attn {

/// Sizes and strides, in elements, of an argument.
struct ArgumentView {
  llvm::SmallVector<int64_t> sizes, strides;
};

/// One parameter of a kernel: a pointer, or the bits of a scalar.
struct KernelParameter {
  bool isPointer = false;
  unsigned buffer = 0;    ///< Of a pointer: the number of the buffer,
  int64_t byteOffset = 0; ///< and where in it.
  uint64_t bits = 0;
  unsigned bytes = 8; ///< Size of a scalar.
};

struct KernelLaunch {
  std::string kernel;
  std::array<int64_t, 3> grid, block;
  int64_t sharedBytes; ///< Dynamic shared memory.
  std::vector<KernelParameter> parameters;
};

/// Kernels in order. None of them has an empty grid.
struct LaunchPlan {
  std::vector<int64_t> workspaceBytes; ///< One entry per buffer.
  std::vector<KernelLaunch> launches;
};

/// What `host` does for arguments of these sizes.
llvm::Expected<LaunchPlan> planLaunches(mlir::func::FuncOp host,
                                        llvm::ArrayRef<ArgumentView> arguments);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_LAUNCHPLAN_H
