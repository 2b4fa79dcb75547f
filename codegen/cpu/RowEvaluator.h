//===- RowEvaluator.h - Evaluates tiles row by row -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_ROWEVALUATOR_H
#define ATTN_CODEGEN_CPU_ROWEVALUATOR_H

#include "codegen/cpu/TileBuffers.h"
#include "codegen/cpu/VectorOps.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// Evaluates tile values for one row, lanes along the columns. Used for what is
/// loaded, mapped and stored by rows. Values are computed from the ops that
/// define them down to loads and buffers, each part once per row.
class RowEvaluator {
public:
  /// `row` is the row within the tile; `scalars` maps scalar values.
  RowEvaluator(mlir::ImplicitLocOpBuilder &b, VectorOps &vectors,
               const VectorUnit &unit, const TileBuffers &buffers,
               const mlir::IRMapping &scalars, mlir::Value row)
      : b(b), vectors(vectors), unit(unit), buffers(buffers), scalars(scalars),
        row(row) {}

  /// Columns col .. col + lanes - 1 of a tile of rank 2; lanes beyond the tile
  /// hold unspecified values.
  mlir::FailureOr<mlir::Value> vector(mlir::Value tile, int64_t col);

  /// Evaluates all vectors of the row of `tile`, of rank 2, and calls `use`
  /// with each, the number of columns from its first on, and its first column.
  /// Wide rows are evaluated in a loop.
  llvm::LogicalResult
  forEachVector(mlir::Value tile,
                llvm::function_ref<void(mlir::Value vector, int64_t left,
                                        mlir::Value col)>
                    use);

  /// The element of a tile of rank 1.
  mlir::FailureOr<mlir::Value> scalar(mlir::Value tile);

  /// Where the row of a tile of so much `rank` begins in a view, from the
  /// offsets of the tile and the index vectors of its rows, if there are any.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  rowOffsets(mlir::OperandRange offsets, mlir::OperandRange rows, int64_t rank);

  /// Writes all columns of the row of `tile` to `buffer[to]`.
  llvm::LogicalResult store(mlir::Value tile, mlir::Value buffer,
                            mlir::Value to);

private:
  /// A row, the matrix that it is multiplied with, and room for the product.
  struct RowProduct {
    mlir::Value left, matrix, scratch;
    /// What loads the matrix, if a loop does so block by block; else null.
    tile::LoadOp load;
  };

  mlir::FailureOr<mlir::Value> compute(mlir::Value tile, int64_t col);
  mlir::FailureOr<mlir::Value> computeScalar(mlir::Value tile);
  mlir::FailureOr<mlir::Value> elementwise(mlir::Operation *op, int64_t col,
                                           bool vectors);
  mlir::FailureOr<mlir::Value> operand(mlir::Value value, int64_t col,
                                       bool vectors);
  /// Column `col`, counted from where the loop over columns is.
  mlir::Value column(int64_t col) {
    return base ? vectors.add(base, vectors.index(col)) : vectors.index(col);
  }
  mlir::FailureOr<mlir::Value> rowExists(tile::LoadOp op);
  mlir::FailureOr<mlir::Value> load(tile::LoadOp op, int64_t col);
  mlir::Value fromStrips(mlir::Value buffer, int64_t col, int64_t cols);
  mlir::FailureOr<mlir::Value> fromConcat(tile::ConcatOp op, int64_t col);
  mlir::FailureOr<mlir::Value> fromProduct(tile::DotOp op, int64_t col);
  llvm::LogicalResult multiply(tile::DotOp op, const RowProduct &to);
  void addVectors(const RowProduct &of, mlir::Value col, int64_t count);
  llvm::SmallVector<mlir::Value> sumTerms(const RowProduct &of, mlir::Value col,
                                          mlir::Value from, mlir::Value to,
                                          int64_t count);
  llvm::SmallVector<mlir::Value> addFeatures(const RowProduct &of,
                                             mlir::Value first, mlir::Value at,
                                             mlir::Value mask,
                                             mlir::ValueRange sums);
  mlir::Value multiplyRows(const RowProduct &of, mlir::Value first,
                           int64_t count, int64_t depth);
  void prefetch(const RowProduct &of, mlir::Value done, int64_t iterations);
  llvm::LogicalResult multiplyTransposed(tile::DotOp op, const RowProduct &to);
  /// Reads a vector from a buffer, whose elements may be of a smaller type.
  mlir::Value loadVector(mlir::Value buffer, mlir::ValueRange indices,
                         mlir::VectorType type);
  mlir::Value multiplyAdd(mlir::Value x, mlir::Value y, mlir::Value sum);
  mlir::FailureOr<mlir::Value> repeat(tile::BroadcastOp op, int64_t col);
  mlir::FailureOr<mlir::Value> alongColumns(mlir::Value tile, int64_t col);
  mlir::FailureOr<mlir::Value> reduce(tile::ReduceOp op);

  // RowTrims.cpp.
  mlir::Value bound(tile::TrimOp op, size_t first);
  mlir::FailureOr<mlir::Value> trim(tile::TrimOp op, int64_t col);

  // WideRows.cpp.
  /// Tiles, from a column on.
  using Visited = llvm::DenseSet<std::pair<mlir::Value, int64_t>>;
  bool isUniform(mlir::Value tile, int64_t col, int64_t cols, Visited &visited);
  llvm::LogicalResult evaluateShared(mlir::Value tile, Visited &visited);

  mlir::ImplicitLocOpBuilder &b;
  VectorOps &vectors;
  const VectorUnit &unit;
  const TileBuffers &buffers;
  const mlir::IRMapping &scalars;
  mlir::Value row;
  /// The induction variable of the loop over columns; null outside of one.
  mlir::Value base;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> known;
  llvm::DenseMap<mlir::Value, mlir::Value> knownScalars, insideRow,
      concatenated, products;
};

/// Columns of a row buffer for a tile of `cols` columns: whole vectors, from
/// columns on that are multiples of the lanes.
int64_t getRowPitch(int64_t cols, int64_t lanes);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_ROWEVALUATOR_H
