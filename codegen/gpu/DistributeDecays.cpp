//===- DistributeDecays.cpp - Products of rows that decay -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread has a row i of the left operand and walks through those rows j of
// the right one that are paired with it, away from i. On its way it multiplies
// its row with the decays that it passes, so every pair costs one product of
// rows and one of decays:
//
//   w = lhs[i];  for each j:  sum[j] += w . rhs[j];  w *= decay[j]
//
// The lanes that share row i share its channels: each takes four of 32 and has
// a part of the sum for every j. In the end these parts are added up by an
// exchange in which each lane keeps the columns of the result that it owns: of
// eight columns, four sums go to the lane that differs in bit 2, then two, then
// one.
//
// Under `within`, rows j are those of the block that i is in, and the sums go
// to the columns of the result that are those of the block. Where rows are
// those of matrix instructions and blocks are the bands of warps, the compiler
// knows which of a thread's two rows, one of the first eight and one of the
// others, may meet j. Those that do not always have w = 0 until the walk is at
// i. Both rows walk together, so what is read serves both.
//
// Rows of a single channel have nothing to share. Every lane walks through all
// of the decays and keeps the products at its own columns.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace attn;

/// Channels that a lane takes at a time: a group of the swizzle.
static constexpr int64_t kStep = 4;
/// Rows of a matrix instruction.
static constexpr int64_t kBand = 16;

namespace attn {
/// Emits one tile.decay_dot.
class DecayDotEmitter {
public:
  DecayDotEmitter(Distributor &d, tile::DecayDotOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        shape(ThreadTiles::getShape(type)),
        registers(ThreadTiles::getRegisters(type)),
        size(op.getWithin().value_or(type.getDimSize(0))),
        depth(Distributor::tileOf(op.getLhs()).getDimSize(1)),
        isBand(registers.getPaired() && size == kBand && depth > 1) {}

  SmallVector<Value> emit();

private:
  using Values = SmallVector<Value>;

  /// A row of the result, and where its block begins.
  struct Row {
    int64_t number; ///< Among those of the thread.
    Value row, first, inBlock;
  };
  Row getRow(int64_t number);
  /// So many columns in the order of the walk.
  llvm::SmallVector<int64_t> getWalk(int64_t columns);
  /// How many rows the first one that is paired with a row is behind it.
  int64_t getStart() { return !op.getStrict() ? 0 : op.getReverse() ? 1 : -1; }
  Value isPaired(Value row, int64_t column);
  /// Runs `body` where `condition` holds; else the values stay as they are.
  Values update(Value condition, ValueRange values,
                llvm::function_ref<Values()> body);

  /// The thread's elements of a row of the result.
  Values emitRow(const Row &row);
  Values emitBand(int64_t number);
  Values emitNarrowRow(const Row &row);
  /// Runs `body` for each channel that is the first of a step of the lane's.
  Values
  sumChannels(int64_t count,
              llvm::function_ref<Values(Value first, ValueRange sums)> body);
  Values addChannels(const Row &row, Value first, ValueRange sums);
  Values addChannelsOfBand(ArrayRef<Row> rows, Value first, ValueRange sums);
  /// What a walk finds at a row: of `rhs` and of `decay`.
  struct Passed {
    Values keys, decays;
  };
  Passed readPassed(const Row &row, Value first, int64_t column);
  void addProducts(const Passed &passed, Value &sum, Values &weights);
  /// The thread's elements of a row of which each lane has a part of all sums.
  Values finishRow(const Row &row, ArrayRef<Value> sums);
  /// A row of the block as a row of the result.
  Values spread(const Row &row, ArrayRef<Value> own);
  Values read(Value tile, Value row, Value column, int64_t count);
  Value readNumber(Value tile, Value row);
  /// Of one sum per lane that shares a row, the thread's own, over all lanes.
  Value exchange(Values sums);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::DecayDotOp op;
  RankedTensorType type;
  PieceShape shape;
  tile::RegistersAttr registers;
  int64_t size; ///< Rows of a block.
  int64_t depth;
  bool isBand; ///< Blocks are those of 16 rows that a warp has.
};
} // namespace attn

DecayDotEmitter::Row DecayDotEmitter::getRow(int64_t number) {
  Value row = d.threads.getRow(registers, number);
  if (size == type.getDimSize(0))
    return {number, row, d.index(0), row};
  Value inBlock = arith::RemUIOp::create(b, row, d.index(size));
  return {number, row, arith::SubIOp::create(b, row, inBlock), inBlock};
}

llvm::SmallVector<int64_t> DecayDotEmitter::getWalk(int64_t columns) {
  auto walk = llvm::to_vector(llvm::seq<int64_t>(0, columns));
  if (!op.getReverse())
    std::reverse(walk.begin(), walk.end());
  return walk;
}

Value DecayDotEmitter::isPaired(Value row, int64_t column) {
  auto isAtMost = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(b,
                                 op.getStrict() ? arith::CmpIPredicate::ult
                                                : arith::CmpIPredicate::ule,
                                 x, y);
  };
  Value other = d.index(column);
  return op.getReverse() ? isAtMost(row, other) : isAtMost(other, row);
}

