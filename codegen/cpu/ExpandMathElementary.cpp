//===- ExpandMathElementary.cpp - exp, log and tanh --------------*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of exponential and logarithmic kind, for f32 and f64, as code
// without branches on scalars or vectors.
//
// Exponentials split x = n * u + r, with u = 1 or ln(2) and n an integer, so
// that the result is 2^n (1 + q(r)). Adding the "shifter" 1.5 * 2^m + bias,
// where m is the number of mantissa bits, rounds to an integer in the low bits
// of the sum, already biased: a left shift by m then leaves 2^n. Two limits
// keep 2^n meaningful:
//   - x from below, so that n >= -bias; there the shift gives 2^n = 0;
//   - the sum from above, so that n <= bias. Arguments of the last half binade
//     then have r up to u, for which the polynomial still holds; larger ones
//     overflow in the last operation, as they should.
// Both limits let NaN through. The last operation is fma(q, 2^n, 2^n), whose
// rounding is nearly the only error.
//
// Logarithms split x = 2^e (1 + f), 1 + f from sqrt(1/2) to sqrt(2), by integer
// operations, then add e * ln(2) in two parts to a polynomial in f.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMathCoefficients.h"
#include "codegen/cpu/ExpandMathInternal.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using arith::CmpFPredicate;

namespace attn {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double log2e = 0x1.71547652b82fep+0;

/// ln(2) in two parts; the product of the high part and any exponent is exact.
struct Ln2 {
  double high, low;
};

Ln2 ln2(bool isF64) {
  if (isF64)
    return {0x1.62e42fefa4p-1, -0x1.8432a1b0e2634p-43};
  return {0x1.62e4p-1, 0x1.7f7d1cp-20};
}

/// x = n * u + r, with 2^n as a number.
struct ExponentSplit {
  Value scale, rest;
};

/// 1.5 * 2^m + bias, see the top of this file.
double shifter(ElementwiseBuilder &b) {
  return (b.isF64() ? 0x1.8p52 : 0x1.8p23) + b.bias();
}

/// 2^n from the sum of n and the shifter.
Value scaleOf(ElementwiseBuilder &b, Value sum) {
  return b.fromBits(b.shl(b.toBits(sum), b.mantissaBits()));
}

/// The split for powers of two.
ExponentSplit splitExponent2(ElementwiseBuilder &b, Value x) {
  double magic = shifter(b);
  Value low = b.atLeast(x, -b.bias());
  Value sum = b.atMost(b.add(low, b.real(magic)), magic + b.bias());
  return {scaleOf(b, sum), b.sub(low, b.sub(sum, b.real(magic)))};
}

/// The split for powers of e.
ExponentSplit splitExponentE(ElementwiseBuilder &b, Value x) {
  double magic = shifter(b);
  auto [high, low] = ln2(b.isF64());
  // Just below -bias * ln(2): n is -bias there.
  Value bounded = b.atLeast(x, b.isF64() ? -709.0 : -88.0);
  Value sum =
      b.atMost(b.fma(bounded, b.real(log2e), b.real(magic)), magic + b.bias());
  Value n = b.sub(sum, b.real(magic));
  Value rest = b.fma(n, b.real(-high), bounded);
  return {scaleOf(b, sum), b.fma(n, b.real(-low), rest)};
}

/// exp(r) - 1 for the remainder of `splitExponentE`.
Value expm1OfRest(ElementwiseBuilder &b, Value rest, ArrayRef<double> table) {
  Value tail = b.polynomial(rest, table);
  return b.fma(b.mul(rest, rest), tail, rest);
}

Value emitExp2(ElementwiseBuilder &b, Value x) {
  ArrayRef<double> table = b.isF64() ? ArrayRef(exp2F64) : ArrayRef(exp2F32);
  auto [scale, rest] = splitExponent2(b, x);
  Value q = b.mul(rest, b.polynomial(rest, table));
  return b.fma(q, scale, scale);
}

Value emitExp(ElementwiseBuilder &b, Value x) {
  auto [scale, rest] = splitExponentE(b, x);
  ArrayRef<double> table = b.isF64() ? ArrayRef(expF64) : ArrayRef(expF32);
  return b.fma(expm1OfRest(b, rest, table), scale, scale);
}

/// exp(x) - 1, but +0 for -0.
Value emitUnsignedZeroExpm1(ElementwiseBuilder &b, Value x) {
  auto [scale, rest] = splitExponentE(b, x);
  ArrayRef<double> table = b.isF64() ? ArrayRef(expF64) : ArrayRef(expm1F32);
  Value q = expm1OfRest(b, rest, table);
  return b.fma(q, scale, b.sub(scale, b.real(1)));
}

/// `result`, but `x` itself where x is zero: keeps the sign of zero.
Value keepZero(ElementwiseBuilder &b, Value x, Value result) {
  return b.select(b.compare(CmpFPredicate::OEQ, x, b.real(0)), x, result);
}

Value emitExpm1(ElementwiseBuilder &b, Value x) {
  return keepZero(b, x, emitUnsignedZeroExpm1(b, x));
}

/// tanh(a) = -t / (2 + t) with t = expm1(-2a), a = |x|: no overflow, and the
/// relative accuracy of expm1 for small arguments.
Value emitTanh(ElementwiseBuilder &b, OpBuilder &builder, Location loc,
               Value x) {
  Value magnitude = math::AbsFOp::create(builder, loc, x);
  Value t = emitUnsignedZeroExpm1(b, b.mul(magnitude, b.real(-2)));
  Value result = b.div(t, b.add(t, b.real(2)));
  return math::CopySignOp::create(builder, loc, result, x);
}

/// The split of a positive normal number.
LogarithmSplit splitLogarithm(ElementwiseBuilder &b, Value x) {
  const int64_t one = b.isF64() ? 0x3ff0000000000000 : 0x3f800000;
  const int64_t rootHalf = b.isF64() ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  const int64_t bitsOfUlpOne = b.isF64() ? 0x4330000000000000 : 0x4b000000;
  const double ulpOne = b.isF64() ? 0x1p52 : 0x1p23;
  Value bits = b.addi(b.toBits(x), b.integer(one - rootHalf));
  // The biased exponent, made a number by the mantissa of 2^m.
  Value exponent =
      b.ori(b.shr(bits, b.mantissaBits()), b.integer(bitsOfUlpOne));
  Value e = b.sub(b.fromBits(exponent), b.real(ulpOne + b.bias()));
  const int64_t mantissa = (int64_t(1) << b.mantissaBits()) - 1;
  Value significand =
      b.addi(b.andi(bits, b.integer(mantissa)), b.integer(rootHalf));
  return {e, b.sub(b.fromBits(significand), b.real(1))};
}

} // namespace

