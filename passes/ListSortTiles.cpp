//===- ListSortTiles.cpp - Sorting lists as tile programs -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The transpose of a list sorts its entries by their *part*: part 2 c of the
// result has the rows where c is full, part 2 c + 1 those where it is mixed. It
// is a counting sort. The rows are divided into S shares of consecutive ones,
// which are independent of each other where each has counters of its own, and
// the parts into groups of 32:
//
//   clear   for each part, the counters of all shares
//   count   for each share, its entries of each part
//   sum     for each group, its entries
//   place   for each group, where the entries of each part and share begin,
//           which takes the place of their number
//   fill    for each share, the rows of its entries, in ascending order
//
// Each is a loop over independent blocks of arithmetic on scalars, and a write
// to a place outside of the view is dropped. Time is linear in the entries,
// the rows and S times the parts; that `place` reads the sums of all groups
// before its own does not count, as groups are few.
//
//===----------------------------------------------------------------------===//

#include "passes/ListSortTiles.h"
#include "dialect/ScalarBlocks.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

/// The most shares of the rows, of one head and of all, and the fewest rows of
/// one. Each share has counters for all parts.
static constexpr int64_t kMostShares = 32;
static constexpr int64_t kMostSharesOfAll = 256;
static constexpr int64_t kFewestRows = 32;
/// Parts of a group.
static constexpr int64_t kGroup = 32;

namespace {
/// Emits scalar arithmetic at one place.
class Scalars {
public:
  explicit Scalars(ImplicitLocOpBuilder &b) : b(b) {}

  Value number(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(x, y); }
  Value sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(x, y); }
  Value mul(Value x, Value y) { return b.createOrFold<arith::MulIOp>(x, y); }
  Value mul(Value x, int64_t y) { return mul(x, number(y)); }
  Value next(Value x) { return add(x, number(1)); }
  Value atMost(Value x, Value y) { return arith::MinSIOp::create(b, x, y); }
  Value atLeast(Value x, Value y) { return arith::MaxSIOp::create(b, x, y); }
  Value ceilDiv(Value x, Value y) {
    return b.createOrFold<arith::CeilDivSIOp>(x, y);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, condition, x, y);
  }
  Value size(Value view, int64_t dim) {
    return memref::DimOp::create(b, view, number(dim));
  }
  /// Element `place` of a view of i32, as an index; 0 outside of it.
  Value read(Value view, ValueRange place) {
    Value entry = tile::GatherOp::create(b, b.getI32Type(), view, place);
    return arith::IndexCastOp::create(b, b.getIndexType(), entry);
  }
  void write(Value number, Value view, ValueRange place) {
    Value entry = arith::IndexCastOp::create(b, b.getI32Type(), number);
    tile::WriteOp::create(b, entry, view, place);
  }

  /// A loop over independent blocks.
  void forAll(ArrayRef<Value> counts,
              llvm::function_ref<void(ArrayRef<Value>)> body) {
    SmallVector<OpFoldResult> bounds(counts.begin(), counts.end());
    auto nest = scf::ForallOp::create(b, bounds, ValueRange(), std::nullopt);
    nest->setAttr(tile::kScalarBlocksAttr, b.getUnitAttr());
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(nest.getTerminator());
    body(SmallVector<Value>(nest.getInductionVars()));
  }

  /// `next` of all numbers from `begin` to `end - 1` and of what came before.
  Value fold(Value begin, Value end, Value init,
             llvm::function_ref<Value(Value, Value)> next) {
    auto loop = scf::ForOp::create(b, begin, end, number(1), init);
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(loop.getBody());
    Value last = next(loop.getInductionVar(), loop.getRegionIterArg(0));
    scf::YieldOp::create(b, last);
    return loop.getResult(0);
  }

  /// The same without a value.
  void forEach(Value begin, Value end, llvm::function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, begin, end, number(1));
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

private:
  ImplicitLocOpBuilder &b;
};

/// What one transpose is made from.
struct Transposer {
  Transposer(ImplicitLocOpBuilder &b, const IRMapping &mapping,
             TransposeListOp op);

  void run(Value counts, Value sums, Value newOffsets, Value newBlocks);

  Scalars s;
  Value offsets, blocks; ///< Views of the list.
  Value batches, heads;
  Value rows, columns, parts, shares, groups; ///< Their numbers.
  Value rowsOfShare;

private:
  void forEachEntry(ArrayRef<Value> place,
                    llvm::function_ref<void(Value row, Value part)> visit);
  void clear(Value counts, Value newOffsets, Value newBlocks);
  void count(Value counts);
  void sum(Value counts, Value sums);
  void place(Value counts, Value sums, Value newOffsets);
  void fill(Value starts, Value newBlocks);
  Value endOfGroup(Value begin) {
    return s.atMost(s.add(begin, s.number(kGroup)), parts);
  }
};
} // namespace

