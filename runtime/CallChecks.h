//===- CallChecks.h - Checks of the tensors of a call -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled code trusts its callers. These checks make every call safe that
// passes them, as long as the memory that tensors describe exists. The JIT and
// the package runtime share them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CALLCHECKS_H
#define ATTN_RUNTIME_CALLCHECKS_H

#include "runtime/Interface.h"

namespace attn {

/// A tensor that the caller owns. Strides count elements.
struct TensorView {
  void *data = nullptr;
  ElementType type = ElementType::F32;
  std::span<const int64_t> sizes, strides;
};
using TensorViews = std::span<const TensorView>;

/// Checks each argument alone, then the sizes that must agree.
Status checkArguments(const Interface &interface, TensorViews arguments);

/// Checks each result alone, then its sizes where arguments determine them.
Status checkResults(const Interface &interface, TensorViews arguments,
                    TensorViews results);

/// Checks that no result certainly overlaps an argument or another result, but
/// for one that may be computed in place of an argument and is the same tensor.
/// Views that interleave without meeting are left alone, as are those where it
/// is not cheap to see.
Status checkOverlaps(const Interface &interface, TensorViews arguments,
                     TensorViews results);

/// The sizes of the dimensions of getDimNames(); `arguments` were checked.
std::vector<int64_t> bindDims(const Interface &interface,
                              TensorViews arguments);

/// The sizes of all results of a call; `arguments` were checked.
Result<std::vector<std::vector<int64_t>>>
getResultSizes(const Interface &interface, TensorViews arguments);

} // namespace attn

#endif // ATTN_RUNTIME_CALLCHECKS_H
