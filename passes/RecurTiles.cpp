//===- RecurTiles.cpp - Chunks of recurrences as tile ops -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For a chunk of C tokens with factors a[t] between 0 and 1, and state S before
// it, causal:
//
//   A[i, j] = <q[i], k[j]> a[j+1] ... a[i]     for j <= i
//   num     = A v + (q * prefix) S             prefix[i] = a[0] ... a[i]
//   S'      = total S + (k * suffix)^T v       suffix[j] = a[j+1] ... a[C-1]
//
// with all factors per channel, within the sums, where the gate is. Nothing is
// divided by a product of factors, and no logarithms are subtracted, so large
// decays do no harm. What decays from chunk to chunk (prefix, suffix, total) is
// the exponential of a sum of logarithms: products of many equal factors would
// be rounded to one side, again in each chunk. Tokens that do not exist have a
// = 1 and k = 0. Chunks of one token are computed in another way, by
// RecurStep.cpp.
//
//===----------------------------------------------------------------------===//

#include "passes/RecurTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

SmallVector<Value> ViewSlice::at(ImplicitLocOpBuilder &b, Value row,
                                 Value column) const {
  SmallVector<Value> result(offsets);
  Value &ownRow = result[result.size() - 2];
  ownRow = arith::AddIOp::create(b, ownRow, row);
  result.back() = arith::AddIOp::create(b, result.back(), column);
  return result;
}

/// Columns of the state of a head from `at` (row and column) on, in `view`.
static Value loadColumns(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                         Value view, RankedTensorType type, Value batch,
                         Value head, Value row, Value col) {
  return tile::LoadOp::create(
      b, type, mapping.lookup(view),
      ValueRange{mapping.lookupOrDefault(batch), mapping.lookupOrDefault(head),
                 mapping.lookupOrDefault(row), mapping.lookupOrDefault(col)});
}

Value attn::loadState(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                      LoadStateOp op) {
  Value batch = op.getBatch();
  if (hasSharedBatch(op.getInitial()))
    batch = arith::ConstantIndexOp::create(b, 0);
  return loadColumns(b, mapping, op.getInitial(), tileOf(op.getState()), batch,
                     op.getHead(), op.getRow(), op.getCol());
}

Value attn::mergeState(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                       MergeStateOp op) {
  auto type = tileOf(op.getState());
  Type element = type.getElementType();
  int64_t rows = type.getDimSize(0);
  auto load = [&](int64_t columns, Value col) {
    return loadColumns(b, mapping, op.getParts(),
                       RankedTensorType::get({rows, columns}, element),
                       op.getBatch(), op.getHead(), op.getRow(), col);
  };
  Value decay = load(1, op.getDecay());
  auto column = RankedTensorType::get({rows}, element);
  auto sum = tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Add);
  decay = tile::ReduceOp::create(
      b, column, sum, decay,
      arith::ConstantOp::create(b, b.getZeroAttr(column)),
      b.getI64IntegerAttr(1));
  Value left = arith::MulFOp::create(
      b, mapping.lookupOrDefault(op.getInit()),
      tile::BroadcastOp::create(b, type, decay, b.getI64IntegerAttr(1)));
  return arith::AddFOp::create(b, left, load(type.getDimSize(1), op.getCol()));
}

RecurTiles::RecurTiles(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                       RecurChunkOp op)
    : TileValues(b, mapping), op(op), type(op.getAccumulatorType()),
      length(op.getLength()),
      height(tileOf(op.getInit().front()).getDimSize(0)),
      columns(op.getBlockColumns()), batch(mapping.lookup(op.getBatch())),
      head(mapping.lookup(op.getHead())), row(mapping.lookup(op.getRow())),
      col(mapping.lookup(op.getCol())),
      isReversed(op.getOrder() == TokenOrder::Reversed),
      isPerChannel(op.hasGatePerChannel() || op.getWrite() == WriteRule::Tied) {
}

Value RecurTiles::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Value RecurTiles::broadcast(Value vector, int64_t along,
                            ArrayRef<int64_t> shape) {
  return tile::BroadcastOp::create(
      b, RankedTensorType::get(shape, tileOf(vector).getElementType()), vector,
      b.getI64IntegerAttr(along));
}

Value RecurTiles::multiply(Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}

Value RecurTiles::product(Value lhs, Value rhs, Value init, bool transposeLhs,
                          bool transposeRhs) {
  auto flag = [&](bool set) { return set ? b.getUnitAttr() : UnitAttr(); };
  return tile::DotOp::create(b, init.getType(), lhs, rhs, init,
                             flag(transposeRhs), flag(transposeLhs));
}

