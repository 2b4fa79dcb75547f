//===- DefineBlockList.cpp - The meaning of lists of blocks -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For each batch and head, entries are appended one after the other: for each
// block of queries first the blocks of keys that are full, then those that are
// mixed, and the number of entries so far is noted behind each part. Blocks are
// boxes of a grid, which has one axis and boxes of all sizes where it is none.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/BoxGrid.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/PairScores.h"
#include "passes/reference/ScalarRegions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// The sizes that a result of `op` has.
template <typename OpT>
static SmallVector<Value> getSizes(ImplicitLocOpBuilder &b, OpT op,
                                   unsigned result) {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes)))
    llvm_unreachable("these ops know the sizes of their results");
  return llvm::map_to_vector(shapes[result], [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
  });
}

Results reference::defineBlockBounds(ImplicitLocOpBuilder &b,
                                     BlockBoundsOp op) {
  auto type = cast<RankedTensorType>(op.getLeast().getType());
  int64_t along = op.getAlong();
  SmallVector<Value> extents = getSizes(b, op, 0);
  auto bound = [&](bool isLargest) {
    return generate(b, type, extents, [&](ValueRange at) -> Value {
      Value width = index(b, op.getWidth());
      Value begin = arith::MulIOp::create(b, at[along], width);
      Value left =
          arith::SubIOp::create(b, size(b, op.getTable(), along), begin);
      Value count = arith::MinSIOp::create(b, left, width);
      SmallVector<Value> from(at);
      from[along] = begin;
      auto next = [&](ValueRange w, ValueRange so) -> Carried {
        from[along] = arith::AddIOp::create(b, begin, w[0]);
        Value element = read(b, op.getTable(), from);
        if (isLargest)
          return {arith::MaxSIOp::create(b, so[0], element)};
        return {arith::MinSIOp::create(b, so[0], element)};
      };
      return fold(b, count, read(b, op.getTable(), from), next)[0];
    });
  };
  return {bound(false), bound(true)};
}

namespace {
/// The definition of one attn.block_list.
class ListDefinition {
public:
  ListDefinition(ImplicitLocOpBuilder &b, BlockListOp op)
      : b(b), op(op), queries(makeGrid(op.getQueries(), op.getBoxQ(), 0)),
        keys(makeGrid(op.getKeyCount(), op.getBoxK(), 1)) {}

  Results run();

private:
  using Box = std::optional<ArrayRef<int64_t>>;

  BoxGrid makeGrid(ValueRange extents, Box box, unsigned side) {
    return BoxGrid(b, extents, box.value_or(op.getBlockSizes().slice(side, 1)),
                   op.getStep().value_or(ArrayRef<int64_t>()));
  }
  Value getNumber(Value turn);
  Value isListed(ValueRange place, Value block, bool full);
  Value isInRange(ValueRange place, ValueRange queries, ValueRange keys);
  Carried addHead(ValueRange head, ValueRange results);
  Carried addPart(ValueRange place, ValueRange carried, bool full);
  Value toEntry(Value number) {
    return arith::IndexCastOp::create(b, b.getI32Type(), number);
  }

  ImplicitLocOpBuilder &b;
  BlockListOp op;
  BoxGrid queries, keys;
};
} // namespace

/// The block of keys whose turn is `turn`: residue classes of a step come one
/// after the other.
Value ListDefinition::getNumber(Value turn) {
  SmallVector<Value> counts;
  for (int64_t step : keys.getStep())
    counts.push_back(index(b, step));
  llvm::append_range(counts, keys.getBoxesOfClass());
  SmallVector<Value> at = unflatten(b, turn, counts);
  ArrayRef<Value> all = at;
  return keys.getNumber(b, all.take_front(keys.getNumAxes()),
                        all.drop_front(keys.getNumAxes()));
}

/// Whether the `keys` region leaves some of the keys.
Value ListDefinition::isInRange(ValueRange place, ValueRange queries,
                                ValueRange keys) {
  SmallVector<Value> range = evaluateAll(
      b, op.getKeys(), {place[0], place[1], queries[0], queries[1]});
  Value begin = arith::MaxSIOp::create(b, range[0], keys[0]);
  Value last = arith::SubIOp::create(b, range[1], index(b, 1));
  last = arith::MinSIOp::create(b, last, keys[1]);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, begin, last);
}

