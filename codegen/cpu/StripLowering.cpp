//===- StripLowering.cpp - Score-like tiles of a segment, strip by strip -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/StripLowering.h"
#include "codegen/cpu/RowEvaluator.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult StripLowering::emitStrip(ArrayRef<Materialized> wanted) {
  for (tile::TrimOp op : trims)
    ranges[op] = emitRange(op);
  if (failed(emitDecays()))
    return failure();
  int64_t last = loops.empty() ? 0 : loops.rbegin()->first;
  for (int64_t at = 0; at <= last; ++at)
    if (failed(emitStage(at)))
      return failure();
  stage = last + 1;
  // Columns last, all read before any is written: they may share buffers.
  SmallVector<std::pair<Value, Vectors>> results;
  for (const Materialized &result : wanted)
    if (tileOf(result.tile).getRank() == 1) {
      FailureOr<Vectors> value = column(result.tile);
      if (failed(value))
        return failure();
      results.push_back({result.buffer, *value});
    }
  for (auto &[buffer, value] : results)
    storeVectors(value, buffer, Value());
  for (const Materialized &copy : copies) {
    auto columns = scf::ForOp::create(
        b, vectors.index(0), vectors.index(tileOf(copy.tile).getDimSize(1)),
        vectors.index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(columns.getBody()->getTerminator());
    Value col = columns.getInductionVar();
    storeVectors(loadVectors(home[copy.tile], col), copy.buffer, col);
  }
  return success();
}

LogicalResult StripLowering::emitStage(int64_t at) {
  stage = at;
  // Columns are evaluated outside of the loops that use them.
  for (Value tile : columnsNeeded)
    if (stageOf(tile) <= at && failed(column(tile)))
      return failure();
  for (auto &[cols, loop] : loops[at])
    if (failed(emitLoop(loop, cols)))
      return failure();
  return success();
}

/// As many columns as leave room for a column of the left operand and one
/// broadcast element, if there is a product; else a few, to fill the pipeline.
int64_t StripLowering::columnsAtOnce(int64_t cols) {
  bool hasProduct = false;
  for (Operation *op : segment)
    if (auto dot = dyn_cast<tile::DotOp>(op))
      hasProduct |= stageOf(dot.getResult()) == stage &&
                    tileOf(dot.getResult()).getDimSize(1) == cols;
  int64_t accumulators =
      unit.registers - registers - (unit.registers > 16 ? 2 : 1);
  int64_t most = hasProduct ? accumulators / registers : 2;
  int64_t count = std::clamp<int64_t>(most, 1, cols);
  // No columns are left over if a few less divide them.
  while (cols % count && 2 * count > most)
    --count;
  if (cols % count)
    count = std::clamp<int64_t>(most, 1, cols);
  // Ranges are multiples of 8.
  return isNarrow(cols)
             ? int64_t(llvm::bit_floor(uint64_t(std::min<int64_t>(count, 8))))
             : count;
}

LogicalResult StripLowering::emitLoop(Loop &loop, int64_t cols) {
  SmallVector<Vectors> sums;
  for (tile::ReduceOp op : loop.reductions)
    sums.push_back(knownColumns.lookup(op.getInit()));
  int64_t step = columnsAtOnce(cols), whole = cols - cols % step;
  Range bounds{vectors.index(0), vectors.index(whole)};
  if (isNarrow(cols)) {
    bounds = ranges.lookup(trims.front());
    whole = cols;
  }

  SmallVector<Value> init;
  for (const Vectors &sum : sums)
    llvm::append_range(init, sum);
  auto columns = scf::ForOp::create(b, bounds.begin, bounds.end,
                                    vectors.index(step), init);
  auto split = [&](ValueRange flat) {
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = Vectors(flat.slice(i * registers, registers));
  };
  {
    OpBuilder::InsertionGuard guard(b);
    Block *body = columns.getBody();
    if (init.empty())
      b.setInsertionPoint(body->getTerminator());
    else
      b.setInsertionPointToEnd(body);
    split(columns.getRegionIterArgs());
    if (failed(emitColumns(loop, columns.getInductionVar(), step, sums)))
      return failure();
    SmallVector<Value> next;
    for (const Vectors &sum : sums)
      llvm::append_range(next, sum);
    if (!init.empty())
      scf::YieldOp::create(b, next);
  }
  split(columns.getResults());
  if (whole < cols &&
      failed(emitColumns(loop, vectors.index(whole), cols - whole, sums)))
    return failure();
  for (auto [op, sum] : llvm::zip(loop.reductions, sums))
    knownColumns[op.getResult()] = sum;
  return success();
}

