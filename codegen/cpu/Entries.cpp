//===- Entries.cpp - How hosts call kernels, in the LLVM dialect ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Terms: blocks are a function that attn-cpu-outline-parallel made,
// `(begin, end, scratch, captures...)`; its share is the function that the host
// calls, `(env, begin, end, scratch)`; env is a struct of the captures.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Entries.h"
#include "codegen/cpu/Passes.h"
#include "dialect/AttnDialect.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace attn;

/// Operands of a call of blocks, after memrefs were unpacked: the range, the
/// five parts of the descriptor of the scratch memory, captures.
static constexpr unsigned kScratchOperand = 2, kFirstCapture = 7;

//===----------------------------------------------------------------------===//
// Before the conversion
//===----------------------------------------------------------------------===//

static LogicalResult verifyEntry(func::FuncOp function) {
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    if (!isa<MemRefType>(type))
      return function.emitOpError("argument ")
             << i << " must be a memref here, got " << type;
  if (function.getNumResults())
    return function.emitOpError(
               "must write its results to memrefs, got a result "
               "of type ")
           << function.getResultTypes().front();
  return success();
}

/// Removes names and dimensions, which the LLVM dialect has no place for.
static void dropPortAttributes(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    for (StringRef name : {kNameAttr, kDimsAttr, kFillAttr, kResultAttr})
      function.removeArgAttr(i, StringAttr::get(function.getContext(), name));
  function->removeAttr(kDefaultsAttr);
}

LogicalResult attn::prepareEntries(ModuleOp module) {
  MLIRContext *context = module.getContext();
  auto pointer = LLVM::LLVMPointerType::get(context);
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (failed(verifyEntry(function)) ||
        failed(function.insertArgument(0, pointer, {}, function.getLoc())))
      return failure();
    dropPortAttributes(function);
    function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                      UnitAttr::get(context));
  }
  WalkResult result = module.walk([](func::CallOp call) {
    if (!call->hasAttr(kScratchBytesAttr) ||
        call->getParentOfType<func::FuncOp>().isPublic())
      return WalkResult::advance();
    call.emitOpError("with '")
        << kScratchBytesAttr << "' must be in a public function";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// After the conversion: calls of the host
//===----------------------------------------------------------------------===//

/// The struct of the captures of `call`.
static LLVM::LLVMStructType getEnvironmentType(LLVM::CallOp call) {
  SmallVector<Type> types(
      call.getArgOperands().drop_front(kFirstCapture).getTypes());
  return LLVM::LLVMStructType::getLiteral(call.getContext(), types);
}

/// Address of field `index` of the struct `type` at `base`.
static Value getField(OpBuilder &builder, Location loc, Type type, Value base,
                      int32_t index) {
  return LLVM::GEPOp::create(builder, loc, base.getType(), type, base,
                             ArrayRef<LLVM::GEPArg>{0, index});
}

/// Makes the function that unpacks the captures and calls the blocks. Only the
/// aligned pointer of the scratch memory is followed, and by nobody else.
static LLVM::LLVMFuncOp makeShare(OpBuilder &builder, SymbolTable &symbols,
                                  LLVM::CallOp call) {
  MLIRContext *context = builder.getContext();
  Location loc = call.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(context);
  auto word = builder.getI64Type();
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                          {pointer, word, word, pointer});
  auto blocks = symbols.lookup<LLVM::LLVMFuncOp>(*call.getCallee());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(blocks);
  auto share = LLVM::LLVMFuncOp::create(builder, loc,
                                        (blocks.getName() + "_share").str(),
                                        type, LLVM::Linkage::Internal);
  symbols.insert(share);
  builder.setInsertionPointToStart(share.addEntryBlock(builder));
  SmallVector<Value> operands(call.getArgOperands().size());
  operands[0] = share.getArgument(1);
  operands[1] = share.getArgument(2);
  operands[kScratchOperand] = operands[kScratchOperand + 1] =
      share.getArgument(3);
  Value zero = LLVM::ConstantOp::create(builder, loc, word, 0);
  for (unsigned i = kScratchOperand + 2; i < kFirstCapture; ++i)
    operands[i] = zero; // Offset, size and stride, which are static.
  auto environment = getEnvironmentType(call);
  for (auto [i, field] : llvm::enumerate(environment.getBody()))
    operands[kFirstCapture + i] = LLVM::LoadOp::create(
        builder, loc, field,
        getField(builder, loc, environment, share.getArgument(0), i));
  LLVM::CallOp::create(builder, loc, blocks, operands);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  blocks.setArgAttr(kScratchOperand + 1,
                    LLVM::LLVMDialect::getNoAliasAttrName(),
                    builder.getUnitAttr());
  return share;
}

/// Stores the captures of `call` into a struct on the stack.
static Value makeEnvironment(OpBuilder &builder, LLVM::CallOp call,
                             LLVM::LLVMFuncOp function) {
  Location loc = call.getLoc();
  auto type = getEnvironmentType(call);
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value environment;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&function.front());
    Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), 1);
    environment = LLVM::AllocaOp::create(builder, loc, pointer, type, one);
  }
  for (auto [i, value] :
       llvm::enumerate(call.getArgOperands().drop_front(kFirstCapture)))
    LLVM::StoreOp::create(builder, loc, value,
                          getField(builder, loc, type, environment, i));
  return environment;
}

