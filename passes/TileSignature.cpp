//===- TileSignature.cpp - What can become a tile program -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/TileSignature.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

/// Says what a result is that no attn op computes.
static LogicalResult refuseResult(func::FuncOp from, unsigned index,
                                  Value value) {
  InFlightDiagnostic error = from.emitOpError("result ")
                             << index
                             << " must be computed by an attn op, got ";
  if (Operation *op = value.getDefiningOp())
    return error << "'" << op->getName() << "'";
  return error << "an argument of the function";
}

/// Tables are read through views, and a constant has none.
static LogicalResult checkCaptures(func::FuncOp from) {
  WalkResult result = from.walk([](arith::ConstantOp op) {
    bool isRead = llvm::any_of(op->getUsers(), [](Operation *user) {
      return isa<AttendOp, MapRowsOp, ReduceOp, PartialOp, RecurChunkOp,
                 BlockListOp>(user->getParentOp());
    });
    bool isOutside = isa<func::FuncOp>(op->getParentOp());
    if (!isRead || !isOutside || !isa<RankedTensorType>(op.getType()))
      return WalkResult::advance();
    op.emitOpError("is a table that regions cannot capture; expected an "
                   "argument of the function, got a constant");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult attn::checkTileSignature(func::FuncOp from) {
  if (!from.getBody().hasOneBlock())
    return from.emitOpError("must have one block");
  for (Type type :
       llvm::concat<const Type>(from.getArgumentTypes(), from.getResultTypes()))
    if (!isa<RankedTensorType>(type))
      return from.emitOpError(
                 "arguments and results must be ranked tensors, got ")
             << type;
  DenseSet<Value> seen;
  for (auto [index, value] :
       llvm::enumerate(from.getBody().front().getTerminator()->getOperands())) {
    if (!isa_and_nonnull<scf::ForallOp, scf::IfOp, MapRowsOp, ReduceOp, MergeOp,
                         BlockBoundsOp, BlockListOp, TransposeListOp,
                         BlockOrderOp, SegmentBoundsOp>(value.getDefiningOp()))
      return refuseResult(from, index, value);
    if (!seen.insert(value).second)
      return from.emitOpError("result ") << index << " is returned twice";
  }
  return checkCaptures(from);
}
