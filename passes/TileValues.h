//===- TileValues.h - Tiles that families have in common --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_TILEVALUES_H
#define ATTN_PASSES_TILEVALUES_H

#include "passes/TileRegions.h"

namespace attn {

/// Makes the tiles that every family of ops needs. `mapping` sends what ops
/// read to views (tensors), tiles (blocks of rows) and indices.
/// The tokens of the rows of a block.
struct RowTokens {
  /// That of the first row, one index per axis.
  llvm::SmallVector<mlir::Value> first;
  /// What is added to it for each row, a vector per axis; none where rows
  /// follow each other along the last axis.
  llvm::SmallVector<mlir::Value> shifts = {};
};

/// The coordinates of the tokens of a box, `step` apart (1 if it is empty),
/// from its first token on: a vector per axis.
llvm::SmallVector<mlir::Value> makeBoxShifts(mlir::ImplicitLocOpBuilder &b,
                                             llvm::ArrayRef<int64_t> box,
                                             llvm::ArrayRef<int64_t> step);

/// The same for the rows of a block that `insert` puts a step apart, or that
/// are a box `folded` out of them; none where rows follow each other.
llvm::SmallVector<mlir::Value>
makeInsertShifts(mlir::ImplicitLocOpBuilder &b,
                 mlir::tensor::ParallelInsertSliceOp insert, mlir::Value rows,
                 mlir::tensor::ExpandShapeOp folded);

class TileValues {
public:
  TileValues(mlir::ImplicitLocOpBuilder &b, const mlir::IRMapping &mapping)
      : b(b), mapping(mapping), regions(b, mapping) {}

  /// Loads `rows` rows of width `width` of head `viewHead` of `view`, those of
  /// `tokens`, converts them to the accumulator type and maps them by `region`,
  /// in which `%h` is `head`.
  mlir::FailureOr<mlir::Value> loadRows(mlir::Value view, int64_t rows,
                                        int64_t width, mlir::Region &region,
                                        mlir::Value batch, mlir::Value viewHead,
                                        mlir::Value head,
                                        const RowTokens &tokens);
  /// The same for rows from `first` on, where tokens have one axis.
  mlir::FailureOr<mlir::Value> loadRows(mlir::Value view, int64_t rows,
                                        int64_t width, mlir::Region &region,
                                        mlir::Value batch, mlir::Value viewHead,
                                        mlir::Value head, mlir::Value first) {
    return loadRows(view, rows, width, region, batch, viewHead, head,
                    RowTokens{{first}});
  }

  /// Converts a tile between floating-point types.
  mlir::Value convert(mlir::Value tile, mlir::Type element);

protected:
  /// The tile with `value` everywhere.
  mlir::Value constant(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                       double value);
  /// The same, of the type of `tile`.
  mlir::Value constantLike(mlir::Value tile, double value);
  /// exp(difference).
  mlir::Value exponential(mlir::Value difference);
  mlir::Value reduce(tile::ReduceKind kind, mlir::Value tile, mlir::Value init);
  /// The column `first`, `first + 1`, ...
  mlir::Value positions(mlir::Value first, int64_t rows);
  /// The indices of `tokens`, one per axis: columns, or scalars where all rows
  /// have the same.
  llvm::SmallVector<mlir::Value> positions(const RowTokens &tokens,
                                           int64_t rows);

  mlir::ImplicitLocOpBuilder &b;
  const mlir::IRMapping &mapping;
  TileRegions regions;
};

} // namespace attn

#endif // ATTN_PASSES_TILEVALUES_H
