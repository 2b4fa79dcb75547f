//===- DefinePartial.cpp - The meaning of ops over partial results -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With s[r, j] the score of a pair, -inf where there is none:
//
//   t'[r] = max(t[r], max over j of s[r, j])
//   w     = exp(s[r, j] - t'[r])                    c[r] = exp(t[r] - t'[r])
//   l'[r] = c[r] l[r] + sum over j of w[r, j]
//   a'[r] = c[r] a[r] + sum over j of prob(w[r, j]) v[j]
//
// where 0 stands for a t'[r] that is -inf. For the normaliser sum, w = s,
// c = 1 and magnitudes of w are summed; for none there is no sum. Where
// statistics t, l are given, w is divided by l and c = 1.
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

/// exp(x - reference), where 0 stands for a reference of -inf.
static Value exponential(ImplicitLocOpBuilder &b, Value x, Value reference) {
  Value difference = arith::SubFOp::create(b, x, finiteReference(b, reference));
  return math::ExpOp::create(b, difference);
}

namespace {
/// A head and a row of an operand, an index per axis.
struct Token {
  Value head;
  SmallVector<Value> row;
};

/// The definition of one attn.partial.
class PartialDefinition {
public:
  PartialDefinition(ImplicitLocOpBuilder &b, PartialOp op)
      : b(b), op(op), regions(getPairwiseRegions(op)),
        type(op.getAccumulatorType()),
        columnType(RankedTensorType::get({op.getRows()}, type)),
        pairType(RankedTensorType::get({op.getRows(), (int64_t)op.getWidth()},
                                       type)),
        keys(index(b, op.getWidth())),
        isSoftmax(op.getNormalizer() == Normalizer::Softmax),
        isGiven(!op.getStatistics().empty()) {}

  Results run();

private:
  Token query(Value r);
  SmallVector<Value> key(Value c);
  Value rows(Region &region, Value operand, int64_t count,
             function_ref<Token(Value)> token);
  Value keyRows(Region &region, Value operand);
  Pair pair(ValueRange at);
  Value inRange(ValueRange at, const Pair &pair);
  Value existence();
  Value scores(Value query, Value key);
  Value reference();
  Value weight(ValueRange at);
  Value sums(Value correction);
  Value accumulator(Value correction, Value value);
  Value row(Value tensor, Value r) { return read(b, tensor, r); }

  ImplicitLocOpBuilder &b;
  PartialOp op;
  PairwiseRegions regions;
  Type type; ///< In which everything is evaluated.
  RankedTensorType columnType, pairType;
  Value keys;
  bool isSoftmax, isGiven;
  Value exists, s, t; ///< Existence, scores; reference, null if there is none.
};
} // namespace

/// Which query row `r` of the block is.
Token PartialDefinition::query(Value r) {
  SmallVector<Value> token =
      tokenOfBlock(b, op.getFirstQuery(), op.getBoxQ(), op.getStep(), r);
  if (!op.getPacked())
    return {op.getHead(), token};
  Value row = token.front();
  Value numQueries = size(b, op.getQuery(), 2);
  Value first = arith::MulIOp::create(b, op.getHead(),
                                      groupSize(b, op.getQuery(), op.getKey()));
  Value inGroup = arith::DivUIOp::create(b, row, numQueries);
  Value head = arith::AddIOp::create(b, first, inGroup);
  Value ofHead = arith::RemUIOp::create(b, row, numQueries);
  return {head, {ofHead}};
}

/// `count` rows of `operand`, mapped; rows outside are those of a zero vector.
Value PartialDefinition::rows(Region &region, Value operand, int64_t count,
                              function_ref<Token(Value)> token) {
  int64_t from = cast<RankedTensorType>(operand.getType()).getShape().back();
  int64_t width =
      region.empty()
          ? from
          : cast<RankedTensorType>(getYielded(region).getType()).getDimSize(0);
  auto block = RankedTensorType::get({count, width}, type);
  Value batch = batchIn(b, operand, op.getBatch());
  auto setOne = [&](ValueRange at, ValueRange so) -> Carried {
    auto [head, n] = token(at[0]);
    SmallVector<Value> place{batch, head};
    llvm::append_range(place, n);
    Value vector = mapRow(b, region, RankedTensorType::get(from, type), place,
                          [&](Value d) {
                            SmallVector<Value> element(place);
                            element.push_back(d);
                            return readOrZero(b, operand, element);
                          });
    return {setRow(b, so[0], at, vector)};
  };
  Value none = tensor::EmptyOp::create(b, block.getShape(), type);
  return fold(b, index(b, count), none, setOne)[0];
}

