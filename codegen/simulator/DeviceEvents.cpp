//===- DeviceEvents.cpp - What device ops mean to the simulator -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One row per device op that is neither arithmetic nor a plain access: which
// event it is, in which order its operands go into the slots, and its mode.
// Warp-wide events have their mask in slot 0.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/DeviceRewriter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn::sim;

using Form = FailureOr<std::optional<EventForm>>;

static Value makeI32(OpBuilder &builder, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI32Type(),
                                  builder.getI32IntegerAttr(value));
}

/// `value`, or a constant where the op has no such operand.
static Value getOr(Value value, int64_t other, Location loc,
                   OpBuilder &builder) {
  return value ? value : makeI32(builder, loc, other);
}

static EventForm readBarrier(NVVM::BarrierOp op, OpBuilder &builder) {
  Location loc = op.getLoc();
  EventForm form{SiteKind::Barrier,
                 {getOr(op.getBarrierId(), 0, loc, builder),
                  getOr(op.getNumberOfThreads(), 0, loc, builder),
                  getOr(op.getReductionPredicate(), 0, loc, builder)},
                 ""};
  if (auto reduction = op.getReductionOp())
    form.mode = NVVM::stringifyBarrierReduction(*reduction).str();
  return form;
}

static Form readReduce(NVVM::ReduxOp op) {
  if (!op.getVal().getType().isInteger(32))
    return op->emitOpError("cannot be simulated: expected a value of type "
                           "'i32', got ")
           << op.getVal().getType();
  return std::optional<EventForm>(
      {SiteKind::WarpReduce,
       {op.getMaskAndClamp(), op.getVal()},
       NVVM::stringifyReduxKind(op.getKind()).str()});
}

static EventForm readCopy(NVVM::CpAsyncOp op, OpBuilder &builder) {
  int64_t bytes = op.getSize();
  return {SiteKind::CopyAsync,
          {op.getDst(), op.getSrc(),
           getOr(op.getCpSize(), bytes, op.getLoc(), builder)},
          "",
          bytes};
}

static Form readLoadMatrix(NVVM::LdMatrixOp op) {
  auto shape = op.getShape();
  if (shape.getM() != 8 || shape.getN() != 8 ||
      op.getEltType() != NVVM::LdStMatrixEltType::B16)
    return op->emitOpError("cannot be simulated: expected 8x8 matrices of b16");
  std::string mode = "x" + std::to_string(op.getNum());
  if (op.getLayout() == NVVM::MMALayout::col)
    mode += ".trans";
  return std::optional<EventForm>(
      {SiteKind::LoadMatrix, {op.getPtr()}, mode, 16});
}

/// "m16n8k16.f16.f32": shape, type of the factors, type of the sums.
static Form readMultiply(NVVM::MmaOp op) {
  auto shape = op.getShape();
  auto type = op.getMultiplicandAPtxType();
  Type result = cast<LLVM::LLVMStructType>(op.getRes().getType()).getBody()[0];
  bool isKnown = type && op.getMultiplicandBPtxType() == type &&
                 llvm::is_contained({NVVM::MMATypes::f16, NVVM::MMATypes::bf16,
                                     NVVM::MMATypes::tf32},
                                    *type) &&
                 shape.getM() == 16 && shape.getN() == 8 && shape.getK() != 4 &&
                 result.isF32();
  if (!isKnown)
    return op->emitOpError("cannot be simulated: expected m16n8k8 or m16n8k16 "
                           "of f16, bf16 or tf32 with sums in f32");
  std::string mode = "m16n8k" + std::to_string(shape.getK()) + "." +
                     NVVM::stringifyMMATypes(*type).str() + ".f32";
  EventForm form{SiteKind::MultiplyMatrix, {}, mode};
  llvm::append_range(form.operands, op.getOperands());
  return std::optional<EventForm>(form);
}

Form attn::sim::getEventForm(Operation *op, OpBuilder &builder) {
  auto make = [](SiteKind kind, ArrayRef<Value> operands = {},
                 StringRef mode = "") -> Form {
    return std::optional<EventForm>(
        {kind, SmallVector<Value, 8>(operands), mode.str()});
  };
  Location loc = op->getLoc();
  return TypeSwitch<Operation *, Form>(op)
      .Case<NVVM::Barrier0Op>([&](auto) {
        Value zero = makeI32(builder, loc, 0);
        return make(SiteKind::Barrier, {zero, zero, zero});
      })
      .Case<NVVM::BarrierOp>([&](auto barrier) -> Form {
        return std::optional<EventForm>(readBarrier(barrier, builder));
      })
      .Case<NVVM::BarrierArriveOp>([&](auto arrive) {
        return make(SiteKind::BarrierArrive,
                    {getOr(arrive.getBarrierId(), 0, loc, builder),
                     arrive.getNumberOfThreads()});
      })
      .Case<NVVM::SyncWarpOp>([&](auto sync) {
        return make(SiteKind::WarpBarrier, {sync.getMask()});
      })
      .Case<NVVM::ShflOp>([&](auto shuffle) {
        return make(SiteKind::Shuffle,
                    {shuffle.getThreadMask(), shuffle.getVal(),
                     shuffle.getOffset(), shuffle.getMaskAndClamp()},
                    NVVM::stringifyShflKind(shuffle.getKind()));
      })
      .Case<NVVM::VoteSyncOp>([&](auto vote) {
        return make(SiteKind::Vote, {vote.getMask(), vote.getPred()},
                    NVVM::stringifyVoteSyncKind(vote.getKind()));
      })
      .Case<NVVM::ReduxOp>([&](auto reduce) { return readReduce(reduce); })
      .Case<NVVM::CpAsyncOp>([&](auto copy) -> Form {
        return std::optional<EventForm>(readCopy(copy, builder));
      })
      .Case<NVVM::CpAsyncCommitGroupOp>(
          [&](auto) { return make(SiteKind::CommitCopies); })
      .Case<NVVM::CpAsyncWaitGroupOp>([&](auto wait) {
        return make(SiteKind::WaitCopies, {makeI32(builder, loc, wait.getN())});
      })
      .Case<NVVM::LdMatrixOp>([&](auto load) { return readLoadMatrix(load); })
      .Case<NVVM::MmaOp>([&](auto multiply) { return readMultiply(multiply); })
      .Case<NVVM::MembarOp, LLVM::FenceOp>(
          [&](auto) { return make(SiteKind::Fence); })
      .Case<LLVM::Trap>([&](auto) { return make(SiteKind::Trap); })
      .Default([](Operation *) -> Form {
        return std::optional<EventForm>(std::nullopt);
      });
}
