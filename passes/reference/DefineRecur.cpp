//===- DefineRecur.cpp - The meaning of attn.recur --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every batch (or segment) and head, a matrix S, first `initial` or 0, goes
// from token to token (RecurSteps.h). The bidirectional order is two such
// sweeps, of which the second one does not read what a token wrote itself. In
// the end
//
//   out[t] = norm(scale num[t], scale den[t])
//
// A chunk is the same for some tokens and some columns of S.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/PairScores.h"
#include "passes/reference/RecurSteps.h"
#include "passes/reference/ScalarRegions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// The row of a token from `sum`, which gives the sums of its columns: scaled
/// and normalised.
template <typename OpT>
static Value finishRow(ImplicitLocOpBuilder &b, OpT op, const Recurrence &of,
                       ValueRange token, function_ref<Value(Value)> sum) {
  auto scaled = [&](Value e) -> Value {
    return arith::MulFOp::create(b, number(b, of.type, op.getScaleValue()),
                                 sum(e));
  };
  Value row = generate(b, RankedTensorType::get(of.columns, of.type),
                       [&](ValueRange e) { return scaled(e[0]); });
  if (op.getNorm().empty())
    return row;
  Value denominator = of.hasDenominator ? scaled(index(b, of.columns))
                                        : number(b, of.type, 0.0);
  return evaluate(b, op.getNorm(),
                  {row, denominator, token[0], token[1], token[2]});
}

namespace {
/// The definition of one attn.recur.
class RecurDefinition {
public:
  RecurDefinition(ImplicitLocOpBuilder &b, RecurOp op)
      : b(b), op(op), of(getRecurrence(b, op, op.getStateColumns())),
        steps(b, of) {}

  Results run();

private:
  Value offsetOf(Value segment, Value least);
  Value zeroIfOutside(Value token, Value row);
  Value initialState(ValueRange head);
  Carried sweepHead(const Sweep &sweep, ValueRange head, ValueRange results);
  Carried finishToken(ValueRange token, Value sums, Value output);

  ImplicitLocOpBuilder &b;
  RecurOp op;
  Recurrence of;
  RecurSteps steps;
};
} // namespace

Value RecurDefinition::initialState(ValueRange head) {
  Value initial = op.getInitial();
  return generate(b, RankedTensorType::get({of.rows, of.getWidth()}, of.type),
                  [&](ValueRange at) -> Value {
                    if (!initial)
                      return number(b, of.type, 0.0);
                    return read(
                        b, initial,
                        {batchIn(b, initial, head[0]), head[1], at[0], at[1]});
                  });
}

/// Where `segment` begins, between `least` and N.
Value RecurDefinition::offsetOf(Value segment, Value least) {
  Value given = read(b, op.getSegments(), segment);
  Value offset = arith::IndexCastOp::create(b, b.getIndexType(), given);
  return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, offset, least),
                                size(b, of.value, 2));
}

/// `row` of a token of a segment; 0 behind the last offset.
Value RecurDefinition::zeroIfOutside(Value token, Value row) {
  if (!op.getSegments())
    return row;
  Value last =
      arith::SubIOp::create(b, size(b, op.getSegments(), 0), index(b, 1));
  Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, token,
                                       offsetOf(last, index(b, 0)));
  auto type = cast<RankedTensorType>(row.getType());
  return generate(b, type, [&](ValueRange e) -> Value {
    return arith::SelectOp::create(b, exists, read(b, row, e),
                                   number(b, type.getElementType(), 0.0));
  });
}

