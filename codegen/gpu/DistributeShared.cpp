//===- DistributeShared.cpp - Shared memory and products ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product is a loop over its depth in steps of four, with the thread's part
// of the result in registers. A step reads four columns of each of the thread's
// rows of the left operand, and the same four of each of its columns of a
// transposed right operand, or four rows of a plain one. All reads have 16
// bytes where the layouts allow; bank conflicts: docs/rationale/gpu.md. Long
// products are summed in parts.
//
//===----------------------------------------------------------------------===//

#include "codegen/LongSums.h"
#include "codegen/gpu/DistributeTf32.h"
#include "codegen/gpu/Distributor.h"
#include "codegen/gpu/Window.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;

/// Elements along the depth of a product that one step takes: a group of the
/// swizzle.
static constexpr int64_t kStep = 4;

/// The number of the tile of a ring that `tile` is; null if it is none.
static Value getStage(Value tile) {
  if (auto load = tile.getDefiningOp<tile::LoadOp>())
    return load.getStage();
  auto await = tile.getDefiningOp<tile::AwaitOp>();
  return await ? await.getStage() : Value();
}

Value Distributor::getBuffer(Value tile) {
  // Of a ring, each of the tiles has a buffer where it is made.
  Value stage = getStage(tile);
  if (!stage)
    tile = getSharedSource(tile);
  Value &buffer = buffers[tile];
  if (buffer)
    return buffer;
  RankedTensorType type = tileOf(tile);
  ImplicitLocOpBuilder &entry = threads.atEntry();
  ImplicitLocOpBuilder &at = stage ? b : entry;
  auto space =
      gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto all = MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                             MemRefLayoutAttrInterface(), space);
  int64_t bytes = getStageBytes(type);
  auto own = MemRefType::get({bytes * 8 / type.getElementTypeBitWidth()},
                             type.getElementType(), MemRefLayoutAttrInterface(),
                             space);
  Value memory = gpu::DynamicSharedMemoryOp::create(entry, all);
  Value offset = index(getSharedOffset(tile));
  if (stage)
    offset = add(offset, mul(stage, index(bytes)));
  buffer = memref::ViewOp::create(at, own, memory, offset, ValueRange());
  return buffer;
}

/// f(row) of #tile.shared: the three lowest bits of the row in reverse order.
Value Distributor::getSwizzle(Value row) {
  auto bit = [&](int64_t from, int64_t to) -> Value {
    Value shifted = arith::DivUIOp::create(b, row, threads.index(from));
    Value value = arith::RemUIOp::create(b, shifted, threads.index(2));
    return arith::MulIOp::create(b, value, threads.index(to));
  };
  Value high = arith::AddIOp::create(b, bit(1, 4), bit(2, 2));
  return arith::AddIOp::create(b, high, bit(4, 1));
}

Value Distributor::getPlace(RankedTensorType type, Value row, Value column) {
  auto layout = cast<tile::SharedAttr>(type.getEncoding());
  Value start = mul(row, index(layout.getRow()));
  if (!layout.getSwizzle())
    return add(start, column);
  Value size = index(getGroupColumns(type));
  Value group = arith::DivUIOp::create(b, column, size);
  Value rest = arith::RemUIOp::create(b, column, size);
  group = arith::XOrIOp::create(b, group, getSwizzle(row));
  return add(start, add(mul(group, size), rest));
}

/// Where the thread's element (0, 0) of a layout lies in a tile of `type`, at
/// the start of the kernel.
Value Distributor::getStart(RankedTensorType type,
                            tile::RegistersAttr registers) {
  auto layout = cast<tile::SharedAttr>(type.getEncoding());
  Value &start = starts[{layout.getAsOpaquePointer(),
                         type.getElementType().getAsOpaquePointer(),
                         registers.getAsOpaquePointer()}];
  if (start)
    return start;
  Value row = threads.getRow(registers, 0);
  Value column = threads.getColumn(registers, 0);
  ImplicitLocOpBuilder &entry = threads.atEntry();
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPoint(entry.getInsertionBlock(), entry.getInsertionPoint());
  return start = getPlace(type, row, column);
}

