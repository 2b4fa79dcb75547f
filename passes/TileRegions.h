//===- TileRegions.h - Regions of attn ops as elementwise ops on tiles -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_TILEREGIONS_H
#define ATTN_PASSES_TILEREGIONS_H

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"

namespace attn {

/// Evaluates regions, written for one pair or one token, for a whole tile.
///
/// A region value becomes one of three things, by what it depends on:
///
/// | class  | type               | which values                              |
/// |--------|--------------------|-------------------------------------------|
/// | scalar | `f32`              | the same for the whole tile               |
/// | column | `tensor<Mxf32>`    | row regions: one scalar per token         |
/// | tile   | `tensor<MxNxf32>`  | pairwise: one scalar per pair; row regions:
/// | |        |                    | the vectors of all tokens, one a row |
///
/// A value is raised to the next class where an op meets one of that class.
class TileRegions {
public:
  /// `outer` maps captured tensors to their views and captured scalars to their
  /// copies.
  TileRegions(mlir::ImplicitLocOpBuilder &b, const mlir::IRMapping &outer)
      : b(b), outer(outer) {}

  /// Evaluates a region of scalars with the given arguments (scalars, columns
  /// or tiles); returns what it yields, raised to `shape`.
  mlir::Value evaluate(mlir::Region &region, mlir::ValueRange arguments,
                       llvm::ArrayRef<int64_t> shape);

  /// Evaluates a region of scalars with scalars; returns all that it yields.
  llvm::SmallVector<mlir::Value> scalars(mlir::Region &region,
                                         mlir::ValueRange arguments);

  /// Evaluates a row region for the tokens whose vectors are the rows of
  /// `tile`; an empty region is the identity. `token` has their indices, one
  /// per axis, columns or scalars; `head` is a scalar or a column. If `first`
  /// is not null, the column `position` is `first`, `first + 1`, ...
  mlir::FailureOr<mlir::Value> rows(mlir::Region &region, mlir::Value tile,
                                    mlir::Value batch, mlir::Value head,
                                    mlir::ValueRange token,
                                    mlir::Value position, mlir::Value first);

  /// The same for a region with other arguments, of which `arguments` has the
  /// values; tiles have `count` rows.
  mlir::FailureOr<mlir::Value> rows(mlir::Region &region,
                                    mlir::ValueRange arguments, int64_t count,
                                    mlir::Value position, mlir::Value first);

  /// A tile or column of `shape` with `value` everywhere, which may be a scalar
  /// or, for rank 2, a column.
  mlir::Value raise(mlir::Value value, llvm::ArrayRef<int64_t> shape);

private:
  mlir::Value elementwise(mlir::Operation *op, mlir::IRMapping &mapping,
                          llvm::ArrayRef<int64_t> shape);
  mlir::Value gather(mlir::Value capture, mlir::ValueRange indices,
                     mlir::Type element);
  mlir::Value captured(mlir::Operation *op, mlir::IRMapping &mapping);
  mlir::FailureOr<mlir::Value> rowOp(mlir::Operation *op,
                                     mlir::IRMapping &mapping,
                                     mlir::Value position, mlir::Value first,
                                     int64_t rows);
  mlir::Value loadIndexed(mlir::Value capture, mlir::RankedTensorType type,
                          mlir::ValueRange indices);
  mlir::Value rowSlice(mlir::tensor::ExtractSliceOp slice,
                       mlir::IRMapping &mapping, mlir::Value position,
                       mlir::Value first, int64_t rows);
  void wholeVectors(mlir::Region &region, mlir::IRMapping &mapping,
                    int64_t rows);
  mlir::Value reduceRow(ReduceRowOp op, mlir::Value tile);
  mlir::FailureOr<mlir::Value>
  contractRow(ContractRowOp op, mlir::IRMapping &mapping, int64_t rows);
  mlir::Value index(mlir::OpFoldResult value, mlir::IRMapping &mapping);

  mlir::ImplicitLocOpBuilder &b;
  const mlir::IRMapping &outer;
};

} // namespace attn

#endif // ATTN_PASSES_TILEREGIONS_H
