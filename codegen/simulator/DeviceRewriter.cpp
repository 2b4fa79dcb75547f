//===- DeviceRewriter.cpp - One device function to host code --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arithmetic and control flow stay. An access stays too, but its address goes
// through a call that checks it and may send it elsewhere, so one function
// serves values of every type. All else becomes a call with 64-bit slots.
// What the optimizer could conclude from promises of the device code, such as
// pointers within bounds, is taken away: promises are what is checked.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/DeviceRewriter.h"
#include "codegen/simulator/Abi.h"
#include "mlir/Analysis/CFGLoopInfo.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstddef>

using namespace mlir;
using namespace attn::sim;

/// Enough for the operands and results of every event.
static constexpr int64_t kSlots = 24;

/// The largest access of a device.
static constexpr int64_t kLargestAccess = 16;

DeviceRewriter::DeviceRewriter(MLIRContext *context, DataLayout layout,
                               const SharedOffsets &offsets, int32_t &nextSite)
    : builder(context), location(UnknownLoc::get(context)),
      layout(std::move(layout)), offsets(offsets), nextSite(nextSite),
      pointer(LLVM::LLVMPointerType::get(context)),
      i32(IntegerType::get(context, 32)), i64(IntegerType::get(context, 64)) {}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

Value DeviceRewriter::makeInteger(Type type, int64_t value) {
  return LLVM::ConstantOp::create(builder, location, type,
                                  builder.getIntegerAttr(type, value));
}