Transposer::Transposer(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                       TransposeListOp op)
    : s(b), offsets(mapping.lookup(op.getOffsets())),
      blocks(mapping.lookup(op.getBlocks())), batches(s.size(offsets, 0)),
      heads(s.size(offsets, 1)),
      columns(mapping.lookupOrDefault(op.getColumns())) {
  Value ends = s.sub(s.size(offsets, 2), s.number(1));
  rows = arith::DivSIOp::create(b, ends, s.number(2));
  parts = s.mul(columns, 2);
  groups = s.ceilDiv(parts, s.number(kGroup));
  Value all = s.mul(rows, s.mul(batches, heads));
  rowsOfShare = s.atLeast(s.ceilDiv(rows, s.number(kMostShares)),
                          s.ceilDiv(all, s.number(kMostSharesOfAll)));
  rowsOfShare = s.atLeast(rowsOfShare, s.number(kFewestRows));
  shares = s.ceilDiv(rows, rowsOfShare);
}

/// Calls `visit` inside of a loop over the entries of a share, rows ascending;
/// `part` is out of range where the entry is no number of a column.
void Transposer::forEachEntry(
    ArrayRef<Value> place,
    llvm::function_ref<void(Value row, Value part)> visit) {
  Value first = s.mul(place[2], rowsOfShare);
  Value last = s.atMost(s.add(first, rowsOfShare), rows);
  Value room = s.size(blocks, 2), zero = s.number(0), one = s.number(1);
  s.forEach(first, last, [&](Value row) {
    Value at = s.mul(row, 2);
    for (int64_t kind : {0, 1}) { // Full, mixed.
      Value begin = s.add(at, s.number(kind));
      Value from = s.read(offsets, {place[0], place[1], begin});
      Value to = s.read(offsets, {place[0], place[1], s.add(begin, one)});
      s.forEach(s.atLeast(from, zero), s.atMost(to, room), [&](Value entry) {
        Value column = s.read(blocks, {place[0], place[1], entry});
        Value part = s.add(s.mul(column, 2), s.number(kind));
        visit(row, part);
      });
    }
  });
}

/// There is one more offset than parts, and so one block at least.
void Transposer::clear(Value counts, Value newOffsets, Value newBlocks) {
  Value zero = s.number(0);
  s.forAll({batches, heads, s.next(parts)}, [&](ArrayRef<Value> place) {
    s.forEach(zero, shares, [&](Value share) {
      s.write(zero, counts, {place[0], place[1], place[2], share});
    });
    Value isFirst = s.compare(arith::CmpIPredicate::eq, place[2], zero);
    Value start = s.select(isFirst, zero, s.number(-1));
    s.write(zero, newOffsets, {place[0], place[1], start});
    // Readers of an empty list may look at its first entry.
    s.write(zero, newBlocks, {place[0], place[1], start});
  });
}

void Transposer::count(Value counts) {
  s.forAll({batches, heads, shares}, [&](ArrayRef<Value> place) {
    forEachEntry(place, [&](Value, Value part) {
      SmallVector<Value> at{place[0], place[1], part, place[2]};
      s.write(s.next(s.read(counts, at)), counts, at);
    });
  });
}

void Transposer::sum(Value counts, Value sums) {
  s.forAll({batches, heads, groups}, [&](ArrayRef<Value> place) {
    Value begin = s.mul(place[2], kGroup), zero = s.number(0);
    Value total =
        s.fold(begin, endOfGroup(begin), zero, [&](Value part, Value before) {
          return s.fold(zero, shares, before, [&](Value share, Value so) {
            return s.add(so, s.read(counts, {place[0], place[1], part, share}));
          });
        });
    s.write(total, sums, place);
  });
}

/// Where offsets decrease, there are more entries than room: the last ones end
/// with the room, and `fill` writes behind it, which is dropped.
void Transposer::place(Value counts, Value sums, Value newOffsets) {
  Value room = s.size(blocks, 2);
  s.forAll({batches, heads, groups}, [&](ArrayRef<Value> place) {
    Value begin = s.mul(place[2], kGroup), zero = s.number(0);
    Value before = s.fold(zero, place[2], zero, [&](Value group, Value so) {
      return s.atMost(s.add(so, s.read(sums, {place[0], place[1], group})),
                      room);
    });
    s.fold(begin, endOfGroup(begin), before, [&](Value part, Value start) {
      Value end = s.fold(zero, shares, start, [&](Value share, Value so) {
        SmallVector<Value> at{place[0], place[1], part, share};
        Value entries = s.read(counts, at);
        s.write(so, counts, at);
        return s.atMost(s.add(so, entries), room);
      });
      s.write(end, newOffsets, {place[0], place[1], s.next(part)});
      return end;
    });
  });
}

