//===- SizeExpr.h - Expressions over the sizes of a call --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Packages say sizes, grids and scalars as expressions over the dimensions of
// the arguments and their strides. All arithmetic is in 64 bits and checked:
// overflow and division by zero are errors, never wrong numbers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_SIZEEXPR_H
#define ATTN_RUNTIME_SIZEEXPR_H

#include "runtime/Status.h"
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace attn {

/// What an expression is evaluated on.
struct SizeValues {
  /// The size of dimension number `i` of the interface.
  std::span<const int64_t> dims;
  /// The strides of the tensors of the call: arguments, then results.
  std::span<const std::span<const int64_t>> strides;
};

/// An expression: a list of steps, operands before the operation.
class SizeExpr {
public:
  enum class Op : uint8_t {
    Constant,
    Dim,    ///< Size of dimension `value`.
    Stride, ///< Stride of dimension `dim` of tensor `value`.
    Add,
    Sub,
    Mul,
    FloorDiv, ///< Rounds towards minus infinity.
    CeilDiv,  ///< Rounds towards plus infinity.
    Mod,      ///< a - floordiv(a, b) * b.
    Min,
    Max
  };

  struct Step {
    Op op = Op::Constant;
    int64_t value = 0;
    uint32_t dim = 0;
    bool operator==(const Step &) const = default;
  };

  /// The longest expression that can be evaluated.
  static constexpr size_t kMostSteps = 256;

  static SizeExpr constant(int64_t value) {
    return SizeExpr({{Op::Constant, value, 0}});
  }
  static SizeExpr dim(int64_t index) { return SizeExpr({{Op::Dim, index, 0}}); }
  static SizeExpr stride(int64_t tensor, uint32_t dim) {
    return SizeExpr({{Op::Stride, tensor, dim}});
  }
  static SizeExpr binary(Op op, const SizeExpr &left, const SizeExpr &right);

  /// The value, or which operation has none.
  Result<int64_t> evaluate(const SizeValues &values) const;

  const std::vector<Step> &getSteps() const { return steps; }
  bool operator==(const SizeExpr &) const = default;

private:
  explicit SizeExpr(std::vector<Step> steps) : steps(std::move(steps)) {}

  std::vector<Step> steps;
};

/// The name of an operation in packages ("ceildiv"); empty for operands.
std::string_view getOpName(SizeExpr::Op op);

} // namespace attn

#endif // ATTN_RUNTIME_SIZEEXPR_H
