//===- LiveRows.h - Rows of a block that exist ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_LIVEROWS_H
#define ATTN_CODEGEN_CPU_LIVEROWS_H

#include "codegen/cpu/VectorOps.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace attn {

/// The stores of `forall`, if it writes tiles of `rows` rows only, outside of
/// loops: what a block computes for rows that none of them writes is not used,
/// as far as tiles are computed row by row. Empty otherwise.
llvm::SmallVector<tile::StoreOp> getRowStores(mlir::scf::ForallOp forall,
                                              int64_t rows);

/// How many strips of `width` rows the views of `stores` reach into, at most
/// rows / width; an index. Null if a position in a view is not known yet.
mlir::Value countLiveStrips(mlir::ImplicitLocOpBuilder &b, VectorOps &vectors,
                            llvm::ArrayRef<tile::StoreOp> stores,
                            const mlir::IRMapping &scalars, int64_t rows,
                            int64_t width);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_LIVEROWS_H
