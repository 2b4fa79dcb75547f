//===- Pipeline.h - From a tile program to NVIDIA kernels -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_NVIDIA_PIPELINE_H
#define ATTN_CODEGEN_NVIDIA_PIPELINE_H

#include "passes/Pipelines.h"
#include "llvm/Support/Error.h"

namespace attn {

/// A device that code is made for.
struct NvidiaTarget {
  std::string chip;      ///< "sm_80".
  int64_t sharedBytes;   ///< Shared memory that one block may have.
  int64_t threads = 128; ///< Threads of a block.
  /// Blocks that start at once: two for each multiprocessor of a large device.
  int64_t blocksAtOnce = 264;
};

/// The target called "sm_80", "sm_86", "sm_89" or "sm_90".
llvm::Expected<NvidiaTarget> getNvidiaTarget(llvm::StringRef chip);

/// How the phases before the waist choose a schedule for this target.
std::function<void(mlir::OpPassManager &)>
getNvidiaSchedule(const NvidiaTarget &target, llvm::StringRef schedule);

/// From a tile program to a host function with launches, and kernels in the
/// LLVM and NVVM dialects.
llvm::SmallVector<Phase> getNvidiaPhases(const NvidiaTarget &target);

} // namespace attn

#endif // ATTN_CODEGEN_NVIDIA_PIPELINE_H
