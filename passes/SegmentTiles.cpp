//===- SegmentTiles.cpp - Bounds of packed sequences as tiles ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of tokens are independent. Each finds the sequences of its first and
// its last token by bisection, and visits those between them in order: the work
// is proportional to the tokens and the sequences, however long these are.
// Every token is written once, whatever the offsets are: what the sequences
// leave is of none.
//
//===----------------------------------------------------------------------===//

#include "passes/SegmentTiles.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

/// Tokens of a block.
static constexpr int64_t kBlock = 256;
/// Steps that bisect any number of sequences: they are below 2 to this.
static constexpr int64_t kSteps = 32;

namespace {
class BoundsWriter {
public:
  BoundsWriter(ImplicitLocOpBuilder &b, const IRMapping &mapping,
               SegmentBoundsOp op);

  void run();

private:
  /// What is written for a token: a number and where its sequence lies.
  using Entry = std::array<Value, 3>;

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value next(Value value) {
    return arith::AddIOp::create(b, value, constant(1));
  }
  Value atLeast(Value value, Value least) {
    return arith::MaxSIOp::create(b, value, least);
  }
  Value atMost(Value value, Value most) {
    return arith::MinSIOp::create(b, value, most);
  }
  Value readOffset(Value offsets, Value at);
  Value findSegment(Value token);
  void writeTokens(Value begin, Value end, const Entry &entry);

  ImplicitLocOpBuilder &b;
  SmallVector<Value> views;
  Value segments, bounds, tokens, limit, count;
};
} // namespace

BoundsWriter::BoundsWriter(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                           SegmentBoundsOp op)
    : b(b), segments(mapping.lookup(op.getSegments())),
      bounds(mapping.lookup(op.getBounds())),
      tokens(mapping.lookupOrDefault(op.getTokens())),
      limit(mapping.lookupOrDefault(op.getLimit())) {
  for (Value result : op.getResults())
    views.push_back(mapping.lookup(result));
  Value offsets = memref::DimOp::create(b, segments, constant(0));
  count = atLeast(arith::SubIOp::create(b, offsets, constant(1)), constant(0));
}

Value BoundsWriter::readOffset(Value offsets, Value at) {
  Type element = cast<MemRefType>(offsets.getType()).getElementType();
  Value offset = tile::GatherOp::create(b, element, offsets, at);
  return arith::IndexCastOp::create(b, b.getIndexType(), offset);
}

/// The first sequence that ends behind `token`; their number if none does.
Value BoundsWriter::findSegment(Value token) {
  auto bisect = [&](OpBuilder &builder, Location loc, Value, ValueRange range) {
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(builder.getInsertionBlock(),
                        builder.getInsertionPoint());
    Value sum = arith::AddIOp::create(b, range[0], range[1]);
    Value middle = arith::DivSIOp::create(b, sum, constant(2));
    Value end = readOffset(segments, next(middle));
    Value isBehind =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, end, token);
    Value isFound =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sge, range[0], range[1]);
    Value stays = arith::OrIOp::create(b, isBehind, isFound);
    Value first = arith::SelectOp::create(b, stays, range[0], next(middle));
    Value last = arith::SelectOp::create(b, isBehind, middle, range[1]);
    last = arith::SelectOp::create(b, isFound, range[1], last);
    scf::YieldOp::create(b, ValueRange{first, last});
  };
  return scf::ForOp::create(b, constant(0), constant(kSteps), constant(1),
                            ValueRange{constant(0), count}, bisect)
      .getResult(0);
}

void BoundsWriter::writeTokens(Value begin, Value end, const Entry &entry) {
  SmallVector<Value> numbers;
  for (Value value : entry)
    numbers.push_back(arith::IndexCastOp::create(b, b.getI32Type(), value));
  auto loop = scf::ForOp::create(b, begin, end, constant(1));
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  for (auto [number, view] : llvm::zip(numbers, views))
    tile::WriteOp::create(b, number, view, loop.getInductionVar());
}

void BoundsWriter::run() {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  Value blocks = arith::CeilDivSIOp::create(b, tokens, constant(kBlock));
  auto nest = scf::ForallOp::create(b, ArrayRef<OpFoldResult>(blocks),
                                    ValueRange(), std::nullopt);
  b.setInsertionPoint(nest.getTerminator());
  Value begin =
      arith::MulIOp::create(b, nest.getInductionVars()[0], constant(kBlock));
  Value end = atMost(arith::AddIOp::create(b, begin, constant(kBlock)), tokens);
  Value first = findSegment(begin);
  Value last = findSegment(arith::SubIOp::create(b, end, constant(1)));
  auto visit = [&](OpBuilder &builder, Location loc, Value segment,
                   ValueRange token) {
    ImplicitLocOpBuilder::InsertionGuard inside(b);
    b.setInsertionPoint(builder.getInsertionBlock(),
                        builder.getInsertionPoint());
    Value until = atMost(readOffset(segments, next(segment)), end);
    until = atLeast(until, token[0]);
    Value from =
        atMost(atLeast(readOffset(bounds, segment), constant(0)), limit);
    Value to = atMost(atLeast(readOffset(bounds, next(segment)), from), limit);
    writeTokens(token[0], until, {segment, from, to});
    scf::YieldOp::create(b, until);
  };
  Value rest = scf::ForOp::create(b, first, atMost(next(last), count),
                                  constant(1), begin, visit)
                   .getResult(0);
  writeTokens(rest, end, {count, limit, limit});
}

void attn::writeSegmentBounds(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                              SegmentBoundsOp op) {
  BoundsWriter(b, mapping, op).run();
}
