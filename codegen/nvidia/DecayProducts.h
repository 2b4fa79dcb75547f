//===- DecayProducts.h - Decaying products of matrices ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile.decay_dot multiplies rows whose channels decay, each on its own, with
// the rows between them. Between two blocks of rows it is a product of
// matrices: queries times their decays since the border of the blocks, and keys
// times theirs up to it. Both are products of factors between 0 and 1, so
// nothing overflows, and nothing is divided. For 8 rows (`q` rows, `k`
// columns):
//
// clang-format off
//       k0 k1 k2 k3 k4 k5 k6 k7
//   q0   w                         w   within blocks of 2: element by element
//   q1   w  w                      2   between blocks of 2: borders are in front
//   q2   2  2  w                       of tokens 2 and 6
//   q3   2  2  w  w                4   between blocks of 4: the border is in
//   q4   4  4  4  4  w                 front of token 4
//   q5   4  4  4  4  w  w
//   q6   4  4  4  4  2  2  w
//   q7   4  4  4  4  2  2  w  w
// clang-format on
//
// A row of a pair of blocks is a query or a key, according to the block that it
// is in. So one tile has both, each times its decays, and its product with
// itself has all pairs between the two blocks.
//
// Blocks become twice as long from product to product, and those within which
// pairs are multiplied element by element are bands of a matrix instruction.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_NVIDIA_DECAYPRODUCTS_H
#define ATTN_CODEGEN_NVIDIA_DECAYPRODUCTS_H

#include "dialect/TileDialect.h"

namespace attn {

/// Whether `op` can be cut so that each of `warps` warps has a band of rows.
bool canCutDecays(tile::DecayDotOp op, int64_t warps);

/// Replaces `op` by products of matrices and one within bands; returns the
/// former.
llvm::SmallVector<tile::DotOp> cutDecays(tile::DecayDotOp op);

} // namespace attn

#endif // ATTN_CODEGEN_NVIDIA_DECAYPRODUCTS_H