/// A swizzle moves so many groups among each other, by as many rows.
static constexpr int64_t kSwizzled = 8;

/// Whether what the elements of a thread are apart is a number that the
/// compiler knows: rows are whole swizzles apart, columns of threads are next
/// to each other within one.
static bool hasFixedPlaces(RankedTensorType type,
                           tile::RegistersAttr registers) {
  int64_t period = registers.getColumns() * registers.getVector();
  int64_t swizzled = kSwizzled * getGroupColumns(type);
  return cast<tile::SharedAttr>(type.getEncoding()).getRow() % swizzled == 0 &&
         llvm::isPowerOf2_64(period) && period <= swizzled &&
         registers.getRows() % kSwizzled == 0;
}

/// As (c0 + c) and (c0 xor c) are the same for columns c0 of threads and what c
/// their others are behind them, all places of a thread follow from eight: with
/// one for each, addresses were most of what loops keep in registers.
Value Distributor::getOwnPlace(tile::ConvertLayoutOp op, RankedTensorType type,
                               tile::RegistersAttr registers, int64_t i,
                               int64_t j) {
  auto layout = cast<tile::SharedAttr>(type.getEncoding());
  if (!layout.getSwizzle() && hasState())
    return add(keepBesideState(getStart(type, registers), op),
               index(threads.getFixedRow(registers, i) * layout.getRow() +
                     threads.getFixed(registers, j)));
  if (!layout.getSwizzle() || !hasFixedPlaces(type, registers))
    return getPlace(type, threads.getRow(registers, i),
                    threads.getColumn(registers, j));
  int64_t group = getGroupColumns(type),
          column = threads.getFixed(registers, j);
  int64_t first = column % (kSwizzled * group) / group * group;
  // Keys that are computed: their loops have registers for little else.
  bool isNarrow = type.getElementTypeBitWidth() == 16 && !isRecurrence();
  Value start = getStart(type, registers);
  Value place = isNarrow ? keepInLoop(start, op) : keepBesideState(start, op);
  if (first)
    place = arith::XOrIOp::create(b, place, index(first));
  int64_t fixed = threads.getFixedRow(registers, i) * layout.getRow();
  return add(place, index(fixed + column - first));
}

//===----------------------------------------------------------------------===//
// From registers to shared memory
//===----------------------------------------------------------------------===//

/// Zeros in the place of what threads own beyond the tile.
void Distributor::clear(RankedTensorType type, Values &values) {
  PieceShape shape = ThreadTiles::getShape(type);
  tile::RegistersAttr layout = ThreadTiles::getRegisters(type);
  auto clearAt = [&](int64_t i, int64_t j, Value position, int64_t size) {
    Value &value = values[i * shape.columns + j];
    value = arith::SelectOp::create(b, isLess(position, index(size)), value,
                                    zero(type.getElementType()));
  };
  for (int64_t i = 0; i < shape.rows; ++i)
    for (int64_t j = 0; j < shape.columns; ++j) {
      if (type.getDimSize(0) % layout.getRows())
        clearAt(i, j, threads.getRow(layout, i), type.getDimSize(0));
      if (type.getDimSize(1) % (layout.getColumns() * shape.vector))
        clearAt(i, j, threads.getColumn(layout, j), type.getDimSize(1));
    }
}

void Distributor::lower(tile::ConvertLayoutOp op) {
  if (getSharedLayout(op.getValue()))
    readBack(op);
  else if (getSharedLayout(op))
    tileOf(op).getRank() == 1 ? shareVector(op) : share(op);
  else
    exchange(op);
}

Value Distributor::testSharedRow(tile::ConvertLayoutOp op, int64_t i) {
  tile::RegistersAttr layout = ThreadTiles::getRegisters(tileOf(op.getValue()));
  int64_t perBand = layout.getPaired() ? 2 : 1;
  int64_t rows = getSharedShape(tileOf(op)).rows;
  if ((i / perBand + 1) * perBand * layout.getRows() <= rows)
    return {};
  return isLess(threads.getRow(layout, i), index(rows));
}

