//===- PhaseCheck.h - Run the IR after every phase ------------ -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every intermediate form runs: the IR that the compiler has after a phase is
// itself compiled by the plain loops of the definition, so that a phase which
// changes the meaning of a program is found by name.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_PHASECHECK_H
#define ATTN_TOOLS_ATTN_RUN_PHASECHECK_H

#include "tools/support/KernelFlags.h"

namespace attn {

/// The names of phases in their order, and the program after each as a kernel.
using PhaseKernels =
    std::vector<std::pair<std::string, std::unique_ptr<Kernel>>>;

/// Compiles a spec for its target and the IR after each of the
/// target-independent phases for the naive evaluation.
llvm::Expected<PhaseKernels> compilePhases(const CompileInput &input);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_PHASECHECK_H
