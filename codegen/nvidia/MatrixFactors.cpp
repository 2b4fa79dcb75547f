//===- MatrixFactors.cpp - Operands of matrix instructions ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/MatrixFactors.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isHalf(Type element) { return element.isF16() || element.isBF16(); }

Value attn::getNarrow(Value value) {
  auto extend = value.getDefiningOp<arith::ExtFOp>();
  return extend && isHalf(tileOf(extend.getIn()).getElementType())
             ? extend.getIn()
             : Value();
}

/// Calls `visit` with what `value` is computed from, `value` first, until it
/// returns true; returns whether it did.
static bool anySource(Value value, function_ref<bool(Operation *)> visit) {
  SmallVector<Operation *> open;
  llvm::SmallPtrSet<Operation *, 16> seen;
  auto add = [&](Value source) {
    Operation *op = source.getDefiningOp();
    if (op && !op->getNumRegions() && seen.insert(op).second)
      open.push_back(op);
  };
  add(value);
  while (!open.empty()) {
    Operation *op = open.pop_back_val();
    if (visit(op))
      return true;
    llvm::for_each(op->getOperands(), add);
  }
  return false;
}

bool attn::dependsOnProduct(Value value) {
  return anySource(value, [](Operation *op) { return isa<tile::DotOp>(op); });
}

/// The type of 16 bits that `value` stems from, f16 if it stems from both as
/// results then are expected to have its digits; null if none.
static Type getHalfSource(Value value) {
  Type found;
  anySource(value, [&](Operation *op) {
    for (Value result : op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()))
        if (isHalf(type.getElementType()))
          found = type.getElementType();
    return found && found.isF16();
  });
  return found;
}

/// Whether all elements of `tile`, or those of each row, are one number.
static bool isUniform(Value tile) {
  DenseElementsAttr constant;
  auto rows = tile.getDefiningOp<tile::BroadcastOp>();
  return tile.getDefiningOp<tile::SplatOp>() ||
         (rows && rows.getAlong() == 1) ||
         (matchPattern(tile, m_Constant(&constant)) && constant.isSplat());
}

Value attn::splitScales(Value value, SmallVectorImpl<Value> &scales) {
  while (auto product = value.getDefiningOp<arith::MulFOp>()) {
    Value scale = product.getRhs(), rest = product.getLhs();
    if (!isUniform(scale))
      std::swap(scale, rest);
    if (!isUniform(scale))
      break;
    scales.push_back(scale);
    value = rest;
  }
  return value;
}

Value attn::makeUniform(OpBuilder &b, RankedTensorType type, Value uniform) {
  Location loc = uniform.getLoc();
  if (auto splat = uniform.getDefiningOp<tile::SplatOp>())
    return tile::SplatOp::create(b, loc, type, splat->getOperand(0));
  if (auto rows = uniform.getDefiningOp<tile::BroadcastOp>())
    return tile::BroadcastOp::create(b, loc, type, rows.getVector(),
                                     rows.getAlong());
  DenseElementsAttr constant;
  matchPattern(uniform, m_Constant(&constant));
  return arith::ConstantOp::create(b, loc, constant.resizeSplat(type));
}

std::optional<MatrixFactor> attn::matchFactor(Value value, bool splitsScales) {
  MatrixFactor factor;
  factor.original = value;
  SmallVector<Value> scales;
  Value rest = splitsScales ? splitScales(value, scales) : value;
  if (Value narrow = getNarrow(rest)) {
    factor.kind = MatrixFactor::Kind::Exact;
    factor.tile = narrow;
    factor.element = tileOf(narrow).getElementType();
    factor.scales = std::move(scales);
    return factor;
  }
  factor.tile = value;
  factor.element = getHalfSource(value);
  if (dependsOnProduct(value)) {
    factor.kind = MatrixFactor::Kind::Rounded;
    return factor;
  }
  return factor.element ? std::optional(factor) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

/// `value` rounded to the upper 16 bits, which are a bf16, as an f32. Of two
/// equally near numbers the larger magnitude is taken: what is left goes into
/// the next term.
static Value roundToUpper(ImplicitLocOpBuilder &b, Value value) {
  RankedTensorType type = tileOf(value);
  RankedTensorType words = type.clone(b.getI32Type());
  auto splat = [&](int32_t number) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(words, b.getI32IntegerAttr(number)));
  };
  Value bits = arith::BitcastOp::create(b, words, value);
  bits = arith::AddIOp::create(b, bits, splat(0x8000));
  bits = arith::AndIOp::create(b, bits, splat(-0x10000));
  return arith::BitcastOp::create(b, type, bits);
}

