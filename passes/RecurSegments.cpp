//===- RecurSegments.cpp - Sequences that are packed ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The block of a segment sees tensors that end where its segment does. What
// lies behind is to it what lies behind the last token to other blocks, so that
// neither chunks nor the ops below them know of segments.
//
//===----------------------------------------------------------------------===//

#include "passes/RecurSegments.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

Segments::Segments(ImplicitLocOpBuilder &b, Value segments, Value numTokens)
    : b(b), offsets(segments), numTokens(numTokens) {
  if (segments)
    count = getValueOrCreateConstantIndexOp(
        b, b.getLoc(), countSegments(b, b.getLoc(), segments));
}

Value Segments::offsetOf(Value segment, Value least) const {
  Value at = arith::MinSIOp::create(b, segment, count);
  Value given = tensor::ExtractOp::create(b, offsets, at);
  Value offset = arith::IndexCastOp::create(b, b.getIndexType(), given);
  return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, offset, least),
                                numTokens);
}

Value Segments::constant(int64_t value) const {
  return arith::ConstantIndexOp::create(b, value);
}

Value Segments::getBlocks() const {
  return arith::MaxSIOp::create(b, count, constant(1));
}

Value Segments::getIfAny(Value segment, int64_t size) const {
  Value exists =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, segment, count);
  return arith::SelectOp::create(b, exists, constant(size), constant(0));
}

Value Segments::countBehind(Value segment, Value end) const {
  Value next = arith::AddIOp::create(b, segment, constant(1));
  Value isLast =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, next, count);
  Value left = arith::SubIOp::create(b, numTokens, end);
  return arith::SelectOp::create(b, isLast, left, constant(0));
}

Value attn::limitTokens(ImplicitLocOpBuilder &b, Value rows, Value end) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), rows);
  // An operand that is too short is an error of the caller; what lies behind it
  // is not read for that.
  Value own = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[2]);
  sizes[2] = Value(arith::MinSIOp::create(b, end, own));
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, rows, offsets, sizes, strides);
}
