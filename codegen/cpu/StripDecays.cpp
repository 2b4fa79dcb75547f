//===- StripDecays.cpp - Products of rows that decay on their way ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes are late rows i, columns early rows j. One vector for each k holds
//
//   term[i] = lhs[i, k] * product of decay[t, k] over the rows t between
//
// and goes from column to column, away from the diagonal: to the left, under
// `reverse` to the right. At column j it is multiplied with rhs[j, k] and added
// to the sum of the column; then the lanes of rows that have passed the
// diagonal are multiplied with decay[j, k]. A pair takes two multiplications
// and no exponential. Sums of a few columns stay in registers during the loop
// over k; between such tiles of columns the terms lie in memory.
//
// Only where a tile of columns meets the diagonal, lanes are told apart: a
// strip of rows f .. f + w - 1 has three ranges of columns (`reverse`:
// mirrored)
//
//   0 .. f - 1    f .. f + w - 1    f + w ..
//   all lanes     masked            none, only what the sum starts from
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/StripLowering.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether all elements of `tile` are equal.
static bool isUniform(Value tile) {
  return tile.getDefiningOp<arith::ConstantOp>() ||
         tile.getDefiningOp<tile::SplatOp>();
}

bool StripLowering::hasElements(Value tile) const {
  if (buffers.rows.contains(tile) || isUniform(tile))
    return true;
  auto broadcast = tile.getDefiningOp<tile::BroadcastOp>();
  return broadcast && (isUniform(broadcast.getVector()) ||
                       buffers.columns.contains(broadcast.getVector()));
}

/// Element [row, col] of `tile`, in all lanes.
FailureOr<Value> StripLowering::rowElement(Value tile, Value row, Value col) {
  if (!hasElements(tile))
    return emitError(tile.getLoc(),
                     "the CPU back end cannot read elements of this tile");
  auto load = [&](Value buffer, ValueRange at) -> Value {
    return vectors.splat(memref::LoadOp::create(b, buffer, at));
  };
  if (Value buffer = buffers.rows.lookup(tile))
    return load(buffer, {row, col});
  auto broadcast = tile.getDefiningOp<tile::BroadcastOp>();
  Value source = broadcast ? broadcast.getVector() : tile;
  if (Value buffer = buffers.columns.lookup(source))
    return load(buffer, broadcast.getAlong() == 1 ? row : col);
  if (auto splat = source.getDefiningOp<tile::SplatOp>())
    return vectors.splat(scalars.lookupOrDefault(splat.getScalar()));
  return vectors.constant(source.getDefiningOp<arith::ConstantOp>(),
                          /*vectors=*/true);
}

/// The most columns whose sums fit beside the terms and the factors, such that
/// no tile of columns lies across an edge of a strip.
int64_t StripLowering::decayColumnsAtOnce() const {
  int64_t width = registers * vectors.getLanes();
  int64_t most = (unit.registers - 2 * registers - 2) / registers;
  int64_t count = std::clamp<int64_t>(most, 1, width);
  while (width % count)
    --count;
  return count;
}

/// For each register of the strip, the lanes of rows in front of column `at`,
/// which are those outside of the triangle, or under `reverse` inside of it.
StripLowering::Vectors StripLowering::decayMasks(tile::DecayDotOp op,
                                                 Value at) {
  int64_t lanes = vectors.getLanes();
  Value first =
      arith::MulIOp::create(b, strip, vectors.index(registers * lanes));
  Value rows = arith::SubIOp::create(b, at, first);
  // The diagonal is inside unless `strict`.
  if (op.getReverse() != op.getStrict())
    rows = vectors.add(rows, vectors.index(1));
  Vectors masks;
  for (int64_t v = 0; v < registers; ++v)
    masks.push_back(vector::CreateMaskOp::create(
        b, vectors.type(b.getI1Type()),
        ValueRange{vectors.add(rows, vectors.index(-v * lanes))}));
  return masks;
}

