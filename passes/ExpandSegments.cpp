//===- ExpandSegments.cpp - Packed sequences as a mask ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention of sequences that are packed one behind the other is attention of
// all tokens with a mask: query i meets key j if begin[i] <= j < end[i], where
// begin and end are those of the keys of its sequence. In regions, positions in
// the sequence stand for those in the packed tensor:
//
//   b  number[i]
//   j  j - begin[i]
//   i  i - begin of the queries of i             under alignment(start)
//      i - end of the queries of i + end[i] - begin[i]    under alignment(end)
//
// What is read here at i is the same for all keys, and does not decrease from
// query to query: ranges of keys follow (passes/sparsity/MaskIntervals.h).
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_EXPANDSEGMENTS
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Rewrites one attn.attend with segments.
class Expander {
public:
  explicit Expander(AttendOp op) : op(op), b(op.getLoc(), op) {}

  void run();

private:
  Value size(Value tensor) {
    return b.createOrFold<tensor::DimOp>(tensor, /*dim=*/2);
  }
  SegmentBoundsOp locate(Value bounds, Value limit);
  void rewriteRegion(Region &region, bool hasKeys);
  void addMask();

  AttendOp op;
  ImplicitLocOpBuilder b;
  /// Where the keys and the queries of the sequence of each query lie.
  SegmentBoundsOp keys, queries;
};

/// What is read from tables at one query of a region.
class Reader {
public:
  Reader(ImplicitLocOpBuilder &b, Value query) : b(b), query(query) {}

  Value operator()(Value table) {
    Value &element = elements[table];
    if (!element) {
      Value entry = tensor::ExtractOp::create(b, table, query);
      element = arith::IndexCastOp::create(b, b.getIndexType(), entry);
    }
    return element;
  }

private:
  ImplicitLocOpBuilder &b;
  Value query;
  DenseMap<Value, Value> elements;
};
} // namespace

SegmentBoundsOp Expander::locate(Value bounds, Value limit) {
  Type type = RankedTensorType::get(ShapedType::kDynamic, b.getI32Type());
  return SegmentBoundsOp::create(b, type, type, type, op.getQuerySegments(),
                                 bounds, size(op.getQuery()), limit);
}

/// Uses of `argument` in ops that were there before become those of `value`.
static void replace(BlockArgument argument, Value value,
                    ArrayRef<OpOperand *> uses) {
  for (OpOperand *use : uses)
    if (use->get() == argument)
      use->set(value);
}

/// Gives `region`, whose last arguments are b, h, i and, with `hasKeys`, j, the
/// positions in the sequence; a mask drops pairs of different ones.
void Expander::rewriteRegion(Region &region, bool hasKeys) {
  if (region.empty())
    return;
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  Block &block = region.front();
  auto indices = block.getArguments().take_back(hasKeys ? 4 : 3);
  SmallVector<OpOperand *> uses;
  for (BlockArgument argument : indices)
    for (OpOperand &use : argument.getUses())
      uses.push_back(&use);
  auto isUsed = [](BlockArgument argument) { return !argument.use_empty(); };
  bool usesBatch = isUsed(indices[0]), usesQuery = isUsed(indices[2]),
       usesKey = hasKeys && isUsed(indices[3]);
  b.setInsertionPointToStart(&block);
  Reader read(b, indices[2]);
  auto minus = [&](Value x, Value y) -> Value {
    return arith::SubIOp::create(b, x, y);
  };
  Value query = indices[2];
  if (usesBatch)
    replace(indices[0], read(keys.getNumber()), uses);
  if (usesKey)
    replace(indices[3], minus(indices[3], read(keys.getBegin())), uses);
  // Where sequences have as many queries as keys, both alignments are one.
  bool isAtEnd = op.getAlignment() == Alignment::End && queries != keys;
  if (usesQuery && !isAtEnd)
    query = minus(query, read(queries.getBegin()));
  if (usesQuery && isAtEnd) {
    Value fromEnd = minus(query, read(queries.getEnd()));
    query = arith::AddIOp::create(b, fromEnd, read(keys.getEnd()));
    query = minus(query, read(keys.getBegin()));
  }
  if (usesQuery)
    replace(indices[2], query, uses);
}

/// Keeps only pairs of one sequence.
void Expander::addMask() {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  Region &mask = op.getMask();
  if (mask.empty()) {
    SmallVector<Type> types(4, b.getIndexType());
    SmallVector<Location> locations(4, b.getLoc());
    b.createBlock(&mask, mask.end(), types, locations);
    Value all = arith::ConstantOp::create(b, b.getBoolAttr(true));
    YieldOp::create(b, all);
  }
  rewriteRegion(mask, /*hasKeys=*/true);
  Operation *yield = mask.front().getTerminator();
  b.setInsertionPoint(yield);
  Reader read(b, mask.getArgument(2));
  Value key = mask.getArgument(3);
  Value isBehind = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, key,
                                         read(keys.getBegin()));
  Value isBefore = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, key,
                                         read(keys.getEnd()));
  Value isInside = arith::AndIOp::create(b, isBehind, isBefore);
  Value kept = arith::AndIOp::create(b, isInside, yield->getOperand(0));
  yield->setOperand(0, kept);
}

void Expander::run() {
  Value offsetsOfKeys = op.getOffsetsOfKeys();
  keys = locate(offsetsOfKeys, size(op.getKey()));
  queries = keys;
  if (offsetsOfKeys != op.getQuerySegments())
    queries = locate(op.getQuerySegments(), size(op.getQuery()));
  addMask();
  for (Region *region : {&op.getScore(), &op.getProb()})
    rewriteRegion(*region, /*hasKeys=*/true);
  rewriteRegion(op.getSink(), /*hasKeys=*/false);
  op.getQuerySegmentsMutable().clear();
  op.getKeySegmentsMutable().clear();
  op.setAlignment(Alignment::Start);
}

namespace {
struct ExpandSegments : attn::impl::ExpandSegmentsBase<ExpandSegments> {
  void runOnOperation() override {
    SmallVector<AttendOp> ops;
    getOperation().walk([&](AttendOp op) {
      if (op.getQuerySegments())
        ops.push_back(op);
    });
    for (AttendOp op : ops)
      Expander(op).run();
  }
};
} // namespace
