//===- DefineRecur.cpp - The meaning of attn.recur --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every batch b and head h, a matrix S, first `initial` or 0, goes from
// token to token; at each one
//
//   S = Diag(exp(gate[t])) S            decay
//   S = S + w[t] v[t]^T                 write, with w[t] = k[t], 1 -
//   exp(gate[t])
//                                       or beta[t] k[t]
//   num[t] += S^T q[t]                  read; under read(before) this comes
//                                       first, and (w[t] * bonus) v[t]^T is
//                                       read in addition
//
// The bidirectional order is two such sweeps, of which the second one does not
// read what token t itself wrote. In the end
//
//   out[t] = norm(scale num[t], scale den[t])
//
// The denominator is one more column of S, for which all values are 1.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/PairScores.h"
#include "passes/reference/ScalarRegions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

namespace {
/// One pass over the tokens.
struct Sweep {
  bool isReversed;
  bool readsOwn; ///< Whether a token reads what it wrote, or its bonus.
};

/// A token, and the state on its way past it.
struct Token {
  SmallVector<Value> at; ///< Batch, head, row.
  Value state;           ///< `[K, V]`, with the column of the denominator.
};

/// The definition of one attn.recur.
class RecurDefinition {
public:
  RecurDefinition(ImplicitLocOpBuilder &b, RecurOp op)
      : b(b), op(op), type(op.getAccumulatorType()), rows(op.getStateRows()),
        columns(op.getStateColumns()),
        width(columns + (op.usesDenominator() ? 1 : 0)) {}

