//===- ExpandMathElementwiseBuilder.cpp - Elementwise code -------*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMathInternal.h"

using namespace mlir;

namespace attn {

bool isScalarOrVectorOf(Type type, llvm::function_ref<bool(Type)> element) {
  return (isa<VectorType>(type) || isa<FloatType>(type)) &&
         element(getElementTypeOrSelf(type));
}

bool isF32OrF64(Type type) {
  return isScalarOrVectorOf(
      type, [](Type element) { return element.isF32() || element.isF64(); });
}

bool isF16OrBF16(Type type) {
  return isScalarOrVectorOf(
      type, [](Type element) { return element.isF16() || element.isBF16(); });
}

Type withElementType(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

ElementwiseBuilder::ElementwiseBuilder(OpBuilder &builder, Location loc,
                                       Type floatType)
    : builder(builder), loc(loc), floatType(floatType),
      bits(getElementTypeOrSelf(floatType).getIntOrFloatBitWidth()) {
  intType = withElementType(floatType, builder.getIntegerType(bits));
}

/// A constant of `type`: `value`, or a vector of it.
static Value constant(OpBuilder &builder, Location loc, Type type,
                      TypedAttr value) {
  if (auto vector = dyn_cast<VectorType>(type))
    value = DenseElementsAttr::get(vector, cast<Attribute>(value));
  return arith::ConstantOp::create(builder, loc, value);
}

Value ElementwiseBuilder::real(double value) {
  return constant(builder, loc, floatType,
                  builder.getFloatAttr(getElementTypeOrSelf(floatType), value));
}

Value ElementwiseBuilder::integer(int64_t value) {
  // Bit patterns with the sign bit set are welcome, hence the truncation.
  APInt wide(64, static_cast<uint64_t>(value));
  return constant(
      builder, loc, intType,
      builder.getIntegerAttr(getElementTypeOrSelf(intType), wide.trunc(bits)));
}

Value ElementwiseBuilder::add(Value a, Value b) {
  return arith::AddFOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::sub(Value a, Value b) {
  return arith::SubFOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::mul(Value a, Value b) {
  return arith::MulFOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::div(Value a, Value b) {
  return arith::DivFOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::fma(Value a, Value b, Value c) {
  return math::FmaOp::create(builder, loc, a, b, c);
}

Value ElementwiseBuilder::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = real(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, real(coefficient));
  return sum;
}

Value ElementwiseBuilder::compare(arith::CmpFPredicate predicate, Value a,
                                  Value b) {
  return arith::CmpFOp::create(builder, loc, predicate, a, b);
}

Value ElementwiseBuilder::compare(arith::CmpIPredicate predicate, Value a,
                                  Value b) {
  return arith::CmpIOp::create(builder, loc, predicate, a, b);
}

Value ElementwiseBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}

Value ElementwiseBuilder::atLeast(Value x, double bound) {
  Value limit = real(bound);
  return select(compare(arith::CmpFPredicate::OGT, limit, x), limit, x);
}

Value ElementwiseBuilder::atMost(Value x, double bound) {
  Value limit = real(bound);
  return select(compare(arith::CmpFPredicate::OLT, limit, x), limit, x);
}

Value ElementwiseBuilder::addi(Value a, Value b) {
  return arith::AddIOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::subi(Value a, Value b) {
  return arith::SubIOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::andi(Value a, Value b) {
  return arith::AndIOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::ori(Value a, Value b) {
  return arith::OrIOp::create(builder, loc, a, b);
}

Value ElementwiseBuilder::shl(Value a, int64_t count) {
  return arith::ShLIOp::create(builder, loc, a, integer(count));
}

Value ElementwiseBuilder::shr(Value a, int64_t count) {
  return arith::ShRUIOp::create(builder, loc, a, integer(count));
}

Value ElementwiseBuilder::toBits(Value a) {
  return arith::BitcastOp::create(builder, loc, intType, a);
}

Value ElementwiseBuilder::fromBits(Value a) {
  return arith::BitcastOp::create(builder, loc, floatType, a);
}

} // namespace attn
