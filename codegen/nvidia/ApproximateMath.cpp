//===- ApproximateMath.cpp - Math instructions of the device --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIAAPPROXIMATEMATH
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
struct NvidiaApproximateMath
    : attn::impl::NvidiaApproximateMathBase<NvidiaApproximateMath> {
  void runOnOperation() override {
    getOperation().walk([](math::Exp2Op op) {
      if (!op.getType().isF32() ||
          !arith::bitEnumContainsAll(op.getFastmath(),
                                     arith::FastMathFlags::afn))
        return;
      OpBuilder b(op);
      auto call = LLVM::CallIntrinsicOp::create(
          b, op.getLoc(), op.getType(),
          b.getStringAttr("llvm.nvvm.ex2.approx.ftz.f"), op.getOperand());
      op.replaceAllUsesWith(call->getResult(0));
      op.erase();
    });
  }
};
} // namespace
