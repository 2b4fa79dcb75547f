//===- DefineListSort.cpp - The meaning of sorted lists ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The transpose of a list: for each block of keys c, and for full and mixed
// ones in turn, all rows r in ascending order are looked through for entries
// that are c, and r is appended for each of them, as long as there is room.
//
// The order of blocks: block r stands behind all that cost more, and behind
// those before it that cost as much.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/reference/Definitions.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// Result `number` of `op`, not filled yet.
template <typename OpT>
static Value room(ImplicitLocOpBuilder &b, OpT op, unsigned number) {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes)))
    llvm_unreachable("these ops know the sizes of their results");
  SmallVector<Value> sizes =
      llvm::map_to_vector(shapes[number], [&](OpFoldResult size) {
        return getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
      });
  return empty(b, cast<RankedTensorType>(op->getResult(number).getType()),
               sizes);
}

/// An entry of a list of i32 as an index, and the other way round.
static Value readIndex(ImplicitLocOpBuilder &b, Value list, ValueRange place) {
  return arith::IndexCastOp::create(b, b.getIndexType(), read(b, list, place));
}
static Value insertIndex(ImplicitLocOpBuilder &b, Value number, Value list,
                         ValueRange place) {
  Value entry = arith::IndexCastOp::create(b, b.getI32Type(), number);
  return tensor::InsertOp::create(b, entry, list, place);
}

//===----------------------------------------------------------------------===//
// attn.transpose_list
//===----------------------------------------------------------------------===//

/// Appends `row` for each of its entries in one part that is `column`. Carried
/// are the new blocks and the number of entries so far.
static Carried addRow(ImplicitLocOpBuilder &b, TransposeListOp op,
                      ValueRange head, Value column, Value row, int64_t kind,
                      ValueRange carried) {
  auto readOffset = [&](int64_t end) {
    Value at = arith::MulIOp::create(b, row, index(b, 2));
    at = arith::AddIOp::create(b, at, index(b, kind + end));
    return readIndex(b, op.getOffsets(), ValueRange{head[0], head[1], at});
  };
  Value begin = arith::MaxSIOp::create(b, readOffset(0), index(b, 0));
  Value end =
      arith::MinSIOp::create(b, readOffset(1), size(b, op.getBlocks(), 2));
  Value entries = arith::SubIOp::create(b, end, begin);
  auto addEntry = [&](ValueRange turn, ValueRange so) -> Carried {
    Value at = arith::AddIOp::create(b, begin, turn[0]);
    Value entry =
        readIndex(b, op.getBlocks(), ValueRange{head[0], head[1], at});
    Value isColumn =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, entry, column);
    // Where offsets decrease, there are more entries than room.
    Value hasRoom = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, so[1],
                                          size(b, so[0], 2));
    Value isAdded = arith::AndIOp::create(b, isColumn, hasRoom);
    Value blocks = choose(
        b, isAdded,
        [&]() -> Value {
          return insertIndex(b, row, so[0],
                             ValueRange{head[0], head[1], so[1]});
        },
        [&]() -> Value { return so[0]; });
    Value one = arith::IndexCastUIOp::create(b, b.getIndexType(), isAdded);
    return {blocks, arith::AddIOp::create(b, so[1], one)};
  };
  return fold(b, entries, carried, addEntry);
}

/// Appends the parts of `column`. Carried are the results and the number of
/// entries so far.
static Carried addColumn(ImplicitLocOpBuilder &b, TransposeListOp op,
                         ValueRange head, Value column, ValueRange carried) {
  Value ends =
      arith::SubIOp::create(b, size(b, op.getOffsets(), 2), index(b, 1));
  Value rows = arith::DivSIOp::create(b, ends, index(b, 2));
  Carried so(carried);
  for (int64_t kind : {0, 1}) {
    Carried entries =
        fold(b, rows, {so[1], so[2]}, [&](ValueRange row, ValueRange before) {
          return addRow(b, op, head, column, row[0], kind, before);
        });
    Value part = arith::MulIOp::create(b, column, index(b, 2));
    part = arith::AddIOp::create(b, part, index(b, kind + 1));
    so = {insertIndex(b, entries[1], so[0], ValueRange{head[0], head[1], part}),
          entries[0], entries[1]};
  }
  return so;
}

Results reference::defineTransposeList(ImplicitLocOpBuilder &b,
                                       TransposeListOp op) {
  Value offsets = room(b, op, 0), blocks = room(b, op, 1);
  auto addHead = [&](ValueRange head, ValueRange so) -> Carried {
    Value zero = index(b, 0);
    Value first =
        insertIndex(b, zero, so[0], ValueRange{head[0], head[1], zero});
    Carried ends = fold(b, op.getColumns(), {first, so[1], zero},
                        [&](ValueRange column, ValueRange before) {
                          return addColumn(b, op, head, column[0], before);
                        });
    return {ends[0], ends[1]};
  };
  return fold(b, {size(b, op.getOffsets(), 0), size(b, op.getOffsets(), 1)},
              {offsets, blocks}, addHead);
}

//===----------------------------------------------------------------------===//
// attn.block_order
//===----------------------------------------------------------------------===//

/// What a block of queries costs, the nearest number of i32.
static Value getCost(ImplicitLocOpBuilder &b, BlockOrderOp op, ValueRange head,
                     Value row) {
  Value cost = index(b, 0);
  for (auto [kind, factor] : llvm::enumerate(op.getCosts())) {
    Value at = arith::MulIOp::create(b, row, index(b, 2));
    at = arith::AddIOp::create(b, at, index(b, kind));
    Value next = arith::AddIOp::create(b, at, index(b, 1));
    Value entries = arith::SubIOp::create(
        b, readIndex(b, op.getOffsets(), ValueRange{head[0], head[1], next}),
        readIndex(b, op.getOffsets(), ValueRange{head[0], head[1], at}));
    entries = arith::MulIOp::create(b, entries, index(b, factor));
    cost = arith::AddIOp::create(b, cost, entries);
  }
  cost = arith::MaxSIOp::create(b, cost, index(b, INT32_MIN));
  return arith::MinSIOp::create(b, cost, index(b, INT32_MAX));
}

Results reference::defineBlockOrder(ImplicitLocOpBuilder &b, BlockOrderOp op) {
  auto place = [&](ValueRange at, ValueRange order) -> Carried {
    Value own = getCost(b, op, at, at[2]);
    auto countBefore = [&](ValueRange other, ValueRange so) -> Carried {
      Value cost = getCost(b, op, at, other[0]);
      auto compare = [&](arith::CmpIPredicate predicate, Value x,
                         Value y) -> Value {
        return arith::CmpIOp::create(b, predicate, x, y);
      };
      Value costsMore = compare(arith::CmpIPredicate::sgt, cost, own);
      Value isEqual = compare(arith::CmpIPredicate::eq, cost, own);
      Value isLower = compare(arith::CmpIPredicate::slt, other[0], at[2]);
      Value isBefore = arith::OrIOp::create(
          b, costsMore, arith::AndIOp::create(b, isEqual, isLower));
      Value one = arith::IndexCastUIOp::create(b, b.getIndexType(), isBefore);
      return {arith::AddIOp::create(b, so[0], one)};
    };
    Value rank = fold(b, op.getCount(), index(b, 0), countBefore)[0];
    return {insertIndex(b, at[2], order[0], ValueRange{at[0], at[1], rank})};
  };
  return fold(
      b,
      {size(b, op.getOffsets(), 0), size(b, op.getOffsets(), 1), op.getCount()},
      room(b, op, 0), place);
}
