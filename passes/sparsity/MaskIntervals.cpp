//===- MaskIntervals.cpp - Which keys a block of queries meets ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Conditions are evaluated from the yielded bit down, with negations pushed
// inwards (De Morgan), so that complements of ranges are never needed:
//
//   and, or, xor, select    set algebra on two ranges per condition (KeySets)
//   cmpi                    d >= 0 for a difference d
//   max(x, y) >= 0          x >= 0 or y >= 0;  min: and
//   floor(n / c) >= 0       n >= 0, linear in query and key, solved for the key
//
// What is read at the query from a table that does not decrease is one more
// variable, which is largest at the last query of the block.
//
// Cost: one visit per value and sign.
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/MaskIntervals.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Which argument of `mask` is the key along `axis`: keys follow the queries.
static unsigned getKeyArgument(Region &mask, unsigned axis) {
  return 2 + (mask.getNumArguments() - 2) / 2 + axis;
}

MaskIntervals::MaskIntervals(Region &mask, Block &keys, bool startsAtZero,
                             unsigned axis)
    : mask(mask), b(mask.getLoc(), mask.getContext()),
      emitter(b, {mask.getArgument(2 + axis),
                  mask.getArgument(getKeyArgument(mask, axis)),
                  keys.getArgument(2), keys.getArgument(3)}),
      exprs(emitter), sets(emitter) {
  b.setInsertionPointToEnd(&keys); // The block may belong to no op.
  for (unsigned outer : {0, 1}) {  // batch, head
    hoisted.map(mask.getArgument(outer), keys.getArgument(outer));
    emitter.assumeNonNegative(keys.getArgument(outer));
  }
  emitter.assumeNonNegative(mask.getArgument(getKeyArgument(mask, axis)));
  if (startsAtZero)
    emitter.assumeNonNegative(keys.getArgument(2));
}

KeySets MaskIntervals::evaluate() {
  return holds(getYielded(mask), /*negated=*/false);
}