  Results run();

private:
  Value zero() { return number(b, type, 0.0); }
  Value product(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value feature(Value operand, ValueRange token, Value d);
  Value factorOf(Value operand, ValueRange at) {
    return convert(b, read(b, operand, at), type);
  }
  SmallVector<Value> perToken(Value operand, ValueRange token);
  Value decayOf(ValueRange token, Value d);
  Value written(ValueRange token, Value d);
  Value valueOf(ValueRange token, Value e);
  Value mapState(Value state, function_ref<Value(ValueRange, Value)> element);
  Value decay(const Token &token);
  Value write(const Token &token);
  Value addRead(Value sums, const Token &token);
  Value addBonus(Value sums, const Token &token);
  Value addToSums(Value sums, ValueRange token,
                  function_ref<Value(Value)> term);
  Value initialState(ValueRange head);
  Carried visit(const Sweep &sweep, Token token, Value sums);
  Carried sweepHead(const Sweep &sweep, ValueRange head, ValueRange results);
  Carried finishToken(ValueRange token, Value sums, Value output);

  ImplicitLocOpBuilder &b;
  RecurOp op;
  Type type;               ///< In which everything is evaluated.
  int64_t rows, columns;   ///< K and V.
  int64_t width;           ///< V, and one more for the denominator.
  Value query, key, value; ///< Mapped.
};
} // namespace

//===----------------------------------------------------------------------===//
// What a token brings along
//===----------------------------------------------------------------------===//

/// Feature `d` of `operand`, of whose heads those of the values are a multiple.
Value RecurDefinition::feature(Value operand, ValueRange token, Value d) {
  Value head =
      arith::DivUIOp::create(b, token[1], groupSize(b, value, operand));
  return factorOf(operand, {token[0], head, token[2], d});
}

/// Where `operand` `[B, H, N]` or `[B, H, N, 1]` has what belongs to a token.
SmallVector<Value> RecurDefinition::perToken(Value operand, ValueRange token) {
  SmallVector<Value> at(token);
  if (cast<RankedTensorType>(operand.getType()).getRank() == 4)
    at.push_back(index(b, 0));
  return at;
}

/// exp(gate) for row `d` of the state. Only asked for if there is a gate.
Value RecurDefinition::decayOf(ValueRange token, Value d) {
  SmallVector<Value> at;
  if (op.hasGatePerChannel())
    at = {token[0], token[1], token[2], d};
  else if (op.hasGatePerToken())
    at = perToken(op.getGate(), token);
  else
    at = {token[1]};
  return math::ExpOp::create(b, factorOf(op.getGate(), at));
}

/// w, element `d`.
Value RecurDefinition::written(ValueRange token, Value d) {
  if (op.getWrite() == WriteRule::Tied)
    return arith::SubFOp::create(b, number(b, type, 1.0), decayOf(token, d));
  Value k = feature(key, token, d);
  return op.getWrite() == WriteRule::Scaled
             ? product(factorOf(op.getBeta(), perToken(op.getBeta(), token)), k)
             : k;
}

/// v, element `e`; 1 in the column of the denominator.
Value RecurDefinition::valueOf(ValueRange token, Value e) {
  auto inside = [&] { return feature(value, token, e); };
  if (width == columns)
    return inside();
  Value isValue =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, e, index(b, columns));
  return choose(b, isValue, inside, [&] { return number(b, type, 1.0); });
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// The state with each element replaced by `element` of its place and itself.
Value RecurDefinition::mapState(
    Value state, function_ref<Value(ValueRange, Value)> element) {
  auto set = [&](ValueRange at, ValueRange so) -> Carried {
    Value next = element(at, read(b, so[0], at));
    return {tensor::InsertOp::create(b, next, so[0], at)};
  };
  return fold(b, {index(b, rows), index(b, width)}, state, set)[0];
}

Value RecurDefinition::decay(const Token &token) {
  if (!op.hasGate())
    return token.state;
  return mapState(token.state, [&](ValueRange at, Value old) {
    return product(decayOf(token.at, at[0]), old);
  });
}

Value RecurDefinition::write(const Token &token) {
  return mapState(token.state, [&](ValueRange at, Value old) -> Value {
    Value term = product(written(token.at, at[0]), valueOf(token.at, at[1]));
    return arith::AddFOp::create(b, old, term);
  });
}

/// `sums` with `term(e)` added to each element e of the row of a token.
Value RecurDefinition::addToSums(Value sums, ValueRange token,
                                 function_ref<Value(Value)> term) {
  auto add = [&](ValueRange e, ValueRange so) -> Carried {
    SmallVector<Value> at(token);
    at.push_back(e[0]);
    Value sum = arith::AddFOp::create(b, read(b, so[0], at), term(e[0]));
    return {tensor::InsertOp::create(b, sum, so[0], at)};
  };
  return fold(b, index(b, width), sums, add)[0];
}

Value RecurDefinition::addRead(Value sums, const Token &token) {
  return addToSums(sums, token.at, [&](Value e) {
    return sum(b, index(b, rows), zero(), [&](Value d) {
      return product(feature(query, token.at, d), read(b, token.state, {d, e}));
    });
  });
}

Value RecurDefinition::addBonus(Value sums, const Token &token) {
  Value weight = sum(b, index(b, rows), zero(), [&](Value d) {
    Value bonus = factorOf(op.getBonus(), {token.at[1], d});
    return product(feature(query, token.at, d),
                   product(bonus, written(token.at, d)));
  });
  return addToSums(sums, token.at, [&](Value e) {
    return product(weight, valueOf(token.at, e));
  });
}

/// Takes the state past one token; returns it and the sums.
Carried RecurDefinition::visit(const Sweep &sweep, Token token, Value sums) {
  bool isBefore = op.getRead() == ReadTime::Before;
  if (isBefore)
    sums = addRead(sums, token);
  if (isBefore && sweep.readsOwn && op.getBonus())
    sums = addBonus(sums, token);
  token.state = decay(token);
  if (!isBefore && !sweep.readsOwn)
    sums = addRead(sums, token);
  token.state = write(token);
  if (!isBefore && sweep.readsOwn)
    sums = addRead(sums, token);
  return {token.state, sums};
}

//===----------------------------------------------------------------------===//
// Loops over tokens
//===----------------------------------------------------------------------===//

Value RecurDefinition::initialState(ValueRange head) {
  Value initial = op.getInitial();
  return generate(b, RankedTensorType::get({rows, width}, type),
                  [&](ValueRange at) -> Value {
                    if (!initial)
                      return zero();
                    return read(
                        b, initial,
                        {batchIn(b, initial, head[0]), head[1], at[0], at[1]});
                  });
}

/// All tokens of a head, adding to `results[0]`, the sums; `results[1]`, if
/// there is one, gets the last state.
Carried RecurDefinition::sweepHead(const Sweep &sweep, ValueRange head,
                                   ValueRange results) {
  Value tokens = size(b, value, 2);
  auto step = [&](ValueRange n, ValueRange so) {
    Value row = n[0];
    if (sweep.isReversed) {
      Value last = arith::SubIOp::create(b, tokens, index(b, 1));
      row = arith::SubIOp::create(b, last, row);
    }
    return visit(sweep, {{head[0], head[1], row}, so[0]}, so[1]);
  };
  Carried end = fold(b, tokens, {initialState(head), results[0]}, step);
  Carried updated{end[1]};
  if (results.size() < 2)
    return updated;
  auto keep = [&](ValueRange at, ValueRange so) -> Carried {
    return {
        tensor::InsertOp::create(b, read(b, end[0], at), so[0],
                                 ValueRange{head[0], head[1], at[0], at[1]})};
  };
  updated.push_back(
      fold(b, {index(b, rows), index(b, columns)}, results[1], keep)[0]);
  return updated;
}

/// Sets the output of one token.
Carried RecurDefinition::finishToken(ValueRange token, Value sums,
                                     Value output) {
  auto scaled = [&](Value e) {
    SmallVector<Value> at(token);
    at.push_back(e);
    return product(number(b, type, op.getScaleValue()), read(b, sums, at));
  };
  Value row = generate(b, RankedTensorType::get(columns, type),
                       [&](ValueRange e) { return scaled(e[0]); });
  if (!op.getNorm().empty()) {
    Value denominator =
        op.usesDenominator() ? scaled(index(b, columns)) : zero();
    row = evaluate(b, op.getNorm(),
                   {row, denominator, token[0], token[1], token[2]});
  }
  return {setRow(b, output, token, row)};
}

Results RecurDefinition::run() {
  query = mapAllRows(b, op.getQueryRows(), op.getQuery(), type);
  if (op.getKey())
    key = mapAllRows(b, op.getKeyRows(), op.getKey(), type);
  value = mapAllRows(b, op.getValueRows(), op.getValue(), type);

  SmallVector<Value> tokens = sizes(b, value);
  tokens.pop_back();
  SmallVector<Value> heads(ArrayRef<Value>(tokens).drop_back());
  auto shape =
      SmallVector<int64_t>(cast<RankedTensorType>(value.getType()).getShape());
  shape.back() = width;
  SmallVector<Value> extents(tokens);
  extents.push_back(index(b, width));
  Carried so{generate(b, RankedTensorType::get(shape, type), extents,
                      [&](ValueRange) { return zero(); })};
  if (op.getState())
    so.push_back(
        empty(b, cast<RankedTensorType>(op.getState().getType()),
              {heads[0], heads[1], index(b, rows), index(b, columns)}));
  SmallVector<Sweep> sweeps{{op.getOrder() == TokenOrder::Reversed, true}};
  if (op.getOrder() == TokenOrder::Bidirectional)
    sweeps.push_back({/*isReversed=*/true, /*readsOwn=*/false});
  for (const Sweep &sweep : sweeps)
    so = fold(b, heads, so, [&](ValueRange head, ValueRange so) {
      return sweepHead(sweep, head, so);
    });

  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  extents.back() = index(b, outputType.getDimSize(3));
  Results results = fold(b, tokens, empty(b, outputType, extents),
                         [&](ValueRange token, ValueRange output) {
                           return finishToken(token, so[0], output[0]);
                         });
  if (op.getState())
    results.push_back(so[1]);
  return results;
}

Results reference::defineRecur(ImplicitLocOpBuilder &b, RecurOp op) {
  return RecurDefinition(b, op).run();
}
