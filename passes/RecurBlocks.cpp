//===- RecurBlocks.cpp - Recurrences as loops over chunks -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The columns of a state do not meet, and tokens do only through the state. So
// attn.recur becomes
//
//   scf.forall (b, h, c) in (B, H, V / columns):             independent
//     S = initial or 0
//     scf.for t = 0 to N step C:                             dependent
//       rows, S = attn.recur_chunk ... at(b, h, t, c) init(S)
//       insert the rows that exist into the result
//     insert S into the last state
//
// Reversed, t goes down from the last chunk. A bidirectional order has two such
// loops: without decays the first one collects the state of all tokens, which
// the second one reads; with them, and under read(before), the first one is a
// causal sweep that keeps the sums of its rows, which a reversed one adds.
//
// With segments, a block (g, h, c) has those tokens, and operands and results
// up to their end (RecurSegments.cpp); the last one stores 0 for the tokens
// behind it.
//
// Where there is one token at most and chunks are of one, there is no loop; all
// orders are alike then.
//
// A block reads its columns of `initial` before it writes those of the last
// state, and no other block touches either: a caller may give one tensor for
// both (docs/rationale/recur.md).
//
// With splits in the schedule, parts of the sequence are visited in parallel
// (RecurParts.cpp).
//
//===----------------------------------------------------------------------===//

#include "passes/RecurBlocks.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/RecurSplitter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Rows of the state in a block are a multiple: whole vectors on any target.
static constexpr int64_t kRowMultiple = 16;

RecurSplitter::RecurSplitter(RecurOp op)
    : op(op), b(op.getLoc(), op), chunk(op.getScheduleAttr().getBlockQ()),
      columns(std::min(op.getScheduleAttr().getBlockK(), op.getStateColumns())),
      rows(llvm::alignTo(op.getStateRows(), kRowMultiple)),
      splits(op.getScheduleAttr().getSplits()),
      operands{op.getQuery(), op.getKey(), op.getValue(), op.getGate(),
               op.getBeta()} {}

Value RecurSplitter::splat(int64_t height, int64_t width, double value) {
  auto type = RankedTensorType::get({height, width}, op.getAccumulatorType());
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             type, b.getFloatAttr(type.getElementType(), value).getValue()));
}

/// Empty results of the blocks, and room for sums of a first sweep.
SmallVector<Value> RecurSplitter::makeOutputs() {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes)))
    llvm_unreachable("attn.recur always knows its result sizes");
  SmallVector<Value> outputs;
  for (auto [result, sizes] : llvm::zip(op.getResults(), shapes)) {
    auto type = typeOf(result);
    SmallVector<Value> dynamic;
    for (auto [size, extent] : llvm::zip(sizes, type.getShape()))
      if (ShapedType::isDynamic(extent))
        dynamic.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
    outputs.push_back(tensor::EmptyOp::create(b, type, dynamic));
  }
  if (sweepsTwice()) {
    SmallVector<OpFoldResult> sizes = shapes[0];
    sizes.back() =
        b.getIndexAttr(op.getStateColumns() + (op.usesDenominator() ? 1 : 0));
    sums = tensor::EmptyOp::create(b, sizes, op.getAccumulatorType());
  }
  return outputs;
}

SmallVector<Value> RecurSplitter::zeroState() {
  SmallVector<Value> state{splat(rows, columns, 0)};
  if (op.usesDenominator())
    state.push_back(splat(rows, 1, 0));
  return state;
}

SmallVector<Value> RecurSplitter::firstState() {
  SmallVector<Value> state = zeroState();
  if (op.getInitial())
    state.front() =
        LoadStateOp::create(b, state.front().getType(), op.getInitial(),
                            sequence, head, constant(0), column);
  return state;
}

/// `count` rows of the block in `result` from `first` on, `width` columns of
/// them.
Value RecurSplitter::openRows(Value result, int64_t width, Value first,
                              Value count) {
  OpFoldResult one = b.getIndexAttr(1);
  auto type = RankedTensorType::get({ShapedType::kDynamic, width},
                                    typeOf(result).getElementType());
  return tensor::ExtractSliceOp::create(
      b, type, result, ArrayRef<OpFoldResult>{batch, head, first, column},
      ArrayRef<OpFoldResult>{one, one, count, b.getIndexAttr(width)},
      ArrayRef<OpFoldResult>{one, one, one, one});
}

