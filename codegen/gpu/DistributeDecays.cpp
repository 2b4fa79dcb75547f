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

namespace attn {
/// Emits one tile.decay_dot.
class DecayDotEmitter {
public:
  DecayDotEmitter(Distributor &d, tile::DecayDotOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        shape(ThreadTiles::getShape(type)),
        registers(ThreadTiles::getRegisters(type)), size(type.getDimSize(0)),
        depth(Distributor::tileOf(op.getLhs()).getDimSize(1)) {}

  SmallVector<Value> emit();

private:
  using Values = SmallVector<Value>;

  /// The columns of the result, in the order of the walk.
  llvm::SmallVector<int64_t> getWalk();
  Value isPaired(Value row, int64_t column);
  /// Runs `body` where `condition` holds; else the values stay as they are.
  Values update(Value condition, ValueRange values,
                llvm::function_ref<Values()> body);

  /// The thread's elements of a row of the result.
  Values emitRow(Value row);
  Values emitNarrowRow(Value row);
  Values sumChannels(Value row);
  Values addChannels(Value row, Value first, ValueRange sums);
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
  int64_t size, depth;
};
} // namespace attn

llvm::SmallVector<int64_t> DecayDotEmitter::getWalk() {
  auto columns = llvm::to_vector(llvm::seq<int64_t>(0, size));
  if (!op.getReverse())
    std::reverse(columns.begin(), columns.end());
  return columns;
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
  return d.readShared(tile, place, count);
}

//===----------------------------------------------------------------------===//
// Many channels
//===----------------------------------------------------------------------===//

/// Adds the products of the channels from `first` on to `sums`, one per column.
SmallVector<Value> DecayDotEmitter::addChannels(Value row, Value first,
                                                ValueRange sums) {
  Values result(sums);
  Values weights = read(op.getLhs(), row, first, kStep);
  for (int64_t column : getWalk()) {
    Values values{result[column]};
    llvm::append_range(values, weights);
    Value at = d.index(column);
    values = update(isPaired(row, column), values, [&] {
      Values keys = read(op.getRhs(), at, first, kStep);
      Values decays = read(op.getDecay(), at, first, kStep);
      Values next = values;
      for (int64_t k = 0; k < kStep; ++k) {
        next[0] = math::FmaOp::create(b, values[1 + k], keys[k], next[0]);
        next[1 + k] = d.mulf(values[1 + k], decays[k]);
      }
      return next;
    });
    result[column] = values.front();
    weights.assign(values.begin() + 1, values.end());
  }
  return result;
}

/// For each column the part of the sum that the lane's channels have.
SmallVector<Value> DecayDotEmitter::sumChannels(Value row) {
  int64_t step = kStep * registers.getColumns();
  Value own = d.mul(d.threads.getThreadColumn(registers), d.index(kStep));
  int64_t columns = getSharedShape(Distributor::tileOf(op.getLhs())).columns;
  Values zeros(size, d.zero(type.getElementType()));
  auto loop =
      scf::ForOp::create(b, d.index(0), d.index(columns), d.index(step), zeros);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToEnd(loop.getBody());
  Value first = d.add(loop.getInductionVar(), own);
  Value exists = columns % step ? d.isLess(first, d.index(columns)) : Value();
  ValueRange sums = loop.getRegionIterArgs();
  scf::YieldOp::create(
      b, update(exists, sums, [&] { return addChannels(row, first, sums); }));
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

SmallVector<Value> DecayDotEmitter::emitRow(Value row) {
  Values sums = sumChannels(row);
  Value zero = d.zero(type.getElementType());
  int64_t lanes = registers.getColumns();
  Values result;
  for (int64_t j = 0; j < shape.columns; ++j) {
    Values candidates;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t group = j / shape.vector * lanes + lane;
      int64_t column = group * shape.vector + j % shape.vector;
      candidates.push_back(column < size ? sums[column] : zero);
    }
    result.push_back(exchange(std::move(candidates)));
  }
  return result;
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

SmallVector<Value> DecayDotEmitter::emitNarrowRow(Value row) {
  Values result(shape.columns, d.zero(type.getElementType()));
  Value weight = readNumber(op.getLhs(), row);
  int64_t lanes = registers.getColumns();
  for (int64_t column : getWalk()) {
    int64_t group = column / shape.vector;
    Value &piece = result[group / lanes * shape.vector + column % shape.vector];
    Value isOwn = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                        d.threads.getThreadColumn(registers),
                                        d.index(group % lanes));
    Value at = d.index(column);
    Values next = update(isPaired(row, column), {piece, weight}, [&] {
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
  for (int64_t i = 0; i < shape.rows; ++i) {
    Value row = d.threads.getRow(registers, i);
    llvm::append_range(result, depth == 1 ? emitNarrowRow(row) : emitRow(row));
  }
  for (auto [element, init] : llvm::zip_equal(result, d.pieces[op.getInit()]))
    element = arith::AddFOp::create(b, init, element);
  return result;
}

void Distributor::lower(tile::DecayDotOp op) {
  pieces[op] = DecayDotEmitter(*this, op).emit();
}