/// Writes the terms of the diagonal: the left operand.
LogicalResult StripLowering::startDecays(tile::DecayDotOp op, Value terms) {
  int64_t depth = tileOf(op.getLhs()).getDimSize(1);
  auto loop = scf::ForOp::create(b, vectors.index(0), vectors.index(depth),
                                 vectors.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  firstColumn = loop.getInductionVar();
  columnCount = 1;
  knownPairs.clear();
  FailureOr<Vectors> value = pairs(op.getLhs(), 0);
  if (succeeded(value))
    storeVectors(*value, terms, loop.getInductionVar());
  knownPairs.clear();
  return value;
}

/// The sums of `columns`, one after the other; moves the terms past them.
FailureOr<StripLowering::Vectors>
StripLowering::addDecayed(tile::DecayDotOp op, Value terms,
                          const DecayColumns &columns) {
  Type element = tileOf(op.getResult()).getElementType();
  int64_t depth = tileOf(op.getLhs()).getDimSize(1), count = columns.count;
  Vectors zeros(count * registers, vectors.zero(vectors.type(element)));
  auto loop = scf::ForOp::create(b, vectors.index(0), vectors.index(depth),
                                 vectors.index(1), zeros);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value k = loop.getInductionVar();
  Vectors term = loadVectors(terms, k), sums(loop.getRegionIterArgs());
  for (int64_t n = 0; n < count; ++n) {
    int64_t c = op.getReverse() ? n : count - 1 - n;
    Value at = vectors.add(columns.first, vectors.index(c));
    FailureOr<Value> rhs = rowElement(op.getRhs(), at, k);
    FailureOr<Value> decay = rowElement(op.getDecay(), at, k);
    if (failed(rhs) || failed(decay))
      return failure();
    for (int64_t v = 0; v < registers; ++v) {
      Value &sum = sums[c * registers + v];
      sum = multiplyAdd(term[v], *rhs, sum);
      Value next = arith::MulFOp::create(b, term[v], *decay);
      term[v] = columns.masks.empty() ? next
                                      : choose(columns.masks[c][v],
                                               op.getReverse(), next, term[v]);
    }
  }
  storeVectors(term, terms, k);
  scf::YieldOp::create(b, sums);
  return Vectors(loop.getResults());
}

LogicalResult StripLowering::emitDecayColumns(tile::DecayDotOp op, Value terms,
                                              const DecayColumns &columns) {
  FailureOr<Vectors> sums = addDecayed(op, terms, columns);
  if (failed(sums))
    return failure();
  firstColumn = columns.first;
  columnCount = columns.count;
  knownPairs.clear();
  for (int64_t c = 0; c < columns.count; ++c) {
    Vectors sum(ArrayRef(*sums).slice(c * registers, registers));
    if (!columns.masks.empty())
      for (int64_t v = 0; v < registers; ++v)
        sum[v] = choose(columns.masks[c][v], op.getReverse(), sum[v],
                        vectors.zero(sum[v].getType()));
    FailureOr<Vectors> result = addInit(op.getInit(), c, sum);
    if (failed(result))
      return failure();
    storeVectors(*result, home[op.getResult()],
                 vectors.add(columns.first, vectors.index(c)));
  }
  knownPairs.clear();
  return success();
}

/// Calls `body` with the first column of each tile of `count` columns in
/// `range`, in the order in which terms pass them.
LogicalResult
StripLowering::forEachDecayTile(tile::DecayDotOp op, Range range, int64_t count,
                                llvm::function_ref<LogicalResult(Value)> body) {
  auto loop =
      scf::ForOp::create(b, range.begin, range.end, vectors.index(count));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  Value at = loop.getInductionVar();
  if (!op.getReverse()) {
    Value last = vectors.add(range.end, vectors.index(-count));
    at = arith::SubIOp::create(b, vectors.add(last, range.begin), at);
  }
  return body(at);
}

LogicalResult StripLowering::emitDecayDot(tile::DecayDotOp op) {
  auto type = tileOf(op.getResult());
  int64_t width = registers * vectors.getLanes();
  int64_t depth = tileOf(op.getLhs()).getDimSize(1);
  Value terms = memref::AllocaOp::create(
      b, MemRefType::get({depth, width}, type.getElementType()));
  if (failed(startDecays(op, terms)))
    return failure();
  Value begin = arith::MulIOp::create(b, strip, vectors.index(width));
  Value end = vectors.add(begin, vectors.index(width));
  Range before{vectors.index(0), begin};
  Range behind{end, vectors.index(type.getDimSize(1))};

  int64_t count = decayColumnsAtOnce();
  auto masked = [&](Value at) {
    DecayColumns columns{at, count, {}};
    for (int64_t c = 0; c < count; ++c)
      columns.masks.push_back(
          decayMasks(op, vectors.add(at, vectors.index(c))));
    return emitDecayColumns(op, terms, columns);
  };
  auto whole = [&](Value at) {
    return emitDecayColumns(op, terms, {at, count, {}});
  };
  auto none = [&](Value at) -> LogicalResult {
    firstColumn = at;
    columnCount = 1;
    knownPairs.clear();
    FailureOr<Vectors> init = pairs(op.getInit(), 0);
    if (succeeded(init))
      storeVectors(*init, home[op.getResult()], at);
    knownPairs.clear();
    return init;
  };
  return failure(
      failed(forEachDecayTile(op, {begin, end}, count, masked)) ||
      failed(forEachDecayTile(op, op.getReverse() ? behind : before, count,
                              whole)) ||
      failed(forEachDecayTile(op, op.getReverse() ? before : behind, 1, none)));
}

LogicalResult StripLowering::emitDecays() {
  if (decays.empty())
    return success();
  // Columns are evaluated outside of the loops that use them.
  for (Value tile : columnsNeeded)
    if (stageOf(tile) <= 0 && failed(column(tile)))
      return failure();
  for (tile::DecayDotOp op : decays)
    if (failed(emitDecayDot(op)))
      return failure();
  return success();
}