/// All tokens of a head of a batch or segment, adding to `results[0]`, the
/// sums; `results[1]`, if there is one, gets the last state.
Carried RecurDefinition::sweepHead(const Sweep &sweep, ValueRange head,
                                   ValueRange results) {
  Value batch = head[0], begin, tokens = size(b, of.value, 2);
  if (op.getSegments()) {
    batch = index(b, 0);
    begin = offsetOf(head[0], batch);
    Value next = arith::AddIOp::create(b, head[0], index(b, 1));
    tokens = arith::SubIOp::create(b, offsetOf(next, begin), begin);
  }
  auto step = [&](ValueRange n, ValueRange so) {
    Value row = n[0];
    if (sweep.isReversed) {
      Value last = arith::SubIOp::create(b, tokens, index(b, 1));
      row = arith::SubIOp::create(b, last, row);
    }
    if (begin)
      row = arith::AddIOp::create(b, begin, row);
    SmallVector<Value> at{batch, head[1], row};
    return steps.visit(sweep, {at, at, so[0], so[1]});
  };
  Carried after = fold(b, tokens, {initialState(head), results[0]}, step);
  Carried updated{after[1]};
  if (results.size() < 2)
    return updated;
  auto keep = [&](ValueRange at, ValueRange so) -> Carried {
    return {
        tensor::InsertOp::create(b, read(b, after[0], at), so[0],
                                 ValueRange{head[0], head[1], at[0], at[1]})};
  };
  updated.push_back(
      fold(b, {index(b, of.rows), index(b, of.columns)}, results[1], keep)[0]);
  return updated;
}

/// Sets the output of one token.
Carried RecurDefinition::finishToken(ValueRange token, Value sums,
                                     Value output) {
  Value row = finishRow(b, op, of, token, [&](Value e) {
    SmallVector<Value> at(token);
    at.push_back(e);
    return read(b, sums, at);
  });
  return {setRow(b, output, token, zeroIfOutside(token[2], row))};
}

