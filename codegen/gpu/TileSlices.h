//===- TileSlices.h - Parts of tiles, and what they need --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A slice of a load is a load; of a joined tile, a slice of one part; of an
// elementwise op, the op on slices. So only what a slice needs is computed.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_TILESLICES_H
#define ATTN_CODEGEN_GPU_TILESLICES_H

#include "dialect/TileDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <map>
#include <tuple>

namespace attn {

/// Rows (dim 0) or columns (dim 1) of a tile from some position on.
struct Cut {
  int64_t dim, start, size;

  mlir::RankedTensorType applyTo(mlir::RankedTensorType type) const;
};

/// Where to cut the columns of `value` so that no slice has more than `most`:
/// at multiples, and where parts were joined.
llvm::SmallVector<Cut> getColumnCuts(mlir::Value value, int64_t most);

/// The load that `value` is, or is converted from, if its rows can be cut.
tile::LoadOp getMovableLoad(mlir::Value value);

/// Makes slices of tiles. New ops are put in front of an op (late), or behind
/// the tiles that they are made of (early).
class Slicer {
public:
  Slicer(mlir::Operation *at, bool isLate)
      : b(at->getLoc(), at), isLate(isLate) {}

  mlir::Value cut(mlir::Value value, Cut cut);

private:
  mlir::Value make(mlir::Value value, Cut cut);
  mlir::Value cutLoad(tile::LoadOp load, Cut cut);
  mlir::Value cutConcat(tile::ConcatOp concat, Cut cut);
  mlir::Value cutElementwise(mlir::Operation *op, Cut cut);

  mlir::ImplicitLocOpBuilder b;
  bool isLate;
  /// Slices that exist, by tile, dimension, start and size.
  std::map<std::tuple<void *, int64_t, int64_t, int64_t>, mlir::Value> known;
};

} // namespace attn

#endif // ATTN_CODEGEN_GPU_TILESLICES_H
