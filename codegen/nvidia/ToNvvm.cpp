//===- ToNvvm.cpp - Kernels to the LLVM and NVVM dialects -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// First the parameters of kernels that are memrefs become scalars, from which
// descriptors are put together again at the start of the kernel; then one
// conversion, in which descriptors and what is taken from them cancel.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BFloat16Bits.h"
#include "codegen/nvidia/Passes.h"
#include "dialect/TileDialect.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/NVGPUToNVVM/NVGPUToNVVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIATONVVM
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// `type` in global memory.
static MemRefType inGlobalMemory(MemRefType type) {
  auto space =
      gpu::AddressSpaceAttr::get(type.getContext(), gpu::AddressSpace::Global);
  return MemRefType::get(type.getShape(), type.getElementType(),
                         type.getLayout(), space);
}

/// Views of what is in global memory are there too.
static void followToGlobalMemory(Operation *user) {
  Value view;
  if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(user))
    view = metadata.getBaseBuffer();
  else if (isa<memref::ReinterpretCastOp, memref::CastOp>(user))
    view = user->getResult(0);
  else
    return;
  view.setType(inGlobalMemory(cast<MemRefType>(view.getType())));
  for (Operation *next : view.getUsers())
    followToGlobalMemory(next);
}

/// Replaces a parameter of memref type by a pointer, sizes and strides; returns
/// how many parameters stand in its place.
static unsigned flatten(gpu::GPUFuncOp kernel, unsigned number,
                        const LLVMTypeConverter &types) {
  Block &body = kernel.getBody().front();
  BlockArgument old = body.getArgument(number);
  auto type = cast<MemRefType>(old.getType());
  Location loc = old.getLoc();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  unsigned next = number;
  auto take = [&](Type type) { return body.insertArgument(++next, type, loc); };
  MemRefType global = inGlobalMemory(type);
  auto [strides, offset] = type.getStridesAndOffset();
  auto descriptor = MemRefDescriptor::poison(b, loc, types.convertType(global));
  Value pointer = take(LLVM::LLVMPointerType::get(b.getContext(), 1));
  descriptor.setAllocatedPtr(b, loc, pointer);
  descriptor.setAlignedPtr(b, loc, pointer);
  descriptor.setConstantOffset(b, loc, 0);
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      descriptor.setSize(b, loc, dim, take(b.getI64Type()));
    else
      descriptor.setConstantSize(b, loc, dim, size);
  for (auto [dim, stride] : llvm::enumerate(strides))
    if (ShapedType::isDynamic(stride))
      descriptor.setStride(b, loc, dim, take(b.getI64Type()));
    else
      descriptor.setConstantStride(b, loc, dim, stride);
  auto view = UnrealizedConversionCastOp::create(
      b, loc, global, ValueRange{static_cast<Value>(descriptor)});
  old.replaceAllUsesWith(view.getResult(0));
  for (Operation *user : view->getUsers())
    followToGlobalMemory(user);
  body.eraseArgument(number);
  return next - number;
}

static void flattenParameters(gpu::GPUFuncOp kernel,
                              const LLVMTypeConverter &types) {
  Block &body = kernel.getBody().front();
  kernel.removeArgAttrsAttr(); // They are used up, and numbers change.
  for (unsigned number = 0; number < body.getNumArguments();) {
    if (isa<MemRefType>(body.getArgument(number).getType()))
      number += flatten(kernel, number, types);
    else
      ++number;
  }
  kernel.setType(FunctionType::get(kernel.getContext(), body.getArgumentTypes(),
                                   TypeRange()));
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

namespace {
/// All lanes of a warp wait.
struct ConvertWarpBarrier : ConvertOpToLLVMPattern<tile::BarrierOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(tile::BarrierOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getScope() != tile::Scope::Warp)
      return rewriter.notifyMatchFailure(op, "not a barrier of the warp");
    Value all = LLVM::ConstantOp::create(rewriter, op.getLoc(),
                                         rewriter.getI32IntegerAttr(-1));
    rewriter.replaceOpWithNewOp<NVVM::SyncWarpOp>(op, all);
    return success();
  }
};
} // namespace

namespace {
/// An op that has a counterpart with the same operands. These go ahead of calls
/// of libdevice, which come with the patterns for gpu.
template <typename From, typename To>
struct ConvertOneToOne : ConvertOpToLLVMPattern<From> {
  explicit ConvertOneToOne(const LLVMTypeConverter &types)
      : ConvertOpToLLVMPattern<From>(types, /*benefit=*/10) {}

  LogicalResult
  matchAndRewrite(From op, typename From::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<To>(op, op.getType(), adaptor.getOperands());
    return success();
  }
};
} // namespace

