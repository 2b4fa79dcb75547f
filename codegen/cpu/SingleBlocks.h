//===- SingleBlocks.h - Blocks that lost their loop -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_SINGLEBLOCKS_H
#define ATTN_CODEGEN_CPU_SINGLEBLOCKS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {

/// Whether an operand or a result of `op` is a tile.
bool touchesTiles(mlir::Operation *op);

/// Whether `op`, or an op inside of it, works on tiles.
bool holdsTiles(mlir::Operation *op);

/// Puts blocks back into an scf.forall that have lost it: where there is only
/// one, simplification inlines it. Index arithmetic goes before the block,
/// unless it needs an element that the block reads.
void wrapSingleBlocks(mlir::func::FuncOp function);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_SINGLEBLOCKS_H
