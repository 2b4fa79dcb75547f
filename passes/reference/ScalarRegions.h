//===- ScalarRegions.h - Regions of attn ops, evaluated for one pair or token
//-*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REFERENCE_SCALARREGIONS_H
#define ATTN_PASSES_REFERENCE_SCALARREGIONS_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Region.h"
#include "passes/reference/ScalarLoops.h"

namespace attn::reference {

/// Evaluates a region of an attn op for one pair or one token; returns what it
/// yields. Reads of captured tensors outside of them give zero, and ops on
/// vectors become loops.
mlir::Value evaluate(mlir::ImplicitLocOpBuilder &b, mlir::Region &region,
                     mlir::ValueRange arguments);

/// The same for a region that yields several values.
llvm::SmallVector<mlir::Value> evaluateAll(mlir::ImplicitLocOpBuilder &b,
                                           mlir::Region &region,
                                           mlir::ValueRange arguments);

/// Whether `op` applies a scalar function to each element of tensors.
bool isElementwiseOnTensors(mlir::Operation *op);

/// The results of such an op on `operands`, element by element.
llvm::SmallVector<mlir::Value> elementwise(mlir::ImplicitLocOpBuilder &b,
                                           mlir::Operation *op,
                                           mlir::ValueRange operands);

/// `parts` joined along their last dimension, as a tensor of `type`.
mlir::Value join(mlir::ImplicitLocOpBuilder &b, mlir::RankedTensorType type,
                 mlir::ValueRange parts);

} // namespace attn::reference

#endif // ATTN_PASSES_REFERENCE_SCALARREGIONS_H
