//===- Definitions.h - What each op means, as loops over scalars -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REFERENCE_DEFINITIONS_H
#define ATTN_PASSES_REFERENCE_DEFINITIONS_H

#include "dialect/AttnDialect.h"
#include "passes/reference/ScalarLoops.h"

namespace attn::reference {

/// Each of these emits the definition of one op before it and returns what the
/// op's results are.
using Results = llvm::SmallVector<mlir::Value>;

Results defineAttend(mlir::ImplicitLocOpBuilder &b, AttendOp op);
Results defineMapRows(mlir::ImplicitLocOpBuilder &b, MapRowsOp op);
Results defineGather(mlir::ImplicitLocOpBuilder &b, GatherOp op);
Results defineMerge(mlir::ImplicitLocOpBuilder &b, MergeOp op);
Results defineRecur(mlir::ImplicitLocOpBuilder &b, RecurOp op);
Results defineLoadState(mlir::ImplicitLocOpBuilder &b, LoadStateOp op);
Results defineMergeState(mlir::ImplicitLocOpBuilder &b, MergeStateOp op);
Results defineRecurChunk(mlir::ImplicitLocOpBuilder &b, RecurChunkOp op);
Results defineReduce(mlir::ImplicitLocOpBuilder &b, ReduceOp op);
Results defineBlockBounds(mlir::ImplicitLocOpBuilder &b, BlockBoundsOp op);
Results defineBlockList(mlir::ImplicitLocOpBuilder &b, BlockListOp op);
Results defineTransposeList(mlir::ImplicitLocOpBuilder &b, TransposeListOp op);
Results defineBlockOrder(mlir::ImplicitLocOpBuilder &b, BlockOrderOp op);
Results defineSegmentBounds(mlir::ImplicitLocOpBuilder &b, SegmentBoundsOp op);

/// The sequence of a token, and where it lies in another packed tensor.
struct SegmentOfToken {
  mlir::Value number, begin, end;
};

/// That of token `token`, where sequences begin at `segments`; in the other
/// tensor, of `limit` tokens, at `bounds`.
SegmentOfToken findSegment(mlir::ImplicitLocOpBuilder &b, mlir::Value segments,
                           mlir::Value bounds, mlir::Value limit,
                           mlir::Value token);
Results definePartial(mlir::ImplicitLocOpBuilder &b, PartialOp op);
Results defineAddSink(mlir::ImplicitLocOpBuilder &b, AddSinkOp op);
Results defineFinish(mlir::ImplicitLocOpBuilder &b, FinishOp op);

/// For an op of the tile dialect.
Results defineTileOp(mlir::ImplicitLocOpBuilder &b, mlir::Operation *op);

} // namespace attn::reference

#endif // ATTN_PASSES_REFERENCE_DEFINITIONS_H
