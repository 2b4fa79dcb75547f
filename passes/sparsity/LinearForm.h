//===- LinearForm.h - Linear combinations of index values -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_LINEARFORM_H
#define ATTN_PASSES_SPARSITY_LINEARFORM_H

#include "mlir/IR/Value.h"
#include <optional>

namespace attn {

/// `constant + sum of coefficient * value`: an index as a linear combination of
/// other ones. Numbers stay below 2^31, so that with indices below 2^31 no
/// operation of the machine wraps around; what would exceed it is no result.
class LinearForm {
public:
  LinearForm() = default;
  LinearForm(int64_t constant) : constant(constant) {}
  LinearForm(mlir::Value value) { terms.push_back({value, 1}); }

  int64_t getConstant() const { return constant; }
  /// The values with their coefficients, which are not 0.
  llvm::ArrayRef<std::pair<mlir::Value, int64_t>> getTerms() const {
    return terms;
  }
  int64_t getCoefficient(mlir::Value value) const;
  std::optional<int64_t> getIfConstant() const;

  /// `this + factor * other`.
  std::optional<LinearForm> plus(const LinearForm &other,
                                 int64_t factor = 1) const;
  std::optional<LinearForm> times(int64_t factor) const {
    return LinearForm().plus(*this, factor);
  }
  /// With `replacement` in the place of `value`.
  std::optional<LinearForm> substitute(mlir::Value value,
                                       const LinearForm &replacement) const;
  /// Without `value`, as if it were 0.
  LinearForm without(mlir::Value value) const;

private:
  llvm::SmallVector<std::pair<mlir::Value, int64_t>, 4> terms;
  int64_t constant = 0;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_LINEARFORM_H
