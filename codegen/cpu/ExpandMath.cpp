//===- ExpandMath.cpp - Lower math for the CPU back end ----------*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every operation of the math dialect has one of four fates:
//   1. it stays, because LLVM selects it for f32 and f64 (`staysInLLVM`);
//   2. it becomes elementwise code (ExpandMathElementary.cpp);
//   3. it becomes one or two other operations of the dialect (below);
//   4. it becomes calls to libm, one per element, by upstream's patterns.
// What is left after that is an error that names the operation. Operations on
// f16 and bf16 go through f32 (ExpandMathSmallFloat.cpp).
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMath.h"
#include "codegen/cpu/ExpandMathInternal.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace {

/// `math.fma` and `vector.fma` as a product and a sum.
template <typename Op> struct SplitFma : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    auto [a, b, c] =
        std::tuple(op->getOperand(0), op->getOperand(1), op->getOperand(2));
    Value product = arith::MulFOp::create(rewriter, op.getLoc(), a, b);
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, c);
    return success();
  }
};

/// 1 / sqrt(x).
struct ExpandRsqrt : OpRewritePattern<math::RsqrtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::RsqrtOp op,
                                PatternRewriter &rewriter) const override {
    if (!isF32OrF64(op.getType()))
      return rewriter.notifyMatchFailure(op, "not f32 or f64");
    ElementwiseBuilder b(rewriter, op.getLoc(), op.getType());
    Value root = math::SqrtOp::create(rewriter, op.getLoc(), op.getOperand());
    rewriter.replaceOp(op, b.div(b.real(1), root));
    return success();
  }
};

/// max(min, min(x, max)).
struct ExpandClamp : OpRewritePattern<math::ClampFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ClampFOp op,
                                PatternRewriter &rewriter) const override {
    if (!isF32OrF64(op.getType()))
      return rewriter.notifyMatchFailure(op, "not f32 or f64");
    Value below = arith::MinimumFOp::create(rewriter, op.getLoc(),
                                            op.getValue(), op.getMax());
    rewriter.replaceOpWithNewOp<arith::MaximumFOp>(op, below, op.getMin());
    return success();
  }
};

/// max(x, 0 - x); indices have no absolute value in LLVM lowering.
struct ExpandAbsI : OpRewritePattern<math::AbsIOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::AbsIOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    Value zero = arith::ConstantOp::create(
        rewriter, op.getLoc(), cast<TypedAttr>(rewriter.getZeroAttr(type)));
    Value negated =
        arith::SubIOp::create(rewriter, op.getLoc(), zero, op.getOperand());
    rewriter.replaceOpWithNewOp<arith::MaxSIOp>(op, op.getOperand(), negated);
    return success();
  }
};

struct SplitSincos : OpRewritePattern<math::SincosOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::SincosOp op,
                                PatternRewriter &rewriter) const override {
    Value x = op.getOperand();
    Value sine = math::SinOp::create(rewriter, op.getLoc(), x);
    Value cosine = math::CosOp::create(rewriter, op.getLoc(), x);
    rewriter.replaceOp(op, {sine, cosine});
    return success();
  }
};

/// |x| == infinity.
struct ExpandIsInf : OpRewritePattern<math::IsInfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::IsInfOp op,
                                PatternRewriter &rewriter) const override {
    Value x = op.getOperand();
    if (!isF32OrF64(x.getType()))
      return rewriter.notifyMatchFailure(op, "not f32 or f64");
    ElementwiseBuilder b(rewriter, op.getLoc(), x.getType());
    Value magnitude = math::AbsFOp::create(rewriter, op.getLoc(), x);
    rewriter.replaceOp(
        op, b.compare(arith::CmpFPredicate::OEQ, magnitude, b.real(HUGE_VAL)));
    return success();
  }
};

/// The smallest normal number of the type <= |x| < infinity; f16 and bf16, too,
/// as what is subnormal there may be normal in f32.
struct ExpandIsNormal : OpRewritePattern<math::IsNormalOp> {
  ExpandIsNormal(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/4) {}

