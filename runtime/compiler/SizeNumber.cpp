//===- SizeNumber.cpp - Numbers of a host function as expressions ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/SizeNumber.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;
using SizeOp = SizeExpr::Op;

std::optional<int64_t> SizeNumber::getConstant() const {
  const auto &steps = expr.getSteps();
  if (steps.size() != 1 || steps[0].op != SizeOp::Constant)
    return std::nullopt;
  return steps[0].value;
}

/// Whether the result is certainly not negative.
static bool keepsSign(SizeOp op, bool left, bool right) {
  switch (op) {
  case SizeOp::Add:
  case SizeOp::Mul:
  case SizeOp::FloorDiv:
  case SizeOp::CeilDiv:
  case SizeOp::Min:
    return left && right;
  case SizeOp::Max:
    return left || right;
  case SizeOp::Mod:
    return right;
  default:
    return false;
  }
}

SizeNumber SizeNumber::apply(SizeOp op, const SizeNumber &left,
                             const SizeNumber &right) {
  std::optional<int64_t> a = left.getConstant(), b = right.getConstant();
  SizeExpr expr = SizeExpr::binary(op, left.expr, right.expr);
  if (a && b)
    if (Result<int64_t> value = expr.evaluate({}))
      return SizeNumber(*value);
  bool isUnit =
      op == SizeOp::Mul || op == SizeOp::FloorDiv || op == SizeOp::CeilDiv;
  if (isUnit && b == 1)
    return left;
  if (op == SizeOp::Mul && a == 1)
    return right;
  return {std::move(expr), keepsSign(op, left.nonNegative, right.nonNegative)};
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

/// 1 if a > b, else 0.
static SizeNumber isGreater(const SizeNumber &a, const SizeNumber &b) {
  SizeNumber difference = SizeNumber::apply(SizeOp::Sub, a, b);
  return SizeNumber::apply(SizeOp::Min, 1,
                           SizeNumber::apply(SizeOp::Max, 0, difference));
}

static SizeNumber negate(const SizeNumber &condition) {
  return SizeNumber::apply(SizeOp::Sub, 1, condition);
}

static std::optional<SizeNumber> compare(arith::CmpIPredicate predicate,
                                         const SizeNumber &a,
                                         const SizeNumber &b) {
  using Predicate = arith::CmpIPredicate;
  bool isUnsigned = predicate >= Predicate::ult;
  if (isUnsigned && !(a.isNonNegative() && b.isNonNegative()))
    return std::nullopt;
  switch (predicate) {
  case Predicate::sgt:
  case Predicate::ugt:
    return isGreater(a, b);
  case Predicate::slt:
  case Predicate::ult:
    return isGreater(b, a);
  case Predicate::sge:
  case Predicate::uge:
    return negate(isGreater(b, a));
  case Predicate::sle:
  case Predicate::ule:
    return negate(isGreater(a, b));
  case Predicate::ne:
    return SizeNumber::apply(SizeOp::Max, isGreater(a, b), isGreater(b, a));
  case Predicate::eq:
    return negate(
        SizeNumber::apply(SizeOp::Max, isGreater(a, b), isGreater(b, a)));
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

namespace {
/// An op, and what it is for operands of any sign or of none.
struct Rule {
  std::optional<SizeOp> op;
  bool needsNonNegative = false;
};
} // namespace

static Rule getRule(Operation &op) {
  return llvm::TypeSwitch<Operation *, Rule>(&op)
      .Case<arith::AddIOp>([](auto) { return Rule{SizeOp::Add}; })
      .Case<arith::SubIOp>([](auto) { return Rule{SizeOp::Sub}; })
      .Case<arith::MulIOp>([](auto) { return Rule{SizeOp::Mul}; })
      .Case<arith::MaxSIOp>([](auto) { return Rule{SizeOp::Max}; })
      .Case<arith::MinSIOp>([](auto) { return Rule{SizeOp::Min}; })
      .Case<arith::FloorDivSIOp>([](auto) { return Rule{SizeOp::FloorDiv}; })
      .Case<arith::CeilDivSIOp>([](auto) { return Rule{SizeOp::CeilDiv}; })
      .Case<arith::DivSIOp, arith::DivUIOp>(
          [](auto) { return Rule{SizeOp::FloorDiv, true}; })
      .Case<arith::CeilDivUIOp>(
          [](auto) { return Rule{SizeOp::CeilDiv, true}; })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [](auto) { return Rule{SizeOp::Mod, true}; })
      .Case<arith::MaxUIOp>([](auto) { return Rule{SizeOp::Max, true}; })
      .Case<arith::MinUIOp>([](auto) { return Rule{SizeOp::Min, true}; })
      .Default([](Operation *) { return Rule{}; });
}

std::optional<SizeNumber>
attn::evaluateOp(Operation &op, llvm::ArrayRef<SizeNumber> operands) {
  // Arithmetic on sizes is in 64 bits.
  if (!llvm::all_of(op.getOperandTypes(), [](Type type) {
        return type.isIndex() || type.isInteger(64) || type.isInteger(1);
      }))
    return std::nullopt;
  if (auto comparison = dyn_cast<arith::CmpIOp>(op))
    return compare(comparison.getPredicate(), operands[0], operands[1]);
  if (isa<arith::IndexCastOp>(op))
    return operands[0];
  if (isa<arith::SelectOp>(op)) {
    SizeNumber sum = SizeNumber::apply(SizeOp::Add, operands[0] * operands[1],
                                       negate(operands[0]) * operands[2]);
    return sum;
  }
  Rule rule = getRule(op);
  bool isTruth = op.getNumOperands() && op.getOperand(0).getType().isInteger(1);
  if (!rule.op || isTruth)
    return std::nullopt;
  if (rule.needsNonNegative &&
      !(operands[0].isNonNegative() && operands[1].isNonNegative()))
    return std::nullopt;
  return SizeNumber::apply(*rule.op, operands[0], operands[1]);
}
