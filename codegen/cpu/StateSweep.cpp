//===- StateSweep.cpp - One pass over the rows of a state -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step of a recurrence sums weighted rows of the state, and replaces it. No
// product is a part of it, and it waits for memory, so a segment of such a
// block reads each row of the state once:
//
//   1. columns: what rows of the state are weighted with, op by op
//   2. a sweep: for each row of the state, the sums along its rows, the rows
//      that are stored, and those that a loop carries. A few vectors of columns
//      at a time, so that their sums stay in registers
//   3. what follows from the sums, and its stores
//
// A row is read before it is written, and nothing reads the state behind the
// sweep: it may be replaced where it lies.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BlockLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

/// Vectors of columns that are swept at once: as many sums are in registers.
static constexpr int64_t kVectorsAtOnce = 8;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// Whether `tile` has several rows, as a state has, and a token has not.
static bool isTall(Value tile) {
  auto type = tileOf(tile);
  return type && type.getRank() == 2 && type.getDimSize(0) > 1;
}

/// The tile whose rows `op` sums, if it has several; else null.
static Value getSweptTile(Operation *op) {
  auto reduction = dyn_cast<tile::ReduceOp>(op);
  bool isSwept =
      reduction && reduction.getAlong() == 0 && isTall(reduction.getValue());
  return isSwept ? reduction.getValue() : Value();
}

bool BlockLowering::sweepsState() {
  bool hasState = false;
  WalkResult result = from.walk([&](Operation *op) {
    // Rows of a single token may be products, those of a state are not.
    if (isa<tile::ScanOp, tile::DecayDotOp>(op) ||
        (isa<tile::DotOp>(op) && isTall(op->getResult(0))))
      return WalkResult::interrupt();
    if (auto store = dyn_cast<tile::StoreOp>(op))
      hasState |= isTall(store.getValue());
    for (Value carried : op->getResults())
      hasState |= isa<scf::ForOp>(op) && isTall(carried);
    return WalkResult::advance();
  });
  return hasState && !result.wasInterrupted();
}

//===----------------------------------------------------------------------===//
// The sweep
//===----------------------------------------------------------------------===//

/// Starts the sums of `op` from its `init`.
LogicalResult BlockLowering::beginSums(tile::ReduceOp op) {
  Value sums = allocateColumn(op.getResult());
  if (failed(writeColumn(op.getInit(), sums)))
    return failure();
  buffers.columns[op.getResult()] = sums;
  return success();
}

/// Where vectors of `store` from column `col` on go in row `row`, and whether
/// its view has the row.
std::pair<SmallVector<Value>, Value>
BlockLowering::placeOf(tile::StoreOp store, Value row, int64_t col) {
  Value view = scalars.lookupOrDefault(store.getView());
  SmallVector<Value> offsets;
  for (Value offset : store.getOffsets())
    offsets.push_back(scalars.lookupOrDefault(offset));
  Value &rowOffset = offsets[offsets.size() - 2];
  rowOffset = vectors.add(rowOffset, row);
  Value inside = vectors.rowInside(view, offsets);
  offsets.back() = vectors.add(offsets.back(), vectors.index(col));
  return {offsets, inside};
}

/// Stores `parts`, the vectors of a row from column `col` on.
void BlockLowering::storeSwept(tile::StoreOp store, ArrayRef<Value> parts,
                               Value row, int64_t col) {
  auto [offsets, inside] = placeOf(store, row, col);
  auto exists = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(exists.thenBlock()->getTerminator());
  Value view = scalars.lookupOrDefault(store.getView()), first = offsets.back();
  int64_t width = tileOf(store.getValue()).getDimSize(1);
  for (auto [i, part] : llvm::enumerate(parts)) {
    int64_t at = i * vectors.getLanes();
    offsets.back() = vectors.add(first, vectors.index(at));
    vectors.storeRow(part, view, offsets, width - col - at);
  }
}

