//===- KeySets.cpp - Keys of a block of queries as ranges -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/KeySets.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// One inequality
//===----------------------------------------------------------------------===//

/// The keys for which the largest (least) value of `form` over the queries is
/// at least 0; `otherwise` if that is not known.
KeyRange KeySetAlgebra::solve(const std::optional<LinearForm> &form,
                              bool largest, const KeyRange &otherwise) {
  std::optional<LinearForm> extreme;
  if (form)
    extreme = emitter.overQueries(*form, largest);
  if (!extreme)
    return otherwise;
  Value key = emitter.getVariables().key;
  int64_t slope = extreme->getCoefficient(key);
  LinearForm rest = extreme->without(key);
  KeyRange range;
  if (slope < 0) { // j <= floor(rest / -slope)
    range.end = emitter.floorDiv(rest, -slope).plus(1);
    return range.end ? range : otherwise;
  }
  if (slope > 0) { // j >= ceil(-rest / slope)
    std::optional<LinearForm> numerator = LinearForm(slope - 1).plus(rest, -1);
    if (!numerator)
      return otherwise;
    range.begin = emitter.floorDiv(*numerator, slope);
    return range;
  }
  std::optional<LinearForm> opposite = LinearForm(-1).plus(rest, -1);
  if (emitter.isNonNegative(rest))
    return range;
  if (opposite && emitter.isNonNegative(*opposite))
    return {/*isEmpty=*/true};
  Value zero = emitter.emitConstant(0);
  return select(emitter.isAtMost(zero, emitter.emit(rest)), range,
                KeyRange{/*isEmpty=*/true});
}

KeySets KeySetAlgebra::atLeastZero(const IndexExpr &leaf) {
  // floor(n / divisor) >= 0 where n >= 0.
  KeySets unknown = KeySets::unknown();
  return {solve(leaf.upper, /*largest=*/true, unknown.some),
          solve(leaf.lower, /*largest=*/false, unknown.all)};
}

//===----------------------------------------------------------------------===//
// What is the same for all pairs
//===----------------------------------------------------------------------===//

std::pair<Value, Value> KeySetAlgebra::emit(const KeyRange &range) {
  if (range.isEmpty)
    return {emitter.emitConstant(kEndless), emitter.emitConstant(0)};
  return {emitter.emit(range.begin.value_or(LinearForm())),
          range.end ? emitter.emit(*range.end)
                    : emitter.emitConstant(kEndless)};
}

KeyRange KeySetAlgebra::select(Value bit, const KeyRange &x,
                               const KeyRange &y) {
  auto [beginX, endX] = emit(x);
  auto [beginY, endY] = emit(y);
  KeyRange range;
  range.begin = emitter.select(bit, beginX, beginY);
  range.end = emitter.select(bit, endX, endY);
  auto isNeutral = [](const KeyRange &part) {
    return part.isEmpty || part.isNeutralIfEmpty || part.isEverything();
  };
  range.isNeutralIfEmpty = isNeutral(x) && isNeutral(y);
  return range;
}

KeySets KeySetAlgebra::select(Value bit, const KeySets &x, const KeySets &y) {
  return {select(bit, x.some, y.some), select(bit, x.all, y.all)};
}

//===----------------------------------------------------------------------===//
// And
//===----------------------------------------------------------------------===//

KeyRange KeySetAlgebra::intersect(const KeyRange &x, const KeyRange &y) {
  if (x.isEmpty || y.isEmpty)
    return {/*isEmpty=*/true};
  if (x.isEverything())
    return y;
  if (y.isEverything())
    return x;
  KeyRange range;
  range.begin = x.begin && y.begin ? emitter.max(*x.begin, *y.begin)
                : x.begin          ? x.begin
                                   : y.begin;
  range.end = x.end && y.end ? emitter.min(*x.end, *y.end)
              : x.end        ? x.end
                             : y.end;
  return range;
}

KeySets KeySetAlgebra::intersect(const KeySets &x, const KeySets &y) {
  return {intersect(x.some, y.some), intersect(x.all, y.all)};
}

