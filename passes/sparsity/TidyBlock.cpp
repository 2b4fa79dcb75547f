//===- TidyBlock.cpp - Drop what a region says twice or in vain -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/TidyBlock.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace attn;

void attn::tidy(Block &block) {
  SmallVector<Operation *> kept;
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    auto same = llvm::find_if(kept, [&](Operation *other) {
      return OperationEquivalence::isEquivalentTo(
          other, &op, OperationEquivalence::IgnoreLocations);
    });
    if (same == kept.end()) {
      kept.push_back(&op);
      continue;
    }
    op.replaceAllUsesWith(*same);
    op.erase();
  }
  for (Operation *op : llvm::reverse(kept))
    if (op->use_empty())
      op->erase();
}
