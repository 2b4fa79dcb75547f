//===- BlockOrder.h - Long blocks of queries first --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where blocks have unequal lists, a device that starts them in order should
// start the long ones first. attn.block_order sorts the blocks of each head. Of
// R blocks, the longest quarter of all heads is visited first, and then the
// others, head by head, as blocks of one head read the same keys:
//
//   turn   0 .. F - 1    block order[turn / heads] of head turn mod heads
//   turn   F .. heads R  the same of the rest, with heads slowest
//
// where F is heads times R / 4, and heads are those of all batches. Which heads
// come first does not matter much; how much the order gains is in
// docs/results/gpu-balance.md.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_BLOCKORDER_H
#define ATTN_PASSES_BLOCKORDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// Of a block of queries.
struct BlockPlace {
  mlir::Value batch, head, block;
};

/// In which order the blocks of queries of a list are visited. Few blocks, and
/// many of one head, are left in theirs.
class BlockOrder {
public:
  /// Emits what sorts the blocks of each head. `grid` counts batches, heads and
  /// blocks; they keep their order where there are at most `atOnce` of them.
  BlockOrder(mlir::ImplicitLocOpBuilder &b, mlir::Value offsets,
             llvm::ArrayRef<mlir::Value> grid, int64_t atOnce);

  /// Emits which block has the turn that `place` has in row-major order.
  BlockPlace getPlace(mlir::ImplicitLocOpBuilder &b,
                      const BlockPlace &place) const;

private:
  mlir::Value batches, heads, blocks;
  mlir::Value count; ///< How many blocks are sorted: all or none.
  mlir::Value order;
};

} // namespace attn

#endif // ATTN_PASSES_BLOCKORDER_H
