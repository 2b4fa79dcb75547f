//===- TensorViews.h - Tensors of DLPack as the checks see them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_TENSORVIEWS_H
#define ATTN_RUNTIME_TENSORVIEWS_H

#include "runtime/CallChecks.h"
#include <deque>

namespace attn {

/// The type as DLPack has it; i1 is a bool of 8 bits.
DLDataType getDLType(ElementType type);

/// "cpu" or "cuda:0", for messages.
std::string describeDevice(DLDevice device);

/// The tensors of one side of a call. Row-major strides are filled in where
/// there are none, offsets are added.
class TensorList {
public:
  /// Takes the tensors given for `ports`, all of which must be on `device`.
  /// `role` is "argument" or "result". What is in them is not yet checked.
  static Result<TensorList> create(const char *role,
                                   const std::vector<Port> &ports,
                                   std::span<const DLTensor *const> tensors,
                                   DLDevice device);

  TensorViews getViews() const { return views; }

private:
  Status add(const DLTensor &tensor, const Port &port, DLDevice device);

  std::vector<TensorView> views;
  /// A deque, as views point into it.
  std::deque<std::vector<int64_t>> strides;
};

} // namespace attn

#endif // ATTN_RUNTIME_TENSORVIEWS_H
