//===- BlockListTiles.cpp - Lists of blocks as tile programs ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A list is made in three steps, each a loop over independent blocks:
//
//   count    for each block of queries, how many blocks of keys are full and
//            how many are mixed
//   prefix   for each head, where the entries of each block of queries begin
//   fill     the classes once more; numbers of blocks are written in order
//
// Before the first step or, where the host may read what was counted, between
// the last two, memory for the entries is allocated. In the latter case the
// counts come with the first and the last block of keys, so that the last step
// only asks for those between them: of documents and a causal mask there are
// few of many.
//
// All of it is arithmetic on scalars: a write to a place outside of the view,
// which is dropped, stands for a branch. BoxPairs.h visits the boxes of grids.
//
//===----------------------------------------------------------------------===//

#include "passes/BlockListTiles.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/BoxPairs.h"
#include "passes/TileRegions.h"

using namespace mlir;
using namespace attn;

static Value constant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

static Value add(ImplicitLocOpBuilder &b, Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y);
}

/// A loop over independent blocks; `b` builds inside of it from now on.
static SmallVector<Value> enterBlocks(ImplicitLocOpBuilder &b,
                                      ArrayRef<Value> counts) {
  SmallVector<OpFoldResult> bounds(counts.begin(), counts.end());
  auto nest = scf::ForallOp::create(b, bounds, ValueRange(), std::nullopt);
  b.setInsertionPoint(nest.getTerminator());
  return nest.getInductionVars();
}

static Value read(ImplicitLocOpBuilder &b, Value view, ValueRange indices) {
  Type element = cast<MemRefType>(view.getType()).getElementType();
  return tile::GatherOp::create(b, element, view, indices);
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

SmallVector<Value> attn::getBoundsSizes(ImplicitLocOpBuilder &b,
                                        const IRMapping &mapping,
                                        BlockBoundsOp op) {
  auto type = cast<RankedTensorType>(op.getLeast().getType());
  Value table = mapping.lookup(op.getTable());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim))
      continue;
    Value size = memref::DimOp::create(b, table, constant(b, dim));
    if (dim == int64_t(op.getAlong()))
      size = arith::CeilDivSIOp::create(b, size, constant(b, op.getWidth()));
    sizes.push_back(size);
  }
  return sizes;
}

