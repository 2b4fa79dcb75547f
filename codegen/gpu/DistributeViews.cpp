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
// A load into shared memory is a copy by all threads, consecutive threads
// taking consecutive elements: each row is read in whole sectors. It is there
// twice, without tests for tiles that lie inside of the view.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"

using namespace mlir;
using namespace attn;

namespace {
/// A view and the place of a tile in it.
struct Window {
  Value view;
  SmallVector<Value> offsets;
  int64_t rank; ///< Of the tile.

  MemRefType getType() const { return cast<MemRefType>(view.getType()); }
  int64_t getDim(int64_t dim) const { return getType().getRank() - rank + dim; }
};
} // namespace

static Value getSize(ImplicitLocOpBuilder &b, const Window &window,
                     int64_t dim) {
  return memref::DimOp::create(b, window.view, dim);
}

static Value test(ImplicitLocOpBuilder &b, Value position, Value size) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, position, size);
}

/// Whether the leading offsets lie in the view; null if that is known.
static Value testLeading(ImplicitLocOpBuilder &b, const Window &window) {
  Value result;
  for (int64_t dim = 0; dim < window.getDim(0); ++dim) {
    std::optional<int64_t> offset = getConstantIntValue(window.offsets[dim]);
    int64_t size = window.getType().getDimSize(dim);
    if (offset && !ShapedType::isDynamic(size) && *offset >= 0 &&
        *offset < size)
      continue;
    Value inside = test(b, window.offsets[dim], getSize(b, window, dim));
    result = result ? arith::AndIOp::create(b, result, inside) : inside;
  }
  return result;
}

/// Whether positions up to `end` in dimension `dim` of the tile are known to
/// lie in the view.
static bool isKnownInside(const Window &window, int64_t dim, int64_t end) {
  std::optional<int64_t> offset =
      getConstantIntValue(window.offsets[window.getDim(dim)]);
  int64_t size = window.getType().getDimSize(window.getDim(dim));
  return offset && *offset >= 0 && !ShapedType::isDynamic(size) &&
         *offset + end <= size;
}

/// Positions in the view of element (at...) of the tile.
static SmallVector<Value> getPositions(ImplicitLocOpBuilder &b,
                                       const Window &window, ValueRange at) {
  SmallVector<Value> result(window.offsets);
  for (auto [dim, index] : llvm::enumerate(at)) {
    Value &position = result[window.getDim(dim)];
    position = arith::AddIOp::create(b, position, index);
  }
  return result;
}

/// Runs `body` where `condition` holds; its values elsewhere are zero.
static SmallVector<Value> guard(ImplicitLocOpBuilder &b, Value condition,
                                TypeRange types,
                                llvm::function_ref<SmallVector<Value>()> body) {
  if (!condition)
    return body();
  OpBuilder::InsertionGuard insertion(b);
  if (types.empty()) {
    auto choice = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    b.setInsertionPointToStart(choice.thenBlock());
    body();
    return {};
  }
  auto choice = scf::IfOp::create(b, types, condition, /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, body());
  b.setInsertionPointToStart(choice.elseBlock());
  SmallVector<Value> zeros;
  for (Type type : types)
    zeros.push_back(arith::ConstantOp::create(b, b.getZeroAttr(type)));
  scf::YieldOp::create(b, zeros);
  return choice.getResults();
}

//===----------------------------------------------------------------------===//
// Tiles in registers
//===----------------------------------------------------------------------===//

namespace {
/// The elements of a tile that a thread owns, as positions in a view.
class PieceWalk {
public:
  PieceWalk(ImplicitLocOpBuilder &b, ThreadTiles &threads,
            RankedTensorType type, Window window)
      : b(b), threads(threads), type(type), window(std::move(window)),
        shape(ThreadTiles::getShape(type)),
        layout(ThreadTiles::getRegisters(type)) {}

