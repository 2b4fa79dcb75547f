//===- SplitBlocks.cpp - Independent blocks, merged keys --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention over all keys is a fold of partial results over blocks of keys
// (docs/rationale/merge.md), and different queries do not meet. So attn.attend
// becomes
//
//   scf.forall (b, h, block) in (B, H, ceil(Nq / M)):        independent
//     tuple = identity
//     scf.for j = 0 to floor(Nk / W) W step W:               dependent
//       tuple = attn.partial ... at (b, h, block M, j) init tuple
//     scf.for j = floor(Nk / W) W to Nk step W:              at most once
//       tuple = attn.partial ... bounded
//     tuple = attn.add_sink tuple                            if there is a sink
//     rows, lse = attn.finish tuple
//     insert the rows that exist into the results
//
// Where the prob region is not linear in the weight, the first tuple is the
// statistics only, and the loops over keys are repeated with them given.
//
// With splits S in the schedule, rows of a block are the queries of all heads
// of one key head, keys are shared among S blocks, and parts are merged:
//
//   parts = scf.forall (s, b, hk, block) in (S, B, Hk, ceil(G Nq / M)):
//     as above, packed, for keys s C .. (s + 1) C - 1, C a multiple of W
//   out, lse = attn.merge parts
//
// With a list of blocks, the loops are over its entries, first those of full
// blocks, without a mask, then those of mixed ones:
//
//   scf.for e = offsets[2 block] to offsets[2 block + 1]:
//     tuple = attn.partial ... at (b, h, block M, blocks[e] W) init tuple
//
// Devices that start blocks in order are given the long ones first: the block
// is then what attn.block_order says (BlockOrder.h).
//
// On a grid of tokens, blocks are boxes, and both loops are over their numbers
// (BoxGrid.h):
//
//   scf.forall (b, h, number) in (B, H, boxes of queries):
//     scf.for n = 0 to boxes of keys:
//       tuple = attn.partial ... at (b, h, first of number, first of n) bounded
//     rows = attn.finish tuple, as a box
//     insert the part of the box that exists, a step apart
//
// Recurrences are split by RecurBlocks.cpp.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/BlockOrder.h"
#include "passes/BoxGrid.h"
#include "passes/InsertBlocks.h"
#include "passes/Passes.h"
#include "passes/RecurBlocks.h"

namespace attn {
#define GEN_PASS_DEF_SPLITBLOCKS
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Splits one attn.attend.
class Splitter {
public:
  Splitter(AttendOp op, int64_t longestFirst)
      : op(op), longestFirst(longestFirst), b(op.getLoc(), op),
        blockQ(op.getScheduleAttr().getBlockQ()),
        blockK(op.getScheduleAttr().getBlockK()),
        splits(op.getScheduleAttr().getSplits()) {}

  void run();

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value size(Value tensor, int64_t dim) {
    return tensor::DimOp::create(b, tensor, dim);
  }
  Value emptyLike(Value result, ArrayRef<OpFoldResult> sizes);
  SmallVector<Value> gridSizes(Value tensor);
  Value splat(ArrayRef<int64_t> shape, bool isInfinity);
  SmallVector<Value> identityOfStatistics();
  Value identityOfAccumulator();
  SmallVector<Value> foldKeys(Value first, Value last, bool bounded,
                              ValueRange init, ValueRange statistics);
  SmallVector<Value> foldAllKeys(ValueRange init, ValueRange statistics = {});
  PartialOp addBlock(OpBuilder &nested, ValueRange firstKey, bool bounded,
                     bool masked, ValueRange init, ValueRange statistics);
  Value readEntry(ImplicitLocOpBuilder &nested, Value list, Value at);
  void readList(Value block);
  bool areKeysWhole();
  Value getLastBlock();
  SmallVector<Value> foldEntries(Value first, Value last, bool mixed,
                                 ValueRange init, ValueRange statistics);
  SmallVector<Value> getFirstKey(ImplicitLocOpBuilder &inner, Value block);
  SmallVector<Value> foldKeysOfSplit(Value split, ValueRange init);
  SmallVector<Value> addSink(ValueRange state);
  void runWhole();
  void runSplit();
  void emitBlock(scf::ForallOp forall, const std::optional<BlockOrder> &order);
  void emitSplitBlock(scf::ForallOp forall);
  Value positionShift();
  Value reshape(Value tensor, ArrayRef<OpFoldResult> sizes);

