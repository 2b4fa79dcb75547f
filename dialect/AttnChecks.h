//===- AttnChecks.h - Checks that verifiers of attn ops share -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNCHECKS_H
#define ATTN_DIALECT_ATTNCHECKS_H

#include "dialect/AttnRegions.h"
#include "mlir/IR/BuiltinTypes.h"

namespace attn {

class AttendOp;

/// Whether `type` is an element type of operands and outputs.
bool isStorageType(mlir::Type type);

/// The most axes that a grid of tokens may have.
inline constexpr int64_t kMostAxes = 3;

/// Checks a `[B, H, N, D]` tensor of a supported element type with static D;
/// in the place of N may stand the sizes of a grid of up to `mostAxes` axes.
llvm::LogicalResult verifyRows(mlir::Operation *op, llvm::StringRef name,
                               mlir::RankedTensorType type,
                               int64_t mostAxes = 1);

/// Checks element types and sizes of query, key and value, and their heads.
llvm::LogicalResult verifyPairwiseOperands(mlir::Operation *op,
                                           mlir::Value query, mlir::Value key,
                                           mlir::Value value);

/// Checks the regions of a pairwise op; returns the width of the mapped value
/// rows.
mlir::FailureOr<int64_t>
verifyPairwiseRegions(mlir::Operation *op, const PairwiseRegions &regions,
                      mlir::Value query, mlir::Value key, mlir::Value value);

/// Checks block sizes and types of a list of blocks (attn.block_list).
llvm::LogicalResult verifyBlockList(mlir::Operation *op,
                                    llvm::ArrayRef<int64_t> sizes,
                                    mlir::RankedTensorType offsets,
                                    mlir::RankedTensorType blocks);

/// Checks that `result` is a tensor of `element` whose sizes do not contradict
/// `shape`.
llvm::LogicalResult verifyResult(mlir::Operation *op, llvm::StringRef name,
                                 mlir::Value result,
                                 llvm::ArrayRef<int64_t> shape,
                                 mlir::Type element);

/// Checks offsets of segments, and that the operands in `packed` (name and
/// value) have one batch, in which the segments lie.
llvm::LogicalResult
verifySegments(mlir::Operation *op, mlir::Value segments,
               llvm::ArrayRef<std::pair<llvm::StringRef, mlir::Value>> packed);

/// Checks the packed sequences of `op`, if it has any.
llvm::LogicalResult verifyPackedAttention(AttendOp op);

/// "[8, 8]", for messages; "nothing" for null.
std::string listSizes(mlir::DenseI64ArrayAttr sizes);

} // namespace attn

#endif // ATTN_DIALECT_ATTNCHECKS_H
