//===- IndexEmitter.h - Index arithmetic on linear forms -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_INDEXEMITTER_H
#define ATTN_PASSES_SPARSITY_INDEXEMITTER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/sparsity/LinearForm.h"
#include "llvm/ADT/DenseSet.h"

namespace attn {

/// A block of queries and a key, as values that linear forms are made of.
struct PairVariables {
  mlir::Value query, key;  ///< Any query of the block, any key.
  mlir::Value first, last; ///< The block; `first <= query <= last`.
};

/// Stands for the end of a range that has none; more than any index.
inline constexpr int64_t kEndless = int64_t(1) << 62;

/// Emits index arithmetic on linear forms where they alone do not suffice, and
/// proves what can be known without.
class IndexEmitter {
public:
  IndexEmitter(mlir::ImplicitLocOpBuilder &b, const PairVariables &variables)
      : b(b), variables(variables) {}

  const PairVariables &getVariables() const { return variables; }

  /// States that `value` is at least 0.
  void assumeNonNegative(mlir::Value value) { nonNegative.insert(value); }
  /// States that `value` depends on the query and does not decrease with it; it
  /// is `first` and `last` at the ends of the block.
  void assumeAscending(mlir::Value value, mlir::Value first, mlir::Value last) {
    ascending.push_back({value, first, last});
  }
  /// Whether `form` is at least 0 for all queries of the block and all keys.
  bool isNonNegative(const LinearForm &form) const;

  /// Whether `a <= b` can be proved.
  bool isProvedAtMost(const LinearForm &a, const LinearForm &b) const;

  /// The least (largest) value of `form` for a query of the block.
  std::optional<LinearForm> overQueries(const LinearForm &form,
                                        bool largest) const;

  mlir::Value emit(const LinearForm &form);
  mlir::Value emitConstant(int64_t value);
  LinearForm min(const LinearForm &a, const LinearForm &b);
  LinearForm max(const LinearForm &a, const LinearForm &b);
  /// `floor(form / divisor)`, for a positive divisor.
  LinearForm floorDiv(const LinearForm &form, int64_t divisor);
  /// Whether `a <= b`, as a bit.
  mlir::Value isAtMost(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

private:
  struct Ascending {
    mlir::Value value, first, last;
  };

  mlir::ImplicitLocOpBuilder &b;
  PairVariables variables;
  llvm::SmallVector<Ascending> ascending;
  llvm::DenseSet<mlir::Value> nonNegative;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_INDEXEMITTER_H
