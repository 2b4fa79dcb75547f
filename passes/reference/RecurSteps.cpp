//===- RecurSteps.cpp - What one token does to the state of a recurrence --===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/reference/RecurSteps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/reference/PairScores.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

template <typename OpT>
Recurrence reference::getRecurrence(ImplicitLocOpBuilder &b, OpT op,
                                    int64_t columns) {
  Recurrence of;
  of.type = op.getAccumulatorType();
  of.query = mapAllRows(b, op.getQueryRows(), op.getQuery(), of.type);
  if (op.getKey())
    of.key = mapAllRows(b, op.getKeyRows(), op.getKey(), of.type);
  of.value = mapAllRows(b, op.getValueRows(), op.getValue(), of.type);
  of.gate = op.getGate();
  of.beta = op.getBeta();
  of.bonus = op.getBonus();
  of.write = op.getWrite();
  of.read = op.getRead();
  of.rows = op.getStateRows();
  of.columns = columns;
  of.hasDenominator = op.usesDenominator();
  return of;
}

template Recurrence reference::getRecurrence(ImplicitLocOpBuilder &, RecurOp,
                                             int64_t);
template Recurrence reference::getRecurrence(ImplicitLocOpBuilder &,
                                             RecurChunkOp, int64_t);

Value RecurSteps::product(Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}

//===----------------------------------------------------------------------===//
// What a token brings along
//===----------------------------------------------------------------------===//

Value RecurSteps::factorOf(Value operand, ValueRange at) {
  return convert(b, reference::read(b, operand, at), of.type);
}

/// Feature `d` of `operand`, of whose heads those of the values are a multiple.
Value RecurSteps::feature(Value operand, ValueRange token, Value d) {
  Value head =
      arith::DivUIOp::create(b, token[1], groupSize(b, of.value, operand));
  return factorOf(operand, {token[0], head, token[2], d});
}

/// Where `operand` `[B, H, N]` or `[B, H, N, 1]` has what belongs to a token.
SmallVector<Value> RecurSteps::perToken(Value operand, ValueRange token) {
  SmallVector<Value> at(token);
  if (cast<RankedTensorType>(operand.getType()).getRank() == 4)
    at.push_back(index(b, 0));
  return at;
}

/// exp(gate) for row `d` of the state. Only asked for if there is a gate.
Value RecurSteps::decayOf(ValueRange token, Value d) {
  SmallVector<Value> at;
  auto type = cast<RankedTensorType>(of.gate.getType());
  if (type.getRank() == 4 && type.getDimSize(3) != 1)
    at = {token[0], token[1], token[2], d};
  else if (type.getRank() > 1)
    at = perToken(of.gate, token);
  else
    at = {token[1]};
  return math::ExpOp::create(b, factorOf(of.gate, at));
}

/// w, element `d`.
Value RecurSteps::written(ValueRange token, Value d) {
  if (of.write == WriteRule::Tied)
    return arith::SubFOp::create(b, number(b, of.type, 1.0), decayOf(token, d));
  Value k = feature(of.key, token, d);
  return of.write == WriteRule::Scaled
             ? product(factorOf(of.beta, perToken(of.beta, token)), k)
             : k;
}

/// v, element `e` of the columns at hand; 1 in that of the denominator.
Value RecurSteps::valueOf(ValueRange token, Value e) {
  auto inside = [&] {
    Value column = e;
    if (of.firstColumn)
      column = arith::AddIOp::create(b, of.firstColumn, e);
    return feature(of.value, token, column);
  };
  if (!of.hasDenominator)
    return inside();
  Value isValue = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, e,
                                        index(b, of.columns));
  return choose(b, isValue, inside, [&] { return number(b, of.type, 1.0); });
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// The state with each element replaced by `element` of its place and itself.
Value RecurSteps::mapState(Value state,
                           function_ref<Value(ValueRange, Value)> element) {
  auto set = [&](ValueRange at, ValueRange so) -> Carried {
    Value next = element(at, reference::read(b, so[0], at));
    return {tensor::InsertOp::create(b, next, so[0], at)};
  };
  return fold(b, {index(b, of.rows), index(b, of.getWidth())}, state, set)[0];
}

Value RecurSteps::decay(const TokenStep &token) {
  if (!of.gate)
    return token.state;
  return mapState(token.state, [&](ValueRange at, Value old) {
    return product(decayOf(token.at, at[0]), old);
  });
}

Value RecurSteps::write(const TokenStep &token) {
  return mapState(token.state, [&](ValueRange at, Value old) -> Value {
    Value term = product(written(token.at, at[0]), valueOf(token.at, at[1]));
    return arith::AddFOp::create(b, old, term);
  });
}

/// The sums with `term(e)` added to each element e of the row of the token.
Value RecurSteps::addToSums(const TokenStep &token,
                            function_ref<Value(Value)> term) {
  auto add = [&](ValueRange e, ValueRange so) -> Carried {
    SmallVector<Value> at(token.sumAt);
    at.push_back(e[0]);
    Value sum =
        arith::AddFOp::create(b, reference::read(b, so[0], at), term(e[0]));
    return {tensor::InsertOp::create(b, sum, so[0], at)};
  };
  return fold(b, index(b, of.getWidth()), token.sums, add)[0];
}

Value RecurSteps::read(const TokenStep &token) {
  return addToSums(token, [&](Value e) {
    return sum(b, index(b, of.rows), number(b, of.type, 0.0), [&](Value d) {
      return product(feature(of.query, token.at, d),
                     reference::read(b, token.state, {d, e}));
    });
  });
}

Value RecurSteps::addBonus(const TokenStep &token) {
  Value weight =
      sum(b, index(b, of.rows), number(b, of.type, 0.0), [&](Value d) {
        Value bonus = factorOf(of.bonus, {token.at[1], d});
        return product(feature(of.query, token.at, d),
                       product(bonus, written(token.at, d)));
      });
  return addToSums(
      token, [&](Value e) { return product(weight, valueOf(token.at, e)); });
}

Carried RecurSteps::visit(const Sweep &sweep, TokenStep token) {
  bool isBefore = of.read == ReadTime::Before;
  if (isBefore)
    token.sums = read(token);
  if (isBefore && sweep.readsOwn && of.bonus)
    token.sums = addBonus(token);
  token.state = decay(token);
  if (!isBefore && !sweep.readsOwn)
    token.sums = read(token);
  token.state = write(token);
  if (!isBefore && sweep.readsOwn)
    token.sums = read(token);
  return {token.state, token.sums};
}
