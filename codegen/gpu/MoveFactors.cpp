//===- MoveFactors.cpp - Factors of features to queries -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A score is a sum over features d, and a number g_d of each feature, such as a
// learned gain, may multiply either side:
//
//   sum_d q_d (r g_d k_d)  =  r sum_d (q_d g_d) k_d
//
// Queries are computed once for all keys, keys again for each block of queries.
// So the factor moves to the queries. Keys that are multiplied by nothing else,
// or by a number r for each key, are then what memory has: operands of matrix
// instructions as they are.
//
// Keys that are joined keep a factor: without it their parts would be exact and
// be multiplied part by part, but queries times the factor have no parts.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Passes.h"
#include "codegen/gpu/Resources.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

namespace attn {
#define GEN_PASS_DEF_GPUMOVEFACTORS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether all elements of `row` are one number.
static bool isUniform(Value row) {
  DenseElementsAttr constant;
  return row.getDefiningOp<tensor::SplatOp>() ||
         (matchPattern(row, m_Constant(&constant)) && constant.isSplat());
}

/// Whether `value` is the same for all rows that `region` is applied to.
static bool isSameForRows(Value value, Region &region) {
  if (value.getParentRegion() != &region)
    return value.getParentRegion()->isProperAncestor(&region);
  Operation *op = value.getDefiningOp();
  return op && !op->getNumRegions() && isMemoryEffectFree(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isSameForRows(operand, region);
         });
}

/// Whether `row` is joined from others, perhaps times numbers.
static bool isJoined(Value row) {
  while (auto product = row.getDefiningOp<arith::MulFOp>()) {
    if (isUniform(product.getRhs()))
      row = product.getLhs();
    else if (isUniform(product.getLhs()))
      row = product.getRhs();
    else
      return false;
  }
  return static_cast<bool>(row.getDefiningOp<tensor::ConcatOp>());
}

/// The operand of `product` that has a number of its own for each feature, the
/// same for all rows; null if none.
static OpOperand *findFactor(arith::MulFOp product, Region &region) {
  for (OpOperand &operand : product->getOpOperands())
    if (!isUniform(operand.get()) && isSameForRows(operand.get(), region))
      return &operand;
  return nullptr;
}

/// Takes a factor of features out of what `region` yields; null if there is
/// none. Numbers that multiply the whole row may stand behind it, if they were
/// not computed with it.
static Value takeFactor(Region &region) {
  auto product = getYielded(region).getDefiningOp<arith::MulFOp>();
  while (product && product->getParentRegion() == &region &&
         product->hasOneUse()) {
    if (OpOperand *factor = findFactor(product, region)) {
      Value taken = factor->get();
      Value kept = product->getOperand(1 - factor->getOperandNumber());
      if (isJoined(kept))
        return {};
      product.replaceAllUsesWith(kept);
      product.erase();
      return taken;
    }
    Value rest = product.getLhs();
    if (!isUniform(product.getRhs()))
      rest = isUniform(product.getLhs()) ? product.getRhs() : Value();
    product = rest ? rest.getDefiningOp<arith::MulFOp>() : nullptr;
  }
  return {};
}

/// Gives the queries of `op` a region that changes nothing, if they have none.
static void ensureQueryRows(AttendOp op) {
  Region &rows = op.getQueryRows();
  if (!rows.empty())
    return;
  Block &like = op.getKeyRows().front(), &block = rows.emplaceBlock();
  for (BlockArgument argument : like.getArguments())
    block.addArgument(argument.getType(), argument.getLoc());
  RankedTensorType row = typeOf(block.getArgument(0));
  block.getArgument(0).setType(
      row.clone({typeOf(op.getQuery()).getShape().back()}));
  OpBuilder b = OpBuilder::atBlockEnd(&block);
  YieldOp::create(b, op.getLoc(), block.getArgument(0));
}

/// `value` of the region `from`, computed again in front of `b`.
static Value cloneInto(OpBuilder &b, Value value, Region &from) {
  Operation *op = value.getDefiningOp();
  if (value.getParentRegion() != &from)
    return value;
  IRMapping copies;
  for (Value operand : op->getOperands())
    if (!copies.contains(operand))
      copies.map(operand, cloneInto(b, operand, from));
  unsigned number = cast<OpResult>(value).getResultNumber();
  return b.clone(*op, copies)->getResult(number);
}

/// Multiplies the rows of the queries by `factor` of the region of the keys.
static void multiplyQueries(AttendOp op, Value factor) {
  ensureQueryRows(op);
  Operation *yield = op.getQueryRows().front().getTerminator();
  OpBuilder b(yield);
  Value copy = cloneInto(b, factor, op.getKeyRows());
  Value scaled =
      arith::MulFOp::create(b, factor.getLoc(), yield->getOperand(0), copy);
  yield->setOperand(0, scaled);
}

/// Whether matrix instructions may take the keys of `op` as they are. Wider
/// rows that are computed are left to other units.
static bool hasNarrowRows(AttendOp op) {
  if (op.getKeyRows().empty() ||
      typeOf(op.getKey()).getElementTypeBitWidth() != 16)
    return false;
  return typeOf(getYielded(op.getKeyRows())).getDimSize(0) <=
         kMostComputedColumns;
}

namespace {
struct GpuMoveFactors : attn::impl::GpuMoveFactorsBase<GpuMoveFactors> {
  void runOnOperation() override {
    getOperation().walk([](AttendOp op) {
      if (!hasNarrowRows(op))
        return;
      while (Value factor = takeFactor(op.getKeyRows()))
        multiplyQueries(op, factor);
    });
  }
};
} // namespace
