//===- SimulateDevice.cpp - GPU kernels to host code ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/DeviceRewriter.h"
#include "codegen/simulator/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/Support/MathExtras.h"

namespace attn {
#define GEN_PASS_DEF_SIMULATEDEVICE
#include "codegen/simulator/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;
using namespace attn::sim;

/// Bytes between globals of shared memory, so that an access beyond the end of
/// one is not one of the next.
static constexpr int64_t kSharedGap = 128;
static constexpr unsigned kSharedSpace = 3;

std::string sim::getEntryName(StringRef kernel) {
  return ("attn_simulated_" + kernel).str();
}

namespace {
/// Places of globals in shared memory.
struct SharedLayout {
  SharedOffsets offsets;
  SmallVector<int64_t> ranges;
  SmallVector<StringRef> names;
  int64_t end = 0;

  void place(LLVM::GlobalOp global, const DataLayout &layout) {
    int64_t size = layout.getTypeSize(global.getType());
    int64_t align = global.getAlignment().value_or(
        layout.getTypeABIAlignment(global.getType()));
    int64_t start = llvm::alignTo(end, align);
    offsets[global.getName()] = start;
    ranges.append({start, size});
    names.push_back(
        StringAttr::get(global.getContext(), global.getName()).getValue());
    end = start + size + kSharedGap;
  }
};

struct SimulateDevice : attn::impl::SimulateDeviceBase<SimulateDevice> {
  void runOnOperation() override;
  LogicalResult placeGlobals(ArrayRef<gpu::GPUModuleOp> devices);
  LogicalResult simulate(gpu::GPUModuleOp device);
  LogicalResult moveOut(gpu::GPUModuleOp device);

  SharedLayout shared;
  int32_t nextSite = 0;
};
} // namespace

/// Puts every pointer into address space 0.
static void dropAddressSpaces(Operation *root) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](LLVM::LLVMPointerType type) -> Type {
    return LLVM::LLVMPointerType::get(type.getContext());
  });
  replacer.recursivelyReplaceElementsIn(root, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  root->walk([](LLVM::AddrSpaceCastOp cast) {
    cast.getResult().replaceAllUsesWith(cast.getArg());
    cast.erase();
  });
  root->walk([](LLVM::GlobalOp global) { global.setAddrSpace(0); });
}

/// A copy of `sizes` as three numbers, or nothing.
static DenseI32ArrayAttr getSizes(LLVM::LLVMFuncOp kernel, StringRef name) {
  auto sizes = kernel->getAttrOfType<DenseI32ArrayAttr>(name);
  if (!sizes)
    return nullptr;
  SmallVector<int32_t> three(sizes.asArrayRef());
  three.resize(3, 1);
  return DenseI32ArrayAttr::get(kernel.getContext(), three);
}

/// Says on the call of a kernel what launches have to know.
static void describeKernel(LLVM::LLVMFuncOp kernel, ArrayRef<Type> types,
                           LLVM::CallOp call) {
  Builder builder(kernel);
  SmallVector<Attribute> typeAttrs;
  for (Type type : types)
    typeAttrs.push_back(TypeAttr::get(type));
  call->setAttr(kKernelTypesAttr, builder.getArrayAttr(typeAttrs));
  DenseI32ArrayAttr exact = getSizes(kernel, "nvvm.reqntid");
  if (!exact)
    exact = getSizes(kernel, "gpu.known_block_size");
  if (exact)
    call->setAttr(kBlockSizeAttr, exact);
  if (auto largest = getSizes(kernel, "nvvm.maxntid"))
    call->setAttr(kLargestBlockAttr, largest);
}

