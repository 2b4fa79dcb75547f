//===- ExpandMathSmallFloat.cpp - f16 and bf16 on the CPU --------*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM turns conversions of small floats that the processor lacks into calls of
// the compiler's run-time library, element by element. Here they become integer
// code on whole vectors, and arithmetic on small floats becomes arithmetic on
// f32 between conversions. Conversions round to nearest, ties to even.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMathInternal.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace attn {
namespace {

bool isF16(Type type) { return type.isF16(); }
bool isF32(Type type) { return type.isF32(); }
bool isF64(Type type) { return type.isF64(); }
bool isSmall(Type type) { return type.isF16() || type.isBF16(); }

/// Whether `op` converts from `from` to `to`, rounding to nearest even.
template <typename Op>
bool converts(Op op, llvm::function_ref<bool(Type)> from,
              llvm::function_ref<bool(Type)> to) {
  if constexpr (std::is_same_v<Op, arith::TruncFOp>)
    if (op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) !=
        arith::RoundingMode::to_nearest_even)
      return false;
  return isScalarOrVectorOf(op.getIn().getType(), from) &&
         isScalarOrVectorOf(op.getType(), to);
}

/// f16 -> f32 by integer operations: the exponent and the mantissa move by 13
/// bits and the bias changes by 112.
struct ExpandExtF16 : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    if (!converts(op, isF16, isF32))
      return rewriter.notifyMatchFailure(op, "not f16 to f32");
    Location loc = op.getLoc();
    ElementwiseBuilder b(rewriter, loc, op.getType());
    Type i16 = withElementType(op.getType(), rewriter.getI16Type());
    Type i32 = withElementType(op.getType(), rewriter.getI32Type());
    Value half = arith::ExtUIOp::create(
        rewriter, loc, i32,
        arith::BitcastOp::create(rewriter, loc, i16, op.getIn()));
    Value sign = b.shl(b.andi(half, b.integer(0x8000)), 16);
    Value magnitude = b.andi(half, b.integer(0x7fff));
    Value normal = b.addi(b.shl(magnitude, 13), b.integer(112 << 23));
    // The largest exponent is that of infinity and NaN; it stays the largest.
    Value special = b.compare(CmpIPredicate::uge, magnitude, b.integer(0x7c00));
    Value bits =
        b.select(special, b.ori(normal, b.integer(0x7f800000)), normal);
    // A subnormal number is its mantissa times 2^-24.
    Value number =
        arith::SIToFPOp::create(rewriter, loc, op.getType(), magnitude);
    Value subnormal = b.toBits(b.mul(number, b.real(0x1p-24)));
    Value small = b.compare(CmpIPredicate::ult, magnitude, b.integer(0x400));
    bits = b.select(small, subnormal, bits);
    rewriter.replaceOp(op, b.fromBits(b.ori(bits, sign)));
    return success();
  }
};

/// f32 -> f16 by integer operations.
struct ExpandTruncF16 : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    if (!converts(op, isF32, isF16))
      return rewriter.notifyMatchFailure(op, "not f32 to f16");
    Location loc = op.getLoc();
    Type single = op.getIn().getType();
    ElementwiseBuilder b(rewriter, loc, single);
    Value bits = b.toBits(op.getIn());
    Value sign = b.andi(b.shr(bits, 16), b.integer(0x8000));
    Value magnitude = b.andi(bits, b.integer(0x7fffffff));
    Value result = roundNormal(b, magnitude);
    Value small =
        b.compare(CmpIPredicate::ult, magnitude, b.integer(0x38800000));
    result = b.select(small, roundSubnormal(b, magnitude), result);
    Value large =
        b.compare(CmpIPredicate::uge, magnitude, b.integer(0x47800000));
    result = b.select(large, infinityOrNan(b, magnitude), result);
    Value i16 = arith::TruncIOp::create(
        rewriter, loc, withElementType(single, rewriter.getI16Type()),
        b.ori(result, sign));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), i16);
    return success();
  }

private:
  /// From 2^-14 on: half an ulp (less one bit if the last kept bit is even) is
  /// added and 13 bits are dropped. A carry up to infinity is right.
  static Value roundNormal(ElementwiseBuilder &b, Value magnitude) {
    Value odd = b.andi(b.shr(magnitude, 13), b.integer(1));
    Value half = b.addi(odd, b.integer(0xfff - (112 << 23)));
    return b.shr(b.addi(magnitude, half), 13);
  }

  /// Below 2^-14: adding 1/2, whose ulp is 2^-24, rounds in hardware.
  static Value roundSubnormal(ElementwiseBuilder &b, Value magnitude) {
    Value sum = b.add(b.fromBits(magnitude), b.real(0.5));
    return b.subi(b.toBits(sum), b.integer(0x3f000000));
  }

  /// From 2^16 on; a NaN becomes quiet and keeps its upper bits.
  static Value infinityOrNan(ElementwiseBuilder &b, Value magnitude) {
    Value payload = b.andi(b.shr(magnitude, 13), b.integer(0x3ff));
    Value quiet = b.ori(payload, b.integer(0x7e00));
    Value isNan =
        b.compare(CmpIPredicate::ugt, magnitude, b.integer(0x7f800000));
    return b.select(isNan, quiet, b.integer(0x7c00));
  }
};

