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
class TileValues {
public:
  TileValues(mlir::ImplicitLocOpBuilder &b, const mlir::IRMapping &mapping)
      : b(b), mapping(mapping), regions(b, mapping) {}

  /// Loads `rows` rows of width `width` of `view` from row `first` of head
  /// `viewHead`, converts them to the accumulator type and maps them by
  /// `region`, in which `%h` is `head`.
  mlir::FailureOr<mlir::Value> loadRows(mlir::Value view, int64_t rows,
                                        int64_t width, mlir::Region &region,
                                        mlir::Value batch, mlir::Value viewHead,
                                        mlir::Value head, mlir::Value first);

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

  mlir::ImplicitLocOpBuilder &b;
  const mlir::IRMapping &mapping;
  TileRegions regions;
};

} // namespace attn

#endif // ATTN_PASSES_TILEVALUES_H
