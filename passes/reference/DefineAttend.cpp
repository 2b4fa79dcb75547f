//===- DefineAttend.cpp - The meaning of attn.attend and attn.map_rows -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every batch b, query head h and query i, with A the pairs that exist:
//
//   s[j] = score(scale * <query_rows(q[i]), key_rows(k[j])>)   -inf outside of
//   A m    = max over j of s[j]                                  0 if that is
//   -inf lse  = m + log(sum over j of exp(s[j] - m)) out  = sum over j in A of
//   exp(s[j] - lse) value_rows(v[j])
//
// Subtracting m changes nothing but the range of the exponential. Without any
// pair, the sum is 0, so lse is -inf and out an empty sum.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/PairScores.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

namespace {
/// The definition of one attn.attend.
class AttendDefinition {
public:
  AttendDefinition(ImplicitLocOpBuilder &b, AttendOp op)
      : b(b), op(op), type(op.getAccumulatorType()) {}

  Results run();

private:
  Carried defineQuery(ValueRange token, ValueRange results);
  Value scores(ValueRange token, Value keyHead);
  Value logSumExp(Value scores);
  Value output(ValueRange token, Value keyHead, Value scores, Value lse);

  ImplicitLocOpBuilder &b;
  AttendOp op;
  Type type;               ///< In which everything is evaluated.
  Value query, key, value; ///< Mapped.
};
} // namespace

/// s, a vector over all keys.
Value AttendDefinition::scores(ValueRange token, Value keyHead) {
  Value batch = token[0], head = token[1], row = token[2];
  Value i = position(b, op.getAlignment(), query, key, row);
  auto vector = RankedTensorType::get(ShapedType::kDynamic, type);
  return generate(b, vector, size(b, key, 2), [&](ValueRange at) {
    Value j = at[0];
    auto product = [&] {
      return dotRows(b, type, query, token, key, {batch, keyHead, j});
    };
    return pairScore(b, getPairwiseRegions(op), op.getScaleValue(), type,
                     {batch, head, i, j}, /*exists=*/Value(), product);
  });
}

Value AttendDefinition::logSumExp(Value scores) {
  Value count = size(b, scores, 0);
  Value lowest = number(b, type, -std::numeric_limits<double>::infinity());
  Value largest = finiteReference(
      b, max(b, count, lowest, [&](Value j) { return read(b, scores, j); }));
  Value total = sum(b, count, number(b, type, 0.0), [&](Value j) -> Value {
    return math::ExpOp::create(
        b, arith::SubFOp::create(b, read(b, scores, j), largest));
  });
  return arith::AddFOp::create(b, largest, math::LogOp::create(b, total));
}

/// The weighted sum of value rows, a vector over features.
Value AttendDefinition::output(ValueRange token, Value keyHead, Value scores,
                               Value lse) {
  int64_t width = cast<RankedTensorType>(value.getType()).getDimSize(3);
  Value zeros = generate(b, RankedTensorType::get(width, type),
                         [&](ValueRange) { return number(b, type, 0.0); });
  auto addKey = [&](ValueRange j, ValueRange so) -> Carried {
    Value score = read(b, scores, j[0]);
    Value weight = math::ExpOp::create(b, arith::SubFOp::create(b, score, lse));
    auto addFeature = [&](ValueRange d, ValueRange row) -> Carried {
      Value element =
          convert(b, read(b, value, {token[0], keyHead, j[0], d[0]}), type);
      Value sum = arith::AddFOp::create(b, read(b, row[0], d[0]),
                                        weighted(b, score, weight, element));
      return {tensor::InsertOp::create(b, sum, row[0], d[0])};
    };
    return fold(b, index(b, width), so[0], addFeature);
  };
  return fold(b, size(b, key, 2), zeros, addKey)[0];
}

/// Sets the output (and lse) of one query in `results`.
Carried AttendDefinition::defineQuery(ValueRange token, ValueRange results) {
  Value keyHead = arith::DivUIOp::create(b, token[1], groupSize(b, query, key));
  Value s = scores(token, keyHead);
  Value lse = logSumExp(s);
  Carried updated{setRow(b, results[0], token, output(token, keyHead, s, lse))};
  if (op.getLse())
    updated.push_back(tensor::InsertOp::create(b, lse, results[1], token));
  return updated;
}

Results AttendDefinition::run() {
  query = mapAllRows(b, op.getQueryRows(), op.getQuery(), type);
  key = mapAllRows(b, op.getKeyRows(), op.getKey(), type);
  value = mapAllRows(b, op.getValueRows(), op.getValue(), type);

  SmallVector<Value> tokens = sizes(b, query), extents = tokens;
  tokens.pop_back();
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  extents.back() = index(b, outputType.getDimSize(3));
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