  AttendOp op;
  int64_t longestFirst; ///< As in `attn-split-blocks`.
  ImplicitLocOpBuilder b;
  int64_t blockQ, blockK, splits;
  std::optional<BoxGrid> queries, keys; ///< Where blocks are boxes.
  Value numQueries, numKeys, wholeKeys;
  Value
      numPacked; ///< Queries of all heads of a key head, where they are packed.
  Value batch, head;        ///< Of the block that is being emitted.
  SmallVector<Value> outer; ///< All its indices in the results but the last.
  SmallVector<Value> first; ///< Its first query, one index per axis.
  /// Where its entries in the list of blocks begin: full ones, mixed ones, and
  /// those of the next block.
  Value fullEntries, mixedEntries, endOfEntries;
};
} // namespace

/// The sizes of `tensor` along the axes of tokens.
SmallVector<Value> Splitter::gridSizes(Value tensor) {
  SmallVector<Value> sizes;
  for (int64_t axis = 0; axis < op.getNumAxes(); ++axis)
    sizes.push_back(size(tensor, 2 + axis));
  return sizes;
}

Value Splitter::emptyLike(Value result, ArrayRef<OpFoldResult> sizes) {
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<Value> dynamic;
  for (auto [size, extent] : llvm::zip(sizes, type.getShape()))
    if (ShapedType::isDynamic(extent))
      dynamic.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  return tensor::EmptyOp::create(b, type, dynamic);
}

/// -inf or 0 everywhere.
Value Splitter::splat(ArrayRef<int64_t> shape, bool isInfinity) {
  auto element = cast<FloatType>(op.getAccumulatorType());
  const llvm::fltSemantics &semantics = element.getFloatSemantics();
  APFloat value = isInfinity ? APFloat::getInf(semantics, /*Negative=*/true)
                             : APFloat::getZero(semantics);
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(RankedTensorType::get(shape, element), value));
}

/// Reference -inf and sum 0, as far as the normaliser has them.
SmallVector<Value> Splitter::identityOfStatistics() {
  SmallVector<Value> columns;
  if (op.getNormalizer() == Normalizer::Softmax)
    columns.push_back(splat({blockQ}, /*isInfinity=*/true));
  if (op.getNormalizer() != Normalizer::None)
    columns.push_back(splat({blockQ}, /*isInfinity=*/false));
  return columns;
}

Value Splitter::identityOfAccumulator() {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  return splat({blockQ, type.getShape().back()}, /*isInfinity=*/false);
}

/// Continues `init` with the block of keys from `firstKey` on.
PartialOp Splitter::addBlock(OpBuilder &nested, ValueRange firstKey,
                             bool bounded, bool masked, ValueRange init,
                             ValueRange statistics) {
  ScheduleAttr schedule = op.getScheduleAttr();
  auto partial = PartialOp::create(
      nested, op.getLoc(), init.getTypes(), op.getQuery(), op.getKey(),
      op.getValue(), batch, head, first, firstKey, init, statistics,
      /*ranges=*/ValueRange(), /*rangeRows=*/IntegerAttr(),
      b.getI64IntegerAttr(blockK), bounded ? b.getUnitAttr() : UnitAttr(),
      splits ? b.getUnitAttr() : UnitAttr(), schedule.getBoxQ(),
      schedule.getBoxK(), schedule.getStep(),
      b.getF64FloatAttr(op.getScaleValue()), op.getAlignmentAttr(),
      op.getNormalizerAttr(), op.getPrecisionAttr());
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(op->getRegions(), partial->getRegions())) {
    // Boxes have no range of keys; the mask says all that `keys` does.
    bool isDropped = (&from == &op.getProb() && !partial.accumulates()) ||
                     (&from == &op.getKeys() && keys) ||
                     (&from == &op.getMask() && !masked);
    if (!isDropped)
      from.cloneInto(&to, mapping);
  }
  return partial;
}

/// The first key of a block: of the box with number `block`, or `block` itself.
SmallVector<Value> Splitter::getFirstKey(ImplicitLocOpBuilder &inner,
                                         Value block) {
  return keys ? keys->getFirstToken(inner, block) : SmallVector<Value>{block};
}

