//===- DistributeTf32.cpp - Products of tf32 by matrix instructions -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One instruction multiplies 16 x 8 by 8 x 8 elements of 32 bits, of which it
// takes the upper 19, and adds to 16 x 8 numbers, all spread over the lanes of
// a warp. With g = lane / 4 and t = lane mod 4 a lane has
//
//   of the result   rows g and g + 8, columns 2t and 2t + 1
//   of the left     the same rows, columns t and t + 4
//   of the right    column g, rows t and t + 4
//
// Which columns of the left operand meet which rows of the right one is all
// that counts, not their order. So what the instruction calls t and t + 4 are
// 2t and 2t + 1 here, of both: then a left operand is what a result is, in the
// layout #tile.registers with `paired`, and weights stay where they are. Of a
// transposed right operand a lane reads two neighbours of a row, 8 bytes, of
// another one an element of each of two rows. getWordsType says how these lie
// in shared memory.
//
// The instruction would cut off what it does not take. Elements are rounded to
// nearest before, so that errors have no direction, each once. Those that are
// copied to shared memory asynchronously are rounded there, by the thread that
// copied them, between its wait and the barrier behind which others read them.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/DistributeTf32.h"
#include "codegen/gpu/Distributor.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;

/// Sizes of one instruction, and lanes that work on it.
static constexpr int64_t kRows = 16, kColumns = 8, kDepth = 8, kLanes = 32;

bool attn::isReadAsTf32(Value tile) {
  return getSharedLayout(tile) &&
         llvm::any_of(tile.getUsers(), [](Operation *user) {
           auto dot = dyn_cast<tile::DotOp>(user);
           return dot && isTf32(dot);
         });
}

Value attn::roundToTf32(ImplicitLocOpBuilder &b, Value number) {
  Value word = NVVM::ConvertFloatToTF32Op::create(
      b, b.getI32Type(), number, NVVM::FPRoundingMode::RNA,
      NVVM::SaturationMode::NONE, /*relu=*/false);
  return arith::BitcastOp::create(b, b.getF32Type(), word);
}

Value attn::asWord(ImplicitLocOpBuilder &b, Value number) {
  return arith::BitcastOp::create(b, b.getI32Type(), number);
}

