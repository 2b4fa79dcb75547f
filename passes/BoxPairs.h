//===- BoxPairs.h - Which boxes of keys a box meets -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Asking for every pair of boxes costs the square of their number. So rows of
// boxes are asked for first: all boxes that have one place along one axis, the
// other axes as a whole. The places where some pair may be allowed lie in a
// range per axis, and only boxes in all of these ranges are asked for. A grid
// of n x n boxes, of which a box meets 3 x 3, is asked for 2 n rows and 9
// boxes.
//
// With steps, tokens of one residue class form a grid of their own: classes are
// visited one after the other, and each is first asked for as a whole.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_BOXPAIRS_H
#define ATTN_PASSES_BOXPAIRS_H

#include "passes/BoxGrid.h"

namespace attn {

/// Loops over the boxes of keys that boxes of queries meet.
class BoxPairs {
public:
  /// Two bits about a block of pairs: some are allowed, all are. `ends` are
  /// first and last queries, first and last keys, one index per axis each.
  using Classify = llvm::function_ref<std::pair<mlir::Value, mlir::Value>(
      mlir::ImplicitLocOpBuilder &b, mlir::ValueRange ends)>;
  /// What is carried on behind box `number`.
  using Visit = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::ImplicitLocOpBuilder &b, mlir::Value number, mlir::Value some,
      mlir::Value all, mlir::ValueRange carried)>;

  BoxPairs(const BoxGrid &queries, const BoxGrid &keys, Classify classify)
      : queries(queries), keys(keys), classify(classify) {}

  /// Visits boxes of keys for box `query` of queries, with what is carried from
  /// `init` on: residue class by residue class, and row by row in each.
  llvm::SmallVector<mlir::Value> forEach(mlir::ImplicitLocOpBuilder &b,
                                         mlir::Value query,
                                         mlir::ValueRange init, Visit visit);

private:
  using Values = llvm::SmallVector<mlir::Value>;
  using Builder = mlir::ImplicitLocOpBuilder;

  /// Tokens along each axis.
  struct Ends {
    Values first, last;
  };

  Values forEachClass(Builder &b, Values residues, mlir::ValueRange init,
                      Visit visit);
  Values visitClass(Builder &b, mlir::ValueRange residues,
                    mlir::ValueRange init, Visit visit);
  Values visitBoxes(Builder &b, mlir::ValueRange residues, const Ends &whole,
                    Values boxes, mlir::ValueRange init, Visit visit);
  void findRanges(Builder &b, mlir::ValueRange residues, const Ends &whole,
                  mlir::Value someOfClass);
  Ends getWhole(Builder &b, mlir::ValueRange residues);
  void narrow(Builder &b, Ends &ends, const Ends &whole, size_t axis,
              mlir::Value residue, mlir::Value box);
  std::pair<mlir::Value, mlir::Value> ask(Builder &b, const Ends &of);
  mlir::Value exists(Builder &b, const Ends &ends);
  bool hasSteps() const {
    return llvm::any_of(keys.getStep(), [](int64_t d) { return d != 1; });
  }

  const BoxGrid &queries, &keys;
  Classify classify;
  Ends query;          ///< Tokens of the box of queries.
  Values begins, ends; ///< Boxes of the class that may be met, per axis.
};

} // namespace attn

#endif // ATTN_PASSES_BOXPAIRS_H
