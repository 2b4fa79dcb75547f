//===- AttnSegmentOp.cpp - Verifiers of packed sequences --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The labels in comments are those of the constraints in docs/spec.md.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnChecks.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Checks that offsets of two tensors are those of the same sequences.
static LogicalResult verifySameSegments(Operation *op, Value x, Value y) {
  int64_t ofX = getNumSegments(x), ofY = getNumSegments(y);
  if (succeeded(verifyCompatibleShape({ofX}, {ofY})))
    return success();
  return op->emitOpError("offsets must be those of the same segments, got ")
         << ofX << " segments and " << ofY;
}

//===----------------------------------------------------------------------===//
// attn.attend
//===----------------------------------------------------------------------===//

LogicalResult attn::verifyPackedAttention(AttendOp op) {
  Value queries = op.getQuerySegments(), keys = op.getOffsetsOfKeys();
  if (!queries)
    return success();
  for (Value offsets : {queries, keys})
    if (failed(verifySegments(op, offsets, // attend_c27, attend_c28
                              {{"query", op.getQuery()},
                               {"key", op.getKey()},
                               {"value", op.getValue()}})))
      return failure();
  if (failed(verifySameSegments(op, queries, keys))) // attend_c27
    return failure();
  StringRef what = op.getOffsets()         ? "'blocks'"
                   : !op.getKeys().empty() ? "a region 'keys'"
                   : op.getNumAxes() != 1  ? "more than one axis of tokens"
                                           : "";
  if (!what.empty()) // attend_c29
    return op.emitOpError("cannot have 'segments' and ")
           << what << ": positions are those in a segment";
  int64_t nq = tensorOf(op.getQuery()).getDimSize(2);
  int64_t nk = tensorOf(op.getKey()).getDimSize(2);
  if (!op.getKeySegments() &&
      failed(verifyCompatibleShape({nq}, {nk}))) // attend_c30
    return op.emitOpError("'query' and 'key' need offsets of their own in "
                          "'segments' where they have different numbers of "
                          "rows, got ")
           << nq << " and " << nk;
  return success();
}

//===----------------------------------------------------------------------===//
// attn.segment_bounds
//===----------------------------------------------------------------------===//

LogicalResult SegmentBoundsOp::verify() {
  for (Value offsets : {getSegments(), getBounds()})
    if (failed(verifySegments(*this, offsets, {}))) // segment_bounds_c1
      return failure();
  if (failed(verifySameSegments(*this, getSegments(), getBounds())))
    return failure(); // segment_bounds_c2
  RankedTensorType type = tensorOf(getNumber());
  if (type.getRank() != 1 || !type.getElementType().isSignlessInteger(32))
    return emitOpError("results must be tensors of i32 of rank 1 ([tokens]), "
                       "got ") // segment_bounds_c3
           << type;
  return success();
}

LogicalResult
SegmentBoundsOp::reifyResultShapes(OpBuilder &builder,
                                   ReifiedRankedShapedTypeDims &shapes) {
  RankedTensorType type = tensorOf(getNumber());
  OpFoldResult size = getTokens();
  if (!type.isDynamicDim(0))
    size = builder.getIndexAttr(type.getDimSize(0));
  shapes.assign(3, {size});
  return success();
}
