//===- Target.h - What code is made for -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_TARGET_H
#define ATTN_RUNTIME_COMPILER_TARGET_H

#include "codegen/cpu/HostFeatures.h"
#include "codegen/nvidia/Pipeline.h"
#include "passes/Pipelines.h"
#include "runtime/compiler/Compiler.h"
#include <optional>

namespace attn {

/// What code is made for, and from which form of the program.
struct Target {
  /// Precision of the executable definition; empty: compile for speed.
  llvm::StringRef definition;
  CpuTarget cpu;
  /// Set for code that runs on a GPU.
  std::optional<NvidiaTarget> nvidia;
};

/// Reads a value of CompileOptions::target.
llvm::Expected<Target> parseTarget(llvm::StringRef name);

/// The phases that take a spec to code for the target.
llvm::SmallVector<Phase> getPhases(const Target &target,
                                   const CompileOptions &options);

/// The phases that `compile` and `emit` run for these options. `target` becomes
/// the full name of the target: "cpu:avx512" for "cpu".
llvm::Expected<llvm::SmallVector<Phase>>
getTargetPhases(const CompileOptions &options, std::string &target);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_TARGET_H
