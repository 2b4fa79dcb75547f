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
#include "passes/sparsity/BlockClasses.h"
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
  for (int i = 0; i < 6; ++i)
    block.addArgument(index, op.getLoc());
  ImplicitLocOpBuilder b(op.getLoc(), op.getContext());
  b.setInsertionPointToEnd(&block);
  auto find = [](Value table, unsigned, unsigned) {
    return TableBounds{table, table, 1};
  };
  BlockClasses classes(op.getMask(), b, find);
  classes.bind(0, block.getArgument(0));
  classes.bind(1, block.getArgument(1));
  classes.bind(2, BlockAxis{block.getArgument(2), block.getArgument(3)});
  classes.bind(3, BlockAxis{block.getArgument(4), block.getArgument(5)});
  classes.evaluate();
  return classes.getObstacle();
}

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
    return;
  }
  SmallVector<Value> bounds = intervals.emit(sets);
  auto b = OpBuilder::atBlockEnd(&keys);
  YieldOp::create(b, op.getLoc(), bounds);
  tidy(keys);
}

namespace {
struct InferSparsity : attn::impl::InferSparsityBase<InferSparsity> {
  void runOnOperation() override {
    getOperation().walk([](AttendOp op) {
      // On a grid, keys that a block of queries meets are no range.
      if (!op.getMask().empty() && op.getKeys().empty() && !op.getOffsets() &&
          !op.getQuerySegments() && op.getNumAxes() == 1)
        infer(op);
    });
  }
};
} // namespace
