//===- SumColumns.h - Sums as columns of products ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The denominator of a recurrence is one more column of its state, the sum of
// the keys, and the products that update and read it have a result of a single
// column:
//
//   z' = k^T 1 + w z        den = q z
//
// A matrix instruction has results of 8 columns, and reads right operands of
// 16. So z becomes 16 equal columns of z / 16, where the ones are 1 / 16, and
// `tile.reduce`, which makes a vector of the single column of `q z`, adds them
// up. Sixteenths and the sum of 16 equal numbers are exact, and in f16 sums of
// keys have room up to 2^20. In memory, between the parts of a sequence that is
// split, z has one column.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_NVIDIA_SUMCOLUMNS_H
#define ATTN_CODEGEN_NVIDIA_SUMCOLUMNS_H

#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

namespace attn {

/// The tiles of one column that stem from products.
class SumColumns {
public:
  /// Takes the result of `dot`, all that is computed from it, and what it is
  /// computed from; returns whether all of that can have more columns.
  bool add(tile::DotOp dot);
  bool empty() const { return tiles.empty(); }
  /// Gives them 16 columns. Ones become exact tiles of `element`.
  void widen(mlir::Type element);

private:
  bool take(mlir::Value tile);
  bool takeSources(mlir::Value tile);
  bool takeUses(mlir::Value tile);
  bool takeCarried(mlir::Value tile);
  bool isOfSum(mlir::OpOperand &use);
  void widenOperands(mlir::Operation *op, mlir::Type element);

  llvm::SetVector<mlir::Value> tiles;
};

} // namespace attn

#endif // ATTN_CODEGEN_NVIDIA_SUMCOLUMNS_H
