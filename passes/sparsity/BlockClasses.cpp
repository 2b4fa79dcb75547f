//===- BlockClasses.cpp - Whether a mask keeps pairs of a block -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every index of the mask becomes an interval, whose ends are values of the
// program, and every condition two bits:
//
//   x <= y      some: lo(x) <= hi(y)             all: hi(x) <= lo(y)
//   x == y      some: the intervals meet         all: both are one number
//   x and y     some: some x and some y          all: all x and all y
//   x or y      some: some x or some y           all: all x or all y
//   not x       some: not all x                  all: not some x
//
// `some` may be true and `all` false without need, never the other way round.
// Both are exact where the parts of a formula do not say contradictory things
// of one index, as for a range of keys per query whose ends do not decrease.
//
// What is the same for all pairs of the block is not an interval: its ops are
// copied as they are. What is read from a tensor at the position of a token
// lies between the least and the largest element of the block of tokens, or of
// two of them where the positions are shifted.
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/BlockClasses.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace attn;

/// Positions, sizes and constants of a mask are below 2 to this.
static constexpr unsigned kIndexBits = 31;

/// Bits of an integer or index type.
static unsigned widthOf(Type type) {
  return type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
}

void BlockClasses::bind(unsigned number, Value value) {
  BlockArgument argument = mask.getArgument(number);
  hoisted.map(argument, value);
  indices[argument] = emitter.exact(value, kIndexBits);
}

void BlockClasses::bind(unsigned number, const BlockAxis &axis) {
  indices[mask.getArgument(number)] = {axis.first, axis.last, axis.step,
                                       kIndexBits};
}

BlockClass BlockClasses::evaluateAssuming() {
  return condition(mask.front().getTerminator()->getOperand(0));
}

BlockClass BlockClasses::evaluate() {
  BlockClass result = evaluateAssuming();
  Value assumption = emitter.getAssumption();
  if (!assumption)
    return result;
  return {emitter.either(result.some, emitter.negation(assumption)),
          emitter.both(result.all, assumption)};
}

BlockClass BlockClasses::unknown(Operation *op) {
  obstacle = obstacle ? obstacle : op;
  return {arith::ConstantOp::create(b, b.getBoolAttr(true)),
          arith::ConstantOp::create(b, b.getBoolAttr(false))};
}

//===----------------------------------------------------------------------===//
// What is the same for all pairs
//===----------------------------------------------------------------------===//