  /// Positions of element (i, j) in the tile, one per dimension.
  SmallVector<Value> at(int64_t i, int64_t j) {
    if (type.getRank() == 2)
      return {threads.getRow(layout, i), threads.getColumn(layout, j)};
    return {isAlongRows() ? threads.getRow(layout, i)
                          : threads.getColumn(layout, j)};
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
      require(test(b, position, threads.index(size)));
    if (!isKnownInside(window, dim, inTile ? size : end))
      require(test(b,
                   arith::AddIOp::create(b, window.offsets[window.getDim(dim)],
                                         position),
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
  PieceShape shape;
  tile::RegistersAttr layout;
};
} // namespace

SmallVector<Value> Distributor::loadPieces(tile::LoadOp op) {
  RankedTensorType type = tileOf(op);
  PieceWalk walk(b, threads, type,
                 {op.getView(), op.getOffsets(), type.getRank()});
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
            Value inside = hasColumns
                               ? walk.testDim(columnDim, at.back(), false)
                               : Value();
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

/// Of a vector, the threads that own an element all have it; one of them
/// stores.
void Distributor::lower(tile::StoreOp op) {
  RankedTensorType type = tileOf(op.getValue());
  PieceWalk walk(b, threads, type,
                 {op.getView(), op.getOffsets(), type.getRank()});
  const Values from = pieces[op.getValue()];
  int64_t columnDim = type.getRank() - 1;
  bool isVector = type.getRank() == 1;
  bool hasRows = !isVector || walk.isAlongRows();
  bool hasColumns = !isVector || !walk.isAlongRows();
  int64_t atOnce =
      hasAlignedRows(op, walk.shape.vector) ? walk.shape.vector : 1;
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
    ArrayRef<Value> row =
        ArrayRef(from).slice(i * walk.shape.columns, walk.shape.columns);
    guard(b, inRow, {}, [&] {
      for (int64_t j = 0; j < walk.shape.columns; j += atOnce) {
        SmallVector<Value> at = walk.at(i, j);
        Value inside =
            hasColumns ? walk.testDim(columnDim, at.back(), true) : Value();
        guard(b, inside, {}, [&] {
          storeGroup(b, walk.window, at, row.slice(j, atOnce));
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

//===----------------------------------------------------------------------===//
// Tiles in shared memory
//===----------------------------------------------------------------------===//

namespace attn {
/// Copies a tile from a view to shared memory, in rounds of all threads.
class CopyEmitter {
public:
  CopyEmitter(Distributor &d, tile::LoadOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        shape(getSharedShape(type)), layout(getSharedLayout(op)),
        window{op.getView(), op.getOffsets(), 2}, buffer(d.getBuffer(op)) {}

  void emit();

private:
  /// Rounds whose loads come before any of their stores.
  static constexpr int64_t kBatch = 8;

  int64_t getElements() const { return shape.rows * shape.columns; }
  int64_t getRounds() const {
    return llvm::divideCeil(getElements(), d.threads.getThreads());
  }
  std::pair<Value, Value> getElement(Value round);
  Value testInside();
  void emitLoop(bool guarded);
  void emitBatch(Value first, int64_t count, bool guarded);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::LoadOp op;
  RankedTensorType type;
  SharedShape shape;
  tile::SharedAttr layout;
  Window window;
  Value buffer;
};
} // namespace attn

/// The element that the thread copies in a round.
std::pair<Value, Value> CopyEmitter::getElement(Value round) {
  Value number = d.add(d.mul(round, d.index(d.threads.getThreads())),
                       d.threads.getThread());
  Value columns = d.index(shape.columns);
  return {arith::DivUIOp::create(b, number, columns),
          arith::RemUIOp::create(b, number, columns)};
}

/// Whether the whole tile lies in the view; null if it never does as a whole.
Value CopyEmitter::testInside() {
  bool isWhole = type.getDimSize(0) == shape.rows &&
                 type.getDimSize(1) == shape.columns &&
                 getElements() % d.threads.getThreads() == 0;
  if (!isWhole)
    return {};
  Value inside = testLeading(b, window);
  for (int64_t dim : {0, 1}) {
    if (isKnownInside(window, dim, type.getDimSize(dim)))
      continue;
    Value offset = window.offsets[window.getDim(dim)];
    auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) {
      inside = d.both(inside, arith::CmpIOp::create(b, predicate, x, y));
    };
    compare(arith::CmpIPredicate::sge, offset, d.index(0));
    compare(arith::CmpIPredicate::sle,
            d.add(offset, d.index(type.getDimSize(dim))),
            getSize(b, window, window.getDim(dim)));
  }
  return inside ? inside : arith::ConstantOp::create(b, b.getBoolAttr(true));
}

void CopyEmitter::emitBatch(Value first, int64_t count, bool guarded) {
  Type element = type.getElementType();
  Value leading = guarded ? testLeading(b, window) : Value();
  SmallVector<std::tuple<Value, Value, Value>> stores;
  bool isRagged = getElements() % d.threads.getThreads();
  for (int64_t n = 0; n < count; ++n) {
    auto [row, column] = getElement(d.add(first, d.index(n)));
    Value inside = leading, exists;
    if (guarded) {
      for (auto [dim, position] :
           llvm::enumerate(ArrayRef<Value>{row, column})) {
        Value offset = window.offsets[window.getDim(dim)];
        if (type.getDimSize(dim) != (dim ? shape.columns : shape.rows))
          inside =
              d.both(inside, d.isLess(position, d.index(type.getDimSize(dim))));
        if (!isKnownInside(window, dim, type.getDimSize(dim)))
          inside =
              d.both(inside, d.isLess(d.add(offset, position),
                                      getSize(b, window, window.getDim(dim))));
      }
      if (isRagged)
        exists = d.isLess(row, d.index(shape.rows));
    }
    Value read =
        guard(b, inside, element, [&] {
          return SmallVector<Value>{memref::LoadOp::create(
              b, op.getView(), getPositions(b, window, {row, column}))};
        }).front();
    stores.push_back({read, d.getPlace(layout, row, column), exists});
  }
  for (auto [value, place, exists] : stores)
    guard(b, exists, {}, [&, value = value, place = place] {
      memref::StoreOp::create(b, value, buffer, place);
      return SmallVector<Value>{};
    });
}

void CopyEmitter::emitLoop(bool guarded) {
  int64_t rounds = getRounds(), batch = std::min(kBatch, rounds);
  int64_t inLoop = rounds / batch * batch;
  auto loop =
      scf::ForOp::create(b, d.index(0), d.index(inLoop), d.index(batch));
  {
    OpBuilder::InsertionGuard insertion(b);
    b.setInsertionPointToStart(loop.getBody());
    emitBatch(loop.getInductionVar(), batch, guarded);
  }
  if (inLoop < rounds)
    emitBatch(d.index(inLoop), rounds - inLoop, guarded);
}

void CopyEmitter::emit() {
  Value inside = testInside();
  if (!inside)
    return emitLoop(/*guarded=*/true);
  auto choice = scf::IfOp::create(b, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(choice.thenBlock());
  emitLoop(/*guarded=*/false);
  b.setInsertionPointToStart(choice.elseBlock());
  emitLoop(/*guarded=*/true);
}

void Distributor::copyToShared(tile::LoadOp op) {
  CopyEmitter(*this, op).emit();
}
