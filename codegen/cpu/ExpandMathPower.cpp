//===- ExpandMathPower.cpp - Powers without a library ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// x^y = 2^(y log2(x)) on f32. The exponent may be as large as 128, and what it
// is off by is off in the result as a factor; so the logarithm needs more bits
// than f32 has. It is a sum of two numbers, of which the second has the bits
// that the first has no room for:
//
//   |x|     = 2^e (1 + f), 1 + f from sqrt(1/2) to sqrt(2)
//   s       = f / (2 + f), in two parts
//   log2(x) = e + 2 / ln(2) s (1 + s^2 / 3 + s^4 / 5 + s^6 / 7 + ...)
//
// Products of two parts use fma for the rounding error of the first: without an
// instruction for it the result is as inaccurate as if there were one part.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMathInternal.h"

#include <cmath>
#include <limits>

using namespace mlir;
using arith::CmpFPredicate;

namespace attn {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
/// Powers of two beyond it, up or down, are 0 or infinite, and their scale is
/// still a product of two numbers.
constexpr double mostExponent = 200;

/// An unevaluated sum.
struct Pair {
  Value high, low;
};

/// Emits one power.
class PowerEmitter {
public:
  PowerEmitter(ElementwiseBuilder &b, OpBuilder &builder, Location loc)
      : b(b), builder(builder), loc(loc) {}

  Value emit(Value x, Value y);

private:
  Pair constant(double value);
  Pair addToLarger(Value large, Value small);
  Pair multiply(Pair x, Pair y);
  Pair logarithm2(Value magnitude);
  Pair ratio(Value fraction);
  Pair exponentOf(Value magnitude, Value y);
  Value power2(Pair exponent);
  Value powerOfTwo(Value exponent);
  Value withSign(Value result, Value x, Value y);
  Value floor(Value x) { return math::FloorOp::create(builder, loc, x); }
  Value magnitudeOf(Value x) { return math::AbsFOp::create(builder, loc, x); }
  Value isNan(Value x) { return b.compare(CmpFPredicate::UNO, x, x); }
  Value either(Value x, Value y) {
    return arith::OrIOp::create(builder, loc, x, y);
  }
  Value both(Value x, Value y) {
    return arith::AndIOp::create(builder, loc, x, y);
  }

