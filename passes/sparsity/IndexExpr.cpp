//===- IndexExpr.cpp - What is known of an index of a mask region ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions that do not decrease (addition, multiplication by a factor that is
// not negative, floor division) change places with max, min and selection, so
// they act on leaves. Floors stay exact under addition of whole numbers:
//
//   floor(n / d) + m = floor((n + d m) / d)
//   -floor(n / d)    = floor((d - 1 - n) / d)
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/IndexExpr.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// More leaves than this are not worth the arithmetic they would cause.
static constexpr int64_t kMaxLeaves = 16;

std::optional<LinearForm> IndexExpr::getExact() const {
  if (kind != Kind::Leaf || divisor != 1 || !lower || !upper)
    return std::nullopt;
  std::optional<LinearForm> slack = upper->plus(*lower, -1);
  if (slack && slack->getIfConstant() == 0)
    return lower;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

ExprRef IndexExprs::between(std::optional<LinearForm> lower,
                            std::optional<LinearForm> upper, int64_t divisor) {
  IndexExpr leaf;
  leaf.lower = std::move(lower);
  leaf.upper = std::move(upper);
  leaf.divisor = divisor;
  return &arena.emplace_back(std::move(leaf));
}

ExprRef IndexExprs::unknown() { return between({}, {}); }

ExprRef IndexExprs::exact(const LinearForm &form) {
  return between(form, form);
}

ExprRef IndexExprs::node(IndexExpr::Kind kind, Value condition, ExprRef x,
                         ExprRef y) {
  if (x->numLeaves + y->numLeaves > kMaxLeaves)
    return giveUp();
  IndexExpr expr;
  expr.kind = kind;
  expr.condition = condition;
  expr.lhs = x;
  expr.rhs = y;
  expr.numLeaves = x->numLeaves + y->numLeaves;
  return &arena.emplace_back(std::move(expr));
}

ExprRef IndexExprs::max(ExprRef x, ExprRef y) {
  return node(IndexExpr::Kind::Max, Value(), x, y);
}

ExprRef IndexExprs::min(ExprRef x, ExprRef y) {
  return node(IndexExpr::Kind::Min, Value(), x, y);
}

ExprRef IndexExprs::select(Value condition, ExprRef x, ExprRef y) {
  return node(IndexExpr::Kind::Select, condition, x, y);
}

ExprRef IndexExprs::mapLeaves(ExprRef x, LeafMap map, bool reverse) {
  if (x->kind == IndexExpr::Kind::Leaf)
    return map(*x);
  ExprRef lhs = mapLeaves(x->lhs, map, reverse);
  ExprRef rhs = mapLeaves(x->rhs, map, reverse);
  if (x->kind == IndexExpr::Kind::Select)
    return select(x->condition, lhs, rhs);
  return (x->kind == IndexExpr::Kind::Max) != reverse ? max(lhs, rhs)
                                                      : min(lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// `x + factor * y`, unknown if a part is.
static std::optional<LinearForm> sum(const std::optional<LinearForm> &x,
                                     const std::optional<LinearForm> &y,
                                     int64_t factor = 1) {
  if (!x || !y)
    return std::nullopt;
  return x->plus(*y, factor);
}

ExprRef IndexExprs::addLeaves(const IndexExpr &x, const IndexExpr &y) {
  if (x.divisor == 1 && y.divisor != 1)
    return addLeaves(y, x);
  if (y.divisor != 1)
    return giveUp();
  return between(sum(x.lower, y.lower, x.divisor),
                 sum(x.upper, y.upper, x.divisor), x.divisor);
}

ExprRef IndexExprs::add(ExprRef x, ExprRef y) {
  return mapLeaves(x, [&](const IndexExpr &a) {
    return mapLeaves(y, [&](const IndexExpr &b) { return addLeaves(a, b); });
  });
}

ExprRef IndexExprs::negateLeaf(const IndexExpr &x) {
  std::optional<LinearForm> rest = LinearForm(x.divisor - 1);
  return between(sum(rest, x.upper, -1), sum(rest, x.lower, -1), x.divisor);
}

ExprRef IndexExprs::negate(ExprRef x) {
  return mapLeaves(
      x, [&](const IndexExpr &leaf) { return negateLeaf(leaf); },
      /*reverse=*/true);
}

ExprRef IndexExprs::scale(ExprRef x, int64_t factor) {
  if (factor < 0)
    return scale(negate(x), -factor);
  return mapLeaves(x, [&](const IndexExpr &leaf) {
    // n - d < d floor(n / d) <= n.
    if (factor % leaf.divisor)
      return giveUp();
    if (leaf.divisor != 1)
      setApproximate();
    int64_t multiple = factor / leaf.divisor;
    std::optional<LinearForm> least =
        LinearForm().plus(LinearForm(1 - leaf.divisor), multiple);
    return between(sum(least, leaf.lower, multiple),
                   sum(LinearForm(), leaf.upper, multiple));
  });
}

ExprRef IndexExprs::floorDivLeaf(const IndexExpr &x, int64_t divisor) {
  int64_t total;
  if (llvm::MulOverflow(x.divisor, divisor, total) || !llvm::isInt<32>(total))
    return giveUp();
  Value key = emitter.getVariables().key;
  auto dependsOnKey = [&](const std::optional<LinearForm> &bound) {
    return bound && bound->getCoefficient(key) != 0;
  };
  if (dependsOnKey(x.lower) || dependsOnKey(x.upper))
    return between(x.lower, x.upper, total);
  // The same for all keys: bounds over the block of queries, computed once.
  auto divide = [&](const std::optional<LinearForm> &bound, bool largest) {
    std::optional<LinearForm> extreme;
    if (bound)
      extreme = emitter.overQueries(*bound, largest);
    if (extreme)
      extreme = emitter.floorDiv(*extreme, total);
    return extreme;
  };
  return between(divide(x.lower, false), divide(x.upper, true));
}

ExprRef IndexExprs::floorDiv(ExprRef x, int64_t divisor) {
  return mapLeaves(
      x, [&](const IndexExpr &leaf) { return floorDivLeaf(leaf, divisor); });
}

ExprRef IndexExprs::remainder(ExprRef x, int64_t divisor) {
  setApproximate();
  LinearForm largest(divisor - 1), least(isNonNegative(x) ? 0 : 1 - divisor);
  return between(least, largest);
}

bool IndexExprs::isNonNegative(ExprRef x) const {
  switch (x->kind) {
  case IndexExpr::Kind::Leaf:
    return x->lower && emitter.isNonNegative(*x->lower);
  case IndexExpr::Kind::Max:
    return isNonNegative(x->lhs) || isNonNegative(x->rhs);
  case IndexExpr::Kind::Min:
  case IndexExpr::Kind::Select:
    return isNonNegative(x->lhs) && isNonNegative(x->rhs);
  }
  llvm_unreachable("all kinds are handled");
}