/// Rewrites ops that the conversion does not know into ops that it knows.
static LogicalResult simplify(gpu::GPUModuleOp kernels) {
  RewritePatternSet patterns(kernels.getContext());
  memref::populateExpandStridedMetadataPatterns(patterns);
  populateAffineToStdConversionPatterns(patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  vector::populateVectorFromElementsUnrollPatterns(patterns);
  return applyPatternsGreedily(kernels, std::move(patterns));
}

static void populatePatterns(LLVMTypeConverter &types,
                             RewritePatternSet &patterns) {
  populateSCFToControlFlowConversionPatterns(patterns);
  cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
  arith::populateArithToLLVMConversionPatterns(types, patterns);
  populateVectorToLLVMConversionPatterns(types, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(types, patterns);
  populateGpuToNVVMConversionPatterns(types, patterns);
  populateNVGPUToNVVMConversionPatterns(types, patterns);
  patterns.add<ConvertWarpBarrier,
               ConvertOneToOne<arith::MaxNumFOp, LLVM::MaxNumOp>,
               ConvertOneToOne<arith::MinNumFOp, LLVM::MinNumOp>,
               ConvertOneToOne<arith::RemFOp, LLVM::FRemOp>,
               ConvertOneToOne<math::FmaOp, LLVM::FMAOp>,
               ConvertOneToOne<math::AbsFOp, LLVM::FAbsOp>,
               ConvertOneToOne<math::SqrtOp, LLVM::SqrtOp>,
               ConvertOneToOne<math::FloorOp, LLVM::FFloorOp>,
               ConvertOneToOne<math::CeilOp, LLVM::FCeilOp>,
               ConvertOneToOne<math::TruncOp, LLVM::FTruncOp>,
               ConvertOneToOne<math::RoundEvenOp, LLVM::RoundEvenOp>,
               ConvertOneToOne<math::CopySignOp, LLVM::CopySignOp>>(types);
}

static LogicalResult convert(gpu::GPUModuleOp kernels,
                             LLVMTypeConverter &types) {
  RewritePatternSet patterns(kernels.getContext());
  populateBFloat16AsBits(types, patterns);
  populatePatterns(types, patterns);
  LLVMConversionTarget target(*kernels.getContext());
  configureGpuToNVVMConversionLegality(target);
  // Upstream wants calls of libdevice for them; the device has instructions.
  target.addLegalOp<LLVM::FAbsOp, LLVM::SqrtOp, LLVM::FFloorOp, LLVM::FCeilOp,
                    LLVM::FTruncOp, LLVM::RoundEvenOp, LLVM::CopySignOp,
                    LLVM::FRemOp>();
  target.addIllegalDialect<arith::ArithDialect, cf::ControlFlowDialect,
                           math::MathDialect, memref::MemRefDialect,
                           scf::SCFDialect, tile::TileDialect,
                           nvgpu::NVGPUDialect, vector::VectorDialect>();
  return applyPartialConversion(kernels, target, std::move(patterns));
}

/// Makes what loops ask of LLVM, which conversions carry along with the branch
/// that closes them, known to its translation.
static void annotateLoops(gpu::GPUModuleOp kernels) {
  constexpr llvm::StringLiteral name = "llvm.loop_annotation";
  kernels.walk([&](LLVM::BrOp branch) {
    if (auto asked = branch->getAttrOfType<LLVM::LoopAnnotationAttr>(name))
      branch.setLoopAnnotationAttr(asked);
    branch->removeDiscardableAttr(name);
  });
}

/// Registers of a multiprocessor, and the most that a thread may have.
static constexpr int64_t kRegisters = 65536, kThreadRegisters = 255;

/// Asks for the blocks at a time that the schedule says, or as many as leave a
/// thread all the registers it may have. Without a number ptxas aims at more,
/// and spills.
static void setResidentBlocks(LLVM::LLVMFuncOp kernel) {
  auto size = kernel->getAttrOfType<DenseI32ArrayAttr>(
      NVVM::NVVMDialect::getMaxntidAttrName());
  if (!size)
    return;
  int64_t blocks =
      std::max<int64_t>(1, kRegisters / (kThreadRegisters * int64_t(size[0])));
  if (auto asked = dyn_cast_or_null<IntegerAttr>(
          kernel->removeDiscardableAttr(tile::kResidentAttr)))
    blocks = asked.getInt();
  kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                  Builder(kernel.getContext()).getI32IntegerAttr(blocks));
}

namespace {
struct NvidiaToNvvm : attn::impl::NvidiaToNvvmBase<NvidiaToNvvm> {
  void runOnOperation() override {
    gpu::GPUModuleOp kernels = getOperation();
    LowerToLLVMOptions options(&getContext());
    options.overrideIndexBitwidth(64);
    LLVMTypeConverter types(&getContext(), options);
    configureGpuToNVVMTypeConverter(types);
    if (failed(simplify(kernels)))
      return signalPassFailure();
    for (auto kernel : kernels.getOps<gpu::GPUFuncOp>())
      flattenParameters(kernel, types);
    if (failed(convert(kernels, types)))
      return signalPassFailure();
    annotateLoops(kernels);
    for (auto kernel : kernels.getOps<LLVM::LLVMFuncOp>())
      setResidentBlocks(kernel);
    // The array of dynamic shared memory; its size is a matter of the launch.
    for (auto global : kernels.getOps<LLVM::GlobalOp>())
      if (global.getAddrSpace() == 3)
        global.setLinkage(LLVM::Linkage::External);
  }
};
} // namespace