SmallVector<Value> DecayDotEmitter::update(Value condition, ValueRange values,
                                           llvm::function_ref<Values()> body) {
  if (!condition)
    return body();
  auto choice = scf::IfOp::create(b, values.getTypes(), condition,
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, body());
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, values);
  return choice.getResults();
}

SmallVector<Value> DecayDotEmitter::read(Value tile, Value row, Value column,
                                         int64_t count) {
  Value place = d.getPlace(Distributor::tileOf(tile), row, column);
  Values values = d.readShared(tile, place, count);
  Type element = values.front().getType();
  if (element == type.getElementType())
    return values;
  if (element.isBF16() && count % 2 == 0) {
    Values result;
    for (int64_t n = 0; n < count; n += 2) {
      Value pair = d.joinPair(values[n], values[n + 1]);
      for (bool upper : {false, true})
        result.push_back(d.widen(pair, upper));
    }
    return result;
  }
  for (Value &value : values)
    value = arith::ExtFOp::create(b, type.getElementType(), value);
  return values;
}

//===----------------------------------------------------------------------===//
// Many channels
//===----------------------------------------------------------------------===//

DecayDotEmitter::Passed DecayDotEmitter::readPassed(const Row &row, Value first,
                                                    int64_t column) {
  Value at = d.add(row.first, d.index(column));
  return {read(op.getRhs(), at, first, kStep),
          read(op.getDecay(), at, first, kStep)};
}

/// Adds the products of the weights and a row to `sum`, and lets the weights
/// pass it.
void DecayDotEmitter::addProducts(const Passed &passed, Value &sum,
                                  Values &weights) {
  for (int64_t k = 0; k < kStep; ++k) {
    sum = math::FmaOp::create(b, weights[k], passed.keys[k], sum);
    weights[k] = d.mulf(weights[k], passed.decays[k]);
  }
}

/// Adds the products of the channels from `first` on to `sums`, one per column.
SmallVector<Value> DecayDotEmitter::addChannels(const Row &row, Value first,
                                                ValueRange sums) {
  Values result(sums);
  Values weights = read(op.getLhs(), row.row, first, kStep);
  for (int64_t column : getWalk(size)) {
    Values values{result[column]};
    llvm::append_range(values, weights);
    values = update(isPaired(row.inBlock, column), values, [&] {
      Values next = values;
      Value sum = next.front();
      Values passing(ArrayRef(next).drop_front());
      addProducts(readPassed(row, first, column), sum, passing);
      next.assign({sum});
      llvm::append_range(next, passing);
      return next;
    });
    result[column] = values.front();
    weights.assign(values.begin() + 1, values.end());
  }
  return result;
}

/// The same for rows of a band of which the compiler knows whether they are
/// among its first eight. Each has `size` of the sums.
SmallVector<Value> DecayDotEmitter::addChannelsOfBand(ArrayRef<Row> rows,
                                                      Value first,
                                                      ValueRange sums) {
  constexpr int64_t half = kBand / 2;
  Values result(sums);
  SmallVector<Values> own, weights;
  for (const Row &row : rows) {
    own.push_back(read(op.getLhs(), row.row, first, kStep));
    weights.push_back(Values(kStep, d.zero(type.getElementType())));
  }
  for (int64_t column : getWalk(size)) {
    std::optional<Passed> passed;
    for (auto [n, row] : llvm::enumerate(rows)) {
      int64_t begin = n * half + getStart(), end = begin + half;
      if (op.getReverse() ? column < begin : column >= end)
        continue;
      if (column >= begin && column < end) {
        Value isStart =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, row.inBlock,
                                  d.index(column - getStart()));
        for (auto [weight, value] : llvm::zip_equal(weights[n], own[n]))
          weight = arith::SelectOp::create(b, isStart, value, weight);
      }
      if (!passed)
        passed = readPassed(row, first, column);
      addProducts(*passed, result[n * size + column], weights[n]);
    }
  }
  return result;
}

SmallVector<Value> DecayDotEmitter::sumChannels(
    int64_t count,
    llvm::function_ref<Values(Value first, ValueRange sums)> body) {
  int64_t step = kStep * registers.getColumns();
  Value own = d.mul(d.threads.getThreadColumn(registers), d.index(kStep));
  int64_t columns = getSharedShape(Distributor::tileOf(op.getLhs())).columns;
  Values zeros(count, d.zero(type.getElementType()));
  auto loop =
      scf::ForOp::create(b, d.index(0), d.index(columns), d.index(step), zeros);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value first = d.add(loop.getInductionVar(), own);
  Value exists = columns % step ? d.isLess(first, d.index(columns)) : Value();
  ValueRange sums = loop.getRegionIterArgs();
  scf::YieldOp::create(b,
                       update(exists, sums, [&] { return body(first, sums); }));
  return loop.getResults();
}