void Transposer::fill(Value starts, Value newBlocks) {
  s.forAll({batches, heads, shares}, [&](ArrayRef<Value> place) {
    forEachEntry(place, [&](Value row, Value part) {
      SmallVector<Value> at{place[0], place[1], part, place[2]};
      Value start = s.read(starts, at);
      // What is read outside of the counters is no place.
      Value isPart = s.compare(arith::CmpIPredicate::ult, part, parts);
      Value to = s.select(isPart, start, s.number(-1));
      s.write(row, newBlocks, {place[0], place[1], to});
      s.write(s.next(start), starts, at);
    });
  });
}

void Transposer::run(Value counts, Value sums, Value newOffsets,
                     Value newBlocks) {
  clear(counts, newOffsets, newBlocks);
  count(counts);
  sum(counts, sums);
  place(counts, sums, newOffsets);
  fill(counts, newBlocks);
}

TransposeSizes attn::getTransposeSizes(ImplicitLocOpBuilder &b,
                                       const IRMapping &mapping,
                                       TransposeListOp op) {
  Transposer made(b, mapping, op);
  auto type = cast<RankedTensorType>(op.getOffsets().getType());
  SmallVector<Value> outer;
  for (auto [dim, size] : {std::pair(0, made.batches), {1, made.heads}})
    if (type.isDynamicDim(dim))
      outer.push_back(size);
  auto sizes = [&](ArrayRef<Value> inner) {
    SmallVector<Value> all = outer;
    llvm::append_range(all, inner);
    return all;
  };
  return {sizes(made.s.next(made.parts)), sizes(made.s.size(made.blocks, 2)),
          sizes({made.parts, made.shares}), sizes(made.groups)};
}

void attn::writeTranspose(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                          TransposeListOp op, Value counts, Value sums) {
  Transposer(b, mapping, op)
      .run(counts, sums, mapping.lookup(op.getNewOffsets()),
           mapping.lookup(op.getNewBlocks()));
}

//===----------------------------------------------------------------------===//
// The order of blocks
//===----------------------------------------------------------------------===//

SmallVector<Value> attn::getOrderSizes(ImplicitLocOpBuilder &b,
                                       const IRMapping &mapping,
                                       BlockOrderOp op) {
  auto type = cast<RankedTensorType>(op.getOffsets().getType());
  Scalars s(b);
  SmallVector<Value> sizes;
  for (int64_t dim : {0, 1})
    if (type.isDynamicDim(dim))
      sizes.push_back(s.size(mapping.lookup(op.getOffsets()), dim));
  sizes.push_back(mapping.lookupOrDefault(op.getCount()));
  return sizes;
}

/// The place of a block is the number of blocks that come before it: once all
/// costs are written down, all are counted for each, by as many independent
/// ones. That is quadratic, but each step is one read; the writes of a counting
/// sort would wait for each other.
void attn::writeBlockOrder(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                           BlockOrderOp op, Value costs) {
  Scalars s(b);
  Value offsets = mapping.lookup(op.getOffsets());
  Value order = mapping.lookup(op.getOrder());
  Value count = mapping.lookupOrDefault(op.getCount()), zero = s.number(0);
  SmallVector<Value> grid{s.size(order, 0), s.size(order, 1), count};
  s.forAll(grid, [&](ArrayRef<Value> place) {
    Value at = s.mul(place[2], 2), cost = s.number(0);
    Value begin = s.read(offsets, {place[0], place[1], at});
    for (int64_t factor : op.getCosts()) {
      at = s.next(at);
      Value end = s.read(offsets, {place[0], place[1], at});
      cost = s.add(cost, s.mul(s.sub(end, begin), factor));
      begin = end;
    }
    cost = s.atMost(s.atLeast(cost, s.number(INT32_MIN)), s.number(INT32_MAX));
    s.write(cost, costs, place);
  });
  s.forAll(grid, [&](ArrayRef<Value> place) {
    Value own = s.read(costs, place);
    auto countFrom = [&](Value first, Value last,
                         arith::CmpIPredicate predicate, Value before) {
      return s.fold(first, last, before, [&](Value row, Value so) {
        Value other = s.read(costs, {place[0], place[1], row});
        Value comes = s.compare(predicate, other, own);
        Value one = arith::IndexCastUIOp::create(b, b.getIndexType(), comes);
        return s.add(so, one);
      });
    };
    // Of equal ones, the lower number comes first.
    Value lower = countFrom(zero, place[2], arith::CmpIPredicate::sge, zero);
    Value rank =
        countFrom(s.next(place[2]), count, arith::CmpIPredicate::sgt, lower);
    s.write(place[2], order, {place[0], place[1], rank});
  });
}
