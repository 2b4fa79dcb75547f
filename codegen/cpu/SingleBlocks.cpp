//===- SingleBlocks.cpp - Blocks that lost their loop ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/SingleBlocks.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

bool attn::touchesTiles(Operation *op) {
  auto isTile = [](Type type) { return isa<RankedTensorType>(type); };
  return llvm::any_of(op->getOperandTypes(), isTile) ||
         llvm::any_of(op->getResultTypes(), isTile);
}

bool attn::holdsTiles(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        bool found =
            touchesTiles(inner) || isa<tile::TileDialect>(inner->getDialect());
        return found && !isa<arith::ConstantOp>(inner) ? WalkResult::interrupt()
                                                       : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether `op` reads what an op in the body of `forall` computes.
static bool dependsOn(Operation &op, scf::ForallOp forall) {
  return llvm::any_of(op.getOperands(), [&](Value operand) {
    return operand.getParentBlock() == forall.getBody();
  });
}

/// Whether blocks have kept their loop somewhere in `op`.
static bool holdsLoop(Operation &op) {
  return op.walk([](scf::ForallOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// Whether what runs blocks reads in `op` what they have computed.
static bool readsBlocks(Operation &op) {
  return op.walk([](memref::LoadOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// What wrapSingleBlocks() does, for the ops of one block of the function and
/// of branches in it.
static void wrapSingleBlocks(Block &block) {
  scf::ForallOp wrapper;
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    if (isa<scf::ForallOp, memref::DeallocOp>(op)) {
      wrapper = nullptr;
    } else if (holdsLoop(op) || (isa<scf::IfOp>(op) && readsBlocks(op))) {
      // A branch with loops over blocks: its single blocks lie in it.
      wrapper = nullptr;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          wrapSingleBlocks(inner);
    } else if (readsBlocks(op)) {
      wrapper = nullptr; // It has to stay behind them.
    } else if (holdsTiles(&op) || (wrapper && dependsOn(op, wrapper))) {
      OpBuilder b(&op);
      if (!wrapper)
        wrapper = scf::ForallOp::create(
            b, op.getLoc(), ArrayRef<OpFoldResult>{b.getIndexAttr(1)},
            ValueRange(), std::nullopt);
      op.moveBefore(wrapper.getTerminator());
    } else if (wrapper) {
      op.moveBefore(wrapper);
    }
  }
}

void attn::wrapSingleBlocks(func::FuncOp function) {
  ::wrapSingleBlocks(function.getBody().front());
}
