//===- DistributeRegisters.cpp - Ops on the registers of threads ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"

using namespace mlir;
using namespace attn;

static bool isTile(Value value) {
  return isa<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Making tiles
//===----------------------------------------------------------------------===//

void Distributor::lower(arith::ConstantOp op) {
  RankedTensorType type = tileOf(op);
  auto element =
      cast<SplatElementsAttr>(op.getValue()).getSplatValue<TypedAttr>();
  Value scalar = arith::ConstantOp::create(b, element);
  pieces[op] = Values(ThreadTiles::getShape(type).size(), scalar);
}

void Distributor::lower(tile::SplatOp op) {
  size_t count = ThreadTiles::getShape(tileOf(op)).size();
  pieces[op] = Values(count, op.getScalar());
}

/// Whether `op` makes tiles of positions, or of what is known of them.
static bool isOfPositions(Operation &op) {
  return isa<tile::IotaOp>(op) ||
         (isa<arith::CmpIOp, arith::AddIOp, arith::AndIOp>(op) &&
          isa<RankedTensorType>(op.getResult(0).getType()));
}

/// Moves positions, and masks of them, into the loops that read them, the last
/// ones first: in front of loops they took a register for each column.
void Distributor::sinkPositions() {
  Block &block = kernel.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (!isOfPositions(op))
      continue;
    for (auto loop : block.getOps<scf::ForOp>()) {
      auto isInside = [&](OpOperand &use) {
        return loop->isProperAncestor(use.getOwner());
      };
      if (llvm::none_of(op.getUses(), isInside))
        continue;
      OpBuilder inside = OpBuilder::atBlockBegin(loop.getBody());
      Operation *copy = inside.clone(op);
      op.getResult(0).replaceUsesWithIf(copy->getResult(0), isInside);
    }
    if (op.use_empty())
      op.erase();
  }
}

void Distributor::lower(tile::IotaOp op) {
  RankedTensorType type = tileOf(op);
  PieceShape shape = ThreadTiles::getShape(type);
  tile::RegistersAttr layout = ThreadTiles::getRegisters(type);
  // A vector along columns has its only dimension there.
  auto slice = dyn_cast<tile::SliceAttr>(type.getEncoding());
  bool alongRows = slice ? slice.getAlong() == 1 : op.getAlong() == 0;
  Values numbers;
  for (int64_t n = 0; n < (alongRows ? shape.rows : shape.columns); ++n) {
    if (!alongRows && layout.getPaired()) {
      // Only the first needs a register; the others follow at constants.
      Value own = keepBesideState(threads.getColumn(layout, 0), op);
      Value first = add(op.getStart(), own);
      numbers.push_back(add(first, index(ThreadTiles::getFixed(layout, n))));
      continue;
    }
    numbers.push_back(add(op.getStart(), alongRows
                                             ? threads.getRow(layout, n)
                                             : threads.getColumn(layout, n)));
  }
  Values &result = pieces[op];
  for (int64_t i = 0; i < shape.rows; ++i)
    for (int64_t j = 0; j < shape.columns; ++j)
      result.push_back(numbers[alongRows ? i : j]);
}

void Distributor::lower(tile::BroadcastOp op) {
  PieceShape shape = ThreadTiles::getShape(tileOf(op));
  Values vector = pieces.lookup(op.getVector());
  Values &result = pieces[op];
  for (int64_t i = 0; i < shape.rows; ++i)
    for (int64_t j = 0; j < shape.columns; ++j)
      result.push_back(vector[op.getAlong() == 1 ? i : j]);
}

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

// Elementwise ops wait until something else needs their results. Then the last
// of them is computed element by element, each with all that it is computed
// from: so few intermediate numbers live at a time, and not one per element.

LogicalResult Distributor::lowerElementwise(Operation *op) {
  if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
    return op->emitError("not expected in a kernel: '") << op->getName() << "'";
  Value result = op->getResult(0);
  pieces[result] = Values(ThreadTiles::getShape(tileOf(result)).size());
  waitingOrder.push_back(result);
  return success();
}

/// Whether `op` makes numbers of 32 bits of a tile of bf16.
static bool widensWords(Operation *op) {
  auto extend = dyn_cast<arith::ExtFOp>(op);
  return extend && getElementTypeOrSelf(extend.getIn()).isBF16() &&
         getElementTypeOrSelf(extend).isF32();
}

/// Element `e` of a tile. Where all operands are the same values as for another
/// element, so is the result: rows of a broadcast cost one op.
Value Distributor::getPiece(Value tile, int64_t e) {
  if (Value known = pieces[tile][e])
    return known;
  Operation *op = tile.getDefiningOp();
  if (isRounding(op))
    return pieces[tile][e] = getRounded(tile, e);
  if (widensWords(op) && hasPairs(op->getOperand(0))) {
    Value word = getPair(op->getOperand(0), e / 2 * 2);
    return pieces[tile][e] = widen(word, e % 2);
  }
  Values operands;
  SmallVector<void *> key;
  for (Value operand : op->getOperands()) {
    operands.push_back(isTile(operand) ? getPiece(operand, e) : operand);
    key.push_back(operands.back().getAsOpaquePointer());
  }
  Value &element = waiting[tile.getAsOpaquePointer()][key];
  if (!element) {
    OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                         tileOf(tile).getElementType(), op->getAttrs());
    element = b.create(state)->getResult(0);
  }
  return pieces[tile][e] = element;
}

