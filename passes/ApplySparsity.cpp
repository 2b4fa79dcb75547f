//===- ApplySparsity.cpp - Visit the blocks of keys that a mask leaves -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The keys that a block of queries visits, and inside of them those that all
// its queries attend to, are rounded to blocks of keys:
//
//   visited begin   down     full begin   up
//   visited end     up       full end     down
//
// which cuts the loop over blocks of keys into
//
//   mixed [visited begin, full begin)    mask evaluated
//   full  [full begin, full end)         no mask
//   mixed [full end, visited end)        mask evaluated
//
// In mixed blocks, groups of rows have bounds of their own (`row-group`): the
// region is evaluated once more for the queries of each group, and what it says
// about the block of keys is the range of the group.
//
// The loop over the last, shorter block is a part of the last of the three,
// which then checks where the keys end.
//
// All four are clamped to the loop in this order, so that ranges that are empty
// or lie elsewhere make empty loops. Blocks stay in order, and one that is left
// out would have added nothing: results have the same bits.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"
#include "passes/sparsity/IndexEmitter.h"

namespace attn {
#define GEN_PASS_DEF_APPLYSPARSITY
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Replaces one loop over blocks of keys.
class LoopSplitter {
public:
  /// `tail` is the loop over the last, shorter block behind `loop`, or null.
  LoopSplitter(scf::ForOp loop, scf::ForOp tail, PartialOp partial,
               int64_t groupRows)
      : loop(loop), tail(tail), partial(partial),
        groupRows(partial.getRows() < 2 * groupRows ? partial.getRows()
                                                    : groupRows),
        b(loop.getLoc(), tail ? tail : loop),
        lastKey(tail ? tail.getUpperBound() : loop.getUpperBound()) {}

  void run();

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  std::pair<Value, Value> getQueries();
  SmallVector<Value> inlineKeys(Value first, Value last);
  void boundGroups();
  SmallVector<Value> getRanges(ImplicitLocOpBuilder &b, Value col);
  Value notBeforeBegin(Value end);
  Value clamp(Value value, Value end);
  Value roundToBlock(Value value, Value end, bool up);
  void emitLoop(Value begin, Value end, bool isFull, bool hasTail = false);

  scf::ForOp loop, tail;
  PartialOp partial;
  int64_t groupRows;
  /// The keys that each group of rows may see: a begin and an end each.
  SmallVector<std::pair<Value, Value>> groups;
  ImplicitLocOpBuilder b;
  Value lastKey;            ///< Where the keys end.
  SmallVector<Value> tuple; ///< The partial result so far.
};
} // namespace

/// Bounds of ranges are multiples of this.
static constexpr int64_t kRangeStep = 8;

/// Whether two values are known to be the same.
static bool isSame(Value x, Value y) {
  std::optional<int64_t> constantX = getConstantIntValue(x);
  return x == y || (constantX && constantX == getConstantIntValue(y));
}

/// The first and last query of this block among those that exist. Packed rows
/// of several heads may be any query.
std::pair<Value, Value> LoopSplitter::getQueries() {
  Value numQueries = tensor::DimOp::create(b, partial.getQuery(), constant(2));
  Value lastQuery = arith::SubIOp::create(b, numQueries, constant(1));
  Value first = partial.getRow();
  Value last = arith::AddIOp::create(b, first, constant(partial.getRows() - 1));
  if (!partial.getPacked())
    return {first, arith::MinSIOp::create(b, last, lastQuery)};
  Value firstHead = arith::DivSIOp::create(b, first, numQueries);
  Value lastHead = arith::DivSIOp::create(b, last, numQueries);
  Value isOneHead =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, firstHead, lastHead);
  first = arith::RemSIOp::create(b, first, numQueries);
  last = arith::RemSIOp::create(b, last, numQueries);
  return {arith::SelectOp::create(b, isOneHead, first, constant(0)),
          arith::SelectOp::create(b, isOneHead, last, lastQuery)};
}

/// The bounds of keys for queries `first` to `last`.
SmallVector<Value> LoopSplitter::inlineKeys(Value first, Value last) {
  if (partial.getAlignment() == Alignment::End) {
    Value two = constant(2);
    Value numQueries = tensor::DimOp::create(b, partial.getQuery(), two);
    Value numKeys = tensor::DimOp::create(b, partial.getKey(), two);
    Value shift = arith::SubIOp::create(b, numKeys, numQueries);
    first = arith::AddIOp::create(b, first, shift);
    last = arith::AddIOp::create(b, last, shift);
  }
  IRMapping mapping;
  Region &keys = partial.getKeys();
  mapping.map(keys.getArguments(),
              ValueRange{partial.getBatch(), partial.getHead(), first, last});
  for (Operation &op : keys.front().without_terminator())
    b.clone(op, mapping);
  SmallVector<Value> bounds;
  for (Value bound : keys.front().getTerminator()->getOperands())
    bounds.push_back(mapping.lookupOrDefault(bound));
  return bounds;
}

