//===- IndexExpr.h - What is known of an index of a mask region -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_INDEXEXPR_H
#define ATTN_PASSES_SPARSITY_INDEXEXPR_H

#include "passes/sparsity/IndexEmitter.h"
#include <deque>

namespace attn {

/// An index as the maximum, minimum or selection of simpler ones, whose leaves
/// are `floor(n / divisor)` with `lower <= n <= upper` for every query of the
/// block and every key. A bound that is not known is left out.
struct IndexExpr {
  enum class Kind { Leaf, Max, Min, Select };

  Kind kind = Kind::Leaf;
  std::optional<LinearForm> lower = std::nullopt, upper = std::nullopt;
  int64_t divisor = 1;
  mlir::Value condition; ///< Of a selection: a bit of the mask region.
  const IndexExpr *lhs = nullptr, *rhs = nullptr;
  int64_t numLeaves = 1;

  bool isUnknown() const { return kind == Kind::Leaf && !lower && !upper; }
  /// The linear form that it equals, if it is one.
  std::optional<LinearForm> getExact() const;
};

using ExprRef = const IndexExpr *;

/// Makes expressions and keeps them alive.
class IndexExprs {
public:
  explicit IndexExprs(IndexEmitter &emitter) : emitter(emitter) {}

  ExprRef unknown();
  ExprRef exact(const LinearForm &form);
  ExprRef between(std::optional<LinearForm> lower,
                  std::optional<LinearForm> upper, int64_t divisor = 1);
  ExprRef add(ExprRef x, ExprRef y);
  ExprRef negate(ExprRef x);
  ExprRef subtract(ExprRef x, ExprRef y) { return add(x, negate(y)); }
  ExprRef scale(ExprRef x, int64_t factor);
  ExprRef max(ExprRef x, ExprRef y);
  ExprRef min(ExprRef x, ExprRef y);
  ExprRef select(mlir::Value condition, ExprRef x, ExprRef y);
  /// `floor(x / divisor)` for a positive divisor.
  ExprRef floorDiv(ExprRef x, int64_t divisor);
  /// The remainder that `arith.remsi` computes, for a positive divisor.
  ExprRef remainder(ExprRef x, int64_t divisor);

  /// States that an expression says less than what it stands for.
  void setApproximate() { approximate = true; }
  /// Whether any expression does.
  bool isApproximate() const { return approximate; }

  /// Whether `x` is known to be at least 0 for all queries and keys.
  bool isNonNegative(ExprRef x) const;

private:
  using LeafMap = llvm::function_ref<ExprRef(const IndexExpr &)>;

  ExprRef node(IndexExpr::Kind kind, mlir::Value condition, ExprRef x,
               ExprRef y);
  /// `x` with every leaf replaced. The map must not decrease; with `reverse`,
  /// it must not increase.
  ExprRef mapLeaves(ExprRef x, LeafMap map, bool reverse = false);
  ExprRef addLeaves(const IndexExpr &x, const IndexExpr &y);
  ExprRef negateLeaf(const IndexExpr &x);
  ExprRef floorDivLeaf(const IndexExpr &x, int64_t divisor);
  /// Nothing is known of what an op of those above computes.
  ExprRef giveUp() {
    approximate = true;
    return unknown();
  }

  IndexEmitter &emitter;
  std::deque<IndexExpr> arena;
  bool approximate = false;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_INDEXEXPR_H
