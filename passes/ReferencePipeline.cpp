//===- ReferencePipeline.cpp - From the definition to loops -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The definition is written on tensors. Here they get buffers: those of the
// caller for arguments and results, allocations for everything in between.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Destination-passing style
//===----------------------------------------------------------------------===//

/// Whether the function has a result that is not a tensor, or is called.
static LogicalResult checkFunction(func::FuncOp function) {
  for (Type type : function.getResultTypes())
    if (!isa<RankedTensorType>(type))
      return function.emitOpError("results must be ranked tensors, got ")
             << type;
  WalkResult calls = function.walk([](func::CallOp call) {
    call.emitOpError(
        "cannot be compiled; expected functions that call no other");
    return WalkResult::interrupt();
  });
  return failure(calls.wasInterrupted());
}

/// Turns tensor arguments into memrefs, which the body reads as tensors.
static void passArgumentsAsViews(func::FuncOp function) {
  auto b =
      ImplicitLocOpBuilder::atBlockBegin(function.getLoc(), &function.front());
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    argument.setType(tile::getViewType(type));
    auto tensor =
        bufferization::ToTensorOp::create(b, type, argument, /*restrict=*/true);
    argument.replaceAllUsesExcept(tensor, tensor);
  }
}

/// Turns results into arguments that the body writes.
static void passResultsAsViews(func::FuncOp function) {
  auto end = cast<func::ReturnOp>(function.front().getTerminator());
  ImplicitLocOpBuilder b(end.getLoc(), end);
  for (auto [index, result] : llvm::enumerate(end.getOperands())) {
    Type type = tile::getViewType(
        cast<RankedTensorType>(function.getResultTypes()[index]));
    Value view = function.front().addArgument(type, function.getLoc());
    bufferization::MaterializeInDestinationOp::create(
        b, /*result=*/Type(), result, view, /*restrict=*/true,
        /*writable=*/true);
  }
  end->setOperands({});
}

/// Both, with the function's type and attributes. The body has one block.
static void toDestinationStyle(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  SmallVector<DictionaryAttr> attributes;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    attributes.push_back(function.getArgAttrDict(i));
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    NamedAttrList result(function.getResultAttrDict(i));
    result.set(kResultAttr, UnitAttr::get(context));
    attributes.push_back(result.getDictionary(context));
  }
  passArgumentsAsViews(function);
  passResultsAsViews(function);
  function.removeResAttrsAttr();
  function.setFunctionType(
      FunctionType::get(context, function.front().getArgumentTypes(), {}));
  function.setAllArgAttrs(attributes);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// Buffers that the program frees itself are left to it.
static void keepManualDeallocation(func::FuncOp function) {
  StringRef name = bufferization::BufferizationDialect::kManualDeallocation;
  function.walk([&](memref::DeallocOp op) {
    auto mark = UnitAttr::get(op.getContext());
    op->setAttr(name, mark);
    if (Operation *allocation = op.getMemref().getDefiningOp())
      allocation->setAttr(name, mark);
  });
}

static LogicalResult bufferize(ModuleOp module) {
  bufferization::OneShotBufferizationOptions options;
  // A definition in a loop of the program may make a tensor per iteration.
  options.allowReturnAllocsFromLoops = true;
  // Copies are loops too: memref.copy needs a library.
  options.memCpyFn = [](OpBuilder &b, Location loc, Value from, Value to) {
    linalg::CopyOp::create(b, loc, from, to);
    return success();
  };
  bufferization::BufferizationState state;
  return bufferization::runOneShotBufferize(module, options, state);
}

namespace {
/// Gives every tensor of a program without attn and tile ops a buffer.
struct BufferizeReference
    : PassWrapper<BufferizeReference, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BufferizeReference)

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect, linalg::LinalgDialect,
                    memref::MemRefDialect>();
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      if (failed(checkFunction(function)))
        return signalPassFailure();
      toDestinationStyle(function);
      keepManualDeallocation(function);
    }
    if (failed(bufferize(getOperation())))
      signalPassFailure();
  }
};

/// arith-expand knows how a bf16 becomes an f32, and nothing wider. Every bf16
/// is an f32, so that going through it changes nothing.
struct WidenBf16InSteps
    : PassWrapper<WidenBf16InSteps, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WidenBf16InSteps)

  void runOnOperation() override {
    getOperation().walk([](arith::ExtFOp op) {
      Type from = op.getIn().getType();
      if (!getElementTypeOrSelf(from).isBF16() ||
          !getElementTypeOrSelf(op.getType()).isF64())
        return;
      OpBuilder b(op);
      Type single = b.getF32Type();
      if (auto shaped = dyn_cast<ShapedType>(from))
        single = shaped.clone(single);
      op.getInMutable().assign(
          arith::ExtFOp::create(b, op.getLoc(), single, op.getIn()));
    });
  }
};

struct ReferencePipelineOptions
    : PassPipelineOptions<ReferencePipelineOptions> {
  Option<std::string> precision{*this, "precision", llvm::cl::init("f64"),
                                llvm::cl::desc("f64 or spec")};
};
} // namespace

void attn::buildReferencePipeline(OpPassManager &manager, StringRef precision) {
  manager.addNestedPass<func::FuncOp>(createExpandRandom());
  manager.addPass(createLowerToReference({precision.str()}));
  // No canonicalization here: it would evaluate a tensor.generate anew at every
  // element that is read.
  manager.addPass(createCSEPass());
  manager.addPass(std::make_unique<BufferizeReference>());
  // Blocks in order: the definition is sequential.
  manager.addPass(createForallToForLoopPass());
  bufferization::buildBufferDeallocationPipeline(manager);
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(memref::createExpandOpsPass());
  manager.addPass(std::make_unique<WidenBf16InSteps>());
  // Conversions of bf16 by integer arithmetic, without a library.
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  manager.addPass(arith::createArithExpandOpsPass(expand));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void attn::registerReferencePipeline() {
  PassPipelineRegistration<ReferencePipelineOptions>(
      "attn-reference-pipeline",
      "The executable definition as loops over buffers, in destination style",
      [](OpPassManager &manager, const ReferencePipelineOptions &options) {
        buildReferencePipeline(manager, options.precision);
      });
}
