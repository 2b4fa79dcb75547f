//===- TidyBlock.h - Drop what a region says twice or in vain -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_TIDYBLOCK_H
#define ATTN_PASSES_SPARSITY_TIDYBLOCK_H

#include "mlir/IR/Block.h"

namespace attn {

/// Merges equal ops of a block without effects and drops those that nothing
/// uses.
void tidy(mlir::Block &block);

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_TIDYBLOCK_H
