//===- LowerToReference.cpp - The executable definition -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replaces each op by its definition (passes/reference/), in order, so that
// what an op reads is defined when its turn comes. Loops that are there already
// stay.
//
//===----------------------------------------------------------------------===//

#include "passes/ConvertFloats.h"
#include "passes/Passes.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/ScalarRegions.h"

namespace attn {
#define GEN_PASS_DEF_LOWERTOREFERENCE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// Whether `op` runs as it is.
static bool isExecutable(Operation *op) {
  return isa<func::FuncDialect, scf::SCFDialect, arith::ArithDialect,
             math::MathDialect, tensor::TensorDialect, linalg::LinalgDialect,
             memref::MemRefDialect>(op->getDialect());
}

/// Whether `op` has a definition here.
static bool hasDefinition(Operation *op) {
  return isa<AttendOp, MapRowsOp, GatherOp, ReduceOp, MergeOp, RecurOp,
             LoadStateOp, MergeStateOp, RecurChunkOp, PartialOp, AddSinkOp,
             FinishOp, BlockBoundsOp, BlockListOp, TransposeListOp,
             BlockOrderOp, SegmentBoundsOp>(op) ||
         isa<tile::TileDialect>(op->getDialect()) || isElementwiseOnTensors(op);
}

/// Collects the ops of `function` that have a definition; fails on an op that
/// neither has one nor runs as it is. Regions of attn ops belong to their op.
static FailureOr<SmallVector<Operation *>> collectOps(func::FuncOp function) {
  SmallVector<Operation *> ops;
  auto visit = [&](Operation *op) {
    if (op->getDialect() && hasDefinition(op)) {
      ops.push_back(op);
      return WalkResult::skip();
    }
    if (op->getDialect() && isExecutable(op))
      return WalkResult::advance();
    op->emitOpError(
        "has no executable definition; expected an op of attn, tile, "
        "func, scf, arith, math, tensor, linalg or memref");
    return WalkResult::interrupt();
  };
  if (function.walk<WalkOrder::PreOrder>(visit).wasInterrupted())
    return failure();
  return ops;
}

/// Emits the definition of `op`.
static Results define(ImplicitLocOpBuilder &b, Operation *op) {
  if (auto attend = dyn_cast<AttendOp>(op))
    return defineAttend(b, attend);
  if (auto rows = dyn_cast<MapRowsOp>(op))
    return defineMapRows(b, rows);
  if (auto gather = dyn_cast<GatherOp>(op))
    return defineGather(b, gather);
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return defineReduce(b, reduce);
  if (auto merge = dyn_cast<MergeOp>(op))
    return defineMerge(b, merge);
  if (auto recur = dyn_cast<RecurOp>(op))
    return defineRecur(b, recur);
  if (auto load = dyn_cast<LoadStateOp>(op))
    return defineLoadState(b, load);
  if (auto merge = dyn_cast<MergeStateOp>(op))
    return defineMergeState(b, merge);
  if (auto chunk = dyn_cast<RecurChunkOp>(op))
    return defineRecurChunk(b, chunk);
  if (auto partial = dyn_cast<PartialOp>(op))
    return definePartial(b, partial);
  if (auto sink = dyn_cast<AddSinkOp>(op))
    return defineAddSink(b, sink);
  if (auto bounds = dyn_cast<BlockBoundsOp>(op))
    return defineBlockBounds(b, bounds);
  if (auto list = dyn_cast<BlockListOp>(op))
    return defineBlockList(b, list);
  if (auto list = dyn_cast<TransposeListOp>(op))
    return defineTransposeList(b, list);
  if (auto order = dyn_cast<BlockOrderOp>(op))
    return defineBlockOrder(b, order);
  if (auto bounds = dyn_cast<SegmentBoundsOp>(op))
    return defineSegmentBounds(b, bounds);
  if (auto finish = dyn_cast<FinishOp>(op))
    return defineFinish(b, finish);
  if (isElementwiseOnTensors(op))
    return elementwise(b, op, op->getOperands());
  return defineTileOp(b, op);
}

/// Whether `value` is `carried` with some rows replaced: it is there already.
static bool isInsertedInto(Value value, Value carried) {
  auto insert = value.getDefiningOp<tensor::InsertSliceOp>();
  return insert && insert.getDest() == carried;
}

/// Writes what `loop` carries to one place per value: definitions make a new
/// tensor each time, which would have to be allocated anew in every iteration.
static void yieldInPlace(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  ImplicitLocOpBuilder b(loop.getLoc(), yield);
  for (auto [operand, carried] :
       llvm::zip(yield->getOpOperands(), loop.getRegionIterArgs()))
    if (isa<RankedTensorType>(carried.getType()) && operand.get() != carried &&
        !isInsertedInto(operand.get(), carried))
      operand.set(
          linalg::CopyOp::create(b, operand.get(), carried).getResult(0));
}

static LogicalResult lower(func::FuncOp function) {
  FailureOr<SmallVector<Operation *>> ops = collectOps(function);
  if (failed(ops))
    return failure();
  function.walk([](scf::ForOp loop) { yieldInPlace(loop); });
  for (Operation *op : *ops) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    op->replaceAllUsesWith(define(b, op));
    op->erase();
  }
  return success();
}

namespace {
struct LowerToReference : attn::impl::LowerToReferenceBase<LowerToReference> {
  using Base::Base;

  void runOnOperation() override {
    if (precision != "f64" && precision != "spec") {
      getOperation().emitError("'precision' must be f64 or spec, got '")
          << precision << "'";
      return signalPassFailure();
    }
    auto toF64 = [&](FloatType) { return Float64Type::get(&getContext()); };
    for (auto function : getOperation().getOps<func::FuncOp>())
      if ((precision == "f64" && failed(convertFloats(function, toF64))) ||
          failed(lower(function)))
        return signalPassFailure();
  }
};
} // namespace