ArrayRef<Value> FactorTerms::get(Value value, Type element, int64_t count) {
  SmallVector<Value, 2> &terms = known[{value, element, count}];
  if (!terms.empty())
    return terms;
  ImplicitLocOpBuilder b(value.getLoc(), value.getContext());
  b.setInsertionPointAfterValue(value);
  RankedTensorType narrow = tileOf(value).clone(element);
  Value rest = value;
  for (int64_t n = 0; n + 1 < count; ++n) {
    Value term = roundToUpper(b, rest);
    terms.push_back(arith::TruncFOp::create(b, narrow, term));
    rest = arith::SubFOp::create(b, rest, term);
  }
  terms.push_back(arith::TruncFOp::create(b, narrow, rest));
  return terms;
}

/// Powers of 2 that rows are multiplied with, and those that undo it.
static std::pair<Value, Value> makePowers(ImplicitLocOpBuilder &b,
                                          Value value) {
  // The largest number of a row becomes one of 2^14 to 2^15. The exponents of
  // numbers that are not finite, and of those so small that the power would
  // not be a number, are taken for others.
  constexpr int32_t mantissa = 23, bias = 127, top = 14;
  constexpr int32_t least = 27, most = 2 * bias;
  RankedTensorType type = tileOf(value);
  RankedTensorType vector = type.clone(type.getShape().drop_back());
  RankedTensorType words = vector.clone(b.getI32Type());
  auto splat = [&](uint32_t number) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(words, b.getI32IntegerAttr(int32_t(number))));
  };
  auto exponent = [&](uint32_t number) { return splat(number << mantissa); };
  Value magnitudes = math::AbsFOp::create(b, value);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  Value largest = tile::ReduceOp::create(b, vector, tile::ReduceKind::Max,
                                         magnitudes, zero, /*along=*/1);
  Value bits = arith::BitcastOp::create(b, words, largest);
  bits = arith::AndIOp::create(b, bits, exponent(0xff));
  bits = arith::MaxSIOp::create(b, bits, exponent(least));
  bits = arith::MinSIOp::create(b, bits, exponent(most));
  auto broadcast = [&](Value power) -> Value {
    power = arith::BitcastOp::create(b, vector, power);
    return tile::BroadcastOp::create(b, type, power, /*along=*/1);
  };
  Value up = arith::SubIOp::create(b, exponent(2 * bias + top), bits);
  Value down = arith::SubIOp::create(b, bits, exponent(top));
  return {broadcast(up), broadcast(down)};
}

const ScaledTerms &FactorTerms::getScaled(Value value) {
  ScaledTerms &terms = scaled[value];
  if (terms.scale)
    return terms;
  ImplicitLocOpBuilder b(value.getLoc(), value.getContext());
  b.setInsertionPointAfterValue(value);
  auto [power, inverse] = makePowers(b, value);
  RankedTensorType type = tileOf(value), narrow = type.clone(b.getF16Type());
  Value rest = arith::MulFOp::create(b, value, power);
  Value large = arith::TruncFOp::create(b, narrow, rest);
  rest = arith::SubFOp::create(b, rest, arith::ExtFOp::create(b, type, large));
  Value small = arith::TruncFOp::create(b, narrow, rest);
  terms.tiles = {large, small};
  terms.scale = inverse;
  return terms;
}
