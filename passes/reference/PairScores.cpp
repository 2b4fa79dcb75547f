//===- PairScores.cpp - Rows and scores of pairwise attention -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/reference/PairScores.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/BoxGrid.h"
#include "passes/reference/ScalarRegions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Value reference::mapRow(ImplicitLocOpBuilder &b, Region &rows,
                        RankedTensorType type, ValueRange token,
                        function_ref<Value(Value)> element) {
  Value vector = generate(b, type, [&](ValueRange at) {
    return convert(b, element(at[0]), type.getElementType());
  });
  if (rows.empty())
    return vector;
  SmallVector<Value> arguments{vector};
  llvm::append_range(arguments, token);
  return evaluate(b, rows, arguments);
}

Value reference::setRow(ImplicitLocOpBuilder &b, Value tensor, ValueRange token,
                        Value vector) {
  Type element = tensorOf(tensor).getElementType();
  auto set = [&](ValueRange d, ValueRange so) -> Carried {
    SmallVector<Value> at(token);
    at.push_back(d[0]);
    Value value = convert(b, read(b, vector, d[0]), element);
    return {tensor::InsertOp::create(b, value, so[0], at)};
  };
  return fold(b, size(b, vector, 0), tensor, set)[0];
}

Value reference::mapAllRows(ImplicitLocOpBuilder &b, Region &rows,
                            Value operand, Type type) {
  if (rows.empty())
    return operand;
  Type accumulator = getAccumulatorType(tensorOf(operand).getElementType());
  auto vectorType =
      RankedTensorType::get(tensorOf(operand).getShape().back(), accumulator);
  SmallVector<Value> extents = sizes(b, operand);
  extents.back() = index(b, tensorOf(getYielded(rows)).getDimSize(0));
  SmallVector<int64_t> shape(tensorOf(operand).getShape());
  shape.back() = tensorOf(getYielded(rows)).getDimSize(0);

  Value mapped = empty(b, RankedTensorType::get(shape, type), extents);
  auto mapToken = [&](ValueRange token, ValueRange so) -> Carried {
    Value vector = mapRow(b, rows, vectorType, token, [&](Value d) {
      SmallVector<Value> at(token);
      at.push_back(d);
      return read(b, operand, at);
    });
    return {setRow(b, so[0], token, vector)};
  };
  return fold(b, ValueRange(extents).drop_back(), mapped, mapToken)[0];
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

Value reference::groupSize(ImplicitLocOpBuilder &b, Value query, Value key) {
  return arith::DivUIOp::create(b, size(b, query, 1), size(b, key, 1));
}

Value reference::batchIn(ImplicitLocOpBuilder &b, Value operand, Value batch) {
  return hasSharedBatch(operand) ? index(b, 0) : batch;
}

SmallVector<Value> reference::unflatten(ImplicitLocOpBuilder &b, Value number,
                                        ValueRange extents) {
  SmallVector<Value> indices(extents.size());
  for (size_t axis = extents.size(); axis-- > 1;) {
    indices[axis] = arith::RemUIOp::create(b, number, extents[axis]);
    number = arith::DivUIOp::create(b, number, extents[axis]);
  }
  indices.front() = number;
  return indices;
}

SmallVector<Value>
reference::tokenOfBlock(ImplicitLocOpBuilder &b, ValueRange first,
                        std::optional<ArrayRef<int64_t>> box,
                        std::optional<ArrayRef<int64_t>> step, Value row) {
  if (!box)
    return {arith::AddIOp::create(b, first.front(), row)};
  SmallVector<Value> extents;
  for (int64_t size : *box)
    extents.push_back(index(b, size));
  SmallVector<Value> token = unflatten(b, row, extents);
  for (auto [axis, coordinate] : llvm::enumerate(token)) {
    if (step)
      coordinate =
          arith::MulIOp::create(b, coordinate, index(b, (*step)[axis]));
    coordinate = arith::AddIOp::create(b, first[axis], coordinate);
  }
  return token;
}

Value reference::position(ImplicitLocOpBuilder &b,
                          std::optional<Alignment> alignment, Value query,
                          Value key, Value row) {
  if (alignment != Alignment::End)
    return row;
  Value before = arith::SubIOp::create(b, size(b, key, 2), size(b, query, 2));
  return arith::AddIOp::create(b, row, before);
}

Value reference::dotRows(ImplicitLocOpBuilder &b, Type type, Value lhs,
                         ValueRange lhsRow, Value rhs, ValueRange rhsRow,
                         function_ref<Value(Value)> factor) {
  auto feature = [&](Value tensor, ValueRange row, Value d) {
    SmallVector<Value> at(row);
    at.push_back(d);
    Value element = convert(b, read(b, tensor, at), type);
    return factor ? factor(element) : element;
  };
  Value count = size(b, lhs, tensorOf(lhs).getRank() - 1);
  return sum(b, count, number(b, type, 0.0), [&](Value d) -> Value {
    return arith::MulFOp::create(b, feature(lhs, lhsRow, d),
                                 feature(rhs, rhsRow, d));
  });
}

Value reference::pairExists(ImplicitLocOpBuilder &b,
                            const PairwiseRegions &regions, const Pair &pair,
                            Value inRange) {
  if (regions.mask.empty())
    return inRange ? inRange
                   : Value(arith::ConstantOp::create(b, b.getBoolAttr(true)));
  Value kept = evaluate(b, regions.mask, pair.getArguments());
  return inRange ? arith::AndIOp::create(b, inRange, kept) : kept;
}

Value reference::readEntry(ImplicitLocOpBuilder &b, Value list, Value batch,
                           Value head, Value at) {
  auto type = cast<RankedTensorType>(list.getType());
  SmallVector<Value> indices{batch, head, at};
  for (int64_t dim : {0, 1})
    if (type.getDimSize(dim) == 1)
      indices[dim] = index(b, 0);
  Value entry = readOrZero(b, list, indices);
  return arith::IndexCastOp::create(b, b.getIndexType(), entry);
}

/// Whether `block` stands in the entries from `begin` up to `end`.
static Value isListed(ImplicitLocOpBuilder &b, AttendOp op, const Pair &pair,
                      Value begin, Value end, Value block) {
  Value no = arith::ConstantOp::create(b, b.getBoolAttr(false));
  auto loop = scf::ForOp::create(b, begin, end, index(b, 1), no);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value entry = readEntry(b, op.getBlocks(), pair.batch, pair.head,
                          loop.getInductionVar());
  Value same = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, entry, block);
  Value found = arith::OrIOp::create(b, loop.getRegionIterArg(0), same);
  scf::YieldOp::create(b, found);
  return loop.getResult(0);
}