/// The vectors of columns `col ..` of each of `tiles` in a row.
FailureOr<SmallVector<SmallVector<Value>>>
BlockLowering::evaluateSwept(ArrayRef<Value> tiles, Value row, int64_t col,
                             int64_t count) {
  RowEvaluator rows(b, vectors, unit, buffers, scalars, row);
  SmallVector<SmallVector<Value>> result;
  for (Value tile : tiles) {
    SmallVector<Value> &parts = result.emplace_back();
    for (int64_t i = 0; i < count; ++i) {
      FailureOr<Value> part = rows.vector(tile, col + i * vectors.getLanes());
      if (failed(part))
        return failure();
      parts.push_back(*part);
    }
  }
  return result;
}

/// Where the `count` vectors of columns from `col` on of all sums lie.
SmallVector<std::pair<Value, Value>>
BlockLowering::placesOfSums(const Sweep &sweep, int64_t col, int64_t count) {
  SmallVector<std::pair<Value, Value>> places;
  for (tile::ReduceOp op : sweep.sums)
    for (int64_t i = 0; i < count; ++i)
      places.push_back({buffers.columns.lookup(op.getResult()),
                        vectors.index(col + i * vectors.getLanes())});
  return places;
}

/// One row of a sweep: stores what is computed from it, and returns `sums` with
/// it.
FailureOr<SmallVector<Value>> BlockLowering::sweepRow(const Sweep &sweep,
                                                      Value row, int64_t col,
                                                      int64_t count,
                                                      ValueRange sums) {
  SmallVector<Value> tiles;
  for (tile::ReduceOp op : sweep.sums)
    tiles.push_back(op.getValue());
  for (tile::StoreOp op : sweep.stores)
    tiles.push_back(op.getValue());
  for (const Materialized &yield : sweep.yields)
    tiles.push_back(yield.tile);
  FailureOr<SmallVector<SmallVector<Value>>> parts =
      evaluateSwept(tiles, row, col, count);
  if (failed(parts))
    return failure();
  ArrayRef<SmallVector<Value>> left(*parts);
  SmallVector<Value> next;
  for (tile::ReduceOp op : sweep.sums)
    for (Value part : left.consume_front())
      next.push_back(vectors.combine(op.getKind(), sums[next.size()], part));
  for (tile::StoreOp op : sweep.stores)
    storeSwept(op, left.consume_front(), row, col);
  for (const Materialized &yield : sweep.yields)
    for (auto [i, part] : llvm::enumerate(left.consume_front()))
      vector::StoreOp::create(
          b, part, yield.buffer,
          ValueRange{row, vectors.index(col + i * vectors.getLanes())});
  return next;
}

