//===- DelayScales.cpp - Multiply maxima and differences, not scores ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores are products of 16 bits times a number c > 0. The maximum of a row of
// c x is c times the maximum of x, with the same bits, as rounding keeps the
// order; c x - m is one fused multiply-add. So no score need be multiplied for
// its own sake. Nor need a difference, to become an exponent of 2: d (c x - m)
// is (d c) x - d m.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"
#include "codegen/nvidia/Passes.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIADELAYSCALES
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether `value` is a product of matrix instructions, some elements of which
/// may have been replaced.
static bool isProduct(Value value) {
  if (auto choice = value.getDefiningOp<arith::SelectOp>())
    return isProduct(choice.getTrueValue());
  auto dot = value.getDefiningOp<tile::DotOp>();
  return dot && isNarrow(dot);
}

/// The number that all elements of `value` are, if it is one above 0.
static std::optional<APFloat> getPositive(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  auto number = elements.getSplatValue<APFloat>();
  if (!number.isFinite() || number.isZero() || number.isNegative())
    return std::nullopt;
  return number;
}

/// The positive number by which `value` is a product, if so.
static std::optional<APFloat> getScale(Value value) {
  auto scaled = value.getDefiningOp<arith::MulFOp>();
  if (!scaled || !isProduct(scaled.getLhs()))
    return std::nullopt;
  return getPositive(scaled.getRhs());
}

static Value getFactor(Value scaled) {
  return scaled.getDefiningOp<arith::MulFOp>().getLhs();
}

static Value makeSplat(OpBuilder &b, Location loc, RankedTensorType type,
                       const APFloat &number) {
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(type, number));
}

namespace {
/// select(m, c x, -inf) -> c select(m, x, -inf)
struct DelayOverChoice : OpRewritePattern<arith::SelectOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::SelectOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<APFloat> scale = getScale(op.getTrueValue());
    if (!scale)
      return rewriter.notifyMatchFailure(op, "no scaled product");
    if (!matchPattern(op.getFalseValue(), m_NegInfFloat()))
      return rewriter.notifyMatchFailure(op, "something else than -inf");
    Value choice = arith::SelectOp::create(
        rewriter, op.getLoc(), op.getCondition(), getFactor(op.getTrueValue()),
        op.getFalseValue());
    rewriter.replaceOpWithNewOp<arith::MulFOp>(
        op, choice, makeSplat(rewriter, op.getLoc(), tileOf(choice), *scale));
    return success();
  }
};

/// max(c x) -> c max(x)
struct DelayOverMaximum : OpRewritePattern<tile::ReduceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tile::ReduceOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<APFloat> scale = getScale(op.getValue());
    if (!scale || op.getKind() != tile::ReduceKind::Max)
      return rewriter.notifyMatchFailure(op, "no maximum of a scaled product");
    if (!matchPattern(op.getInit(), m_NegInfFloat()))
      return rewriter.notifyMatchFailure(op, "starts from something");
    Value largest = tile::ReduceOp::create(
        rewriter, op.getLoc(), op.getType(), op.getKind(),
        getFactor(op.getValue()), op.getInit(), op.getAlong());
    rewriter.replaceOpWithNewOp<arith::MulFOp>(
        op, largest, makeSplat(rewriter, op.getLoc(), tileOf(largest), *scale));
    return success();
  }
};

/// c x - m -> fma(x, c, -m)
struct DelayOverDifference : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::SubFOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "no tile");
    std::optional<APFloat> scale = getScale(op.getLhs());
    if (!scale)
      return rewriter.notifyMatchFailure(op, "no scaled product");
    Value negated = arith::NegFOp::create(rewriter, op.getLoc(), op.getRhs());
    rewriter.replaceOpWithNewOp<math::FmaOp>(
        op, getFactor(op.getLhs()),
        makeSplat(rewriter, op.getLoc(), tileOf(op), *scale), negated);
    return success();
  }
};

/// d fma(x, c, -m) -> fma(x, d c, -(d m)), with one m for each row
struct DelayOverExponent : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::MulFOp op,
                                PatternRewriter &rewriter) const override {
    auto difference = op.getLhs().getDefiningOp<math::FmaOp>();
    if (!difference || !difference->hasOneUse() ||
        !isProduct(difference.getA()))
      return rewriter.notifyMatchFailure(op, "no difference of a product");
    auto negated = difference.getC().getDefiningOp<arith::NegFOp>();
    auto rows = negated
                    ? negated.getOperand().getDefiningOp<tile::BroadcastOp>()
                    : tile::BroadcastOp();
    std::optional<APFloat> scale = getPositive(difference.getB());
    std::optional<APFloat> factor = getPositive(op.getRhs());
    if (!rows || rows.getAlong() != 1 || !scale || !factor)
      return rewriter.notifyMatchFailure(op, "numbers differ within a row");
    APFloat both = *scale * *factor;
    if (!both.isFinite() || both.isZero())
      return rewriter.notifyMatchFailure(op, "the factors are too far apart");
    Location loc = op.getLoc();
    Value row = rows.getVector();
    row = arith::MulFOp::create(rewriter, loc, row,
                                makeSplat(rewriter, loc, tileOf(row), *factor));
    Value all = tile::BroadcastOp::create(rewriter, loc, tileOf(op), row,
                                          rows.getAlong());
    rewriter.replaceOpWithNewOp<math::FmaOp>(
        op, difference.getA(), makeSplat(rewriter, loc, tileOf(op), both),
        arith::NegFOp::create(rewriter, loc, all));
    return success();
  }
};

struct NvidiaDelayScales
    : attn::impl::NvidiaDelayScalesBase<NvidiaDelayScales> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<DelayOverChoice, DelayOverMaximum, DelayOverDifference,
                 DelayOverExponent>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
