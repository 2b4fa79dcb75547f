//===- DistributeMatrices.cpp - Products by matrix instructions -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One instruction multiplies 16 x 16 by 16 x 8 elements of 16 bits and adds to
// 16 x 8 numbers of 32 bits, all spread over the lanes of a warp. With
// g = lane / 4 and t = lane mod 4 a lane has
//
//   of the result   rows g and g + 8, columns 2t and 2t + 1
//   of the left     the same rows, columns 2t, 2t + 1, 2t + 8 and 2t + 9
//   of the right    column g, rows 2t, 2t + 1, 2t + 8 and 2t + 9
//
// So the left operand of one product is what two results side by side are: the
// layout of both is #tile.registers with `paired`, and weights need only be
// rounded. The right operand is read from shared memory: ldmatrix gives lane l
// the elements 2t and 2t + 1 of row g of 8 x 8 elements, or, transposed, those
// of column g. Four such matrices at once are the right operands of two
// neighbouring instructions; lane l names row l mod 8 of matrix l / 8. A left
// operand for which there are not enough registers is read in the same way.
//
// Of a product between blocks a warp, whose band of rows is in one block, has
// the columns of one other block. Which one depends on the warp: it reads the
// rows of the right operand that belong to them, and puts what it has where
// they are.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"
#include "codegen/gpu/Resources.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;
using namespace attn;

/// Sizes of one instruction, and lanes that work on it.
static constexpr int64_t kRows = 16, kColumns = 8, kDepth = 16, kLanes = 32;

/// Elements of a row that a lane has of so many columns.
static int64_t getOwnColumns(int64_t columns) { return columns / 4; }

bool Distributor::decaysInBands() {
  if (!bands)
    bands = kernel
                .walk([](tile::DecayDotOp op) {
                  return op.getWithin() ? WalkResult::interrupt()
                                        : WalkResult::advance();
                })
                .wasInterrupted();
  return *bands;
}

bool Distributor::isShortOfRegisters() {
  constexpr int64_t quarter = 64;
  if (shortOfRegisters)
    return *shortOfRegisters;
  shortOfRegisters = decaysInBands() || hasTermsBesideState();
  kernel.walk([&](tile::DotOp dot) {
    PieceShape shape = ThreadTiles::getShape(tileOf(dot));
    bool isWide =
        !isRecurrence() && dot.getTransposeRhs() && shape.size() >= quarter;
    // Queries of tf32 take twice the registers.
    bool hasWideRows =
        isTf32(dot) && tileOf(dot.getRhs()).getDimSize(1) > kWideTf32Columns;
    if (isNarrow(dot) && (shape.rows > 2 || isWide || hasWideRows))
      shortOfRegisters = true;
  });
  return *shortOfRegisters;
}

bool Distributor::updatesState() {
  if (!state) {
    state = decaysInBands();
    kernel.walk([&](tile::DotOp dot) {
      *state |= isNarrow(dot) && dot.getTransposeLhs();
    });
  }
  return *state;
}

bool Distributor::hasState() {
  if (!wideState) {
    wideState = decaysInBands();
    kernel.walk([&](tile::DotOp dot) {
      // One band of rows leaves registers for what is kept in front of loops.
      bool hasBands = ThreadTiles::getShape(tileOf(dot)).rows > 2;
      if (isNarrow(dot) && hasBands && dot.getTransposeLhs())
        wideState = true;
    });
  }
  return *wideState;
}

bool Distributor::hasTermsBesideState() {
  if (!termsBesideState) {
    bool hasTerms = false;
    kernel.walk([&](tile::DotOp dot) {
      hasTerms |= isNarrow(dot) && dot.getTransposeRhs() && !dot.getBetween() &&
                  !getSharedLayout(dot.getLhs());
    });
    termsBesideState = hasTerms && updatesState() && !hasState();
  }
  return *termsBesideState;
}

bool Distributor::isRecurrence() {
  if (!recurrence)
    recurrence = kernel
                     .walk([](tile::DotOp dot) {
                       return dot.getTransposeLhs() ? WalkResult::interrupt()
                                                    : WalkResult::advance();
                     })
                     .wasInterrupted();
  return *recurrence;
}

Value Distributor::keepInLoop(Value value, Operation *op) {
  constexpr int64_t indexBits = 64;
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop)
    return value;
  Value number = loop.getInductionVar();
  // LLVM knows the sign of a variable that starts at 0, but not of the sum.
  if (!isRecurrence() || hasTermsBesideState())
    number = add(number, loop.getUpperBound());
  Value sign = arith::ShRUIOp::create(b, number, index(indexBits - 1));
  return add(value, sign);
}

