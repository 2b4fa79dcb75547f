//===- DefineReduce.cpp - The meaning of attn.reduce ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows are mapped and kept in the accumulator type; then
//
//   out[b, h, d] = 0 + rows[b, h, 0, d] + rows[b, h, 1, d] + ...
//
// or the largest of -inf and these, and likewise for heads.
//
//===----------------------------------------------------------------------===//

#include "passes/reference/Definitions.h"
#include "passes/reference/PairScores.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

Results reference::defineReduce(ImplicitLocOpBuilder &b, ReduceOp op) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  Type element = type.getElementType();
  Value rows = mapAllRows(b, op.getRows(), op.getInput(), element);
  Value count = size(b, rows, op.getReducedDim());
  SmallVector<Value> extents{size(b, rows, 0), size(b, rows, op.getKeptDim()),
                             size(b, rows, 3)};
  bool isSum = op.getKind() == RowReduction::Sum;
  double neutral = isSum ? 0.0 : -std::numeric_limits<double>::infinity();
  return {generate(b, type, extents, [&](ValueRange at) -> Value {
    auto term = [&](Value n) {
      SmallVector<Value> from{at[0], at[1], at[2]};
      from.insert(from.begin() + op.getReducedDim(), n);
      return convert(b, read(b, rows, from), element);
    };
    Value init = number(b, element, neutral);
    return isSum ? sum(b, count, init, term) : max(b, count, init, term);
  })};
}
