//===- AttnReduceOp.cpp - Verifier of attn.reduce -------------*- C++ -*-===//
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
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

int64_t ReduceOp::getReducedDim() {
  return getOver() == ReducedAxis::Tokens ? 2 : 1;
}

LogicalResult
ReduceOp::verify() { // attn_reduce_c1, attn_reduce_c2, attn_reduce_c3
  return verifyRows(*this, "input",
                    cast<RankedTensorType>(getInput().getType()));
}

LogicalResult ReduceOp::verifyRegions() {
  auto input = cast<RankedTensorType>(getInput().getType());
  Type accumulator = attn::getAccumulatorType(input.getElementType());
  FailureOr<int64_t> width = verifyRowRegion(*this, getRows(), "rows",
                                             input.getDimSize(3), accumulator);
  if (failed(width))
    return failure();
  return verifyResult( // attn_reduce_c4
      *this, "output", getOutput(),
      {input.getDimSize(0), input.getDimSize(getKeptDim()), *width},
      accumulator);
}

LogicalResult ReduceOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  auto sizeOf = [&](int64_t dim) {
    return tensor::getMixedSize(builder, getLoc(), getInput(), dim);
  };
  auto output = cast<RankedTensorType>(getOutput().getType());
  shapes.push_back({sizeOf(0), sizeOf(getKeptDim()),
                    builder.getIndexAttr(output.getDimSize(2))});
  return success();
}