Value Distributor::keepBesideState(Value value, Operation *op) {
  constexpr int64_t indexBits = 64;
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop || !hasState())
    return value;
  Value signs =
      arith::ShRSIOp::create(b, loop.getInductionVar(), index(indexBits - 1));
  return arith::XOrIOp::create(b, keepInLoop(value, op), signs);
}

void Distributor::keepSeldom(Window &window, Value &thread, Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop || (isRecurrence() && !hasTermsBesideState()))
    return;
  thread = keepInLoop(thread, op);
  for (Value &offset : window.offsets)
    if (loop.isDefinedOutsideOfLoop(offset) && !getConstantIntValue(offset))
      offset = keepInLoop(offset, op);
}

namespace attn {
/// Emits the instructions of one product.
class MatrixEmitter {
public:
  MatrixEmitter(Distributor &d, tile::DotOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        rhsType(Distributor::tileOf(op.getRhs())),
        shape(ThreadTiles::getShape(type)), buffer(getHalves(op.getRhs())) {
    if (std::optional<int64_t> block = op.getBetween())
      shape.columns = getOwnColumns(*block);
    if (getSharedLayout(op.getLhs()))
      lhsBuffer = getHalves(op.getLhs());
  }

  using Values = SmallVector<Value>;
  /// The left operands, of each band, of the instructions at `depth`.
  SmallVector<Values> readLhs(int64_t depth);
  /// Adds what they make of two neighbouring instructions from `column` on.
  void emit(Values &sums, ArrayRef<Values> lhs, int64_t depth, int64_t column);

private:
  Value getHalves(Value tile);
  Value getStart();
  Value getTransposedStart();
  Value getLhsStart(int64_t mostRow);
  Value makeStart(RankedTensorType of, Value row, Value group);
  SmallVector<Value> readMatrices(RankedTensorType of, Value from, Value start,
                                  int64_t row, int64_t group, bool transpose);
  Values readLhs(int64_t band, int64_t depth);
  /// The operands of two neighbouring instructions, from column `column` on.
  Values readRhs(int64_t depth, int64_t column);
  Values packLhs(int64_t band, int64_t depth);
  Value pack(Value low, Value high);
  Value asRegister(Value pair);
  void multiply(Values &sums, int64_t band, int64_t column, ValueRange lhs,
                ValueRange rhs);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::DotOp op;
  RankedTensorType type, rhsType;
  PieceShape shape;
  Value buffer, lhsBuffer;
  Value start, transposedStart;
  std::map<int64_t, Value> lhsStarts;
};
} // namespace attn

/// The buffer of a tile as elements of f16, whatever their meaning.
Value MatrixEmitter::getHalves(Value tile) {
  auto own = cast<MemRefType>(d.getBuffer(tile).getType());
  if (own.getElementType().isF16())
    return d.getBuffer(tile);
  Value &halves = d.halves[d.getBuffer(tile)];
  if (halves)
    return halves;
  auto view = d.getBuffer(tile).getDefiningOp<memref::ViewOp>();
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointAfter(view);
  return halves = memref::ViewOp::create(
             b,
             MemRefType::get(own.getShape(), b.getF16Type(), own.getLayout(),
                             own.getMemorySpace()),
             view.getSource(), view.getByteShift(), ValueRange());
}

/// Where row `row`, group `group` of a tile lies, at the start of the kernel.
Value MatrixEmitter::makeStart(RankedTensorType of, Value row, Value group) {
  ImplicitLocOpBuilder &entry = d.threads.atEntry();
  Value column =
      arith::MulIOp::create(entry, group, d.index(getGroupColumns(of)));
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPoint(entry.getInsertionBlock(), entry.getInsertionPoint());
  return d.getPlace(of, row, column);
}

namespace {
/// Parts of the number of a lane.
struct LaneParts {
  Value row;           ///< Of the matrix: l mod 8.
  Value second, third; ///< Of the number of the matrix: its two bits.
  ImplicitLocOpBuilder &b;
  ThreadTiles &threads;

