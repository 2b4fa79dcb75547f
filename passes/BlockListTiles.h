//===- BlockListTiles.h - Lists of blocks as tile programs ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_BLOCKLISTTILES_H
#define ATTN_PASSES_BLOCKLISTTILES_H

#include "dialect/AttnDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// Writes the bounds of blocks to the views `least` and `largest`. `mapping`
/// sends tensors to views.
void writeBlockBounds(mlir::ImplicitLocOpBuilder &b,
                      const mlir::IRMapping &mapping, BlockBoundsOp op,
                      mlir::Value least, mlir::Value largest);

/// Writes the list of blocks to the views `offsets` and `blocks`; `counts` is
/// room for two numbers of each block of queries.
void writeBlockList(mlir::ImplicitLocOpBuilder &b,
                    const mlir::IRMapping &mapping, BlockListOp op,
                    mlir::Value offsets, mlir::Value blocks,
                    mlir::Value counts);

} // namespace attn

#endif // ATTN_PASSES_BLOCKLISTTILES_H