LogicalResult StripLowering::emitColumns(Loop &loop, Value first, int64_t count,
                                         SmallVector<Vectors> &sums) {
  firstColumn = first;
  columnCount = count;
  knownPairs.clear();
  for (int64_t col = 0; col < count; ++col) {
    for (auto [op, sum] : llvm::zip(loop.reductions, sums)) {
      FailureOr<Vectors> part = pairs(op.getValue(), col);
      if (failed(part))
        return failure();
      for (int64_t v = 0; v < registers; ++v)
        sum[v] = vectors.combine(op.getKind(), sum[v], (*part)[v]);
    }
    SmallVector<Vectors> values;
    for (Value tile : loop.stores) {
      FailureOr<Vectors> value = pairs(tile, col);
      if (failed(value))
        return failure();
      values.push_back(*value);
    }
    Value at = vectors.add(first, vectors.index(col));
    for (auto [tile, value] : llvm::zip(loop.stores, values))
      storeVectors(value, home[tile], at);
  }
  knownPairs.clear();
  return success();
}

//===----------------------------------------------------------------------===//
// Memory and arithmetic of one strip
//===----------------------------------------------------------------------===//

/// Rank 3: [strip, column, lane]; rank 2: [column, lane]; rank 1: [row].
SmallVector<Value> StripLowering::address(Value buffer, Value col,
                                          int64_t vector) {
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  Value lane = vectors.index(vector * vectors.getLanes());
  if (rank == 1) {
    Value width = vectors.index(registers * vectors.getLanes());
    return {vectors.add(arith::MulIOp::create(b, strip, width), lane)};
  }
  if (rank == 2)
    return {col, lane};
  return {strip, col, lane};
}

StripLowering::Vectors StripLowering::loadVectors(Value buffer, Value col) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  Vectors values;
  for (int64_t v = 0; v < registers; ++v)
    values.push_back(vector::LoadOp::create(b, vectors.type(element), buffer,
                                            address(buffer, col, v)));
  return values;
}

void StripLowering::storeVectors(const Vectors &values, Value buffer,
                                 Value col) {
  for (auto [v, value] : llvm::enumerate(values))
    vector::StoreOp::create(b, value, buffer, address(buffer, col, v));
}