  LaneParts(ThreadTiles &threads) : b(threads.atEntry()), threads(threads) {
    Value lane = remainder(threads.getThread(), kLanes);
    row = remainder(lane, 8);
    second = remainder(divide(lane, 8), 2);
    third = divide(lane, 16);
  }
  Value divide(Value x, int64_t by) {
    return arith::DivUIOp::create(b, x, threads.index(by));
  }
  Value remainder(Value x, int64_t by) {
    return arith::RemUIOp::create(b, x, threads.index(by));
  }
  Value multiply(Value x, int64_t by) {
    return arith::MulIOp::create(b, x, threads.index(by));
  }
  Value atMost(Value x, int64_t most) {
    return arith::MinUIOp::create(b, x, threads.index(most));
  }
  /// x + factor y
  Value add(Value x, Value y, int64_t factor = 1) {
    Value product = arith::MulIOp::create(b, y, threads.index(factor));
    return arith::AddIOp::create(b, x, product);
  }
};
} // namespace

/// Where the lane's row of the first matrices of the right operand starts, in
/// elements. Other rows follow at multiples of eight rows, so their swizzle is
/// the same.
Value MatrixEmitter::getStart() {
  if (start)
    return start;
  LaneParts lane(d.threads);
  // Matrices follow each other along the depth first.
  Value nextRow = op.getTransposeRhs() ? lane.third : lane.second;
  Value nextGroup = op.getTransposeRhs() ? lane.second : lane.third;
  Value row = lane.add(lane.row, nextRow, 8);
  if (std::optional<int64_t> block = op.getBetween())
    row = arith::AddIOp::create(lane.b, row,
                                lane.multiply(d.getOtherBlock(*block), *block));
  return start = makeStart(rhsType, row, nextGroup);
}

/// Where the lane's column of the first band of the warp starts in a left
/// operand that is transposed. Its rows are groups of columns: each warp starts
/// two further, as the band that it has is two groups wide. A warp that has
/// none reads the last one.
Value MatrixEmitter::getTransposedStart() {
  if (transposedStart)
    return transposedStart;
  LaneParts lane(d.threads);
  RankedTensorType lhs = Distributor::tileOf(op.getLhs());
  Value warp = lane.divide(d.threads.getThread(), kLanes);
  Value own = lane.add(lane.second, warp, 2);
  int64_t last = lhs.getDimSize(1) / getGroupColumns(lhs) - 1;
  return transposedStart = makeStart(lhs, lane.add(lane.row, lane.third, 8),
                                     lane.atMost(own, last));
}

/// The same for the left operand: of the first band of the warp, or row
/// `mostRow` if that is in front of it. A warp that has no rows of the tile
/// reads those of another.
Value MatrixEmitter::getLhsStart(int64_t mostRow) {
  Value &start = lhsStarts[mostRow];
  if (start)
    return start;
  LaneParts lane(d.threads);
  Value warp = lane.divide(d.threads.getThread(), kLanes);
  Value first = lane.multiply(warp, kRows);
  if ((d.threads.getThreads() / kLanes - 1) * kRows > mostRow)
    first = lane.atMost(first, mostRow);
  Value row = lane.add(lane.add(lane.row, lane.second, 8), first);
  return start = makeStart(Distributor::tileOf(op.getLhs()), row, lane.third);
}

/// The pair of elements of 16 bits as the register of an instruction.
Value MatrixEmitter::asRegister(Value pair) {
  if (rhsType.getElementType().isF16())
    return pair;
  auto word = VectorType::get(1, b.getI32Type());
  return vector::ExtractOp::create(b, vector::BitCastOp::create(b, word, pair),
                                   0);
}

/// A swizzle changes the last three bits of a group: so many groups are moved
/// among each other.
static constexpr int64_t kSwizzled = 8;

/// Four matrices that lie `row` rows and `group` groups, an even number, behind
/// those of which the lane's row starts at `start`. Rows start at multiples of
/// what is swizzled, and `start` is in the first groups, at one that has no bit
/// of `group`: so what `group` adds before the swizzle is what it flips behind
/// it.
SmallVector<Value> MatrixEmitter::readMatrices(RankedTensorType of, Value from,
                                               Value start, int64_t row,
                                               int64_t group, bool transpose) {
  int64_t rowSize = cast<tile::SharedAttr>(of.getEncoding()).getRow();
  int64_t columns = getGroupColumns(of);
  int64_t fixed = row * rowSize + group / kSwizzled * kSwizzled * columns;
  if (d.isShortOfRegisters())
    start = d.keepInLoop(start, op);
  if (int64_t flipped = group % kSwizzled)
    start = arith::XOrIOp::create(b, start, d.index(flipped * columns));
  auto four = VectorType::get({4, 2}, b.getF16Type());
  Value matrices = nvgpu::LdMatrixOp::create(
      b, four, from, d.add(start, d.index(fixed)), transpose, /*numTiles=*/4);
  Values result;
  for (int64_t n = 0; n < 4; ++n)
    result.push_back(asRegister(vector::ExtractOp::create(b, matrices, n)));
  return result;
}

SmallVector<Value> MatrixEmitter::readRhs(int64_t depth, int64_t column) {
  int64_t row = op.getTransposeRhs() ? column : depth;
  int64_t first = op.getTransposeRhs() ? depth : column;
  int64_t group = first / getGroupColumns(rhsType);
  return readMatrices(rhsType, buffer, getStart(), row, group,
                      /*transpose=*/!op.getTransposeRhs());
}

SmallVector<Value> MatrixEmitter::readLhs(int64_t band, int64_t depth) {
  RankedTensorType lhs = Distributor::tileOf(op.getLhs());
  int64_t bands = 2 * ThreadTiles::getRegisters(type).getRows();
  if (op.getTransposeLhs()) {
    int64_t group = band * bands / getGroupColumns(lhs);
    return readMatrices(lhs, lhsBuffer, getTransposedStart(), depth, group,
                        /*transpose=*/true);
  }
  int64_t group = depth / getGroupColumns(lhs);
  // The last band may not be whole.
  int64_t mostRow = std::min(bands, lhs.getDimSize(0) - band * bands) - kRows;
  return readMatrices(lhs, lhsBuffer, getLhsStart(mostRow), band * bands, group,
                      /*transpose=*/false);
}

/// Two elements of a row in one register.
Value MatrixEmitter::pack(Value low, Value high) {
  Type element = rhsType.getElementType();
  if (element.isF16())
    return vector::FromElementsOp::create(b, VectorType::get(2, element),
                                          ValueRange{low, high});
  auto bits = [&](Value value) -> Value {
    Value narrow = arith::BitcastOp::create(b, b.getI16Type(), value);
    return arith::ExtUIOp::create(b, b.getI32Type(), narrow);
  };
  Value sixteen = arith::ConstantOp::create(b, b.getI32IntegerAttr(16));
  Value upper = arith::ShLIOp::create(b, bits(high), sixteen);
  return arith::OrIOp::create(b, upper, bits(low));
}

SmallVector<Value> MatrixEmitter::packLhs(int64_t band, int64_t depth) {
  Value tile = op.getLhs();
  bool isPaired = d.hasPairs(tile);
  PieceShape lhs = ThreadTiles::getShape(Distributor::tileOf(tile));
  Values result;
  for (int64_t n = 0; n < 4; ++n) {
    int64_t row = 2 * band + n % 2;
    int64_t first = row * lhs.columns + (depth + 8 * (n / 2)) / 4;
    ArrayRef<Value> from = d.pieces[tile];
    result.push_back(isPaired ? d.getPair(tile, first)
                              : pack(from[first], from[first + 1]));
  }
  return result;
}

void MatrixEmitter::multiply(Values &sums, int64_t band, int64_t column,
                             ValueRange lhs, ValueRange rhs) {
  SmallVector<Value *> own;
  Values before;
  for (int64_t n = 0; n < 4; ++n) {
    int64_t row = 2 * band + n / 2, place = column / 4 + n % 2;
    own.push_back(&sums[row * shape.columns + place]);
    before.push_back(*own.back());
  }
  Type f32 = b.getF32Type();
  auto result = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                 SmallVector<Type>(4, f32));
  auto kind = rhsType.getElementType().isF16() ? NVVM::MMATypes::f16
                                               : NVVM::MMATypes::bf16;
  Value after = NVVM::MmaOp::create(
      b, result, lhs, rhs, before, ArrayRef<int64_t>{kRows, kColumns, kDepth},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array<NVVM::MMATypes, 2>{kind, kind},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t n = 0; n < 4; ++n)
    *own[n] = LLVM::ExtractValueOp::create(b, after, n);
}

