//===- CallChecks.h - Checks of the buffers of a call -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled code trusts its callers. These checks make every call safe that
// passes them, as long as the memory that buffers describe exists.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_CALLCHECKS_H
#define ATTN_RUNTIME_COMPILER_CALLCHECKS_H

#include "runtime/compiler/Signature.h"

namespace attn {

/// Sizes of all results of a call.
using ResultSizes = std::vector<llvm::SmallVector<int64_t, 4>>;

/// Checks each argument alone, then the sizes that must agree.
llvm::Error checkArguments(const Signature &signature,
                           llvm::ArrayRef<Buffer> arguments);

/// The sizes of the results; `arguments` have been checked.
llvm::Expected<ResultSizes> getResultSizes(const Signature &signature,
                                           llvm::ArrayRef<Buffer> arguments);

/// Checks each result alone, then its sizes where arguments determine them.
llvm::Error checkResults(const Signature &signature,
                         llvm::ArrayRef<Buffer> arguments,
                         llvm::ArrayRef<Buffer> results);

/// How many pairs of query and key each attend op of the signature has, masked
/// ones included; `arguments` have been checked.
std::vector<double> getAllPairs(const Signature &signature,
                                llvm::ArrayRef<Buffer> arguments);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_CALLCHECKS_H
