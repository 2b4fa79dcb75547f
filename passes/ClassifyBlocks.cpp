//===- ClassifyBlocks.cpp - Which blocks of pairs a mask leaves -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each attend op gets loops over batches, heads, blocks of queries and blocks
// of keys. A block is a box of the grid of tokens, on one axis a range. What
// its mask says of it as a formula (passes/sparsity/BlockClasses.h) and what a
// `keys` region says is written down side by side; pairs are counted one by one
// where both leave it open. Cost: one evaluation of the classes per block, and
// one of the mask per pair of those that are mixed.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnRegions.h"
#include "passes/BoxGrid.h"
#include "passes/Passes.h"
#include "passes/ResultArguments.h"
#include "passes/reference/PairScores.h"
#include "passes/reference/ScalarRegions.h"
#include "passes/sparsity/BlockClasses.h"

namespace attn {
#define GEN_PASS_DEF_CLASSIFYBLOCKS
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;
using namespace attn::reference;

/// Numbers of classes in the result, and the factor of those of `keys`.
static constexpr int64_t kEmpty = 0, kMixed = 1, kFull = 2, kOutside = 3,
                         kRanges = 4;

namespace {
/// The arguments that the facts of one op are written to.
struct Destination {
  Value numbers, classes, pairs;
};

/// A block of tokens.
struct Tokens {
  SmallVector<Value> first, last, counts;
};

/// Classifies the blocks of one op.
class Classifier {
public:
  Classifier(AttendOp op, Destination to, bool exact);

  void run();

private:
  bool looksAt(unsigned argument);
  BoxGrid getGrid(Value tensor, DenseI64ArrayAttr box, int64_t block);
  Tokens getTokens(const BoxGrid &grid, Value number, Value shift);
  std::optional<TableBounds> findBounds(Value table, unsigned dim,
                                        unsigned axis);
  BlockClass classify(ValueRange head, const Tokens &queries,
                      const Tokens &keys);
  BlockClass classifyRanges(ValueRange head, const Tokens &queries,
                            const Tokens &keys);
  Value number(const BlockClass &of);
  Value countKept(ValueRange head, const Tokens &queries, const Tokens &keys);
  void addBlock(ValueRange place, Value at, Value hasPairs);
  Value getPlace(ValueRange place, ArrayRef<Value> extents);
  void writeListed(ArrayRef<Value> extents);
  void writeBlocks(ArrayRef<Value> extents, Value total);

  Value equals(Value x, int64_t number) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x,
                                 index(b, number));
  }
  Value isBelow(Value x, Value y) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, y);
  }
  Value isAtMost(Value x, Value y) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, x, y);
  }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value bit(bool value) {
    return arith::ConstantOp::create(b, b.getBoolAttr(value));
  }

  AttendOp op;
  ImplicitLocOpBuilder b;
  Destination to;
  bool exact;
  ScheduleAttr schedule;
  PairwiseRegions regions;
  int64_t axes;
  std::optional<BoxGrid> queryGrid, keyGrid;
  Value shift;       ///< Of the positions of queries; null if there is none.
  Operation *anchor; ///< What comes before all loops.
  DenseMap<std::tuple<Value, unsigned, int64_t>, TableBounds> bounds;
};
} // namespace

Classifier::Classifier(AttendOp op, Destination to, bool exact)
    : op(op), b(op.getLoc(), op), to(to), exact(exact),
      schedule(op.getScheduleAttr()), regions(getPairwiseRegions(op)),
      axes(op.getNumAxes()) {
  queryGrid = getGrid(op.getQuery(), schedule.getBoxQ(), schedule.getBlockQ());
  keyGrid = getGrid(op.getKey(), schedule.getBoxK(), schedule.getBlockK());
  Value zero = index(b, 0);
  if (op.getAlignment() == Alignment::End)
    shift = position(b, op.getAlignment(), op.getQuery(), op.getKey(), zero);
  anchor = index(b, 0).getDefiningOp();
}

BoxGrid Classifier::getGrid(Value tensor, DenseI64ArrayAttr box,
                            int64_t block) {
  SmallVector<Value> extents;
  for (int64_t axis = 0; axis < axes; ++axis)
    extents.push_back(size(b, tensor, 2 + axis));
  ArrayRef<int64_t> step;
  if (schedule.getStep())
    step = schedule.getStep().asArrayRef();
  return BoxGrid(b, extents, box ? box.asArrayRef() : ArrayRef(block), step);
}

