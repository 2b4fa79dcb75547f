//===- TensorView.h - Arrays of Python as tensors of DLPack ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PYTHON_NATIVE_TENSORVIEW_H
#define ATTN_PYTHON_NATIVE_TENSORVIEW_H

#include <nanobind/nanobind.h>

#include "runtime/attn.h"

namespace attn {

/// An array of NumPy, a tensor of PyTorch, or anything with `__dlpack__`, as a
/// DLTensor, without a copy. It keeps the memory alive. The GIL must be held
/// where one is made and where it ends.
class TensorView {
public:
  /// Throws nanobind::python_error where `object` is no such thing.
  explicit TensorView(nanobind::handle object);
  ~TensorView();
  TensorView(const TensorView &) = delete;
  TensorView &operator=(const TensorView &) = delete;

  const DLTensor *get() const { return tensor; }

private:
  TensorView() = default;

  static constexpr int maxRank = 8;

  void viewBuffer(nanobind::handle object);
  void viewCapsule(nanobind::object givenCapsule);

  DLTensor own = {};
  const DLTensor *tensor = &own;
  int64_t strides[maxRank] = {};
  Py_buffer buffer = {};
  bool hasBuffer = false;
  nanobind::object capsule;
};

} // namespace attn

#endif // ATTN_PYTHON_NATIVE_TENSORVIEW_H
