//===- Transpose.h - Between rows and strips in memory ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands arrive and results leave in rows; in between, lanes run along rows
// (TileBuffers.h). Squares of lanes x lanes elements are transposed in
// registers, log2(lanes) shuffles a vector, which is several times faster than
// to scatter or gather one element after the other.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_TRANSPOSE_H
#define ATTN_CODEGEN_CPU_TRANSPOSE_H

#include "codegen/cpu/VectorOps.h"

namespace attn {

/// Copies `lanes` rows of `cols` elements, which begin at row `from` of `rows`
/// `[N, pitch]` with a pitch of whole vectors, to rows `row ..
/// row + lanes - 1` of `strips` `[M / S, cols, S]`; `lanes` divides `row`.
void rowsToStrips(mlir::ImplicitLocOpBuilder &b, VectorOps &vectors,
                  mlir::Value rows, mlir::Value from, mlir::Value strips,
                  mlir::Value row);

/// Copies rows `row .. row + lanes - 1` of `strips` to `rows` `[M, pitch]`, to
/// the rows of the same numbers; `lanes` divides `row`.
void stripsToRows(mlir::ImplicitLocOpBuilder &b, VectorOps &vectors,
                  mlir::Value strips, mlir::Value rows, mlir::Value row);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_TRANSPOSE_H
