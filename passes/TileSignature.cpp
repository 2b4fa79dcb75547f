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
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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

/// Whether `user` is in a region, which captures what is outside of it.
static bool isCapture(Operation *user) {
  return isa<AttendOp, MapRowsOp, ReduceOp, PartialOp, RecurChunkOp,
             BlockListOp>(user->getParentOp());
}

/// Whether `user` reads an operand as a list of blocks.
static bool isListReader(Operation *user) {
  return isa<TransposeListOp, BlockOrderOp, tensor::ExtractOp>(user);
}

/// Tables and lists are read through views, and a constant has none.
static LogicalResult checkConstants(func::FuncOp from) {
  WalkResult result = from.walk([](arith::ConstantOp op) {
    bool isOutside = isa<func::FuncOp>(op->getParentOp());
    if (!isOutside || !isa<RankedTensorType>(op.getType()))
      return WalkResult::advance();
    bool isTable = llvm::any_of(op->getUsers(), isCapture);
    if (!isTable && llvm::none_of(op->getUsers(), isListReader))
      return WalkResult::advance();
    op.emitOpError(isTable ? "is a table that regions cannot capture"
                           : "is a list of blocks that programs cannot read")
        << "; expected an argument of the function, got a constant";
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
  return checkConstants(from);
}