/// `into` with the tokens of a chunk that exist, the first `left` ones, from
/// `row` on.
Value RecurSplitter::insertRows(Value rows, Value into, Value row, Value left) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult count = Value(arith::MinSIOp::create(b, left, constant(chunk)));
  OpFoldResult width = b.getIndexAttr(typeOf(rows).getDimSize(1));
  SmallVector<OpFoldResult> sizes{count, width}, strides{one, one};
  Value existing = tensor::ExtractSliceOp::create(
      b, rows, ArrayRef<OpFoldResult>{zero, zero}, sizes, strides);
  return tensor::InsertSliceOp::create(
      b, existing, into, ArrayRef<OpFoldResult>{row, zero}, sizes, strides);
}

/// Puts `source`, of `height` rows, into shared output `result` of the block's
/// head, from `row` and `col` on; of `lead`, if not of its batch.
void RecurSplitter::insertInto(scf::ForallOp forall, unsigned result,
                               Value source, Value row, Value col,
                               OpFoldResult height, int64_t width, Value lead) {
  OpFoldResult one = b.getIndexAttr(1);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, source, forall.getRegionIterArgs()[result],
      ArrayRef<OpFoldResult>{lead ? lead : batch, head, row, col},
      ArrayRef<OpFoldResult>{one, one, height, b.getIndexAttr(width)},
      ArrayRef<OpFoldResult>{one, one, one, one});
}

/// Puts the rows of `state` that count into shared output `result`.
void RecurSplitter::insertState(scf::ForallOp forall, unsigned result,
                                Value state) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult height = b.getIndexAttr(op.getStateRows());
  if (*segments)
    height = segments->getIfAny(sequence, op.getStateRows());
  Value existing = tensor::ExtractSliceOp::create(
      b, state, ArrayRef<OpFoldResult>{zero, zero},
      ArrayRef<OpFoldResult>{height, b.getIndexAttr(columns)},
      ArrayRef<OpFoldResult>{one, one});
  insertInto(forall, result, existing, constant(0), column, height, columns,
             sequence);
}

//===----------------------------------------------------------------------===//
// Loops over chunks
//===----------------------------------------------------------------------===//

/// One chunk from token `row` on; `output` is the type of its rows, if any.
RecurChunkOp RecurSplitter::emitChunk(const ChunkLoop &loop, Value row,
                                      ValueRange state, Type output) {
  SmallVector<Type> states;
  if (loop.writes)
    llvm::append_range(states, state.getTypes());
  auto made = RecurChunkOp::create(
      b, output, states, operands.query, operands.key, operands.value,
      operands.gate, operands.beta, op.getBonus(), batch, head, row, column,
      state, loop.past, b.getI64IntegerAttr(chunk), op.getScaleAttr(),
      op.getWriteAttr(), op.getReadAttr(),
      TokenOrderAttr::get(b.getContext(), loop.order),
      loop.isUnscaled ? b.getUnitAttr() : UnitAttr());
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(op->getRegions(), made->getRegions()))
    from.cloneInto(&to, mapping);
  return made;
}

/// What the chunk leaves of `decay`, a column of the state. Values behind the
/// last column are 0, so nothing is added.
Value RecurSplitter::emitDecay(const ChunkLoop &loop, Value row, Value decay) {
  auto made = RecurChunkOp::create(
      b, Type(), decay.getType(), op.getQuery(), op.getKey(), op.getValue(),
      op.getGate(), op.getBeta(), op.getBonus(), batch, head, row,
      constant(op.getStateColumns()), decay, /*sums=*/Value(),
      b.getI64IntegerAttr(chunk), op.getScaleAttr(), op.getWriteAttr(),
      op.getReadAttr(), TokenOrderAttr::get(b.getContext(), loop.order),
      UnitAttr());
  IRMapping mapping;
  op.getQueryRows().cloneInto(&made.getQueryRows(), mapping);
  op.getKeyRows().cloneInto(&made.getKeyRows(), mapping);
  return made.getState().front();
}

