//===- BlockClasses.h - Whether a mask keeps pairs of a block -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_BLOCKCLASSES_H
#define ATTN_PASSES_SPARSITY_BLOCKCLASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "passes/sparsity/IntervalEmitter.h"

namespace attn {

/// What an index argument of a mask is in a block: first, first + step, ..,
/// last.
struct BlockAxis {
  mlir::Value first, last;
  int64_t step = 1;
};

/// Least and largest of every `width` elements of a captured tensor, along one
/// of its dimensions.
struct TableBounds {
  mlir::Value least, largest;
  int64_t width = 1;
};

/// Of a condition on pairs: `some` is false only if it holds for no pair of the
/// block, `all` is true only if it holds for every pair.
struct BlockClass {
  mlir::Value some, all;
};

/// Emits what a mask region says of a whole block of pairs: interval arithmetic
/// for indices, three-valued logic for conditions. Any number of axes.
class BlockClasses {
public:
  /// Bounds of `table` along `dim`, which is read at positions of the axis that
  /// argument `axis` of the mask is; nothing if there are none.
  using FindBounds = llvm::function_ref<std::optional<TableBounds>(
      mlir::Value table, unsigned dim, unsigned axis)>;

  /// Ops are made at the place of `b`. Arguments of the mask must be bound
  /// before evaluate().
  BlockClasses(mlir::Region &mask, mlir::ImplicitLocOpBuilder &b,
               FindBounds findBounds)
      : mask(mask), b(b), emitter(b), findBounds(findBounds) {}

  /// Argument `number` is `value` in the whole block: the batch, the head.
  void bind(unsigned number, mlir::Value value);
  void bind(unsigned number, const BlockAxis &axis);

  BlockClass evaluate();
  /// The same, taking for granted what evaluate() tests at run time: no sum
  /// wraps around.
  BlockClass evaluateAssuming();

  /// The first op of the mask of which nothing is known; null if none is.
  mlir::Operation *getObstacle() const { return obstacle; }

private:
  BlockClass condition(mlir::Value value);
  BlockClass computeCondition(mlir::Value value);
  BlockClass compare(mlir::arith::CmpIOp op);
  BlockClass isLess(const Interval &x, const Interval &y, bool isUnsigned);
  BlockClass isEqual(const Interval &x, const Interval &y);
  BlockClass both(const BlockClass &x, const BlockClass &y);
  BlockClass either(const BlockClass &x, const BlockClass &y);
  BlockClass negate(const BlockClass &x);
  BlockClass differ(const BlockClass &x, const BlockClass &y);
  BlockClass choose(const BlockClass &condition, const BlockClass &x,
                    const BlockClass &y);
  BlockClass unknown(mlir::Operation *op);

  Interval index(mlir::Value value);
  Interval computeIndex(mlir::Value value);
  Interval computeOp(mlir::Operation *op);
  Interval convert(mlir::Operation *op);
  Interval divide(mlir::Operation *op);
  Interval read(mlir::tensor::ExtractOp op);
  std::optional<unsigned> findAxis(mlir::Value value);

  /// A copy of what is the same for all pairs of the block; else null.
  mlir::Value hoist(mlir::Value value);

  mlir::Region &mask;
  mlir::ImplicitLocOpBuilder &b;
  IntervalEmitter emitter;
  FindBounds findBounds;
  mlir::IRMapping hoisted;
  llvm::DenseMap<mlir::Value, Interval> indices;
  llvm::DenseMap<mlir::Value, BlockClass> conditions;
  mlir::Operation *obstacle = nullptr;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_BLOCKCLASSES_H
