//===- CountPairs.cpp - How many pairs attention computes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each attend op gets a counter, and before it loops over batches, heads and
// queries that add up how many keys the mask keeps. A `keys` region, evaluated
// for one query, bounds them: between its inner bounds all keys count, and only
// between the inner and the outer ones the mask is asked. Where it is exact, as
// for causal masks and windows, a query costs a few instructions; else a pair
// does. Loops over what the mask does not look at become factors. The tokens of
// a recurrence all count.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnRegions.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Passes.h"
#include "passes/ResultArguments.h"
#include "passes/reference/PairScores.h"

namespace attn {
#define GEN_PASS_DEF_COUNTPAIRS
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;
using namespace attn::reference;

namespace {
/// Counts the pairs of one op.
class PairCount {
public:
  PairCount(ImplicitLocOpBuilder &b, AttendOp op)
      : b(b), op(op), regions(getPairwiseRegions(op)) {
    for (int64_t axis = 0; axis < op.getNumAxes(); ++axis) {
      extents.push_back(size(b, op.getKey(), 2 + axis));
      keys = keys ? arith::MulIOp::create(b, keys, extents.back())
                  : extents.back();
    }
  }

  /// Emits the count, an index.
  Value emit();

private:
  /// The keys that queries of a row may meet, and those that they all do.
  struct Bounds {
    Value begin, end, fullBegin, fullEnd;
  };

  bool looksAt(unsigned dim);
  Bounds bounds(const Pair &query);
  Value countKeys(const Pair &query, Value row, Value begin, Value end);
  Value countKeys(ValueRange token);

  ImplicitLocOpBuilder &b;
  AttendOp op;
  PairwiseRegions regions;
  SmallVector<Value> extents; ///< Of the grid of keys.
  Value keys;                 ///< Their number.
};
} // namespace

/// Whether the regions depend on the batch (0), the head (1) or an index of the
/// query (2 and more).
bool PairCount::looksAt(unsigned dim) {
  if (op.getOffsets()) {
    auto list = cast<RankedTensorType>(op.getOffsets().getType());
    if (dim >= 2 || list.getDimSize(dim) != 1)
      return true;
  }
  if (regions.mask.empty())
    return false;
  auto isUsed = [](Region &region, unsigned argument) {
    return !region.empty() && !region.getArgument(argument).use_empty();
  };
  // Query 2 is the first one in `keys`, whose last one is argument 3.
  return isUsed(regions.mask, dim) || isUsed(regions.keys, dim) ||
         (dim == 2 && isUsed(regions.keys, 3));
}

/// The bounds of the `keys` region for a single query, in order and inside of
/// the keys; without a region, those that say nothing.
PairCount::Bounds PairCount::bounds(const Pair &query) {
  Value zero = index(b, 0);
  if (regions.keys.empty())
    return {zero, keys, zero, zero};
  IRMapping values;
  values.map(regions.keys.getArguments(),
             ValueRange{query.batch, query.head, query.query.front(),
                        query.query.front()});
  Block &block = regions.keys.front();
  for (Operation &inner : block.without_terminator())
    b.clone(inner, values);
  auto get = [&](unsigned i) {
    return values.lookupOrDefault(block.getTerminator()->getOperand(i));
  };
  auto smaller = [&](Value x, Value y) -> Value {
    return arith::MinSIOp::create(b, x, y);
  };
  auto larger = [&](Value x, Value y) -> Value {
    return arith::MaxSIOp::create(b, x, y);
  };
  Value begin = larger(get(0), zero), end = smaller(get(1), keys);
  Value fullBegin = smaller(larger(get(2), begin), end);
  return {begin, end, fullBegin, larger(smaller(get(3), end), fullBegin)};
}

/// How many keys from `begin` up to `end` the mask keeps.
Value PairCount::countKeys(const Pair &query, Value row, Value begin,
                           Value end) {
  Value zero = index(b, 0);
  auto loop = scf::ForOp::create(b, begin, end, index(b, 1), zero);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Pair pair = query;
  pair.key = unflatten(b, loop.getInductionVar(), extents);
  Value kept = pairIsVisited(b, op, pair, row);
  Value one = arith::IndexCastUIOp::create(b, b.getIndexType(), kept);
  Value sum = arith::AddIOp::create(b, loop.getRegionIterArg(0), one);
  scf::YieldOp::create(b, sum);
  return loop.getResult(0);
}

/// How many keys one query meets.
Value PairCount::countKeys(ValueRange token) {
  SmallVector<Value> indices(token.drop_front(2));
  if (indices.size() == 1)
    indices[0] =
        position(b, op.getAlignment(), op.getQuery(), op.getKey(), indices[0]);
  Pair query{token[0], token[1], indices, {}};
  Bounds of = bounds(query);
  Value full = arith::SubIOp::create(b, of.fullEnd, of.fullBegin);
  Value before = countKeys(query, token[2], of.begin, of.fullBegin);
  // Without a region these are all keys: nothing is known to be full.
  Value after = countKeys(query, token[2], of.fullEnd, of.end);
  return arith::AddIOp::create(b, full,
                               arith::AddIOp::create(b, before, after));
}

Value PairCount::emit() {
  SmallVector<Value> counts;
  Value factor = index(b, 1);
  for (unsigned dim = 0; dim < 2 + op.getNumAxes(); ++dim) {
    // A query of one batch may be shared by all batches of the keys.
    Value extent =
        size(b, dim == 0 ? op.getBatchOperand() : op.getQuery(), dim);
    counts.push_back(looksAt(dim) ? extent : index(b, 1));
    if (!looksAt(dim))
      factor = arith::MulIOp::create(b, factor, extent);
  }
  if (regions.mask.empty() && !op.getOffsets())
    return arith::MulIOp::create(b, factor, keys);
  auto add = [&](ValueRange token, ValueRange so) -> Carried {
    return {arith::AddIOp::create(b, so[0], countKeys(token))};
  };
  Value sum = fold(b, counts, index(b, 0), add)[0];
  return arith::MulIOp::create(b, sum, factor);
}

/// How many tokens all heads of a recurrence have together.
static Value countTokens(ImplicitLocOpBuilder &b, RecurOp op) {
  Value count = size(b, op.getValue(), 0);
  for (unsigned dim : {1, 2})
    count = arith::MulIOp::create(b, count, size(b, op.getValue(), dim));
  return count;
}

/// Adds the count of `op` to `counter`, a memref of one integer.
static void addCount(Operation *op, Value counter) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  auto attend = dyn_cast<AttendOp>(op);
  Value units =
      attend ? PairCount(b, attend).emit() : countTokens(b, cast<RecurOp>(op));
  units = arith::IndexCastOp::create(b, b.getI64Type(), units);
  Value zero = index(b, 0);
  Value before = memref::LoadOp::create(b, counter, zero);
  memref::StoreOp::create(b, arith::AddIOp::create(b, before, units), counter,
                          zero);
}

namespace {
struct CountPairs : attn::impl::CountPairsBase<CountPairs> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    if (failed(returnNothing(function)))
      return signalPassFailure();
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<AttendOp, RecurOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      Type count = IntegerType::get(&getContext(), 64);
      FailureOr<Value> counter = addResult(function, 1, count);
      if (failed(counter))
        return signalPassFailure();
      addCount(op, *counter);
    }
  }
};
} // namespace