/// The loop over blocks of keys from `begin` to `end`.
SmallVector<Value> Splitter::foldKeys(Value begin, Value end, bool bounded,
                                      ValueRange init, ValueRange statistics) {
  auto body = [&](OpBuilder &nested, Location loc, Value block,
                  ValueRange tuple) {
    ImplicitLocOpBuilder inner(loc, nested);
    PartialOp partial = addBlock(inner, getFirstKey(inner, block), bounded,
                                 /*masked=*/true, tuple, statistics);
    scf::YieldOp::create(inner, partial.getResults());
  };
  Value step = constant(keys ? 1 : blockK);
  return scf::ForOp::create(b, begin, end, step, init, body).getResults();
}

/// Number `at` of `list`, a part of the list of blocks.
Value Splitter::readEntry(ImplicitLocOpBuilder &nested, Value list, Value at) {
  auto type = cast<RankedTensorType>(list.getType());
  SmallVector<Value> indices{batch, head, at};
  for (int64_t dim : {0, 1})
    if (type.getDimSize(dim) == 1)
      indices[dim] = arith::ConstantIndexOp::create(nested, 0);
  Value entry = tensor::ExtractOp::create(nested, list, indices);
  return arith::IndexCastOp::create(nested, nested.getIndexType(), entry);
}

/// Finds the entries of `block`. The last block of keys counts as mixed where
/// it is shorter than the others: it stands last among the full ones. Boxes ask
/// anyway which of their keys exist.
void Splitter::readList(Value block) {
  Value one = constant(1);
  Value at = arith::MulIOp::create(b, block, constant(2));
  Value middle = arith::AddIOp::create(b, at, one);
  fullEntries = readEntry(b, op.getOffsets(), at);
  mixedEntries = readEntry(b, op.getOffsets(), middle);
  endOfEntries =
      readEntry(b, op.getOffsets(), arith::AddIOp::create(b, middle, one));
  if (keys || (getConstantIntValue(wholeKeys) &&
               getConstantIntValue(wholeKeys) == getConstantIntValue(numKeys)))
    return;
  Value last = arith::SubIOp::create(b, mixedEntries, one);
  last = arith::MaxSIOp::create(b, last, constant(0));
  Value lastBlock = readEntry(b, op.getBlocks(), last);
  Value tail = arith::DivSIOp::create(b, numKeys, constant(blockK));
  auto compare = [&](arith::CmpIPredicate predicate, Value x,
                     Value y) -> Value {
    return arith::CmpIOp::create(b, predicate, x, y);
  };
  Value isTail = compare(arith::CmpIPredicate::eq, lastBlock, tail);
  Value hasFull = compare(arith::CmpIPredicate::slt, fullEntries, mixedEntries);
  isTail = arith::AndIOp::create(b, isTail, hasFull);
  mixedEntries = arith::SelectOp::create(b, isTail, last, mixedEntries);
}

/// Whether all keys of all boxes exist.
bool Splitter::areKeysWhole() {
  auto type = cast<RankedTensorType>(op.getKey().getType());
  return fillsBoxes(type.getShape().drop_front(2).drop_back(), keys->getBox(),
                    keys->getStep());
}

/// The number of the last block of keys.
Value Splitter::getLastBlock() {
  if (keys)
    return arith::SubIOp::create(b, keys->getCount(), constant(1));
  Value lastKey = arith::SubIOp::create(b, numKeys, constant(1));
  return arith::DivSIOp::create(b, lastKey, constant(blockK));
}

/// The loop over the entries from `first` to `last` of the list.
SmallVector<Value> Splitter::foldEntries(Value first, Value last, bool mixed,
                                         ValueRange init,
                                         ValueRange statistics) {
  // Whatever the list says, blocks begin inside of the keys.
  Value lastBlock = getLastBlock();
  if (keys) { // An empty grid has no box at all.
    Value some = b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sgt,
                                               keys->getCount(), constant(0));
    last = b.createOrFold<arith::SelectOp>(some, last, first);
  }
  bool bounded = keys ? !areKeysWhole() : mixed;
  Value lastEntry = arith::SubIOp::create(b, last, constant(1));
  auto body = [&](OpBuilder &builder, Location loc, Value entry,
                  ValueRange tuple) {
    ImplicitLocOpBuilder nested(loc, builder);
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(nested, value);
    };
    // Targets may begin to load for the next entry when there is none.
    entry = arith::MinSIOp::create(nested, entry, lastEntry);
    Value block = readEntry(nested, op.getBlocks(), entry);
    block = arith::MaxSIOp::create(nested, block, index(0));
    block = arith::MinSIOp::create(nested, block, lastBlock);
    SmallVector<Value> col;
    if (keys)
      col = getFirstKey(nested, block);
    else
      col = {arith::MulIOp::create(nested, block, index(blockK))};
    PartialOp partial =
        addBlock(nested, col, bounded, /*masked=*/mixed, tuple, statistics);
    scf::YieldOp::create(nested, partial.getResults());
  };
  return scf::ForOp::create(b, first, last, constant(1), init, body)
      .getResults();
}

