//===- RecurParts.cpp - Parts of a sequence in parallel -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With splits P in the schedule, parts of the sequence are visited in parallel:
//
//   parts = scf.forall (p, b, h, c):       the state that part p makes of 0,
//     chunks in turn, without rows         and what it leaves of one before it
//   begins = scf.forall (b, h, c):
//     S = initial or 0
//     scf.for p = 0 to P:
//       insert S into begins
//       S = attn.merge_state parts at (b, h, p, c) init(S)
//   scf.forall (p, b, h, c):               rows, from where the part begins
//     S = begins at (b, h, p, c), and chunks in turn
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/RecurBlocks.h"
#include "passes/RecurSplitter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Columns of states that parts leave for each other are a multiple.
static constexpr int64_t kStateMultiple = 8;

/// Room for one state of `width` columns per head and part, below each other.
/// Rows are filled up to whole sectors of a GPU's memory.
Value RecurSplitter::emptyStates(int64_t width) {
  SmallVector<OpFoldResult> sizes{
      Value(tensor::DimOp::create(b, op.getValue(), 0)),
      Value(tensor::DimOp::create(b, op.getValue(), 1)),
      b.getIndexAttr(splits * rows),
      b.getIndexAttr(llvm::alignTo(width, kStateMultiple))};
  return tensor::EmptyOp::create(b, sizes, op.getAccumulatorType());
}

/// Blocks of each part, batch, head and columns.
SmallVector<OpFoldResult> RecurSplitter::partsGrid() {
  return {b.getIndexAttr(splits),
          Value(tensor::DimOp::create(b, op.getValue(), 0)),
          Value(tensor::DimOp::create(b, op.getValue(), 1)),
          b.getIndexAttr(op.getStateColumns() / columns)};
}

/// Opens block (part, batch, head, columns): whole chunks, but for the last
/// part.
void RecurSplitter::enterPart(scf::ForallOp forall) {
  enterBlock(forall, /*before=*/1);
  Value length = constant(chunk);
  Value chunks = arith::CeilDivSIOp::create(b, numTokens, length);
  Value share = arith::CeilDivSIOp::create(b, chunks, constant(splits));
  Value most = arith::MulIOp::create(b, share, length);
  Value first = arith::MulIOp::create(b, forall.getInductionVar(0), most);
  firstToken = arith::MinSIOp::create(b, first, numTokens);
  Value left = arith::SubIOp::create(b, numTokens, firstToken);
  tokens = arith::MinSIOp::create(b, left, most);
}

/// For each part and head the state that it makes of 0, then its decays, a
/// column of them for each block, then the state of the denominator.
Value RecurSplitter::emitParts() {
  int64_t all = op.getStateColumns(), blocks = all / columns;
  Value parts = emptyStates(all + blocks + (op.usesDenominator() ? 1 : 0));
  auto forall = scf::ForallOp::create(b, partsGrid(), parts, std::nullopt);
  passOn(op.getScheduleAttr(), forall);
  OpBuilder::InsertionGuard guard(b);
  enterPart(forall);
  SmallVector<Value> state = zeroState();
  state.push_back(splat(rows, 1, 1));
  ChunkLoop loop{op.getOrder(), /*writes=*/true, /*past=*/Value()};
  loop.hasDecay = true;
  emitLoop(loop, state, /*rows=*/Value(), /*output=*/Type());
  Value row =
      arith::MulIOp::create(b, forall.getInductionVar(0), constant(rows));
  OpFoldResult height = b.getIndexAttr(rows);
  insertInto(forall, 0, state.front(), row, column, height, columns);
  insertInto(forall, 0, state.back(), row,
             decayColumn(forall.getInductionVar(3)), height, 1);
  if (op.usesDenominator())
    insertInto(forall, 0, state[1], row, constant(all + blocks), height, 1);
  return forall.getResult(0);
}

/// The state in front of each part, from those that the parts make; then the
/// last state, if `lastStates` has room for it.
SmallVector<Value> RecurSplitter::emitBegins(Value parts, Value lastStates) {
  int64_t all = op.getStateColumns(), blocks = all / columns;
  int64_t width = columns + (op.usesDenominator() ? 1 : 0); // Of a block.
  SmallVector<Value> outputs{emptyStates(all + width - columns)};
  if (lastStates)
    outputs.push_back(lastStates);
  SmallVector<OpFoldResult> grid = partsGrid();
  auto forall = scf::ForallOp::create(
      b, ArrayRef<OpFoldResult>(grid).drop_front(), outputs, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  enterBlock(forall, /*before=*/0);
  Value height = constant(splits * rows);
  SmallVector<Value> init = firstState();
  init.push_back(
      openRows(forall.getRegionIterArgs()[0], width, constant(0), height));
  auto nest =
      scf::ForOp::create(b, constant(0), constant(splits), constant(1), init);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToEnd(nest.getBody());
    Value part = nest.getInductionVar();
    if (isReversed())
      part = arith::SubIOp::create(b, constant(splits - 1), part);
    Value row = arith::MulIOp::create(b, part, constant(rows));
    Value decay = decayColumn(forall.getInductionVar(2));
    SmallVector<Value> state(nest.getRegionIterArgs());
    Value into = state.pop_back_val();
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    for (auto [number, value] : llvm::enumerate(state)) {
      OpFoldResult at = number ? b.getIndexAttr(columns) : zero;
      into = tensor::InsertSliceOp::create(
          b, value, into, ArrayRef<OpFoldResult>{row, at},
          ArrayRef<OpFoldResult>{b.getIndexAttr(rows),
                                 b.getIndexAttr(typeOf(value).getDimSize(1))},
          ArrayRef<OpFoldResult>{one, one});
      Value col = number ? constant(all + blocks) : column;
      value = MergeStateOp::create(b, value.getType(), parts, batch, head, row,
                                   col, decay, value);
    }
    state.push_back(into);
    scf::YieldOp::create(b, state);
  }
  insertInto(forall, 0, nest.getResults().back(), constant(0), column, height,
             width);
  if (lastStates)
    insertState(forall, 1, nest.getResult(0));
  return SmallVector<Value>(forall.getResults());
}

/// Parts of the sequence in parallel.
void RecurSplitter::runParts(ValueRange outputs) {
  Value parts = emitParts();
  SmallVector<Value> begins =
      emitBegins(parts, outputs.size() > 1 ? outputs[1] : Value());
  auto forall =
      scf::ForallOp::create(b, partsGrid(), outputs.front(), std::nullopt);
  passOn(op.getScheduleAttr(), forall);
  {
    OpBuilder::InsertionGuard guard(b);
    enterPart(forall);
    Value row =
        arith::MulIOp::create(b, forall.getInductionVar(0), constant(rows));
    SmallVector<Value> state = zeroState();
    for (auto [number, part] : llvm::enumerate(state))
      part = LoadStateOp::create(b, part.getType(), begins.front(), batch, head,
                                 row, number ? constant(columns) : column);
    emitRows(forall, state, /*isLast=*/false);
  }
  SmallVector<Value> results{forall.getResult(0)};
  results.append(begins.begin() + 1, begins.end());
  op->replaceAllUsesWith(results);
}
