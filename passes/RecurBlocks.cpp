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
// the second one reads; with them, the first one is a causal sweep that keeps
// the sums of its rows, which a reversed one adds.
//
//===----------------------------------------------------------------------===//

#include "passes/RecurBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Rows of the state in a block are a multiple: whole vectors on any target.
static constexpr int64_t kRowMultiple = 16;

namespace {
/// One loop over the chunks of a block.
struct ChunkLoop {
  TokenOrder order;
  bool writes; ///< Whether it carries the state.
  Value past;  ///< Sums of an earlier loop; null if there is none.
  bool isUnscaled = false;
};

/// Splits one attn.recur.
class RecurSplitter {
public:
  RecurSplitter(RecurOp op)
      : op(op), b(op.getLoc(), op), chunk(op.getScheduleAttr().getBlockQ()),
        columns(
            std::min(op.getScheduleAttr().getBlockK(), op.getStateColumns())),
        rows(llvm::alignTo(op.getStateRows(), kRowMultiple)) {}

  LogicalResult run();

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value zeros(int64_t height, int64_t width);
  RankedTensorType typeOf(Value value) {
    return cast<RankedTensorType>(value.getType());
  }
  bool sweepsTwice() {
    return op.getOrder() == TokenOrder::Bidirectional && op.hasGate();
  }
  SmallVector<Value> makeOutputs();
  SmallVector<Value> firstState();
  Value openRows(Value result, int64_t width);
  Value insertRows(Value rows, Value into, Value row);
  void closeRows(scf::ForallOp forall, unsigned result, Value rows);
  void insertState(scf::ForallOp forall, Value state);
  RecurChunkOp emitChunk(const ChunkLoop &loop, Value row, ValueRange state,
                         Type output);
  Value emitLoop(const ChunkLoop &loop, SmallVector<Value> &state, Value rows,
                 Type output);
  void emitBlock(scf::ForallOp forall);

  RecurOp op;
  ImplicitLocOpBuilder b;
  int64_t chunk, columns; ///< Tokens and columns of a block.
  int64_t rows;           ///< Of the state in a block.
  Value numTokens;
  Value sums; ///< Of a first sweep, `[B, H, N, width]`; else null.
  Value batch, head, column; ///< Of the block that is being emitted.
};
} // namespace

Value RecurSplitter::zeros(int64_t height, int64_t width) {
  auto type = RankedTensorType::get({height, width}, op.getAccumulatorType());
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
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

SmallVector<Value> RecurSplitter::firstState() {
  SmallVector<Value> state{zeros(rows, columns)};
  if (op.getInitial())
    state.front() = LoadStateOp::create(b, state.front().getType(),
                                        op.getInitial(), batch, head, column);
  if (op.usesDenominator())
    state.push_back(zeros(rows, 1));
  return state;
}

/// The rows of the block's head in `result`, `width` columns of them.
Value RecurSplitter::openRows(Value result, int64_t width) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult first = column;
  auto type = RankedTensorType::get({ShapedType::kDynamic, width},
                                    typeOf(result).getElementType());
  return tensor::ExtractSliceOp::create(
      b, type, result, ArrayRef<OpFoldResult>{batch, head, zero, first},
      ArrayRef<OpFoldResult>{one, one, numTokens, b.getIndexAttr(width)},
      ArrayRef<OpFoldResult>{one, one, one, one});
}

/// `into` with the tokens of a chunk that exist, from `row` on.
Value RecurSplitter::insertRows(Value rows, Value into, Value row) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Value left = arith::SubIOp::create(b, numTokens, row);
  OpFoldResult count = Value(arith::MinSIOp::create(b, left, constant(chunk)));
  OpFoldResult width = b.getIndexAttr(typeOf(rows).getDimSize(1));
  SmallVector<OpFoldResult> sizes{count, width}, strides{one, one};
  Value existing = tensor::ExtractSliceOp::create(
      b, rows, ArrayRef<OpFoldResult>{zero, zero}, sizes, strides);
  return tensor::InsertSliceOp::create(
      b, existing, into, ArrayRef<OpFoldResult>{row, zero}, sizes, strides);
}

/// Puts all rows of the head back into shared output `result`.
void RecurSplitter::closeRows(scf::ForallOp forall, unsigned result,
                              Value rows) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult first = column;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, rows, forall.getRegionIterArgs()[result],
      ArrayRef<OpFoldResult>{batch, head, zero, first},
      ArrayRef<OpFoldResult>{one, one, numTokens,
                             b.getIndexAttr(typeOf(rows).getDimSize(1))},
      ArrayRef<OpFoldResult>{one, one, one, one});
}

void RecurSplitter::insertState(scf::ForallOp forall, Value state) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult height = b.getIndexAttr(op.getStateRows()),
               width = b.getIndexAttr(columns), first = column;
  Value existing = tensor::ExtractSliceOp::create(
      b, state, ArrayRef<OpFoldResult>{zero, zero},
      ArrayRef<OpFoldResult>{height, width}, ArrayRef<OpFoldResult>{one, one});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, existing, forall.getRegionIterArgs()[1],
      ArrayRef<OpFoldResult>{batch, head, zero, first},
      ArrayRef<OpFoldResult>{one, one, height, width},
      ArrayRef<OpFoldResult>{one, one, one, one});
}