void attn::writeBlockBounds(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                            BlockBoundsOp op) {
  Value least = mapping.lookup(op.getLeast());
  Value largest = mapping.lookup(op.getLargest());
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  Value table = mapping.lookup(op.getTable());
  int64_t along = op.getAlong();
  SmallVector<Value> counts;
  for (int64_t dim = 0; dim < cast<MemRefType>(table.getType()).getRank();
       ++dim)
    counts.push_back(memref::DimOp::create(b, least, constant(b, dim)));
  Value size = memref::DimOp::create(b, table, constant(b, along));
  SmallVector<Value> place = enterBlocks(b, counts);
  Value width = constant(b, op.getWidth());
  Value begin = arith::MulIOp::create(b, place[along], width);
  Value end = arith::MinSIOp::create(b, size, add(b, begin, width));
  SmallVector<Value> from = place;
  from[along] = begin;
  Value first = read(b, table, from);
  auto body = [&](OpBuilder &builder, Location loc, Value at,
                  ValueRange bounds) {
    ImplicitLocOpBuilder inner(loc, builder);
    from[along] = at;
    Value element = read(inner, table, from);
    Value lo = arith::MinSIOp::create(inner, bounds[0], element);
    Value hi = arith::MaxSIOp::create(inner, bounds[1], element);
    scf::YieldOp::create(inner, ValueRange{lo, hi});
  };
  auto loop =
      scf::ForOp::create(b, add(b, begin, constant(b, 1)), end, constant(b, 1),
                         ValueRange{first, first}, body);
  tile::WriteOp::create(b, loop.getResult(0), least, place);
  tile::WriteOp::create(b, loop.getResult(1), largest, place);
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

namespace {
/// Makes one list.
class ListWriter {
public:
  ListWriter(ImplicitLocOpBuilder &b, const IRMapping &mapping, BlockListOp op)
      : b(b), mapping(mapping), op(op) {}

  void run(Value offsets, Value counts, bool isCounted, MakeRoom makeRoom);

private:
  using Visit = llvm::function_ref<SmallVector<Value>(
      ImplicitLocOpBuilder &inner, Value number, Value some, Value all,
      ValueRange carried)>;

  using Range = std::pair<Value, Value>; ///< Begin and end, blocks of keys.

  SmallVector<Value> forEachBlock(ArrayRef<Value> place,
                                  std::optional<Range> range, ValueRange init,
                                  Visit visit);
  SmallVector<Value> forEachBox(ArrayRef<Value> place, ValueRange init,
                                Visit visit);
  std::pair<Value, Value> getQueries(Value block);
  Range getBlocks(ArrayRef<Value> place, Value first, Value last);
  SmallVector<Value> evaluate(ImplicitLocOpBuilder &inner, Region &region,
                              ValueRange arguments);
  void write(Value number, Value view, ArrayRef<Value> place, Value at) {
    write(b, number, view, place, at);
  }
  void write(ImplicitLocOpBuilder &inner, Value number, Value view,
             ArrayRef<Value> place, Value at);
  Value readIndex(Value view, ArrayRef<Value> place, Value at);
  void count(ArrayRef<Value> grid, Value counts, bool hasEnds);
  void sum(ArrayRef<Value> heads, Value rows, Value counts, Value offsets,
           Value blocks);
  Value getMostEntries(ArrayRef<Value> heads, Value rows, Value offsets);
  void clearFirst(ArrayRef<Value> heads, Value blocks);
  void fill(ArrayRef<Value> grid, Value offsets, Value blocks, Value ends);

  Value number(int64_t value) { return constant(b, value); }

  ImplicitLocOpBuilder &b;
  const IRMapping &mapping;
  BlockListOp op;
  std::optional<BoxGrid> queryBoxes, keyBoxes; ///< Where blocks are boxes.
  Value queries, keys, shift;                  ///< Where they are not.
};
} // namespace

/// Sizes of tokens in the tile program.
static SmallVector<Value> lookup(const IRMapping &mapping, ValueRange sizes) {
  return llvm::map_to_vector(
      sizes, [&](Value size) { return mapping.lookupOrDefault(size); });
}

/// The boxes of one side of `op`, with `extents` tokens.
static BoxGrid makeGrid(ImplicitLocOpBuilder &b, BlockListOp op,
                        ArrayRef<int64_t> box, ValueRange extents) {
  return BoxGrid(b, extents, box, op.getStep().value_or(ArrayRef<int64_t>()));
}

/// How many blocks of queries there are.
static Value countRows(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                       BlockListOp op) {
  SmallVector<Value> queries = lookup(mapping, op.getQueries());
  if (op.getBoxQ())
    return makeGrid(b, op, *op.getBoxQ(), queries).getCount();
  return arith::CeilDivSIOp::create(b, queries.front(),
                                    constant(b, op.getBlockSizes()[0]));
}

/// The positions of the first and the last query of a block.
std::pair<Value, Value> ListWriter::getQueries(Value block) {
  int64_t width = op.getBlockSizes()[0];
  Value first = arith::MulIOp::create(b, block, number(width));
  Value last = add(b, first, number(width - 1));
  Value most = arith::SubIOp::create(b, queries, number(1));
  last = arith::MinSIOp::create(b, last, most);
  if (!shift)
    return {first, last};
  return {add(b, first, shift), add(b, last, shift)};
}

/// What a region says, as scalars.
SmallVector<Value> ListWriter::evaluate(ImplicitLocOpBuilder &inner,
                                        Region &region, ValueRange arguments) {
  return TileRegions(inner, mapping).scalars(region, arguments);
}

/// Which blocks of keys there are: those that the `keys` region leaves.
ListWriter::Range ListWriter::getBlocks(ArrayRef<Value> place, Value first,
                                        Value last) {
  Value width = number(op.getBlockSizes()[1]), zero = number(0);
  Value end = arith::CeilDivSIOp::create(b, keys, width);
  if (op.getKeys().empty())
    return {zero, end};
  SmallVector<Value> range =
      evaluate(b, op.getKeys(), {place[0], place[1], first, last});
  auto inside = [&](Value key) -> Value {
    return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, key, zero),
                                  keys);
  };
  return {arith::DivSIOp::create(b, inside(range[0]), width),
          arith::CeilDivSIOp::create(b, inside(range[1]), width)};
}

/// A loop over the blocks of keys that may be visited, or those of `range`,
/// with their classes.
SmallVector<Value> ListWriter::forEachBlock(ArrayRef<Value> place,
                                            std::optional<Range> range,
                                            ValueRange init, Visit visit) {
  if (queryBoxes)
    return forEachBox(place, init, visit);
  auto [first, last] = getQueries(place[2]);
  auto [begin, end] = range ? *range : getBlocks(place, first, last);
  Value firstQuery = first, lastQuery = last;
  auto body = [&](OpBuilder &builder, Location loc, Value block,
                  ValueRange carried) {
    ImplicitLocOpBuilder inner(loc, builder);
    int64_t width = op.getBlockSizes()[1];
    Value key = arith::MulIOp::create(inner, block, constant(inner, width));
    Value lastKey = add(inner, key, constant(inner, width - 1));
    Value most = arith::SubIOp::create(inner, keys, constant(inner, 1));
    lastKey = arith::MinSIOp::create(inner, lastKey, most);
    SmallVector<Value> classes =
        evaluate(inner, op.getClasses(),
                 {place[0], place[1], firstQuery, lastQuery, key, lastKey});
    Value all = arith::AndIOp::create(inner, classes[0], classes[1]);
    SmallVector<Value> next = visit(inner, block, classes[0], all, carried);
    scf::YieldOp::create(inner, next);
  };
  return scf::ForOp::create(b, begin, end, number(1), init, body).getResults();
}

