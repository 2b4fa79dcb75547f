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
#include "passes/sparsity/MaskIntervals.h"

namespace attn {
#define GEN_PASS_DEF_INFERSPARSITY
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Merges equal ops of a block and drops those that nothing uses.
static void tidy(Block &block) {
  SmallVector<Operation *> kept;
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    auto same = llvm::find_if(kept, [&](Operation *other) {
      return OperationEquivalence::isEquivalentTo(
          other, &op, OperationEquivalence::IgnoreLocations);
    });
    if (same == kept.end()) {
      kept.push_back(&op);
      continue;
    }
    op.replaceAllUsesWith(*same);
    op.erase();
  }
  for (Operation *op : llvm::reverse(kept))
    if (op->use_empty())
      op->erase();
}

/// Says what stood in the way of better ranges.
static void explain(AttendOp op, const KeySets &sets, Operation *obstacle) {
  if (!obstacle || !(sets.some.isEverything() || sets.all.isEmpty))
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
      if (!op.getMask().empty() && op.getKeys().empty() && op.getNumAxes() == 1)
        infer(op);
    });
  }
};
} // namespace
