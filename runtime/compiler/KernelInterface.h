//===- KernelInterface.h - The interface of a compiled function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Translates between the compiler's view of a function and the part of the
// runtime that has no LLVM in it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_KERNELINTERFACE_H
#define ATTN_RUNTIME_COMPILER_KERNELINTERFACE_H

#include "runtime/CallChecks.h"
#include "runtime/compiler/Signature.h"

namespace attn {

/// What callers of the function must know; its types have been lowered.
Interface makeInterface(const Signature &signature);

/// An argument or result, by its number among them.
struct PortPosition {
  bool isResult = false;
  size_t index = 0;
};

/// What the compiled code takes, in its order.
std::vector<PortPosition> getPositions(const Signature &signature);

/// Floating-point operations of a call, one expression per attend or recur op;
/// their sum counts. None if they do not follow from sizes: what a mask keeps
/// does not.
std::vector<SizeExpr> makeFlopCounts(const Signature &signature);

/// How many pairs each attend op of the signature has, masked ones included,
/// and how many tokens of heads each recur op; `arguments` have been checked.
std::vector<double> getAllUnits(const Signature &signature,
                                llvm::ArrayRef<Buffer> arguments);

/// Bytes from the first element of a buffer to behind the last.
int64_t getExtent(const Buffer &buffer);

/// Views of buffers, which must outlive them.
std::vector<TensorView> getViews(llvm::ArrayRef<Buffer> buffers);

/// Checks the arguments and returns the sizes of the results.
llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
getResultSizes(const Interface &interface, llvm::ArrayRef<Buffer> arguments);

/// An error of the runtime as one of LLVM.
llvm::Error toError(Status status);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_KERNELINTERFACE_H
