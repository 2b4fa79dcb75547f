//===- SoftmaxTiles.h - Softmax partial results as tile ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SOFTMAXTILES_H
#define ATTN_PASSES_SOFTMAXTILES_H

#include "passes/TileRegions.h"

namespace attn {

/// Expands `attn.partial` and `attn.finish`, whose operands `mapping` sends to
/// views (tensors), tiles (parts of the partial result) and indices.
class SoftmaxTiles {
public:
  SoftmaxTiles(mlir::ImplicitLocOpBuilder &b, const mlir::IRMapping &mapping)
      : b(b), mapping(mapping), regions(b, mapping) {}

  /// Returns the continued partial result: reference, sum, accumulator. Rows of
  /// the query are loaded before the loop over keys that `b` stands in.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> partial(PartialOp op);

  /// Returns the rows of the output and their log-sum-exp.
  llvm::SmallVector<mlir::Value> finish(FinishOp op);

  /// Loads `rows` rows of width `width` of `view` from row `first` of head
  /// `viewHead`, converts them to the accumulator type and maps them by
  /// `region`, in which `%h` is `head`.
  mlir::FailureOr<mlir::Value> loadRows(mlir::Value view, int64_t rows,
                                        int64_t width, mlir::Region &region,
                                        mlir::Value batch, mlir::Value viewHead,
                                        mlir::Value head, mlir::Value first);

  /// Converts a tile between floating-point types.
  mlir::Value convert(mlir::Value tile, mlir::Type element);

private:
  mlir::Value constant(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                       double value);
  mlir::Value keyHead(PartialOp op);
  mlir::FailureOr<mlir::Value> scaledQuery(PartialOp op);
  mlir::Value scores(PartialOp op, mlir::Value products);

  mlir::ImplicitLocOpBuilder &b;
  const mlir::IRMapping &mapping;
  TileRegions regions;
};

} // namespace attn

#endif // ATTN_PASSES_SOFTMAXTILES_H