  LogicalResult matchAndRewrite(math::IsNormalOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value x = op.getOperand();
    const bool isSmall = isF16OrBF16(x.getType());
    if (!isSmall && !isF32OrF64(x.getType()))
      return rewriter.notifyMatchFailure(op, "not f64, f32, f16 or bf16");
    auto element = cast<FloatType>(getElementTypeOrSelf(x.getType()));
    if (isSmall)
      x = arith::ExtFOp::create(
          rewriter, loc, withElementType(x.getType(), rewriter.getF32Type()),
          x);
    ElementwiseBuilder b(rewriter, loc, x.getType());
    Value magnitude = math::AbsFOp::create(rewriter, loc, x);
    double smallest =
        llvm::APFloat::getSmallestNormalized(element.getFloatSemantics())
            .convertToDouble();
    Value finite =
        b.compare(arith::CmpFPredicate::OLT, magnitude, b.real(HUGE_VAL));
    Value large =
        b.compare(arith::CmpFPredicate::OGE, magnitude, b.real(smallest));
    rewriter.replaceOpWithNewOp<arith::AndIOp>(op, finite, large);
    return success();
  }
};

/// A power with an integer exponent of at most 32 bits, which f64 holds
/// exactly.
struct PowerInF64 : OpRewritePattern<math::FPowIOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FPowIOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType(), power = op.getRhs().getType();
    if (!isF32OrF64(type) || getElementTypeOrSelf(power).isInteger(64))
      return rewriter.notifyMatchFailure(op, "not f32 or f64 to an i32");
    Location loc = op.getLoc();
    Type f64 = withElementType(type, rewriter.getF64Type());
    Value base = op.getLhs();
    if (type != f64)
      base = arith::ExtFOp::create(rewriter, loc, f64, base);
    Value exponent = arith::SIToFPOp::create(rewriter, loc, f64, op.getRhs());
    Value result = math::PowFOp::create(rewriter, loc, base, exponent);
    if (type != f64)
      result = arith::TruncFOp::create(rewriter, loc, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// Whether LLVM selects the operation for f32, f64 or integers, as
/// instructions or as a call to libm (rounding on SSE2; fma without FMA, which
/// `SplitFma` prevents).
bool staysInLLVM(StringRef name) {
  static constexpr StringLiteral names[] = {
      "math.absf",      "math.absi",     "math.ceil",  "math.copysign",
      "math.ctlz",      "math.ctpop",    "math.cttz",  "math.floor",
      "math.fma",       "math.isfinite", "math.isnan", "math.round",
      "math.roundeven", "math.sqrt",     "math.trunc"};
  return llvm::is_contained(names, name);
}

/// Whether the operation has an expansion here, so that libm is not wanted.
bool isExpandedHere(StringRef name) {
  static constexpr StringLiteral names[] = {
      "math.exp",  "math.exp2",  "math.expm1", "math.log",
      "math.log2", "math.log1p", "math.tanh",  "math.rsqrt"};
  return llvm::is_contained(names, name);
}

/// Upstream's calls to libm, for the operations that need them.
void populateLibmPatterns(RewritePatternSet &patterns) {
  RewritePatternSet upstream(patterns.getContext());
  populateMathToLibmConversionPatterns(upstream);
  for (std::unique_ptr<RewritePattern> &pattern :
       upstream.getNativePatterns()) {
    StringRef root = pattern->getRootKind()->getStringRef();
    if (!staysInLLVM(root) && !isExpandedHere(root))
      patterns.add(std::move(pattern));
  }
}

/// Whether LLVM selects values of this type in a math operation.
bool hasNativeType(Type type) {
  if (isa<VectorType>(type) && cast<VectorType>(type).isScalable())
    return false;
  return isF32OrF64(type) || getElementTypeOrSelf(type).isInteger();
}

/// Fails, with an error at the operation, if something that the expansion
/// promises to remove is left.
LogicalResult verifyExpanded(Operation *root) {
  WalkResult result = root->walk([&](Operation *op) -> WalkResult {
    auto refuse = [&](Type type) -> WalkResult {
      return op->emitOpError("has no expansion for the CPU on ")
             << type << "; expected f32, f64, f16 or bf16, or a vector of one";
    };
    if (isa_and_present<math::MathDialect>(op->getDialect())) {
      if (llvm::all_of(op->getOperandTypes(), hasNativeType) &&
          staysInLLVM(op->getName().getStringRef()))
        return WalkResult::advance();
      if (hasNativeType(op->getOperand(0).getType()))
        return op->emitOpError("has no expansion for the CPU")
               << (root->hasTrait<OpTrait::SymbolTable>()
                       ? ""
                       : "; one by a call to libm needs the pass to run on a "
                         "module");
      return refuse(op->getOperand(0).getType());
    }
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      return WalkResult::advance();
    for (Type type : {op->getOperand(0).getType(), op->getResult(0).getType()})
      if (!isF32OrF64(type) && !isF16OrBF16(type))
        return refuse(type);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

class ExpandMathPass : public PassWrapper<ExpandMathPass, OperationPass<>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMathPass)

  ExpandMathPass() = default;
  ExpandMathPass(const ExpandMathPass &other) : PassWrapper(other) {}
  explicit ExpandMathPass(const CpuMathOptions &options) {
    hasFma = options.hasFma;
    hasF16C = options.hasF16C;
    hasAvx512Bf16 = options.hasAvx512Bf16;
    hasAvx512 = options.hasAvx512;
    hasLibm = options.hasLibm;
  }

  StringRef getArgument() const override { return "attn-cpu-expand-math"; }
  StringRef getDescription() const override {
    return "Expand math functions and small float conversions for the CPU";
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
                    math::MathDialect, vector::VectorDialect>();
  }

  void runOnOperation() override {
    CpuMathOptions options{hasFma, hasF16C, hasAvx512Bf16, hasAvx512, hasLibm};
    RewritePatternSet patterns(&getContext());
    populateExpandMathPatterns(patterns, options);
    if (hasLibm && getOperation()->hasTrait<OpTrait::SymbolTable>())
      populateLibmPatterns(patterns);
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns),
                                     config)) ||
        failed(verifyExpanded(getOperation())))
      signalPassFailure();
  }