/// The decays of the rows before (`reverse`: behind) each one, in the order of
/// the tokens, together; without its own if `exclusive`.
Value RecurTiles::decayUpTo(bool reverse, bool exclusive) {
  return exponential(tile::ScanOp::create(
      b, gate.getType(),
      tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Add), gate,
      reverse != isReversed ? b.getUnitAttr() : UnitAttr(),
      exclusive ? b.getUnitAttr() : UnitAttr()));
}

Value RecurTiles::rowSums(Value value) {
  return reduce(tile::ReduceKind::Add, value,
                constant({tileOf(value).getDimSize(0)}, type, 0));
}

/// Which tokens of the chunk there are, repeated to `shape`.
Value RecurTiles::exists(ArrayRef<int64_t> shape) {
  Value place = positions(row, length);
  Value tokens =
      memref::DimOp::create(b, mapping.lookup(op.getValue()), index(2));
  Value end = tile::SplatOp::create(b, place.getType(), tokens);
  Value result =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, place, end);
  return shape.size() == 2 ? broadcast(result, 1, shape) : result;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Head of `operand`, of whose heads those of the values are a multiple.
Value RecurTiles::headIn(Value operand) {
  if (operand == op.getValue())
    return head;
  Value heads =
      memref::DimOp::create(b, mapping.lookup(op.getValue()), index(1));
  Value own = memref::DimOp::create(b, mapping.lookup(operand), index(1));
  return arith::DivSIOp::create(b, head, arith::DivSIOp::create(b, heads, own));
}

Value RecurTiles::load(Value operand, ArrayRef<int64_t> shape,
                       ValueRange offsets) {
  Value view = mapping.lookup(operand);
  Type element = cast<MemRefType>(view.getType()).getElementType();
  Value loaded = tile::LoadOp::create(b, RankedTensorType::get(shape, element),
                                      view, offsets);
  return convert(loaded, type);
}

/// What belongs to each token, from `[B, H, N]` or `[B, H, N, 1]`.
Value RecurTiles::loadPerToken(Value operand) {
  if (tileOf(operand).getRank() == 3)
    return load(operand, {length}, {batch, head, row});
  return rowSums(load(operand, {length, 1}, {batch, head, row, index(0)}));
}

/// The rows of query or key, with zeros behind them up to the rows of the
/// state.
FailureOr<Value> RecurTiles::features(Value operand, Region &region) {
  Value ownHead = headIn(operand);
  if (region.empty())
    return load(operand, {length, height}, {batch, ownHead, row, index(0)});
  FailureOr<Value> mapped =
      loadRows(mapping.lookup(operand), length, tileOf(operand).getDimSize(3),
               region, batch, ownHead, ownHead, row);
  if (failed(mapped))
    return failure();
  int64_t missing = height - tileOf(*mapped).getDimSize(1);
  if (!missing)
    return mapped;
  Value padding = constant({length, missing}, type, 0);
  return Value(
      tile::ConcatOp::create(b, RankedTensorType::get({length, height}, type),
                             ValueRange{*mapped, padding}));
}

/// Mapped `rows`, with 0 for tokens that do not exist: a map may make something
/// of zeros, or a NaN that a product with 0 does not drop.
Value RecurTiles::keepExisting(Value rows) {
  Value keep = exists(tileOf(rows).getShape());
  return arith::SelectOp::create(b, keep, rows, constantLike(rows, 0));
}

/// The logarithms of the factors of the tokens; 0 for those that do not exist.
Value RecurTiles::loadGate() {
  Value gate;
  if (isPerChannel) {
    gate = load(op.getGate(), {length, height}, {batch, head, row, index(0)});
  } else if (op.hasGatePerToken()) {
    gate = loadPerToken(op.getGate());
  } else {
    Value view = mapping.lookup(op.getGate());
    Type element = cast<MemRefType>(view.getType()).getElementType();
    Value one = tile::GatherOp::create(b, element, view, ValueRange{head});
    gate = convert(
        tile::SplatOp::create(b, RankedTensorType::get({length}, element), one),
        type);
    gate = arith::SelectOp::create(b, exists({length}), gate,
                                   constantLike(gate, 0));
  }
  return gate;
}