/// f16 -> f64 in two exact steps.
struct ExtF16ToF64 : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    if (!converts(op, isSmall, isF64))
      return rewriter.notifyMatchFailure(op, "not f16 or bf16 to f64");
    Type single = withElementType(op.getType(), rewriter.getF32Type());
    Value middle =
        arith::ExtFOp::create(rewriter, op.getLoc(), single, op.getIn());
    rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), middle);
    return success();
  }
};

/// f64 -> f16 or bf16 through f32 rounded to odd, so that the second rounding
/// sees on which side of a tie the f64 lies.
struct TruncF64ToSmall : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    if (!converts(op, isF64, isSmall))
      return rewriter.notifyMatchFailure(op, "not f64 to f16 or bf16");
    Location loc = op.getLoc();
    Value x = op.getIn();
    Type single = withElementType(op.getType(), rewriter.getF32Type());
    ElementwiseBuilder wide(rewriter, loc, x.getType());
    ElementwiseBuilder b(rewriter, loc, single);
    Value nearest = arith::TruncFOp::create(rewriter, loc, single, x);
    Value back = arith::ExtFOp::create(rewriter, loc, x.getType(), nearest);
    Value away = wide.compare(CmpFPredicate::OGT, absolute(rewriter, loc, back),
                              absolute(rewriter, loc, x));
    Value bits = b.toBits(nearest);
    bits = b.select(away, b.subi(bits, b.integer(1)), bits);
    Value inexact = wide.compare(CmpFPredicate::UNE, back, x);
    bits = b.select(inexact, b.ori(bits, b.integer(1)), bits);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(),
                                                 b.fromBits(bits));
    return success();
  }

private:
  static Value absolute(OpBuilder &builder, Location loc, Value x) {
    return math::AbsFOp::create(builder, loc, x);
  }
};

/// Whether `op` computes elementwise with the values of its operands, so that
/// it may do so in f32.
bool isElementwiseArithmetic(Operation *op) {
  if (isa<math::MathDialect>(op->getDialect()))
    return true;
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
             arith::RemFOp, arith::NegFOp, arith::MaximumFOp, arith::MinimumFOp,
             arith::MaxNumFOp, arith::MinNumFOp, arith::CmpFOp, arith::SIToFPOp,
             arith::UIToFPOp, arith::FPToSIOp, arith::FPToUIOp, vector::FMAOp>(
      op);
}

/// Arithmetic on f16 and bf16, and functions of them: computed in f32.
struct ComputeSmallInF32 : RewritePattern {
  ComputeSmallInF32(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!op->getDialect() || !isElementwiseArithmetic(op))
      return rewriter.notifyMatchFailure(op, "not arithmetic");
    if (llvm::none_of(op->getOperandTypes(), isF16OrBF16) &&
        llvm::none_of(op->getResultTypes(), isF16OrBF16))
      return rewriter.notifyMatchFailure(op, "no f16 or bf16");
    auto widened = [&](Type type) {
      return isF16OrBF16(type) ? withElementType(type, rewriter.getF32Type())
                               : type;
    };
    Location loc = op->getLoc();
    OperationState state(loc, op->getName());
    for (Value operand : op->getOperands()) {
      Type type = widened(operand.getType());
      if (type != operand.getType())
        operand = arith::ExtFOp::create(rewriter, loc, type, operand);
      state.operands.push_back(operand);
    }
    state.addTypes(llvm::map_to_vector(op->getResultTypes(), widened));
    state.addAttributes(op->getAttrs());
    Operation *wide = rewriter.create(state);
    SmallVector<Value> results;
    for (auto [value, type] :
         llvm::zip_equal(wide->getResults(), op->getResultTypes()))
      results.push_back(
          value.getType() == type
              ? Value(value)
              : Value(arith::TruncFOp::create(rewriter, loc, type, value)));
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// Upstream's expansion of bf16 conversions, without that of f32 -> bf16 if the
/// processor has it.
void populateBFloat16Patterns(RewritePatternSet &patterns, bool keepTruncF) {
  RewritePatternSet upstream(patterns.getContext());
  arith::populateExpandBFloat16Patterns(upstream);
  StringRef truncF = arith::TruncFOp::getOperationName();
  for (std::unique_ptr<RewritePattern> &pattern : upstream.getNativePatterns())
    if (!keepTruncF || pattern->getRootKind()->getStringRef() != truncF)
      patterns.add(std::move(pattern));
}

} // namespace

void populateSmallFloatPatterns(RewritePatternSet &patterns,
                                const CpuMathOptions &options) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ComputeSmallInF32>(context);
  // Before upstream's, which would round twice.
  patterns.add<ExtF16ToF64, TruncF64ToSmall>(context, /*benefit=*/2);
  if (!options.hasF16C)
    patterns.add<ExpandExtF16, ExpandTruncF16>(context);
  populateBFloat16Patterns(patterns, options.hasAvx512Bf16);
}

} // namespace attn