/// Fills `groups`, if blocks can be divided so.
void LoopSplitter::boundGroups() {
  if (groupRows == 0 || partial.getPacked() ||
      partial.getRows() % groupRows != 0 ||
      partial.getWidth() % kRangeStep != 0)
    return;
  Value lastOfBlock = getQueries().second;
  for (int64_t row = 0; row < partial.getRows(); row += groupRows) {
    Value first =
        b.createOrFold<arith::AddIOp>(partial.getRow(), constant(row));
    Value last = arith::AddIOp::create(b, first, constant(groupRows - 1));
    last = arith::MinSIOp::create(b, last, lastOfBlock);
    SmallVector<Value> bounds = inlineKeys(first, last);
    groups.push_back({bounds[0], bounds[1]});
  }
}

/// What groups see of the block of keys at `col`, counted from `col` and
/// rounded outwards: `ranges` of attn.partial.
SmallVector<Value> LoopSplitter::getRanges(ImplicitLocOpBuilder &b, Value col) {
  auto constant = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value width = constant(partial.getWidth());
  auto fromCol = [&](Value bound, int64_t round) -> Value {
    Value distance = arith::SubIOp::create(b, bound, col);
    distance = arith::MaxSIOp::create(b, distance, constant(0));
    distance = arith::MinSIOp::create(b, distance, width);
    distance = b.createOrFold<arith::AddIOp>(distance, constant(round));
    return arith::AndIOp::create(b, distance, constant(-kRangeStep));
  };
  SmallVector<Value> ranges;
  for (auto [visitedBegin, visitedEnd] : groups) {
    Value begin = fromCol(visitedBegin, 0);
    Value end = fromCol(visitedEnd, kRangeStep - 1);
    ranges.push_back(begin);
    ranges.push_back(arith::MaxSIOp::create(b, begin, end));
  }
  return ranges;
}

/// `end`, but not before the loop begins. Loops that begin at 0 end behind it;
/// where blocks share the keys, some may have none of them.
Value LoopSplitter::notBeforeBegin(Value end) {
  Value begin = loop.getLowerBound();
  if (getConstantIntValue(begin) == 0)
    return end;
  return arith::MaxSIOp::create(b, end, begin);
}

/// `value`, in the loop, and at most `end`.
Value LoopSplitter::clamp(Value value, Value end) {
  Value least = loop.getLowerBound();
  std::optional<int64_t> constant = getConstantIntValue(value);
  // Loops over keys begin at 0 or behind it.
  if (isSame(value, least) || (constant && *constant <= 0))
    return least;
  if (isSame(value, end) || (constant && *constant >= kEndless))
    return end;
  Value low = arith::MaxSIOp::create(b, value, least);
  return arith::MinSIOp::create(b, low, end);
}

/// Rounds to a multiple of blocks from the begin of the loop, behind which
/// `value` lies; `end` stays as it is.
Value LoopSplitter::roundToBlock(Value value, Value end, bool up) {
  Value begin = loop.getLowerBound();
  if (isSame(value, begin) || isSame(value, end))
    return value;
  Value width = loop.getStep();
  Value distance = b.createOrFold<arith::SubIOp>(value, begin);
  Value blocks = up ? Value(arith::CeilDivSIOp::create(b, distance, width))
                    : arith::DivSIOp::create(b, distance, width);
  Value rounded = arith::MulIOp::create(b, blocks, width);
  return b.createOrFold<arith::AddIOp>(rounded, begin);
}

/// Continues the partial result over blocks from `begin` to `end`; with
/// `hasTail`, the last of them may be the shorter one.
void LoopSplitter::emitLoop(Value begin, Value end, bool isFull, bool hasTail) {
  if (isSame(begin, end))
    return;
  auto body = [&](OpBuilder &nested, Location loc, Value col, ValueRange init) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), col);
    mapping.map(loop.getRegionIterArgs(), init);
    auto copy = cast<PartialOp>(nested.clone(*partial, mapping));
    copy.getKeys().getBlocks().clear();
    copy.setBounded(partial.getBounded() || (tail && hasTail));
    if (isFull) {
      copy.getMask().getBlocks().clear();
    } else if (!groups.empty()) {
      ImplicitLocOpBuilder inner(loc, copy);
      copy.getRangesMutable().assign(getRanges(inner, col));
      copy.setRangeRows(groupRows);
    }
    SmallVector<Value> yielded;
    for (Value value : loop.getYieldedValues())
      yielded.push_back(mapping.lookup(value));
    scf::YieldOp::create(nested, loc, yielded);
  };
  tuple = scf::ForOp::create(b, begin, end, loop.getStep(), tuple, body)
              .getResults();
}