/// Whether the mask or the list depends on the batch (0) or the head (1).
bool Classifier::looksAt(unsigned argument) {
  if (op.getOffsets())
    if (cast<RankedTensorType>(op.getOffsets().getType())
            .getDimSize(argument) != 1)
      return true;
  auto isUsed = [&](Region &region) {
    return !region.empty() && !region.getArgument(argument).use_empty();
  };
  return isUsed(regions.mask) || isUsed(regions.keys);
}

Tokens Classifier::getTokens(const BoxGrid &grid, Value number, Value shift) {
  Tokens tokens;
  tokens.first = grid.getFirstToken(b, number);
  tokens.counts = grid.countTokens(b, tokens.first);
  for (auto [first, count, step] :
       llvm::zip_equal(tokens.first, tokens.counts, grid.getStep())) {
    if (shift)
      first = arith::AddIOp::create(b, first, shift);
    Value steps = arith::SubIOp::create(b, count, index(b, 1));
    steps = arith::MulIOp::create(b, steps, index(b, step));
    tokens.last.push_back(arith::AddIOp::create(b, first, steps));
  }
  return tokens;
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

std::optional<TableBounds> Classifier::findBounds(Value table, unsigned dim,
                                                  unsigned axis) {
  auto type = cast<RankedTensorType>(table.getType());
  Type element = type.getElementType();
  if (!element.isIndex() && element.getIntOrFloatBitWidth() < 8)
    return std::nullopt;
  bool isQuery = axis < 2 + axes;
  const BoxGrid &grid = isQuery ? *queryGrid : *keyGrid;
  unsigned which = isQuery ? axis - 2 : axis - 2 - axes;
  int64_t width = grid.getBox()[which] * grid.getStep()[which];
  auto [found, isNew] =
      bounds.try_emplace(std::tuple(table, dim, width), TableBounds());
  if (!isNew)
    return found->second;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(anchor);
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = ShapedType::kDynamic;
  Type result = type.clone(shape);
  auto made =
      BlockBoundsOp::create(b, result, result, table, b.getI64IntegerAttr(dim),
                            b.getI64IntegerAttr(width));
  found->second = {made.getLeast(), made.getLargest(), width};
  return found->second;
}

/// What the formula of the mask says.
BlockClass Classifier::classify(ValueRange head, const Tokens &queries,
                                const Tokens &keys) {
  if (regions.mask.empty())
    return {bit(true), bit(true)};
  auto find = [&](Value table, unsigned dim, unsigned axis) {
    return findBounds(table, dim, axis);
  };
  BlockClasses classes(regions.mask, b, find);
  classes.bind(0, head[0]);
  classes.bind(1, head[1]);
  for (int64_t axis = 0; axis < axes; ++axis) {
    classes.bind(2 + axis, BlockAxis{queries.first[axis], queries.last[axis],
                                     queryGrid->getStep()[axis]});
    classes.bind(2 + axes + axis, BlockAxis{keys.first[axis], keys.last[axis],
                                            keyGrid->getStep()[axis]});
  }
  return classes.evaluate();
}

/// What the `keys` region says.
BlockClass Classifier::classifyRanges(ValueRange head, const Tokens &queries,
                                      const Tokens &keys) {
  if (regions.keys.empty())
    return {bit(true), bit(false)};
  SmallVector<Value> ends = evaluateAll(
      b, regions.keys,
      {head[0], head[1], queries.first.front(), queries.last.front()});
  Value first = keys.first.front(), last = keys.last.front();
  Value begins = isBelow(first, ends[1]), reaches = isAtMost(ends[0], last);
  Value some = both(both(begins, reaches), isBelow(ends[0], ends[1]));
  Value all = both(isAtMost(ends[2], first), isBelow(last, ends[3]));
  return {some, both(all, some)};
}

/// Empty, mixed or full.
Value Classifier::number(const BlockClass &of) {
  Value visited =
      arith::SelectOp::create(b, of.all, index(b, kFull), index(b, kMixed));
  return arith::SelectOp::create(b, of.some, visited, index(b, kEmpty));
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

static Value multiply(ImplicitLocOpBuilder &b, ArrayRef<Value> factors) {
  Value result = index(b, 1);
  for (Value factor : factors)
    result = arith::MulIOp::create(b, result, factor);
  return result;
}

/// How many pairs of a block the mask keeps, one by one.
Value Classifier::countKept(ValueRange head, const Tokens &queries,
                            const Tokens &keys) {
  SmallVector<Value> counts(queries.counts);
  llvm::append_range(counts, keys.counts);
  auto token = [&](const Tokens &tokens, const BoxGrid &grid, ValueRange at) {
    SmallVector<Value> indices;
    for (auto [first, step, number] :
         llvm::zip_equal(tokens.first, grid.getStep(), at))
      indices.push_back(arith::AddIOp::create(
          b, first, arith::MulIOp::create(b, number, index(b, step))));
    return indices;
  };
  auto add = [&](ValueRange at, ValueRange so) -> Carried {
    Pair pair{head[0], head[1], token(queries, *queryGrid, at.take_front(axes)),
              token(keys, *keyGrid, at.drop_front(axes))};
    Value kept = pairExists(b, regions, pair, Value());
    Value one = arith::IndexCastUIOp::create(b, b.getIndexType(), kept);
    return {arith::AddIOp::create(b, so[0], one)};
  };
  return fold(b, counts, index(b, 0), add)[0];
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static void store(ImplicitLocOpBuilder &b, Value number, Value memref,
                  Value at) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  number = arith::IndexCastOp::create(b, element, number);
  memref::StoreOp::create(b, number, memref, at);
}

static Value load(ImplicitLocOpBuilder &b, Value memref, Value at) {
  Value number = memref::LoadOp::create(b, memref, at);
  return arith::IndexCastOp::create(b, b.getIndexType(), number);
}

/// Writes entry `at` for the block at `place`, and its pairs if `hasPairs`.
void Classifier::addBlock(ValueRange place, Value at, Value hasPairs) {
  Tokens queries = getTokens(*queryGrid, place[2], shift);
  Tokens keys = getTokens(*keyGrid, place[3], Value());
  Value rows = multiply(b, queries.counts), columns = multiply(b, keys.counts);
  Value existing = arith::MulIOp::create(b, rows, columns);
  Value ofFormula = op.getOffsets() ? load(b, to.classes, at)
                                    : number(classify(place, queries, keys));
  Value ofRanges = number(classifyRanges(place, queries, keys));
  Value code = arith::SelectOp::create(b, equals(existing, 0),
                                       index(b, kOutside), ofFormula);
  code = arith::AddIOp::create(
      b, code, arith::MulIOp::create(b, ofRanges, index(b, kRanges)));
  store(b, code, to.classes, at);
  auto counting = scf::IfOp::create(b, hasPairs);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(counting.thenBlock());
  Value isEmpty = arith::OrIOp::create(b, equals(ofFormula, kEmpty),
                                       equals(ofRanges, kEmpty));
  Value isFull = arith::OrIOp::create(b, equals(ofFormula, kFull),
                                      equals(ofRanges, kFull));
  // What a list leaves out does not count, whatever the mask says of it.
  Value isKnown = exact && !op.getOffsets()
                      ? bit(false)
                      : Value(arith::OrIOp::create(b, isEmpty, isFull));
  Value kept = choose(
      b, isKnown,
      [&]() -> Value {
        return arith::SelectOp::create(b, isEmpty, index(b, 0), existing);
      },
      [&] { return countKept(place, queries, keys); });
  Value twice = arith::MulIOp::create(b, at, index(b, 2));
  store(b, existing, to.pairs, twice);
  store(b, kept, to.pairs, arith::AddIOp::create(b, twice, index(b, 1)));
}

/// The number of the pair of blocks at `place`.
Value Classifier::getPlace(ValueRange place, ArrayRef<Value> extents) {
  Value at = place[0];
  for (unsigned i = 1; i < 4; ++i)
    at = arith::AddIOp::create(b, arith::MulIOp::create(b, at, extents[i]),
                               place[i]);
  return at;
}

/// Writes what the list says of all blocks: mixed ones first, so that those
/// which are in both parts are full. Numbers that are no blocks say nothing,
/// and rows that `offsets` does not have visit nothing.
void Classifier::writeListed(ArrayRef<Value> extents) {
  auto clear = [&](ValueRange place, ValueRange) -> Carried {
    store(b, index(b, kEmpty), to.classes, getPlace(place, extents));
    return {};
  };
  fold(b, extents, {}, clear);
  Value room = size(b, op.getBlocks(), 2), zero = index(b, 0);
  auto put = [&](ValueRange row, int64_t part, int64_t kind) {
    auto end = [&](int64_t which) -> Value {
      Value at = arith::MulIOp::create(b, row[2], index(b, 2));
      at = arith::AddIOp::create(b, at, index(b, which));
      Value entry = readEntry(b, op.getOffsets(), row[0], row[1], at);
      entry = arith::MaxSIOp::create(b, entry, zero);
      return arith::MinSIOp::create(b, entry, room);
    };
    auto loop = scf::ForOp::create(b, end(part), end(part + 1), index(b, 1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value block =
        readEntry(b, op.getBlocks(), row[0], row[1], loop.getInductionVar());
    Value isBlock = both(isAtMost(zero, block), isBelow(block, extents[3]));
    auto known = scf::IfOp::create(b, isBlock);
    b.setInsertionPointToStart(known.thenBlock());
    Value code = index(b, kind);
    if (kind == kFull)
      code = arith::SelectOp::create(b, isWholeBlock(b, op, block), code,
                                     index(b, kMixed));
    SmallVector<Value> place(row);
    place.push_back(block);
    store(b, code, to.classes, getPlace(place, extents));
  };
  auto write = [&](ValueRange row, ValueRange) -> Carried {
    put(row, /*part=*/1, kMixed);
    put(row, /*part=*/0, kFull);
    return {};
  };
  Value ends =
      arith::SubIOp::create(b, size(b, op.getOffsets(), 2), index(b, 1));
  Value listed = arith::DivSIOp::create(b, ends, index(b, 2));
  Value rows = arith::MinSIOp::create(b, extents[2], listed);
  fold(b, {extents[0], extents[1], rows}, {}, write);
}

/// Writes the entries of all blocks, where there is room for `total`.
void Classifier::writeBlocks(ArrayRef<Value> extents, Value total) {
  Value zero = index(b, 0);
  Value pairs = arith::MulIOp::create(b, total, index(b, 2));
  auto hasRoom = [&](Value memref, Value needed) {
    return isAtMost(needed, memref::DimOp::create(b, memref, zero));
  };
  Value hasPairs = hasRoom(to.pairs, pairs);
  auto writing = scf::IfOp::create(b, hasRoom(to.classes, total));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(writing.thenBlock());
  if (op.getOffsets())
    writeListed(extents);
  auto write = [&](ValueRange place, ValueRange) -> Carried {
    addBlock(place, getPlace(place, extents), hasPairs);
    return {};
  };
  fold(b, extents, {}, write);
}

void Classifier::run() {
  Value one = index(b, 1);
  Value batches = looksAt(0) ? size(b, op.getBatchOperand(), 0) : one;
  Value heads = looksAt(1) ? size(b, op.getQuery(), 1) : one;
  SmallVector<Value> extents{batches, heads, queryGrid->getCount(),
                             keyGrid->getCount()};
  for (auto [at, extent] : llvm::enumerate(extents))
    store(b, extent, to.numbers, index(b, at));
  store(b, one, to.numbers, index(b, 4));
  for (auto [axis, places] : llvm::enumerate(keyGrid->getPlaces()))
    store(b, places, to.numbers, index(b, 5 + axis));
  if (op.getOffsets())
    store(b, size(b, op.getBlocks(), 2), to.numbers, index(b, 8));
  writeBlocks(extents, multiply(b, extents));
}

namespace {
struct ClassifyBlocks : attn::impl::ClassifyBlocksBase<ClassifyBlocks> {
  using ClassifyBlocksBase::ClassifyBlocksBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SmallVector<AttendOp> ops;
    function.walk([&](AttendOp op) { ops.push_back(op); });
    if (failed(returnNothing(function)))
      return signalPassFailure();
    for (AttendOp op : ops)
      if (failed(classify(function, op)))
        return signalPassFailure();
  }

private:
  LogicalResult classify(func::FuncOp function, AttendOp op) {
    if (!op.getScheduleAttr())
      return op.emitOpError("has no schedule; run attn-select-schedule first");
    Builder types(&getContext());
    auto numbers = addResult(function, 9, types.getI64Type());
    auto classes = addResult(function, ShapedType::kDynamic, types.getI8Type());
    auto pairs = addResult(function, ShapedType::kDynamic, types.getI32Type());
    if (failed(numbers) || failed(classes) || failed(pairs))
      return failure();
    Classifier(op, {*numbers, *classes, *pairs}, exact).run();
    return success();
  }
};
} // namespace
