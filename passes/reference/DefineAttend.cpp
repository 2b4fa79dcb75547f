//===- DefineAttend.cpp - The meaning of attn.attend and attn.map_rows -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every batch b, query head h and query i, with A the pairs that exist (on
// a grid, i is a tuple of indices, and keys j are counted row by row):
//
//   s[j] = score(scale * <query_rows(q[i]), key_rows(k[j])>)
//   p[j] = s[j] normalised over A (see `weight`)
//   out  = sum over j in A of prob(p[j]) value_rows(v[j])
//
// With segments, A has the keys of the sequence of i only; regions are given
// its number in the place of b, and positions in it.
//
// With mix_scores(w), the product of head h is the sum over heads f of w[f, h]
// times the product of f. With mix_weights(u), the factor prob(p[j]) of head h
// is the sum over heads f of u[f, h] times that of f.
//
// For softmax, m = max over A of s[j] and the sink; 0 if that is -inf:
//
//   n    = sum over A of exp(s[j] - m) + exp(sink - m)
//   p[j] = exp(s[j] - m) / n
//   lse  = m + log(n)
//
// Under precision(tf32) the factors of f32 in <q[i], k[j]> and in the sum of
// values are rounded. So the definition in f32 has the errors that are asked
// for.
//
// Subtracting m changes nothing but the range of the exponential, and keeps p
// exact where m is so large that log(n) does not change it. Without any pair, n
// is 0, so lse is -inf and out an empty sum.
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
/// What the scores of one query are normalised with, as far as there is one.
struct Statistics {
  Value reference; ///< m
  Value sum;       ///< n
};

/// The definition of one attn.attend.
class AttendDefinition {
public:
  AttendDefinition(ImplicitLocOpBuilder &b, AttendOp op)
      : b(b), op(op), regions(getPairwiseRegions(op)),
        type(op.getAccumulatorType()) {}

  Results run();

private:
  Carried defineQuery(ValueRange token, ValueRange results);
  void enterSegment(Value row);
  Value batchIndex(ValueRange token);
  SmallVector<Value> queryIndices(ValueRange token);
  SmallVector<Value> keyIndices(Value j);
  Value countKeys();
  Pair pair(ValueRange token, Value j);
  Value exists(ValueRange token, Value j);
  Value product(ValueRange token, Value j);
  Value scores(ValueRange token);
  Statistics statistics(ValueRange token, Value scores);
  Statistics softmaxStatistics(ValueRange token, Value scores);
  Value sumOfMagnitudes(ValueRange token, Value scores);
  Value weight(Value score, const Statistics &of);
  Value factors(ValueRange token, Value scores, const Statistics &of);
  Value mixedFactors(ValueRange token);
  Value output(ValueRange token, Value factors);
  Value asFactor(Value value) {
    return op.allowsTf32() ? roundToTf32(b, value) : value;
  }
  Value keyHead(ValueRange token) {
    return arith::DivUIOp::create(b, token[1], groupSize(b, query, key));
  }

  ImplicitLocOpBuilder &b;
  AttendOp op;
  PairwiseRegions regions;
  Type type;               ///< In which everything is evaluated.
  Value query, key, value; ///< Mapped.
  /// With segments, where the sequence of the query lies among keys and
  /// queries.
  std::optional<SegmentOfToken> ofKeys, ofQueries;
};
} // namespace

/// Finds the sequence of query `row`.
void AttendDefinition::enterSegment(Value row) {
  Value segments = op.getQuerySegments();
  if (!segments)
    return;
  ofKeys = findSegment(b, segments, op.getOffsetsOfKeys(), countKeys(), row);
  ofQueries = findSegment(b, segments, segments, size(b, query, 2), row);
}

/// The batch that regions are told of.
Value AttendDefinition::batchIndex(ValueRange token) {
  return ofKeys ? ofKeys->number : token[0];
}

/// What regions are told of the query at `token`, [b, h, x0, ..].
SmallVector<Value> AttendDefinition::queryIndices(ValueRange token) {
  SmallVector<Value> indices(token.drop_front(2));
  if (ofKeys && op.getAlignment() == Alignment::End) {
    Value fromEnd = arith::SubIOp::create(b, indices[0], ofQueries->end);
    Value length = arith::SubIOp::create(b, ofKeys->end, ofKeys->begin);
    indices[0] = arith::AddIOp::create(b, fromEnd, length);
  } else if (ofKeys) {
    indices[0] = arith::SubIOp::create(b, indices[0], ofQueries->begin);
  } else if (indices.size() == 1)
    indices[0] = position(b, op.getAlignment(), query, key, indices[0]);
  return indices;
}

