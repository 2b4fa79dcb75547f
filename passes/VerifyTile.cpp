//===- VerifyTile.cpp - Check that a function is a tile program -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/TileDialect.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_VERIFYTILE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Whether `op` is of a kind that a tile program may hold.
static bool isKnown(Operation *op) {
  if (isa<tile::ConvertLayoutOp, tile::BarrierOp>(op))
    return false; // The back ends for GPUs make them.
  if (isa<arith::ConstantOp>(op) || isa<tile::TileDialect>(op->getDialect()))
    return true;
  if (isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return OpTrait::hasElementwiseMappableTraits(op);
  return isa<scf::ForallOp, scf::InParallelOp, scf::ForOp, scf::IfOp,
             scf::YieldOp, memref::DimOp, memref::ReinterpretCastOp,
             memref::CastOp, memref::SubViewOp, memref::AllocOp,
             memref::DeallocOp, memref::LoadOp, func::ReturnOp>(op);
}

/// Checks kind and types of one op.
static LogicalResult verifyMember(Operation *op) {
  if (!isKnown(op))
    return op->emitError("not part of a tile program: '")
           << op->getName() << "'";
  auto isOpen = [](Type type) {
    auto tensor = dyn_cast<TensorType>(type);
    return tensor && !tensor.hasStaticShape();
  };
  for (Type type : op->getResultTypes())
    if (isOpen(type))
      return op->emitError("tiles must have static shape, got ") << type;
  for (StringRef name : {"within", "across", "between"})
    if (isa<tile::DotOp, tile::ScanOp, tile::DecayDotOp>(op) &&
        op->getInherentAttr(name).value_or(Attribute()))
      return op->emitOpError("expected no '")
             << name << "' in a tile program: back ends introduce it";
  if (isa<memref::LoadOp>(op) && op->getParentOfType<scf::ForallOp>())
    return op->emitError("blocks of a tile program read tiles, not elements of "
                         "memory: expected 'tile.gather', got 'memref.load'");
  if (auto forall = dyn_cast<scf::ForallOp>(op);
      forall && forall.getNumResults())
    return forall.emitError(
        "blocks of a tile program store their results, they "
        "do not yield them");
  return success();
}

namespace {
struct VerifyTile : attn::impl::VerifyTileBase<VerifyTile> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (Type type : llvm::concat<const Type>(function.getArgumentTypes(),
                                              function.getResultTypes()))
      if (isa<TensorType>(type)) {
        function.emitError("a tile program takes views, not tensors, got ")
            << type;
        return signalPassFailure();
      }
    WalkResult result = function.getBody().walk([](Operation *op) {
      return failed(verifyMember(op)) ? WalkResult::interrupt()
                                      : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
    else
      markAllAnalysesPreserved();
  }
};
} // namespace
