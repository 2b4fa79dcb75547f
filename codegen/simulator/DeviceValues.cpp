//===- DeviceValues.cpp - Values that differ between device and host ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calls, divisions, local arrays and undefined numbers: what would be something
// else on the host, or would stop it.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/DeviceRewriter.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn::sim;

/// Bytes of local arrays in a function.
static constexpr int64_t kMostLocalBytes = 64 << 10;

/// The approximate functions of the device, computed exactly.
LogicalResult DeviceRewriter::rewriteIntrinsic(LLVM::CallIntrinsicOp op) {
  StringRef name = op.getIntrin();
  if (name == "llvm.nvvm.div.full" && op.getNumOperands() == 2) {
    Value quotient = LLVM::FDivOp::create(builder, location, op.getOperand(0),
                                          op.getOperand(1));
    op->getResult(0).replaceAllUsesWith(quotient);
    op.erase();
    return success();
  }
  bool isKnown = name.consume_front("llvm.nvvm.") && op.getNumOperands() == 1 &&
                 op->getNumResults() == 1;
  name.consume_back(".f");
  name.consume_back(".ftz");
  name.consume_back(".approx");
  Value x = isKnown ? op.getOperand(0) : Value(), y;
  Type type = isKnown ? x.getType() : Type();
  auto invert = [&](Value value) -> Value {
    Value one = LLVM::ConstantOp::create(builder, location, type,
                                         builder.getFloatAttr(type, 1.0));
    return LLVM::FDivOp::create(builder, location, one, value);
  };
  if (isKnown && name == "ex2")
    y = LLVM::Exp2Op::create(builder, location, type, x);
  else if (isKnown && name == "lg2")
    y = LLVM::Log2Op::create(builder, location, type, x);
  else if (isKnown && name == "sqrt")
    y = LLVM::SqrtOp::create(builder, location, type, x);
  else if (isKnown && name == "rsqrt")
    y = invert(LLVM::SqrtOp::create(builder, location, type, x));
  else if (isKnown && name == "rcp")
    y = invert(x);
  else
    return op.emitOpError("cannot be simulated: the simulator does not know "
                          "the intrinsic '")
           << op.getIntrin() << "'";
  op->getResult(0).replaceAllUsesWith(y);
  op.erase();
  return success();
}

/// Rounds to the upper 19 bits, to nearest and halves away from zero.
/// Infinities and NaN lose the other bits.
LogicalResult DeviceRewriter::rewriteRounding(NVVM::ConvertFloatToTF32Op op) {
  if (op.getRnd() != NVVM::FPRoundingMode::RNA || op.getRelu() ||
      op.getSat() != NVVM::SaturationMode::NONE)
    return op.emitOpError("cannot be simulated: expected rounding 'rna' "
                          "without 'sat' and 'relu'");
  constexpr int64_t exponent = 0x7F800000, half = 0x1000, kept = ~0x1FFF;
  Value bits = LLVM::BitcastOp::create(builder, location, i32, op.getSrc());
  Value top =
      LLVM::AndOp::create(builder, location, bits, makeInteger(i32, exponent));
  Value isFinite =
      LLVM::ICmpOp::create(builder, location, LLVM::ICmpPredicate::ne, top,
                           makeInteger(i32, exponent));
  Value up = LLVM::SelectOp::create(
      builder, location, isFinite, makeInteger(i32, half), makeInteger(i32, 0));
  bits = LLVM::AddOp::create(builder, location, bits, up);
  bits = LLVM::AndOp::create(builder, location, bits, makeInteger(i32, kept));
  op.getRes().replaceAllUsesWith(bits);
  op.erase();
  return success();
}

LogicalResult DeviceRewriter::rewriteCall(LLVM::CallOp op) {
  auto callee = op.getCallee();
  if (!callee)
    return op.emitOpError("cannot be simulated: expected a call of a function "
                          "by name");
  auto function = SymbolTable::lookupNearestSymbolFrom<LLVM::LLVMFuncOp>(
      op, op.getCalleeAttr());
  if (!function || function.isExternal())
    return op.emitOpError("cannot be simulated: '")
           << *callee << "' has no body in this module";
  SmallVector<Value> operands = {thread};
  llvm::append_range(operands, op.getArgOperands());
  auto call = LLVM::CallOp::create(builder, location, op.getResultTypes(),
                                   *callee, operands);
  op->replaceAllUsesWith(call);
  op.erase();
  return success();
}