SmallVector<SmallVector<Value>> MatrixEmitter::readLhs(int64_t depth) {
  SmallVector<Values> lhs;
  for (int64_t band = 0; band < shape.rows / 2; ++band)
    lhs.push_back(lhsBuffer ? readLhs(band, depth) : packLhs(band, depth));
  return lhs;
}

void MatrixEmitter::emit(Values &sums, ArrayRef<Values> lhs, int64_t depth,
                         int64_t column) {
  Values rhs = readRhs(depth, column);
  for (int64_t next : {0, 1})
    for (auto [band, left] : llvm::enumerate(lhs))
      multiply(sums, band, column + next * kColumns, left,
               ValueRange(rhs).slice(2 * next, 2));
}

/// The product right in front of `op` that only `op` adds to, of the same
/// sizes; null if there is none.
static tile::DotOp getPrevious(tile::DotOp op) {
  auto previous = op.getInit().getDefiningOp<tile::DotOp>();
  bool isAlike = previous && previous == op->getPrevNode() &&
                 previous->hasOneUse() && isNarrow(op) && isNarrow(previous) &&
                 previous.getDepth() == op.getDepth() &&
                 previous.getBetween() == op.getBetween() &&
                 previous.getTransposeLhs() == op.getTransposeLhs() &&
                 previous.getTransposeRhs() == op.getTransposeRhs();
  return isAlike ? previous : tile::DotOp();
}

