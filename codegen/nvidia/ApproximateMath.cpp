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
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIAAPPROXIMATEMATH
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Whether `op` is one of f32 that may be approximate.
template <typename OpT> static bool mayApproximate(OpT op) {
  return op.getType().isF32() &&
         arith::bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn);
}

/// Replaces `op` by an intrinsic.
static void replace(Operation *op, StringRef intrinsic, ValueRange operands) {
  OpBuilder b(op);
  auto call =
      LLVM::CallIntrinsicOp::create(b, op->getLoc(), op->getResult(0).getType(),
                                    b.getStringAttr(intrinsic), operands);
  op->replaceAllUsesWith(call);
  op->erase();
}

static constexpr StringLiteral kExp2 = "llvm.nvvm.ex2.approx.ftz.f";

/// exp(x) is 2^(x log2(e)); rounding that product is an error of 2^-24 x.
static void replaceExp(math::ExpOp op) {
  constexpr float log2e = 1.44269502F;
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value factor = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(log2e));
  Value power = arith::MulFOp::create(b, loc, op.getOperand(), factor);
  replace(op, kExp2, power);
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
  auto isNumber = [](Value term) {
    APFloat number(0.0F);
    return matchPattern(term, m_ConstantFloat(&number)) &&
           number >= APFloat(1.0F);
  };
  return (isExponential(sum.getLhs()) && isNumber(sum.getRhs())) ||
         (isExponential(sum.getRhs()) && isNumber(sum.getLhs()));
}

/// A reciprocal that is smaller than 2^-126 would be 0: so the divisor is
/// divided by 4 where that leaves it large enough, and else by what it needs.
static void replaceDiv(arith::DivFOp op) {
  if (!isAtLeastOne(op.getRhs()))
    return replace(op, "llvm.nvvm.div.full", op->getOperands());
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value quarter = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0.25F));
  Value divisor = arith::MulFOp::create(b, loc, op.getRhs(), quarter);
  Value dividend = arith::MulFOp::create(b, loc, op.getLhs(), quarter);
  auto reciprocal = LLVM::CallIntrinsicOp::create(
      b, loc, op.getType(), b.getStringAttr("llvm.nvvm.rcp.approx.ftz.f"),
      divisor);
  Value quotient =
      arith::MulFOp::create(b, loc, dividend, reciprocal->getResult(0));
  op.replaceAllUsesWith(quotient);
  op.erase();
}

namespace {
struct NvidiaApproximateMath
    : attn::impl::NvidiaApproximateMathBase<NvidiaApproximateMath> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case([](math::Exp2Op exp) {
            if (mayApproximate(exp))
              replace(exp, kExp2, exp.getOperand());
          })
          .Case([](math::ExpOp exp) {
            if (mayApproximate(exp))
              replaceExp(exp);
          })
          .Case([](arith::DivFOp div) {
            if (mayApproximate(div))
              replaceDiv(div);
          });
    });
  }
};
} // namespace
