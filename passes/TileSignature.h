//===- TileSignature.h - What can become a tile program ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_TILESIGNATURE_H
#define ATTN_PASSES_TILESIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {

/// Whether `from`, a function of attn ops, can become one over views: it has
/// one block, takes and returns ranked tensors, returns different results of
/// attn ops only, and no region captures a constant tensor. Else an error.
llvm::LogicalResult checkTileSignature(mlir::func::FuncOp from);

} // namespace attn

#endif // ATTN_PASSES_TILESIGNATURE_H
