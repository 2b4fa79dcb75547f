//===- RecurStep.cpp - Chunks of one token --------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A chunk of one token has no products of matrices. With the decays a of the
// token, in the order of the state's rows x:
//
//   num[y]  = sum over x of q[x] a[x] S[x, y]  +  <q, k> v[y]      read(after)
//   num[y]  = sum over x of q[x] S[x, y]  +  <q, u k> v[y]         read(before)
//   S'[x,y] = a[x] S[x, y] + k[x] v[y]
//
// Both are computed from one row of S after the other, so that a back end may
// read S once, and write S' over it. What belongs to the rows of S are columns:
// they are made of the rows of the token, [1, K], by tile.reduce along 0.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "passes/RecurTiles.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The sum of the rows of `tile`.
Value RecurTiles::sumRows(Value tile) {
  Value zeros = constant({tileOf(tile).getDimSize(1)}, type, 0);
  return tile::ReduceOp::create(
      b, zeros.getType(),
      tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Add), tile,
      zeros, b.getI64IntegerAttr(0));
}

/// `state` with each row times the element of `factors`, [1, height], that
/// belongs to it.
Value RecurTiles::scaleRows(Value state, Value factors) {
  return multiply(state,
                  broadcast(sumRows(factors), 1, tileOf(state).getShape()));
}

/// The decays of the token as a row, [1, height].
Value RecurTiles::stepDecays() {
  return isPerChannel ? decay : broadcast(exponential(gate), 1, {1, height});
}

/// What the token reads of itself, [1]; null if nothing.
Value RecurTiles::stepOwn() {
  if (op.leavesOutOwn())
    return {};
  if (op.getRead() == ReadTime::After)
    return rowSums(multiply(query, key));
  return op.getBonus() ? bonus() : Value();
}

/// The row that is read, and its denominator. A state of zeros is not.
void RecurTiles::readStep(Value &rows, Value &denominator) {
  bool isBoth = op.getOrder() == TokenOrder::Bidirectional;
  Value reader = query;
  if (gate && !isBoth && op.getRead() == ReadTime::After)
    reader = multiply(query, stepDecays());
  auto read = [&](Value part) -> Value {
    Value state = mapping.lookup(part);
    int64_t width = tileOf(state).getDimSize(1);
    if (matchPattern(state, m_AnyZeroFloat()))
      return constant({1, width}, type, 0);
    return broadcast(sumRows(scaleRows(state, reader)), 0, {1, width});
  };
  rows = read(op.getInit().front());
  if (op.usesDenominator())
    denominator = rowSums(read(op.getInit().back()));
  Value own = isBoth ? Value() : stepOwn();
  if (!own)
    return;
  rows = arith::AddFOp::create(
      b, rows, multiply(broadcast(own, 1, {1, columns}), value));
  if (denominator)
    denominator = arith::AddFOp::create(b, denominator, own);
}

SmallVector<Value> RecurTiles::nextStep() {
  SmallVector<Value> next;
  for (auto [number, part] : llvm::enumerate(op.getInit())) {
    Value before = mapping.lookup(part);
    ArrayRef<int64_t> shape = tileOf(before).getShape();
    Value written = broadcast(sumRows(key), 1, shape);
    if (!number)
      written = multiply(written, broadcast(sumRows(value), 0, shape));
    if (!matchPattern(before, m_AnyZeroFloat()))
      written = arith::AddFOp::create(
          b, gate ? scaleRows(before, stepDecays()) : before, written);
    next.push_back(written);
  }
  return next;
}