// Subnormal numbers are scaled up first.
LogarithmSplit splitAnyLogarithm(ElementwiseBuilder &b, Value x) {
  const double smallestNormal = b.isF64() ? 0x1p-1022 : 0x1p-126;
  const int up = b.isF64() ? 54 : 24;
  Value small = b.compare(CmpFPredicate::OLT, x, b.real(smallestNormal));
  Value scaled = b.mul(x, b.real(b.isF64() ? 0x1p54 : 0x1p24));
  LogarithmSplit split = splitLogarithm(b, b.select(small, scaled, x));
  split.exponent =
      b.add(split.exponent, b.select(small, b.real(-up), b.real(0)));
  return split;
}

namespace {

/// log(1 + f) - f.
Value logTail(ElementwiseBuilder &b, Value f) {
  ArrayRef<double> table = b.isF64() ? ArrayRef(logF64) : ArrayRef(logF32);
  Value square = b.mul(f, f);
  Value cubic = b.mul(b.mul(square, f), b.polynomial(f, table));
  return b.fma(square, b.real(-0.5), cubic);
}

/// e * ln(2) + f + tail, the small terms first.
Value addLogarithm(ElementwiseBuilder &b, LogarithmSplit split, Value tail) {
  auto [high, low] = ln2(b.isF64());
  Value small = b.fma(split.exponent, b.real(low), tail);
  Value rest = b.add(split.fraction, small);
  return b.fma(split.exponent, b.real(high), rest);
}

/// `result`, corrected for an argument `x` of the logarithm that is zero,
/// negative, infinite or not a number.
Value specialLogarithms(ElementwiseBuilder &b, Value x, Value result) {
  Value finite = b.compare(CmpFPredicate::OLT, x, b.real(inf));
  result = b.select(finite, result, x);
  Value zero = b.compare(CmpFPredicate::OEQ, x, b.real(0));
  result = b.select(zero, b.real(-inf), result);
  Value negative = b.compare(CmpFPredicate::OLT, x, b.real(0));
  return b.select(negative, b.real(nan), result);
}

Value emitLog(ElementwiseBuilder &b, Value x) {
  LogarithmSplit split = splitAnyLogarithm(b, x);
  Value tail = logTail(b, split.fraction);
  return specialLogarithms(b, x, addLogarithm(b, split, tail));
}

Value emitLog2(ElementwiseBuilder &b, Value x) {
  LogarithmSplit split = splitAnyLogarithm(b, x);
  Value natural = b.add(split.fraction, logTail(b, split.fraction));
  Value result = b.fma(natural, b.real(log2e), split.exponent);
  return specialLogarithms(b, x, result);
}

/// log(u) + c / u, where u is 1 + x rounded and c the rounding error.
Value emitLog1p(ElementwiseBuilder &b, Value x) {
  Value one = b.real(1);
  Value u = b.add(one, x);
  Value large = b.compare(CmpFPredicate::OGT, x, one);
  Value error =
      b.select(large, b.sub(one, b.sub(u, x)), b.sub(x, b.sub(u, one)));
  LogarithmSplit split = splitLogarithm(b, u);
  Value tail = b.add(logTail(b, split.fraction), b.div(error, u));
  Value result = addLogarithm(b, split, tail);
  return keepZero(b, x, specialLogarithms(b, u, result));
}

/// Replaces a unary operation on f32 or f64 by what `emit` writes.
template <typename Op, Value (*emit)(ElementwiseBuilder &, Value)>
struct ExpandUnary : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isF32OrF64(op.getType()))
      return rewriter.notifyMatchFailure(op, "not f32 or f64");
    ElementwiseBuilder b(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, emit(b, op.getOperand()));
    return success();
  }
};

