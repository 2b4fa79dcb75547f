//===- LayoutClasses.h - Which tiles must have one layout -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles that meet in an elementwise op, in a loop, or of which one is part of
// the other, must be spread over the threads in the same way. They form a
// class. A class collects what its members would like, and answers with the
// layout of each.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_LAYOUTCLASSES_H
#define ATTN_CODEGEN_GPU_LAYOUTCLASSES_H

#include "dialect/TileDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace attn {

/// The threads of a block as a grid of rows and columns.
struct ThreadGrid {
  int64_t rows, columns;
  /// Whether warps own the rows, and threads the columns, that matrix
  /// instructions want: #tile.registers with `paired` and two columns.
  bool isForMatrices = false;

  /// Columns of one round of threads: no part of a tile may start elsewhere.
  int64_t getCutMultiple() const {
    return isForMatrices ? 2 * columns : columns;
  }
};

/// A partition of tiles in registers.
class LayoutClasses {
public:
  explicit LayoutClasses(ThreadGrid grid) : grid(grid) {}

  /// Adds a tile, in a class of its own unless it is known.
  void add(mlir::Value tile);
  /// Puts two tiles into one class.
  void join(mlir::Value a, mlir::Value b);

  /// The operand of a product: `columns` neighbouring columns of one thread are
  /// best; the smallest wish counts.
  void wishVector(mlir::Value tile, int64_t columns);
  /// A thread must not own columns on both sides of this one.
  void cutAt(mlir::Value tile, int64_t column);
  /// What a vector is along: 1 if it has an element per row.
  void setAlong(mlir::Value vector, int64_t along);

  /// All tiles that were added, in order.
  llvm::ArrayRef<mlir::Value> getTiles() const { return tiles; }
  /// The layout of a tile; an error at its definition if there is none.
  mlir::FailureOr<mlir::Attribute> getLayout(mlir::Value tile);

private:
  struct Facts {
    int64_t wish = 0;   ///< Columns per thread; 0: nobody cares.
    int64_t limit = 4;  ///< Most columns per thread that are possible.
    bool isCut = false; ///< There is a cut that no limit serves.
    bool hasAlong[2] = {false, false};
  };
  int find(mlir::Value tile);

  ThreadGrid grid;
  llvm::SmallVector<mlir::Value> tiles;
  llvm::DenseMap<mlir::Value, int> numbers;
  llvm::SmallVector<int> parents;
  llvm::SmallVector<Facts> facts;
};

} // namespace attn

#endif // ATTN_CODEGEN_GPU_LAYOUTCLASSES_H
