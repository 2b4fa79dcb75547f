//===- DistributeViews.cpp - Threads read and write global memory ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every access is guarded by what is not known to hold: the elements of a row
// share one test. Comparisons are unsigned, so that negative positions are
// outside as well.
//
// Loads into shared memory: DistributeCopies.cpp.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"
#include "codegen/gpu/Window.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Tiles in registers
//===----------------------------------------------------------------------===//

namespace {
/// The elements of a tile that a thread owns, as positions in a view.
class PieceWalk {
public:
  /// `keep` is what becomes of the positions of the thread's first element.
  PieceWalk(ImplicitLocOpBuilder &b, ThreadTiles &threads,
            RankedTensorType type, Window window,
            std::function<Value(Value)> keep)
      : b(b), threads(threads), type(type), window(std::move(window)),
        keep(std::move(keep)), shape(ThreadTiles::getShape(type)),
        layout(ThreadTiles::getRegisters(type)) {}

  /// Positions of element (i, j) in the tile, one per dimension.
  SmallVector<Value> at(int64_t i, int64_t j) {
    if (type.getRank() == 2)
      return {getRow(i), getColumn(j)};
    return {isAlongRows() ? getRow(i) : getColumn(j)};
  }
  bool isAlongRows() const {
    auto slice = dyn_cast<tile::SliceAttr>(type.getEncoding());
    return slice && slice.getAlong() == 1;
  }
  /// Whether a dimension of element (i, j) lies in the view, and in the tile if
  /// `inTile`; null if that is known.
  Value testDim(int64_t dim, Value position, bool inTile) {
    Value result;
    auto require = [&](Value condition) {
      result = result ? arith::AndIOp::create(b, result, condition) : condition;
    };
    int64_t size = type.getDimSize(dim);
    int64_t end = getEnd(dim);
    if (inTile && end > size)
      require(isBelow(b, position, threads.index(size)));
    if (dim == 0 && window.isIndexed())
      require(testRow(b, window, position));
    else if (!isKnownInside(window, dim, inTile ? size : end))
      require(isBelow(b,
                      arith::AddIOp::create(
                          b, window.offsets[window.getDim(dim)], position),
                      getSize(b, window, window.getDim(dim))));
    return result;
  }
  /// One past the last position that any thread owns.
  int64_t getEnd(int64_t dim) const {
    bool isRows = type.getRank() == 2 ? dim == 0 : isAlongRows();
    return isRows ? shape.rows * layout.getRows()
                  : shape.columns * layout.getColumns();
  }

  ImplicitLocOpBuilder &b;
  ThreadTiles &threads;
  RankedTensorType type;
  Window window;
  std::function<Value(Value)> keep;
  PieceShape shape;
  tile::RegistersAttr layout;

private:
  Value getRow(int64_t i) {
    if (!keep)
      return threads.getRow(layout, i);
    return arith::AddIOp::create(
        b, keep(threads.getRow(layout, 0)),
        threads.index(ThreadTiles::getFixedRow(layout, i)));
  }
  Value getColumn(int64_t j) {
    if (!keep)
      return threads.getColumn(layout, j);
    return arith::AddIOp::create(
        b, keep(threads.getColumn(layout, 0)),
        threads.index(ThreadTiles::getFixed(layout, j)));
  }
};
} // namespace

/// What positions become in front of `op`; null for what they are.
std::function<Value(Value)> Distributor::keepPositions(Operation *op) {
  if (!hasState())
    return {};
  return [this, op](Value position) { return keepBesideState(position, op); };
}

Window Distributor::makeWindow(Operation *op, Value view, ValueRange offsets,
                               int64_t rank, ValueRange rows) {
  SmallVector<Value> places(offsets);
  if (hasState())
    for (Value &offset :
         MutableArrayRef(places).drop_back(std::min<size_t>(rank, 2)))
      if (!getConstantIntValue(offset))
        offset = keepBesideState(offset, op);
  return {view, places, rank, rows};
}

SmallVector<Value> Distributor::loadPieces(tile::LoadOp op) {
  RankedTensorType type = tileOf(op);
  PieceWalk walk(b, threads, type,
                 makeWindow(op, op.getView(), op.getOffsets(), type.getRank(),
                            op.getRows()),
                 keepPositions(op));
  Type element = type.getElementType();
  int64_t columnDim = type.getRank() - 1;
  bool hasRows = type.getRank() == 2 || walk.isAlongRows();
  bool hasColumns = type.getRank() == 2 || !walk.isAlongRows();
  Value leading = testLeading(b, walk.window);
  Values result;
  for (int64_t i = 0; i < walk.shape.rows; ++i) {
    Value inRow = leading;
    if (hasRows)
      inRow = both(inRow, walk.testDim(0, walk.at(i, 0)[0], false));
    SmallVector<Type> types(walk.shape.columns, element);
    llvm::append_range(
        result, guard(b, inRow, types, [&] {
          Values row;
          for (int64_t j = 0; j < walk.shape.columns; ++j) {
            SmallVector<Value> at = walk.at(i, j);
            Value inside =
                hasColumns ? walk.testDim(columnDim, at.back(), true) : Value();
            llvm::append_range(
                row, guard(b, inside, element, [&] {
                  return Values{memref::LoadOp::create(
                      b, op.getView(), getPositions(b, walk.window, at))};
                }));
          }
          return row;
        }));
  }
  return result;
}

void Distributor::lower(tile::LoadOp op) {
  if (getSharedLayout(op))
    copyToShared(op);
  else
    pieces[op] = loadPieces(op);
}