Value StripLowering::multiplyAdd(Value x, Value y, Value sum) {
  if (unit.hasFma)
    return vector::FMAOp::create(b, x, y, sum);
  return arith::AddFOp::create(b, arith::MulFOp::create(b, x, y), sum);
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

FailureOr<StripLowering::Vectors> StripLowering::column(Value tile) {
  if (auto it = knownColumns.find(tile); it != knownColumns.end())
    return it->second;
  FailureOr<Vectors> value = computeColumn(tile);
  if (succeeded(value))
    knownColumns[tile] = *value;
  return value;
}

FailureOr<StripLowering::Vectors> StripLowering::computeColumn(Value tile) {
  if (Value buffer = buffers.columns.lookup(tile))
    return loadVectors(buffer, Value());
  Operation *op = tile.getDefiningOp();
  if (!op)
    return emitError(tile.getLoc(),
                     "the CPU back end cannot read this tile by strips");
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return repeat(vectors.constant(constant, true));
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return repeat(vectors.splat(scalars.lookupOrDefault(splat.getScalar())));
  if (auto iota = dyn_cast<tile::IotaOp>(op))
    return rowPositions(scalars.lookupOrDefault(iota.getStart()));
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return load.getRows().empty() ? loadColumn(load) : loadIndexed(load);
  if (isa<tile::GatherOp>(op) || OpTrait::hasElementwiseMappableTraits(op))
    return elementwise(op, 0, /*rank2=*/false);
  return op->emitError("the CPU back end cannot evaluate '")
         << op->getName() << "' by strips";
}

/// start + row, for the rows of the strip.
StripLowering::Vectors StripLowering::rowPositions(Value start) {
  Value width = vectors.index(registers * vectors.getLanes());
  Value first = vectors.add(start, arith::MulIOp::create(b, strip, width));
  Vectors values;
  for (int64_t v = 0; v < registers; ++v)
    values.push_back(vectors.iota(
        vectors.add(first, vectors.index(v * vectors.getLanes()))));
  return values;
}

/// The elements of `op` for the rows of the strip.
StripLowering::Vectors StripLowering::loadColumn(tile::LoadOp op) {
  SmallVector<Value> indices;
  for (Value offset : op.getOffsets())
    indices.push_back(scalars.lookupOrDefault(offset));
  Vectors values;
  for (Value rows : rowPositions(indices.back())) {
    indices.back() = rows;
    values.push_back(vectors.gather(scalars.lookupOrDefault(op.getView()),
                                    indices, /*vectors=*/true));
  }
  return values;
}

/// The same for rows at indices of their own.
FailureOr<StripLowering::Vectors> StripLowering::loadIndexed(tile::LoadOp op) {
  SmallVector<Vectors> shifts;
  for (Value indices : op.getRows()) {
    FailureOr<Vectors> shift = column(indices);
    if (failed(shift))
      return failure();
    shifts.push_back(*shift);
  }
  Vectors values;
  for (int64_t v = 0; v < registers; ++v) {
    SmallVector<Value> indices;
    for (Value offset : op.getOffsets())
      indices.push_back(scalars.lookupOrDefault(offset));
    for (auto [number, shift] : llvm::enumerate(shifts)) {
      Value &index = indices[indices.size() - shifts.size() + number];
      index = arith::AddIOp::create(b, vectors.splat(index), shift[v]);
    }
    values.push_back(vectors.gather(scalars.lookupOrDefault(op.getView()),
                                    indices, /*vectors=*/true));
  }
  return values;
}

FailureOr<StripLowering::Vectors>
StripLowering::elementwise(Operation *op, int64_t col, bool rank2) {
  SmallVector<Vectors> operands;
  for (Value value : op->getOperands()) {
    if (!tileOf(value)) {
      operands.push_back(repeat(scalars.lookupOrDefault(value)));
      continue;
    }
    FailureOr<Vectors> evaluated = rank2 ? pairs(value, col) : column(value);
    if (failed(evaluated))
      return failure();
    operands.push_back(*evaluated);
  }
  Vectors results;
  for (int64_t v = 0; v < registers; ++v) {
    SmallVector<Value> parts;
    for (const Vectors &operand : operands)
      parts.push_back(operand[v]);
    results.push_back(
        isa<tile::GatherOp>(op)
            ? vectors.gather(parts.front(), ArrayRef(parts).drop_front(), true)
            : vectors.elementwise(op, parts, true));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

/// Element `at` of a vector that all rows have, in all lanes: read where it
/// lies, else computed, once for the column.
FailureOr<Value> StripLowering::elementOfRow(tile::BroadcastOp op, Value at) {
  if (hasElements(op.getResult()))
    return rowElement(op.getResult(), vectors.index(0), at);
  FailureOr<Value> element =
      RowEvaluator(b, vectors, unit, buffers, scalars, at)
          .scalar(op.getVector());
  if (failed(element))
    return failure();
  return vectors.splat(*element);
}

FailureOr<StripLowering::Vectors> StripLowering::pairs(Value tile,
                                                       int64_t col) {
  if (auto it = knownPairs.find({tile, col}); it != knownPairs.end())
    return it->second;
  FailureOr<Vectors> value = computePairs(tile, col);
  if (succeeded(value))
    knownPairs[{tile, col}] = *value;
  return value;
}

FailureOr<StripLowering::Vectors> StripLowering::computePairs(Value tile,
                                                              int64_t col) {
  Value at = vectors.add(firstColumn, vectors.index(col));
  if (stored.contains(tile) && stageOf(tile) < stage)
    return loadVectors(home[tile], at);
  if (Value buffer = buffers.strips.lookup(tile))
    return loadVectors(buffer, at);
  Operation *op = tile.getDefiningOp();
  if (!op)
    return emitError(tile.getLoc(),
                     "the CPU back end cannot read this tile by strips");
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return product(dot, col);
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return repeat(vectors.constant(constant, true));
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return repeat(vectors.splat(scalars.lookupOrDefault(splat.getScalar())));
  if (auto iota = dyn_cast<tile::IotaOp>(op)) {
    Value start = scalars.lookupOrDefault(iota.getStart());
    return iota.getAlong() == 0 ? rowPositions(start)
                                : repeat(vectors.splat(vectors.add(start, at)));
  }
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    if (broadcast.getAlong() == 1)
      return column(broadcast.getVector());
    FailureOr<Value> element = elementOfRow(broadcast, at);
    if (failed(element))
      return failure();
    return repeat(*element);
  }
  if (auto trimOp = dyn_cast<tile::TrimOp>(op)) {
    FailureOr<Vectors> value = pairs(trimOp.getValue(), col);
    if (failed(value))
      return failure();
    return trim(trimOp, *value, at);
  }
  if (isa<tile::GatherOp>(op) || OpTrait::hasElementwiseMappableTraits(op))
    return elementwise(op, col, /*rank2=*/true);
  InFlightDiagnostic error = op->emitError("the CPU back end cannot evaluate '")
                             << op->getName() << "' by strips";
  if (isa<tile::SliceOp, tile::ConcatOp>(op))
    error << ": rows cannot be cut or joined in a region before a matrix "
             "multiplies them; do one of both in an 'attn.map_rows'";
  return error;
}