/// Makes the function by which the simulator calls `kernel`.
static void makeEntry(LLVM::LLVMFuncOp kernel) {
  OpBuilder builder(kernel);
  Location loc = kernel.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto none = LLVM::LLVMVoidType::get(builder.getContext());
  auto entry = LLVM::LLVMFuncOp::create(
      builder, loc, getEntryName(kernel.getName()),
      LLVM::LLVMFunctionType::get(none, {pointer, pointer}));
  ArrayRef<Type> types = kernel.getArgumentTypes().drop_front();
  builder.setInsertionPointToStart(entry.addEntryBlock(builder));
  SmallVector<Value> operands = {entry.getArgument(0)};
  for (auto [index, type] : llvm::enumerate(types)) {
    Value slot = LLVM::GEPOp::create(
        builder, loc, pointer, pointer, entry.getArgument(1),
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    Value address = LLVM::LoadOp::create(builder, loc, pointer, slot);
    operands.push_back(LLVM::LoadOp::create(builder, loc, type, address));
  }
  auto call = LLVM::CallOp::create(builder, loc, TypeRange(), kernel.getName(),
                                   operands);
  describeKernel(kernel, types, call);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
}

/// Leaves on a function only what the host understands.
static void dropDeviceAttributes(LLVM::LLVMFuncOp function) {
  for (NamedAttribute attribute :
       llvm::to_vector(function->getDiscardableAttrs()))
    function->removeDiscardableAttr(attribute.getName());
  function.setLinkage(LLVM::Linkage::Internal);
  function.setCConv(LLVM::CConv::C);
}

/// Gives the globals of shared memory their places.
LogicalResult SimulateDevice::placeGlobals(ArrayRef<gpu::GPUModuleOp> devices) {
  SmallVector<StringRef> dynamic;
  for (gpu::GPUModuleOp device : devices) {
    DataLayout layout(device);
    for (auto global : device.getOps<LLVM::GlobalOp>()) {
      if (global.getAddrSpace() != kSharedSpace)
        continue;
      if (layout.getTypeSize(global.getType()) == 0)
        dynamic.push_back(global.getName());
      else if (!shared.offsets.contains(global.getName()))
        shared.place(global, layout);
      else
        return global.emitOpError("has a name that is taken in another "
                                  "'gpu.module'");
    }
  }
  // Dynamic shared memory is where every global of size 0 starts.
  shared.end = llvm::alignTo(shared.end, kSharedGap);
  for (StringRef name : dynamic)
    shared.offsets[name] = shared.end;
  return success();
}

LogicalResult SimulateDevice::simulate(gpu::GPUModuleOp device) {
  DataLayout layout(device);
  for (auto global :
       llvm::make_early_inc_range(device.getOps<LLVM::GlobalOp>()))
    if (shared.offsets.contains(global.getName()))
      global.erase();
  dropAddressSpaces(device);
  DeviceRewriter rewriter(&getContext(), layout, shared.offsets, nextSite);
  for (auto function : device.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal() && failed(rewriter.rewrite(function)))
      return failure();
  return success();
}

/// Moves what `device` holds to where it stands.
LogicalResult SimulateDevice::moveOut(gpu::GPUModuleOp device) {
  SymbolTable symbols(getOperation());
  for (Operation &op : llvm::make_early_inc_range(*device.getBody())) {
    auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
    auto global = dyn_cast<LLVM::GlobalOp>(op);
    if (!function && !global)
      return op.emitOpError("cannot be simulated: expected functions and "
                            "globals of the dialect 'llvm' in a 'gpu.module'");
    if (function && function.isExternal()) {
      op.erase();
      continue;
    }
    if (symbols.lookup(SymbolTable::getSymbolName(&op)))
      return op.emitOpError("has a name that is taken outside of its "
                            "'gpu.module'");
    op.moveBefore(device);
    symbols.insert(&op);
    if (global)
      global.setLinkage(LLVM::Linkage::External);
    else {
      if (function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        makeEntry(function);
      dropDeviceAttributes(function);
    }
  }
  device.erase();
  return success();
}

/// Defines what LLVM calls to round to bf16 where the host cannot do it; it
/// comes from a library that shared objects of kernels do not have.
static void defineRounding(ModuleOp module) {
  constexpr llvm::StringLiteral name = "__truncsfbf2";
  if (module.lookupSymbol(name))
    return;
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  Type i32 = builder.getI32Type();
  auto function = LLVM::LLVMFuncOp::create(
      builder, loc, name,
      LLVM::LLVMFunctionType::get(builder.getBF16Type(), builder.getF32Type()));
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  auto number = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(builder, loc, i32,
                                    builder.getI32IntegerAttr(value));
  };
  Value bits =
      LLVM::BitcastOp::create(builder, loc, i32, function.getArgument(0));
  Value high = LLVM::LShrOp::create(builder, loc, bits, number(16));
  // To the nearest; of two equally near the even one. A NaN stays one.
  Value odd = LLVM::AndOp::create(builder, loc, high, number(1));
  Value half = LLVM::AddOp::create(builder, loc, odd, number(0x7FFF));
  Value near = LLVM::LShrOp::create(
      builder, loc, LLVM::AddOp::create(builder, loc, bits, half), number(16));
  Value magnitude = LLVM::AndOp::create(builder, loc, bits, number(0x7FFFFFFF));
  Value isNan = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ugt,
                                     magnitude, number(0x7F800000));
  Value quiet = LLVM::OrOp::create(builder, loc, high, number(0x40));
  Value result = LLVM::TruncOp::create(
      builder, loc, builder.getI16Type(),
      LLVM::SelectOp::create(builder, loc, isNan, quiet, near));
  LLVM::ReturnOp::create(
      builder, loc,
      LLVM::BitcastOp::create(builder, loc, builder.getBF16Type(), result)
          .getResult());
}

void SimulateDevice::runOnOperation() {
  ModuleOp module = getOperation();
  SmallVector<gpu::GPUModuleOp> devices(module.getOps<gpu::GPUModuleOp>());
  if (devices.empty())
    return;
  nextSite = 0;
  shared = SharedLayout();
  if (failed(placeGlobals(devices)))
    return signalPassFailure();
  for (gpu::GPUModuleOp device : devices)
    if (failed(simulate(device)) || failed(moveOut(device)))
      return signalPassFailure();
  bool rounds = false;
  module.walk([&](LLVM::FPTruncOp op) {
    rounds |= getElementTypeOrSelf(op.getType()).isBF16();
  });
  if (rounds)
    defineRounding(module);
  Builder builder(&getContext());
  module->setAttr(kSharedRangesAttr,
                  builder.getDenseI64ArrayAttr(shared.ranges));
  module->setAttr(kSharedNamesAttr, builder.getStrArrayAttr(shared.names));
  module->setAttr(kSharedDynamicAttr, builder.getI64IntegerAttr(shared.end));
}
