//===- BlockListTiles.h - Lists of blocks as tile programs ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_BLOCKLISTTILES_H
#define ATTN_PASSES_BLOCKLISTTILES_H

#include "dialect/AttnDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// The dynamic sizes of the results of `op`. `mapping` sends tensors to views.
llvm::SmallVector<mlir::Value> getBoundsSizes(mlir::ImplicitLocOpBuilder &b,
                                              const mlir::IRMapping &mapping,
                                              BlockBoundsOp op);

/// Writes the bounds of blocks to the views of the results.
void writeBlockBounds(mlir::ImplicitLocOpBuilder &b,
                      const mlir::IRMapping &mapping, BlockBoundsOp op);

/// The dynamic sizes of a list of blocks, and of the counts it is made from:
/// two numbers of each block of queries, four if `isCounted`.
struct ListSizes {
  llvm::SmallVector<mlir::Value> offsets, blocks, counts;
};
ListSizes getListSizes(mlir::ImplicitLocOpBuilder &b,
                       const mlir::IRMapping &mapping, BlockListOp op,
                       bool isCounted);

/// Makes a view for the entries of a list: for at most so many per head, or for
/// the capacity of the list if it is given null.
using MakeRoom = llvm::function_ref<mlir::Value(mlir::Value entries)>;

/// Writes the list of blocks to the view of its offsets and to the one that
/// `makeRoom` makes: if `isCounted`, behind the steps that count the entries,
/// so that what executes the program around the steps reads a number that they
/// have computed.
void writeBlockList(mlir::ImplicitLocOpBuilder &b,
                    const mlir::IRMapping &mapping, BlockListOp op,
                    mlir::Value counts, bool isCounted, MakeRoom makeRoom);

} // namespace attn

#endif // ATTN_PASSES_BLOCKLISTTILES_H