void Distributor::flush() {
  for (Value tile : llvm::reverse(waitingOrder)) {
    roundCarried(tile);
    if (isReadInPairs(tile) || isDelayed(tile))
      continue;
    for (size_t e = 0, count = pieces[tile].size(); e < count; ++e)
      getPiece(tile, e);
  }
  llvm::erase_if(waitingOrder, [&](Value tile) {
    bool isDone = !isDelayed(tile);
    if (isDone)
      waiting.erase(tile.getAsOpaquePointer());
    return isDone;
  });
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

// Cuts are at multiples of the columns of one round of threads, so a thread has
// the columns of a part among those of the whole, in the same order.

void Distributor::lower(tile::SliceOp op) {
  PieceShape part = ThreadTiles::getShape(tileOf(op));
  PieceShape whole = ThreadTiles::getShape(tileOf(op.getValue()));
  int64_t first =
      op.getStart() / ThreadTiles::getRegisters(tileOf(op)).getColumns();
  const Values &from = pieces[op.getValue()];
  Values result;
  for (int64_t i = 0; i < part.rows; ++i)
    for (int64_t j = 0; j < part.columns; ++j)
      result.push_back(from[i * whole.columns + first + j]);
  pieces[op] = std::move(result);
}

/// What the thread has of the first part, and the number of the second behind.
SmallVector<Value> Distributor::pad(tile::ConcatOp op) {
  tile::RegistersAttr layout = ThreadTiles::getRegisters(tileOf(op));
  RankedTensorType part = tileOf(op.getParts()[0]);
  int64_t columns = ThreadTiles::getShape(part).columns;
  int64_t size = part.getDimSize(1);
  ArrayRef<Value> from = pieces[op.getParts()[0]];
  Value number = pieces[op.getParts()[1]].front();
  PieceShape shape = ThreadTiles::getShape(tileOf(op));
  Values result;
  for (int64_t i = 0; i < shape.rows; ++i)
    for (int64_t j = 0; j < shape.columns; ++j) {
      Value x = j < columns ? from[i * columns + j] : number;
      int64_t end = (j / shape.vector + 1) * shape.vector * layout.getColumns();
      if (j < columns && end > size)
        x = arith::SelectOp::create(
            b, isLess(threads.getColumn(layout, j), index(size)), x, number);
      result.push_back(x);
    }
  return result;
}

void Distributor::lower(tile::ConcatOp op) {
  if (isPadding(op, ThreadTiles::getRegisters(tileOf(op)).getColumns())) {
    pieces[op] = pad(op);
    return;
  }
  Values result;
  for (int64_t i = 0; i < ThreadTiles::getShape(tileOf(op)).rows; ++i)
    for (Value part : op.getParts()) {
      int64_t columns = ThreadTiles::getShape(tileOf(part)).columns;
      ArrayRef<Value> from = pieces[part];
      llvm::append_range(result, from.slice(i * columns, columns));
    }
  pieces[op] = std::move(result);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Value Distributor::combine(tile::ReduceKind kind, Value x, Value y) {
  if (kind == tile::ReduceKind::Add)
    return arith::AddFOp::create(b, x, y);
  if (kind == tile::ReduceKind::Mul)
    return arith::MulFOp::create(b, x, y);
  return arith::MaxNumFOp::create(b, x, y);
}

Value Distributor::shuffleXor(Value value, int64_t lanes) {
  return gpu::ShuffleOp::create(b, value, lanes, /*width=*/32,
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

/// Each thread combines its own columns; then the lanes that share a row do, in
/// a butterfly, so that all of them have the result, with the same bits.
void Distributor::lower(tile::ReduceOp op) {
  if (op.getAlong() == 0) {
    pieces[op] = reduceColumns(op);
    return;
  }
  RankedTensorType type = tileOf(op.getValue());
  PieceShape shape = ThreadTiles::getShape(type);
  tile::RegistersAttr layout = ThreadTiles::getRegisters(type);
  bool isRagged = type.getDimSize(1) % (layout.getColumns() * shape.vector);
  Value identity = arith::ConstantOp::create(
      b, b.getFloatAttr(type.getElementType(), tile::getNeutral(op.getKind())));
  const Values &from = pieces[op.getValue()];
  Values result = pieces[op.getInit()];
  for (int64_t i = 0; i < shape.rows; ++i) {
    Value row;
    for (int64_t j = 0; j < shape.columns; ++j) {
      Value x = from[i * shape.columns + j];
      if (isRagged)
        x = arith::SelectOp::create(
            b, isLess(threads.getColumn(layout, j), index(type.getDimSize(1))),
            x, identity);
      row = row ? combine(op.getKind(), row, x) : x;
    }
    for (int64_t lanes = 1; lanes < layout.getColumns(); lanes *= 2) {
      row = combine(op.getKind(), row, shuffleXor(row, lanes));
    }
    result[i] = combine(op.getKind(), result[i], row);
  }
  pieces[op] = std::move(result);
}