/// Whether a division by `value` cannot go wrong.
static bool isSafeDivisor(Value value) {
  llvm::APInt divisor;
  if (matchPattern(value, m_ConstantInt(&divisor)))
    return !divisor.isZero() && !divisor.isAllOnes();
  return false;
}

/// Where the device has some result, this machine would stop: division by zero,
/// and of the smallest number by -1.
LogicalResult DeviceRewriter::rewriteDivision(Operation *op) {
  Value dividend = op->getOperand(0), divisor = op->getOperand(1);
  if (isSafeDivisor(divisor))
    return success();
  auto type = dyn_cast<IntegerType>(op->getResult(0).getType());
  if (!type)
    return op->emitOpError("cannot be simulated: expected a divisor that is a "
                           "constant or a scalar");
  auto isEqual = [&](Value value, const llvm::APInt &number) -> Value {
    Value constant = LLVM::ConstantOp::create(
        builder, location, type, builder.getIntegerAttr(type, number));
    return LLVM::ICmpOp::create(builder, location, LLVM::ICmpPredicate::eq,
                                value, constant);
  };
  unsigned bits = type.getWidth();
  Value isWrong = isEqual(divisor, llvm::APInt::getZero(bits));
  if (isa<LLVM::SDivOp, LLVM::SRemOp>(op)) {
    Value isLarge = LLVM::AndOp::create(
        builder, location, isEqual(divisor, llvm::APInt::getAllOnes(bits)),
        isEqual(dividend, llvm::APInt::getSignedMinValue(bits)));
    isWrong = LLVM::OrOp::create(builder, location, isWrong, isLarge);
  }
  LLVM::StoreOp::create(builder, location, makeSlot(isWrong),
                        getSlotAddress(0));
  auto none = LLVM::LLVMVoidType::get(builder.getContext());
  callSite(op, event, none, SiteKind::Divide, slots);
  op->setOperand(1, LLVM::SelectOp::create(builder, location, isWrong,
                                           makeInteger(type, 1), divisor));
  return success();
}

/// Arrays of a thread are on the stack of its fiber, so they must not be large.
LogicalResult DeviceRewriter::checkAlloca(LLVM::AllocaOp op) {
  llvm::APInt count;
  if (!matchPattern(op.getArraySize(), m_ConstantInt(&count)))
    return op.emitOpError("cannot be simulated: expected a constant size");
  localBytes += layout.getTypeSize(op.getElemType()) * count.getZExtValue();
  if (localBytes > kMostLocalBytes)
    return op.emitOpError("cannot be simulated: expected at most ")
           << kMostLocalBytes << " bytes of local arrays in a function, got "
           << localBytes;
  return success();
}

/// Makes an undefined number one that is seen in results: all bits set.
void DeviceRewriter::rewriteUndefined(Operation *op) {
  Type type = op->getResult(0).getType();
  Type element = getElementTypeOrSelf(type);
  if (!element.isIntOrFloat() || isa<LLVM::LLVMArrayType>(type))
    return; // Aggregates are filled piece by piece.
  auto ones = llvm::APInt::getAllOnes(element.getIntOrFloatBitWidth());
  Attribute value = builder.getIntegerAttr(
      IntegerType::get(op->getContext(), ones.getBitWidth()), ones);
  if (auto kind = dyn_cast<FloatType>(element))
    value = builder.getFloatAttr(kind,
                                 llvm::APFloat(kind.getFloatSemantics(), ones));
  if (auto vector = dyn_cast<VectorType>(type))
    value = DenseElementsAttr::get(vector, value);
  Value constant =
      LLVM::ConstantOp::create(builder, location, type, cast<TypedAttr>(value));
  op->getResult(0).replaceAllUsesWith(constant);
  op->erase();
}
