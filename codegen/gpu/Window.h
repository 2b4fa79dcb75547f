//===- Window.h - A tile's place in a view ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What loads and stores of all kinds ask of the view that they access.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_WINDOW_H
#define ATTN_CODEGEN_GPU_WINDOW_H

#include "codegen/gpu/Passes.h"
#include "dialect/TileDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// A view and the place of a tile in it.
struct Window {
  mlir::Value view;
  llvm::SmallVector<mlir::Value> offsets;
  int64_t rank; ///< Of the tile.
  /// Index vectors of its rows; none where rows follow each other.
  llvm::SmallVector<mlir::Value> rows = {};

  mlir::MemRefType getType() const {
    return mlir::cast<mlir::MemRefType>(view.getType());
  }
  int64_t getDim(int64_t dim) const { return getType().getRank() - rank + dim; }
  bool isIndexed() const { return !rows.empty(); }
  /// The first of the dimensions that rows lie along.
  int64_t getRowDim() const {
    return getDim(0) + 1 - std::max<int64_t>(1, rows.size());
  }
};

mlir::Value getSize(mlir::ImplicitLocOpBuilder &b, const Window &window,
                    int64_t dim);

/// Whether 0 <= position < size.
mlir::Value isBelow(mlir::ImplicitLocOpBuilder &b, mlir::Value position,
                    mlir::Value size);

/// Whether the leading offsets lie in the view; null if that is known.
mlir::Value testLeading(mlir::ImplicitLocOpBuilder &b, const Window &window);

/// Whether positions up to `end` in dimension `dim` of the tile are known to
/// lie in the view.
bool isKnownInside(const Window &window, int64_t dim, int64_t end);

/// The view that `view` is the first rows of: elements lie where they do in it.
mlir::Value getParameter(mlir::Value view);

/// Whether `value` is known to be a multiple of `number`: the start of a block
/// of columns is its index times their number.
bool isMultiple(mlir::Value value, int64_t number);

/// Whether elements of 16 bits are stored in pairs, if the rows of the view
/// turn out to be aligned: in loops, where threads that give each other columns
/// first would take more instructions than all else that is done for a store.
bool storesPairs(tile::StoreOp op);

/// Positions in the view of element (at...) of the tile, whose row is at[0].
llvm::SmallVector<mlir::Value> getPositions(mlir::ImplicitLocOpBuilder &b,
                                            const Window &window,
                                            mlir::ValueRange at);

/// Whether row `row` of an indexed tile lies in the view.
mlir::Value testRow(mlir::ImplicitLocOpBuilder &b, const Window &window,
                    mlir::Value row);

/// Runs `body` where `condition` holds, or always if that is null; its values
/// elsewhere are zero.
llvm::SmallVector<mlir::Value>
guard(mlir::ImplicitLocOpBuilder &b, mlir::Value condition,
      mlir::TypeRange types,
      llvm::function_ref<llvm::SmallVector<mlir::Value>()> body);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_WINDOW_H