/// Address `offset` bytes after `base`.
static Value addBytes(OpBuilder &builder, Location loc, Value base,
                      int64_t offset) {
  return LLVM::GEPOp::create(
      builder, loc, base.getType(), builder.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
}

/// A field of the thread's context.
Value DeviceRewriter::getField(int64_t offset, Type type) {
  Value address = addBytes(builder, location, thread, offset);
  return LLVM::LoadOp::create(builder, location, type, address);
}

Value DeviceRewriter::getSlotAddress(int64_t index) {
  return addBytes(builder, location, slots, index * sizeof(int64_t));
}

/// The integer type with the bits of `type`.
static IntegerType getBitsType(Type type) {
  unsigned bits = 0;
  if (auto vector = dyn_cast<VectorType>(type))
    bits = vector.getNumElements() * vector.getElementTypeBitWidth();
  else
    bits = type.getIntOrFloatBitWidth();
  return IntegerType::get(type.getContext(), bits);
}

Value DeviceRewriter::makeSlot(Value value) {
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::PtrToIntOp::create(builder, location, i64, value);
  IntegerType bits = getBitsType(type);
  if (bits != type)
    value = LLVM::BitcastOp::create(builder, location, bits, value);
  if (bits == i64)
    return value;
  return LLVM::ZExtOp::create(builder, location, i64, value);
}

Value DeviceRewriter::readSlot(Type type, int64_t index) {
  Value value =
      LLVM::LoadOp::create(builder, location, i64, getSlotAddress(index));
  IntegerType bits = getBitsType(type);
  if (bits != i64)
    value = LLVM::TruncOp::create(builder, location, bits, value);
  if (bits != type)
    value = LLVM::BitcastOp::create(builder, location, type, value);
  return value;
}

LLVM::CallOp DeviceRewriter::callSite(Operation *op, Value callee, Type result,
                                      SiteKind kind, ValueRange operands) {
  int32_t number = nextSite++;
  SmallVector<Value> all = {callee, thread, makeInteger(i32, number)};
  llvm::append_range(all, operands);
  SmallVector<Type> types;
  for (Value value : ArrayRef<Value>(all).drop_front())
    types.push_back(value.getType());
  auto call = LLVM::CallOp::create(
      builder, location, LLVM::LLVMFunctionType::get(result, types), all);
  call->setAttr(kSiteAttr, builder.getI32IntegerAttr(number));
  call->setAttr(kSiteKindAttr, builder.getStringAttr(sim::getName(kind)));
  call->setAttr(kSiteOpAttr, op->getName().getIdentifier());
  if (int32_t loop = loops.lookup(op->getBlock()))
    call->setAttr(kSiteLoopAttr, builder.getI32IntegerAttr(loop));
  return call;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// Sends the access of `op` through the simulator. `order` is there if others
/// may access the same memory at the same time.
LogicalResult
DeviceRewriter::redirect(Operation *op, OpOperand &address, Type accessed,
                         SiteKind kind, uint64_t align,
                         std::optional<LLVM::AtomicOrdering> order) {
  int64_t bytes = layout.getTypeSize(accessed);
  if (bytes > kLargestAccess)
    return op->emitOpError(
               "cannot be simulated: expected an access of at most ")
           << kLargestAccess << " bytes, got " << bytes;
  if (!align)
    align = layout.getTypeABIAlignment(accessed);
  std::string mode = sim::getName(kind).str();
  if (order && *order != LLVM::AtomicOrdering::not_atomic)
    mode += "." + LLVM::stringifyAtomicOrdering(*order).str();
  Value callee = order ? update : kind == SiteKind::Load ? load : store;
  auto call = callSite(op, callee, pointer, order ? SiteKind::Update : kind,
                       address.get());
  call->setAttr(kSiteModeAttr, builder.getStringAttr(mode));
  call->setAttr(kSiteBytesAttr, builder.getI32IntegerAttr(bytes));
  call->setAttr(kSiteAlignAttr, builder.getI32IntegerAttr(align));
  address.set(call.getResult());
  return success();
}

/// The ordering of an access that may be concurrent with others of its kind.
template <typename Op>
static std::optional<LLVM::AtomicOrdering> getOrder(Op op) {
  if (op.getVolatile_() || op.getOrdering() != LLVM::AtomicOrdering::not_atomic)
    return op.getOrdering();
  return std::nullopt;
}

/// Takes away what an access promises of other accesses.
template <typename Op> static void dropPromises(Op op) {
  op.setAliasScopesAttr(nullptr);
  op.setNoaliasScopesAttr(nullptr);
  op.setTbaaAttr(nullptr);
  op.setSyncscopeAttr(nullptr);
}

LogicalResult DeviceRewriter::rewriteMemoryOp(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<LLVM::LoadOp>([&](LLVM::LoadOp read) {
        dropPromises(read);
        read.setInvariant(false);
        read.setInvariantGroup(false);
        return redirect(op, read.getAddrMutable(), read.getType(),
                        SiteKind::Load, read.getAlignment().value_or(0),
                        getOrder(read));
      })
      .Case<LLVM::StoreOp>([&](LLVM::StoreOp write) {
        dropPromises(write);
        write.setInvariantGroup(false);
        return redirect(op, write.getAddrMutable(), write.getValue().getType(),
                        SiteKind::Store, write.getAlignment().value_or(0),
                        getOrder(write));
      })
      .Case<LLVM::AtomicRMWOp>([&](LLVM::AtomicRMWOp change) {
        dropPromises(change);
        return redirect(op, change.getPtrMutable(), change.getType(),
                        SiteKind::Update, 0, change.getOrdering());
      })
      .Case<LLVM::AtomicCmpXchgOp>([&](LLVM::AtomicCmpXchgOp change) {
        dropPromises(change);
        return redirect(op, change.getPtrMutable(), change.getVal().getType(),
                        SiteKind::Update, 0, change.getSuccessOrdering());
      });
}

//===----------------------------------------------------------------------===//
// Events and registers
//===----------------------------------------------------------------------===//

void DeviceRewriter::callEvent(Operation *op, SiteKind kind,
                               ValueRange operands, StringRef mode,
                               int64_t bytes) {
  for (auto [index, operand] : llvm::enumerate(operands))
    LLVM::StoreOp::create(builder, location, makeSlot(operand),
                          getSlotAddress(index));
  auto none = LLVM::LLVMVoidType::get(builder.getContext());
  auto call = callSite(op, event, none, kind, slots);
  if (!mode.empty())
    call->setAttr(kSiteModeAttr, builder.getStringAttr(mode));
  if (bytes)
    call->setAttr(kSiteBytesAttr, builder.getI32IntegerAttr(bytes));
  if (op->getNumResults() == 0)
    return;
  Type result = op->getResult(0).getType();
  auto elements = dyn_cast<LLVM::LLVMStructType>(result);
  if (!elements) {
    op->getResult(0).replaceAllUsesWith(readSlot(result, 0));
    return;
  }
  Value tuple = LLVM::PoisonOp::create(builder, location, result);
  for (auto [index, element] : llvm::enumerate(elements.getBody()))
    tuple = LLVM::InsertValueOp::create(builder, location, tuple,
                                        readSlot(element, index), index);
  op->getResult(0).replaceAllUsesWith(tuple);
}

LogicalResult DeviceRewriter::rewriteEvent(Operation *op) {
  FailureOr<std::optional<EventForm>> form = getEventForm(op, builder);
  if (failed(form))
    return failure();
  if (!*form)
    return op->emitOpError("cannot be simulated: the simulator does not know "
                           "this op");
  callEvent(op, (*form)->kind, (*form)->operands, (*form)->mode,
            (*form)->bytes);
  op->erase();
  return success();
}

/// The prefix of the ops that read special registers.
static constexpr llvm::StringLiteral kRegisterPrefix = "nvvm.read.ptx.sreg.";

LogicalResult DeviceRewriter::rewriteRegister(Operation *op) {
  StringRef name = op->getName().getStringRef().substr(kRegisterPrefix.size());
  ArrayRef<llvm::StringLiteral> names = getSpecialRegisters();
  const auto *found = llvm::find(names, name);
  if (found == names.end())
    return op->emitOpError("cannot be simulated: the simulator has no register "
                           "'")
           << name << "'";
  int64_t offset = offsetof(AttnSimThread, registers) +
                   (found - names.begin()) * sizeof(int32_t);
  op->getResult(0).replaceAllUsesWith(getField(offset, i32));
  op->erase();
  return success();
}

void DeviceRewriter::rewriteAddressOf(LLVM::AddressOfOp op) {
  auto found = offsets.find(op.getGlobalName());
  if (found == offsets.end())
    return; // A global in global memory, which keeps its name.
  Value base = getField(offsetof(AttnSimThread, shared), pointer);
  op.getResult().replaceAllUsesWith(
      addBytes(builder, location, base, found->second));
  op->erase();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// Whether an op means on the host what it means on the device.
static bool isPlain(Operation *op) {
  if (isa<LLVM::BrOp, LLVM::CondBrOp, LLVM::SwitchOp, LLVM::ReturnOp>(op))
    return true;
  return isa<LLVM::LLVMDialect>(op->getDialect()) && isMemoryEffectFree(op);
}

LogicalResult DeviceRewriter::rewriteOp(Operation *op) {
  location = op->getLoc();
  builder.setInsertionPoint(op);
  if (!isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()))
    return op->emitOpError("cannot be simulated: expected ops of the dialects "
                           "'llvm' and 'nvvm'");
  if (op->getName().getStringRef().starts_with(kRegisterPrefix))
    return rewriteRegister(op);
  if (isa<LLVM::LoadOp, LLVM::StoreOp, LLVM::AtomicRMWOp,
          LLVM::AtomicCmpXchgOp>(op))
    return rewriteMemoryOp(op);
  if (auto intrinsic = dyn_cast<LLVM::CallIntrinsicOp>(op))
    return rewriteIntrinsic(intrinsic);
  if (auto round = dyn_cast<NVVM::ConvertFloatToTF32Op>(op))
    return rewriteRounding(round);
  if (auto call = dyn_cast<LLVM::CallOp>(op))
    return rewriteCall(call);
  if (isa<LLVM::InlineAsmOp>(op))
    return op->emitOpError("cannot be simulated: inline assembly has no "
                           "meaning that could be executed here");
  if (isa<LLVM::AssumeOp, LLVM::LifetimeStartOp, LLVM::LifetimeEndOp>(op)) {
    op->erase();
    return success();
  }
  if (auto rcp = dyn_cast<NVVM::RcpApproxFtzF32Op>(op)) {
    Value one = LLVM::ConstantOp::create(builder, location, rcp.getType(),
                                         builder.getF32FloatAttr(1.0));
    rcp.replaceAllUsesWith(
        LLVM::FDivOp::create(builder, location, one, rcp.getArg()).getResult());
    op->erase();
    return success();
  }
  if (isa<LLVM::UndefOp, LLVM::PoisonOp>(op)) {
    rewriteUndefined(op);
    return success();
  }
  if (auto address = dyn_cast<LLVM::AddressOfOp>(op)) {
    rewriteAddressOf(address);
    return success();
  }
  if (auto gep = dyn_cast<LLVM::GEPOp>(op)) {
    gep.setNoWrapFlags(LLVM::GEPNoWrapFlags::none);
    return success();
  }
  if (isa<LLVM::SDivOp, LLVM::UDivOp, LLVM::SRemOp, LLVM::URemOp>(op))
    return rewriteDivision(op);
  if (auto alloca = dyn_cast<LLVM::AllocaOp>(op))
    return checkAlloca(alloca);
  if (isa<LLVM::UnreachableOp>(op)) {
    callEvent(op, SiteKind::Trap, {}, "");
    return success();
  }
  return isPlain(op) ? success() : rewriteEvent(op);
}

/// Adds the context argument and reads from it what the body calls.
void DeviceRewriter::openFunction(LLVM::LLVMFuncOp function) {
  function.removeArgAttrsAttr();
  function.removeResAttrsAttr();
  LLVM::LLVMFunctionType type = function.getFunctionType();
  SmallVector<Type> parameters = {pointer};
  llvm::append_range(parameters, type.getParams());
  function.setFunctionType(
      LLVM::LLVMFunctionType::get(type.getReturnType(), parameters));
  Block &entry = function.getBody().front();
  entry.insertArgument(0u, pointer, function.getLoc());
  location = function.getLoc();
  builder.setInsertionPointToStart(&entry);
  thread = entry.getArgument(0);
  Value calls = getField(offsetof(AttnSimThread, calls), pointer);
  auto read = [&](size_t offset) -> Value {
    Value address = addBytes(builder, location, calls, offset);
    return LLVM::LoadOp::create(builder, location, pointer, address);
  };
  load = read(offsetof(AttnSimCalls, load));
  store = read(offsetof(AttnSimCalls, store));
  update = read(offsetof(AttnSimCalls, update));
  event = read(offsetof(AttnSimCalls, event));
  step = read(offsetof(AttnSimCalls, step));
  slots = LLVM::AllocaOp::create(builder, location, pointer, i64,
                                 makeInteger(i64, kSlots));
}

/// Counts the ops of a block where it starts; loops can be ended there.
void DeviceRewriter::countOps(Block &block, int64_t ops, bool isLoop) {
  location = block.front().getLoc();
  if (block.isEntryBlock())
    builder.setInsertionPointAfterValue(slots);
  else
    builder.setInsertionPointToStart(&block);
  Value address =
      addBytes(builder, location, thread, offsetof(AttnSimThread, ops));
  Value count = LLVM::LoadOp::create(builder, location, i64, address);
  count = LLVM::AddOp::create(builder, location, count, makeInteger(i64, ops));
  LLVM::StoreOp::create(builder, location, count, address);
  if (!isLoop)
    return;
  auto none = LLVM::LLVMVoidType::get(builder.getContext());
  location = block.getTerminator()->getLoc();
  callSite(block.getTerminator(), step, none, SiteKind::Loop, {});
}

/// Numbers the outermost loops of a function, in the order of their blocks.
static void findLoops(LLVM::LLVMFuncOp function, DominanceInfo &dominance,
                      DenseMap<Block *, int32_t> &loops) {
  loops.clear();
  Region &body = function.getBody();
  if (body.hasOneBlock())
    return;
  CFGLoopInfo info(dominance.getDomTree(&body));
  DenseMap<const CFGLoop *, int32_t> numbers;
  for (Block &block : body)
    if (const CFGLoop *loop = info.getLoopFor(&block)) {
      const CFGLoop *outermost = loop->getOutermostLoop();
      loops[&block] =
          numbers.try_emplace(outermost, numbers.size() + 1).first->second;
    }
}

LogicalResult DeviceRewriter::rewrite(LLVM::LLVMFuncOp function) {
  struct BlockFacts {
    Block *block;
    int64_t ops;
    bool isLoop;
  };
  SmallVector<BlockFacts> facts;
  DominanceInfo dominance(function);
  findLoops(function, dominance, loops);
  SmallVector<Operation *> ops;
  for (Block &block : function.getBody()) {
    bool isLoop = llvm::any_of(block.getPredecessors(), [&](Block *from) {
      return dominance.dominates(&block, from);
    });
    int64_t count = 0;
    for (Operation &op : block) {
      ops.push_back(&op);
      count += !op.hasTrait<OpTrait::ConstantLike>();
    }
    facts.push_back({&block, count, isLoop});
  }
  localBytes = 0;
  openFunction(function);
  for (Operation *op : ops)
    if (failed(rewriteOp(op)))
      return failure();
  for (const BlockFacts &fact : facts)
    countOps(*fact.block, fact.ops, fact.isLoop);
  return success();
}