KeySets KeySetAlgebra::refine(const KeySets &x, const KeySets &y) {
  approximate = true;
  return {intersect(x.some, y.some), largestUnion(x.all, y.all)};
}

//===----------------------------------------------------------------------===//
// Or
//===----------------------------------------------------------------------===//

KeyRange KeySetAlgebra::makeNeutralIfEmpty(const KeyRange &range) {
  if (range.isNeutralIfEmpty || !range.begin || !range.end)
    return range;
  std::optional<LinearForm> length = range.end->plus(*range.begin, -1);
  if (length)
    length = length->plus(-1);
  if (length && emitter.isNonNegative(*length))
    return range;
  Value begin = emitter.emit(*range.begin), end = emitter.emit(*range.end);
  Value isEmpty = emitter.isAtMost(end, begin);
  KeyRange neutral;
  neutral.begin =
      emitter.select(isEmpty, emitter.emitConstant(kEndless), begin);
  neutral.end = emitter.select(isEmpty, emitter.emitConstant(0), end);
  neutral.isNeutralIfEmpty = true;
  return neutral;
}

/// The smallest range that holds both.
KeyRange KeySetAlgebra::hull(const KeyRange &x, const KeyRange &y) {
  if (x.isEmpty)
    return y;
  if (y.isEmpty)
    return x;
  KeyRange a = makeNeutralIfEmpty(x), b = makeNeutralIfEmpty(y), range;
  if (a.begin && b.begin)
    range.begin = emitter.min(*a.begin, *b.begin);
  if (a.end && b.end)
    range.end = emitter.max(*a.end, *b.end);
  return range;
}

/// Decides at run time: the hull if the ranges touch, else the longer of them.
/// An empty range touches only where the hull is the other one.
KeyRange KeySetAlgebra::emitLargestUnion(const KeyRange &x, const KeyRange &y) {
  auto [beginX, endX] = emit(x);
  auto [beginY, endY] = emit(y);
  auto value = [&](const LinearForm &form) { return emitter.emit(form); };
  Value touch = emitter.isAtMost(value(emitter.max(beginX, beginY)),
                                 value(emitter.min(endX, endY)));
  auto length = [&](Value begin, Value end) {
    return value(*LinearForm(end).plus(begin, -1));
  };
  Value takeY = emitter.isAtMost(length(beginX, endX), length(beginY, endY));
  KeyRange range;
  range.begin = emitter.select(touch, value(emitter.min(beginX, beginY)),
                               emitter.select(takeY, beginY, beginX));
  range.end = emitter.select(touch, value(emitter.max(endX, endY)),
                             emitter.select(takeY, endY, endX));
  return range;
}

bool KeySetAlgebra::isProvedInside(const KeyRange &x, const KeyRange &y) const {
  bool begins =
      !y.begin || (x.begin && emitter.isProvedAtMost(*y.begin, *x.begin));
  bool ends = !y.end || (x.end && emitter.isProvedAtMost(*x.end, *y.end));
  return x.isEmpty || (!y.isEmpty && begins && ends);
}

/// A range, as large as possible, of keys that are in `x` or in `y`.
KeyRange KeySetAlgebra::largestUnion(const KeyRange &x, const KeyRange &y) {
  if (isProvedInside(x, y))
    return y;
  if (isProvedInside(y, x))
    return x;
  KeyRange range;
  if (!x.begin && !y.begin) {
    if (x.end && y.end)
      range.end = emitter.max(*x.end, *y.end);
    return range;
  }
  if (!x.end && !y.end) {
    range.begin = emitter.min(*x.begin, *y.begin);
    return range;
  }
  return emitLargestUnion(x, y);
}

/// Whether two ranges are one for lack of a bound on one side, whatever their
/// other bounds are.
static bool isOneRange(const KeyRange &x, const KeyRange &y) {
  return x.isEmpty || y.isEmpty || (!x.begin && !y.begin) || (!x.end && !y.end);
}

KeySets KeySetAlgebra::unite(const KeySets &x, const KeySets &y) {
  approximate |= !isOneRange(x.some, y.some) || !isOneRange(x.all, y.all);
  return {hull(x.some, y.some), largestUnion(x.all, y.all)};
}
