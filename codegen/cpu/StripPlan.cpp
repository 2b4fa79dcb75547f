//===- StripPlan.cpp - Which stage computes what -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/StripLowering.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

int64_t StripLowering::stripRegisters(int64_t rows, int64_t lanes,
                                      const VectorUnit &unit) {
  int64_t usual = usualRegisters(unit.registers);
  for (int64_t registers : {usual, 5 - usual})
    if (rows % (registers * lanes) == 0)
      return registers;
  return 1;
}

bool StripLowering::isLocal(Value tile) const {
  Operation *op = tile.getDefiningOp();
  return op && segment.contains(op) && !buffers.hasAny(tile) &&
         !isa<arith::ConstantOp, tile::SplatOp, tile::IotaOp>(op);
}

/// Whether evaluating `tile` again costs more than reading it from memory.
bool StripLowering::isHeavy(Value tile) {
  if (!isLocal(tile) || tileOf(tile).getRank() < 2)
    return false;
  Operation *op = tile.getDefiningOp();
  if (isa<tile::DotOp, tile::DecayDotOp, tile::GatherOp>(op) ||
      isa<math::MathDialect>(op->getDialect()))
    return true;
  return llvm::any_of(op->getOperands(),
                      [&](Value v) { return tileOf(v) && isHeavy(v); });
}

int64_t StripLowering::loopStage(tile::ReduceOp op) {
  return std::max(stageOf(op.getValue()), stageOf(op.getInit()));
}

int64_t StripLowering::stageOf(Value tile) {
  if (!isLocal(tile))
    return 0;
  if (auto it = stages.find(tile); it != stages.end())
    return it->second;
  Operation *op = tile.getDefiningOp();
  if (isa<tile::DecayDotOp>(op))
    return stages[tile] = -1;
  int64_t result = 0;
  if (auto reduction = dyn_cast<tile::ReduceOp>(op)) {
    result = loopStage(reduction) + 1;
  } else if (auto dot = dyn_cast<tile::DotOp>(op)) {
    result = stageOf(dot.getInit());
    if (isLocal(dot.getLhs()))
      result = std::max(result, stageOf(dot.getLhs()) + 1);
  } else {
    for (Value operand : op->getOperands())
      if (tileOf(operand))
        result = std::max(result, stageOf(operand));
  }
  return stages[tile] = result;
}

/// Plans what evaluating `tile` during `atStage` takes.
void StripLowering::need(Value tile, int64_t atStage) {
  if (tileOf(tile).getRank() == 1) {
    columnsNeeded.insert(tile);
    if (!isLocal(tile))
      return;
    if (auto reduction = tile.getDefiningOp<tile::ReduceOp>())
      return needReduced(reduction);
    return needOperands(tile.getDefiningOp(), atStage);
  }
  Reads &read = reads[tile];
  read.byColumn = std::max(read.byColumn, atStage);
  if (!isLocal(tile)) {
    // Computed before the loop, and evaluated again here: of columns, the
    // columns are wanted outside of the loops over pairs.
    Operation *op = tile.getDefiningOp();
    if (op && !buffers.hasAny(tile) &&
        (isa<tile::BroadcastOp, tile::GatherOp>(op) ||
         OpTrait::hasElementwiseMappableTraits(op)))
      needOperands(op, atStage);
    return;
  }
  if (stageOf(tile) < atStage && isHeavy(tile))
    return needStored(tile);
  needOperands(tile.getDefiningOp(), atStage);
}

void StripLowering::needOperands(Operation *op, int64_t atStage) {
  auto dot = dyn_cast<tile::DotOp>(op);
  auto broadcast = dyn_cast<tile::BroadcastOp>(op);
  // Read or computed element by element, not as a column.
  if (broadcast && broadcast.getAlong() == 0 &&
      !hasElements(broadcast.getResult()))
    return;
  if (!dot) {
    for (Value operand : op->getOperands())
      if (tileOf(operand))
        need(operand, atStage);
    return;
  }
  Reads &read = reads[dot.getLhs()];
  read.whole = std::max(read.whole, stageOf(dot.getResult()));
  if (isLocal(dot.getLhs()))
    needStored(dot.getLhs());
  need(dot.getInit(), stageOf(dot.getResult()));
}

