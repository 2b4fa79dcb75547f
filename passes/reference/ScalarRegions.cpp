//===- ScalarRegions.cpp - Regions of attn ops, for one pair or token -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/reference/ScalarRegions.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Ops on tensors, element by element
//===----------------------------------------------------------------------===//

bool reference::isElementwiseOnTensors(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) &&
         llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
}

/// `op` on one element of each tensor among `operands`.
static Operation *applyToElement(ImplicitLocOpBuilder &b, Operation *op,
                                 ValueRange operands, ValueRange at) {
  SmallVector<Value> scalars;
  for (Value operand : operands)
    scalars.push_back(isa<RankedTensorType>(operand.getType())
                          ? read(b, operand, at)
                          : operand);
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(getElementTypeOrSelf(type));
  OperationState state(b.getLoc(), op->getName(), scalars, types,
                       op->getDiscardableAttrDictionary().getValue());
  state.propertiesAttr = op->getPropertiesAsAttribute();
  return b.insert(Operation::create(state));
}

SmallVector<Value> reference::elementwise(ImplicitLocOpBuilder &b,
                                          Operation *op, ValueRange operands) {
  Value like = *llvm::find_if(operands, [](Value operand) {
    return isa<RankedTensorType>(operand.getType());
  });
  SmallVector<Value> extents = sizes(b, like), results;
  for (OpResult result : op->getResults())
    results.push_back(
        generate(b, tensorOf(result), extents, [&](ValueRange at) -> Value {
          return applyToElement(b, op, operands, at)
              ->getResult(result.getResultNumber());
        }));
  return results;
}

/// The element at `at` of the first of `parts` that reaches that far; the first
/// begins at position `start` of the last dimension.
static Value readJoined(ImplicitLocOpBuilder &b, ValueRange parts,
                        int64_t start, ValueRange at) {
  Value part = parts.front();
  int64_t end = start + tensorOf(part).getShape().back();
  auto readPart = [&]() -> Value {
    SmallVector<Value> inPart(at);
    inPart.back() = arith::SubIOp::create(b, at.back(), index(b, start));
    return read(b, part, inPart);
  };
  if (parts.size() == 1)
    return readPart();
  Value here = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at.back(),
                                     index(b, end));
  return choose(b, here, readPart,
                [&] { return readJoined(b, parts.drop_front(), end, at); });
}

Value reference::join(ImplicitLocOpBuilder &b, RankedTensorType type,
                      ValueRange parts) {
  return generate(b, type,
                  [&](ValueRange at) { return readJoined(b, parts, 0, at); });
}

//===----------------------------------------------------------------------===//
// Ops that stand in regions only
//===----------------------------------------------------------------------===//

namespace {
/// Evaluates the ops of one region; `values` holds what is known already.
class Evaluator {
public:
  Evaluator(ImplicitLocOpBuilder &b, IRMapping &values)
      : b(b), values(values) {}

  void evaluate(Operation *op);

private:
  Value get(Value value) { return values.lookupOrDefault(value); }
  Value slice(tensor::ExtractSliceOp op);
  Value reduce(ReduceRowOp op);
  Value contract(ContractRowOp op);
  Value one(Operation *op);

  ImplicitLocOpBuilder &b;
  IRMapping &values;
};
} // namespace

/// Consecutive elements of the last dimension, zero outside of the source.
Value Evaluator::slice(tensor::ExtractSliceOp op) {
  SmallVector<Value> offsets;
  for (OpFoldResult offset : op.getMixedOffsets()) {
    auto value = dyn_cast<Value>(offset);
    offsets.push_back(
        value ? get(value)
              : getValueOrCreateConstantIndexOp(b, b.getLoc(), offset));
  }
  return generate(b, op.getType(), [&](ValueRange at) {
    SmallVector<Value> indices(offsets);
    indices.back() = arith::AddIOp::create(b, offsets.back(), at[0]);
    return readOrZero(b, get(op.getSource()), indices);
  });
}

Value Evaluator::reduce(ReduceRowOp op) {
  Value vector = get(op.getVector());
  Type element = op.getResult().getType();
  Value count = size(b, vector, 0);
  auto term = [&](Value d) { return read(b, vector, d); };
  if (op.getKind() == RowReduction::Sum)
    return sum(b, count, number(b, element, 0.0), term);
  double infinity = std::numeric_limits<double>::infinity();
  return max(b, count, number(b, element, -infinity), term);
}

Value Evaluator::contract(ContractRowOp op) {
  Value vector = get(op.getVector()), matrix = get(op.getMatrix());
  auto type = tensorOf(op.getResult());
  SmallVector<Value> at = llvm::map_to_vector(
      op.getIndices(), [&](Value index) { return get(index); });
  at.append(2, Value());
  return generate(b, type, [&](ValueRange e) {
    at.back() = e[0];
    Value zero = number(b, type.getElementType(), 0.0);
    return sum(b, size(b, vector, 0), zero, [&](Value d) -> Value {
      at[at.size() - 2] = d;
      Value weight =
          convert(b, readOrZero(b, matrix, at), type.getElementType());
      return arith::MulFOp::create(b, read(b, vector, d), weight);
    });
  });
}

/// The value of an op with one result that is not copied as it is; else null.
Value Evaluator::one(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](tensor::ExtractOp extract) {
        SmallVector<Value> indices = llvm::map_to_vector(
            extract.getIndices(), [&](Value i) { return get(i); });
        return readOrZero(b, get(extract.getTensor()), indices);
      })
      .Case([&](tensor::ExtractSliceOp op) { return slice(op); })
      .Case([&](tensor::ConcatOp concat) {
        SmallVector<Value> parts = llvm::map_to_vector(
            concat.getInputs(), [&](Value i) { return get(i); });
        return join(b, tensorOf(concat), parts);
      })
      .Case([&](tensor::SplatOp splat) {
        return generate(b, tensorOf(splat),
                        [&](ValueRange) { return get(splat.getInput()); });
      })
      .Case([&](ReduceRowOp op) { return reduce(op); })
      .Case([&](ContractRowOp op) { return contract(op); })
      .Default(Value());
}

void Evaluator::evaluate(Operation *op) {
  b.setLoc(op->getLoc());
  if (Value value = one(op)) {
    values.map(op->getResult(0), value);
  } else if (isElementwiseOnTensors(op)) {
    SmallVector<Value> operands =
        llvm::map_to_vector(op->getOperands(), [&](Value v) { return get(v); });
    values.map(op->getResults(), elementwise(b, op, operands));
  } else {
    b.clone(*op, values);
  }
}

SmallVector<Value> reference::evaluateAll(ImplicitLocOpBuilder &b,
                                          Region &region,
                                          ValueRange arguments) {
  Location location = b.getLoc();
  IRMapping values;
  values.map(region.getArguments(), arguments);
  Evaluator evaluator(b, values);
  for (Operation &op : region.front().without_terminator())
    evaluator.evaluate(&op);
  b.setLoc(location);
  SmallVector<Value> yielded;
  for (Value value : region.front().getTerminator()->getOperands())
    yielded.push_back(values.lookupOrDefault(value));
  return yielded;
}

Value reference::evaluate(ImplicitLocOpBuilder &b, Region &region,
                          ValueRange arguments) {
  return evaluateAll(b, region, arguments).front();
}