namespace attn {
/// Emits the instructions of one product.
class Tf32Emitter {
public:
  Tf32Emitter(Distributor &d, tile::DotOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        registers(ThreadTiles::getRegisters(type)),
        shape(ThreadTiles::getShape(type)) {}

  using Values = SmallVector<Value>;
  /// `init` plus the product.
  Values emit(ArrayRef<Value> init);

private:
  static int64_t getRow(Value tile) { return getSharedLayout(tile).getRow(); }
  Value makeRhsStart();
  Value makeLhsStart(int64_t mostRow);
  Value getPlace(Value start, int64_t distance);
  Value round(Value number);
  Values readRhs(int64_t depth, int64_t column);
  Values readLhs(int64_t band, int64_t depth);
  Values takeLhs(int64_t band, int64_t depth);
  void multiply(Values &sums, int64_t band, int64_t column, ValueRange lhs,
                ValueRange rhs);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::DotOp op;
  RankedTensorType type;
  tile::RegistersAttr registers;
  PieceShape shape;
  Value rhsStart;
  std::map<int64_t, Value> lhsStarts;
};
} // namespace attn

/// Where the elements of the lane start in the right operand, at the start of
/// the kernel: those of all warps are the same.
Value Tf32Emitter::makeRhsStart() {
  ImplicitLocOpBuilder &entry = d.threads.atEntry();
  auto number = [&](int64_t value) { return d.threads.index(value); };
  Value thread = d.threads.getThread();
  Value lane = arith::RemUIOp::create(entry, thread, number(kLanes));
  Value g = arith::DivUIOp::create(entry, lane, number(4));
  Value t = arith::RemUIOp::create(entry, lane, number(4));
  Value pair = arith::MulIOp::create(entry, t, number(2));
  Value row = op.getTransposeRhs() ? g : pair;
  Value column = op.getTransposeRhs() ? pair : g;
  row = arith::MulIOp::create(entry, row, number(getRow(op.getRhs())));
  return arith::AddIOp::create(entry, row, column);
}

/// The same in a left operand in shared memory: in the first band of the warp,
/// or from row `mostRow` on if that is in front of it. A warp that has no rows
/// of the tile reads those of another.
Value Tf32Emitter::makeLhsStart(int64_t mostRow) {
  ImplicitLocOpBuilder &entry = d.threads.atEntry();
  auto number = [&](int64_t value) { return d.threads.index(value); };
  Value thread = d.threads.getThread();
  Value lane = arith::RemUIOp::create(entry, thread, number(kLanes));
  Value warp = arith::DivUIOp::create(entry, thread, number(kLanes));
  Value first = arith::MulIOp::create(entry, warp, number(kRows));
  if ((d.threads.getThreads() / kLanes - 1) * kRows > mostRow)
    first = arith::MinUIOp::create(entry, first, number(mostRow));
  Value row = arith::AddIOp::create(
      entry, first, arith::DivUIOp::create(entry, lane, number(4)));
  Value t = arith::RemUIOp::create(entry, lane, number(4));
  row = arith::MulIOp::create(entry, row, number(getRow(op.getLhs())));
  return arith::AddIOp::create(entry, row,
                               arith::MulIOp::create(entry, t, number(2)));
}

/// The place that is `distance` elements behind `start`.
Value Tf32Emitter::getPlace(Value start, int64_t distance) {
  if (d.isShortOfRegisters())
    start = d.keepInLoop(start, op);
  return d.add(start, d.index(distance));
}

/// `number`, in a register, rounded behind its definition.
Value Tf32Emitter::round(Value number) {
  Value &known = d.rounded[number];
  if (known)
    return known;
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointAfterValue(number);
  return known = asWord(b, roundToTf32(b, number));
}

/// The right operands of the instruction at `depth`, `column`.
SmallVector<Value> Tf32Emitter::readRhs(int64_t depth, int64_t column) {
  Value tile = op.getRhs();
  int64_t row = getRow(tile);
  if (!rhsStart)
    rhsStart = makeRhsStart();
  Values found;
  if (op.getTransposeRhs())
    found = d.readShared(tile, getPlace(rhsStart, column * row + depth), 2);
  else
    for (int64_t n : {0, 1})
      llvm::append_range(
          found, d.readShared(
                     tile, getPlace(rhsStart, (depth + n) * row + column), 1));
  for (Value &value : found)
    value = asWord(b, value);
  return found;
}

/// The left operands of a band at `depth`, from shared memory.
SmallVector<Value> Tf32Emitter::readLhs(int64_t band, int64_t depth) {
  Value tile = op.getLhs();
  int64_t bands = 2 * registers.getRows(), first = band * bands;
  // The last band may not be whole.
  int64_t rows = Distributor::tileOf(tile).getDimSize(0) - first;
  int64_t mostRow = std::min(bands, rows) - kRows;
  Value &start = lhsStarts[mostRow];
  if (!start)
    start = makeLhsStart(mostRow);
  int64_t row = getRow(tile);
  Values upper = d.readShared(tile, getPlace(start, first * row + depth), 2);
  Values lower =
      d.readShared(tile, getPlace(start, (first + kRows / 2) * row + depth), 2);
  return {asWord(b, upper[0]), asWord(b, lower[0]), asWord(b, upper[1]),
          asWord(b, lower[1])};
}

/// The same from registers.
SmallVector<Value> Tf32Emitter::takeLhs(int64_t band, int64_t depth) {
  Value tile = op.getLhs();
  int64_t columns = ThreadTiles::getShape(Distributor::tileOf(tile)).columns;
  Values from = d.pieces[tile], result;
  for (int64_t n = 0; n < 4; ++n) {
    int64_t row = 2 * band + n % 2;
    result.push_back(round(from[row * columns + depth / 4 + n / 2]));
  }
  return result;
}

void Tf32Emitter::multiply(Values &sums, int64_t band, int64_t column,
                           ValueRange lhs, ValueRange rhs) {
  SmallVector<Value *> own;
  Values before;
  for (int64_t n = 0; n < 4; ++n) {
    int64_t row = 2 * band + n / 2, place = column / 4 + n % 2;
    own.push_back(&sums[row * shape.columns + place]);
    before.push_back(*own.back());
  }
  auto result = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  constexpr auto kind = NVVM::MMATypes::tf32;
  Value after = NVVM::MmaOp::create(
      b, result, lhs, rhs, before, ArrayRef<int64_t>{kRows, kColumns, kDepth},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array<NVVM::MMATypes, 2>{kind, kind},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t n = 0; n < 4; ++n)
    *own[n] = LLVM::ExtractValueOp::create(b, after, n);
}

SmallVector<Value> Tf32Emitter::emit(ArrayRef<Value> init) {
  Values sums(init);
  bool isLhsShared = static_cast<bool>(getSharedLayout(op.getLhs()));
  for (int64_t depth = 0; depth < op.getDepth(); depth += kDepth) {
    SmallVector<Values> lhs;
    for (int64_t band = 0; band < shape.rows / 2; ++band)
      lhs.push_back(isLhsShared ? readLhs(band, depth) : takeLhs(band, depth));
    for (int64_t column = 0; column < type.getDimSize(1); column += kColumns) {
      Values rhs = readRhs(depth, column);
      for (auto [band, left] : llvm::enumerate(lhs))
        multiply(sums, band, column, left, rhs);
    }
  }
  return sums;
}

void Distributor::multiplyTf32(tile::DotOp op) {
  pieces[op] = Tf32Emitter(*this, op).emit(pieces[op.getInit()]);
}
