//===- DefineMerge.cpp - The meaning of attn.merge --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every batch b, head h and query i, with x[s] = lses[s] of it:
//
//   m   = max over s of x[s] and the sink; 0 if that is -inf
//   n   = sum over s of exp(x[s] - m) + exp(sink - m)
//   out = sum over s of exp(x[s] - m) outputs[s] / n      0 where n is 0
//   lse = m + log(n)
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
/// The definition of one attn.merge.
class MergeDefinition {
public:
  MergeDefinition(ImplicitLocOpBuilder &b, MergeOp op)
      : b(b), op(op),
        type(cast<RankedTensorType>(op.getLses().getType()).getElementType()),
        sets(size(b, op.getLses(), 0)) {}

  Results run();

private:
  Carried defineQuery(ValueRange token, ValueRange results);
  Value readSet(Value stack, Value set, ValueRange rest) {
    SmallVector<Value> at{set};
    llvm::append_range(at, rest);
    return read(b, stack, at);
  }

  ImplicitLocOpBuilder &b;
  MergeOp op;
  Type type; ///< In which everything is evaluated.
  Value sets;
};
} // namespace

/// Sets the output (and lse) of one query in `results`.
Carried MergeDefinition::defineQuery(ValueRange token, ValueRange results) {
  Value sink = number(b, type, -std::numeric_limits<double>::infinity());
  if (!op.getSink().empty())
    sink = evaluate(b, op.getSink(), token);
  auto lse = [&](Value s) { return readSet(op.getLses(), s, token); };
  Value largest = finiteReference(b, max(b, sets, sink, lse));
  auto weight = [&](Value x) -> Value {
    return math::ExpOp::create(b, arith::SubFOp::create(b, x, largest));
  };
  Value total =
      sum(b, sets, weight(sink), [&](Value s) { return weight(lse(s)); });
  auto rowType = RankedTensorType::get(
      cast<RankedTensorType>(op.getOutput().getType()).getDimSize(3), type);
  Value row = generate(b, rowType, [&](ValueRange d) {
    SmallVector<Value> at(token);
    at.push_back(d[0]);
    Value weighted = sum(b, sets, number(b, type, 0.0), [&](Value s) -> Value {
      Value element = convert(b, readSet(op.getOutputs(), s, at), type);
      return arith::MulFOp::create(b, weight(lse(s)), element);
    });
    return quotientOrZero(b, weighted, total);
  });
  Carried updated{setRow(b, results[0], token, row)};
  if (op.getLse())
    updated.push_back(tensor::InsertOp::create(
        b, arith::AddFOp::create(b, largest, math::LogOp::create(b, total)),
        results[1], token));
  return updated;
}

Results MergeDefinition::run() {
  SmallVector<Value> tokens = sizes(b, op.getLses());
  tokens.erase(tokens.begin());
  SmallVector<Value> extents = tokens;
  extents.push_back(size(b, op.getOutputs(), 4));
  Results results{
      empty(b, cast<RankedTensorType>(op.getOutput().getType()), extents)};
  if (op.getLse())
    results.push_back(
        empty(b, cast<RankedTensorType>(op.getLse().getType()), tokens));
  return fold(b, tokens, results, [&](ValueRange token, ValueRange so) {
    return defineQuery(token, so);
  });
}

Results reference::defineMerge(ImplicitLocOpBuilder &b, MergeOp op) {
  return MergeDefinition(b, op).run();
}
