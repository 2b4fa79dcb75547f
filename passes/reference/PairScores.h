//===- PairScores.h - Rows and scores of pairwise attention -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REFERENCE_PAIRSCORES_H
#define ATTN_PASSES_REFERENCE_PAIRSCORES_H

#include "dialect/AttnDialect.h"
#include "dialect/AttnRegions.h"
#include "passes/reference/ScalarLoops.h"

namespace attn::reference {

/// `rows` (the identity if empty) of one token: its vector, which has `width`
/// elements of type `type`, given by `element`.
mlir::Value mapRow(mlir::ImplicitLocOpBuilder &b, mlir::Region &rows,
                   mlir::RankedTensorType type, mlir::ValueRange token,
                   llvm::function_ref<mlir::Value(mlir::Value)> element);

/// `rows` of all tokens of `operand` [B, H, X0, .., D], as elements of type
/// `type`; `operand` itself if `rows` is empty.
mlir::Value mapAllRows(mlir::ImplicitLocOpBuilder &b, mlir::Region &rows,
                       mlir::Value operand, mlir::Type type);

/// `tensor` with the elements of `vector`, converted to its type, as the row of
/// its last dimension at `token`.
mlir::Value setRow(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                   mlir::ValueRange token, mlir::Value vector);

/// The number of query heads that share a key head.
mlir::Value groupSize(mlir::ImplicitLocOpBuilder &b, mlir::Value query,
                      mlir::Value key);

/// Of a row-major grid of `extents`, one index per axis of its element
/// `number`.
llvm::SmallVector<mlir::Value> unflatten(mlir::ImplicitLocOpBuilder &b,
                                         mlir::Value number,
                                         mlir::ValueRange extents);

/// The token that row `row` of a block is whose first token is `first`: of a
/// box, if there is one, with tokens `step` apart (1 if left out).
llvm::SmallVector<mlir::Value>
tokenOfBlock(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange first,
             std::optional<llvm::ArrayRef<int64_t>> box,
             std::optional<llvm::ArrayRef<int64_t>> step, mlir::Value row);

/// The position of query row `row`: under `alignment(end)`, the last row has
/// that of the last key.
mlir::Value position(mlir::ImplicitLocOpBuilder &b,
                     std::optional<Alignment> alignment, mlir::Value query,
                     mlir::Value key, mlir::Value row);

/// A query and a key, an index per axis each: what pair regions are told of
/// them.
struct Pair {
  mlir::Value batch, head;
  llvm::SmallVector<mlir::Value> query, key;

  llvm::SmallVector<mlir::Value> getArguments() const {
    llvm::SmallVector<mlir::Value> all{batch, head};
    llvm::append_range(all, query);
    llvm::append_range(all, key);
    return all;
  }
};

/// Entry `at` of `list`, the offsets or the blocks of a list of blocks, for a
/// batch and a head; 0 where it has none.
mlir::Value readEntry(mlir::ImplicitLocOpBuilder &b, mlir::Value list,
                      mlir::Value batch, mlir::Value head, mlir::Value at);

/// Whether all keys of `block`, a number, exist, as far as lists of `op` ask:
/// boxes may be full though they reach beyond the grid.
mlir::Value isWholeBlock(mlir::ImplicitLocOpBuilder &b, AttendOp op,
                         mlir::Value block);

/// Whether the mask keeps a pair and, if `inRange` is not null, that holds.
mlir::Value pairExists(mlir::ImplicitLocOpBuilder &b,
                       const PairwiseRegions &regions, const Pair &pair,
                       mlir::Value inRange);

/// Whether query row `row` of `op` meets key `pair.key`: the mask keeps the
/// pair and, if `op` has a list of blocks, that does not leave it out. In full
/// blocks the mask does not count.
mlir::Value pairIsVisited(mlir::ImplicitLocOpBuilder &b, AttendOp op,
                          const Pair &pair, mlir::Value row);

/// The score of a pair, -inf if it does not exist. `product` emits the product
/// of the two rows.
mlir::Value pairScore(mlir::ImplicitLocOpBuilder &b,
                      const PairwiseRegions &regions, double scale,
                      mlir::Type type, const Pair &pair, mlir::Value exists,
                      llvm::function_ref<mlir::Value()> product);

/// The batch of `operand` that batch `batch` of the result uses.
mlir::Value batchIn(mlir::ImplicitLocOpBuilder &b, mlir::Value operand,
                    mlir::Value batch);

/// What the value of a pair with weight `weight` is multiplied by.
mlir::Value valueFactor(mlir::ImplicitLocOpBuilder &b,
                        const PairwiseRegions &regions, const Pair &pair,
                        mlir::Value weight);

/// The product of a row of `lhs` and a row of `rhs`, tensors whose last
/// dimension counts features, evaluated in `type`. Of each element `factor`, if
/// it is given, makes what is multiplied.
mlir::Value
dotRows(mlir::ImplicitLocOpBuilder &b, mlir::Type type, mlir::Value lhs,
        mlir::ValueRange lhsRow, mlir::Value rhs, mlir::ValueRange rhsRow,
        llvm::function_ref<mlir::Value(mlir::Value)> factor = nullptr);

/// Whether `value` is -inf.
mlir::Value isMinusInfinity(mlir::ImplicitLocOpBuilder &b, mlir::Value value);

/// `value`, 0 if it is -inf: what to subtract from scores of which it is the
/// largest.
mlir::Value finiteReference(mlir::ImplicitLocOpBuilder &b, mlir::Value value);

/// `weight * value` if `exists`, else 0: a pair that does not exist adds
/// nothing, whatever the value is.
mlir::Value termIf(mlir::ImplicitLocOpBuilder &b, mlir::Value exists,
                   mlir::Value weight, mlir::Value value);

/// `x / sum`, 0 if `sum` is 0: nothing is divided among no keys.
mlir::Value quotientOrZero(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                           mlir::Value sum);

} // namespace attn::reference

#endif // ATTN_PASSES_REFERENCE_PAIRSCORES_H