/// The block's rows of key or value.
Value PartialDefinition::keyRows(Region &region, Value operand) {
  Value head = op.getHead();
  if (!op.getPacked())
    head = arith::DivUIOp::create(b, head,
                                  groupSize(b, op.getQuery(), op.getKey()));
  return rows(region, operand, op.getWidth(),
              [&](Value r) -> Token { return {head, key(r)}; });
}

/// Which key column `c` of the block is.
SmallVector<Value> PartialDefinition::key(Value c) {
  return tokenOfBlock(b, op.getFirstKey(), op.getBoxK(), op.getStep(), c);
}

Pair PartialDefinition::pair(ValueRange at) {
  auto [head, row] = query(at[0]);
  if (row.size() == 1)
    row[0] = position(b, op.getAlignment(), op.getQuery(), op.getKey(), row[0]);
  return {op.getBatch(), head, row, key(at[1])};
}

/// Whether `pair`, which stands at `at` in the block, is of a key that exists
/// and in the range of its row; null if all are.
Value PartialDefinition::inRange(ValueRange at, const Pair &pair) {
  Value result;
  for (auto [axis, index] : llvm::enumerate(pair.key)) {
    if (!op.getBounded())
      break;
    Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index,
                                         size(b, op.getKey(), 2 + axis));
    result = result ? arith::AndIOp::create(b, result, exists) : exists;
  }
  if (op.getRanges().empty())
    return result;
  Value trimmed = isInRange(b, op.getRanges(), *op.getRangeRows(), at);
  return result ? Value(arith::AndIOp::create(b, result, trimmed)) : trimmed;
}

/// Which pairs of the block exist.
Value PartialDefinition::existence() {
  return generate(b, pairType.clone(b.getI1Type()), [&](ValueRange at) {
    Pair one = pair(at);
    return pairExists(b, regions, one, inRange(at, one));
  });
}

/// s, over the rows and columns of the block.
Value PartialDefinition::scores(Value query, Value key) {
  return generate(b, pairType, [&](ValueRange at) {
    auto product = [&] { return dotRows(b, type, query, at[0], key, at[1]); };
    return pairScore(b, regions, op.getScale().convertToDouble(), type,
                     pair(at), read(b, exists, at), product);
  });
}

/// t', or the one that is given.
Value PartialDefinition::reference() {
  if (isGiven)
    return op.getStatistics().front();
  return generate(b, columnType, [&](ValueRange r) {
    return max(b, keys, row(op.getInit().front(), r[0]),
               [&](Value j) { return read(b, s, {r[0], j}); });
  });
}

/// w of a pair that exists; 0 otherwise.
Value PartialDefinition::weight(ValueRange at) {
  auto some = [&]() -> Value {
    Value w = read(b, s, at);
    if (isSoftmax)
      w = exponential(b, w, row(t, at[0]));
    if (isGiven)
      w = quotientOrZero(b, w, row(op.getStatistics().back(), at[0]));
    return w;
  };
  return choose(b, read(b, exists, at), some,
                [&] { return number(b, type, 0.0); });
}

/// l'.
Value PartialDefinition::sums(Value correction) {
  Value before = op.getInit()[isSoftmax ? 1 : 0];
  return generate(b, columnType, [&](ValueRange r) {
    Value init = row(before, r[0]);
    if (correction)
      init = arith::MulFOp::create(b, row(correction, r[0]), init);
    return sum(b, keys, init, [&](Value j) -> Value {
      return math::AbsFOp::create(b, weight({r[0], j}));
    });
  });
}

