//===- CheckVectors.cpp - Refuse vectors that are no registers ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

namespace attn {
#define GEN_PASS_DEF_CHECKVECTORS
#include "codegen/cpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// A pair of registers: what a conversion from half to full width yields.
static constexpr int64_t kLargestRegisters = 2;

/// Why a value of `type` does not fit into registers; empty if it does.
static std::string getObjection(VectorType type, int64_t vectorBits) {
  if (type.getRank() > 1)
    return "expected a vector of rank 1, got rank " +
           std::to_string(type.getRank());
  if (type.isScalable())
    return "expected a vector of fixed length";
  Type element = type.getElementType();
  int64_t width = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
  int64_t bits = width * type.getNumElements();
  if (bits <= kLargestRegisters * vectorBits)
    return "";
  return "expected a vector of at most " +
         std::to_string(kLargestRegisters * vectorBits) + " bits, got " +
         std::to_string(bits);
}

namespace {
struct CheckVectors : attn::impl::CheckVectorsBase<CheckVectors> {
  using CheckVectorsBase::CheckVectorsBase;

  LogicalResult check(Operation *op, Type type) {
    auto vector = dyn_cast<VectorType>(type);
    std::string objection = vector ? getObjection(vector, vectorBits) : "";
    if (objection.empty())
      return success();
    return op->emitOpError()
           << "has a value of type " << vector << ": " << objection;
  }

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](Operation *op) {
      for (Type type : llvm::concat<const Type>(op->getOperandTypes(),
                                                op->getResultTypes()))
        if (failed(check(op, type)))
          return WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