void StripLowering::needStored(Value tile) {
  if (!stored.insert(tile))
    return;
  if (auto decay = tile.getDefiningOp<tile::DecayDotOp>();
      decay && isLocal(tile)) {
    decays.push_back(decay);
    need(decay.getLhs(), 0);
    return need(decay.getInit(), 0);
  }
  int64_t at = stageOf(tile);
  loops[at][tileOf(tile).getDimSize(1)].stores.push_back(tile);
  if (isLocal(tile))
    needOperands(tile.getDefiningOp(), at);
  else
    need(tile, at);
}

void StripLowering::needReduced(tile::ReduceOp op) {
  if (!reduced.insert(op))
    return;
  int64_t at = loopStage(op);
  loops[at][tileOf(op.getValue()).getDimSize(1)].reductions.push_back(op);
  need(op.getInit(), at);
  need(op.getValue(), at);
}

/// A temporary that nobody reads any more once `tile` is written to it: what is
/// read during the stage of `tile` is read column by column, before the write.
Value StripLowering::reusableTemporary(Value tile) {
  int64_t at = stageOf(tile);
  for (auto &[other, buffer] : home) {
    if (tileOf(other) != tileOf(tile) || stageOf(other) >= at ||
        cast<MemRefType>(buffer.getType()).getRank() != 2)
      continue;
    Reads read = reads[other];
    bool taken = llvm::any_of(home, [&](auto &entry) {
      return entry.first != other && entry.second == buffer &&
             stageOf(entry.first) > stageOf(other);
    });
    if (!taken && read.byColumn <= at && read.whole < at)
      return buffer;
  }
  return {};
}

/// Decides where each stored tile lives.
void StripLowering::placeTemporaries(ArrayRef<Materialized> wanted) {
  // A wanted tile goes straight to its buffer unless what lies there now is
  // still read afterwards.
  for (const Materialized &result : wanted) {
    if (tileOf(result.tile).getRank() < 2)
      continue;
    int64_t at = stageOf(result.tile);
    bool stillRead = llvm::any_of(buffers.strips, [&](auto &entry) {
      Reads read = reads.lookup(entry.first);
      return entry.second == result.buffer &&
             (read.byColumn > at || read.whole >= at);
    });
    if (stillRead || home.contains(result.tile))
      copies.push_back(result);
    else
      home[result.tile] = result.buffer;
  }
  std::multimap<int64_t, Value> order; // Keeps the order within a stage.
  for (Value tile : stored)
    order.insert({stageOf(tile), tile});
  for (auto &[at, tile] : order) {
    if (home.contains(tile))
      continue;
    Value buffer = reusableTemporary(tile);
    auto type = tileOf(tile);
    if (!buffer)
      buffer = memref::AllocaOp::create(
          b,
          MemRefType::get({type.getDimSize(1), registers * vectors.getLanes()},
                          type.getElementType()));
    home[tile] = buffer;
  }
}

LogicalResult StripLowering::run(ArrayRef<Materialized> wanted, int64_t rows,
                                 Value live) {
  registers = stripRegisters(rows, vectors.getLanes(), unit);
  for (const Materialized &result : wanted) {
    if (tileOf(result.tile).getRank() == 1)
      need(result.tile, 0);
    else
      needStored(result.tile);
  }
  placeTemporaries(wanted);
  if (failed(planTrims()))
    return failure();
  strips = rows / (registers * vectors.getLanes());
  auto loop =
      scf::ForOp::create(b, vectors.index(0),
                         live ? live : vectors.index(strips), vectors.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  strip = loop.getInductionVar();
  return emitStrip(wanted);
}