private:
  Option<bool> hasFma{*this, "fma", llvm::cl::init(true),
                      llvm::cl::desc("the processor has FMA")};
  Option<bool> hasF16C{*this, "f16c", llvm::cl::init(true),
                       llvm::cl::desc("the processor has F16C")};
  Option<bool> hasAvx512Bf16{*this, "avx512bf16", llvm::cl::init(false),
                             llvm::cl::desc("the processor has AVX512_BF16")};
  Option<bool> hasAvx512{*this, "avx512", llvm::cl::init(false),
                         llvm::cl::desc("the processor has AVX512F, DQ, VL")};
  Option<bool> hasLibm{*this, "libm", llvm::cl::init(true),
                       llvm::cl::desc("the code is linked with libm")};
};

} // namespace

void populateExpandMathPatterns(RewritePatternSet &patterns,
                                const CpuMathOptions &options) {
  populateElementaryFunctionPatterns(patterns, options);
  populateSmallFloatPatterns(patterns, options);
  MLIRContext *context = patterns.getContext();
  patterns.add<ExpandRsqrt, ExpandClamp, ExpandAbsI, ExpandIsInf,
               ExpandIsNormal, SplitSincos, PowerInF64>(context);
  if (!options.hasLibm)
    populatePowerPatterns(patterns);
  if (!options.hasFma)
    patterns.add<SplitFma<math::FmaOp>, SplitFma<vector::FMAOp>>(context);
}

std::unique_ptr<Pass> createExpandMathPass(const CpuMathOptions &options) {
  return std::make_unique<ExpandMathPass>(options);
}

void registerExpandMathPass() {
  registerPass([] { return createExpandMathPass(); });
}

} // namespace attn