SmallVector<Value> Splitter::foldAllKeys(ValueRange init,
                                         ValueRange statistics) {
  if (op.getOffsets()) {
    SmallVector<Value> full = foldEntries(fullEntries, mixedEntries,
                                          /*mixed=*/false, init, statistics);
    return foldEntries(mixedEntries, endOfEntries, /*mixed=*/true, full,
                       statistics);
  }
  if (keys)
    return foldKeys(constant(0), keys->getCount(), /*bounded=*/!areKeysWhole(),
                    init, statistics);
  SmallVector<Value> tuple =
      foldKeys(constant(0), wholeKeys, /*bounded=*/false, init, statistics);
  return foldKeys(wholeKeys, numKeys, /*bounded=*/true, tuple, statistics);
}

SmallVector<Value> Splitter::addSink(ValueRange state) {
  if (op.getSink().empty())
    return state;
  SmallVector<Value> position = first;
  if (Value shift = positionShift())
    position.front() = arith::AddIOp::create(b, first.front(), shift);
  ScheduleAttr schedule = op.getScheduleAttr();
  auto sink =
      AddSinkOp::create(b, state.getTypes(), state, batch, head, position,
                        schedule.getBoxQ(), schedule.getStep());
  IRMapping mapping;
  op.getSink().cloneInto(&sink.getSink(), mapping);
  return sink.getResults();
}

/// What the position of row 0 is; null for 0.
Value Splitter::positionShift() {
  if (op.getAlignment() != Alignment::End)
    return {};
  return arith::SubIOp::create(b, numKeys, numQueries);
}

void Splitter::emitBlock(scf::ForallOp forall,
                         const std::optional<BlockOrder> &order) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  BlockPlace place{forall.getInductionVar(0), forall.getInductionVar(1),
                   forall.getInductionVar(2)};
  if (order)
    place = order->getPlace(b, place);
  batch = place.batch;
  head = place.head;
  Value block = place.block;
  outer = {batch, head};
  if (queries)
    first = queries->getFirstToken(b, block);
  else
    first = {arith::MulIOp::create(b, block, constant(blockQ))};
  if (op.getOffsets())
    readList(block);

  bool twice = !op.needsOneSweep();
  SmallVector<Value> state = identityOfStatistics();
  if (twice) {
    state = addSink(foldAllKeys(state));
    state.push_back(foldAllKeys(identityOfAccumulator(), state).front());
  } else {
    state.push_back(identityOfAccumulator());
    state = addSink(foldAllKeys(state));
  }

  auto output = cast<RankedTensorType>(op.getOutput().getType());
  auto rows = RankedTensorType::get({blockQ, output.getShape().back()},
                                    output.getElementType());
  Type lse = op.getLse() ? state.front().getType() : Type();
  auto finish = FinishOp::create(b, rows, lse, state,
                                 twice ? b.getUnitAttr() : UnitAttr());
  for (OpResult part : finish->getResults()) {
    if (queries)
      insertBox(b, forall, part.getResultNumber(), part, outer, *queries,
                first);
    else
      insertRows(b, forall, part.getResultNumber(), part, outer, first.front(),
                 numQueries);
  }
}

/// The loops over the keys of one split.
SmallVector<Value> Splitter::foldKeysOfSplit(Value split, ValueRange init) {
  Value blocks = arith::CeilDivSIOp::create(b, numKeys, constant(blockK));
  Value share = arith::CeilDivSIOp::create(b, blocks, constant(splits));
  Value width = arith::MulIOp::create(b, share, constant(blockK));
  Value first = arith::MulIOp::create(b, split, width);
  Value last = arith::MinSIOp::create(b, numKeys,
                                      arith::AddIOp::create(b, first, width));
  Value whole = arith::MinSIOp::create(b, last, wholeKeys);
  Value rest = arith::MaxSIOp::create(b, first, wholeKeys);
  SmallVector<Value> tuple =
      foldKeys(first, whole, /*bounded=*/false, init, {});
  return foldKeys(rest, last, /*bounded=*/true, tuple, {});
}