/// One chunk from token `row` on; `output` is the type of its rows, if any.
RecurChunkOp RecurSplitter::emitChunk(const ChunkLoop &loop, Value row,
                                      ValueRange state, Type output) {
  SmallVector<Type> states;
  if (loop.writes)
    llvm::append_range(states, state.getTypes());
  auto made = RecurChunkOp::create(
      b, output, states, op.getQuery(), op.getKey(), op.getValue(),
      op.getGate(), op.getBeta(), op.getBonus(), batch, head, row, column,
      state, loop.past, b.getI64IntegerAttr(chunk), op.getScaleAttr(),
      op.getWriteAttr(), op.getReadAttr(),
      TokenOrderAttr::get(b.getContext(), loop.order),
      loop.isUnscaled ? b.getUnitAttr() : UnitAttr());
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(op->getRegions(), made->getRegions()))
    from.cloneInto(&to, mapping);
  return made;
}

/// The loop over all chunks from `state` on, which it continues. If `rows` is
/// not null, returns it with the rows of all tokens, of which a chunk has
/// `output`.
Value RecurSplitter::emitLoop(const ChunkLoop &loop, SmallVector<Value> &state,
                              Value rows, Type output) {
  SmallVector<Value> init;
  if (loop.writes)
    init = state;
  if (rows)
    init.push_back(rows);
  Value length = constant(chunk);
  auto nest = scf::ForOp::create(b, constant(0), numTokens, length, init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(nest.getBody());
  Value row = nest.getInductionVar();
  if (loop.order == TokenOrder::Reversed) {
    Value chunks = arith::CeilDivSIOp::create(b, numTokens, length);
    Value last = arith::SubIOp::create(
        b, arith::MulIOp::create(b, chunks, length), length);
    row = arith::SubIOp::create(b, last, row);
  }
  SmallVector<Value> carried(nest.getRegionIterArgs());
  Value into = rows ? carried.pop_back_val() : Value();
  RecurChunkOp made =
      emitChunk(loop, row, loop.writes ? carried : state, output);
  SmallVector<Value> next(made.getState());
  if (rows)
    next.push_back(insertRows(made.getOutput(), into, row));
  scf::YieldOp::create(b, next);
  SmallVector<Value> results(nest.getResults());
  Value filled = rows ? results.pop_back_val() : Value();
  if (loop.writes)
    state = results;
  return filled;
}

void RecurSplitter::emitBlock(scf::ForallOp forall) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  batch = forall.getInductionVar(0);
  head = forall.getInductionVar(1);
  column =
      arith::MulIOp::create(b, forall.getInductionVar(2), constant(columns));
  auto outputs = forall.getRegionIterArgs();
  auto outputType = typeOf(op.getOutput());
  int64_t width = op.getNorm().empty() ? columns : outputType.getDimSize(3);
  Type chunkRows =
      RankedTensorType::get({chunk, width}, outputType.getElementType());
  SmallVector<Value> state = firstState();

  ChunkLoop last{op.getOrder(), /*writes=*/true, /*past=*/Value()};
  if (sweepsTwice()) {
    int64_t parts = columns + (op.usesDenominator() ? 1 : 0);
    Type chunkSums =
        RankedTensorType::get({chunk, parts}, op.getAccumulatorType());
    last = {TokenOrder::Reversed, /*writes=*/true,
            emitLoop({TokenOrder::Causal, /*writes=*/true, /*past=*/Value(),
                      /*isUnscaled=*/true},
                     state, openRows(sums, parts), chunkSums)};
    state = firstState();
  } else if (op.getOrder() == TokenOrder::Bidirectional) {
    emitLoop({TokenOrder::Causal, /*writes=*/true, /*past=*/Value()}, state,
             /*rows=*/Value(), /*output=*/Type());
    last.writes = false;
  }
  Value filled =
      emitLoop(last, state, openRows(outputs.front(), width), chunkRows);
  closeRows(forall, 0, filled);
  if (op.getState())
    insertState(forall, state.front());
}

LogicalResult RecurSplitter::run() {
  bool isWhole = columns == op.getStateColumns();
  if (!isWhole &&
      (!op.getNorm().empty() || !op.getValueRows().empty() || sweepsTwice()))
    return op.emitOpError("schedule: 'block_k' must be at least the ")
           << op.getStateColumns()
           << " columns of the state, which its regions and orders need at "
              "once, got "
           << columns;
  if (op.getStateColumns() % columns)
    return op.emitOpError("schedule: 'block_k' must divide the ")
           << op.getStateColumns() << " columns of the state, got " << columns;
  numTokens = tensor::DimOp::create(b, op.getValue(), 2);
  SmallVector<Value> outputs = makeOutputs();
  SmallVector<OpFoldResult> grid{
      Value(tensor::DimOp::create(b, op.getValue(), 0)),
      Value(tensor::DimOp::create(b, op.getValue(), 1)),
      b.getIndexAttr(op.getStateColumns() / columns)};
  auto forall = scf::ForallOp::create(b, grid, outputs, std::nullopt);
  emitBlock(forall);
  op->replaceAllUsesWith(forall.getResults().take_front(op->getNumResults()));
  op->erase();
  return success();
}

LogicalResult attn::splitRecurrence(RecurOp op) {
  return RecurSplitter(op).run();
}
