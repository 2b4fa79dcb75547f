//===- Interface.h - What a kernel expects of its callers -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The part of a kernel that callers and checks see. The JIT makes it from the
// function that it compiles, packages carry it as their manifest.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_INTERFACE_H
#define ATTN_RUNTIME_INTERFACE_H

#include "runtime/SizeExpr.h"
#include <limits>
#include <map>
#include <string>

namespace attn {

/// Element types of buffers.
enum class ElementType { F64, F32, F16, BF16, I64, I32, I16, I8, I1 };

/// Name as in MLIR ("f32"), and size of one element in bytes (i1: one byte).
std::string_view getTypeName(ElementType type);
int64_t getByteSize(ElementType type);

/// The type called `name`, if there is one.
std::optional<ElementType> findType(std::string_view name);

/// One argument or result of a kernel, as the spec describes it.
struct Port {
  std::string name;              ///< attn.name, else "arg0", "out", "out1".
  ElementType type;              ///< Element type that buffers must have.
  std::vector<int64_t> sizes;    ///< Static sizes; -1 where dynamic.
  std::vector<std::string> dims; ///< attn.dims ("G", "G+1"), else generated.
  std::string fill;              ///< attn.fill; "normal" if absent.
  /// Of a result: the number of the argument whose memory it may have.
  std::optional<uint32_t> inPlace = std::nullopt;

  bool operator==(const Port &) const = default;
};

/// The strides that compiled code assumes of a tensor.
struct StrideLayout {
  static constexpr int64_t kAny = std::numeric_limits<int64_t>::min();

  bool isContiguous = false;    ///< Row-major without gaps.
  std::vector<int64_t> strides; ///< Else one per dimension; kAny where open.

  bool operator==(const StrideLayout &) const = default;
};

/// A size that a rule speaks of: that of a dimension, or a constant.
struct SizeOperand {
  int64_t constant = 0;
  std::optional<uint32_t> argument; ///< Nothing for a constant.
  uint32_t dim = 0;

  bool operator==(const SizeOperand &) const = default;
};

/// What must hold between two sizes of a call.
struct SizeRule {
  enum class Kind { Equal, MultipleOf };
  Kind kind = Kind::Equal;
  SizeOperand size, of;
  std::string why; ///< Ends the message: ", as the attend op ...".

  bool operator==(const SizeRule &) const = default;
};

/// The size of a result's dimension, where arguments tell it.
using ShapeExpr = std::vector<std::optional<SizeExpr>>;

/// All that a caller must know.
struct Interface {
  std::vector<Port> arguments, results;
  std::vector<StrideLayout> argumentLayouts, resultLayouts;
  std::vector<ShapeExpr> resultShapes;
  std::vector<SizeRule> rules;
  std::map<std::string, int64_t> defaults; ///< Sizes where none are given.

  bool operator==(const Interface &) const = default;
};

/// The names of the dimensions of the arguments, each once, in the order in
/// which they appear. Expressions refer to them by their number.
std::vector<std::string> getDimNames(const std::vector<Port> &arguments);

} // namespace attn

#endif // ATTN_RUNTIME_INTERFACE_H