/// a'.
Value PartialDefinition::accumulator(Value correction, Value value) {
  Value factors = generate(b, pairType, [&](ValueRange at) {
    return valueFactor(b, regions, pair(at), weight(at));
  });
  Value before = op.getInit().back();
  return generate(
      b, cast<RankedTensorType>(before.getType()), [&](ValueRange at) {
        Value init = read(b, before, at);
        if (correction)
          init = arith::MulFOp::create(b, row(correction, at[0]), init);
        return sum(b, keys, init, [&](Value j) {
          return termIf(b, read(b, exists, {at[0], j}),
                        read(b, factors, {at[0], j}),
                        read(b, value, {j, at[1]}));
        });
      });
}

Results PartialDefinition::run() {
  Value query = rows(op.getQueryRows(), op.getQuery(), op.getRows(),
                     [&](Value r) { return this->query(r); });
  Value key = keyRows(op.getKeyRows(), op.getKey());
  exists = existence();
  s = scores(query, key);

  Results state;
  Value correction;
  if (isSoftmax)
    t = reference();
  if (isSoftmax && !isGiven) {
    Value before = op.getInit().front();
    correction = generate(b, columnType, [&](ValueRange r) {
      return exponential(b, row(before, r[0]), row(t, r[0]));
    });
    state.push_back(t);
  }
  if (op.getNormalizer() != Normalizer::None && !isGiven)
    state.push_back(sums(correction));
  if (op.accumulates())
    state.push_back(
        accumulator(correction, keyRows(op.getValueRows(), op.getValue())));
  return state;
}

Results reference::definePartial(ImplicitLocOpBuilder &b, PartialOp op) {
  return PartialDefinition(b, op).run();
}

Results reference::defineAddSink(ImplicitLocOpBuilder &b, AddSinkOp op) {
  Value t = op.getInit()[0], l = op.getInit()[1];
  auto columnType = cast<RankedTensorType>(t.getType());
  Value sink = generate(b, columnType, [&](ValueRange r) {
    SmallVector<Value> arguments{op.getBatch(), op.getHead()};
    llvm::append_range(arguments, tokenOfBlock(b, op.getPosition(), op.getBox(),
                                               op.getStep(), r[0]));
    return evaluate(b, op.getSink(), arguments);
  });
  Value larger = generate(b, columnType, [&](ValueRange r) -> Value {
    return arith::MaximumFOp::create(b, read(b, t, r), read(b, sink, r));
  });
  auto shrink = [&](Value part, ValueRange at) -> Value {
    Value factor = exponential(b, read(b, t, at[0]), read(b, larger, at[0]));
    return arith::MulFOp::create(b, factor, read(b, part, at));
  };
  Results state{larger};
  state.push_back(generate(b, columnType, [&](ValueRange r) -> Value {
    return arith::AddFOp::create(
        b, shrink(l, r), exponential(b, read(b, sink, r), read(b, larger, r)));
  }));
  if (op.getInit().size() == 3)
    state.push_back(
        generate(b, cast<RankedTensorType>(op.getInit()[2].getType()),
                 [&](ValueRange at) { return shrink(op.getInit()[2], at); }));
  return state;
}

Results reference::defineFinish(ImplicitLocOpBuilder &b, FinishOp op) {
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  ValueRange state = op.getState();
  Results results{generate(b, outputType, [&](ValueRange at) {
    Value element = read(b, state.back(), at);
    if (state.size() > 1 && !op.getNormalized())
      element =
          quotientOrZero(b, element, read(b, state[state.size() - 2], at[0]));
    return convert(b, element, outputType.getElementType());
  })};
  if (!op.getLse())
    return results;
  auto lseType = cast<RankedTensorType>(op.getLse().getType());
  results.push_back(generate(b, lseType, [&](ValueRange at) -> Value {
    // Without a key, t is -inf and log(l) is too.
    return arith::AddFOp::create(b, read(b, state[0], at),
                                 math::LogOp::create(b, read(b, state[1], at)));
  }));
  return results;
}
