//===- SegmentTiles.h - Bounds of packed sequences as tiles -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SEGMENTTILES_H
#define ATTN_PASSES_SEGMENTTILES_H

#include "dialect/AttnDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// Writes the results of `op` into the views that `mapping` has for them, block
/// by block of tokens.
void writeSegmentBounds(mlir::ImplicitLocOpBuilder &b,
                        const mlir::IRMapping &mapping, SegmentBoundsOp op);

} // namespace attn

#endif // ATTN_PASSES_SEGMENTTILES_H