Value BlockClasses::hoist(Value value) {
  if (Value copy = hoisted.lookupOrNull(value))
    return copy;
  if (value.getParentRegion() != &mask)
    return value;
  Operation *op = value.getDefiningOp();
  if (!op || !isPure(op) || isa<RandomOp>(op))
    return {};
  for (Value operand : op->getOperands())
    if (!hoist(operand))
      return {};
  for (Value operand : op->getOperands())
    if (operand.getParentRegion() == &mask)
      hoisted.map(operand, hoist(operand));
  Value copy = b.clone(*op, hoisted)->getResult(0);
  hoisted.map(value, copy);
  return copy;
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

BlockClass BlockClasses::both(const BlockClass &x, const BlockClass &y) {
  return {emitter.both(x.some, y.some), emitter.both(x.all, y.all)};
}

BlockClass BlockClasses::either(const BlockClass &x, const BlockClass &y) {
  return {emitter.either(x.some, y.some), emitter.either(x.all, y.all)};
}

BlockClass BlockClasses::negate(const BlockClass &x) {
  return {emitter.negation(x.all), emitter.negation(x.some)};
}

BlockClass BlockClasses::differ(const BlockClass &x, const BlockClass &y) {
  return either(both(x, negate(y)), both(negate(x), y));
}

/// All pairs keep what each of both cases that occur keeps.
BlockClass BlockClasses::choose(const BlockClass &c, const BlockClass &x,
                                const BlockClass &y) {
  Value some = emitter.either(emitter.both(c.some, x.some),
                              emitter.both(emitter.negation(c.all), y.some));
  Value all = emitter.both(emitter.either(emitter.negation(c.some), x.all),
                           emitter.either(c.all, y.all));
  return {some, all};
}

BlockClass BlockClasses::condition(Value value) {
  auto known = conditions.find(value);
  if (known != conditions.end())
    return known->second;
  BlockClass result = computeCondition(value);
  conditions[value] = result;
  return result;
}

BlockClass BlockClasses::computeCondition(Value value) {
  if (Value bit = hoist(value))
    return {bit, bit};
  Operation *op = value.getDefiningOp();
  auto operand = [&](unsigned i) { return condition(op->getOperand(i)); };
  if (auto compared = dyn_cast<arith::CmpIOp>(op))
    return compare(compared);
  if (isa<arith::AndIOp>(op))
    return both(operand(0), operand(1));
  if (isa<arith::OrIOp>(op))
    return either(operand(0), operand(1));
  if (isa<arith::XOrIOp>(op))
    return differ(operand(0), operand(1));
  if (isa<arith::SelectOp>(op))
    return choose(operand(0), operand(1), operand(2));
  return unknown(op);
}

BlockClass BlockClasses::isLess(const Interval &x, const Interval &y,
                                bool isUnsigned) {
  auto less = [&](const Interval &p, const Interval &q) -> BlockClass {
    auto strictly = arith::CmpIPredicate::slt;
    return {b.createOrFold<arith::CmpIOp>(strictly, p.lo, q.hi),
            b.createOrFold<arith::CmpIOp>(strictly, p.hi, q.lo)};
  };
  BlockClass result = less(x, y);
  if (!isUnsigned)
    return result;
  // A negative number is larger than all others.
  Interval zero = emitter.exact(emitter.constant(0), 0);
  BlockClass xIsPositive = negate(less(x, zero)), yIsNegative = less(y, zero);
  return either(both(xIsPositive, yIsNegative),
                either(both(xIsPositive, result), both(yIsNegative, result)));
}

BlockClass BlockClasses::isEqual(const Interval &x, const Interval &y) {
  Value meets =
      emitter.both(emitter.isAtMost(x.lo, y.hi), emitter.isAtMost(y.lo, x.hi));
  Value isOne =
      emitter.both(emitter.isAtMost(x.hi, y.lo), emitter.isAtMost(y.hi, x.lo));
  return {meets, isOne};
}

BlockClass BlockClasses::compare(arith::CmpIOp op) {
  using Predicate = arith::CmpIPredicate;
  Predicate predicate = op.getPredicate();
  bool isEquality = predicate == Predicate::eq || predicate == Predicate::ne;
  if (op.getLhs().getType().isInteger(1)) {
    if (!isEquality)
      return unknown(op);
    BlockClass differs = differ(condition(op.getLhs()), condition(op.getRhs()));
    return predicate == Predicate::ne ? differs : negate(differs);
  }
  Interval x = index(op.getLhs()), y = index(op.getRhs());
  if (!x.isKnown() || !y.isKnown())
    return unknown(op);
  switch (predicate) {
  case Predicate::eq:
    return isEqual(x, y);
  case Predicate::ne:
    return negate(isEqual(x, y));
  case Predicate::slt:
  case Predicate::ult:
    return isLess(x, y, predicate == Predicate::ult);
  case Predicate::sgt:
  case Predicate::ugt:
    return isLess(y, x, predicate == Predicate::ugt);
  case Predicate::sge:
  case Predicate::uge:
    return negate(isLess(x, y, predicate == Predicate::uge));
  case Predicate::sle:
  case Predicate::ule:
    return negate(isLess(y, x, predicate == Predicate::ule));
  }
  llvm_unreachable("all predicates are handled");
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Interval BlockClasses::index(Value value) {
  auto known = indices.find(value);
  if (known != indices.end())
    return known->second;
  Interval result = computeIndex(value);
  indices[value] = result;
  return result;
}

Interval BlockClasses::computeIndex(Value value) {
  Type type = value.getType();
  if (!type.isIntOrIndex() || type.isInteger(1))
    return {};
  if (Value copy = hoist(value)) {
    bool isSize = type.isIndex() && (value.getDefiningOp<tensor::DimOp>() ||
                                     value.getParentRegion() != &mask);
    unsigned bits = isSize ? kIndexBits : widthOf(type) - 1;
    if (!type.isIndex())
      copy = b.createOrFold<arith::IndexCastOp>(b.getIndexType(), copy);
    return emitter.exact(copy, bits);
  }
  Operation *op = value.getDefiningOp();
  Interval result = computeOp(op);
  if (!result.isKnown()) {
    obstacle = obstacle ? obstacle : op;
    return result;
  }
  // Others stay among their operands, or come from a tensor of the type.
  bool mayWrap = isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, math::AbsIOp,
                     arith::IndexCastOp, arith::IndexCastUIOp, arith::TruncIOp,
                     arith::ExtUIOp>(op);
  return mayWrap ? emitter.fitInto(result, widthOf(type)) : result;
}

/// Between types of integers. One that grows without sign must have none.
Interval BlockClasses::convert(Operation *op) {
  Value from = op->getOperand(0);
  if (from.getType().isInteger(1)) {
    if (!isa<arith::ExtUIOp, arith::IndexCastUIOp>(op))
      return {};
    BlockClass bit = condition(from);
    Value zero = emitter.constant(0), one = emitter.constant(1);
    return {emitter.select(bit.all, one, zero),
            emitter.select(bit.some, one, zero), 1, 1};
  }
  Interval x = index(from);
  bool grows = widthOf(from.getType()) < widthOf(op->getResult(0).getType());
  if (x.isKnown() && grows && isa<arith::ExtUIOp, arith::IndexCastUIOp>(op))
    emitter.assumeNonNegative(x);
  return x;
}

Interval BlockClasses::divide(Operation *op) {
  return emitter.divide(op, index(op->getOperand(0)), index(op->getOperand(1)));
}

Interval BlockClasses::computeOp(Operation *op) {
  auto operand = [&](unsigned i) { return index(op->getOperand(i)); };
  if (isa<arith::AddIOp>(op))
    return emitter.add(operand(0), operand(1));
  if (isa<arith::SubIOp>(op))
    return emitter.subtract(operand(0), operand(1));
  if (isa<arith::MulIOp>(op))
    return op->getOperand(0) == op->getOperand(1)
               ? emitter.square(operand(0))
               : emitter.multiply(operand(0), operand(1));
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
          arith::ExtUIOp, arith::TruncIOp>(op))
    return convert(op);
  if (isa<math::AbsIOp>(op))
    return emitter.absolute(operand(0));
  if (isa<arith::SelectOp>(op)) {
    BlockClass bit = condition(op->getOperand(0));
    return emitter.choose(bit.some, bit.all, operand(1), operand(2));
  }
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp,
          arith::CeilDivSIOp, arith::CeilDivUIOp, arith::RemSIOp,
          arith::RemUIOp>(op))
    return divide(op);
  if (isa<arith::MaxUIOp, arith::MinUIOp>(op))
    for (unsigned i : {0, 1})
      if (operand(i).isKnown())
        emitter.assumeNonNegative(operand(i));
  if (isa<arith::MaxSIOp, arith::MaxUIOp>(op))
    return emitter.max(operand(0), operand(1));
  if (isa<arith::MinSIOp, arith::MinUIOp>(op))
    return emitter.min(operand(0), operand(1));
  APInt bits;
  if (isa<arith::AndIOp>(op) &&
      matchPattern(op->getOperand(1), m_ConstantInt(&bits)))
    return emitter.lowestBits(operand(0), bits.getSExtValue());
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return read(extract);
  return {};
}

