//===- TileBuffers.h - Where the tiles of a block live in memory -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes of vectors run along the first dimension of score-like tiles (queries):
// then the row-wise maxima and sums of softmax are plain vector operations, the
// products broadcast elements of keys and values, and nothing is transposed in
// the inner loops. Tiles are kept in memory in one of three ways:
//
//   strips   [M, N] as memref<M/S x N x S>: a strip is S rows, S = registers
//            side by side x lanes; column j of a strip is contiguous
//   rows     [N, D] as memref<N x P>, P >= D: the right operand of a product
//   column   [M]    as memref<M>, or longer where vectors are read from it
//
// A tile that a loop carries stays in strips as right operand of a product, too.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_TILEBUFFERS_H
#define ATTN_CODEGEN_CPU_TILEBUFFERS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace attn {

/// The buffers that tile values have been stored to so far.
struct TileBuffers {
  llvm::DenseMap<mlir::Value, mlir::Value> strips, rows, columns;

  bool hasAny(mlir::Value tile) const {
    return strips.contains(tile) || rows.contains(tile) ||
           columns.contains(tile);
  }
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_TILEBUFFERS_H
