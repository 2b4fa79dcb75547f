//===- TargetPhases.h - The steps of a compilation --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_TARGETPHASES_H
#define ATTN_RUNTIME_COMPILER_TARGETPHASES_H

#include "passes/Pipelines.h"
#include "runtime/compiler/Compiler.h"

namespace attn {

/// The phases that `compile` and `emit` run for these options. `target` becomes
/// the full name of the target: "cpu:avx512" for "cpu".
llvm::Expected<llvm::SmallVector<Phase>>
getTargetPhases(const CompileOptions &options, std::string &target);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_TARGETPHASES_H
