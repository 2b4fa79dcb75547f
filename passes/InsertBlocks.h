//===- InsertBlocks.h - Rows of a block become part of a result -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_INSERTBLOCKS_H
#define ATTN_PASSES_INSERTBLOCKS_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/BoxGrid.h"

namespace attn {

/// Inserts the tensor `rows` of a block, of which those exist that stand before
/// `numRows`, into shared output `result` of `forall`, from `row` on, behind
/// the indices `outer`. Builds at `b` what it needs, and the insertion at the
/// end of the block.
void insertRows(mlir::ImplicitLocOpBuilder &b, mlir::scf::ForallOp forall,
                unsigned result, mlir::Value rows,
                llvm::ArrayRef<mlir::Value> outer, mlir::Value row,
                mlir::Value numRows);

/// The same for the rows of a box of `grid` with first token `first`: the part
/// of the box that exists, at its tokens, which may lie a step apart.
void insertBox(mlir::ImplicitLocOpBuilder &b, mlir::scf::ForallOp forall,
               unsigned result, mlir::Value rows,
               llvm::ArrayRef<mlir::Value> outer, const BoxGrid &grid,
               llvm::ArrayRef<mlir::Value> first);

} // namespace attn

#endif // ATTN_PASSES_INSERTBLOCKS_H