struct ExpandTanh : OpRewritePattern<math::TanhOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::TanhOp op,
                                PatternRewriter &rewriter) const override {
    if (!isF32OrF64(op.getType()))
      return rewriter.notifyMatchFailure(op, "not f32 or f64");
    ElementwiseBuilder b(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, emitTanh(b, rewriter, op.getLoc(), op.getOperand()));
    return success();
  }
};

/// exp2 by AVX-512: VREDUCEPS gives f = x - floor(x), and VSCALEFPS multiplies
/// by 2^floor(x) with right overflow, infinities and NaN. Lanes whose result
/// would be subnormal, which takes the processor fifty times as long, are zero.
class ExpandExp2Avx512 : public OpRewritePattern<math::Exp2Op> {
public:
  ExpandExp2Avx512(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(math::Exp2Op op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !isF32OrF64(type) || type.isScalable() || type.getRank() != 1)
      return rewriter.notifyMatchFailure(op, "not a vector of f32 or f64");
    int64_t width = registerWidth(type);
    if (!width)
      return rewriter.notifyMatchFailure(op, "not whole vector registers");
    Value x = op.getOperand();
    if (width == type.getNumElements()) {
      rewriter.replaceOp(op, emit(rewriter, op.getLoc(), x));
      return success();
    }
    Value result = arith::ConstantOp::create(rewriter, op.getLoc(),
                                             rewriter.getZeroAttr(type));
    for (int64_t at = 0; at < type.getNumElements(); at += width) {
      Value part = vector::ExtractStridedSliceOp::create(
          rewriter, op.getLoc(), x, at, width, /*strides=*/1);
      result = vector::InsertStridedSliceOp::create(
          rewriter, op.getLoc(), emit(rewriter, op.getLoc(), part), result, at,
          /*strides=*/1);
    }
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  /// Elements of the widest register that divides `type`, or 0. Masks have at
  /// least eight bits, so narrower registers are not worth it.
  static int64_t registerWidth(VectorType type) {
    for (int64_t bits : {512, 256}) {
      int64_t width = bits / type.getElementTypeBitWidth();
      if (width >= 8 && type.getNumElements() % width == 0)
        return width;
    }
    return 0;
  }

  static Value emit(PatternRewriter &rewriter, Location loc, Value x) {
    ElementwiseBuilder b(rewriter, loc, x.getType());
    auto maskType =
        rewriter.getIntegerType(cast<VectorType>(x.getType()).getNumElements());
    Value all = constant(rewriter, loc, maskType, -1);
    // Round down, no exception for inexact results.
    Value roundDown = constant(rewriter, loc, rewriter.getI32Type(), 0x9);
    Value f = intrinsic(rewriter, loc, "reduce", {x, roundDown, x, all});
    ArrayRef<double> table =
        b.isF64() ? ArrayRef(exp2UnitF64) : ArrayRef(exp2UnitF32);
    Value power = b.fma(f, b.polynomial(f, table), b.real(1));
    // "Not less", so that NaN stays.
    Value normal = b.compare(CmpFPredicate::UGE, x, b.real(1 - b.bias()));
    Value mask = LLVM::BitcastOp::create(rewriter, loc, maskType, normal);
    return intrinsic(rewriter, loc, "scalef", {power, x, b.real(0), mask});
  }

  static Value constant(PatternRewriter &rewriter, Location loc,
                        IntegerType type, int32_t value) {
    return LLVM::ConstantOp::create(rewriter, loc, type,
                                    rewriter.getIntegerAttr(type, value));
  }

  /// Calls llvm.x86.avx512.mask.`name` on the type of the first operand.
  static Value intrinsic(PatternRewriter &rewriter, Location loc,
                         StringRef name, ArrayRef<Value> inputs) {
    auto type = cast<VectorType>(inputs.front().getType());
    unsigned elementBits = type.getElementTypeBitWidth();
    int64_t bits = type.getNumElements() * elementBits;
    std::string full = ("llvm.x86.avx512.mask." + name +
                        (elementBits == 64 ? ".pd." : ".ps.") + Twine(bits))
                           .str();
    SmallVector<Value> operands(inputs);
    // The 512-bit forms take a rounding mode: that of the environment.
    if (bits == 512)
      operands.push_back(constant(rewriter, loc, rewriter.getI32Type(), 4));
    return LLVM::CallIntrinsicOp::create(rewriter, loc, type,
                                         rewriter.getStringAttr(full), operands)
        .getResult(0);
  }
};

} // namespace

void populateElementaryFunctionPatterns(RewritePatternSet &patterns,
                                        const CpuMathOptions &options) {
  patterns.add<
      ExpandUnary<math::Exp2Op, emitExp2>, ExpandUnary<math::ExpOp, emitExp>,
      ExpandUnary<math::ExpM1Op, emitExpm1>, ExpandUnary<math::LogOp, emitLog>,
      ExpandUnary<math::Log2Op, emitLog2>,
      ExpandUnary<math::Log1pOp, emitLog1p>, ExpandTanh>(patterns.getContext());
  if (options.hasAvx512)
    patterns.add<ExpandExp2Avx512>(patterns.getContext());
}

} // namespace attn
