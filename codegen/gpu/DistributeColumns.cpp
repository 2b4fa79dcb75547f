//===- DistributeColumns.cpp - Ops that combine the rows of a column ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Their operands lie in shared memory, so every thread reads the rows that it
// needs, of the columns that it owns:
//
// - A reduction reads all of them.
// - A scan reads those that its element combines, 8.5 of 16 on average. One
//   thread per column would read each once, but leave its result with the wrong
//   threads, and most of them idle; blocks of tokens are short.
// - Where they are long, one thread per column it is. It leaves its result in
//   shared memory.
// - A scan of a vector is done by each warp for itself: its lanes take an
// element
//   each, and combine those at distances of 1, 2, 4, 8 and 16.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Lanes of a warp.
static constexpr int64_t kLanes = 32;

/// Whether a vector has an element per row of the tile that it belongs to.
static bool isAlongRowsOf(RankedTensorType vector) {
  return cast<tile::SliceAttr>(vector.getEncoding()).getAlong() == 1;
}

/// The place in the vector of the n-th element of a thread.
static Value getPosition(ThreadTiles &threads, RankedTensorType vector,
                         int64_t n) {
  tile::RegistersAttr layout = ThreadTiles::getRegisters(vector);
  return isAlongRowsOf(vector) ? threads.getRow(layout, n)
                               : threads.getColumn(layout, n);
}

/// Threads that differ in the elements that they own, and those of one round.
static int64_t getRound(RankedTensorType vector) {
  tile::RegistersAttr layout = ThreadTiles::getRegisters(vector);
  return isAlongRowsOf(vector) ? layout.getRows()
                               : layout.getColumns() * layout.getVector();
}

//===----------------------------------------------------------------------===//
// Vectors, and back to registers
//===----------------------------------------------------------------------===//

/// Of the threads that have an element of a vector one stores it.
void Distributor::shareVector(tile::ConvertLayoutOp op) {
  RankedTensorType from = tileOf(op.getValue());
  tile::RegistersAttr layout = ThreadTiles::getRegisters(from);
  Value buffer = getBuffer(op);
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                        isAlongRowsOf(from)
                                            ? threads.getThreadColumn(layout)
                                            : threads.getThreadRow(layout),
                                        index(0));
  bool isRagged = from.getDimSize(0) % getRound(from);
  for (auto [n, value] : llvm::enumerate(pieces[op.getValue()])) {
    Value position = getPosition(threads, from, n), stores = isFirst;
    if (isRagged)
      stores = both(stores, isLess(position, index(from.getDimSize(0))));
    auto choice = scf::IfOp::create(b, stores, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard insertion(b);
    b.setInsertionPointToStart(choice.thenBlock());
    memref::StoreOp::create(b, value, buffer, position);
  }
}

