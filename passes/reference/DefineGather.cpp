//===- DefineGather.cpp - The meaning of attn.gather ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With S tokens in a page:
//
//   out[b, h, n, d] = source[table[b, n / S], n mod S, h, d]   0 outside
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/reference/Definitions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

Results reference::defineGather(ImplicitLocOpBuilder &b, GatherOp op) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  Value pageSize = index(b, op.getPageSize());
  Value rows = arith::MulIOp::create(b, size(b, op.getTable(), 1), pageSize);
  SmallVector<Value> extents{size(b, op.getTable(), 0),
                             size(b, op.getSource(), 2), rows,
                             size(b, op.getSource(), 3)};
  Value output = generate(b, type, extents, [&](ValueRange at) {
    Value place = arith::DivUIOp::create(b, at[2], pageSize);
    Value slot = arith::RemUIOp::create(b, at[2], pageSize);
    Value number = read(b, op.getTable(), {at[0], place});
    Value page = arith::IndexCastOp::create(b, b.getIndexType(), number);
    return readOrZero(b, op.getSource(), {page, slot, at[1], at[3]});
  });
  return {output};
}
