//===- ScalarBlocks.h - Blocks that one thread computes ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_SCALARBLOCKS_H
#define ATTN_DIALECT_SCALARBLOCKS_H

#include "llvm/ADT/StringRef.h"

namespace attn::tile {

/// On an scf.forall: its blocks are arithmetic on scalars, and many enough that
/// a device should let each thread do one of them.
inline constexpr llvm::StringLiteral kScalarBlocksAttr = "tile.scalar_blocks";

} // namespace attn::tile

#endif // ATTN_DIALECT_SCALARBLOCKS_H