/// Keys are counted through the grid, row by row.
Value AttendDefinition::countKeys() {
  Value count = size(b, key, 2);
  for (int64_t axis = 1; axis < op.getNumAxes(); ++axis)
    count = arith::MulIOp::create(b, count, size(b, key, 2 + axis));
  return count;
}

/// The indices of key `j` of them.
SmallVector<Value> AttendDefinition::keyIndices(Value j) {
  SmallVector<Value> all = sizes(b, key);
  return unflatten(b, j, ArrayRef(all).slice(2, op.getNumAxes()));
}

Pair AttendDefinition::pair(ValueRange token, Value j) {
  SmallVector<Value> keys = keyIndices(j);
  if (ofKeys)
    keys[0] = arith::SubIOp::create(b, keys[0], ofKeys->begin);
  return {batchIndex(token), token[1], queryIndices(token), keys};
}

Value AttendDefinition::exists(ValueRange token, Value j) {
  Value kept = pairIsVisited(b, op, pair(token, j), token[2]);
  if (!ofKeys)
    return kept;
  Value hasBegun =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sle, ofKeys->begin, j);
  Value isBefore =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, j, ofKeys->end);
  kept = arith::AndIOp::create(b, kept, hasBegun);
  return arith::AndIOp::create(b, kept, isBefore);
}

/// The product of two rows, mixed with those of the other heads if asked for.
Value AttendDefinition::product(ValueRange token, Value j) {
  auto ofHead = [&](Value head) {
    Value keyHead = arith::DivUIOp::create(b, head, groupSize(b, query, key));
    SmallVector<Value> queryRow{batchIn(b, query, token[0]), head},
        keyRow{batchIn(b, key, token[0]), keyHead};
    llvm::append_range(queryRow, token.drop_front(2));
    llvm::append_range(keyRow, keyIndices(j));
    return dotRows(b, type, query, queryRow, key, keyRow,
                   [&](Value value) { return asFactor(value); });
  };
  if (!op.getMixScores())
    return ofHead(token[1]);
  return sum(b, size(b, query, 1), number(b, type, 0.0), [&](Value f) -> Value {
    Value share = convert(b, read(b, op.getMixScores(), {f, token[1]}), type);
    return arith::MulFOp::create(b, share, ofHead(f));
  });
}

/// s, a vector over all keys; -inf outside of A.
Value AttendDefinition::scores(ValueRange token) {
  auto vector = RankedTensorType::get(ShapedType::kDynamic, type);
  return generate(b, vector, countKeys(), [&](ValueRange at) {
    auto product = [&] { return this->product(token, at[0]); };
    return pairScore(b, regions, op.getScaleValue(), type, pair(token, at[0]),
                     exists(token, at[0]), product);
  });
}

Statistics AttendDefinition::softmaxStatistics(ValueRange token, Value scores) {
  Value count = size(b, scores, 0);
  Value sink = number(b, type, -std::numeric_limits<double>::infinity());
  if (!op.getSink().empty()) {
    SmallVector<Value> arguments{batchIndex(token), token[1]};
    llvm::append_range(arguments, queryIndices(token));
    sink = evaluate(b, op.getSink(), arguments);
  }
  auto score = [&](Value j) { return read(b, scores, j); };
  Value largest = finiteReference(b, max(b, count, sink, score));
  auto exponential = [&](Value s) -> Value {
    return math::ExpOp::create(b, arith::SubFOp::create(b, s, largest));
  };
  Value total = sum(b, count, exponential(sink),
                    [&](Value j) { return exponential(score(j)); });
  return {largest, total};
}

Value AttendDefinition::sumOfMagnitudes(ValueRange token, Value scores) {
  Value zero = number(b, type, 0.0);
  return sum(b, size(b, scores, 0), zero, [&](Value j) {
    return choose(
        b, exists(token, j),
        [&]() -> Value { return math::AbsFOp::create(b, read(b, scores, j)); },
        [&] { return zero; });
  });
}

Statistics AttendDefinition::statistics(ValueRange token, Value scores) {
  switch (op.getNormalizer()) {
  case Normalizer::Softmax:
    return softmaxStatistics(token, scores);
  case Normalizer::Sum:
    return {Value(), sumOfMagnitudes(token, scores)};
  case Normalizer::None:
    return {};
  }
  llvm_unreachable("a normalizer has one of three values");
}

/// p of a pair that exists.
Value AttendDefinition::weight(Value score, const Statistics &of) {
  Value weight = score;
  if (of.reference)
    weight =
        math::ExpOp::create(b, arith::SubFOp::create(b, score, of.reference));
  return of.sum ? quotientOrZero(b, weight, of.sum) : weight;
}

