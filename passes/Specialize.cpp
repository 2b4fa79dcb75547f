//===- Specialize.cpp - Versions for few and for many tokens -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_SPECIALIZE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Whether `rows` has a number of rows that is known at run time only, and
/// nobody has decided yet how `op` is blocked. In a branch somebody has.
static bool isOpen(Operation *op, Value rows, ScheduleAttr schedule) {
  return cast<RankedTensorType>(rows.getType()).isDynamicDim(2) && !schedule &&
         !isa<scf::IfOp>(op->getParentOp());
}

/// A list of blocks says how attention is blocked, too. On a grid it has no
/// version for few queries.
static bool isOpen(AttendOp op) {
  return op.getNumAxes() == 1 &&
         isOpen(op, op.getQuery(), op.getScheduleAttr()) &&
         !op.getMaxQueries() && !op.getBlockSizes();
}

/// Without a state that comes in, a single token is the first one of its
/// sequence: too rare for a version of its own. Segments tell nothing by their
/// sum.
static bool isOpen(RecurOp op) {
  return isOpen(op, op.getValue(), op.getScheduleAttr()) &&
         !op.getMaxTokens() && op.getInitial() && !op.getSegments();
}

/// Replaces `op` by a choice between two copies, one of which `promise` tells
/// that there are up to `few` of the rows of `rows`.
template <typename OpT>
static void specialize(OpT op, Value rows, int64_t few,
                       function_ref<void(OpT, IntegerAttr)> promise) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value count = tensor::DimOp::create(b, rows, 2);
  Value isFew = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, count,
                                      arith::ConstantIndexOp::create(b, few));
  auto copy = [&](IntegerAttr most) {
    return [&, most](OpBuilder &branch, Location loc) {
      auto version = cast<OpT>(branch.clone(*op));
      if (most)
        promise(version, most);
      scf::YieldOp::create(branch, loc, version->getResults());
    };
  };
  auto choice =
      scf::IfOp::create(b, isFew, copy(b.getI64IntegerAttr(few)), copy({}));
  op->replaceAllUsesWith(choice);
  op->erase();
}

namespace {
struct Specialize : attn::impl::SpecializeBase<Specialize> {
  using SpecializeBase::SpecializeBase;

  void runOnOperation() override {
    SmallVector<AttendOp> attends;
    SmallVector<RecurOp> recurrences;
    getOperation().walk([&](Operation *op) {
      if (auto attend = dyn_cast<AttendOp>(op); attend && isOpen(attend))
        attends.push_back(attend);
      if (auto recur = dyn_cast<RecurOp>(op); recur && isOpen(recur))
        recurrences.push_back(recur);
    });
    for (AttendOp op : attends)
      specialize<AttendOp>(op, op.getQuery(), maxQueries,
                           [](AttendOp version, IntegerAttr most) {
                             version.setMaxQueriesAttr(most);
                           });
    for (RecurOp op : recurrences)
      specialize<RecurOp>(op, op.getValue(), 1,
                          [](RecurOp version, IntegerAttr most) {
                            version.setMaxTokensAttr(most);
                          });
  }
};
} // namespace
