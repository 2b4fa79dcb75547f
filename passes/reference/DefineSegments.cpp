//===- DefineSegments.cpp - The meaning of packed sequences -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of token t:
//
//   number = the g < G with segments[g] <= t < segments[g + 1], else G
//   begin  = bounds[g], end = bounds[g + 1]; the limit both if g is G
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/reference/Definitions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// Offset `at` as an index.
static Value readOffset(ImplicitLocOpBuilder &b, Value offsets, Value at) {
  return arith::IndexCastOp::create(b, b.getIndexType(), read(b, offsets, at));
}

SegmentOfToken reference::findSegment(ImplicitLocOpBuilder &b, Value segments,
                                      Value bounds, Value limit, Value token) {
  Value one = index(b, 1);
  Value count = arith::SubIOp::create(b, size(b, segments, 0), one);
  count = arith::MaxSIOp::create(b, count, index(b, 0));
  auto isAtMost = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, x, y);
  };
  auto look = [&](ValueRange at, ValueRange found) -> Carried {
    Value g = at[0], next = arith::AddIOp::create(b, g, one);
    Value hasBegun = isAtMost(readOffset(b, segments, g), token);
    Value hasEnded = isAtMost(readOffset(b, segments, next), token);
    Value isBefore =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, hasBegun, hasEnded);
    Value begin = arith::SelectOp::create(b, isBefore, readOffset(b, bounds, g),
                                          found[1]);
    Value end = arith::SelectOp::create(b, isBefore,
                                        readOffset(b, bounds, next), found[2]);
    return {arith::SelectOp::create(b, isBefore, g, found[0]), begin, end};
  };
  Carried found = fold(b, count, {count, limit, limit}, look);
  return {found[0], found[1], found[2]};
}

Results reference::defineSegmentBounds(ImplicitLocOpBuilder &b,
                                       SegmentBoundsOp op) {
  auto type = cast<RankedTensorType>(op.getNumber().getType());
  auto table = [&](Value SegmentOfToken::*part) {
    return generate(b, type, op.getTokens(), [&](ValueRange at) -> Value {
      SegmentOfToken found = findSegment(b, op.getSegments(), op.getBounds(),
                                         op.getLimit(), at[0]);
      return arith::IndexCastOp::create(b, b.getI32Type(), found.*part);
    });
  };
  return {table(&SegmentOfToken::number), table(&SegmentOfToken::begin),
          table(&SegmentOfToken::end)};
}
