//===- RowIndices.cpp - Index vectors of the rows of a tile ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/RowIndices.h"
#include "codegen/gpu/Window.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

static bool isTile(Value value) {
  return isa<RankedTensorType>(value.getType());
}

/// Whether `op` computes an element from the same elements of its operands.
static bool isElementwise(Operation *op) {
  return isa<tile::GatherOp>(op) ||
         (OpTrait::hasElementwiseMappableTraits(op) &&
          op->getNumResults() == 1);
}

bool attn::isComputable(Value vector) {
  Operation *op = vector.getDefiningOp();
  if (!op)
    return false;
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return isa<SplatElementsAttr>(constant.getValue());
  if (isa<tile::IotaOp, tile::SplatOp>(op))
    return true;
  return isElementwise(op) &&
         llvm::all_of(op->getOperands(), [](Value operand) {
           return !isTile(operand) || isComputable(operand);
         });
}

/// `op` with other operands, and a result of `type`.
static Value rebuild(ImplicitLocOpBuilder &b, Operation *op,
                     ValueRange operands, Type type) {
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       type, op->getAttrs());
  return b.create(state)->getResult(0);
}

/// Reads one element, or zero outside of the view.
static Value readElement(ImplicitLocOpBuilder &b, ValueRange operands) {
  Window window{operands.front(), operands.drop_front(), 0};
  return guard(b, testLeading(b, window), window.getType().getElementType(),
               [&] {
                 return SmallVector<Value>{
                     memref::LoadOp::create(b, window.view, window.offsets)};
               })
      .front();
}

Value attn::evaluateAt(ImplicitLocOpBuilder &b, Value vector, Value at) {
  if (!isTile(vector))
    return vector;
  Operation *op = vector.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(
        b, cast<SplatElementsAttr>(constant.getValue())
               .getSplatValue<TypedAttr>());
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return splat.getScalar();
  if (auto iota = dyn_cast<tile::IotaOp>(op))
    return arith::AddIOp::create(b, iota.getStart(), at);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(evaluateAt(b, operand, at));
  if (isa<tile::GatherOp>(op))
    return readElement(b, operands);
  return rebuild(b, op, operands, getElementTypeOrSelf(vector.getType()));
}

Value attn::cutVector(ImplicitLocOpBuilder &b, Value vector, int64_t start,
                      int64_t size) {
  auto type = dyn_cast<RankedTensorType>(vector.getType());
  if (!type)
    return vector;
  type = type.clone(ArrayRef(size));
  Operation *op = vector.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(
        b, cast<SplatElementsAttr>(constant.getValue()).resizeSplat(type));
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return tile::SplatOp::create(b, type, splat.getScalar());
  if (auto iota = dyn_cast<tile::IotaOp>(op)) {
    Value first = arith::AddIOp::create(
        b, iota.getStart(), arith::ConstantIndexOp::create(b, start));
    return tile::IotaOp::create(b, type, first, iota.getAlong());
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(cutVector(b, operand, start, size));
  return rebuild(b, op, operands, type);
}