SmallVector<Value> MaskIntervals::emit(const KeySets &result) {
  auto bounds = [&](const KeyRange &range) -> std::pair<Value, Value> {
    Value none = emitter.emitConstant(0);
    return range.isEmpty ? std::pair(none, none) : sets.emit(range);
  };
  auto [visitedBegin, visitedEnd] = bounds(result.some);
  auto [fullBegin, fullEnd] = bounds(result.all);
  return {visitedBegin, visitedEnd, fullBegin, fullEnd};
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

KeySets MaskIntervals::both(Value x, bool notX, Value y, bool notY) {
  return sets.intersect(holds(x, notX), holds(y, notY));
}

KeySets MaskIntervals::either(Value x, bool notX, Value y, bool notY) {
  return sets.unite(holds(x, notX), holds(y, notY));
}

KeySets MaskIntervals::choose(Value condition, Value x, Value y, bool notX,
                              bool notY) {
  APInt constant;
  if (matchPattern(condition, m_ConstantInt(&constant)))
    return constant.isZero() ? holds(y, notY) : holds(x, notX);
  if (Value bit = hoist(condition))
    return sets.select(bit, holds(x, notX), holds(y, notY));
  // Two ways to say it, each better at one of the two ranges.
  KeySets cases = sets.unite(both(condition, false, x, notX),
                             both(condition, true, y, notY));
  KeySets implications = sets.intersect(either(condition, true, x, notX),
                                        either(condition, false, y, notY));
  return sets.refine(cases, implications);
}

KeySets MaskIntervals::holds(Value condition, bool negated) {
  auto known = conditions[negated].find(condition);
  if (known != conditions[negated].end())
    return known->second;
  KeySets result = computeHolds(condition, negated);
  conditions[negated][condition] = result;
  return result;
}

KeySets MaskIntervals::computeHolds(Value condition, bool n) {
  APInt constant;
  if (matchPattern(condition, m_ConstantInt(&constant)))
    return constant.isZero() == n ? KeySets::always() : KeySets::never();
  if (Value bit = hoist(condition)) {
    KeySets yes = KeySets::always(), no = KeySets::never();
    return n ? sets.select(bit, no, yes) : sets.select(bit, yes, no);
  }
  Operation *op = condition.getDefiningOp();
  if (auto compared = dyn_cast<arith::CmpIOp>(op))
    return compare(compared, n);
  if (isa<arith::AndIOp, arith::OrIOp>(op))
    return isa<arith::AndIOp>(op) != n
               ? both(op->getOperand(0), n, op->getOperand(1), n)
               : either(op->getOperand(0), n, op->getOperand(1), n);
  if (isa<arith::XOrIOp>(op)) { // condition ? not other : other
    bool swap = bool(hoist(op->getOperand(1)));
    Value other = op->getOperand(swap ? 0 : 1);
    return choose(op->getOperand(swap ? 1 : 0), other, other, !n, n);
  }
  if (auto chosen = dyn_cast<arith::SelectOp>(op))
    return choose(chosen.getCondition(), chosen.getTrueValue(),
                  chosen.getFalseValue(), n, n);
  obstacle = obstacle ? obstacle : op;
  return KeySets::unknown();
}

KeySets MaskIntervals::conditional(const IndexExpr &expr) {
  KeySets x = atLeastZero(expr.lhs), y = atLeastZero(expr.rhs);
  if (Value bit = hoist(expr.condition))
    return sets.select(bit, x, y);
  KeySets yes = holds(expr.condition, false), no = holds(expr.condition, true);
  return sets.refine(sets.unite(sets.intersect(yes, x), sets.intersect(no, y)),
                     sets.intersect(sets.unite(no, x), sets.unite(yes, y)));
}

KeySets MaskIntervals::atLeastZero(ExprRef expr) {
  switch (expr->kind) {
  case IndexExpr::Kind::Leaf:
    return sets.atLeastZero(*expr);
  case IndexExpr::Kind::Max:
    return sets.unite(atLeastZero(expr->lhs), atLeastZero(expr->rhs));
  case IndexExpr::Kind::Min:
    return sets.intersect(atLeastZero(expr->lhs), atLeastZero(expr->rhs));
  case IndexExpr::Kind::Select:
    return conditional(*expr);
  }
  llvm_unreachable("all kinds are handled");
}

KeySets MaskIntervals::isLess(ExprRef x, ExprRef y, bool isUnsigned,
                              Operation *op, bool negated) {
  ExprRef one = exprs.exact(1);
  ExprRef difference = negated ? exprs.subtract(x, y)
                               : exprs.subtract(exprs.subtract(y, x), one);
  KeySets result = atLeastZero(difference);
  if (!isUnsigned)
    return result;
  // A negative number is larger than all others.
  auto sign = [&](ExprRef expr, bool isNegative) {
    return atLeastZero(isNegative ? exprs.subtract(exprs.negate(expr), one)
                                  : expr);
  };
  if (exprs.isNonNegative(y))
    return negated ? sets.unite(sign(x, true), result)
                   : sets.intersect(sign(x, false), result);
  if (exprs.isNonNegative(x))
    return negated ? sets.intersect(sign(y, false), result)
                   : sets.unite(sign(y, true), result);
  obstacle = obstacle ? obstacle : op;
  return KeySets::unknown();
}

KeySets MaskIntervals::compare(arith::CmpIOp op, bool negated) {
  using Predicate = arith::CmpIPredicate;
  ExprRef x = index(op.getLhs()), y = index(op.getRhs());
  auto less = [&](ExprRef a, ExprRef b, bool isUnsigned, bool flip) {
    return isLess(a, b, isUnsigned, op, negated != flip);
  };
  switch (op.getPredicate()) {
  case Predicate::eq:
  case Predicate::ne:
    if ((op.getPredicate() == Predicate::eq) != negated)
      return sets.intersect(isLess(x, y, false, op, true),
                            isLess(y, x, false, op, true));
    return sets.unite(isLess(x, y, false, op, false),
                      isLess(y, x, false, op, false));
  case Predicate::slt:
  case Predicate::ult:
    return less(x, y, op.getPredicate() == Predicate::ult, false);
  case Predicate::sgt:
  case Predicate::ugt:
    return less(y, x, op.getPredicate() == Predicate::ugt, false);
  case Predicate::sge:
  case Predicate::uge:
    return less(x, y, op.getPredicate() == Predicate::uge, true);
  case Predicate::sle:
  case Predicate::ule:
    return less(y, x, op.getPredicate() == Predicate::ule, true);
  }
  llvm_unreachable("all predicates are handled");
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

/// Whether `op` is whole-number arithmetic that makes no huge numbers from
/// small ones, as unsigned division of a negative number would.
static bool isHoistable(Operation *op) {
  APInt constant;
  if (matchPattern(op, m_ConstantInt(&constant)))
    return constant.isSignedIntN(32);
  auto isWhole = [](Type type) {
    return type.isIndex() || type.isInteger(64) || type.isInteger(1);
  };
  bool isKnown = isa<arith::AddIOp, arith::SubIOp, arith::MulIOp,
                     arith::DivSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp,
                     arith::RemSIOp, arith::MinSIOp, arith::MaxSIOp,
                     arith::SelectOp, arith::CmpIOp, arith::IndexCastOp>(op) ||
                 (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op) &&
                  op->getResult(0).getType().isInteger(1));
  return isa<tensor::DimOp>(op) ||
         (isKnown && llvm::all_of(op->getOperandTypes(), isWhole) &&
          llvm::all_of(op->getResultTypes(), isWhole));
}

Value MaskIntervals::hoist(Value value) {
  if (Value copy = hoisted.lookupOrNull(value))
    return copy;
  if (value.getParentRegion() != &mask)
    return value;
  Operation *op = value.getDefiningOp();
  if (!op || !isHoistable(op))
    return {};
  for (Value operand : op->getOperands()) {
    Value copy = hoist(operand);
    if (!copy)
      return {};
    hoisted.map(operand, copy);
  }
  return b.clone(*op, hoisted)->getResult(0);
}

ExprRef MaskIntervals::index(Value value) {
  auto known = indices.find(value);
  if (known != indices.end())
    return known->second;
  ExprRef result = computeIndex(value);
  indices[value] = result;
  return result;
}

/// An element of a table that does not decrease, at the query; else null.
ExprRef MaskIntervals::ascending(Value value) {
  auto cast = value.getDefiningOp<arith::IndexCastOp>();
  auto extract =
      cast ? cast.getIn().getDefiningOp<tensor::ExtractOp>() : nullptr;
  const PairVariables &variables = emitter.getVariables();
  if (!extract || !extract.getTensor().getDefiningOp<SegmentBoundsOp>() ||
      extract.getIndices().front() != variables.query)
    return nullptr;
  Value table = extract.getTensor();
  ExprRef &known = atQuery[table];
  if (known)
    return known;
  auto elementAt = [&](Value query) -> Value {
    Value element = tensor::ExtractOp::create(b, table, query);
    element = arith::IndexCastOp::create(b, value.getType(), element);
    emitter.assumeNonNegative(element);
    return element;
  };
  emitter.assumeAscending(value, elementAt(variables.first),
                          elementAt(variables.last));
  return known = exprs.exact(value);
}

ExprRef MaskIntervals::computeIndex(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.isSignedIntN(32) ? exprs.exact(constant.getSExtValue())
                                     : exprs.unknown();
  const PairVariables &variables = emitter.getVariables();
  if (value == variables.query || value == variables.key)
    return exprs.exact(value);
  if (ExprRef element = ascending(value))
    return element;
  Operation *op = value.getDefiningOp();
  bool isInside = op && op->getParentRegion() == &mask;
  // Narrower integers wrap around where indices do not.
  if (isInside && (value.getType().isIndex() || value.getType().isInteger(64)))
    if (ExprRef known = computeOp(op); !known->isUnknown())
      return known;
  Value same = value.getType().isIndex() ? hoist(value) : Value();
  if (!same) {
    obstacle = obstacle ? obstacle : op;
    return exprs.unknown();
  }
  if (same.getDefiningOp<tensor::DimOp>())
    emitter.assumeNonNegative(same);
  return exprs.exact(same);
}

ExprRef MaskIntervals::multiply(ExprRef x, ExprRef y) {
  for (auto [a, b] : {std::pair(x, y), {y, x}})
    if (std::optional<LinearForm> factor = a->getExact())
      if (std::optional<int64_t> constant = factor->getIfConstant())
        return exprs.scale(b, *constant);
  return exprs.unknown();
}

/// Divisions and remainders, by a positive constant.
ExprRef MaskIntervals::divide(Operation *op) {
  ExprRef x = index(op->getOperand(0));
  std::optional<LinearForm> form = index(op->getOperand(1))->getExact();
  std::optional<int64_t> divisor = form ? form->getIfConstant() : std::nullopt;
  if (!divisor || *divisor <= 0)
    return exprs.unknown();
  bool isPositive = exprs.isNonNegative(x);
  if (isa<arith::DivUIOp, arith::CeilDivUIOp, arith::RemUIOp>(op) &&
      !isPositive)
    return exprs.unknown();
  if (isa<arith::RemSIOp, arith::RemUIOp>(op)) {
    if (hoist(op->getResult(0)))
      return exprs.unknown(); // its value itself is better than bounds
    return exprs.remainder(x, *divisor);
  }
  if (isa<arith::CeilDivSIOp, arith::CeilDivUIOp>(op))
    x = exprs.add(x, exprs.exact(*divisor - 1));
  else if (isa<arith::DivSIOp>(op) && !isPositive) { // up or down
    x = exprs.add(x, exprs.between(LinearForm(), LinearForm(*divisor - 1)));
    exprs.setApproximate();
  }
  return exprs.floorDiv(x, *divisor);
}

ExprRef MaskIntervals::computeOp(Operation *op) {
  auto operand = [&](unsigned i) { return index(op->getOperand(i)); };
  if (isa<arith::AddIOp>(op))
    return exprs.add(operand(0), operand(1));
  if (isa<arith::SubIOp>(op))
    return exprs.subtract(operand(0), operand(1));
  if (isa<arith::MulIOp>(op))
    return multiply(operand(0), operand(1));
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
    return operand(0);
  if (isa<math::AbsIOp>(op))
    return exprs.max(operand(0), exprs.negate(operand(0)));
  if (auto chosen = dyn_cast<arith::SelectOp>(op))
    return exprs.select(chosen.getCondition(), operand(1), operand(2));
  bool isUnsigned = isa<arith::MaxUIOp, arith::MinUIOp>(op);
  if (isUnsigned &&
      (!exprs.isNonNegative(operand(0)) || !exprs.isNonNegative(operand(1))))
    return exprs.unknown();
  if (isa<arith::MaxSIOp, arith::MaxUIOp>(op))
    return exprs.max(operand(0), operand(1));
  if (isa<arith::MinSIOp, arith::MinUIOp>(op))
    return exprs.min(operand(0), operand(1));
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp,
          arith::CeilDivSIOp, arith::CeilDivUIOp, arith::RemSIOp,
          arith::RemUIOp>(op))
    return divide(op);
  return exprs.unknown();
}

bool attn::hasExactRanges(AttendOp op) {
  if (ScheduleAttr schedule = op.getScheduleAttr();
      schedule && schedule.hasBoxes())
    return false;
  Region scratch;
  Block &keys = scratch.emplaceBlock();
  for (int i = 0; i < 4; ++i)
    keys.addArgument(IndexType::get(op.getContext()), op.getLoc());
  MaskIntervals intervals(op.getMask(), keys,
                          op.getAlignment() != Alignment::End);
  intervals.evaluate();
  return intervals.isExact();
}