/// Stores elements (i, j) and (i, j + 1) of a tile that is rounded: two
/// neighbours are 32 bits.
void Distributor::sharePair(tile::ConvertLayoutOp op, int64_t i, int64_t j) {
  RankedTensorType from = tileOf(op.getValue()), to = tileOf(op);
  PieceShape shape = ThreadTiles::getShape(from);
  tile::RegistersAttr registers = ThreadTiles::getRegisters(from);
  auto pair = VectorType::get(
      2, to.getElementType().isF16() ? to.getElementType() : b.getI16Type());
  auto own = cast<MemRefType>(getBuffer(op).getType());
  auto view = getBuffer(op).getDefiningOp<memref::ViewOp>();
  Value buffer = memref::ViewOp::create(
      threads.atEntry(),
      MemRefType::get(own.getShape(), pair.getElementType(), own.getLayout(),
                      own.getMemorySpace()),
      view.getSource(), view.getByteShift(), ValueRange());
  Value place = getOwnPlace(op, to, registers, i, j);
  Value both = getPair(op.getValue(), i * shape.columns + j);
  // What the thread owns beyond the tile is zero in memory.
  auto clearFrom = [&](Value position, int64_t size) {
    both = arith::SelectOp::create(b, isLess(position, index(size)), both,
                                   zero(both.getType()));
  };
  if (from.getDimSize(0) % registers.getRows())
    clearFrom(threads.getRow(registers, i), from.getDimSize(0));
  if (from.getDimSize(1) % (registers.getColumns() * shape.vector))
    clearFrom(threads.getColumn(registers, j), from.getDimSize(1));
  if (both.getType() != pair)
    both = LLVM::BitcastOp::create(b, pair, both);
  vector::StoreOp::create(b, both, buffer, ValueRange{place},
                          /*nontemporal=*/false, llvm::Align(4));
}

/// Whether `op` stores a tile that is rounded, in pairs.
static bool sharesPairs(tile::ConvertLayoutOp op) {
  Operation *round = op.getValue().getDefiningOp();
  auto type = cast<RankedTensorType>(op.getValue().getType());
  return round && isRounding(round) && getSharedLayout(op) &&
         type.getRank() == 2 && ThreadTiles::getShape(type).vector % 2 == 0 &&
         type.getDimSize(1) % 2 == 0;
}

/// The next op of the kind behind `op`, if there are only elementwise ops
/// between: the next term of a sum.
static tile::ConvertLayoutOp getNextTerm(tile::ConvertLayoutOp op) {
  Operation *next = op->getNextNode();
  while (next && OpTrait::hasElementwiseMappableTraits(next))
    next = next->getNextNode();
  auto convert = dyn_cast_or_null<tile::ConvertLayoutOp>(next);
  bool isAlike = convert && sharesPairs(convert) &&
                 convert.getValue().getType() == op.getValue().getType();
  return isAlike ? convert : tile::ConvertLayoutOp();
}

/// Terms of a sum are stored element by element, each with what is left for the
/// next: all of one term would stay in registers until the next is computed.
void Distributor::shareRounded(ArrayRef<tile::ConvertLayoutOp> group) {
  tile::ConvertLayoutOp first = group.front();
  PieceShape shape = ThreadTiles::getShape(tileOf(first.getValue()));
  for (int64_t i = 0; i < shape.rows; ++i)
    guard(b, testSharedRow(first, i), {}, [&] {
      for (int64_t j = 0; j < shape.columns; j += 2)
        for (tile::ConvertLayoutOp op : group)
          sharePair(op, i, j);
      return Values{};
    });
}