Results RecurDefinition::run() {
  SmallVector<Value> tokens = sizes(b, of.value);
  tokens.pop_back();
  SmallVector<Value> heads(ArrayRef<Value>(tokens).drop_back());
  if (op.getSegments())
    heads[0] = getValueOrCreateConstantIndexOp(
        b, b.getLoc(), countSegments(b, b.getLoc(), op.getSegments()));
  auto shape = SmallVector<int64_t>(
      cast<RankedTensorType>(of.value.getType()).getShape());
  shape.back() = of.getWidth();
  SmallVector<Value> extents(tokens);
  extents.push_back(index(b, of.getWidth()));
  Carried so{generate(b, RankedTensorType::get(shape, of.type), extents,
                      [&](ValueRange) { return number(b, of.type, 0.0); })};
  if (op.getState())
    so.push_back(
        empty(b, cast<RankedTensorType>(op.getState().getType()),
              {heads[0], heads[1], index(b, of.rows), index(b, of.columns)}));
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

//===----------------------------------------------------------------------===//
// Chunks
//===----------------------------------------------------------------------===//

Results reference::defineLoadState(ImplicitLocOpBuilder &b, LoadStateOp op) {
  Value from = op.getInitial();
  return {generate(
      b, cast<RankedTensorType>(op.getState().getType()), [&](ValueRange at) {
        Value row = arith::AddIOp::create(b, op.getRow(), at[0]);
        Value column = arith::AddIOp::create(b, op.getCol(), at[1]);
        return readOrZero(
            b, from,
            {batchIn(b, from, op.getBatch()), op.getHead(), row, column});
      })};
}

Results reference::defineMergeState(ImplicitLocOpBuilder &b, MergeStateOp op) {
  auto part = [&](ValueRange at, Value column) {
    Value row = arith::AddIOp::create(b, op.getRow(), at[0]);
    return readOrZero(b, op.getParts(),
                      {op.getBatch(), op.getHead(), row, column});
  };
  return {generate(
      b, cast<RankedTensorType>(op.getState().getType()), [&](ValueRange at) {
        Value left = arith::MulFOp::create(b, part(at, op.getDecay()),
                                           read(b, op.getInit(), at));
        Value column = arith::AddIOp::create(b, op.getCol(), at[1]);
        return Value(arith::AddFOp::create(b, left, part(at, column)));
      })};
}

namespace {
/// The definition of one attn.recur_chunk.
class ChunkDefinition {
public:
  ChunkDefinition(ImplicitLocOpBuilder &b, RecurChunkOp op)
      : b(b), op(op), of(getRecurrence(b, op, op.getBlockColumns())),
        steps(b, of) {
    of.firstColumn = op.getCol();
  }

  Results run();

private:
  Value token(Value local) {
    return arith::AddIOp::create(b, op.getRow(), local);
  }
  Value joinState();
  Value part(Value state, int64_t number);
  Carried visit(Value local, Value state, Value sums);
  Value output(Value sums);

  ImplicitLocOpBuilder &b;
  RecurChunkOp op;
  Recurrence of;
  RecurSteps steps;
};
} // namespace

/// S, and z as one more column.
Value ChunkDefinition::joinState() {
  if (!of.hasDenominator)
    return op.getInit().front();
  auto first = cast<RankedTensorType>(op.getInit().front().getType());
  return join(b, first.clone({first.getDimSize(0), of.getWidth()}),
              op.getInit());
}

/// S or z, after the chunk.
Value ChunkDefinition::part(Value state, int64_t number) {
  if (!of.hasDenominator)
    return state;
  auto type = cast<RankedTensorType>(op.getInit()[number].getType());
  return generate(b, type, [&](ValueRange at) {
    Value column = number ? index(b, of.columns) : at[1];
    return read(b, state, {at[0], column});
  });
}

/// Token `local` of the chunk.
Carried ChunkDefinition::visit(Value local, Value state, Value sums) {
  TokenStep step{
      {op.getBatch(), op.getHead(), token(local)}, {local}, state, sums};
  if (op.getOrder() == TokenOrder::Bidirectional)
    return {state, steps.read(step)};
  return steps.visit({op.getOrder() == TokenOrder::Reversed,
                      /*readsOwn=*/!op.leavesOutOwn()},
                     step);
}

/// Rows of the output from their sums.
Value ChunkDefinition::output(Value sums) {
  if (op.getUnscaled())
    return sums;
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  Value none =
      tensor::EmptyOp::create(b, type.getShape(), type.getElementType());
  auto setOne = [&](ValueRange at, ValueRange so) -> Carried {
    Value row = finishRow(
        b, op, of, {op.getBatch(), op.getHead(), token(at[0])}, [&](Value e) {
          Value sum = read(b, sums, {at[0], e});
          if (!op.getSums())
            return sum;
          Value past = readOrZero(b, op.getSums(), {token(at[0]), e});
          return Value(arith::AddFOp::create(b, sum, past));
        });
    return {setRow(b, so[0], at, row)};
  };
  return fold(b, index(b, op.getLength()), none, setOne)[0];
}

Results ChunkDefinition::run() {
  Value length = index(b, op.getLength());
  Value left = arith::SubIOp::create(b, size(b, of.value, 2), op.getRow());
  Value count = arith::MaxSIOp::create(b, left, index(b, 0));
  count = arith::MinSIOp::create(b, count, length);
  Value zeros = generate(
      b,
      RankedTensorType::get({int64_t(op.getLength()), of.getWidth()}, of.type),
      [&](ValueRange) { return number(b, of.type, 0.0); });
  Carried end =
      fold(b, count, {joinState(), zeros}, [&](ValueRange n, ValueRange so) {
        Value local = n[0];
        if (op.getOrder() == TokenOrder::Reversed) {
          Value last = arith::SubIOp::create(b, count, index(b, 1));
          local = arith::SubIOp::create(b, last, local);
        }
        return visit(local, so[0], so[1]);
      });
  Results results;
  if (op.getOutput())
    results.push_back(output(end[1]));
  for (size_t number = 0; number < op.getState().size(); ++number)
    results.push_back(part(end[0], number));
  return results;
}

Results reference::defineRecurChunk(ImplicitLocOpBuilder &b, RecurChunkOp op) {
  return ChunkDefinition(b, op).run();
}
