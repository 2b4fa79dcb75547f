//===- WriteCounters.h - What the simulator counted, as a file --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The file of --counters: JSON with the counters of every op of every launch.
// docs/tools.md describes it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_WRITECOUNTERS_H
#define ATTN_TOOLS_ATTN_RUN_WRITECOUNTERS_H

#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "tools/support/Dims.h"
#include "llvm/Support/JSON.h"

namespace attn {

/// One entry of "runs": what the last call of `kernel` counted.
llvm::json::Value describeCounters(const SimulatedKernel &kernel,
                                   const Dims &dims);

/// Writes the file: the runs, and what holds for all of them.
llvm::Error writeCounters(llvm::StringRef path, const SimulatedKernel &kernel,
                          llvm::json::Array runs);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_WRITECOUNTERS_H