void Distributor::share(tile::ConvertLayoutOp op) {
  if (sharesPairs(op)) {
    terms.push_back(op);
    if (updatesState() && getNextTerm(op))
      return;
    shareRounded(terms);
    terms.clear();
    return;
  }
  RankedTensorType from = tileOf(op.getValue());
  PieceShape shape = ThreadTiles::getShape(from);
  tile::RegistersAttr registers = ThreadTiles::getRegisters(from);
  auto vector = VectorType::get(shape.vector, from.getElementType());
  llvm::Align align(shape.vector * from.getElementTypeBitWidth() / 8);
  Values values = pieces[op.getValue()];
  clear(from, values);
  if (isReadAsTf32(op))
    for (Value &value : values)
      value = roundToTf32(b, value);
  Value buffer = getBuffer(op);
  for (int64_t i = 0; i < shape.rows; ++i)
    guard(b, testSharedRow(op, i), {}, [&] {
      for (int64_t j = 0; j < shape.columns; j += shape.vector) {
        Value place = getOwnPlace(op, tileOf(op), registers, i, j);
        ArrayRef<Value> group =
            ArrayRef(values).slice(i * shape.columns + j, shape.vector);
        if (shape.vector == 1)
          memref::StoreOp::create(b, group.front(), buffer, ValueRange{place});
        else
          vector::StoreOp::create(
              b, vector::FromElementsOp::create(b, vector, group), buffer,
              ValueRange{place}, /*nontemporal=*/false, align);
      }
      return Values{};
    });
}

SmallVector<Value> Distributor::readShared(Value tile, Value place,
                                           int64_t count) {
  if (count == 1)
    return {memref::LoadOp::create(b, getBuffer(tile), place)};
  Type element = tileOf(tile).getElementType();
  auto vector = VectorType::get(count, element);
  int64_t align = count * element.getIntOrFloatBitWidth() / 8;
  Value all =
      vector::LoadOp::create(b, vector, getBuffer(tile), ValueRange{place},
                             /*nontemporal=*/false, llvm::Align(align));
  Values result;
  for (int64_t n = 0; n < count; ++n)
    result.push_back(vector::ExtractOp::create(b, all, n));
  return result;
}

Value Distributor::clampColumn(Value tile, Value column, int64_t most) {
  int64_t columns = getSharedShape(tileOf(tile)).columns;
  if (most < columns)
    return column;
  return arith::MinUIOp::create(b, column, index(columns - 1));
}

void Distributor::lower(tile::AwaitOp op) {
  if (op.getStage())
    getBuffer(op);
  NVVM::CpAsyncWaitGroupOp::create(b, op.getPending());
  if (isReadAsTf32(op))
    roundCopied(op);
}

