//===- RowTrims.cpp - Ranges of columns, row by row -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of few rows evaluate tile.trim as it stands, by a select: leaving
// columns out would gain less than lanes along the few rows would lose.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/RowEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

/// The bound of the group of the row: `first` is 0 for begins, 1 for ends.
Value RowEvaluator::bound(tile::TrimOp op, size_t first) {
  OperandRange all = op.getRanges();
  Value group = arith::DivUIOp::create(b, row, vectors.index(op.getRows()));
  Value result = scalars.lookupOrDefault(all[first]);
  for (size_t n = 1; 2 * n < all.size(); ++n) {
    Value isThis = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, group,
                                         vectors.index(n));
    result = arith::SelectOp::create(
        b, isThis, scalars.lookupOrDefault(all[2 * n + first]), result);
  }
  return result;
}

FailureOr<Value> RowEvaluator::trim(tile::TrimOp op, int64_t col) {
  FailureOr<Value> value = vector(op.getValue(), col);
  if (failed(value))
    return failure();
  auto type = cast<VectorType>(value->getType());
  Value otherwise = vectors.neutral(op.getKind(), type.getElementType());
  Value columns = vectors.iota(column(col));
  Value from = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, columns,
                                     vectors.splat(bound(op, 0)));
  Value to = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, columns,
                                   vectors.splat(bound(op, 1)));
  Value inside = arith::AndIOp::create(b, from, to);
  return Value(arith::SelectOp::create(b, inside, *value, otherwise));
}
