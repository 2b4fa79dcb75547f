//===- ApproximateMath.cpp - Math instructions of the device --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIAAPPROXIMATEMATH
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static constexpr StringLiteral kExp2 = "llvm.nvvm.ex2.approx.ftz.f";
static constexpr double kLog2E = 1.4426950408889634;
/// tanh(x) = x + x^3 p(x^2) for |x| below 1/2, with a relative error of 2^-26;
/// the polynomial was computed for this project.
static constexpr double kTanhBorder = 0.5;
static constexpr double kTanh[] = {-0x1.5554d6p-2, 0x1.10e9fcp-3,
                                   -0x1.b28c76p-5, 0x1.1a7c0ep-6};

namespace {
/// Emits f32 arithmetic.
class Emitter {
public:
  explicit Emitter(Operation *op) : b(op->getLoc(), op) {}

  Value number(double value) {
    return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, x, y, z);
  }
  Value exp2(Value x) { return call(kExp2, x); }
  Value invert(Value x) { return call("llvm.nvvm.rcp.approx.ftz.f", x); }
  Value tanh(Value x);
  Value divide(arith::DivFOp op);

private:
  Value call(StringRef intrinsic, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, b.getF32Type(),
                                         b.getStringAttr(intrinsic), operands)
        ->getResult(0);
  }

  ImplicitLocOpBuilder b;
};
} // namespace

/// 1 - 2 / (exp(2 |x|) + 1) with the sign of x, where that does not cancel.
Value Emitter::tanh(Value x) {
  Value magnitude = math::AbsFOp::create(b, x);
  Value square = mul(x, x), polynomial = number(kTanh[3]);
  for (double coefficient : llvm::reverse(ArrayRef(kTanh).drop_back()))
    polynomial = fma(polynomial, square, number(coefficient));
  Value small = fma(mul(square, magnitude), polynomial, magnitude);
  Value power = exp2(mul(magnitude, number(2 * kLog2E)));
  Value large = fma(invert(add(power, number(1))), number(-2), number(1));
  Value isSmall = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, magnitude,
                                        number(kTanhBorder));
  Value result = arith::SelectOp::create(b, isSmall, small, large);
  return math::CopySignOp::create(b, result, x);
}

/// Whether `value` is a number that is normal.
static std::optional<APFloat> getNumber(Value value) {
  APFloat number(0.0f);
  if (!matchPattern(value, m_ConstantFloat(&number)) || !number.isNormal())
    return std::nullopt;
  return number;
}

/// Whether `value` is the sum of an exponential and a number from 1 on.
static bool isAtLeastOne(Value value) {
  auto sum = value.getDefiningOp<arith::AddFOp>();
  if (!sum)
    return false;
  auto isExponential = [](Value term) {
    auto call = term.getDefiningOp<LLVM::CallIntrinsicOp>();
    return (call && call.getIntrin() == kExp2) ||
           term.getDefiningOp<math::ExpOp>();
  };
  auto isLarge = [](Value term) {
    std::optional<APFloat> number = getNumber(term);
    return number && number->convertToDouble() >= 1;
  };
  return (isExponential(sum.getLhs()) && isLarge(sum.getRhs())) ||
         (isExponential(sum.getRhs()) && isLarge(sum.getLhs()));
}

/// Quotients by a number are products with its reciprocal, if that is normal;
/// quotients of a product with a number, products with another number. A
/// divisor of at least 1 is divided by 4, so that its reciprocal is not too
/// small; all others are scaled by the device.
Value Emitter::divide(arith::DivFOp op) {
  if (std::optional<APFloat> divisor = getNumber(op.getRhs())) {
    Value factor = op.getLhs();
    double quotient = 1 / divisor->convertToDouble();
    auto product = factor.getDefiningOp<arith::MulFOp>();
    if (auto known = product ? getNumber(product.getRhs()) : std::nullopt) {
      factor = product.getLhs();
      quotient *= known->convertToDouble();
    }
    if (APFloat(static_cast<float>(quotient)).isNormal())
      return mul(factor, number(quotient));
  }
  if (isAtLeastOne(op.getRhs())) {
    Value quarter = number(0.25);
    return mul(mul(op.getLhs(), quarter), invert(mul(op.getRhs(), quarter)));
  }
  return call("llvm.nvvm.div.full", op.getOperands());
}

namespace {
struct NvidiaApproximateMath
    : attn::impl::NvidiaApproximateMathBase<NvidiaApproximateMath> {
  void runOnOperation() override {
    getOperation().walk([](arith::ArithFastMathInterface op) {
      Value value = approximate(op);
      if (!value)
        return;
      op->replaceAllUsesWith(ValueRange(value));
      op->erase();
    });
  }

private:
  static Value approximate(arith::ArithFastMathInterface op);
};
} // namespace

/// What `op` becomes; null if it stays.
Value NvidiaApproximateMath::approximate(arith::ArithFastMathInterface op) {
  using arith::FastMathFlags;
  auto allows = [&](FastMathFlags flag) {
    return arith::bitEnumContainsAll(op.getFastMathFlagsAttr().getValue(),
                                     flag);
  };
  if (!op->getResult(0).getType().isF32())
    return {};
  Emitter emit(op);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](arith::DivFOp div) {
        return allows(FastMathFlags::arcp) ? emit.divide(div) : Value();
      })
      .Case([&](math::Exp2Op exp) {
        return allows(FastMathFlags::afn) ? emit.exp2(exp.getOperand())
                                          : Value();
      })
      .Case([&](math::ExpOp exp) {
        if (!allows(FastMathFlags::afn))
          return Value();
        return emit.exp2(emit.mul(exp.getOperand(), emit.number(kLog2E)));
      })
      .Case([&](math::TanhOp tanh) {
        return allows(FastMathFlags::afn) ? emit.tanh(tanh.getOperand())
                                          : Value();
      })
      .Default([](Operation *) { return Value(); });
}