/// Sweeps over `count` vectors of columns from `col` on.
LogicalResult BlockLowering::sweepColumns(const Sweep &sweep, int64_t col,
                                          int64_t count) {
  SmallVector<std::pair<Value, Value>> places = placesOfSums(sweep, col, count);
  SmallVector<Value> init;
  for (auto [buffer, at] : places)
    init.push_back(vector::LoadOp::create(
        b, vectors.type(cast<MemRefType>(buffer.getType()).getElementType()),
        buffer, at));
  auto loop = scf::ForOp::create(b, vectors.index(0), vectors.index(sweep.rows),
                                 vectors.index(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  FailureOr<SmallVector<Value>> next = sweepRow(
      sweep, loop.getInductionVar(), col, count, loop.getRegionIterArgs());
  if (failed(next))
    return failure();
  if (!next->empty())
    scf::YieldOp::create(b, *next);
  b.setInsertionPointAfter(loop);
  for (auto [place, sum] : llvm::zip(places, loop.getResults()))
    vector::StoreOp::create(b, sum, place.first, place.second);
  return success();
}

/// Sweeps over all columns.
LogicalResult BlockLowering::sweepRows(const Sweep &sweep) {
  int64_t lanes = vectors.getLanes(), step = kVectorsAtOnce * lanes;
  for (int64_t col = 0; col < sweep.columns; col += step) {
    int64_t left = std::min(sweep.columns - col, step);
    if (failed(sweepColumns(sweep, col, llvm::divideCeil(left, lanes))))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

namespace {
/// Ops of a segment, by when they are evaluated.
struct Stages {
  SmallVector<Operation *> before, after;
  SmallVector<tile::ReduceOp> swept;
  llvm::DenseSet<Value> late; ///< What follows from the sums of a sweep.
};
} // namespace

/// Cuts `segment` at the sums along the rows of states.
static FailureOr<Stages>
findStages(const llvm::SetVector<Operation *> &segment) {
  Stages stages;
  for (Operation *op : segment) {
    bool isSwept = static_cast<bool>(getSweptTile(op));
    bool isLate = llvm::any_of(op->getOperands(), [&](Value operand) {
      return stages.late.contains(operand);
    });
    bool isState =
        llvm::any_of(op->getOperands(), isTall) && !isa<tile::DotOp>(op);
    if (isLate && isState) {
      op->emitOpError("the CPU back end cannot compute rows of a state from "
                      "sums over its rows");
      return failure();
    }
    if (isSwept || isLate)
      stages.late.insert_range(op->getResults());
    if (isSwept)
      stages.swept.push_back(cast<tile::ReduceOp>(op));
    else
      (isLate ? stages.after : stages.before).push_back(op);
  }
  return stages;
}

/// The tall tiles of `stages`, `stores` and `yields`, by their shapes.
static SmallVector<BlockLowering::Sweep>
collectSweeps(const Stages &stages, ArrayRef<tile::StoreOp> stores,
              ArrayRef<Materialized> yields) {
  std::map<std::pair<int64_t, int64_t>, BlockLowering::Sweep> sweeps;
  auto sweepOf = [&](Value tile) -> BlockLowering::Sweep & {
    ArrayRef<int64_t> shape = tileOf(tile).getShape();
    BlockLowering::Sweep &sweep = sweeps[{shape[0], shape[1]}];
    sweep.rows = shape[0];
    sweep.columns = shape[1];
    return sweep;
  };
  for (tile::ReduceOp op : stages.swept)
    sweepOf(op.getValue()).sums.push_back(op);
  for (tile::StoreOp op : stores)
    sweepOf(op.getValue()).stores.push_back(op);
  for (const Materialized &yield : yields)
    sweepOf(yield.tile).yields.push_back(yield);
  SmallVector<BlockLowering::Sweep> result;
  for (auto &[shape, sweep] : sweeps)
    result.push_back(sweep);
  return result;
}

LogicalResult BlockLowering::lowerSweep(const Segment &segment,
                                        ArrayRef<Materialized> yields) {
  FailureOr<Stages> stages = findStages(segment);
  if (failed(stages))
    return failure();
  for (Operation *op : stages->before) {
    // States are read where they lie, if all of their rows exist.
    if (auto load = dyn_cast<tile::LoadOp>(op);
        load && isTall(load) && getPlainLoad(load) && failed(packRows(load)))
      return failure();
    if (failed(prepare(op)))
      return failure();
  }
  for (tile::ReduceOp op : stages->swept)
    if (failed(beginSums(op)))
      return failure();
  SmallVector<tile::StoreOp> tall;
  std::map<int64_t, SmallVector<tile::StoreOp>> others;
  for (Operation *op : segment)
    if (auto store = dyn_cast<tile::StoreOp>(op)) {
      if (isTall(store.getValue()))
        tall.push_back(store);
      else
        others[tileOf(store.getValue()).getDimSize(0)].push_back(store);
    }
  for (const Sweep &sweep : collectSweeps(*stages, tall, yields))
    if (failed(sweepRows(sweep)))
      return failure();
  for (Operation *op : stages->after)
    if (failed(prepare(op)))
      return failure();
  for (auto &[rows, stores] : others)
    if (failed(storeRows(stores, rows)))
      return failure();
  return success();
}
