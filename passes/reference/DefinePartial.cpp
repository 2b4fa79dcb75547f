//===- DefinePartial.cpp - The meaning of attn.partial and attn.finish -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A partial result is kept in the domain of log2: with c = log2(e),
//
//   s[r, j] = c * score of the pair                    -inf where there is none
//   t'[r]   = max(t[r], max over j of s[r, j])
//   l'[r]   = 2^(t[r] - t'[r]) l[r] + sum over j of 2^(s[r, j] - t'[r])
//   a'[r]   = 2^(t[r] - t'[r]) a[r] + sum over j of 2^(s[r, j] - t'[r]) v[j]
//
// where 0 stands for a t'[r] that is -inf.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/PairScores.h"
#include <numbers>

using namespace mlir;
using namespace attn;
using namespace attn::reference;

namespace {
/// The definition of one attn.partial.
class PartialDefinition {
public:
  PartialDefinition(ImplicitLocOpBuilder &b, PartialOp op)
      : b(b), op(op), type(op.getAccumulatorType()),
        tupleType(cast<RankedTensorType>(op.getSum().getType())),
        pairType(RankedTensorType::get({op.getRows(), (int64_t)op.getWidth()},
                                       type)) {}

  Results run();

private:
  Value rows(Region &region, Value operand, Value head, Value first,
             int64_t count);
  Value scores(Value query, Value key);
  Value exponential(Value exponent, Value reference);
  Value row(Value tensor, Value r) { return read(b, tensor, r); }

  ImplicitLocOpBuilder &b;
  PartialOp op;
  Type type; ///< In which everything is evaluated.
  RankedTensorType tupleType, pairType;
};
} // namespace

/// `count` rows of `operand` from `first` on, mapped; rows outside are those of
/// a zero vector.
Value PartialDefinition::rows(Region &region, Value operand, Value head,
                              Value first, int64_t count) {
  int64_t from = cast<RankedTensorType>(operand.getType()).getDimSize(3);
  int64_t width =
      region.empty()
          ? from
          : cast<RankedTensorType>(getYielded(region).getType()).getDimSize(0);
  auto block = RankedTensorType::get({count, width}, type);
  auto setOne = [&](ValueRange at, ValueRange so) -> Carried {
    Value n = arith::AddIOp::create(b, first, at[0]);
    Value vector =
        mapRow(b, region, RankedTensorType::get(from, type),
               {op.getBatch(), head, n}, [&](Value d) {
                 return readOrZero(b, operand, {op.getBatch(), head, n, d});
               });
    return {setRow(b, so[0], at, vector)};
  };
  Value none = tensor::EmptyOp::create(b, block.getShape(), type);
  return fold(b, index(b, count), none, setOne)[0];
}

/// s, over the rows and columns of the block.
Value PartialDefinition::scores(Value query, Value key) {
  Value first =
      position(b, op.getAlignment(), op.getQuery(), op.getKey(), op.getRow());
  return generate(b, pairType, [&](ValueRange at) -> Value {
    Value i = arith::AddIOp::create(b, first, at[0]);
    Value j = arith::AddIOp::create(b, op.getCol(), at[1]);
    Value exists;
    if (op.getBounded())
      exists = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, j,
                                     size(b, op.getKey(), 2));
    auto product = [&] { return dotRows(b, type, query, at[0], key, at[1]); };
    Value score =
        pairScore(b, getPairwiseRegions(op), op.getScale().convertToDouble(),
                  type, {op.getBatch(), op.getHead(), i, j}, exists, product);
    return arith::MulFOp::create(b, number(b, type, std::numbers::log2e),
                                 score);
  });
}

/// 2^(exponent - reference).
Value PartialDefinition::exponential(Value exponent, Value reference) {
  Value difference =
      arith::SubFOp::create(b, exponent, finiteReference(b, reference));
  return math::Exp2Op::create(b, difference);
}

Results PartialDefinition::run() {
  Value keyHead = arith::DivUIOp::create(
      b, op.getHead(), groupSize(b, op.getQuery(), op.getKey()));
  int64_t width = op.getWidth();
  Value query = rows(op.getQueryRows(), op.getQuery(), op.getHead(),
                     op.getRow(), op.getRows());
  Value key = rows(op.getKeyRows(), op.getKey(), keyHead, op.getCol(), width);
  Value value =
      rows(op.getValueRows(), op.getValue(), keyHead, op.getCol(), width);
  Value s = scores(query, key), keys = index(b, width);

  Value t = generate(b, tupleType, [&](ValueRange r) {
    return max(b, keys, row(op.getInitReference(), r[0]),
               [&](Value j) { return read(b, s, {r[0], j}); });
  });
  Value weights = generate(b, pairType, [&](ValueRange at) {
    return exponential(read(b, s, at), row(t, at[0]));
  });
  Value correction = generate(b, tupleType, [&](ValueRange r) {
    return exponential(row(op.getInitReference(), r[0]), row(t, r[0]));
  });
  Value l = generate(b, tupleType, [&](ValueRange r) {
    Value before = arith::MulFOp::create(b, row(correction, r[0]),
                                         row(op.getInitSum(), r[0]));
    return sum(b, keys, before,
               [&](Value j) { return read(b, weights, {r[0], j}); });
  });
  auto accumulatorType = cast<RankedTensorType>(op.getAccumulator().getType());
  Value a = generate(b, accumulatorType, [&](ValueRange at) {
    Value before = arith::MulFOp::create(b, row(correction, at[0]),
                                         read(b, op.getInitAccumulator(), at));
    return sum(b, keys, before, [&](Value j) {
      return weighted(b, read(b, s, {at[0], j}), read(b, weights, {at[0], j}),
                      read(b, value, {j, at[1]}));
    });
  });
  return {t, l, a};
}

Results reference::definePartial(ImplicitLocOpBuilder &b, PartialOp op) {
  return PartialDefinition(b, op).run();
}

Results reference::defineFinish(ImplicitLocOpBuilder &b, FinishOp op) {
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  auto lseType = cast<RankedTensorType>(op.getLse().getType());
  Type type = lseType.getElementType();
  auto ifAny = [&](Value l, Value value, double otherwise) -> Value {
    Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, l,
                                       number(b, type, 0.0));
    return arith::SelectOp::create(b, none, number(b, type, otherwise), value);
  };
  Value output = generate(b, outputType, [&](ValueRange at) {
    Value l = read(b, op.getSum(), at[0]);
    Value mean = arith::DivFOp::create(b, read(b, op.getAccumulator(), at), l);
    return convert(b, ifAny(l, mean, 0.0), outputType.getElementType());
  });
  Value lse = generate(b, lseType, [&](ValueRange at) {
    Value l = read(b, op.getSum(), at);
    Value log2 = arith::AddFOp::create(b, read(b, op.getReference(), at),
                                       math::Log2Op::create(b, l));
    Value natural =
        arith::MulFOp::create(b, log2, number(b, type, std::numbers::ln2));
    return ifAny(l, natural, -std::numeric_limits<double>::infinity());
  });
  return {output, lse};
}
