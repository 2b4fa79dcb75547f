//===- ListSortTiles.h - Sorting lists as tile programs ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LISTSORTTILES_H
#define ATTN_PASSES_LISTSORTTILES_H

#include "dialect/AttnDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// The dynamic sizes of the results of a transpose, and of what it is made
/// with: entries by part and share of the rows, and entries by group of parts.
struct TransposeSizes {
  llvm::SmallVector<mlir::Value> offsets, blocks, counts, sums;
};

/// `mapping` sends tensors to views.
TransposeSizes getTransposeSizes(mlir::ImplicitLocOpBuilder &b,
                                 const mlir::IRMapping &mapping,
                                 TransposeListOp op);

/// Writes the transpose to the views of the results. `counts` and `sums` are
/// memrefs of i32 of rank 4 and 3.
void writeTranspose(mlir::ImplicitLocOpBuilder &b,
                    const mlir::IRMapping &mapping, TransposeListOp op,
                    mlir::Value counts, mlir::Value sums);

/// The dynamic sizes of the result, and of what costs are written down in.
llvm::SmallVector<mlir::Value> getOrderSizes(mlir::ImplicitLocOpBuilder &b,
                                             const mlir::IRMapping &mapping,
                                             BlockOrderOp op);

/// Writes the order to the view of the result. `costs` is a memref of its
/// shape.
void writeBlockOrder(mlir::ImplicitLocOpBuilder &b,
                     const mlir::IRMapping &mapping, BlockOrderOp op,
                     mlir::Value costs);

} // namespace attn

#endif // ATTN_PASSES_LISTSORTTILES_H
