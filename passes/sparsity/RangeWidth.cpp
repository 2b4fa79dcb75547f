//===- RangeWidth.cpp - How long ranges of keys can be --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/RangeWidth.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

/// Deeper formulas are left alone: each level may double the work.
static constexpr unsigned kMostDepth = 10;

/// `value` as a linear form of arguments and of what is not linear.
std::optional<LinearForm> RangeWidth::getForm(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return number.isSignedIntN(32)
               ? std::optional(LinearForm(number.getSExtValue()))
               : std::nullopt;
  Operation *op = value.getDefiningOp();
  if (!op || value.getParentRegion() != &keys ||
      !isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op))
    return LinearForm(value);
  std::optional<LinearForm> x = getForm(op->getOperand(0));
  std::optional<LinearForm> y = getForm(op->getOperand(1));
  if (!x || !y)
    return std::nullopt;
  if (!isa<arith::MulIOp>(op))
    return x->plus(*y, isa<arith::AddIOp>(op) ? 1 : -1);
  for (auto [form, factor] : {std::pair(x, y), {y, x}})
    if (std::optional<int64_t> times = factor->getIfConstant())
      return form->times(*times);
  return LinearForm(value);
}

Value RangeWidth::emitForm(const LinearForm &form) {
  Value sum = arith::ConstantIndexOp::create(b, form.getConstant());
  for (auto [value, factor] : form.getTerms()) {
    Value times = arith::ConstantIndexOp::create(b, factor);
    sum = b.createOrFold<arith::AddIOp>(
        sum, b.createOrFold<arith::MulIOp>(value, times));
  }
  return sum;
}

/// `form`, or more, with `n` in the place of `c floor(n / c)`.
std::optional<LinearForm> RangeWidth::roundUp(LinearForm form) {
  SmallVector<std::pair<Value, int64_t>> terms(form.getTerms());
  std::optional<LinearForm> sum = form;
  for (auto [value, factor] : terms) {
    auto quotient = value.getDefiningOp<arith::FloorDivSIOp>();
    APInt number;
    if (!sum || !quotient || value.getParentRegion() != &keys ||
        !matchPattern(quotient.getRhs(), m_ConstantInt(&number)) ||
        !number.isSignedIntN(32) || factor % number.getSExtValue())
      continue;
    // n - c + 1 <= c floor(n / c) <= n
    int64_t c = number.getSExtValue(), times = factor / c;
    std::optional<LinearForm> n = getForm(quotient.getLhs());
    sum = n ? sum->without(value).plus(*n, times) : std::nullopt;
    if (sum && times < 0)
      sum = sum->plus(-times * (c - 1));
  }
  return sum;
}

Value RangeWidth::getMostOfForms(Value end, Value begin) {
  std::optional<LinearForm> upper = getForm(end), lower = getForm(begin);
  std::optional<LinearForm> width =
      upper && lower ? upper->plus(*lower, -1) : std::nullopt;
  width = width ? roundUp(*width) : width;
  if (!width)
    return {};
  // The last query is up to `span` behind the first, which must cancel.
  Value first = keys.getArgument(2), last = keys.getArgument(3);
  int64_t slope = width->getCoefficient(last);
  if (slope + width->getCoefficient(first) != 0)
    return {};
  width = width->without(first).without(last).plus(std::max<int64_t>(0, slope) *
                                                   span);
  auto isInside = [&](std::pair<Value, int64_t> term) {
    return term.first.getParentRegion() == &keys;
  };
  if (!width || llvm::any_of(width->getTerms(), isInside))
    return {};
  return emitForm(*width);
}

/// The bound where `op` defines the end, and `other` is the begin, or the other
/// way round; null if it is no choice of two values.
Value RangeWidth::split(Operation *op, unsigned depth, bool isEnd,
                        Value other) {
  auto most = [&](Value part) {
    return isEnd ? getMost(part, other, depth + 1)
                 : getMost(other, part, depth + 1);
  };
  if (isa<arith::SelectOp>(op) ||
      (isEnd ? isa<arith::MaxSIOp>(op) : isa<arith::MinSIOp>(op))) {
    unsigned from = isa<arith::SelectOp>(op);
    Value x = most(op->getOperand(from));
    Value y = x ? most(op->getOperand(from + 1)) : Value();
    return y ? b.createOrFold<arith::MaxSIOp>(x, y) : Value();
  }
  Value x = most(op->getOperand(0)), y = most(op->getOperand(1));
  return x && y ? b.createOrFold<arith::MinSIOp>(x, y) : x ? x : y;
}

/// An upper bound of `end - begin`.
Value RangeWidth::getMost(Value end, Value begin, unsigned depth) {
  if (depth > kMostDepth)
    return {};
  auto choice = [&](Value value) -> Operation * {
    Operation *op = value.getDefiningOp();
    bool isChoice = op && value.getParentRegion() == &keys &&
                    isa<arith::SelectOp, arith::MaxSIOp, arith::MinSIOp>(op);
    return isChoice ? op : nullptr;
  };
  Operation *upper = choice(end), *lower = choice(begin);
  // What must hold for both sides first: it leaves the other choice open.
  if (isa_and_nonnull<arith::MaxSIOp, arith::SelectOp>(upper))
    return split(upper, depth, /*isEnd=*/true, begin);
  if (isa_and_nonnull<arith::MinSIOp, arith::SelectOp>(lower))
    return split(lower, depth, /*isEnd=*/false, end);
  Value byEnd = upper ? split(upper, depth, true, begin) : Value();
  Value byBegin = lower ? split(lower, depth, false, end) : Value();
  if (byEnd && byBegin)
    return b.createOrFold<arith::MinSIOp>(byEnd, byBegin);
  if (byEnd || byBegin)
    return byEnd ? byEnd : byBegin;
  return getMostOfForms(end, begin);
}

Value RangeWidth::emit() {
  Operation *yield = keys.front().getTerminator();
  Value most = getMost(yield->getOperand(1), yield->getOperand(0), 0);
  if (!most)
    return {};
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return b.createOrFold<arith::MaxSIOp>(most, zero);
}
