//===- Pipeline.h - From a tile program to the LLVM dialect -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_PIPELINE_H
#define ATTN_CODEGEN_CPU_PIPELINE_H

#include "codegen/cpu/HostFeatures.h"
#include "passes/Pipelines.h"

namespace attn {

/// From a tile program to the LLVM dialect, for a processor.
llvm::SmallVector<Phase> getCpuPhases(const CpuTarget &target);

/// From plain loops over memrefs, such as the executable definition, to the
/// LLVM dialect.
llvm::SmallVector<Phase> getPlainCpuPhases();

/// Registers the passes of the CPU back end for textual pipelines.
void registerCpuPasses();

} // namespace attn

#endif // ATTN_CODEGEN_CPU_PIPELINE_H
