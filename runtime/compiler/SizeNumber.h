//===- SizeNumber.h - Numbers of a host function as expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_SIZENUMBER_H
#define ATTN_RUNTIME_COMPILER_SIZENUMBER_H

#include "mlir/IR/Operation.h"
#include "runtime/SizeExpr.h"

namespace attn {

/// A number that follows from the sizes of a call, and what is known of its
/// sign: the rounding of divisions depends on it, and unsigned arithmetic is
/// the same as signed only where nothing is negative.
class SizeNumber {
public:
  SizeNumber() = default;
  SizeNumber(int64_t constant)
      : expr(SizeExpr::constant(constant)), nonNegative(constant >= 0) {}

  /// A size or a stride.
  static SizeNumber size(SizeExpr expr) { return {std::move(expr), true}; }

  const SizeExpr &getExpr() const { return expr; }
  bool isNonNegative() const { return nonNegative; }
  std::optional<int64_t> getConstant() const;

  /// The operation, folded as far as its operands are constants.
  static SizeNumber apply(SizeExpr::Op op, const SizeNumber &left,
                          const SizeNumber &right);

  friend SizeNumber operator*(const SizeNumber &left, const SizeNumber &right) {
    return apply(SizeExpr::Op::Mul, left, right);
  }

private:
  SizeNumber(SizeExpr expr, bool nonNegative)
      : expr(std::move(expr)), nonNegative(nonNegative) {}

  SizeExpr expr = SizeExpr::constant(0);
  bool nonNegative = true;
};

/// The result of an op of `arith` on numbers; nothing if there is no expression
/// that is certainly the same.
std::optional<SizeNumber> evaluateOp(mlir::Operation &op,
                                     llvm::ArrayRef<SizeNumber> operands);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_SIZENUMBER_H
