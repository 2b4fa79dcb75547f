//===- RecurSteps.h - What one token does to the state of a recurrence -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With S the state, at token t
//
//   S = Diag(exp(gate[t])) S            decay
//   S = S + w[t] v[t]^T                 write, with w[t] = k[t], 1 -
//   exp(gate[t]) or beta[t] k[t]
//   num[t] += S^T q[t]                  read; under read(before) this comes
//                                       first, and (w[t] * bonus) v[t]^T is
//                                       read in addition
//
// The denominator is one more column of S, for which all values are 1.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REFERENCE_RECURSTEPS_H
#define ATTN_PASSES_REFERENCE_RECURSTEPS_H

#include "dialect/AttnDialect.h"
#include "passes/reference/ScalarLoops.h"

namespace attn::reference {

/// What `attn.recur` and `attn.recur_chunk` have in common.
struct Recurrence {
  mlir::Value query, key, value, gate, beta, bonus;
  WriteRule write;
  ReadTime read;
  mlir::Type type;         ///< In which everything is evaluated.
  int64_t rows;            ///< K: rows of the state that tokens write to.
  int64_t columns;         ///< Columns of the state, from `firstColumn` on.
  bool hasDenominator;     ///< Whether there is one column more.
  mlir::Value firstColumn; ///< Null for 0.

  int64_t getWidth() const { return columns + (hasDenominator ? 1 : 0); }
};

/// The recurrence of `op`, with mapped rows, and `columns` columns.
template <typename OpT>
Recurrence getRecurrence(mlir::ImplicitLocOpBuilder &b, OpT op,
                         int64_t columns);

/// One pass over the tokens.
struct Sweep {
  bool isReversed;
  bool readsOwn; ///< Whether a token reads what it wrote, or its bonus.
};

/// A token, and what passes it.
struct TokenStep {
  llvm::SmallVector<mlir::Value> at;    ///< Batch, head, row.
  llvm::SmallVector<mlir::Value> sumAt; ///< Where its row is among the sums.
  mlir::Value state;                    ///< At least `[K, width]`.
  mlir::Value sums;                     ///< Rows of `width` elements.
};

/// Emits the steps of a recurrence.
class RecurSteps {
public:
  RecurSteps(mlir::ImplicitLocOpBuilder &b, const Recurrence &of)
      : b(b), of(of) {}

  /// Takes the state past a token; returns it and the sums.
  Carried visit(const Sweep &sweep, TokenStep token);

  /// The sums with what the token reads of a state that stays as it is.
  mlir::Value read(const TokenStep &token);

private:
  mlir::Value product(mlir::Value x, mlir::Value y);
  mlir::Value feature(mlir::Value operand, mlir::ValueRange token,
                      mlir::Value d);
  mlir::Value factorOf(mlir::Value operand, mlir::ValueRange at);
  llvm::SmallVector<mlir::Value> perToken(mlir::Value operand,
                                          mlir::ValueRange token);
  mlir::Value decayOf(mlir::ValueRange token, mlir::Value d);
  mlir::Value written(mlir::ValueRange token, mlir::Value d);
  mlir::Value valueOf(mlir::ValueRange token, mlir::Value e);
  mlir::Value mapState(
      mlir::Value state,
      llvm::function_ref<mlir::Value(mlir::ValueRange, mlir::Value)> element);
  mlir::Value decay(const TokenStep &token);
  mlir::Value write(const TokenStep &token);
  mlir::Value addBonus(const TokenStep &token);
  mlir::Value addToSums(const TokenStep &token,
                        llvm::function_ref<mlir::Value(mlir::Value)> term);

  mlir::ImplicitLocOpBuilder &b;
  const Recurrence &of;
};

} // namespace attn::reference

#endif // ATTN_PASSES_REFERENCE_RECURSTEPS_H
