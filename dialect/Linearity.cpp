//===- Linearity.cpp - Whether a region is linear in an argument -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each value of the region is one of
//
//   zero         the constant 0, which is also linear
//   independent  it does not depend on the argument
//   linear       the argument times something independent
//   other        nothing is known
//
// found in one pass over the ops, as regions have neither loops nor branches.
//
//===----------------------------------------------------------------------===//

#include "dialect/Linearity.h"
#include "dialect/AttnDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

namespace {
enum class Degree { Zero, Independent, Linear, Other };

/// Degrees of the values of one region.
class Degrees {
public:
  explicit Degrees(Value argument) { known[argument] = Degree::Linear; }

  Degree of(Value value) const {
    // Of the region or captured: where a constant stands must not matter.
    if (matchPattern(value, m_AnyZeroFloat()))
      return Degree::Zero;
    auto it = known.find(value);
    return it == known.end() ? Degree::Independent : it->second;
  }
  void visit(Operation *op);

private:
  Degree compute(Operation *op) const;

  llvm::DenseMap<Value, Degree> known;
};
} // namespace

static bool isIndependent(Degree d) {
  return d == Degree::Zero || d == Degree::Independent;
}

static bool isLinear(Degree d) {
  return d == Degree::Zero || d == Degree::Linear;
}

/// Of a sum, a difference, or a choice between the two.
static Degree combine(Degree x, Degree y) {
  if (x == Degree::Zero && y == Degree::Zero)
    return Degree::Zero;
  if (isIndependent(x) && isIndependent(y))
    return Degree::Independent;
  return isLinear(x) && isLinear(y) ? Degree::Linear : Degree::Other;
}

static Degree multiply(Degree x, Degree y) {
  if (isIndependent(x) && isIndependent(y))
    return Degree::Independent;
  bool one =
      (isIndependent(x) && isLinear(y)) || (isLinear(x) && isIndependent(y));
  return one ? Degree::Linear : Degree::Other;
}

Degree Degrees::compute(Operation *op) const {
  if (llvm::all_of(op->getOperands(),
                   [&](Value v) { return isIndependent(of(v)); }))
    return Degree::Independent;
  auto operand = [&](unsigned index) { return of(op->getOperand(index)); };
  return llvm::TypeSwitch<Operation *, Degree>(op)
      .Case<arith::MulFOp>(
          [&](auto) { return multiply(operand(0), operand(1)); })
      .Case<arith::DivFOp>([&](auto) {
        return isIndependent(operand(1)) ? operand(0) : Degree::Other;
      })
      .Case<arith::NegFOp>([&](auto) { return operand(0); })
      .Case<arith::AddFOp, arith::SubFOp>(
          [&](auto) { return combine(operand(0), operand(1)); })
      .Case<arith::SelectOp>([&](auto) {
        return isIndependent(operand(0)) ? combine(operand(1), operand(2))
                                         : Degree::Other;
      })
      .Default(Degree::Other);
}

void Degrees::visit(Operation *op) {
  for (Value result : op->getResults())
    known[result] = compute(op);
}

bool attn::isLinearInFirst(Region &region) {
  Degrees degrees(region.getArgument(0));
  for (Operation &op : region.front().without_terminator())
    degrees.visit(&op);
  return isLinear(degrees.of(getYielded(region)));
}
