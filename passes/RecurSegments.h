//===- RecurSegments.h - Sequences that are packed --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_RECURSEGMENTS_H
#define ATTN_PASSES_RECURSEGMENTS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// Offsets `[G + 1]` as blocks read them.
class Segments {
public:
  /// `segments` are the offsets; null if there are none. The offsets are of
  /// `numTokens` tokens.
  Segments(mlir::ImplicitLocOpBuilder &b, mlir::Value segments,
           mlir::Value numTokens);

  explicit operator bool() const { return bool(offsets); }

  /// How many blocks there are: G, but one if that is 0, for the tokens of no
  /// segment.
  mlir::Value getBlocks() const;

  /// Where `segment` begins, moved to `least .. N`. Behind the last offset,
  /// that one again.
  mlir::Value offsetOf(mlir::Value segment, mlir::Value least) const;

  /// `size` if block `segment` is one of a segment, else 0.
  mlir::Value getIfAny(mlir::Value segment, int64_t size) const;

  /// How many tokens from `end` on are of no segment, if block `segment` is the
  /// last one; else 0.
  mlir::Value countBehind(mlir::Value segment, mlir::Value end) const;

private:
  mlir::Value constant(int64_t value) const;

  mlir::ImplicitLocOpBuilder &b;
  mlir::Value offsets, numTokens, count;
};

/// `rows`, `[B, H, N, ...]`, without those from token `end` on: nothing that
/// reads or writes them passes it.
mlir::Value limitTokens(mlir::ImplicitLocOpBuilder &b, mlir::Value rows,
                        mlir::Value end);

} // namespace attn

#endif // ATTN_PASSES_RECURSEGMENTS_H