/// The same where blocks are boxes.
SmallVector<Value> ListWriter::forEachBox(ArrayRef<Value> place,
                                          ValueRange init, Visit visit) {
  auto classify = [&](ImplicitLocOpBuilder &inner, ValueRange ends) {
    SmallVector<Value> arguments{place[0], place[1]};
    llvm::append_range(arguments, ends);
    SmallVector<Value> classes = evaluate(inner, op.getClasses(), arguments);
    return std::pair(classes[0], classes[1]);
  };
  return BoxPairs(*queryBoxes, *keyBoxes, classify)
      .forEach(b, place[2], init, visit);
}

void ListWriter::write(ImplicitLocOpBuilder &inner, Value number, Value view,
                       ArrayRef<Value> place, Value at) {
  Value entry = arith::IndexCastOp::create(inner, inner.getI32Type(), number);
  tile::WriteOp::create(inner, entry, view, ValueRange{place[0], place[1], at});
}

Value ListWriter::readIndex(Value view, ArrayRef<Value> place, Value at) {
  Value entry = read(b, view, {place[0], place[1], at});
  return arith::IndexCastOp::create(b, b.getIndexType(), entry);
}

/// With `hasEnds`, the first visited block of keys of each block of queries and
/// the end of the last one stand behind the counts of all.
void ListWriter::count(ArrayRef<Value> grid, Value counts, bool hasEnds) {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  SmallVector<Value> place = enterBlocks(b, grid);
  auto addOne = [&](ImplicitLocOpBuilder &inner, Value block, Value some,
                    Value all, ValueRange carried) {
    Type index = inner.getIndexType();
    Value isFull = arith::IndexCastUIOp::create(inner, index, all);
    Value isVisited = arith::IndexCastUIOp::create(inner, index, some);
    SmallVector<Value> next{add(inner, carried[0], isFull),
                            add(inner, carried[1], isVisited)};
    if (!hasEnds)
      return next;
    Value first = arith::MinSIOp::create(inner, carried[2], block);
    Value end = add(inner, block, constant(inner, 1));
    for (auto [now, before] : {std::pair(first, carried[2]), {end, carried[3]}})
      next.push_back(arith::SelectOp::create(inner, some, now, before));
    return next;
  };
  SmallVector<Value> init{number(0), number(0)};
  if (hasEnds)
    init.append({number(std::numeric_limits<int32_t>::max()), number(0)});
  SmallVector<Value> sums = forEachBlock(place, std::nullopt, init, addOne);
  Value at = arith::MulIOp::create(b, place[2], number(2));
  write(sums[0], counts, place, at);
  write(arith::SubIOp::create(b, sums[1], sums[0]), counts, place,
        add(b, at, number(1)));
  if (!hasEnds)
    return;
  at = add(b, at, arith::MulIOp::create(b, grid[2], number(2)));
  write(sums[2], counts, place, at);
  write(sums[3], counts, place, add(b, at, number(1)));
}

void ListWriter::sum(ArrayRef<Value> heads, Value rows, Value counts,
                     Value offsets, Value blocks) {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  SmallVector<Value> place = enterBlocks(b, heads);
  write(number(0), offsets, place, number(0));
  if (blocks) // Readers of an empty list may look at its first entry.
    write(number(0), blocks, place, number(0));
  Value end = arith::MulIOp::create(b, rows, number(2));
  auto body = [&](OpBuilder &builder, Location loc, Value at,
                  ValueRange carried) {
    ImplicitLocOpBuilder inner(loc, builder);
    Value entry = read(inner, counts, {place[0], place[1], at});
    Value added =
        arith::IndexCastOp::create(inner, inner.getIndexType(), entry);
    Value so = add(inner, carried[0], added);
    write(inner, so, offsets, place, add(inner, at, constant(inner, 1)));
    scf::YieldOp::create(inner, so);
  };
  scf::ForOp::create(b, number(0), end, number(1), number(0), body);
}

