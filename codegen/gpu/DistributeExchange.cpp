//===- DistributeExchange.cpp - Columns change their threads --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From `w` neighbouring columns per thread to one: C threads share a row, and
// of each C * w columns thread s has w * s + e for e < w, and shall have C * g
// + s for g < w. Column C * g + s is with thread C / w * g + s / w, as its
// element e = s mod w.
//
// So whoever reads from thread s wants the element that is its own number
// modulo w, and for each e there is one. In round r thread s gives away element
// (s / (C / w)) xor r: in that round, all threads that share s mod (C / w) give
// different elements, so each reader finds its own, which is that for
// g = (s mod w) xor r. After w rounds, that is w shuffles, all have theirs; in
// front and behind, a thread permutes its registers by selects, as the numbers
// of registers must not depend on the thread.
//
// From one column per thread to `w` neighbours is the way back: what thread s
// took from thread x in round r, it gives to it.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"

using namespace mlir;
using namespace attn;

/// Lanes of a warp.
static constexpr int64_t kLanes = 32;

namespace {
/// Exchanges the columns of one row among the threads that share it. `layout`
/// is the one in which threads have neighbours.
class Exchange {
public:
  /// `column` is the thread's place in its row, `lane` that in its warp.
  Exchange(ImplicitLocOpBuilder &b, ThreadTiles &threads,
           tile::RegistersAttr layout, bool isBack, Value column, Value lane)
      : b(b), threads(threads), width(layout.getVector()),
        givers(layout.getColumns() / width), isBack(isBack) {
    given = divide(column, givers);
    wanted = remainder(column, width);
    Value row = arith::SubIOp::create(b, lane, column);
    // The place of a thread is split in two ways, by the groups of one layout
    // and by those of the other.
    Value own = isBack ? given : wanted;
    Value within = isBack ? remainder(column, givers) : divide(column, width);
    if (isBack)
      within = arith::MulIOp::create(b, within, threads.index(width));
    Value first = arith::AddIOp::create(b, row, within);
    for (int64_t round = 0; round < width; ++round) {
      Value group =
          arith::XOrIOp::create(b, own, threads.index(round)).getResult();
      if (!isBack)
        group = arith::MulIOp::create(b, group, threads.index(givers));
      Value source = arith::AddIOp::create(b, first, group);
      sources.push_back(
          arith::IndexCastUIOp::create(b, b.getI32Type(), source));
    }
  }

  /// `group` has the `width` elements of the thread.
  SmallVector<Value> run(ArrayRef<Value> group) {
    SmallVector<Value> values = permute(group, isBack ? wanted : given);
    for (auto [value, source] : llvm::zip_equal(values, sources))
      value = shuffle(value, source);
    return permute(values, isBack ? given : wanted);
  }

private:
  Value divide(Value x, int64_t by) {
    return arith::DivUIOp::create(b, x, threads.index(by));
  }
  Value remainder(Value x, int64_t by) {
    return arith::RemUIOp::create(b, x, threads.index(by));
  }

  /// result[i] = values[i xor by].
  SmallVector<Value> permute(ArrayRef<Value> values, Value by) {
    SmallVector<Value> result(values);
    for (int64_t bit = 1; bit < width; bit *= 2) {
      Value isSet = arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                          remainder(divide(by, bit), 2),
                                          threads.index(0));
      SmallVector<Value> before = result;
      for (int64_t i = 0; i < width; ++i)
        result[i] =
            arith::SelectOp::create(b, isSet, before[i ^ bit], before[i]);
    }
    return result;
  }

  /// The value of another lane. Shuffles move 32 bits.
  Value shuffle(Value value, Value source) {
    Type type = value.getType();
    bool isNarrow = type.getIntOrFloatBitWidth() < 32;
    auto bits = b.getIntegerType(type.getIntOrFloatBitWidth());
    if (isNarrow)
      value = arith::ExtUIOp::create(b, b.getI32Type(),
                                     arith::BitcastOp::create(b, bits, value));
    auto lanes = arith::ConstantOp::create(b, b.getI32IntegerAttr(kLanes));
    value =
        gpu::ShuffleOp::create(b, value, source, lanes, gpu::ShuffleMode::IDX)
            .getShuffleResult();
    if (!isNarrow)
      return value;
    return arith::BitcastOp::create(b, type,
                                    arith::TruncIOp::create(b, bits, value));
  }

  ImplicitLocOpBuilder &b;
  ThreadTiles &threads;
  int64_t width, givers;
  bool isBack;         ///< To neighbouring columns, and not from them.
  Value given, wanted; ///< See above: s / (C / w) and s mod w.
  SmallVector<Value> sources;
};
} // namespace

void Distributor::exchange(tile::ConvertLayoutOp op) {
  tile::RegistersAttr layout = ThreadTiles::getRegisters(tileOf(op.getValue()));
  bool isBack = layout.getVector() == 1;
  if (isBack)
    layout = ThreadTiles::getRegisters(tileOf(op));
  Value column = keepBesideState(threads.getThreadColumn(layout), op);
  Value lane = arith::RemUIOp::create(
      b, keepBesideState(threads.getThread(), op), index(kLanes));
  Exchange columns(b, threads, layout, isBack, column, lane);
  ArrayRef<Value> from = pieces[op.getValue()];
  Values result;
  for (; !from.empty(); from = from.drop_front(layout.getVector()))
    llvm::append_range(result,
                       columns.run(from.take_front(layout.getVector())));
  pieces[op] = std::move(result);
}
