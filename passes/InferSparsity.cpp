//===- InferSparsity.cpp - Which keys a mask leaves -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The mask is a formula over the positions of one query and one key. Evaluated
// for a whole block of queries, it says which keys the block can meet at all,
// and which all of its queries meet (passes/sparsity/MaskIntervals.h). Both are
// ranges whose bounds are index arithmetic on the ends of the block; they
// become the region `keys`.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Passes.h"
#include "passes/Report.h"
#include "passes/sparsity/BlockClasses.h"
#include "passes/sparsity/FormulaText.h"
#include "passes/sparsity/MaskIntervals.h"
#include "passes/sparsity/TidyBlock.h"

namespace attn {
#define GEN_PASS_DEF_INFERSPARSITY
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The first op of the mask of which nothing is known for pairs of blocks
/// either; null if a list of blocks will tell what ranges do not.
static Operation *findObstacle(AttendOp op) {
  Region scratch;
  Block &block = scratch.emplaceBlock();
  Type index = IndexType::get(op.getContext());
  unsigned axes = 2 * op.getNumAxes();
  for (unsigned i = 0; i < 2 + 2 * axes; ++i)
    block.addArgument(index, op.getLoc());
  ImplicitLocOpBuilder b(op.getLoc(), op.getContext());
  b.setInsertionPointToEnd(&block);
  auto find = [](Value table, unsigned, unsigned) {
    return TableBounds{table, table, 1};
  };
  BlockClasses classes(op.getMask(), b, find);
  classes.bind(0, block.getArgument(0));
  classes.bind(1, block.getArgument(1));
  for (unsigned i = 0; i < axes; ++i)
    classes.bind(2 + i, BlockAxis{block.getArgument(2 + 2 * i),
                                  block.getArgument(3 + 2 * i)});
  classes.evaluate();
  return classes.getObstacle();
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

/// What to write in the place of an op of which nothing is known.
static StringRef getAdvice(Operation *op) {
  if (isa<tensor::ExtractOp>(op))
    return "read captured integers along one dimension, at the position of "
           "the query or of the key, and compare what was read";
  if (isa<RandomOp>(op))
    return "what is random has no structure; where weights are dropped, 'prob' "
           "is the place for it";
  if (isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op))
    return "multiply or divide by a constant";
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp,
          arith::CeilDivSIOp, arith::CeilDivUIOp, arith::RemSIOp,
          arith::RemUIOp>(op))
    return "divide by a positive number that is the same for all pairs";
  auto isFloat = [](Type type) { return isa<FloatType>(type); };
  if (llvm::any_of(op->getOperandTypes(), isFloat) ||
      llvm::any_of(op->getResultTypes(), isFloat))
    return "compute with integers or indices instead of floating point";
  return "write it with sums, products, minima, maxima, absolute values, "
         "select, quotients, remainders and comparisons of indices";
}

/// Reports the op that kept `what` from being known.
static void reportObstacle(Operation *obstacle, StringRef what) {
  if (obstacle)
    report(obstacle->getLoc(), "obstacle")
        << FactValue("Of", what)
        << FactValue("Op", obstacle->getName().getStringRef())
        << FactValue("Advice", getAdvice(obstacle));
}

/// Reports the ranges of `op` and what stood in the way of better ones.
static void reportRanges(AttendOp op, const MaskIntervals &intervals) {
  if (!isReported(op.getContext()))
    return;
  bool hasRanges = !op.getKeys().empty();
  if (hasRanges)
    report(op.getLoc(), "structure")
        << FactValue("Kind", "ranges")
        << FactValue("Visited", printVisited(op.getKeys()))
        << FactValue("Full", printFull(op.getKeys()))
        << FactValue("Exact", intervals.isExact());
  else
    report(op.getLoc(), "structure") << FactValue("Kind", "no ranges");
  reportObstacle(intervals.getObstacle(), "ranges");
  reportObstacle(findObstacle(op), "classes");
}

/// Reports what is known without an analysis.
static void reportGiven(AttendOp op) {
  bool hasNoMask = op.getMask().empty() && !op.getOffsets();
  StringRef kind = hasNoMask         ? "no mask"
                   : op.getOffsets() ? "given list"
                   : op.getMask().empty() || !op.getKeys().empty()
                       ? "given ranges"
                       : "grid";
  auto structure = report(op.getLoc(), "structure");
  structure << FactValue("Kind", kind);
  if (op.getOffsets())
    structure << FactValue("Offsets", getTensorName(op.getOffsets()))
              << FactValue("Blocks", getTensorName(op.getBlocks()));
  if (kind == "grid")
    reportObstacle(findObstacle(op), "classes");
}

//===----------------------------------------------------------------------===//
// Inference
//===----------------------------------------------------------------------===//

/// Says what stood in the way of better ranges.
static void explain(AttendOp op, const KeySets &sets, Operation *obstacle) {
  if (!obstacle || !(sets.some.isEverything() || sets.all.isEmpty))
    return;
  obstacle = findObstacle(op);
  if (!obstacle)
    return;
  StringRef what = sets.some.isEverything() ? "every block of keys is visited"
                                            : "the mask is evaluated in every "
                                              "block of keys";
  op.emitRemark(what).attachNote(obstacle->getLoc())
      << "'" << obstacle->getName() << "' has no bounds that are known";
}

static void infer(AttendOp op) {
  Block &keys = op.getKeys().emplaceBlock();
  Type index = IndexType::get(op.getContext());
  for (int i = 0; i < 4; ++i)
    keys.addArgument(index, op.getLoc());
  bool startsAtZero = op.getAlignment() != Alignment::End;
  MaskIntervals intervals(op.getMask(), keys, startsAtZero);
  KeySets sets = intervals.evaluate();
  explain(op, sets, intervals.getObstacle());
  if (sets.some.isEverything() && sets.all.isEmpty) {
    op.getKeys().getBlocks().clear();
    return reportRanges(op, intervals);
  }
  SmallVector<Value> bounds = intervals.emit(sets);
  auto b = OpBuilder::atBlockEnd(&keys);
  YieldOp::create(b, op.getLoc(), bounds);
  tidy(keys);
  reportRanges(op, intervals);
}

namespace {
struct InferSparsity : attn::impl::InferSparsityBase<InferSparsity> {
  void runOnOperation() override {
    getOperation().walk([](AttendOp op) {
      // On a grid, keys that a block of queries meets are no range.
      if (!op.getMask().empty() && op.getKeys().empty() && !op.getOffsets() &&
          !op.getQuerySegments() && op.getNumAxes() == 1)
        infer(op);
      else if (isReported(op.getContext()))
        reportGiven(op);
    });
  }
};
} // namespace
