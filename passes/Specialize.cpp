//===- Specialize.cpp - Versions for few and for many queries -*- C++ -*-===//
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

/// Whether the number of queries of `op` is known at run time only, and nobody
/// has decided yet how it is blocked. In a branch somebody has.
static bool isOpen(AttendOp op) {
  auto type = cast<RankedTensorType>(op.getQuery().getType());
  if (isa<scf::IfOp>(op->getParentOp()) || op.getNumAxes() > 1)
    return false;
  return type.isDynamicDim(2) && !op.getMaxQueries() && !op.getScheduleAttr();
}

/// Replaces `op` by a choice between two copies, one for up to `few` queries.
static void specialize(AttendOp op, int64_t few) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value queries = tensor::DimOp::create(b, op.getQuery(), 2);
  Value isFew = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, queries,
                                      arith::ConstantIndexOp::create(b, few));
  auto copy = [&](IntegerAttr most) {
    return [&, most](OpBuilder &branch, Location loc) {
      auto version = cast<AttendOp>(branch.clone(*op));
      if (most)
        version.setMaxQueriesAttr(most);
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
    SmallVector<AttendOp> ops;
    getOperation().walk([&](AttendOp op) {
      if (isOpen(op))
        ops.push_back(op);
    });
    for (AttendOp op : ops)
      specialize(op, maxQueries);
  }
};
} // namespace
