//===- AttnGatherOp.cpp - Verifier of attn.gather -------------*- C++ -*-===//
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

int64_t GatherOp::getPageSize() { return tensorOf(getSource()).getDimSize(1); }

LogicalResult GatherOp::verify() {
  RankedTensorType source = tensorOf(getSource()), table = tensorOf(getTable());
  if (source.getRank() != 4) // attn_gather_c1
    return emitOpError("'source' must have rank 4 ([P, S, H, D]), got ")
           << source;
  if (failed(verifyRows(*this, "source", source))) // attn_gather_c2
    return failure();
  if (source.isDynamicDim(1) || source.getDimSize(1) < 1) // attn_gather_c3
    return emitOpError("'source' must have a static number of tokens in a page "
                       "(dimension 1), got ")
           << source;
  Type number = table.getElementType();
  if (table.getRank() != 2 || !number.isSignlessInteger() ||
      number.isInteger(1)) // attn_gather_c4
    return emitOpError("'table' must have rank 2 ([B, M]) and integers of more "
                       "than one bit, got ")
           << table;
  int64_t pages = table.getDimSize(1);
  int64_t rows = ShapedType::isDynamic(pages) ? ShapedType::kDynamic
                                              : pages * getPageSize();
  return verifyResult( // attn_gather_c5
      *this, "output", getOutput(),
      {table.getDimSize(0), source.getDimSize(2), rows, source.getDimSize(3)},
      source.getElementType());
}

LogicalResult GatherOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  auto sizeOf = [&](Value tensor, int64_t dim) {
    return tensor::getMixedSize(builder, loc, tensor, dim);
  };
  Value pages =
      getValueOrCreateConstantIndexOp(builder, loc, sizeOf(getTable(), 1));
  Value size = arith::ConstantIndexOp::create(builder, loc, getPageSize());
  OpFoldResult rows =
      arith::MulIOp::create(builder, loc, pages, size).getResult();
  auto output = tensorOf(getOutput());
  if (!output.isDynamicDim(2))
    rows = builder.getIndexAttr(output.getDimSize(2));
  shapes.push_back({sizeOf(getTable(), 0), sizeOf(getSource(), 2), rows,
                    builder.getIndexAttr(output.getDimSize(3))});
  return success();
}
