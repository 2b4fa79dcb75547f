//===- ReduceTiles.h - Rows of many tokens become one -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REDUCETILES_H
#define ATTN_PASSES_REDUCETILES_H

#include "passes/TileValues.h"

namespace attn {

/// Expands one `attn.reduce`, which `mapping` sends the operands of to views.
class ReduceTiles : public TileValues {
public:
  ReduceTiles(mlir::ImplicitLocOpBuilder &b, const mlir::IRMapping &mapping,
              ReduceOp op);

  /// Writes the result to `output`.
  llvm::LogicalResult run(mlir::Value output);

private:
  mlir::Value index(int64_t value);
  mlir::Value neutral(llvm::ArrayRef<int64_t> shape);
  mlir::FailureOr<mlir::Value> rows(mlir::Value batch, mlir::Value head,
                                    mlir::Value first);
  llvm::LogicalResult overTokens(mlir::Value output);
  llvm::LogicalResult overHeads(mlir::Value output);
  llvm::LogicalResult fold(
      mlir::Value count, int64_t step, mlir::Value init,
      llvm::function_ref<mlir::FailureOr<mlir::Value>(mlir::Value, mlir::Value)>
          next,
      mlir::Value &result);

  ReduceOp op;
  mlir::Type type; ///< In which everything is computed.
  tile::ReduceKind kind;
  int64_t width; ///< Of the rows, whole vectors on any target.
  mlir::Value input, batches, heads, tokens;
};

} // namespace attn

#endif // ATTN_PASSES_REDUCETILES_H
