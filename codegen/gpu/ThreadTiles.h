//===- ThreadTiles.h - The part of a tile that a thread owns ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread owns a small matrix of each tile: element (i, j) of the thread is
// element (row(i), column(j)) of the tile. ThreadTiles knows the size of the
// matrix and makes the values row(i) and column(j), each once, at the start of
// the kernel. docs/rationale/gpu.md tells how they are chosen.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_THREADTILES_H
#define ATTN_CODEGEN_GPU_THREADTILES_H

#include "codegen/gpu/SharedTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include <map>

namespace attn {

/// How many elements of a tile a thread owns. A vector along rows has one
/// column, one along columns one row.
struct PieceShape {
  int64_t rows, columns;
  int64_t vector; ///< Columns that are neighbours in the tile.

  int64_t size() const { return rows * columns; }
};

class ThreadTiles {
public:
  ThreadTiles(mlir::gpu::GPUFuncOp kernel, int64_t threads);

  static PieceShape getShape(mlir::RankedTensorType type);
  /// The layout that a tile, or the tile that a vector belongs to, has.
  static tile::RegistersAttr getRegisters(mlir::RankedTensorType type);

  /// The row (column) of the tile that the i-th (j-th) of a thread is.
  mlir::Value getRow(tile::RegistersAttr layout, int64_t i);
  mlir::Value getColumn(tile::RegistersAttr layout, int64_t j);
  /// How far the j-th column of a thread is behind its first.
  static int64_t getFixed(tile::RegistersAttr layout, int64_t j);
  /// The same for the i-th row.
  static int64_t getFixedRow(tile::RegistersAttr layout, int64_t i);

  /// Number of the thread, and its place in the grid of a layout.
  mlir::Value getThread() const { return thread; }
  mlir::Value getThreadRow(tile::RegistersAttr layout);
  mlir::Value getThreadColumn(tile::RegistersAttr layout);
  int64_t getThreads() const { return threads; }

  /// A constant at the start of the kernel.
  mlir::Value index(int64_t value);
  /// A builder at the start of the kernel, behind all that was built there.
  mlir::ImplicitLocOpBuilder &atEntry() { return entry; }

private:
  int64_t threads;
  bool isRecurrence = false; ///< Some product adds to a state.
  mlir::ImplicitLocOpBuilder entry;
  mlir::Value thread;
  std::map<int64_t, mlir::Value> constants;
  std::map<std::pair<int64_t, int64_t>, mlir::Value> places;
  std::map<std::tuple<const void *, bool, int64_t>, mlir::Value> positions;
};

} // namespace attn

#endif // ATTN_CODEGEN_GPU_THREADTILES_H
