//===- MaskIntervals.h - Which keys a block of queries meets -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_MASKINTERVALS_H
#define ATTN_PASSES_SPARSITY_MASKINTERVALS_H

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "passes/sparsity/KeySets.h"

namespace attn {

/// Evaluates a `mask` region for a block of queries at once, and writes the
/// bounds of the keys into a `keys` region.
class MaskIntervals {
public:
  /// `keys` is a block with the arguments of a `keys` region.
  /// `startsAtZero` says that no query has a negative position. On a grid, keys
  /// and queries are indices along `axis`; nothing is taken for granted of
  /// others.
  MaskIntervals(mlir::Region &mask, mlir::Block &keys, bool startsAtZero,
                unsigned axis = 0);

  /// The keys of the mask; what they need is emitted into the block.
  KeySets evaluate();
  /// visited_begin, visited_end, full_begin, full_end.
  llvm::SmallVector<mlir::Value> emit(const KeySets &sets);

  /// The first op of the mask of which nothing is known; null if none is.
  mlir::Operation *getObstacle() const { return obstacle; }
  /// Whether the ranges are as good as ranges of positions can be: nothing was
  /// unknown, and no sets were joined that may have a gap between them.
  bool isExact() const {
    return !obstacle && !exprs.isApproximate() && !sets.isApproximate();
  }

private:
  KeySets holds(mlir::Value condition, bool negated);
  KeySets computeHolds(mlir::Value condition, bool negated);
  KeySets both(mlir::Value x, bool notX, mlir::Value y, bool notY);
  KeySets either(mlir::Value x, bool notX, mlir::Value y, bool notY);
  /// `condition ? x : y`, each negated if told so.
  KeySets choose(mlir::Value condition, mlir::Value x, mlir::Value y, bool notX,
                 bool notY);
  KeySets compare(mlir::arith::CmpIOp op, bool negated);
  KeySets isLess(ExprRef x, ExprRef y, bool isUnsigned, mlir::Operation *op,
                 bool negated);
  KeySets atLeastZero(ExprRef expr);
  KeySets conditional(const IndexExpr &expr);

  ExprRef index(mlir::Value value);
  ExprRef computeIndex(mlir::Value value);
  ExprRef ascending(mlir::Value value);
  ExprRef computeOp(mlir::Operation *op);
  ExprRef multiply(ExprRef x, ExprRef y);
  ExprRef divide(mlir::Operation *op);

  /// A copy in the `keys` region of what is the same for all pairs; else null.
  mlir::Value hoist(mlir::Value value);

  mlir::Region &mask;
  mlir::ImplicitLocOpBuilder b;
  IndexEmitter emitter;
  IndexExprs exprs;
  KeySetAlgebra sets;
  mlir::IRMapping hoisted;
  llvm::DenseMap<mlir::Value, ExprRef> indices;
  /// What tables have at the query, by table.
  llvm::DenseMap<mlir::Value, ExprRef> atQuery;
  llvm::DenseMap<mlir::Value, KeySets> conditions[2]; ///< [1]: negated.
  mlir::Operation *obstacle = nullptr;
};

/// Whether ranges of keys say all that there is to say of the blocks of `op`,
/// which has a mask and a schedule.
bool hasExactRanges(AttendOp op);

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_MASKINTERVALS_H
