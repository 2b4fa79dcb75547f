//===- Fuse.cpp - Move row maps into attend ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Terms: a row map is a region that maps the feature vector of one token; a
// producer is the attn.map_rows whose result an op reads. Fusing composes the
// producer's region with the (possibly empty) row map that the consumer applies
// to the same operand, the producer first.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_FUSE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The row map that produces `operand`, if nothing else reads its result.
static MapRowsOp getOnlyProducer(Value operand) {
  auto producer = operand.getDefiningOp<MapRowsOp>();
  return producer && operand.hasOneUse() ? producer : MapRowsOp();
}

/// Whether `producer` should write its rows even if one attend op reads them: a
/// product with a matrix is worth a pass through memory.
static bool isWorthKeeping(MapRowsOp producer) {
  return !producer.getRows().getOps<ContractRowOp>().empty();
}

/// Makes `rows` apply the region of `producer` before what it does already.
static void prependRows(PatternRewriter &rewriter, Region &rows,
                        MapRowsOp producer) {
  if (rows.empty()) {
    rewriter.inlineRegionBefore(producer.getRows(), rows, rows.end());
    return;
  }
  Block &first = producer.getRows().front(), &second = rows.front();
  auto yield = cast<YieldOp>(first.getTerminator());
  Value mapped = yield.getValues().front();
  rewriter.eraseOp(yield);
  // The merged block keeps the arguments of the first.
  SmallVector<Value> arguments(first.args_begin(), first.args_end());
  arguments.front() = mapped;
  rewriter.inlineRegionBefore(producer.getRows(), rows, rows.begin());
  rewriter.mergeBlocks(&second, &rows.front(), arguments);
}

/// Fuses a row map that produces `operand` into `rows`, the region for it of
/// `op`, which nothing else may read.
static LogicalResult fuseProducer(PatternRewriter &rewriter, Operation *op,
                                  OpOperand &operand, Region &rows) {
  MapRowsOp producer = getOnlyProducer(operand.get());
  // A row map may know better or worse than its input that B is 1.
  if (!producer || isWorthKeeping(producer) ||
      hasSharedBatch(producer.getInput()) != hasSharedBatch(operand.get()))
    return failure();
  rewriter.modifyOpInPlace(op, [&] {
    prependRows(rewriter, rows, producer);
    operand.set(producer.getInput());
  });
  rewriter.eraseOp(producer);
  return success();
}

namespace {
/// Fuses row maps of query, key and value.
///
/// A scale that is left out may depend on the features that meet, which fusing
/// does not change: the default looks through the query region.
template <typename OpT> struct FuseIntoRows : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    SmallVector<std::pair<OpOperand *, Region *>> rows{
        {&op.getQueryMutable(), &op.getQueryRows()},
        {&op.getValueMutable(), &op.getValueRows()}};
    for (OpOperand &key : op->getOpOperands())
      if (key.get() == op.getKey() && &key != rows[0].first &&
          &key != rows[1].first)
        rows.push_back({&key, &op.getKeyRows()});
    for (auto [operand, region] : rows)
      if (succeeded(fuseProducer(rewriter, op, *operand, *region)))
        return success();
    return rewriter.notifyMatchFailure(op,
                                       "no operand is a row map of its own");
  }
};

/// Fuses the row map of the output of a recurrence into its `norm` region.
struct FuseIntoNorm : OpRewritePattern<MapRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MapRowsOp op,
                                PatternRewriter &rewriter) const override {
    auto recur = op.getInput().getDefiningOp<RecurOp>();
    if (!recur || op.getInput() != recur.getOutput() ||
        !recur.getOutput().hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is no row of a recurrence");
    if (recur.getSegments())
      return rewriter.notifyMatchFailure(
          op,
          "what it makes of rows of 0, those of tokens in no segment, would "
          "be lost");
    rewriter.modifyOpInPlace(recur, [&] {
      appendToNorm(rewriter, recur, op.getRows());
      recur.getOutput().setType(cast<RankedTensorType>(op.getType()));
    });
    rewriter.replaceOp(op, recur.getOutput());
    return success();
  }

private:
  /// Makes `norm` apply `rows` to what it yields.
  static void appendToNorm(PatternRewriter &rewriter, RecurOp recur,
                           Region &rows) {
    Region &norm = recur.getNorm();
    OpBuilder::InsertionGuard guard(rewriter);
    if (norm.empty()) {
      Type element = recur.getAccumulatorType(),
           index = rewriter.getIndexType();
      Type row = RankedTensorType::get({recur.getStateColumns()}, element);
      Block *block = rewriter.createBlock(
          &norm, norm.end(), {row, element, index, index, index},
          SmallVector<Location>(5, recur.getLoc()));
      YieldOp::create(rewriter, recur.getLoc(), block->getArgument(0));
    }
    Block &first = norm.front();
    auto yield = cast<YieldOp>(first.getTerminator());
    Value row = yield.getValues().front();
    rewriter.eraseOp(yield);
    rewriter.mergeBlocks(&rows.front(), &first,
                         {row, first.getArgument(2), first.getArgument(3),
                          first.getArgument(4)});
  }
};

/// Fuses a row map into the row map that reads it.
struct FuseChain : OpRewritePattern<MapRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MapRowsOp op,
                                PatternRewriter &rewriter) const override {
    MapRowsOp producer = getOnlyProducer(op.getInput());
    if (!producer)
      return rewriter.notifyMatchFailure(op,
                                         "input is not a row map of its own");
    rewriter.modifyOpInPlace(op, [&] {
      prependRows(rewriter, op.getRows(), producer);
      op.getInputMutable().assign(producer.getInput());
    });
    rewriter.eraseOp(producer);
    return success();
  }
};

struct Fuse : attn::impl::FuseBase<Fuse> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseIntoRows<AttendOp>, FuseIntoRows<RecurOp>, FuseIntoNorm,
                 FuseChain>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
