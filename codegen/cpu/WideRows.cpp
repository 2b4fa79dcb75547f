//===- WideRows.cpp - Rows of many vectors, in a loop over columns --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row is evaluated vector by vector, in straight-line code. For rows of many
// vectors (latent attention has 512 features) that code takes longer to compile
// than all loops of the kernel, so it becomes the body of a loop, if all of the
// vectors are computed in the same way.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/RowEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

/// Rows of more vectors are loops, of so many vectors an iteration.
static constexpr int64_t kStraightVectors = 8;
static constexpr int64_t kVectorsOfIteration = 4;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// Whether `cols` columns of a load from `col` on exist in all of its rows.
static bool isWhole(tile::LoadOp op, int64_t col, int64_t cols) {
  auto view = cast<MemRefType>(op.getView().getType());
  std::optional<int64_t> start = getConstantIntValue(op.getOffsets().back());
  return start && *start + col >= 0 && view.getRank() >= 2 &&
         !ShapedType::isDynamic(view.getShape().back()) &&
         *start + col + cols <= view.getShape().back();
}

/// Whether all vectors of columns `col` to `col + cols` of `tile` are computed
/// in the same way. What was `visited` need not be looked at again.
bool RowEvaluator::isUniform(Value tile, int64_t col, int64_t cols,
                             Visited &visited) {
  if (!tileOf(tile) || tileOf(tile).getRank() != 2 ||
      !visited.insert({tile, col}).second)
    return true;
  if (buffers.rows.contains(tile) || buffers.strips.contains(tile))
    return true;
  Operation *op = tile.getDefiningOp();
  if (!op)
    return false;
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    Type element = tileOf(tile).getElementType();
    return vectors.storable(element) == element && isWhole(load, col, cols);
  }
  if (auto slice = dyn_cast<tile::SliceOp>(op))
    return isUniform(slice.getValue(), col + slice.getStart(), cols, visited);
  if (isa<arith::ConstantOp, tile::SplatOp, tile::IotaOp, tile::DotOp>(op))
    return true;
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return broadcast.getAlong() == 1 ||
           buffers.columns.contains(broadcast.getVector());
  return (isa<tile::GatherOp>(op) ||
          OpTrait::hasElementwiseMappableTraits(op)) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isUniform(operand, col, cols, visited);
         });
}

/// Evaluates what all vectors of a uniform tile share.
LogicalResult RowEvaluator::evaluateShared(Value tile, Visited &visited) {
  if (!tileOf(tile) || buffers.rows.contains(tile) ||
      buffers.strips.contains(tile) || !visited.insert({tile, 0}).second)
    return success();
  if (tileOf(tile).getRank() == 1)
    return scalar(tile);
  Operation *op = tile.getDefiningOp();
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return rowExists(load);
  if (isa<tile::DotOp>(op))
    return vector(tile, 0);
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op);
      broadcast && broadcast.getAlong() == 0)
    return success();
  for (Value operand : op->getOperands())
    if (failed(evaluateShared(operand, visited)))
      return failure();
  return success();
}

LogicalResult
RowEvaluator::forEachVector(Value tile,
                            function_ref<void(Value, int64_t, Value)> use) {
  int64_t lanes = vectors.getLanes(), cols = tileOf(tile).getDimSize(1);
  int64_t step = kVectorsOfIteration * lanes;
  auto evaluate = [&](int64_t end) -> LogicalResult {
    for (int64_t col = 0; col < end; col += lanes) {
      FailureOr<Value> value = vector(tile, col);
      if (failed(value))
        return failure();
      use(*value, cols - col, column(col));
    }
    return success();
  };
  Visited visited;
  if (cols <= kStraightVectors * lanes || cols % step ||
      !isUniform(tile, 0, cols, visited))
    return evaluate(cols);
  visited.clear();
  if (failed(evaluateShared(tile, visited)))
    return failure();
  auto loop = scf::ForOp::create(b, vectors.index(0), vectors.index(cols),
                                 vectors.index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  auto outside = std::exchange(known, decltype(known)());
  base = loop.getInductionVar();
  LogicalResult done = evaluate(step);
  base = Value();
  known = std::move(outside);
  return done;
}