void Distributor::lower(tile::BarrierOp) {
  awaitCopies();
  gpu::BarrierOp::create(b);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace attn {
/// Emits the loop of one product.
class DotEmitter {
public:
  DotEmitter(Distributor &d, tile::DotOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        shape(ThreadTiles::getShape(type)),
        registers(ThreadTiles::getRegisters(type)) {}

  /// `init` plus the product.
  SmallVector<Value> emit(ArrayRef<Value> init);

private:
  using Values = SmallVector<Value>;
  SmallVector<Value> sumOverDepth(Value begin, Value end, ValueRange sums);
  SmallVector<Value> sumInParts(Value end, ValueRange totals);
  SmallVector<Value> step(Value depth, ValueRange sums);
  /// A step of each of these rows of an operand whose rows run along the depth.
  SmallVector<Values> readRows(Value tile, Value depth, ValueRange rows);
  /// rows[i][k]: the left operand.
  SmallVector<Values> readLhs(Value depth);
  SmallVector<Values> readTransposedLhs(Value depth);
  /// columns[j][k]: the right operand.
  SmallVector<Values> readTransposedRhs(Value depth);
  SmallVector<Values> readPlainRhs(Value depth);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::DotOp op;
  RankedTensorType type;
  PieceShape shape;
  tile::RegistersAttr registers;
};
} // namespace attn

SmallVector<SmallVector<Value>> DotEmitter::readRows(Value tile, Value depth,
                                                     ValueRange rows) {
  SmallVector<Values> result;
  for (Value row : rows) {
    Value place = d.getPlace(Distributor::tileOf(tile), row, depth);
    result.push_back(d.readShared(tile, place, kStep));
  }
  return result;
}

/// One by one: the rows of a thread are no neighbours.
SmallVector<SmallVector<Value>> DotEmitter::readTransposedLhs(Value depth) {
  SmallVector<Values> result(shape.rows);
  for (int64_t k = 0; k < kStep; ++k) {
    Value row = d.add(depth, d.index(k));
    for (int64_t i = 0; i < shape.rows; ++i) {
      Value column = d.clampColumn(op.getLhs(), d.threads.getRow(registers, i),
                                   (i + 1) * registers.getRows() - 1);
      Value place = d.getPlace(Distributor::tileOf(op.getLhs()), row, column);
      llvm::append_range(result[i], d.readShared(op.getLhs(), place, 1));
    }
  }
  return result;
}

SmallVector<SmallVector<Value>> DotEmitter::readLhs(Value depth) {
  if (op.getTransposeLhs())
    return readTransposedLhs(depth);
  Values rows;
  for (int64_t i = 0; i < shape.rows; ++i)
    rows.push_back(d.threads.getRow(registers, i));
  return readRows(op.getLhs(), depth, rows);
}

SmallVector<SmallVector<Value>> DotEmitter::readTransposedRhs(Value depth) {
  Values rows;
  for (int64_t j = 0; j < shape.columns; ++j)
    rows.push_back(d.threads.getColumn(registers, j));
  return readRows(op.getRhs(), depth, rows);
}

SmallVector<SmallVector<Value>> DotEmitter::readPlainRhs(Value depth) {
  SmallVector<Values> result(shape.columns);
  RankedTensorType rhsType = Distributor::tileOf(op.getRhs());
  for (int64_t k = 0; k < kStep; ++k) {
    Value row = d.add(depth, d.index(k));
    for (int64_t j = 0; j < shape.columns; j += shape.vector) {
      Value column = d.threads.getColumn(registers, j);
      Value place = d.getPlace(rhsType, row, column);
      Values group = d.readShared(op.getRhs(), place, shape.vector);
      for (int64_t n = 0; n < shape.vector; ++n)
        result[j + n].push_back(group[n]);
    }
  }
  return result;
}

SmallVector<Value> DotEmitter::step(Value depth, ValueRange sums) {
  SmallVector<Values> rows = readLhs(depth);
  SmallVector<Values> columns =
      op.getTransposeRhs() ? readTransposedRhs(depth) : readPlainRhs(depth);
  Values result(sums);
  for (int64_t k = 0; k < kStep; ++k)
    for (int64_t i = 0; i < shape.rows; ++i)
      for (int64_t j = 0; j < shape.columns; ++j) {
        Value &sum = result[i * shape.columns + j];
        sum = math::FmaOp::create(b, rows[i][k], columns[j][k], sum);
      }
  return result;
}

SmallVector<Value> DotEmitter::sumOverDepth(Value begin, Value end,
                                            ValueRange sums) {
  auto loop = scf::ForOp::create(b, begin, end, d.index(kStep), sums);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToEnd(loop.getBody());
  scf::YieldOp::create(b,
                       step(loop.getInductionVar(), loop.getRegionIterArgs()));
  return loop.getResults();
}

/// Sums parts of a long depth from 0 on, each for itself, and adds them up.
SmallVector<Value> DotEmitter::sumInParts(Value end, ValueRange totals) {
  Value length = d.index(kTermsOfPart);
  auto loop = scf::ForOp::create(b, d.index(0), end, length, totals);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value begin = loop.getInductionVar();
  Value partEnd = arith::MinSIOp::create(b, d.add(begin, length), end);
  Values zeros(totals.size(), d.zero(type.getElementType()));
  Values next;
  for (auto [total, part] : llvm::zip_equal(
           loop.getRegionIterArgs(), sumOverDepth(begin, partEnd, zeros)))
    next.push_back(arith::AddFOp::create(b, total, part));
  scf::YieldOp::create(b, next);
  return loop.getResults();
}

SmallVector<Value> DotEmitter::emit(ArrayRef<Value> init) {
  int64_t depth = op.getDepth();
  Value end = d.index(llvm::alignTo(depth, kStep));
  return isSummedInParts(depth) ? sumInParts(end, init)
                                : sumOverDepth(d.index(0), end, init);
}

void Distributor::lower(tile::DotOp op) {
  if (isTf32(op))
    return multiplyTf32(op);
  if (isNarrow(op))
    return multiplyMatrices(op);
  pieces[op] = DotEmitter(*this, op).emit(pieces[op.getInit()]);
}