/// The most entries that a head has, at least one. No block computes it, but
/// what runs the blocks.
Value ListWriter::getMostEntries(ArrayRef<Value> heads, Value rows,
                                 Value offsets) {
  Value at = arith::MulIOp::create(b, rows, number(2));
  Value count = arith::MulIOp::create(b, heads[0], heads[1]);
  auto body = [&](OpBuilder &builder, Location loc, Value head,
                  ValueRange carried) {
    ImplicitLocOpBuilder inner(loc, builder);
    Value batch = arith::DivUIOp::create(inner, head, heads[1]);
    Value inBatch = arith::RemUIOp::create(inner, head, heads[1]);
    Value entry =
        memref::LoadOp::create(inner, offsets, ValueRange{batch, inBatch, at});
    Value end = arith::IndexCastOp::create(inner, inner.getIndexType(), entry);
    Value most = arith::MaxSIOp::create(inner, carried[0], end);
    scf::YieldOp::create(inner, most);
  };
  return scf::ForOp::create(b, number(0), count, number(1), number(1), body)
      .getResult(0);
}

/// Gives the first entry of each head a number, as step `sum` does.
void ListWriter::clearFirst(ArrayRef<Value> heads, Value blocks) {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  SmallVector<Value> place = enterBlocks(b, heads);
  write(number(0), blocks, place, number(0));
}

/// `ends` are counts with ends, or null.
void ListWriter::fill(ArrayRef<Value> grid, Value offsets, Value blocks,
                      Value ends) {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  SmallVector<Value> place = enterBlocks(b, grid);
  Value at = arith::MulIOp::create(b, place[2], number(2));
  Value full = readIndex(offsets, place, at);
  Value mixed = readIndex(offsets, place, add(b, at, number(1)));
  auto put = [&](ImplicitLocOpBuilder &inner, Value block, Value some,
                 Value all, ValueRange next) {
    Value one = constant(inner, 1), nowhere = constant(inner, -1);
    Value entry = arith::SelectOp::create(inner, some, next[1], nowhere);
    entry = arith::SelectOp::create(inner, all, next[0], entry);
    write(inner, block, blocks, place, entry);
    Value afterFull = add(inner, next[0], one);
    Value afterMixed = add(inner, next[1], one);
    afterMixed = arith::SelectOp::create(inner, some, afterMixed, next[1]);
    return SmallVector<Value>{
        arith::SelectOp::create(inner, all, afterFull, next[0]),
        arith::SelectOp::create(inner, all, next[1], afterMixed)};
  };
  std::optional<Range> range;
  if (ends) {
    at = add(b, at, arith::MulIOp::create(b, grid[2], number(2)));
    range = {readIndex(ends, place, at),
             readIndex(ends, place, add(b, at, number(1)))};
  }
  forEachBlock(place, range, {full, mixed}, put);
}

void ListWriter::run(Value offsets, Value counts, bool isCounted,
                     MakeRoom makeRoom) {
  auto scalar = [&](Value value) {
    return value ? mapping.lookupOrDefault(value) : Value();
  };
  queries = scalar(op.getQueries().front());
  keys = scalar(op.getKeyCount().front());
  shift = scalar(op.getShift());
  if (op.getBoxQ()) {
    queryBoxes =
        makeGrid(b, op, *op.getBoxQ(), lookup(mapping, op.getQueries()));
    keyBoxes =
        makeGrid(b, op, *op.getBoxK(), lookup(mapping, op.getKeyCount()));
  }
  Value rows = countRows(b, mapping, op);
  SmallVector<Value> grid{memref::DimOp::create(b, offsets, number(0)),
                          memref::DimOp::create(b, offsets, number(1)), rows};
  ArrayRef<Value> heads = ArrayRef(grid).drop_back();
  Value blocks;
  if (!isCounted)
    blocks = makeRoom(Value());
  bool hasEnds = isCounted && !queryBoxes;
  count(grid, counts, hasEnds);
  sum(heads, rows, counts, offsets, blocks);
  if (isCounted) {
    blocks = makeRoom(getMostEntries(heads, rows, offsets));
    clearFirst(heads, blocks);
  }
  fill(grid, offsets, blocks, hasEnds ? counts : Value());
}

ListSizes attn::getListSizes(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                             BlockListOp op, bool isCounted) {
  SmallVector<Value> heads;
  for (Value given : {op.getBatches(), op.getHeads()})
    if (given)
      heads.push_back(mapping.lookupOrDefault(given));
  auto sizes = [&](Value count) {
    SmallVector<Value> all = heads;
    all.push_back(count);
    return all;
  };
  Value rows = countRows(b, mapping, op);
  Value twice = arith::MulIOp::create(b, rows, constant(b, 2));
  Value counts =
      isCounted ? arith::MulIOp::create(b, rows, constant(b, 4)) : twice;
  return {sizes(add(b, twice, constant(b, 1))),
          sizes(mapping.lookupOrDefault(op.getCapacity())), sizes(counts)};
}

void attn::writeBlockList(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                          BlockListOp op, Value counts, bool isCounted,
                          MakeRoom makeRoom) {
  ListWriter(b, mapping, op)
      .run(mapping.lookup(op.getOffsets()), counts, isCounted, makeRoom);
}
