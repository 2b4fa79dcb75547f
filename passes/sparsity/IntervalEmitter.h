//===- IntervalEmitter.h - Interval arithmetic at run time -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_INTERVALEMITTER_H
#define ATTN_PASSES_SPARSITY_INTERVALEMITTER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// An index of which only bounds are known when the program is compiled: what
/// it is in a block of pairs lies between `lo` and `hi`.
struct Interval {
  mlir::Value lo, hi; ///< Null if nothing is known.
  /// All values leave the rest of `lo`, divided by this; 0: they are `lo`.
  int64_t step = 1;
  /// Magnitudes are at most 2 to this.
  unsigned bits = 63;

  bool isKnown() const { return bool(lo); }
  bool isExact() const { return lo && lo == hi; }
};

/// Emits arithmetic on intervals, on values of type index. What the program
/// cannot rule out when it is compiled, such as sums that wrap around, becomes
/// an assumption that is tested at run time.
class IntervalEmitter {
public:
  explicit IntervalEmitter(mlir::ImplicitLocOpBuilder &b) : b(b) {}

  /// Whether all assumptions hold; null if there are none. Where they do not,
  /// no interval means anything.
  mlir::Value getAssumption() const { return assumption; }

  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value subtract(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value isAtMost(mlir::Value x, mlir::Value y);
  mlir::Value both(mlir::Value x, mlir::Value y);
  mlir::Value either(mlir::Value x, mlir::Value y);
  mlir::Value negation(mlir::Value x);

  Interval exact(mlir::Value value, unsigned bits);
  Interval add(const Interval &x, const Interval &y);
  Interval subtract(const Interval &x, const Interval &y);
  Interval multiply(const Interval &x, const Interval &y);
  Interval square(const Interval &x);
  Interval absolute(const Interval &x);
  Interval min(const Interval &x, const Interval &y);
  Interval max(const Interval &x, const Interval &y);
  /// One of both: `x` if `all`, `y` unless `some`.
  Interval choose(mlir::Value some, mlir::Value all, const Interval &x,
                  const Interval &y);
  /// A quotient or remainder by what is the same in the whole block: the op of
  /// arith that `op` is.
  Interval divide(mlir::Operation *op, const Interval &x,
                  const Interval &divisor);
  /// `x` modulo 2^n, as its lowest bits.
  Interval lowestBits(const Interval &x, int64_t mask);

  /// Assumes that `x` fits into integers of `width` bits.
  Interval fitInto(Interval x, unsigned width);
  /// Assumes that `x` is not negative.
  void assumeNonNegative(const Interval &x);
  void assume(mlir::Value condition);

private:
  Interval combine(const Interval &p, const Interval &q, bool negated);
  Interval narrow(Interval x, unsigned bits);
  Interval remainder(const Interval &x, const Interval &divisor);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Value assumption;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_INTERVALEMITTER_H