LogicalResult RecurTiles::loadOperands() {
  if (op.hasGate())
    gate = loadGate();
  if (isPerChannel)
    decay = exponential(gate);
  if (op.getOutput()) {
    FailureOr<Value> rows = features(op.getQuery(), op.getQueryRows());
    if (failed(rows))
      return failure();
    query = *rows;
    if (op.getScaleValue() != 1 && !op.getUnscaled())
      query = multiply(query, constantLike(query, op.getScaleValue()));
  }
  if (op.getOrder() == TokenOrder::Bidirectional)
    return success();

  if (op.getValueRows().empty()) {
    value = load(op.getValue(), {length, columns}, {batch, head, row, col});
  } else {
    FailureOr<Value> rows = loadRows(mapping.lookup(op.getValue()), length,
                                     tileOf(op.getValue()).getDimSize(3),
                                     op.getValueRows(), batch, head, head, row);
    if (failed(rows))
      return failure();
    value = keepExisting(*rows);
  }
  if (op.getWrite() == WriteRule::Tied) {
    key = arith::SubFOp::create(b, constantLike(decay, 1), decay);
    return success();
  }
  FailureOr<Value> rows = features(op.getKey(), op.getKeyRows());
  if (failed(rows))
    return failure();
  key = op.getKeyRows().empty() ? *rows : keepExisting(*rows);
  if (op.getWrite() == WriteRule::Scaled) {
    Value beta = loadPerToken(op.getBeta());
    key = multiply(key, broadcast(beta, 1, {length, height}));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Within the chunk
//===----------------------------------------------------------------------===//

/// Pairs whose row and column `predicate` holds for.
Value RecurTiles::pairsWhere(arith::CmpIPredicate predicate) {
  auto place = RankedTensorType::get({length, length}, b.getIndexType());
  auto iota = [&](int64_t along) {
    return tile::IotaOp::create(b, place, index(0), b.getI64IntegerAttr(along));
  };
  return arith::CmpIOp::create(b, predicate, iota(0), iota(1));
}

/// For each pair the decays between its tokens together; not specified where
/// the later one reads nothing of the earlier one.
Value RecurTiles::decaysBetween(bool isStrict) {
  SmallVector<int64_t> shape{length, length};
  Value zeros = constant(shape, type, 0);
  // Row t, column j: what token t adds to the pairs of token j and later ones.
  Value isBehind = pairsWhere(isReversed ? arith::CmpIPredicate::slt
                                         : arith::CmpIPredicate::sgt);
  Value gates =
      arith::SelectOp::create(b, isBehind, broadcast(gate, 1, shape), zeros);
  auto flag = [&](bool set) { return set ? b.getUnitAttr() : UnitAttr(); };
  return exponential(tile::ScanOp::create(
      b, zeros.getType(),
      tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Add), gates,
      flag(isReversed), flag(isStrict)));
}

/// Products of queries with what was written before them, decayed; 0 elsewhere.
Value RecurTiles::scores() {
  bool isStrict = op.getRead() == ReadTime::Before;
  Value zeros = constant({length, length}, type, 0);
  auto flag = [&](bool set) { return set ? b.getUnitAttr() : UnitAttr(); };
  if (isPerChannel)
    return tile::DecayDotOp::create(b, zeros.getType(), query, key, decay,
                                    zeros, flag(isReversed), flag(isStrict));
  Value pairs = product(query, key, zeros, false, true);
  if (gate)
    pairs = multiply(pairs, decaysBetween(isStrict));
  auto predicate =
      isReversed
          ? (isStrict ? arith::CmpIPredicate::slt : arith::CmpIPredicate::sle)
          : (isStrict ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::sge);
  return arith::SelectOp::create(b, pairsWhere(predicate), pairs, zeros);
}

/// What a token reads of itself before it is written.
Value RecurTiles::bonus() {
  Value factors = load(op.getBonus(), {height}, {head, index(0)});
  Value pairs = multiply(query, key);
  return rowSums(multiply(pairs, broadcast(factors, 0, {length, height})));
}

/// The matrix that values are multiplied with.
Value RecurTiles::weights() {
  Value result = scores();
  Value own;
  if (op.leavesOutOwn())
    own = constantLike(result, 0);
  else if (op.getBonus())
    own = broadcast(bonus(), 1, {length, length});
  if (!own)
    return result;
  return arith::SelectOp::create(b, pairsWhere(arith::CmpIPredicate::eq), own,
                                 result);
}

//===----------------------------------------------------------------------===//
// Between chunks
//===----------------------------------------------------------------------===//

/// `rows` times factors of their tokens.
Value RecurTiles::decayedRows(Value rows, Value factors) {
  auto to = tileOf(rows);
  return multiply(rows, tileOf(factors).getRank() == 1
                            ? broadcast(factors, 1, to.getShape())
                            : factors);
}

/// What the tokens read of the state before the chunk, and of its denominator.
void RecurTiles::readState(Value &rows, Value &denominator) {
  Value zeros = constant({length, columns}, type, 0);
  Value prefix, reader = query;
  if (gate && op.getOrder() != TokenOrder::Bidirectional)
    prefix = decayUpTo(/*reverse=*/false,
                       /*exclusive=*/op.getRead() == ReadTime::Before);
  bool byChannel = prefix && isPerChannel;
  if (byChannel)
    reader = multiply(query, prefix);
  rows = product(reader, mapping.lookup(op.getInit().front()), zeros, false,
                 false);
  if (op.usesDenominator())
    denominator =
        rowSums(product(reader, mapping.lookup(op.getInit().back()),
                        constant({length, 1}, type, 0), false, false));
  if (!prefix || byChannel)
    return;
  rows = decayedRows(rows, prefix);
  if (denominator)
    denominator = multiply(denominator, prefix);
}

bool RecurTiles::isBehindColumns() {
  std::optional<int64_t> first = getConstantIntValue(col);
  return first && *first >= tileOf(op.getValue()).getDimSize(3) &&
         op.getValueRows().empty();
}

SmallVector<Value> RecurTiles::nextState() {
  Value writer = key, total;
  if (gate) {
    writer = decayedRows(key, decayUpTo(/*reverse=*/true, /*exclusive=*/true));
    Value gates = isPerChannel ? gate : broadcast(gate, 1, {length, height});
    total = exponential(tile::ReduceOp::create(
        b, RankedTensorType::get({height}, type),
        tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Add), gates,
        constant({height}, type, 0), b.getI64IntegerAttr(0)));
  }
  SmallVector<Value> next;
  for (auto [number, part] : llvm::enumerate(op.getInit())) {
    Value before = mapping.lookup(part);
    if (total)
      before = multiply(before, broadcast(total, 1, tileOf(before).getShape()));
    if (isBehindColumns()) { // Values are 0 there.
      next.push_back(before);
      continue;
    }
    Value written = number ? constant({length, 1}, type, 1) : value;
    next.push_back(product(writer, written, before, true, false));
  }
  return next;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Adds what an earlier sweep read.
void RecurTiles::addPast(const ViewSlice &past, Value &rows,
                         Value &denominator) {
  auto loadPast = [&](int64_t first, int64_t width) -> Value {
    SmallVector<Value> at = past.at(b, row, index(first));
    Value loaded = tile::LoadOp::create(
        b, RankedTensorType::get({length, width}, type), past.view, at);
    return multiply(loaded, constantLike(loaded, op.getScaleValue()));
  };
  rows = arith::AddFOp::create(b, rows, loadPast(0, columns));
  if (denominator)
    denominator =
        arith::AddFOp::create(b, denominator, rowSums(loadPast(columns, 1)));
}

/// The rows of the output from those that were read.
FailureOr<Value> RecurTiles::finish(Value rows, Value denominator) {
  if (op.getUnscaled()) {
    if (!denominator)
      return rows;
    Value last = broadcast(denominator, 1, {length, 1});
    return Value(tile::ConcatOp::create(
        b, RankedTensorType::get({length, columns + 1}, type),
        ValueRange{rows, last}));
  }
  if (!op.getNorm().empty()) {
    Value place = positions(row, length);
    if (!denominator) // It is not used.
      denominator = constant({length}, type, 0);
    FailureOr<Value> normalized =
        regions.rows(op.getNorm(), {rows, denominator, batch, head, place},
                     length, place, row);
    if (failed(normalized))
      return failure();
    rows = *normalized;
  }
  return convert(rows, tileOf(op.getOutput()).getElementType());
}

/// The rows of the chunk's tokens.
FailureOr<Value> RecurTiles::output(const ViewSlice *past) {
  Value rows, denominator;
  if (isStep())
    readStep(rows, denominator);
  else
    readState(rows, denominator);
  if (!isStep() && op.getOrder() != TokenOrder::Bidirectional) {
    Value pairs = weights();
    rows = product(pairs, value, rows, false, false);
    if (denominator)
      denominator = reduce(tile::ReduceKind::Add, pairs, denominator);
  }
  if (past)
    addPast(*past, rows, denominator);
  return finish(rows, denominator);
}

FailureOr<SmallVector<Value>> RecurTiles::run(const ViewSlice *past) {
  if (failed(loadOperands()))
    return failure();
  SmallVector<Value> results;
  if (op.getOutput()) {
    FailureOr<Value> rows = output(past);
    if (failed(rows))
      return failure();
    results.push_back(*rows);
  }
  if (!op.getState().empty())
    llvm::append_range(results, isStep() ? nextStep() : nextState());
  return results;
}
