//===- DeviceRewriter.h - One device function to host code ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_DEVICEREWRITER_H
#define ATTN_CODEGEN_SIMULATOR_DEVICEREWRITER_H

#include "codegen/simulator/Sites.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "llvm/ADT/StringMap.h"

namespace attn::sim {

/// Where the globals of shared memory lie in it, by name.
using SharedOffsets = llvm::StringMap<int64_t>;

/// Turns device functions into host functions whose first argument is the
/// context of the thread (Abi.h).
class DeviceRewriter {
public:
  DeviceRewriter(mlir::MLIRContext *context, mlir::DataLayout layout,
                 const SharedOffsets &offsets, int32_t &nextSite);

  /// Rewrites `function` in place; the body's pointers are already in space 0.
  /// Reports an op that cannot be simulated.
  mlir::LogicalResult rewrite(mlir::LLVM::LLVMFuncOp function);

private:
  mlir::LogicalResult rewriteOp(mlir::Operation *op);
  mlir::LogicalResult rewriteMemoryOp(mlir::Operation *op);
  mlir::LogicalResult rewriteEvent(mlir::Operation *op);
  mlir::LogicalResult rewriteRegister(mlir::Operation *op);
  mlir::LogicalResult rewriteIntrinsic(mlir::LLVM::CallIntrinsicOp op);
  mlir::LogicalResult rewriteRounding(mlir::NVVM::ConvertFloatToTF32Op op);
  mlir::LogicalResult rewriteCall(mlir::LLVM::CallOp op);
  mlir::LogicalResult rewriteDivision(mlir::Operation *op);
  mlir::LogicalResult checkAlloca(mlir::LLVM::AllocaOp op);
  void rewriteUndefined(mlir::Operation *op);
  void rewriteAddressOf(mlir::LLVM::AddressOfOp op);
  mlir::LogicalResult redirect(mlir::Operation *op, mlir::OpOperand &address,
                               mlir::Type accessed, SiteKind kind,
                               uint64_t align,
                               std::optional<mlir::LLVM::AtomicOrdering> order);

  /// Puts operands into slots, calls the simulator, replaces the results.
  void callEvent(mlir::Operation *op, SiteKind kind, mlir::ValueRange operands,
                 llvm::StringRef mode, int64_t bytes = 0);

  void openFunction(mlir::LLVM::LLVMFuncOp function);
  void countOps(mlir::Block &block, int64_t ops, bool isLoop);
  mlir::Value getField(int64_t offset, mlir::Type type);
  mlir::Value makeInteger(mlir::Type type, int64_t value);
  mlir::Value makeSlot(mlir::Value value);
  mlir::Value readSlot(mlir::Type type, int64_t index);
  mlir::Value getSlotAddress(int64_t index);
  mlir::LLVM::CallOp callSite(mlir::Operation *op, mlir::Value callee,
                              mlir::Type result, SiteKind kind,
                              mlir::ValueRange operands);

  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::DataLayout layout;
  const SharedOffsets &offsets;
  int32_t &nextSite;
  mlir::Type pointer, i32, i64;

  /// Of the function at hand: its context, what it may call, its slots.
  mlir::Value thread, load, store, update, event, step, slots;
  int64_t localBytes = 0; ///< Of its arrays.
  /// The outermost loop of each of its blocks that is in one, counted from 1.
  llvm::DenseMap<mlir::Block *, int32_t> loops;
};

/// The operands, mode and size by which the simulator knows an op that is an
/// event; nothing for other ops, an error for those it cannot know.
struct EventForm {
  SiteKind kind;
  llvm::SmallVector<mlir::Value, 8> operands;
  std::string mode;
  int64_t bytes = 0;
};

/// Reads an NVVM op, or a fence or trap of LLVM. Constants that it needs are
/// made with `builder`.
mlir::FailureOr<std::optional<EventForm>>
getEventForm(mlir::Operation *op, mlir::OpBuilder &builder);

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_DEVICEREWRITER_H
