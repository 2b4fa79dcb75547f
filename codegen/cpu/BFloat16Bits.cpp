//===- BFloat16Bits.cpp - bf16 as integers in the LLVM dialect ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BFloat16Bits.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

namespace {
/// Writes constants of bf16 as their bits.
struct BFloat16Constant : ConvertOpToLLVMPattern<arith::ConstantOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isBF16())
      return rewriter.notifyMatchFailure(op, "not a bf16 constant");
    Attribute bits;
    auto toBits = [](const APFloat &value) { return value.bitcastToAPInt(); };
    if (auto scalar = dyn_cast<FloatAttr>(op.getValue()))
      bits = IntegerAttr::get(rewriter.getI16Type(), toBits(scalar.getValue()));
    else if (auto dense = dyn_cast<DenseFPElementsAttr>(op.getValue()))
      bits = dense.mapValues(rewriter.getI16Type(), toBits);
    else
      return rewriter.notifyMatchFailure(op, "not a dense constant");
    Type type = getTypeConverter()->convertType(op.getType());
    rewriter.replaceOpWithNewOp<LLVM::ConstantOp>(op, type, bits);
    return success();
  }
};
} // namespace

void attn::populateBFloat16AsBits(LLVMTypeConverter &types,
                                  RewritePatternSet &patterns) {
  types.addConversion([](BFloat16Type type) -> Type {
    return IntegerType::get(type.getContext(), 16);
  });
  types.addConversion([](VectorType type) -> std::optional<Type> {
    if (!type.getElementType().isBF16())
      return std::nullopt;
    return type.clone(IntegerType::get(type.getContext(), 16));
  });
  patterns.add<BFloat16Constant>(types, /*benefit=*/10);
}
