//===- ResultArguments.h - Functions that only count ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What passes share that turn a function into one that tells something of its
// ops instead of computing them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_RESULTARGUMENTS_H
#define ATTN_PASSES_RESULTARGUMENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attn {

/// Drops what the function returns; an error if it has several blocks.
llvm::LogicalResult returnNothing(mlir::func::FuncOp function);

/// A last argument for a result: a memref of one dimension of `size` elements.
mlir::FailureOr<mlir::Value> addResult(mlir::func::FuncOp function,
                                       int64_t size, mlir::Type element);

} // namespace attn

#endif // ATTN_PASSES_RESULTARGUMENTS_H