/// The block of `size` rows whose columns the rows of the warp, of a product
/// between blocks, are multiplied with.
Value Distributor::getOtherBlock(int64_t size) {
  Value &known = otherBlocks[size];
  if (known)
    return known;
  LaneParts lane(threads);
  Value warp = lane.divide(threads.getThread(), kLanes);
  Value own = lane.divide(lane.multiply(warp, kRows), size);
  return known = arith::XOrIOp::create(lane.b, own, threads.index(1));
}

/// Of each row of a thread the elements in the columns of the block.
SmallVector<Value> Distributor::takeBlock(ArrayRef<Value> all,
                                          const PieceShape &shape,
                                          int64_t size) {
  int64_t own = getOwnColumns(size);
  Values result;
  for (int64_t row = 0; row < shape.rows; ++row)
    for (int64_t n = 0; n < own; ++n) {
      Value value = all[row * shape.columns + n];
      for (int64_t begin = own; begin < shape.columns; begin += own)
        value = arith::SelectOp::create(b, isBlock(begin / own, size),
                                        all[row * shape.columns + begin + n],
                                        value);
      result.push_back(value);
    }
  return result;
}

/// `all` with `block` in the columns of the block.
SmallVector<Value> Distributor::putBlock(ArrayRef<Value> all,
                                         ArrayRef<Value> block,
                                         const PieceShape &shape,
                                         int64_t size) {
  int64_t own = getOwnColumns(size);
  Values result;
  for (auto [n, value] : llvm::enumerate(all)) {
    int64_t row = n / shape.columns, column = n % shape.columns;
    result.push_back(arith::SelectOp::create(b, isBlock(column / own, size),
                                             block[row * own + column % own],
                                             value));
  }
  return result;
}

Value Distributor::isBlock(int64_t number, int64_t size) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, getOtherBlock(size),
                               index(number));
}

/// Products that add up, such as those of terms, share operands. They are
/// multiplied together, depth by depth: what is read serves all of them, and
/// needs no registers for longer.
void Distributor::multiplyMatrices(tile::DotOp op) {
  auto next = dyn_cast_or_null<tile::DotOp>(op->getNextNode());
  if (next && getPrevious(next) == op)
    return;
  SmallVector<tile::DotOp> chain;
  for (tile::DotOp dot = op; dot; dot = getPrevious(dot))
    chain.push_back(dot);
  SmallVector<Value> all(pieces[chain.back().getInit()]), sums = all;
  PieceShape shape = ThreadTiles::getShape(tileOf(op));
  std::optional<int64_t> block = op.getBetween();
  if (block)
    sums = takeBlock(all, shape, *block);
  int64_t columns = block.value_or(tileOf(op).getDimSize(1));
  std::vector<MatrixEmitter> emitters;
  for (tile::DotOp dot : llvm::reverse(chain))
    emitters.emplace_back(*this, dot);
  constexpr int64_t step = 2 * kColumns;
  for (int64_t depth = 0; depth < op.getDepth(); depth += kDepth) {
    std::vector<SmallVector<SmallVector<Value>>> lhs;
    for (MatrixEmitter &emitter : emitters)
      lhs.push_back(emitter.readLhs(depth));
    for (int64_t column = 0; column < columns; column += step)
      for (auto [emitter, left] : llvm::zip_equal(emitters, lhs))
        emitter.emit(sums, left, depth, column);
  }
  pieces[op] = block ? putBlock(all, sums, shape, *block) : std::move(sums);
}
