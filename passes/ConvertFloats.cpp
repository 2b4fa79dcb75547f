//===- ConvertFloats.cpp - Exchange the floating-point types of a function -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ConvertFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

Type attn::convertFloatType(Type type, FloatMap map) {
  if (auto number = dyn_cast<FloatType>(type))
    return map(number);
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !isa<FloatType>(shaped.getElementType()))
    return type;
  return shaped.clone(map(cast<FloatType>(shaped.getElementType())));
}

/// `value` rounded to the nearest number of `type`.
static APFloat roundTo(APFloat value, FloatType type) {
  bool losesInfo;
  value.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value;
}

/// The constant `value` in the converted type; null if it is not spelled out.
static TypedAttr convertConstant(TypedAttr value, FloatMap map) {
  Type type = convertFloatType(value.getType(), map);
  if (type == value.getType())
    return value;
  if (auto number = dyn_cast<FloatAttr>(value))
    return FloatAttr::get(type,
                          roundTo(number.getValue(), cast<FloatType>(type)));
  auto dense = dyn_cast<DenseFPElementsAttr>(value);
  if (!dense)
    return {};
  auto element = cast<FloatType>(cast<ShapedType>(type).getElementType());
  return cast<DenseFPElementsAttr>(
      dense.mapValues(element, [&](const APFloat &number) {
        return roundTo(number, element).bitcastToAPInt();
      }));
}

static void convertValues(ValueRange values, FloatMap map) {
  for (Value value : values)
    value.setType(convertFloatType(value.getType(), map));
}

/// Converts results, block arguments and constants of `op`.
static LogicalResult convertOp(Operation *op, FloatMap map) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    TypedAttr value = convertConstant(constant.getValue(), map);
    if (!value)
      return op->emitOpError(
                 "cannot change its element type: expected a number "
                 "or a dense list of numbers, got ")
             << constant.getValue();
    constant.setValueAttr(value);
  }
  convertValues(op->getResults(), map);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      convertValues(block.getArguments(), map);
  return success();
}

/// Bits of a number mean nothing in a type of another width.
static LogicalResult checkBits(arith::BitcastOp op) {
  Type from = getElementTypeOrSelf(op.getIn().getType());
  Type to = getElementTypeOrSelf(op.getType());
  if (from.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth())
    return success();
  return op.emitOpError(
             "reads the bits of a number whose type changes, expected "
             "types of one width, got ")
         << from << " and " << to;
}

void attn::repairFloatCast(Operation *cast) {
  Value from = cast->getOperand(0), to = cast->getResult(0);
  auto width = [](Value value) {
    return getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  };
  OpBuilder builder(cast);
  Value replacement = from;
  if (from.getType() != to.getType())
    replacement = width(from) < width(to)
                      ? Value(arith::ExtFOp::create(builder, cast->getLoc(),
                                                    to.getType(), from))
                      : Value(arith::TruncFOp::create(builder, cast->getLoc(),
                                                      to.getType(), from));
  to.replaceAllUsesWith(replacement);
  cast->erase();
}

LogicalResult attn::convertFloats(func::FuncOp function, FloatMap map) {
  auto convert = [&](ArrayRef<Type> types) {
    return llvm::map_to_vector(
        types, [&](Type type) { return convertFloatType(type, map); });
  };
  function.setFunctionType(FunctionType::get(
      function.getContext(), convert(function.getArgumentTypes()),
      convert(function.getResultTypes())));

  WalkResult result = function->walk(
      [&](Operation *op) { return WalkResult(convertOp(op, map)); });
  if (result.wasInterrupted())
    return failure();

  SmallVector<Operation *> casts;
  result = function.walk([&](Operation *op) {
    if (isa<arith::ExtFOp, arith::TruncFOp>(op))
      casts.push_back(op);
    auto bits = dyn_cast<arith::BitcastOp>(op);
    return WalkResult(bits ? checkBits(bits) : success());
  });
  llvm::for_each(casts, repairFloatCast);
  return failure(result.wasInterrupted());
}