Value DecayDotEmitter::exchange(Values sums) {
  Value lane = d.threads.getThreadColumn(registers);
  for (int64_t half = sums.size() / 2; half >= 1; half /= 2) {
    Value isUpper = arith::CmpIOp::create(
        b, arith::CmpIPredicate::ne,
        arith::RemUIOp::create(
            b, arith::DivUIOp::create(b, lane, d.index(half)), d.index(2)),
        d.index(0));
    Values next;
    for (int64_t n = 0; n < half; ++n) {
      Value low = sums[n], high = sums[n + half];
      Value kept = arith::SelectOp::create(b, isUpper, high, low);
      Value sent = arith::SelectOp::create(b, isUpper, low, high);
      next.push_back(arith::AddFOp::create(b, kept, d.shuffleXor(sent, half)));
    }
    sums = std::move(next);
  }
  return sums.front();
}

SmallVector<Value> DecayDotEmitter::spread(const Row &row,
                                           ArrayRef<Value> own) {
  if (size == type.getDimSize(0))
    return Values(own);
  Value zero = d.zero(type.getElementType());
  Values result;
  for (int64_t begin = 0; begin < type.getDimSize(1); begin += size) {
    Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                          row.first, d.index(begin));
    for (Value value : own)
      result.push_back(arith::SelectOp::create(b, isThere, value, zero));
  }
  return result;
}

SmallVector<Value> DecayDotEmitter::emitRow(const Row &row) {
  return finishRow(row, sumChannels(size, [&](Value first, ValueRange sums) {
                     return addChannels(row, first, sums);
                   }));
}

/// The two rows of a band from row `number` of the thread on.
SmallVector<Value> DecayDotEmitter::emitBand(int64_t number) {
  Row rows[] = {getRow(number), getRow(number + 1)};
  // As that of the first row is known to be below eight, so are conditions.
  rows[1].inBlock = d.add(rows[0].inBlock, d.index(kBand / 2));
  Values sums = sumChannels(2 * size, [&](Value first, ValueRange sums) {
    return addChannelsOfBand(rows, first, sums);
  });
  Value zero = d.zero(type.getElementType());
  Values result;
  for (auto [n, row] : llvm::enumerate(rows)) {
    MutableArrayRef<Value> own =
        MutableArrayRef<Value>(sums).slice(n * size, size);
    // Rows that are not paired may have met a number that is none.
    for (auto [column, sum] : llvm::enumerate(own))
      sum =
          arith::SelectOp::create(b, isPaired(row.inBlock, column), sum, zero);
    llvm::append_range(result, finishRow(row, own));
  }
  return result;
}

SmallVector<Value> DecayDotEmitter::finishRow(const Row &row,
                                              ArrayRef<Value> sums) {
  Value zero = d.zero(type.getElementType());
  int64_t lanes = registers.getColumns();
  int64_t own = size == type.getDimSize(0) ? shape.columns : size / lanes;
  Values result;
  for (int64_t j = 0; j < own; ++j) {
    Values candidates;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t group = j / shape.vector * lanes + lane;
      int64_t column = group * shape.vector + j % shape.vector;
      candidates.push_back(column < size ? sums[column] : zero);
    }
    result.push_back(exchange(std::move(candidates)));
  }
  return spread(row, result);
}

//===----------------------------------------------------------------------===//
// One channel
//===----------------------------------------------------------------------===//

/// The number of a row of one channel.
Value DecayDotEmitter::readNumber(Value tile, Value row) {
  if (getSharedLayout(tile))
    return read(tile, row, d.index(0), 1).front();
  // One number everywhere.
  return d.pieces[tile].front();
}

SmallVector<Value> DecayDotEmitter::emitNarrowRow(const Row &row) {
  Values result(shape.columns, d.zero(type.getElementType()));
  Value weight = readNumber(op.getLhs(), row.row);
  int64_t lanes = registers.getColumns();
  for (int64_t column : getWalk(type.getDimSize(1))) {
    int64_t group = column / shape.vector;
    Value &piece = result[group / lanes * shape.vector + column % shape.vector];
    Value isOwn = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                        d.threads.getThreadColumn(registers),
                                        d.index(group % lanes));
    Value at = d.index(column);
    Value isPair = isPaired(row.row, column);
    if (op.getWithin()) {
      Value inBlock = arith::SubIOp::create(b, at, row.first);
      isPair = d.both(isPair, d.isLess(inBlock, d.index(size)));
    }
    Values next = update(isPair, {piece, weight}, [&] {
      Value product = d.mulf(weight, readNumber(op.getRhs(), at));
      return Values{arith::SelectOp::create(b, isOwn, product, piece),
                    d.mulf(weight, readNumber(op.getDecay(), at))};
    });
    piece = next[0];
    weight = next[1];
  }
  return result;
}

SmallVector<Value> DecayDotEmitter::emit() {
  Values result;
  for (int64_t i = 0; i < shape.rows; i += isBand ? 2 : 1)
    llvm::append_range(result, isBand       ? emitBand(i)
                               : depth == 1 ? emitNarrowRow(getRow(i))
                                            : emitRow(getRow(i)));
  for (auto [element, init] : llvm::zip_equal(result, d.pieces[op.getInit()]))
    element = arith::AddFOp::create(b, init, element);
  return result;
}

void Distributor::lower(tile::DecayDotOp op) {
  pieces[op] = DecayDotEmitter(*this, op).emit();
}