/// Stores `values`, neighbours in a row, from position `at` of the tile on.
static void storeGroup(ImplicitLocOpBuilder &b, const Window &window,
                       ValueRange at, ArrayRef<Value> values) {
  SmallVector<Value> positions = getPositions(b, window, at);
  if (values.size() == 1) {
    memref::StoreOp::create(b, values.front(), window.view, positions);
    return;
  }
  Type element = window.getType().getElementType();
  auto type = VectorType::get(values.size(), element);
  llvm::Align align(values.size() * element.getIntOrFloatBitWidth() / 8);
  vector::StoreOp::create(b, vector::FromElementsOp::create(b, type, values),
                          window.view, positions, /*nontemporal=*/false, align);
}

/// Stores elements `e` and `e + 1` of a tile, neighbours in a row.
void Distributor::storePair(tile::StoreOp op, ValueRange positions, int64_t e) {
  Operation *round = op.getValue().getDefiningOp();
  if (!round || !isRounding(round)) {
    Window window{op.getView(), positions, 0};
    return storeGroup(b, window, {},
                      ArrayRef(pieces[op.getValue()]).slice(e, 2));
  }
  Type element = tileOf(op.getValue()).getElementType();
  auto pair = VectorType::get(2, element);
  Value both = getPair(op.getValue(), e);
  if (both.getType() != pair) {
    auto word = VectorType::get(1, both.getType());
    both = vector::BitCastOp::create(
        b, pair, vector::FromElementsOp::create(b, word, both));
  }
  vector::StoreOp::create(b, both, op.getView(), positions,
                          /*nontemporal=*/false, llvm::Align(4));
}

/// Of a vector, the threads that own an element all have it; one of them
/// stores.
void Distributor::lower(tile::StoreOp op) {
  RankedTensorType type = tileOf(op.getValue());
  int64_t vector = ThreadTiles::getShape(type).vector;
  if (hasAlignedRows(op, vector))
    return storePieces(op, vector);
  if (vector != 2 || !storesPairs(op))
    return storePieces(op, 1);
  auto choice = scf::IfOp::create(b, testAligned(getParameter(op.getView())),
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(choice.thenBlock());
  storePieces(op, 2);
  b.setInsertionPointToStart(choice.elseBlock());
  storePieces(op, 1);
}

/// Stores so many neighbours at once.
void Distributor::storePieces(tile::StoreOp op, int64_t atOnce) {
  RankedTensorType type = tileOf(op.getValue());
  PieceWalk walk(b, threads, type,
                 makeWindow(op, op.getView(), op.getOffsets(), type.getRank(),
                            op.getRows()),
                 keepPositions(op));
  const Values from = pieces[op.getValue()];
  int64_t columnDim = type.getRank() - 1;
  bool isVector = type.getRank() == 1;
  bool hasRows = !isVector || walk.isAlongRows();
  bool hasColumns = !isVector || !walk.isAlongRows();
  Value common = testLeading(b, walk.window);
  if (isVector)
    common = both(common, arith::CmpIOp::create(
                              b, arith::CmpIPredicate::eq,
                              hasRows ? threads.getThreadColumn(walk.layout)
                                      : threads.getThreadRow(walk.layout),
                              index(0)));
  for (int64_t i = 0; i < walk.shape.rows; ++i) {
    Value inRow = common;
    if (hasRows)
      inRow = both(inRow, walk.testDim(0, walk.at(i, 0)[0], true));
    int64_t row = i * walk.shape.columns;
    guard(b, inRow, {}, [&] {
      for (int64_t j = 0; j < walk.shape.columns; j += atOnce) {
        SmallVector<Value> at = walk.at(i, j);
        Value inside =
            hasColumns ? walk.testDim(columnDim, at.back(), true) : Value();
        guard(b, inside, {}, [&] {
          if (atOnce == 2)
            storePair(op, getPositions(b, walk.window, at), row + j);
          else
            storeGroup(b, walk.window, at,
                       ArrayRef(from).slice(row + j, atOnce));
          return Values{};
        });
      }
      return Values{};
    });
  }
}

/// Reads one element, or zero outside of the view.
static Value gather(ImplicitLocOpBuilder &b, Value view, ValueRange indices) {
  Window window{view, indices, 0};
  Type element = window.getType().getElementType();
  return guard(b, testLeading(b, window), element,
               [&] {
                 return SmallVector<Value>{
                     memref::LoadOp::create(b, view, indices)};
               })
      .front();
}

void Distributor::lower(tile::GatherOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getResult().getType());
  if (!type) {
    op.replaceAllUsesWith(gather(b, op.getView(), op.getIndices()));
    return;
  }
  std::map<SmallVector<void *>, Value> known;
  Values result;
  for (int64_t e = 0; e < ThreadTiles::getShape(type).size(); ++e) {
    Values indices;
    SmallVector<void *> key;
    for (Value index : op.getIndices()) {
      bool isTile = isa<RankedTensorType>(index.getType());
      indices.push_back(isTile ? pieces[index][e] : index);
      key.push_back(indices.back().getAsOpaquePointer());
    }
    Value &element = known[key];
    if (!element)
      element = gather(b, op.getView(), indices);
    result.push_back(element);
  }
  pieces[op.getResult()] = std::move(result);
}

/// The first thread of a block writes, if the place is inside of the view.
void Distributor::lower(tile::WriteOp op) {
  Window window{op.getView(), SmallVector<Value>(op.getIndices()), 0};
  Value writes = testLeading(b, window);
  if (!kernel->hasAttr(kBlockPerThreadAttr)) {
    Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                          threads.getThread(), index(0));
    writes = both(isFirst, writes);
  }
  guard(b, writes, {}, [&] {
    memref::StoreOp::create(b, op.getScalar(), op.getView(), op.getIndices());
    return Values{};
  });
}
