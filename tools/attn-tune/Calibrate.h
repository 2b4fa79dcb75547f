//===- Calibrate.h - Measure what this processor can do ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_CALIBRATE_H
#define ATTN_TOOLS_ATTN_TUNE_CALIBRATE_H

#include "codegen/cost/Machine.h"

namespace attn {

/// Measures the parameters of the cost model, in about a second and a half. The
/// best moments count, as other work only ever slows a machine.
llvm::Expected<Machine> calibrate();

/// The parameters as lines of text.
std::string describeMachine(const Machine &machine);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_CALIBRATE_H