/// The blocks of a query, with row `row`, and of a key.
static std::pair<Value, Value> getBlocks(ImplicitLocOpBuilder &b, AttendOp op,
                                         const Pair &pair, Value row) {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule || !schedule.hasBoxes()) {
    ArrayRef<int64_t> sizes = *op.getBlockSizes();
    return {arith::DivUIOp::create(b, row, index(b, sizes[0])),
            arith::DivUIOp::create(b, pair.key.front(), index(b, sizes[1]))};
  }
  ArrayRef<int64_t> step;
  if (schedule.getStep())
    step = schedule.getStep();
  auto getNumber = [&](Value tensor, ArrayRef<int64_t> box, ValueRange token) {
    SmallVector<Value> extents;
    for (size_t axis = 0; axis < box.size(); ++axis)
      extents.push_back(size(b, tensor, 2 + axis));
    return BoxGrid(b, extents, box, step).getNumberOfToken(b, token);
  };
  return {getNumber(op.getQuery(), schedule.getBoxQ(), pair.query),
          getNumber(op.getKey(), schedule.getBoxK(), pair.key)};
}

Value reference::isWholeBlock(ImplicitLocOpBuilder &b, AttendOp op,
                              Value block) {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (schedule && schedule.hasBoxes())
    return arith::ConstantOp::create(b, b.getBoolAttr(true));
  Value end =
      arith::MulIOp::create(b, arith::AddIOp::create(b, block, index(b, 1)),
                            index(b, (*op.getBlockSizes())[1]));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ule, end,
                               size(b, op.getKey(), 2));
}

Value reference::pairIsVisited(ImplicitLocOpBuilder &b, AttendOp op,
                               const Pair &pair, Value row) {
  Value kept = pairExists(b, getPairwiseRegions(op), pair, Value());
  if (!op.getOffsets())
    return kept;
  auto [queries, block] = getBlocks(b, op, pair, row);
  Value at = arith::MulIOp::create(b, queries, index(b, 2));
  SmallVector<Value> ends;
  for (int64_t part : {0, 1, 2})
    ends.push_back(readEntry(b, op.getOffsets(), pair.batch, pair.head,
                             arith::AddIOp::create(b, at, index(b, part))));
  Value isFull = isListed(b, op, pair, ends[0], ends[1], block);
  Value isMixed = isListed(b, op, pair, ends[1], ends[2], block);
  Value isListed = arith::OrIOp::create(b, isFull, isMixed);
  // A block that is shorter than the others is mixed.
  Value isFree = arith::AndIOp::create(b, isFull, isWholeBlock(b, op, block));
  return arith::OrIOp::create(b, isFree,
                              arith::AndIOp::create(b, isListed, kept));
}

Value reference::pairScore(ImplicitLocOpBuilder &b,
                           const PairwiseRegions &regions, double scale,
                           Type type, const Pair &pair, Value exists,
                           function_ref<Value()> product) {
  auto score = [&]() -> Value {
    Value scaled = arith::MulFOp::create(b, number(b, type, scale), product());
    if (regions.score.empty())
      return scaled;
    SmallVector<Value> arguments{scaled};
    llvm::append_range(arguments, pair.getArguments());
    return evaluate(b, regions.score, arguments);
  };
  return choose(b, exists, score, [&] {
    return number(b, type, -std::numeric_limits<double>::infinity());
  });
}

Value reference::valueFactor(ImplicitLocOpBuilder &b,
                             const PairwiseRegions &regions, const Pair &pair,
                             Value weight) {
  if (regions.prob.empty())
    return weight;
  SmallVector<Value> arguments{weight};
  llvm::append_range(arguments, pair.getArguments());
  return evaluate(b, regions.prob, arguments);
}

Value reference::isMinusInfinity(ImplicitLocOpBuilder &b, Value value) {
  Value infinity =
      number(b, value.getType(), -std::numeric_limits<double>::infinity());
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, value, infinity);
}

Value reference::finiteReference(ImplicitLocOpBuilder &b, Value value) {
  return arith::SelectOp::create(b, isMinusInfinity(b, value),
                                 number(b, value.getType(), 0.0), value);
}

Value reference::termIf(ImplicitLocOpBuilder &b, Value exists, Value weight,
                        Value value) {
  return arith::SelectOp::create(b, exists,
                                 arith::MulFOp::create(b, weight, value),
                                 number(b, value.getType(), 0.0));
}

Value reference::quotientOrZero(ImplicitLocOpBuilder &b, Value x, Value sum) {
  Value zero = number(b, x.getType(), 0.0);
  Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, zero);
  return arith::SelectOp::create(b, none, zero,
                                 arith::DivFOp::create(b, x, sum));
}