/// The one argument of the mask, of those that are axes, that `value` is
/// computed from; nothing if there are several.
std::optional<unsigned> BlockClasses::findAxis(Value value) {
  std::optional<unsigned> axis;
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (next.getParentRegion() != &mask || hoisted.contains(next))
      continue;
    if (auto argument = dyn_cast<BlockArgument>(next)) {
      if (axis && *axis != argument.getArgNumber())
        return std::nullopt;
      axis = argument.getArgNumber();
    } else if (seen.insert(next.getDefiningOp()).second) {
      llvm::append_range(pending, next.getDefiningOp()->getOperands());
    }
  }
  return axis;
}

/// An element at a position that one axis determines, of a tensor whose bounds
/// are known for blocks of that axis.
Interval BlockClasses::read(tensor::ExtractOp op) {
  std::optional<unsigned> dim;
  SmallVector<Value> coordinates;
  for (auto [number, coordinate] : llvm::enumerate(op.getIndices())) {
    coordinates.push_back(hoist(coordinate));
    if (coordinates.back())
      continue;
    if (dim)
      return {};
    dim = number;
  }
  if (!dim || !op.getType().isIntOrIndex() || op.getType().isInteger(1))
    return {};
  Value position = op.getIndices()[*dim];
  Interval at = index(position);
  std::optional<unsigned> axis = findAxis(position);
  if (!at.isKnown() || !axis)
    return {};
  std::optional<TableBounds> table = findBounds(op.getTensor(), *dim, *axis);
  if (!table)
    return {};
  Value width = emitter.constant(table->width);
  Value first = b.createOrFold<arith::FloorDivSIOp>(at.lo, width);
  Value last = b.createOrFold<arith::FloorDivSIOp>(at.hi, width);
  // Two blocks are asked, the first and the last.
  emitter.assume(
      emitter.isAtMost(emitter.subtract(last, first), emitter.constant(1)));
  auto element = [&](Value bounds, Value block) -> Value {
    coordinates[*dim] = block;
    Value value = tensor::ExtractOp::create(b, bounds, coordinates);
    return op.getType().isIndex()
               ? value
               : b.createOrFold<arith::IndexCastOp>(b.getIndexType(), value);
  };
  Value lo =
      emitter.min(element(table->least, first), element(table->least, last));
  Value hi = emitter.max(element(table->largest, first),
                         element(table->largest, last));
  // Elements outside of the tensor are 0.
  Value zero = emitter.constant(0);
  Value size = tensor::DimOp::create(b, op.getTensor(), *dim);
  Value isInside = emitter.both(
      emitter.isAtMost(zero, at.lo),
      b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt, at.hi, size));
  return {emitter.select(isInside, lo, emitter.min(lo, zero)),
          emitter.select(isInside, hi, emitter.max(hi, zero)), 1,
          widthOf(op.getType()) - 1};
}