  ElementwiseBuilder &b;
  OpBuilder &builder;
  Location loc;
};

Pair PowerEmitter::constant(double value) {
  const double high = static_cast<float>(value);
  return {b.real(high), b.real(value - high)};
}

/// Exact if |large| >= |small| or `large` is 0.
Pair PowerEmitter::addToLarger(Value large, Value small) {
  Value sum = b.add(large, small);
  return {sum, b.add(b.sub(large, sum), small)};
}

Pair PowerEmitter::multiply(Pair x, Pair y) {
  Value high = b.mul(x.high, y.high);
  Value low = b.fma(x.high, y.high, b.sub(b.real(0), high));
  low = b.fma(x.high, y.low, low);
  return {high, b.fma(x.low, y.high, low)};
}

/// f / (2 + f).
Pair PowerEmitter::ratio(Value fraction) {
  Value two = b.real(2), minusZero = b.real(-0.0);
  Pair divisor = addToLarger(two, fraction);
  Value inverse = b.div(b.real(1), divisor.high);
  Value high = b.mul(fraction, inverse);
  Value negative = b.sub(minusZero, high);
  Value rest = b.fma(negative, divisor.high, fraction);
  rest = b.fma(negative, divisor.low, rest);
  return {high, b.mul(rest, inverse)};
}

/// Of a finite number; infinities have an infinity as the first part.
Pair PowerEmitter::logarithm2(Value magnitude) {
  LogarithmSplit split = splitAnyLogarithm(b, magnitude);
  Pair s = ratio(split.fraction), square = multiply(s, s);
  const double tail[] = {1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11};
  Pair third = constant(1.0 / 3);
  Pair sum = addToLarger(third.high,
                         b.mul(square.high, b.polynomial(square.high, tail)));
  sum = multiply(square, {sum.high, b.add(sum.low, third.low)});
  Pair series = addToLarger(b.real(1), sum.high);
  series = multiply(s, {series.high, b.add(series.low, sum.low)});
  Pair scaled = multiply(series, constant(2 / M_LN2));
  Pair result = addToLarger(split.exponent, scaled.high);
  result.low = b.add(result.low, scaled.low);
  Value finite = b.compare(CmpFPredicate::OLT, magnitude, b.real(inf));
  Value zero = b.compare(CmpFPredicate::OEQ, magnitude, b.real(0));
  result.high = b.select(finite, result.high, b.real(inf));
  result.high = b.select(zero, b.real(-inf), result.high);
  return result;
}

/// y log2(magnitude), within the limits; 0 for a magnitude of 1, whatever y is.
Pair PowerEmitter::exponentOf(Value magnitude, Value y) {
  Pair product = multiply(logarithm2(magnitude), {y, b.real(0)});
  Value one = b.compare(CmpFPredicate::OEQ, magnitude, b.real(1));
  Value high = b.select(one, b.real(0), product.high);
  Value small =
      b.compare(CmpFPredicate::OLT, magnitudeOf(high), b.real(mostExponent));
  Value low = b.select(small, product.low, b.real(0));
  high = b.atMost(b.atLeast(high, -mostExponent), mostExponent);
  return {high, b.select(one, b.real(0), low)};
}

/// 2^n for an integer n between -126 and 127.
Value PowerEmitter::powerOfTwo(Value exponent) {
  // The sum has the biased exponent in its lowest bits.
  Value sum = b.add(exponent, b.real(0x1.8p23 + b.bias()));
  return b.fromBits(b.shl(b.toBits(sum), b.mantissaBits()));
}

/// 2^exponent, rounded once where it is a normal number.
Value PowerEmitter::power2(Pair exponent) {
  Value whole = math::RoundEvenOp::create(builder, loc, exponent.high);
  Pair rest = addToLarger(b.sub(exponent.high, whole), exponent.low);
  Pair power = multiply(rest, constant(M_LN2));
  // exp(a) - 1 - a, over a^2.
  const double tail[] = {1.0 / 2,   1.0 / 6,   1.0 / 24,
                         1.0 / 120, 1.0 / 720, 1.0 / 5040};
  Value square = b.mul(power.high, power.high);
  Value low = b.fma(square, b.polynomial(power.high, tail), power.low);
  Pair sum = addToLarger(b.real(1), power.high);
  Value result = b.add(sum.high, b.add(sum.low, low));
  Value half = floor(b.mul(whole, b.real(0.5)));
  result = b.mul(result, powerOfTwo(half));
  return b.mul(result, powerOfTwo(b.sub(whole, half)));
}

/// Powers of negative numbers: odd ones are negative, and only integers have
/// one, unless the number is infinite.
Value PowerEmitter::withSign(Value result, Value x, Value y) {
  Value whole = b.compare(CmpFPredicate::OEQ, floor(y), y);
  Value half = b.mul(y, b.real(0.5));
  Value uneven = b.compare(CmpFPredicate::ONE, floor(half), half);
  Value negated = math::CopySignOp::create(builder, loc, result, x);
  result = b.select(both(whole, uneven), negated, result);
  Value negative = both(b.compare(CmpFPredicate::OLT, x, b.real(0)),
                        b.compare(CmpFPredicate::OGT, x, b.real(-inf)));
  Value broken = b.compare(CmpFPredicate::UNE, floor(y), y);
  return b.select(both(negative, broken),
                  b.real(std::numeric_limits<double>::quiet_NaN()), result);
}

Value PowerEmitter::emit(Value x, Value y) {
  Value result = power2(exponentOf(magnitudeOf(x), y));
  result = withSign(result, x, y);
  result = b.select(either(isNan(x), isNan(y)), b.add(x, y), result);
  Value isOne = either(b.compare(CmpFPredicate::OEQ, y, b.real(0)),
                       b.compare(CmpFPredicate::OEQ, x, b.real(1)));
  return b.select(isOne, b.real(1), result);
}

struct ExpandPower : OpRewritePattern<math::PowFOp> {
  ExpandPower(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(math::PowFOp op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    ElementwiseBuilder b(rewriter, op.getLoc(), op.getType());
    PowerEmitter emitter(b, rewriter, op.getLoc());
    rewriter.replaceOp(op, emitter.emit(op.getLhs(), op.getRhs()));
    return success();
  }
};

} // namespace

void populatePowerPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandPower>(patterns.getContext());
}

} // namespace attn
