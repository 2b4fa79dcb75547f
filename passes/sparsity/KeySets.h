//===- KeySets.h - Keys of a block of queries as ranges -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_KEYSETS_H
#define ATTN_PASSES_SPARSITY_KEYSETS_H

#include "passes/sparsity/IndexExpr.h"

namespace attn {

/// Keys `begin <= j < end`; a bound that is left out does not bound.
struct KeyRange {
  bool isEmpty = false; ///< Known to be empty; the bounds do not matter.
  std::optional<LinearForm> begin = std::nullopt, end = std::nullopt;
  /// Whether the bounds, where they form an empty range, are kEndless and 0,
  /// which are neutral in a hull.
  bool isNeutralIfEmpty = false;

  bool isEverything() const { return !isEmpty && !begin && !end; }
};

/// Of the keys for which a condition on query and key holds: `some` holds all
/// those for which it holds for some query of the block, `all` holds only keys
/// for which it holds for all of them.
struct KeySets {
  KeyRange some, all;

  static KeySets unknown() { return {{}, {/*isEmpty=*/true}}; }
  static KeySets always() { return {{}, {}}; }
  static KeySets never() { return {{/*isEmpty=*/true}, {/*isEmpty=*/true}}; }
};

/// Set algebra that emits what it has to leave to run time.
class KeySetAlgebra {
public:
  explicit KeySetAlgebra(IndexEmitter &emitter) : emitter(emitter) {}

  /// Where `expr`, a leaf, is at least 0.
  KeySets atLeastZero(const IndexExpr &leaf);
  /// `bit ? x : y` for a bit that is the same for all pairs.
  KeySets select(mlir::Value bit, const KeySets &x, const KeySets &y);
  KeySets intersect(const KeySets &x, const KeySets &y);
  KeySets unite(const KeySets &x, const KeySets &y);
  /// Of two descriptions of one condition, what both together tell.
  KeySets refine(const KeySets &x, const KeySets &y);

  /// Whether a set that is not one range has been taken for one.
  bool isApproximate() const { return approximate; }

  /// The bounds of `range` as values; 0 and kEndless where it has none, the
  /// other way round where it is known to be empty.
  std::pair<mlir::Value, mlir::Value> emit(const KeyRange &range);

private:
  KeyRange solve(const std::optional<LinearForm> &form, bool largest,
                 const KeyRange &otherwise);
  KeyRange select(mlir::Value bit, const KeyRange &x, const KeyRange &y);
  KeyRange intersect(const KeyRange &x, const KeyRange &y);
  KeyRange hull(const KeyRange &x, const KeyRange &y);
  bool isProvedInside(const KeyRange &x, const KeyRange &y) const;
  KeyRange makeNeutralIfEmpty(const KeyRange &range);
  KeyRange largestUnion(const KeyRange &x, const KeyRange &y);
  KeyRange emitLargestUnion(const KeyRange &x, const KeyRange &y);

  IndexEmitter &emitter;
  bool approximate = false;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_KEYSETS_H
