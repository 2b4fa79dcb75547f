//===- PairwiseTiles.h - Partial results of attention as tile ops -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PAIRWISETILES_H
#define ATTN_PASSES_PAIRWISETILES_H

#include "passes/TileValues.h"

namespace attn {

/// Expands `attn.partial`, `attn.add_sink` and `attn.finish`, whose operands
/// `mapping` sends to views (tensors), tiles (parts of the partial result) and
/// indices.
class PairwiseTiles : public TileValues {
public:
  using TileValues::TileValues;

  /// Returns the continued partial result. Rows of the query are loaded before
  /// the loop over keys that `b` stands in.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> partial(PartialOp op);

  /// Returns the partial result with one more key, whose value is 0.
  llvm::SmallVector<mlir::Value> addSink(AddSinkOp op);

  /// Returns the rows of the output and, if asked for, their log-sum-exp.
  llvm::SmallVector<mlir::Value> finish(FinishOp op);

  /// Returns rows `row`, `row + 1`, ... of the output of `op`, and their
  /// log-sum-exp.
  llvm::SmallVector<mlir::Value> merge(MergeOp op, mlir::Value batch,
                                       mlir::Value head, mlir::Value row,
                                       int64_t rows);

private:
  /// A block of pairs of `attn.partial`.
  struct Pairs;

  mlir::Value trim(PartialOp op, tile::ReduceKind kind, mlir::Value tile);
  mlir::Value finiteReference(mlir::Value reference);
  mlir::Value inverseOrZero(mlir::Value sum);
  mlir::Value logSumExp(mlir::Value reference, mlir::Value sum);
  mlir::Value batchIn(PartialOp op, mlir::Value operand);
  mlir::Value groupSize(PartialOp op);
  mlir::Value keyHead(PartialOp op);
  RowTokens blockTokens(mlir::ValueRange first,
                        std::optional<llvm::ArrayRef<int64_t>> box,
                        std::optional<llvm::ArrayRef<int64_t>> step);
  RowTokens keyTokens(PartialOp op);
  std::pair<mlir::Value, llvm::SmallVector<mlir::Value>>
  queryTokens(PartialOp op);
  mlir::Value gatherQuery(PartialOp op, mlir::Value heads, mlir::Value rows);
  void locate(PartialOp op, Pairs &pairs);
  mlir::Value isBelow(PartialOp op, mlir::Value index, int64_t dim);
  mlir::Value areKeys(PartialOp op);
  mlir::Value isKey(PartialOp op, const Pairs &pairs);
  mlir::FailureOr<mlir::Value> scaledQuery(PartialOp op);
  mlir::FailureOr<Pairs> pairs(PartialOp op);
  mlir::Value exists(PartialOp op, const Pairs &pairs);
  mlir::Value keepOr(const Pairs &pairs, mlir::Value tile, double otherwise);
  mlir::Value softmaxWeights(PartialOp op, const Pairs &pairs,
                             llvm::SmallVector<mlir::Value> &state,
                             mlir::Value &shrink);
  mlir::Value plainWeights(PartialOp op, const Pairs &pairs,
                           llvm::SmallVector<mlir::Value> &state);
  mlir::Value keepExisting(PartialOp op, mlir::Value rows);
  mlir::FailureOr<mlir::Value> accumulate(PartialOp op, const Pairs &pairs,
                                          mlir::Value weights,
                                          mlir::Value shrink);
};

} // namespace attn

#endif // ATTN_PASSES_PAIRWISETILES_H