/// From shared memory to the threads that own the elements.
void Distributor::readBack(tile::ConvertLayoutOp op) {
  RankedTensorType type = tileOf(op);
  PieceShape shape = ThreadTiles::getShape(type);
  tile::RegistersAttr layout = ThreadTiles::getRegisters(type);
  Values result;
  if (type.getRank() == 1) {
    int64_t most = llvm::alignTo(type.getDimSize(0), getRound(type)) - 1;
    for (int64_t n = 0; n < shape.size(); ++n) {
      Value place =
          clampColumn(op.getValue(), getPosition(threads, type, n), most);
      llvm::append_range(result, readShared(op.getValue(), place, 1));
    }
    pieces[op] = std::move(result);
    return;
  }
  // Two neighbours are a word, of which numbers of 32 bits are made.
  bool areWords = type.getElementType().isBF16() && shape.vector == 2;
  Values words;
  for (int64_t i = 0; i < shape.rows; ++i)
    for (int64_t j = 0; j < shape.columns; j += shape.vector) {
      Value place = getOwnPlace(op, tileOf(op.getValue()), layout, i, j);
      // Rows beyond the tile exist in registers only.
      if (type.getDimSize(0) % layout.getRows())
        place = arith::SelectOp::create(
            b, isLess(threads.getRow(layout, i), index(type.getDimSize(0))),
            place, index(0));
      Values group = readShared(op.getValue(), place, shape.vector);
      if (areWords) {
        Value pair =
            group.front().getDefiningOp<vector::ExtractOp>().getSource();
        auto word = VectorType::get(1, b.getI32Type());
        words.push_back(vector::ExtractOp::create(
            b, vector::BitCastOp::create(b, word, pair), 0));
      }
      llvm::append_range(result, group);
    }
  if (areWords)
    setPairs(op, words);
  pieces[op] = std::move(result);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Each of the lanes that share a row of the result takes every so many rows of
/// the tile; a butterfly combines what they have.
SmallVector<Value> Distributor::reduceTogether(tile::ReduceOp op) {
  RankedTensorType type = tileOf(op);
  int64_t lanes = ThreadTiles::getRegisters(type).getColumns();
  Value tile = op.getValue();
  int64_t most = llvm::alignTo(type.getDimSize(0), getRound(type)) - 1;
  Value neutral = arith::ConstantOp::create(
      b, b.getFloatAttr(type.getElementType(), tile::getNeutral(op.getKind())));
  Values result;
  for (auto [n, init] : llvm::enumerate(pieces[op.getInit()])) {
    Value column = clampColumn(tile, getPosition(threads, type, n), most);
    Value all = neutral;
    for (int64_t row = 0; row < tileOf(tile).getDimSize(0); row += lanes) {
      Value at = add(threads.getThreadColumn(ThreadTiles::getRegisters(type)),
                     index(row));
      Value place = getPlace(tileOf(tile), at, column);
      all = combine(op.getKind(), all, readShared(tile, place, 1).front());
    }
    for (int64_t half = lanes / 2; half >= 1; half /= 2)
      all = combine(op.getKind(), all, shuffleXor(all, half));
    result.push_back(combine(op.getKind(), init, all));
  }
  return result;
}

SmallVector<Value> Distributor::reduceColumns(tile::ReduceOp op) {
  RankedTensorType type = tileOf(op);
  tile::RegistersAttr layout = ThreadTiles::getRegisters(type);
  bool areRows = cast<tile::SliceAttr>(type.getEncoding()).getAlong() == 1;
  if (decaysInBands() && areRows &&
      tileOf(op.getValue()).getDimSize(0) % layout.getColumns() == 0)
    return reduceTogether(op);
  const Values init = pieces[op.getInit()];
  int64_t most = llvm::alignTo(type.getDimSize(0), getRound(type)) - 1;
  Value tile = op.getValue();
  Value rows = index(tileOf(tile).getDimSize(0));
  auto loop = scf::ForOp::create(b, index(0), rows, index(1), init);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToEnd(loop.getBody());
  Values next;
  for (auto [n, before] : llvm::enumerate(loop.getRegionIterArgs())) {
    Value column = clampColumn(tile, getPosition(threads, type, n), most);
    Value place = getPlace(tileOf(tile), loop.getInductionVar(), column);
    next.push_back(
        combine(op.getKind(), before, readShared(tile, place, 1).front()));
  }
  scf::YieldOp::create(b, next);
  return loop.getResults();
}

//===----------------------------------------------------------------------===//
// Scans of rows
//===----------------------------------------------------------------------===//

SmallVector<Value> Distributor::scanRows(tile::ScanOp op) {
  RankedTensorType type = tileOf(op);
  PieceShape shape = ThreadTiles::getShape(type);
  tile::RegistersAttr layout = ThreadTiles::getRegisters(type);
  Value tile = op.getValue(), end = index(type.getDimSize(0));
  Value neutral = arith::ConstantOp::create(
      b, b.getFloatAttr(type.getElementType(), tile::getNeutral(op.getKind())));
  Values result;
  for (int64_t i = 0; i < shape.rows; ++i) {
    Value row = threads.getRow(layout, i), first = index(0);
    if (op.getWithin()) {
      Value length = index(*op.getWithin());
      first = mul(arith::DivUIOp::create(b, row, length), length);
      end = arith::MinUIOp::create(b, add(first, length),
                                   index(type.getDimSize(0)));
    }
    // The row itself belongs to what is combined, or does not.
    bool skips = op.getExclusive() == op.getReverse();
    Value bound = skips ? add(row, index(1)) : row;
    Value from = op.getReverse() ? bound : first;
    // Rows beyond the tile exist in registers.
    Value to = op.getReverse() ? end : arith::MinUIOp::create(b, bound, end);
    auto loop = scf::ForOp::create(b, from, to, index(1),
                                   Values(shape.columns, neutral));
    OpBuilder::InsertionGuard insertion(b);
    b.setInsertionPointToEnd(loop.getBody());
    Values next(loop.getRegionIterArgs());
    for (int64_t j = 0; j < shape.columns; j += shape.vector) {
      Value place = getPlace(tileOf(tile), loop.getInductionVar(),
                             threads.getColumn(layout, j));
      for (auto [n, x] : llvm::enumerate(readShared(tile, place, shape.vector)))
        next[j + n] = combine(op.getKind(), next[j + n], x);
    }
    scf::YieldOp::create(b, next);
    llvm::append_range(result, loop.getResults());
  }
  return result;
}

/// Rows that a thread that scans a column reads at a time.
static constexpr int64_t kWalked = 16;

/// Scans `size` rows of a column from row `first` on (`isReverse`: from the
/// last of them), behind those that are `before`; returns all of them together.
Value Distributor::walkRows(tile::ScanOp op, Value column, Value first,
                            int64_t size, Value before, bool isReverse,
                            bool isExclusive) {
  auto getRow = [&](int64_t n) {
    return add(first, index(isReverse ? size - 1 - n : n));
  };
  Values values;
  for (int64_t n = 0; n < size; ++n)
    llvm::append_range(
        values,
        readShared(op.getValue(),
                   getPlace(tileOf(op.getValue()), getRow(n), column), 1));
  for (auto [n, value] : llvm::enumerate(values)) {
    Value with = combine(op.getKind(), before, value);
    memref::StoreOp::create(b, isExclusive ? before : with, getBuffer(op),
                            getPlace(tileOf(op), getRow(n), column));
    before = with;
  }
  return before;
}

/// Scans `column`, block by block.
void Distributor::walkColumn(tile::ScanOp op, Value column) {
  int64_t rows = tileOf(op).getDimSize(0),
          block = op.getWithin().value_or(rows);
  int64_t step = block % kWalked ? block : kWalked;
  Value neutral = arith::ConstantOp::create(
      b, b.getFloatAttr(tileOf(op).getElementType(),
                        tile::getNeutral(op.getKind())));
  auto loop =
      scf::ForOp::create(b, index(0), index(rows), index(step), neutral);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value first = loop.getInductionVar(), before = loop.getRegionIterArg(0);
  Value isFirst = arith::CmpIOp::create(
      b, arith::CmpIPredicate::eq,
      arith::RemUIOp::create(b, first, index(block)), index(0));
  before = arith::SelectOp::create(b, isFirst, neutral, before);
  if (op.getReverse())
    first = arith::SubIOp::create(b, index(rows - step), first);
  scf::YieldOp::create(b, walkRows(op, column, first, step, before,
                                   op.getReverse(), op.getExclusive()));
}

/// Scans one block of `column`, the `block`-th, from the border of its pair on:
/// the first block of a pair backwards. Threads of a warp have columns of one
/// block, if there are as many.
void Distributor::walkFromBorder(tile::ScanOp op, Value block, Value column) {
  int64_t size = *op.getAcross();
  Value neutral = arith::ConstantOp::create(
      b, b.getFloatAttr(tileOf(op).getElementType(),
                        tile::getNeutral(op.getKind())));
  Value first = mul(block, index(size));
  Value isBehind = arith::CmpIOp::create(
      b, arith::CmpIPredicate::ne, arith::RemUIOp::create(b, block, index(2)),
      index(0));
  auto choice = scf::IfOp::create(b, isBehind, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(choice.thenBlock());
  walkRows(op, column, first, size, neutral, /*isReverse=*/false,
           /*isExclusive=*/op.getExclusive() || op.getReverse());
  b.setInsertionPointToStart(choice.elseBlock());
  walkRows(op, column, first, size, neutral, /*isReverse=*/true,
           /*isExclusive=*/op.getExclusive() || !op.getReverse());
}

/// One thread for each column, or for each column of a block that is scanned
/// from a border on.
void Distributor::walkColumns(tile::ScanOp op) {
  RankedTensorType type = tileOf(op);
  int64_t columns = type.getDimSize(1);
  int64_t blocks = op.getAcross() ? type.getDimSize(0) / *op.getAcross() : 1;
  auto loop =
      scf::ForOp::create(b, threads.getThread(), index(blocks * columns),
                         index(threads.getThreads()));
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(loop.getBody());
  Value number = loop.getInductionVar();
  if (!op.getAcross())
    return walkColumn(op, number);
  walkFromBorder(op, arith::DivUIOp::create(b, number, index(columns)),
                 arith::RemUIOp::create(b, number, index(columns)));
}

//===----------------------------------------------------------------------===//
// Scans of vectors
//===----------------------------------------------------------------------===//

namespace attn {
/// Scans a vector within a warp: lane `l` has its elements `l + 32 n`.
class VectorScan {
public:
  VectorScan(Distributor &d, tile::ScanOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        lane(d.keepBesideState(arith::RemUIOp::create(d.threads.atEntry(),
                                                      d.threads.getThread(),
                                                      d.index(kLanes)),
                               op)),
        neutral(arith::ConstantOp::create(
            b, b.getFloatAttr(type.getElementType(),
                              tile::getNeutral(op.getKind())))) {}

  SmallVector<Value> emit();

private:
  using Values = SmallVector<Value>;
  Values load();
  Values scanParts();
  Value scan(Value x);
  /// The value of the lane `distance` behind in the order of the scan, where
  /// there is one; else `otherwise`.
  Value takeFromBehind(Value x, int64_t distance, Value otherwise);
  Value takeFrom(Value x, Value source);
  Value getPart(ArrayRef<Value> parts, int64_t n, Value position);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::ScanOp op;
  RankedTensorType type;
  Value lane, neutral;
};
} // namespace attn

SmallVector<Value> VectorScan::load() {
  int64_t size = type.getDimSize(0);
  Values result;
  for (int64_t first = 0; first < size; first += kLanes) {
    Value position = d.add(lane, d.index(first));
    Value place = d.clampColumn(op.getValue(), position, first + kLanes - 1);
    Value x = d.readShared(op.getValue(), place, 1).front();
    if (first + kLanes > size)
      x = arith::SelectOp::create(b, d.isLess(position, d.index(size)), x,
                                  neutral);
    result.push_back(x);
  }
  return result;
}

Value VectorScan::takeFrom(Value x, Value source) {
  Value number = arith::IndexCastUIOp::create(b, b.getI32Type(), source);
  Value lanes = arith::ConstantOp::create(b, b.getI32IntegerAttr(kLanes));
  return gpu::ShuffleOp::create(b, x, number, lanes, gpu::ShuffleMode::IDX)
      .getShuffleResult();
}

Value VectorScan::takeFromBehind(Value x, int64_t distance, Value otherwise) {
  int64_t step = op.getReverse() ? distance : kLanes - distance;
  Value source =
      arith::RemUIOp::create(b, d.add(lane, d.index(step)), d.index(kLanes));
  Value exists = op.getReverse() ? d.isLess(lane, d.index(kLanes - distance))
                                 : d.isLess(d.index(distance - 1), lane);
  return arith::SelectOp::create(b, exists, takeFrom(x, source), otherwise);
}

Value VectorScan::scan(Value x) {
  for (int64_t distance = 1; distance < kLanes; distance *= 2)
    x = d.combine(op.getKind(), takeFromBehind(x, distance, neutral), x);
  return x;
}

/// The part that element `n` of a thread is in.
Value VectorScan::getPart(ArrayRef<Value> parts, int64_t n, Value position) {
  bool isRows = isAlongRowsOf(type);
  if (!isRows || !ThreadTiles::getRegisters(type).getPaired()) {
    // Rounds divide the lanes, so all threads take element n of one part.
    int64_t inRound = isRows ? 1 : ThreadTiles::getShape(type).vector;
    size_t part = n / inRound * getRound(type) / kLanes;
    return parts[std::min(part, parts.size() - 1)];
  }
  // The 16 rows of a warp are in one part, those of the warps in several.
  Value number = arith::DivUIOp::create(b, position, d.index(kLanes));
  Value result = parts.front();
  for (auto [part, value] : llvm::enumerate(parts.drop_front())) {
    Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, number,
                                          d.index(part + 1));
    result = arith::SelectOp::create(b, isThere, value, result);
  }
  return result;
}

SmallVector<Value> VectorScan::scanParts() {
  Values parts = load();
  // Lanes that are last in the order of the scan have the total of a part.
  Value last = d.index(op.getReverse() ? 0 : kLanes - 1);
  Value total = neutral;
  for (size_t n = 0; n < parts.size(); ++n) {
    Value &part = parts[op.getReverse() ? parts.size() - 1 - n : n];
    Value all = d.combine(op.getKind(), total, scan(part));
    part = op.getExclusive() ? takeFromBehind(all, 1, total) : all;
    total = takeFrom(all, last);
  }
  return parts;
}

SmallVector<Value> VectorScan::emit() {
  // What lanes have serves results in any layout.
  Values &known = d.scanned[{op.getValue().getAsOpaquePointer(), op.getKind(),
                             op.getReverse(), op.getExclusive()}];
  auto isKnown = [&](Value part) {
    return part.getParentBlock() == b.getInsertionBlock();
  };
  if (known.empty() || !llvm::all_of(known, isKnown))
    known = scanParts();
  const Values parts = known;
  Values result;
  for (int64_t n = 0; n < ThreadTiles::getShape(type).size(); ++n) {
    Value position = d.keepBesideState(getPosition(d.threads, type, n), op);
    Value source = arith::RemUIOp::create(b, position, d.index(kLanes));
    result.push_back(takeFrom(getPart(parts, n, position), source));
  }
  return result;
}

void Distributor::lower(tile::ScanOp op) {
  if (getSharedLayout(op))
    return walkColumns(op);
  pieces[op] =
      tileOf(op).getRank() == 1 ? VectorScan(*this, op).emit() : scanRows(op);
}
