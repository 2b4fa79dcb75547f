//===- MaskSteps.h - Masks that keep every d-th token ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_MASKSTEPS_H
#define ATTN_PASSES_SPARSITY_MASKSTEPS_H

#include "dialect/AttnDialect.h"

namespace attn {

/// The step along each axis of `op` with which tokens of different residue
/// classes do not seem to meet: the mask is asked for some pairs. Empty if none
/// is above 1. Results do not depend on steps, so that a sample will do.
llvm::SmallVector<int64_t> findSteps(AttendOp op);

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_MASKSTEPS_H
