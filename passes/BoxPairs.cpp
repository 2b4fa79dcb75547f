//===- BoxPairs.cpp - Which boxes of keys a box meets ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/BoxPairs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

static Value constant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

static Value select(ImplicitLocOpBuilder &b, Value condition, Value x,
                    Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}

/// Whether each first token is at most the last one.
Value BoxPairs::exists(Builder &b, const Ends &ends) {
  Value all = arith::ConstantOp::create(b, b.getBoolAttr(true));
  // Without steps, every box has a token.
  for (auto [first, last, step] :
       llvm::zip_equal(ends.first, ends.last, keys.getStep()))
    if (step != 1)
      all = b.createOrFold<arith::AndIOp>(
          all,
          arith::CmpIOp::create(b, arith::CmpIPredicate::sle, first, last));
  return all;
}

/// The classes of a block of keys; those of no pair if it has none.
std::pair<Value, Value> BoxPairs::ask(Builder &b, const Ends &of) {
  Values arguments;
  for (const Ends *tokens : {&std::as_const(query), &of}) {
    llvm::append_range(arguments, tokens->first);
    llvm::append_range(arguments, tokens->last);
  }
  auto [some, all] = classify(b, arguments);
  Value here = b.createOrFold<arith::AndIOp>(exists(b, query), exists(b, of));
  some = b.createOrFold<arith::AndIOp>(some, here);
  return {some, b.createOrFold<arith::AndIOp>(some, all)};
}

/// All tokens of a residue class.
BoxPairs::Ends BoxPairs::getWhole(Builder &b, ValueRange residues) {
  Ends whole;
  for (auto [residue, extent, step] :
       llvm::zip_equal(residues, keys.getExtents(), keys.getStep())) {
    // r + d floor((X - 1 - r) / d) is the last one.
    Value span = arith::SubIOp::create(b, extent, constant(b, 1));
    if (step != 1) {
      span = arith::SubIOp::create(b, span, residue);
      Value d = constant(b, step);
      span =
          arith::MulIOp::create(b, arith::FloorDivSIOp::create(b, span, d), d);
      span = arith::AddIOp::create(b, residue, span);
    }
    whole.first.push_back(residue);
    whole.last.push_back(span);
  }
  return whole;
}

/// Leaves the tokens of one box of the class along `axis`.
void BoxPairs::narrow(Builder &b, Ends &of, const Ends &whole, size_t axis,
                      Value residue, Value box) {
  int64_t size = keys.getBox()[axis], step = keys.getStep()[axis];
  Value first = arith::MulIOp::create(b, box, constant(b, size * step));
  if (step != 1)
    first = arith::AddIOp::create(b, residue, first);
  Value last = arith::AddIOp::create(b, first, constant(b, (size - 1) * step));
  of.first[axis] = first;
  of.last[axis] = arith::MinSIOp::create(b, last, whole.last[axis]);
}

/// Which boxes of a class may be met, as a range along each axis.
void BoxPairs::findRanges(Builder &b, ValueRange residues, const Ends &whole,
                          Value someOfClass) {
  Value zero = constant(b, 0), one = constant(b, 1);
  for (size_t axis = 0; axis < residues.size(); ++axis) {
    Value count = keys.getBoxesOfClass()[axis];
    if (someOfClass)
      count = select(b, someOfClass, count, zero);
    if (residues.size() == 1) {
      // Rows of boxes are the boxes.
      begins = {zero};
      ends = {count};
      return;
    }
    auto body = [&](OpBuilder &builder, Location loc, Value box,
                    ValueRange range) {
      Builder inner(loc, builder);
      Ends row = whole;
      narrow(inner, row, whole, axis, residues[axis], box);
      Value some = ask(inner, row).first;
      Value least = arith::MinSIOp::create(inner, range[0], box);
      Value behind = arith::AddIOp::create(inner, box, constant(inner, 1));
      scf::YieldOp::create(inner,
                           ValueRange{select(inner, some, least, range[0]),
                                      select(inner, some, behind, range[1])});
    };
    auto loop =
        scf::ForOp::create(b, zero, count, one, ValueRange{count, zero}, body);
    begins.push_back(loop.getResult(0));
    ends.push_back(loop.getResult(1));
  }
}

/// Loops over the boxes in the ranges of the axes behind those of `boxes`.
BoxPairs::Values BoxPairs::visitBoxes(Builder &b, ValueRange residues,
                                      const Ends &whole, Values boxes,
                                      ValueRange init, Visit visit) {
  size_t axis = boxes.size();
  if (axis == residues.size()) {
    Ends box = whole;
    for (size_t at = 0; at < axis; ++at)
      narrow(b, box, whole, at, residues[at], boxes[at]);
    auto [some, all] = ask(b, box);
    return visit(b, keys.getNumber(b, residues, boxes), some, all, init);
  }
  auto body = [&](OpBuilder &builder, Location loc, Value box,
                  ValueRange carried) {
    Builder inner(loc, builder);
    Values next = boxes;
    next.push_back(box);
    scf::YieldOp::create(
        inner, visitBoxes(inner, residues, whole, next, carried, visit));
  };
  return scf::ForOp::create(b, begins[axis], ends[axis], constant(b, 1), init,
                            body)
      .getResults();
}

BoxPairs::Values BoxPairs::visitClass(Builder &b, ValueRange residues,
                                      ValueRange init, Visit visit) {
  begins.clear();
  ends.clear();
  Ends whole = getWhole(b, residues);
  findRanges(b, residues, whole, hasSteps() ? ask(b, whole).first : Value());
  return visitBoxes(b, residues, whole, {}, init, visit);
}

/// Loops over the residues of the axes behind those of `residues`.
BoxPairs::Values BoxPairs::forEachClass(Builder &b, Values residues,
                                        ValueRange init, Visit visit) {
  size_t axis = residues.size();
  if (axis == size_t(keys.getNumAxes()))
    return visitClass(b, residues, init, visit);
  Value zero = constant(b, 0);
  if (keys.getStep()[axis] == 1) {
    residues.push_back(zero);
    return forEachClass(b, residues, init, visit);
  }
  auto body = [&](OpBuilder &builder, Location loc, Value residue,
                  ValueRange carried) {
    Builder inner(loc, builder);
    Values next = residues;
    next.push_back(residue);
    scf::YieldOp::create(inner, forEachClass(inner, next, carried, visit));
  };
  Value count = constant(b, keys.getStep()[axis]);
  return scf::ForOp::create(b, zero, count, constant(b, 1), init, body)
      .getResults();
}

BoxPairs::Values BoxPairs::forEach(Builder &b, Value number, ValueRange init,
                                   Visit visit) {
  query.first = queries.getFirstToken(b, number);
  query.last = queries.getLastToken(b, query.first);
  return forEachClass(b, {}, init, visit);
}