/// Whether `block` stands in one part of the list of the block of queries at
/// `place`.
Value ListDefinition::isListed(ValueRange place, Value block, bool full) {
  SmallVector<Value> first = queries.getFirstToken(b, place[2]);
  SmallVector<Value> last = queries.getLastToken(b, first);
  SmallVector<Value> firstKey = keys.getFirstToken(b, block);
  SmallVector<Value> lastKey = keys.getLastToken(b, firstKey);
  if (op.getShift())
    for (Value *end : {&first.front(), &last.front()})
      *end = arith::AddIOp::create(b, *end, op.getShift());
  SmallVector<Value> arguments{place[0], place[1]};
  for (ArrayRef<Value> ends : {first, last, firstKey, lastKey})
    llvm::append_range(arguments, ends);
  SmallVector<Value> classes = evaluateAll(b, op.getClasses(), arguments);
  Value listed = classes[0];
  for (auto [from, to] : llvm::zip_equal(llvm::concat<Value>(first, firstKey),
                                         llvm::concat<Value>(last, lastKey))) {
    Value exists =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sle, from, to);
    listed = arith::AndIOp::create(b, listed, exists);
  }
  if (!op.getKeys().empty())
    listed = arith::AndIOp::create(
        b, listed,
        isInRange(place, {first[0], last[0]}, {firstKey[0], lastKey[0]}));
  Value isFull = arith::AndIOp::create(b, listed, classes[1]);
  if (full)
    return isFull;
  return arith::XOrIOp::create(b, listed, isFull);
}

/// Appends one part of the list of a block of queries. Carried are the results
/// and the number of entries so far.
Carried ListDefinition::addPart(ValueRange place, ValueRange carried,
                                bool full) {
  auto addBlock = [&](ValueRange turn, ValueRange so) -> Carried {
    Value block = getNumber(turn[0]);
    Value listed = isListed(place, block, full);
    SmallVector<Value> at{place[0], place[1], so[1]};
    Value blocks = choose(
        b, listed,
        [&]() -> Value {
          return tensor::InsertOp::create(b, toEntry(block), so[0], at);
        },
        [&]() -> Value { return so[0]; });
    Value one = arith::IndexCastUIOp::create(b, b.getIndexType(), listed);
    return {blocks, arith::AddIOp::create(b, so[1], one)};
  };
  Carried next = fold(b, keys.getCount(), {carried[1], carried[2]}, addBlock);
  Value part = arith::MulIOp::create(b, place[2], index(b, 2));
  part = arith::AddIOp::create(b, part, index(b, full ? 1 : 2));
  Value offsets = tensor::InsertOp::create(
      b, toEntry(next[1]), carried[0], ValueRange{place[0], place[1], part});
  return {offsets, next[0], next[1]};
}

Carried ListDefinition::addHead(ValueRange head, ValueRange results) {
  Value zero = index(b, 0);
  Value offsets = tensor::InsertOp::create(b, toEntry(zero), results[0],
                                           ValueRange{head[0], head[1], zero});
  auto addRow = [&](ValueRange row, ValueRange so) -> Carried {
    SmallVector<Value> place{head[0], head[1], row[0]};
    return addPart(place, addPart(place, so, /*full=*/true), /*full=*/false);
  };
  Carried ends =
      fold(b, queries.getCount(), {offsets, results[1], zero}, addRow);
  return {ends[0], ends[1]};
}

Results ListDefinition::run() {
  SmallVector<Value> extents = getSizes(b, op, 0);
  Results results;
  for (unsigned result : {0, 1})
    results.push_back(
        empty(b, cast<RankedTensorType>(op->getResult(result).getType()),
              getSizes(b, op, result)));
  return fold(
      b, {extents[0], extents[1]}, results,
      [&](ValueRange head, ValueRange so) { return addHead(head, so); });
}

Results reference::defineBlockList(ImplicitLocOpBuilder &b, BlockListOp op) {
  return ListDefinition(b, op).run();
}
