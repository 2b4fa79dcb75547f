//===- CallSizes.h - Sizes that a kernel will be called with ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_CALLSIZES_H
#define ATTN_RUNTIME_JIT_CALLSIZES_H

#include "runtime/Status.h"
#include <map>
#include <string>
#include <string_view>

namespace attn {

/// Reads "H=8,N=4096"; an empty text has no sizes.
Result<std::map<std::string, int64_t>> parseCallSizes(std::string_view text);

/// The same sizes as text, in the order of their names.
std::string printCallSizes(const std::map<std::string, int64_t> &sizes);

} // namespace attn

#endif // ATTN_RUNTIME_JIT_CALLSIZES_H
