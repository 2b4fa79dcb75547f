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

SmallVector<Value> attn::makeBoxShifts(ImplicitLocOpBuilder &b,
                                       ArrayRef<int64_t> box,
                                       ArrayRef<int64_t> step) {
  int64_t rows = 1;
  for (int64_t size : box)
    rows *= size;
  auto type = RankedTensorType::get({rows}, b.getIndexType());
  auto splat = [&](int64_t value) -> Value {
    Attribute element = b.getIndexAttr(value);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, element));
  };
  Value row = tile::IotaOp::create(
      b, type, arith::ConstantIndexOp::create(b, 0), b.getI64IntegerAttr(0));
  SmallVector<Value> shifts;
  int64_t inner = rows, outer = 1; // Of the axes behind, and in front.
  for (auto [axis, size] : llvm::enumerate(box)) {
    inner /= size;
    Value shift = size == 1 ? splat(0) : row;
    if (size > 1 && inner > 1)
      shift = arith::DivUIOp::create(b, shift, splat(inner));
    if (size > 1 && outer > 1)
      shift = arith::RemUIOp::create(b, shift, splat(size));
    if (size > 1 && !step.empty() && step[axis] != 1)
      shift = arith::MulIOp::create(b, shift, splat(step[axis]));
    outer *= size;
    shifts.push_back(shift);
  }
  return shifts;
}

SmallVector<Value> attn::makeInsertShifts(ImplicitLocOpBuilder &b,
                                          tensor::ParallelInsertSliceOp insert,
                                          Value rows,
                                          tensor::ExpandShapeOp folded) {
  auto type = cast<RankedTensorType>(rows.getType());
  int64_t features = type.getRank() - 1;
  SmallVector<int64_t> box{type.getDimSize(0)};
  if (folded)
    box.assign(folded.getResultType().getShape().drop_back(features));
  ArrayRef<int64_t> step =
      insert.getStaticStrides().drop_back(features).take_back(box.size());
  bool isPlain = box.size() == 1 && step.front() == 1;
  return isPlain ? SmallVector<Value>() : makeBoxShifts(b, box, step);
}

FailureOr<Value> TileValues::loadRows(Value view, int64_t rows, int64_t width,
                                      Region &region, Value batch,
                                      Value viewHead, Value head,
                                      const RowTokens &tokens) {
  Type element = cast<MemRefType>(view.getType()).getElementType();
  SmallVector<Value> offsets{batch, viewHead};
  llvm::append_range(offsets, tokens.first);
  offsets.push_back(arith::ConstantIndexOp::create(b, 0));
  Value tile =
      tile::LoadOp::create(b, RankedTensorType::get({rows, width}, element),
                           view, offsets, tokens.shifts);
  SmallVector<Value> position = positions(tokens, rows);
  Value column, first;
  if (tokens.shifts.empty()) {
    column = position.back();
    first = tokens.first.back();
  }
  return regions.rows(region, convert(tile, getAccumulatorType(element)), batch,
                      head, position, column, first);
}

SmallVector<Value> TileValues::positions(const RowTokens &tokens,
                                         int64_t rows) {
  SmallVector<Value> result(tokens.first);
  if (tokens.shifts.empty()) {
    result.back() = positions(result.back(), rows);
    return result;
  }
  for (auto [index, shift] : llvm::zip_equal(result, tokens.shifts)) {
    Value first = tile::SplatOp::create(b, shift.getType(), index);
    index = arith::AddIOp::create(b, first, shift);
  }
  return result;
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