void Splitter::emitSplitBlock(scf::ForallOp forall) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  SmallVector<Value> indices = forall.getInductionVars();
  batch = indices[1];
  head = indices[2];
  outer.assign(indices.begin(), indices.end() - 1);
  first = {arith::MulIOp::create(b, indices[3], constant(blockQ))};
  SmallVector<Value> state = identityOfStatistics();
  state.push_back(identityOfAccumulator());
  state = foldKeysOfSplit(indices[0], state);
  auto finish = FinishOp::create(b, state[2].getType(), state[0].getType(),
                                 state, UnitAttr());
  insertRows(b, forall, 0, finish.getOutput(), outer, first.front(), numPacked);
  insertRows(b, forall, 1, finish.getLse(), outer, first.front(), numPacked);
}

/// `tensor`, whose elements are contiguous, with other `sizes`.
Value Splitter::reshape(Value tensor, ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> extents;
  for (OpFoldResult size : sizes)
    extents.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  Value list = tensor::FromElementsOp::create(b, extents);
  auto element = cast<RankedTensorType>(tensor.getType()).getElementType();
  return tensor::ReshapeOp::create(b, RankedTensorType::get(shape, element),
                                   tensor, list);
}

void attn::passOn(ScheduleAttr schedule, scf::ForallOp blocks) {
  Builder b(blocks.getContext());
  if (schedule.getWarps())
    blocks->setAttr(tile::kWarpsAttr, b.getI64IntegerAttr(schedule.getWarps()));
  if (schedule.getStages() > 1)
    blocks->setAttr(tile::kStagesAttr,
                    b.getI64IntegerAttr(schedule.getStages()));
  if (schedule.getOverlap())
    blocks->setAttr(tile::kOverlapAttr, b.getUnitAttr());
  if (schedule.getResident())
    blocks->setAttr(tile::kResidentAttr,
                    b.getI64IntegerAttr(schedule.getResident()));
}

/// One block per split and key head, then the merge.
void Splitter::runSplit() {
  Type element = op.getAccumulatorType();
  Value heads = size(op.getQuery(), 1), keyHeads = size(op.getKey(), 1);
  // Without heads there is no group; whatever its size, no block runs.
  Value divisor = arith::MaxSIOp::create(b, keyHeads, constant(1));
  Value group = arith::DivSIOp::create(b, heads, divisor);
  numPacked = arith::MulIOp::create(b, group, numQueries);
  Value blocks = arith::CeilDivSIOp::create(b, numPacked, constant(blockQ));
  OpFoldResult count = b.getIndexAttr(splits);
  OpFoldResult features = b.getIndexAttr(
      cast<RankedTensorType>(op.getOutput().getType()).getDimSize(3));
  Value batches = size(op.getBatchOperand(), 0);
  SmallVector<OpFoldResult> rows{count, batches, keyHeads, numPacked},
      outputs = rows;
  outputs.push_back(features);
  SmallVector<Value> parts{tensor::EmptyOp::create(b, outputs, element),
                           tensor::EmptyOp::create(b, rows, element)};
  SmallVector<OpFoldResult> grid{count, batches, keyHeads, blocks};
  auto forall = scf::ForallOp::create(b, grid, parts, std::nullopt);
  passOn(op.getScheduleAttr(), forall);
  emitSplitBlock(forall);

  // The queries of a head are next to each other among the packed ones.
  SmallVector<OpFoldResult> sizes{count, batches, heads, numQueries, features};
  Value outs = reshape(forall.getResult(0), sizes);
  Value lses = reshape(forall.getResult(1), ArrayRef(sizes).drop_back());
  Value shift = positionShift();
  auto merge = MergeOp::create(b, op.getOutput().getType(),
                               op.getLse() ? op.getLse().getType() : Type(),
                               outs, lses, op.getScheduleAttr());
  IRMapping mapping;
  op.getSink().cloneInto(&merge.getSink(), mapping);
  if (shift && !merge.getSink().empty()) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&merge.getSink().front());
    Value row = merge.getSink().getArgument(2);
    auto position = arith::AddIOp::create(b, row, shift);
    row.replaceAllUsesExcept(position, position);
  }
  op->replaceAllUsesWith(merge);
}