/// Replaces a call of blocks by `host->parallelFor(host, count, share, env,
/// scratchBytes)`.
static void callHost(LLVM::CallOp call, SymbolTable &symbols) {
  OpBuilder builder(call);
  Location loc = call.getLoc();
  auto function = call->getParentOfType<LLVM::LLVMFuncOp>();
  Value host = function.getArgument(0), count = call.getArgOperands()[1];
  LLVM::LLVMFuncOp share = makeShare(builder, symbols, call);
  Value environment = makeEnvironment(builder, call, function);
  Value address = LLVM::AddressOfOp::create(builder, loc, share);
  auto bytes = call->getAttrOfType<IntegerAttr>(kScratchBytesAttr);
  Value scratchBytes = LLVM::ConstantOp::create(builder, loc, bytes);
  // parallelFor is the first field of the host.
  Value callee = LLVM::LoadOp::create(builder, loc, host.getType(), host);
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()),
      {host.getType(), count.getType(), address.getType(),
       environment.getType(), scratchBytes.getType()});
  LLVM::CallOp::create(
      builder, loc, type,
      ValueRange{callee, host, count, address, environment, scratchBytes});
  call.erase();
}

//===----------------------------------------------------------------------===//
// After the conversion: entries
//===----------------------------------------------------------------------===//

/// Makes `attn_entry_NAME` for the wrapper of NAME that takes descriptors.
static void makeEntry(LLVM::LLVMFuncOp wrapper, StringRef name) {
  OpBuilder builder(wrapper.getContext());
  builder.setInsertionPointAfter(wrapper);
  Location loc = wrapper.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type =
      LLVM::LLVMFunctionType::get(builder.getI32Type(), {pointer, pointer});
  auto entry =
      LLVM::LLVMFuncOp::create(builder, loc, (kEntryPrefix + name).str(), type);
  builder.setInsertionPointToStart(entry.addEntryBlock(builder));
  SmallVector<Value> operands = {entry.getArgument(0)};
  for (int32_t i = 0, n = wrapper.getNumArguments() - 1; i < n; ++i) {
    Value address =
        LLVM::GEPOp::create(builder, loc, pointer, pointer,
                            entry.getArgument(1), ArrayRef<LLVM::GEPArg>{i});
    operands.push_back(LLVM::LoadOp::create(builder, loc, pointer, address));
  }
  LLVM::CallOp::create(builder, loc, wrapper, operands);
  Value ok = LLVM::ConstantOp::create(builder, loc, builder.getI32Type(), 0);
  LLVM::ReturnOp::create(builder, loc, ok);
}

void attn::makeEntries(ModuleOp module) {
  static constexpr StringLiteral wrapperPrefix = "_mlir_ciface_";
  SymbolTable symbols(module);
  SmallVector<LLVM::CallOp> calls;
  module.walk([&](LLVM::CallOp call) {
    if (call->hasAttr(kScratchBytesAttr))
      calls.push_back(call);
  });
  for (LLVM::CallOp call : calls)
    callHost(call, symbols);
  for (auto function : llvm::to_vector(module.getOps<LLVM::LLVMFuncOp>())) {
    if (function.isExternal())
      continue;
    function.setLinkage(LLVM::Linkage::Internal);
    StringRef name = function.getName();
    if (name.consume_front(wrapperPrefix))
      makeEntry(function, name);
  }
}
