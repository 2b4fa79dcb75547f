//===- BoxGrid.cpp - A grid of tokens, cut into boxes ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/BoxGrid.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

static Value constant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

/// `value` divided by `by`, rounded up.
static Value ceilDiv(ImplicitLocOpBuilder &b, Value value, int64_t by) {
  return by == 1 ? value
                 : arith::CeilDivSIOp::create(b, value, constant(b, by));
}

static Value multiply(ImplicitLocOpBuilder &b, Value value, int64_t by) {
  return by == 1 ? value : arith::MulIOp::create(b, value, constant(b, by));
}

BoxGrid::BoxGrid(ImplicitLocOpBuilder &b, ValueRange extents,
                 ArrayRef<int64_t> box, ArrayRef<int64_t> step)
    : box(box), step(step), extents(extents) {
  if (step.empty())
    this->step.assign(box.size(), 1);
  for (auto [extent, size, distance] :
       llvm::zip_equal(extents, this->box, this->step)) {
    boxes.push_back(ceilDiv(b, ceilDiv(b, extent, distance), size));
    places.push_back(multiply(b, boxes.back(), distance));
    count =
        count ? arith::MulIOp::create(b, count, places.back()) : places.back();
  }
}

SmallVector<Value> BoxGrid::getFirstToken(ImplicitLocOpBuilder &b,
                                          Value number) const {
  SmallVector<Value> first(box.size());
  Value rest = number;
  for (size_t axis = box.size(); axis-- > 0;) {
    Value place = rest;
    if (axis > 0) {
      place = arith::RemUIOp::create(b, rest, places[axis]);
      rest = arith::DivUIOp::create(b, rest, places[axis]);
    }
    if (step[axis] == 1) {
      first[axis] = multiply(b, place, box[axis]);
      continue;
    }
    Value residue = arith::DivUIOp::create(b, place, boxes[axis]);
    Value inClass = arith::RemUIOp::create(b, place, boxes[axis]);
    first[axis] = arith::AddIOp::create(
        b, residue, multiply(b, inClass, box[axis] * step[axis]));
  }
  return first;
}

SmallVector<Value> BoxGrid::getLastToken(ImplicitLocOpBuilder &b,
                                         ValueRange first) const {
  SmallVector<Value> last;
  for (auto [token, count, distance] :
       llvm::zip_equal(first, countTokens(b, first), step)) {
    Value more = arith::SubIOp::create(b, count, constant(b, 1));
    last.push_back(
        arith::AddIOp::create(b, token, multiply(b, more, distance)));
  }
  return last;
}

Value BoxGrid::getNumber(ImplicitLocOpBuilder &b, ValueRange residues,
                         ValueRange boxesAt) const {
  Value number;
  for (size_t axis = 0; axis < box.size(); ++axis) {
    Value place = boxesAt[axis];
    if (step[axis] != 1)
      place = arith::AddIOp::create(
          b, arith::MulIOp::create(b, residues[axis], boxes[axis]), place);
    number = number
                 ? arith::AddIOp::create(
                       b, arith::MulIOp::create(b, number, places[axis]), place)
                 : place;
  }
  return number;
}

Value BoxGrid::getNumberOfToken(ImplicitLocOpBuilder &b,
                                ValueRange token) const {
  SmallVector<Value> residues, boxesAt;
  for (auto [index, size, distance] : llvm::zip_equal(token, box, step)) {
    Value d = constant(b, distance), width = constant(b, size * distance);
    residues.push_back(arith::RemUIOp::create(b, index, d));
    boxesAt.push_back(arith::DivUIOp::create(b, index, width));
  }
  return getNumber(b, residues, boxesAt);
}

SmallVector<Value> BoxGrid::countTokens(ImplicitLocOpBuilder &b,
                                        ValueRange first) const {
  SmallVector<Value> counts;
  for (auto [token, extent, size, distance] :
       llvm::zip_equal(first, extents, box, step)) {
    Value left = arith::SubIOp::create(b, extent, token);
    left = ceilDiv(b, left, distance);
    // A box of a smaller class may lie beyond the axis.
    if (distance != 1)
      left = arith::MaxSIOp::create(b, left, constant(b, 0));
    counts.push_back(arith::MinSIOp::create(b, left, constant(b, size)));
  }
  return counts;
}

bool attn::fillsBoxes(ArrayRef<int64_t> extents, ArrayRef<int64_t> box,
                      ArrayRef<int64_t> step) {
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    int64_t distance = step.empty() ? 1 : step[axis];
    if (ShapedType::isDynamic(extent) || extent % (box[axis] * distance))
      return false;
  }
  return true;
}