/// One block per head.
void Splitter::runWhole() {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes)))
    llvm_unreachable("attn.attend always knows its result sizes");
  SmallVector<Value> outputs{emptyLike(op.getOutput(), shapes[0])};
  if (op.getLse())
    outputs.push_back(emptyLike(op.getLse(), shapes[1]));
  Value blocks =
      queries ? queries->getCount()
              : arith::CeilDivSIOp::create(b, numQueries, constant(blockQ));
  SmallVector<Value> counts{size(op.getBatchOperand(), 0),
                            size(op.getQuery(), 1), blocks};
  std::optional<BlockOrder> order;
  if (op.getOffsets() && longestFirst)
    order.emplace(b, op.getOffsets(), counts, longestFirst);
  SmallVector<OpFoldResult> grid(counts.begin(), counts.end());
  auto forall = scf::ForallOp::create(b, grid, outputs, std::nullopt);
  passOn(op.getScheduleAttr(), forall);
  emitBlock(forall, order);
  op->replaceAllUsesWith(forall.getResults());
}

void Splitter::run() {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (schedule.hasBoxes()) {
    ArrayRef<int64_t> step;
    if (schedule.getStep())
      step = schedule.getStep();
    queries.emplace(b, gridSizes(op.getQuery()), schedule.getBoxQ(), step);
    keys.emplace(b, gridSizes(op.getKey()), schedule.getBoxK(), step);
    runWhole();
    op->erase();
    return;
  }
  numQueries = size(op.getQuery(), 2);
  numKeys = size(op.getKey(), 2);
  Value rest = arith::RemSIOp::create(b, numKeys, constant(blockK));
  wholeKeys = arith::SubIOp::create(b, numKeys, rest);
  if (splits)
    runSplit();
  else
    runWhole();
  op->erase();
}

/// Whether `op` can be cut into boxes, if it is to be.
static LogicalResult checkBoxes(AttendOp op) {
  bool hasBoxes = op.getScheduleAttr().hasBoxes();
  if (!hasBoxes && op.getNumAxes() > 1)
    return op.emitOpError("has a schedule without 'box_q' and 'box_k', which "
                          "blocks of a grid need; run attn-select-schedule "
                          "first");
  if (hasBoxes && op.getAlignment() == Alignment::End)
    return op.emitOpError("cannot be cut into boxes with 'alignment(end)'; "
                          "expected a schedule without 'box_q' and 'box_k'");
  return success();
}

namespace {
struct SplitBlocks : attn::impl::SplitBlocksBase<SplitBlocks> {
  using SplitBlocksBase::SplitBlocksBase;

  void runOnOperation() override {
    SmallVector<AttendOp> ops;
    getOperation().walk([&](AttendOp op) { ops.push_back(op); });
    for (AttendOp op : ops) {
      if (!op.getScheduleAttr()) {
        op.emitOpError("has no schedule; run attn-select-schedule first");
        return signalPassFailure();
      }
      if (op.getQuerySegments()) {
        op.emitOpError("has segments; run attn-expand-segments first");
        return signalPassFailure();
      }
      if (op.mixesHeads()) {
        op.emitOpError("mixes heads; run attn-decompose first");
        return signalPassFailure();
      }
      if (op.getScheduleAttr().getSplits() && !op.isMergeable()) {
        op.emitOpError("cannot share keys among blocks: 'splits' needs "
                       "normalizer(softmax), a prob region that is linear in "
                       "its first argument, and no matrix per head in its "
                       "query region");
        return signalPassFailure();
      }
      if (failed(checkBoxes(op)))
        return signalPassFailure();
      Splitter(op, longestFirst).run();
    }
    SmallVector<RecurOp> recurrences;
    getOperation().walk([&](RecurOp op) { recurrences.push_back(op); });
    for (RecurOp op : recurrences) {
      if (!op.getScheduleAttr()) {
        op.emitOpError("has no schedule; run attn-select-schedule first");
        return signalPassFailure();
      }
      if (failed(splitRecurrence(op)))
        return signalPassFailure();
    }
  }
};
} // namespace
