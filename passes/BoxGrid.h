//===- BoxGrid.h - A grid of tokens, cut into boxes -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Along an axis of X tokens, with a step of d, there are d residue classes: the
// tokens r, r + d, r + 2 d, ... of each r below d. A class has ceil((X - r) /
// d) tokens, which boxes of w tokens cover. All classes get as many boxes as
// the largest one, that of r = 0, needs:
//
//   boxes   B = ceil(ceil(X / d) / w)
//   places  A = d B                       residue slowest: place = r B + box
//   first token of a place                r + d w (place mod B)
//
// so the last boxes of a class reach beyond the axis, and a box may lie beyond
// it as a whole. Boxes of the grid are numbered in row-major order of their
// places, axis 0 slowest: number = (place_0 A_1 + place_1) A_2 + place_2.
//
// With a step of 2, boxes of 2 tokens and 7 tokens: 0 2 | 4 6 and 1 3 | 5 -, in
// this order.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_BOXGRID_H
#define ATTN_PASSES_BOXGRID_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// The boxes of one grid of tokens. Emits index arithmetic where `b` stands.
class BoxGrid {
public:
  /// A grid with `extents` tokens along its axes; `step` is 1 if it is empty.
  BoxGrid(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange extents,
          llvm::ArrayRef<int64_t> box, llvm::ArrayRef<int64_t> step);

  int64_t getNumAxes() const { return box.size(); }

  /// How many boxes there are. Their numbers are below it.
  mlir::Value getCount() const { return count; }

  /// How many places there are along each axis.
  llvm::ArrayRef<mlir::Value> getPlaces() const { return places; }

  /// The first token of box `number`, one index per axis.
  llvm::SmallVector<mlir::Value> getFirstToken(mlir::ImplicitLocOpBuilder &b,
                                               mlir::Value number) const;

  /// The last token that exists of the box that begins at `first`; before
  /// `first` where there is none.
  llvm::SmallVector<mlir::Value> getLastToken(mlir::ImplicitLocOpBuilder &b,
                                              mlir::ValueRange first) const;

  /// The number of the box that is `boxes` of the residue classes `residues`,
  /// one index per axis each.
  mlir::Value getNumber(mlir::ImplicitLocOpBuilder &b,
                        mlir::ValueRange residues,
                        mlir::ValueRange boxes) const;

  /// The number of the box that `token` is in.
  mlir::Value getNumberOfToken(mlir::ImplicitLocOpBuilder &b,
                               mlir::ValueRange token) const;

  /// How many boxes a residue class has along each axis.
  llvm::ArrayRef<mlir::Value> getBoxesOfClass() const { return boxes; }

  /// How many tokens there are along each axis.
  llvm::ArrayRef<mlir::Value> getExtents() const { return extents; }

  /// How many tokens of the box that begins at `first` exist along each axis.
  llvm::SmallVector<mlir::Value> countTokens(mlir::ImplicitLocOpBuilder &b,
                                             mlir::ValueRange first) const;

  /// The step along each axis.
  llvm::ArrayRef<int64_t> getStep() const { return step; }
  llvm::ArrayRef<int64_t> getBox() const { return box; }

private:
  llvm::SmallVector<int64_t> box, step;
  llvm::SmallVector<mlir::Value> extents;
  llvm::SmallVector<mlir::Value> boxes;  ///< Of a residue class.
  llvm::SmallVector<mlir::Value> places; ///< Boxes of all classes.
  mlir::Value count;
};

/// Whether all tokens of all boxes exist, as far as static sizes tell.
bool fillsBoxes(llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<int64_t> box,
                llvm::ArrayRef<int64_t> step);

} // namespace attn

#endif // ATTN_PASSES_BOXGRID_H
