//===- TileValues.cpp - Tiles that families have in common ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/TileValues.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

Value TileValues::constant(ArrayRef<int64_t> shape, Type element,
                           double value) {
  APFloat number(value);
  bool inexact;
  number.convert(cast<FloatType>(element).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &inexact);
  auto type = RankedTensorType::get(shape, element);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, number));
}

Value TileValues::convert(Value tile, Type element) {
  auto type = cast<RankedTensorType>(tile.getType());
  unsigned from = type.getElementType().getIntOrFloatBitWidth();
  unsigned to = element.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(b, type.clone(element), tile);
  if (from > to)
    return arith::TruncFOp::create(b, type.clone(element), tile);
  return tile;
}

FailureOr<Value> TileValues::loadRows(Value view, int64_t rows, int64_t width,
                                      Region &region, Value batch,
                                      Value viewHead, Value head, Value first) {
  Type element = cast<MemRefType>(view.getType()).getElementType();
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value tile =
      tile::LoadOp::create(b, RankedTensorType::get({rows, width}, element),
                           view, ValueRange{batch, viewHead, first, zero});
  return regions.rows(region, convert(tile, getAccumulatorType(element)), batch,
                      head, positions(first, rows), first);
}

Value TileValues::positions(Value first, int64_t rows) {
  return tile::IotaOp::create(b,
                              RankedTensorType::get({rows}, b.getIndexType()),
                              first, b.getI64IntegerAttr(0));
}

Value TileValues::constantLike(Value tile, double value) {
  auto type = cast<RankedTensorType>(tile.getType());
  return constant(type.getShape(), type.getElementType(), value);
}

/// exp(difference).
Value TileValues::exponential(Value difference) {
  Value exponent = arith::MulFOp::create(
      b, difference, constantLike(difference, llvm::numbers::log2e));
  return math::Exp2Op::create(b, exponent);
}

Value TileValues::reduce(tile::ReduceKind kind, Value tile, Value init) {
  return tile::ReduceOp::create(b, init.getType(),
                                tile::ReduceKindAttr::get(b.getContext(), kind),
                                tile, init);
}
