//===- SetDtype.cpp - Rewrite a spec to another element type -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Data are the tensors that attn ops take and yield, but not gates, factors and
// states of recurrences, nor what row maps make these of. Two steps, each a
// no-op where nothing changes:
//
//   1. the accumulator type: f64 for f64 data, else f32. Where it changes,
//   every
//      type in the function that is the old one becomes the new one;
//   2. the data: operands and results of attn ops, and with them the arguments
//      and results of the function. Regions that read data as a capture convert
//      what they read.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "passes/ConvertFloats.h"
#include "passes/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSwitch.h"

namespace attn {
#define GEN_PASS_DEF_SETDTYPE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// The element type called `name`; null if there is no such.
static FloatType parseDtype(MLIRContext *context, StringRef name) {
  return llvm::StringSwitch<FloatType>(name)
      .Case("f64", Float64Type::get(context))
      .Case("f32", Float32Type::get(context))
      .Case("f16", Float16Type::get(context))
      .Case("bf16", BFloat16Type::get(context))
      .Default(FloatType());
}

/// The operands of `op` that are data, if it is an attn op on whole tensors.
static SmallVector<Value> dataOperands(Operation *op) {
  if (auto attend = dyn_cast<AttendOp>(op))
    return {attend.getQuery(), attend.getKey(), attend.getValue()};
  if (auto rows = dyn_cast<MapRowsOp>(op))
    return {rows.getInput()};
  if (auto gather = dyn_cast<GatherOp>(op))
    return {gather.getSource()};
  // What it yields is a statistic, in the accumulator type.
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return {reduce.getInput()};
  // Gates, factors and states keep their types.
  if (auto recur = dyn_cast<RecurOp>(op)) {
    SmallVector<Value> rows{recur.getQuery(), recur.getValue()};
    if (recur.getKey())
      rows.push_back(recur.getKey());
    return rows;
  }
  // Sets that are kept in the accumulator type stay in it.
  if (auto merge = dyn_cast<MergeOp>(op))
    if (getElementTypeOrSelf(merge.getOutputs()) ==
        getElementTypeOrSelf(merge.getOutput()))
      return {merge.getOutputs()};
  return {};
}

/// The result of `op` that is data: that of an attn op, not its log-sum-exp or
/// its state.
static Value dataResult(Operation *op) {
  return isa<AttendOp, MapRowsOp, GatherOp, RecurOp, MergeOp>(op)
             ? Value(op->getResult(0))
             : Value();
}

/// Whether `op` is a row map of which only gates, factors and states of
/// recurrences are made, by further row maps or not.
static bool isMapOfFactors(Operation *op) {
  auto makesFactor = [](OpOperand &use) {
    auto recur = dyn_cast<RecurOp>(use.getOwner());
    if (!recur)
      return isMapOfFactors(use.getOwner());
    unsigned numRows = recur.getKey() ? 3 : 2; // They come first.
    return use.getOperandNumber() >= numRows;
  };
  return isa<MapRowsOp>(op) && !op->use_empty() &&
         llvm::all_of(op->getUses(), makesFactor);
}

/// All data of `function`.
static SetVector<Value> collectData(func::FuncOp function) {
  SetVector<Value> data;
  SmallVector<Operation *> maps;
  auto add = [&](Operation *op) {
    data.insert_range(dataOperands(op));
    if (Value result = dataResult(op))
      data.insert(result);
  };
  function.walk([&](Operation *op) {
    isMapOfFactors(op) ? maps.push_back(op) : add(op);
  });
  // What is computed from data is data, in order.
  for (Operation *op : maps)
    if (data.contains(cast<MapRowsOp>(op).getInput()))
      add(op);
  return data;
}

static FloatType elementOf(Value data) {
  return cast<FloatType>(getElementTypeOrSelf(data.getType()));
}

/// Step 1. All data must have one accumulator type.
static LogicalResult setAccumulator(func::FuncOp function,
                                    const SetVector<Value> &data, Type dtype) {
  Type from = getAccumulatorType(elementOf(data.front()));
  auto to = cast<FloatType>(getAccumulatorType(dtype));
  for (Value value : data)
    if (getAccumulatorType(elementOf(value)) != from)
      return function.emitOpError(
                 "must compute in one accumulator type, got data "
                 "of ")
             << elementOf(data.front()) << " and of " << elementOf(value);
  if (from == to)
    return success();
  return convertFloats(
      function, [&](FloatType type) { return type == from ? to : type; });
}

/// Data must come from an argument or from another attn op.
static LogicalResult checkOrigin(Value value) {
  Operation *origin = value.getDefiningOp();
  if (!origin) {
    Operation *owner = cast<BlockArgument>(value).getOwner()->getParentOp();
    if (isa<func::FuncOp>(owner))
      return success();
    origin = owner;
  } else if (dataResult(origin) == value) {
    return success();
  }
  return origin->emitOpError(
      "makes an operand of an attn op, whose element type "
      "cannot be changed here; expected an argument of the "
      "function or the output of an attn op");
}

/// Keeps the type that a region of an attn op sees of captured data.
static void convertCapture(Operation *read, FloatType dtype) {
  Value result = read->getResult(0);
  Type seen = result.getType();
  result.setType(convertFloatType(seen, [&](FloatType) { return dtype; }));
  for (OpOperand &use : llvm::make_early_inc_range(result.getUses())) {
    if (isa<arith::ExtFOp, arith::TruncFOp>(use.getOwner())) {
      repairFloatCast(use.getOwner());
      continue;
    }
    // An extension that turns out to be a truncation is repaired likewise.
    OpBuilder builder(read->getContext());
    builder.setInsertionPointAfter(read);
    auto cast = arith::ExtFOp::create(builder, read->getLoc(), seen, result);
    use.set(cast);
    repairFloatCast(cast);
  }
}

/// Lets `user`, which reads data, see elements of `dtype`.
static LogicalResult convertUse(OpOperand &use, FloatType dtype) {
  Operation *user = use.getOwner();
  bool inRegion =
      isa<AttendOp, MapRowsOp, ReduceOp, RecurOp, MergeOp>(user->getParentOp());
  if (isa<tensor::DimOp, func::ReturnOp, AttendOp, MapRowsOp, GatherOp,
          ReduceOp, RecurOp, MergeOp>(user))
    return success();
  // Its sums stay in the type of the vector.
  if (inRegion && isa<ContractRowOp>(user))
    return success();
  if (inRegion && isa<tensor::ExtractOp, tensor::ExtractSliceOp>(user)) {
    convertCapture(user, dtype);
    return success();
  }
  return user->emitOpError("reads a tensor of an attn op, whose element type "
                           "changes; expected only attn ops to do so");
}

/// Step 2.
static LogicalResult setData(func::FuncOp function,
                             const SetVector<Value> &data, FloatType dtype) {
  for (Value value : data) {
    if (elementOf(value) == dtype)
      continue;
    if (failed(checkOrigin(value)))
      return failure();
    value.setType(
        convertFloatType(value.getType(), [&](FloatType) { return dtype; }));
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses()))
      if (failed(convertUse(use, dtype)))
        return failure();
  }
  Block &body = function.front();
  function.setFunctionType(
      FunctionType::get(function.getContext(), body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
  return success();
}

static LogicalResult setDtype(func::FuncOp function, FloatType dtype) {
  SetVector<Value> data = collectData(function);
  if (data.empty())
    return success();
  if (failed(setAccumulator(function, data, dtype)))
    return failure();
  // Step 1 may have changed the data too; the values are the same.
  return setData(function, data, dtype);
}

namespace {
struct SetDtype : attn::impl::SetDtypeBase<SetDtype> {
  using Base::Base;

  void runOnOperation() override {
    FloatType type = parseDtype(&getContext(), dtype);
    if (!type) {
      getOperation().emitError("'dtype' must be f64, f32, f16 or bf16, got '")
          << dtype << "'";
      return signalPassFailure();
    }
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(setDtype(function, type)))
        return signalPassFailure();
  }
};
} // namespace
