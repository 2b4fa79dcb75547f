//===- ReduceTiles.cpp - Rows of many tokens become one -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// attn.reduce as tile ops:
//
//   over(tokens)   scf.forall (b, h):        scf.for blocks of tokens
//                    combine the rows of a block, and those with the ones
//                    before
//   over(heads)    scf.forall (b, block):    scf.for heads
//                    combine the block's rows of a head with those before
//
//===----------------------------------------------------------------------===//

#include "passes/ReduceTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Tokens of a block, and what widths of rows are padded to.
static constexpr int64_t kTokens = 32, kColumns = 16;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

ReduceTiles::ReduceTiles(ImplicitLocOpBuilder &b, const IRMapping &mapping,
                         ReduceOp op)
    : TileValues(b, mapping), op(op),
      type(tileOf(op.getOutput()).getElementType()),
      kind(op.getKind() == RowReduction::Sum ? tile::ReduceKind::Add
                                             : tile::ReduceKind::Max),
      width(llvm::alignTo(tileOf(op.getOutput()).getDimSize(2), kColumns)),
      input(mapping.lookup(op.getInput())) {
  batches = memref::DimOp::create(b, input, index(0));
  heads = memref::DimOp::create(b, input, index(1));
  tokens = memref::DimOp::create(b, input, index(2));
}

Value ReduceTiles::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value ReduceTiles::neutral(ArrayRef<int64_t> shape) {
  return constant(shape, type, tile::getNeutral(kind));
}

/// Mapped rows from token `first` on, with zeros behind them up to the width.
FailureOr<Value> ReduceTiles::rows(Value batch, Value head, Value first) {
  int64_t features = tileOf(op.getInput()).getDimSize(3);
  FailureOr<Value> mapped = loadRows(input, kTokens, features, op.getRows(),
                                     batch, head, head, first);
  if (failed(mapped))
    return failure();
  int64_t missing = width - tileOf(*mapped).getDimSize(1);
  if (!missing)
    return mapped;
  Value padding = constant({kTokens, missing}, type, 0);
  return Value(
      tile::ConcatOp::create(b, RankedTensorType::get({kTokens, width}, type),
                             ValueRange{*mapped, padding}));
}

/// The loop over 0, step, ... below `count` that carries `init` through `next`.
LogicalResult
ReduceTiles::fold(Value count, int64_t step, Value init,
                  function_ref<FailureOr<Value>(Value, Value)> next,
                  Value &result) {
  auto loop = scf::ForOp::create(b, index(0), count, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getBody());
  FailureOr<Value> value =
      next(loop.getInductionVar(), loop.getRegionIterArg(0));
  if (failed(value))
    return failure();
  scf::YieldOp::create(b, *value);
  result = loop.getResult(0);
  return success();
}

LogicalResult ReduceTiles::overTokens(Value output) {
  auto nest = scf::ForallOp::create(b, ArrayRef<OpFoldResult>{batches, heads},
                                    ValueRange(), std::nullopt);
  b.setInsertionPoint(nest.getTerminator());
  Value batch = nest.getInductionVar(0), head = nest.getInductionVar(1), total;
  auto next = [&](Value first, Value before) -> FailureOr<Value> {
    FailureOr<Value> block = rows(batch, head, first);
    if (failed(block))
      return failure();
    Value place = positions(first, kTokens);
    Value end = tile::SplatOp::create(b, place.getType(), tokens);
    Value exists =
        arith::CmpIOp::create(b, arith::CmpIPredicate::slt, place, end);
    Value keep = regions.raise(exists, {kTokens, width});
    Value kept =
        arith::SelectOp::create(b, keep, *block, neutral({kTokens, width}));
    return Value(tile::ReduceOp::create(
        b, before.getType(), tile::ReduceKindAttr::get(b.getContext(), kind),
        kept, before, b.getI64IntegerAttr(0)));
  };
  if (failed(fold(tokens, kTokens, neutral({width}), next, total)))
    return failure();
  tile::StoreOp::create(b, total, output, ValueRange{batch, head, index(0)});
  return success();
}

LogicalResult ReduceTiles::overHeads(Value output) {
  Value blocks = arith::CeilDivSIOp::create(b, tokens, index(kTokens));
  auto nest = scf::ForallOp::create(b, ArrayRef<OpFoldResult>{batches, blocks},
                                    ValueRange(), std::nullopt);
  b.setInsertionPoint(nest.getTerminator());
  Value batch = nest.getInductionVar(0), total;
  Value first =
      arith::MulIOp::create(b, nest.getInductionVar(1), index(kTokens));
  auto next = [&](Value head, Value before) -> FailureOr<Value> {
    FailureOr<Value> block = rows(batch, head, first);
    if (failed(block))
      return failure();
    if (kind == tile::ReduceKind::Add)
      return Value(arith::AddFOp::create(b, before, *block));
    return Value(arith::MaxNumFOp::create(b, before, *block));
  };
  if (failed(fold(heads, 1, neutral({kTokens, width}), next, total)))
    return failure();
  tile::StoreOp::create(b, total, output, ValueRange{batch, first, index(0)});
  return success();
}

LogicalResult ReduceTiles::run(Value output) {
  return op.getOver() == ReducedAxis::Tokens ? overTokens(output)
                                             : overHeads(output);
}