void LoopSplitter::run() {
  tuple.assign(loop.getInitArgs().begin(), loop.getInitArgs().end());
  auto [firstQuery, lastQuery] = getQueries();
  SmallVector<Value> bounds = inlineKeys(firstQuery, lastQuery);
  boundGroups();
  bool isOneLoop = lastKey == loop.getUpperBound();
  lastKey = notBeforeBegin(lastKey);
  Value wholeEnd = isOneLoop ? lastKey : notBeforeBegin(loop.getUpperBound());
  // Blocks begin before the tail, so only an end can lie in it.
  Value visitedBegin =
      roundToBlock(clamp(bounds[0], lastKey), lastKey, /*up=*/false);
  Value visitedEnd =
      roundToBlock(clamp(bounds[1], lastKey), lastKey, /*up=*/true);
  // The one block at the end is not worth a second loop.
  bool neverFull = isSame(bounds[2], bounds[3]) || partial.getBounded();
  if (neverFull) {
    emitLoop(visitedBegin, visitedEnd, /*isFull=*/false, /*hasTail=*/true);
  } else {
    auto inside = [&](Value value, Value least) -> Value {
      if (isSame(value, least) || isSame(value, visitedEnd))
        return value;
      Value low = arith::MaxSIOp::create(b, value, least);
      return arith::MinSIOp::create(b, low, visitedEnd);
    };
    Value fullBegin =
        inside(roundToBlock(clamp(bounds[2], wholeEnd), wholeEnd, /*up=*/true),
               visitedBegin);
    Value fullEnd =
        inside(roundToBlock(clamp(bounds[3], wholeEnd), wholeEnd, /*up=*/false),
               fullBegin);
    emitLoop(visitedBegin, fullBegin, /*isFull=*/false);
    emitLoop(fullBegin, fullEnd, /*isFull=*/true);
    emitLoop(fullEnd, visitedEnd, /*isFull=*/false, /*hasTail=*/true);
  }
  scf::ForOp last = tail ? tail : loop;
  last.replaceAllUsesWith(tuple);
  last.erase();
  if (tail)
    loop.erase();
}

/// The partial result that is all that `loop` computes, if it bounds its keys.
static PartialOp getOnlyPartial(scf::ForOp loop) {
  auto partial = dyn_cast<PartialOp>(loop.getBody()->front());
  if (!partial || partial.getKeys().empty() ||
      partial->getNextNode() != loop.getBody()->getTerminator() ||
      partial.getCol() != loop.getInductionVar())
    return {};
  // A block of several heads has no single range where ranges differ by head.
  if (partial.getPacked() && !partial.getKeys().getArgument(1).use_empty())
    return {};
  bool isBlocked = getConstantIntValue(loop.getStep()) ==
                   std::optional<int64_t>(partial.getWidth());
  return isBlocked ? partial : PartialOp();
}

/// The loop over the last, shorter block of keys that continues what `loop`
/// computes in the same way, or null.
static scf::ForOp getTail(scf::ForOp loop, PartialOp partial) {
  if (partial.getBounded() ||
      !llvm::all_of(loop.getResults(),
                    [](Value result) { return result.hasOneUse(); }))
    return {};
  auto tail = dyn_cast<scf::ForOp>(*loop.getResult(0).user_begin());
  if (!tail || tail.getLowerBound() != loop.getUpperBound() ||
      tail.getInitArgs() != ValueRange(loop.getResults()))
    return {};
  PartialOp other = getOnlyPartial(tail);
  if (!other || !other.getBounded() || other.getWidth() != partial.getWidth() ||
      other.getStatistics() != partial.getStatistics() ||
      ValueRange(other->getOperands().take_front(6)) !=
          ValueRange(partial->getOperands().take_front(6)))
    return {};
  for (auto [mine, its] : llvm::zip(partial->getRegions(), other->getRegions()))
    if (!OperationEquivalence::isRegionEquivalentTo(
            &mine, &its, OperationEquivalence::IgnoreLocations))
      return {};
  return tail;
}

namespace {
struct ApplySparsity : attn::impl::ApplySparsityBase<ApplySparsity> {
  using ApplySparsityBase::ApplySparsityBase;

  void runOnOperation() override {
    SmallVector<std::pair<scf::ForOp, PartialOp>> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (PartialOp partial = getOnlyPartial(loop))
        loops.push_back({loop, partial});
    });
    llvm::SmallPtrSet<Operation *, 4> done;
    for (auto [loop, partial] : loops) {
      if (done.contains(loop))
        continue;
      scf::ForOp tail = getTail(loop, partial);
      if (tail)
        done.insert(tail);
      LoopSplitter(loop, tail, partial, rowGroup).run();
    }
    getOperation().walk([](PartialOp op) { op.getKeys().getBlocks().clear(); });
  }
};
} // namespace
