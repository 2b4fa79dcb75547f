//===- ExpandMath.cpp - Math functions on GPUs ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The expansions are those of the CPU (docs/math.md): the same polynomials, so
// the same accuracy, with no library of the device. What would need a library
// is refused here, by name, and not by a linker.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMath.h"
#include "codegen/gpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_GPUEXPANDMATH
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Whether GPUs have the function as an instruction or a few.
static bool isNative(Operation *op) {
  return isa<math::FmaOp, math::AbsFOp, math::SqrtOp, math::FloorOp,
             math::CeilOp, math::TruncOp, math::RoundEvenOp, math::CopySignOp>(
      op);
}

namespace {
struct GpuExpandMath : attn::impl::GpuExpandMathBase<GpuExpandMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateExpandMathPatterns(patterns, {.hasLibm = false});
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    getOperation().walk([&](Operation *op) {
      if (!isa_and_present<math::MathDialect>(op->getDialect()) || isNative(op))
        return;
      op->emitError("'") << op->getName() << "' on "
                         << op->getOperand(0).getType()
                         << " has no expansion for GPUs";
      signalPassFailure();
    });
  }
};
} // namespace
