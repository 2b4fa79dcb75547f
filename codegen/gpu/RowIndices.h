//===- RowIndices.h - Index vectors of the rows of a tile -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread that copies a row needs the element of an index vector that belongs
// to this row, which may be any. Index vectors are computed from positions, so
// each thread computes the elements that it needs from the ops that define
// them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_ROWINDICES_H
#define ATTN_CODEGEN_GPU_ROWINDICES_H

#include "codegen/gpu/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// Whether `vector` can be computed element by element: from positions,
/// numbers, elementwise ops and reads of views.
bool isComputable(mlir::Value vector);

/// Element `at` of `vector`, which is computable.
mlir::Value evaluateAt(mlir::ImplicitLocOpBuilder &b, mlir::Value vector,
                       mlir::Value at);

/// Elements `start` to `start + size` of `vector`, which is computable.
mlir::Value cutVector(mlir::ImplicitLocOpBuilder &b, mlir::Value vector,
                      int64_t start, int64_t size);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_ROWINDICES_H