/// The chunk from token `row` of the part on. Returns what follows on
/// `carried`: the state, if it is written, and rows to be filled, if a chunk
/// has `output`.
SmallVector<Value> RecurSplitter::emitTokens(const ChunkLoop &loop, Value row,
                                             ValueRange state,
                                             ValueRange carried, Type output) {
  Value token = arith::AddIOp::create(b, firstToken, row);
  SmallVector<Value> parts(carried);
  Value into = output ? parts.pop_back_val() : Value();
  Value decay = loop.hasDecay ? parts.pop_back_val() : Value();
  RecurChunkOp made =
      emitChunk(loop, token, loop.writes ? ValueRange(parts) : state, output);
  SmallVector<Value> next(made.getState());
  if (decay)
    next.push_back(emitDecay(loop, token, decay));
  if (into) {
    Value left = arith::SubIOp::create(b, tokens, row);
    // Sums of all tokens are open to a block, not only those of its segment.
    Value place = end && loop.isUnscaled ? token : row;
    next.push_back(insertRows(made.getOutput(), into, place, left));
  }
  return next;
}

/// All chunks of the part, which carry `init`.
SmallVector<Value> RecurSplitter::emitChunks(const ChunkLoop &loop,
                                             ValueRange state, ValueRange init,
                                             Type output) {
  if (isStep())
    return emitTokens(loop, constant(0), state, init, output);
  Value length = constant(chunk);
  auto nest = scf::ForOp::create(b, constant(0), tokens, length, init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(nest.getBody());
  Value row = nest.getInductionVar(); // In the part.
  if (loop.order == TokenOrder::Reversed) {
    Value chunks = arith::CeilDivSIOp::create(b, tokens, length);
    Value last = arith::SubIOp::create(
        b, arith::MulIOp::create(b, chunks, length), length);
    row = arith::SubIOp::create(b, last, row);
  }
  scf::YieldOp::create(
      b, emitTokens(loop, row, state, nest.getRegionIterArgs(), output));
  return SmallVector<Value>(nest.getResults());
}

/// The chunks of the part from `state` on, which they continue. If `rows` is
/// not null, returns it with the rows of all tokens, of which a chunk has
/// `output`.
Value RecurSplitter::emitLoop(const ChunkLoop &loop, SmallVector<Value> &state,
                              Value rows, Type output) {
  SmallVector<Value> init;
  if (loop.writes)
    init = state;
  if (rows)
    init.push_back(rows);
  SmallVector<Value> results = emitChunks(loop, state, init, output);
  Value filled = rows ? results.pop_back_val() : Value();
  if (loop.writes)
    state = results;
  return filled;
}

/// The loops that fill the rows of the block, from `state` on; `isLast` says
/// whether the state behind them is a result.
void RecurSplitter::emitRows(scf::ForallOp forall, SmallVector<Value> state,
                             bool isLast) {
  auto outputType = typeOf(op.getOutput());
  int64_t width = op.getNorm().empty() ? columns : outputType.getDimSize(3);
  Type chunkRows =
      RankedTensorType::get({chunk, width}, outputType.getElementType());
  ChunkLoop last{op.getOrder(), /*writes=*/true, /*past=*/Value()};
  if (sweepsTwice()) {
    int64_t parts = columns + (op.usesDenominator() ? 1 : 0);
    Type chunkSums =
        RankedTensorType::get({chunk, parts}, op.getAccumulatorType());
    Value past =
        openRows(untilEnd(sums), parts, constant(0), end ? end : numTokens);
    last = {TokenOrder::Reversed, /*writes=*/true,
            emitLoop({TokenOrder::Causal, /*writes=*/true, /*past=*/Value(),
                      /*isUnscaled=*/true},
                     state, past, chunkSums)};
    state = zeroState();
  } else if (op.getOrder() == TokenOrder::Bidirectional) {
    emitLoop({TokenOrder::Causal, /*writes=*/true, /*past=*/Value()}, state,
             /*rows=*/Value(), /*output=*/Type());
    last.writes = false;
  }
  Value opened = openRows(untilEnd(forall.getRegionIterArgs()[0]), width,
                          firstToken, tokens);
  Value filled = emitLoop(last, state, opened, chunkRows);
  insertInto(forall, 0, filled, firstToken, column, tokens, width);
  if (isLast && op.getState())
    insertState(forall, 1, state.front());
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void RecurSplitter::enterBlock(scf::ForallOp forall, unsigned before) {
  b.setInsertionPoint(forall.getTerminator());
  batch = sequence = forall.getInductionVar(before);
  head = forall.getInductionVar(before + 1);
  Value number = forall.getInductionVar(before + 2);
  column = arith::MulIOp::create(b, number, constant(columns));
}

/// One block per head and columns, and per batch or segment.
void RecurSplitter::runWhole(ValueRange outputs) {
  OpFoldResult sequences = Value(tensor::DimOp::create(b, op.getValue(), 0));
  if (*segments)
    sequences = segments->getBlocks();
  SmallVector<OpFoldResult> grid{
      sequences, Value(tensor::DimOp::create(b, op.getValue(), 1)),
      b.getIndexAttr(op.getStateColumns() / columns)};
  auto forall = scf::ForallOp::create(b, grid, outputs, std::nullopt);
  passOn(op.getScheduleAttr(), forall);
  OpBuilder::InsertionGuard guard(b);
  enterBlock(forall, /*before=*/0);
  firstToken = constant(0);
  tokens = numTokens;
  if (*segments)
    enterSegment();
  emitRows(forall, firstState(), /*isLast=*/true);
  if (*segments)
    emitBehind(forall);
  op->replaceAllUsesWith(forall);
}

/// `rows`, `[B, H, N, ...]`, up to the end of the segment, if there is one.
Value RecurSplitter::untilEnd(Value rows) {
  return end && rows && typeOf(rows).getRank() > 2 ? limitTokens(b, rows, end)
                                                   : rows;
}

/// Turns the block, which was entered as one of a batch, to that of a segment.
void RecurSplitter::enterSegment() {
  batch = constant(0);
  firstToken = segments->offsetOf(sequence, constant(0));
  Value next = arith::AddIOp::create(b, sequence, constant(1));
  end = segments->offsetOf(next, firstToken);
  tokens = arith::SubIOp::create(b, end, firstToken);
  // Operands that are one tensor stay one.
  llvm::SmallDenseMap<Value, Value> limited;
  for (Value *rows : {&operands.query, &operands.key, &operands.value,
                      &operands.gate, &operands.beta}) {
    Value &known = limited[*rows];
    if (!known)
      known = untilEnd(*rows);
    *rows = known;
  }
}

/// Rows of 0 for the tokens behind the last segment, whose block this may be.
void RecurSplitter::emitBehind(scf::ForallOp forall) {
  Value count = segments->countBehind(sequence, end);
  auto outputType = typeOf(op.getOutput());
  int64_t width = op.getNorm().empty() ? columns : outputType.getDimSize(3);
  auto type =
      RankedTensorType::get({chunk, width}, outputType.getElementType());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  Value opened = openRows(forall.getRegionIterArgs()[0], width, end, count);
  auto nest =
      scf::ForOp::create(b, constant(0), count, constant(chunk), opened);
  b.setInsertionPointToEnd(nest.getBody());
  Value row = nest.getInductionVar();
  Value left = arith::SubIOp::create(b, count, row);
  scf::YieldOp::create(b,
                       insertRows(zeros, nest.getRegionIterArg(0), row, left));
  insertInto(forall, 0, nest.getResult(0), end, column, count, width);
}

LogicalResult RecurSplitter::checkSchedule() {
  int64_t all = op.getStateColumns();
  bool needsAll =
      !op.getNorm().empty() || !op.getValueRows().empty() || sweepsTwice();
  if (needsAll && columns != all)
    return op.emitOpError("schedule: 'block_k' must be at least the ")
           << all
           << " columns of the state, which its regions or order need at once, "
              "got "
           << columns;
  if (all % columns)
    return op.emitOpError("schedule: 'block_k' must divide the ")
           << all << " columns of the state, got " << columns;
  if (splits && op.getSegments())
    return op.emitOpError("schedule: with 'segments' must have no 'splits', as "
                          "segments are visited in parallel, got ")
           << splits;
  if (splits && (op.getOrder() == TokenOrder::Bidirectional ||
                 !op.getValueRows().empty()))
    return op.emitOpError("schedule: 'splits' needs 'order(causal)' or "
                          "'order(reversed)' and no region 'value', got ")
           << splits;
  return success();
}

LogicalResult RecurSplitter::run() {
  if (failed(checkSchedule()))
    return failure();
  if (isStep())
    op.setOrder(TokenOrder::Causal);
  numTokens = tensor::DimOp::create(b, op.getValue(), 2);
  segments.emplace(b, op.getSegments(), numTokens);
  SmallVector<Value> outputs = makeOutputs();
  if (splits)
    runParts(outputs);
  else
    runWhole(outputs);
  op->erase();
  return success();
}

LogicalResult attn::splitRecurrence(RecurOp op) {
  return RecurSplitter(op).run();
}
