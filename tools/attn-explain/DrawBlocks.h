//===- DrawBlocks.h - A picture of classes of blocks ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_EXPLAIN_DRAWBLOCKS_H
#define ATTN_TOOLS_ATTN_EXPLAIN_DRAWBLOCKS_H

#include "tools/attn-explain/Findings.h"

namespace attn {

/// An SVG picture of the blocks of the first attend op that has some, in its
/// first batch and head: rows are blocks of queries, columns blocks of keys.
/// Grids of two axes get a second picture, of the boxes around one box of
/// queries. The same findings give the same bytes.
llvm::Expected<std::string> drawBlocks(const Findings &findings);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_EXPLAIN_DRAWBLOCKS_H