/// What each value is multiplied by, a vector over all keys; 0 outside of A.
Value AttendDefinition::factors(ValueRange token, Value scores,
                                const Statistics &of) {
  auto vector = RankedTensorType::get(ShapedType::kDynamic, type);
  return generate(b, vector, countKeys(), [&](ValueRange j) {
    return choose(
        b, exists(token, j[0]),
        [&] {
          return valueFactor(b, regions, pair(token, j[0]),
                             weight(read(b, scores, j[0]), of));
        },
        [&] { return number(b, type, 0.0); });
  });
}

/// The factors of all heads, mixed for the head of `token`.
Value AttendDefinition::mixedFactors(ValueRange token) {
  auto vector = RankedTensorType::get(ShapedType::kDynamic, type);
  Value none = generate(b, vector, countKeys(),
                        [&](ValueRange) { return number(b, type, 0.0); });
  auto addHead = [&](ValueRange f, ValueRange so) -> Carried {
    SmallVector<Value> other(token);
    other[1] = f[0];
    Value scores = this->scores(other);
    Value own = factors(other, scores, statistics(other, scores));
    Value share =
        convert(b, read(b, op.getMixWeights(), {f[0], token[1]}), type);
    return {generate(b, vector, countKeys(), [&](ValueRange j) -> Value {
      Value term = arith::MulFOp::create(b, share, read(b, own, j));
      return arith::AddFOp::create(b, read(b, so[0], j), term);
    })};
  };
  return fold(b, size(b, query, 1), none, addHead)[0];
}

/// The weighted sum of value rows, a vector over features.
Value AttendDefinition::output(ValueRange token, Value factors) {
  Value head = keyHead(token), batch = batchIn(b, value, token[0]);
  int64_t features = cast<RankedTensorType>(value.getType()).getShape().back();
  Value width = index(b, features);
  Value zeros = generate(b, RankedTensorType::get(features, type),
                         [&](ValueRange) { return number(b, type, 0.0); });
  auto addKey = [&](ValueRange j, ValueRange so) -> Carried {
    Value factor = asFactor(read(b, factors, j[0]));
    // Mixed weights of a pair may come from any head.
    Value kept = op.getMixWeights()
                     ? Value(arith::ConstantOp::create(b, b.getBoolAttr(true)))
                     : exists(token, j[0]);
    SmallVector<Value> at{batch, head};
    llvm::append_range(at, keyIndices(j[0]));
    at.push_back(Value());
    auto addFeature = [&](ValueRange d, ValueRange row) -> Carried {
      at.back() = d[0];
      Value element = asFactor(convert(b, read(b, value, at), type));
      Value term = termIf(b, kept, factor, element);
      Value sum = arith::AddFOp::create(b, read(b, row[0], d[0]), term);
      return {tensor::InsertOp::create(b, sum, row[0], d[0])};
    };
    return fold(b, width, so[0], addFeature);
  };
  return fold(b, countKeys(), zeros, addKey)[0];
}

/// Sets the output (and lse) of one query in `results`.
Carried AttendDefinition::defineQuery(ValueRange token, ValueRange results) {
  enterSegment(token[2]);
  Value s = scores(token);
  Statistics of = statistics(token, s);
  Value f = op.getMixWeights() ? mixedFactors(token) : factors(token, s, of);
  Carried updated{setRow(b, results[0], token, output(token, f))};
  if (op.getLse()) {
    Value lse =
        arith::AddFOp::create(b, of.reference, math::LogOp::create(b, of.sum));
    updated.push_back(tensor::InsertOp::create(b, lse, results[1], token));
  }
  return updated;
}

Results AttendDefinition::run() {
  query = mapAllRows(b, op.getQueryRows(), op.getQuery(), type);
  key = mapAllRows(b, op.getKeyRows(), op.getKey(), type);
  value = mapAllRows(b, op.getValueRows(), op.getValue(), type);

  SmallVector<Value> tokens = sizes(b, query);
  tokens.front() = size(b, op.getBatchOperand(), 0);
  SmallVector<Value> extents = tokens;
  tokens.pop_back();
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  extents.back() = index(b, outputType.getShape().back());
  Results results{empty(b, outputType, extents)};
  if (op.getLse())
    results.push_back(
        empty(b, cast<RankedTensorType>(op.getLse().getType()), tokens));
  return fold(b, tokens, results, [&](ValueRange token, ValueRange so) {
    return defineQuery(token, so);
  });
}

Results reference::defineAttend(ImplicitLocOpBuilder &b, AttendOp op) {
  return AttendDefinition(b, op).run();
}

Results reference::defineMapRows(ImplicitLocOpBuilder &b, MapRowsOp op) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  Value mapped =
      mapAllRows(b, op.getRows(), op.getInput(), type.getElementType());
  if (mapped.getType() == type)
    return {mapped};
  // The static sizes of operand and result may be known on one side only.
  return {tensor::CastOp::create(b, type, mapped)};
}
