//===- AttnDialect.h - The attn dialect: classes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNDIALECT_H
#define ATTN_DIALECT_ATTNDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/AttnDialect.h.inc"
#include "dialect/AttnEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/AttnAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialect/AttnOps.h.inc"

namespace attn {

/// Names of the attributes on function arguments, results and functions; their
/// meaning is documented in the dialect's description.
inline constexpr llvm::StringLiteral kNameAttr = "attn.name";
inline constexpr llvm::StringLiteral kDimsAttr = "attn.dims";
inline constexpr llvm::StringLiteral kFillAttr = "attn.fill";
inline constexpr llvm::StringLiteral kResultAttr = "attn.result";
inline constexpr llvm::StringLiteral kDefaultsAttr = "attn.defaults";

/// The type in which products, sums and regions of operands of the element type
/// `element` are evaluated: f64 for f64, else f32.
mlir::Type getAccumulatorType(mlir::Type element);

/// The axes of the grid of tokens of `tensor`, `[B, H, X0, .., D]`.
int64_t getNumAxes(mlir::Value tensor);

/// Whether `operand` of a pairwise op, `[B, H, N, D]`, has one batch that all
/// batches of the result share: B is the static 1.
bool hasSharedBatch(mlir::Value operand);

/// The operand whose batches are those of the result: the first that has more
/// than a shared one, `query` if there is none.
mlir::Value getBatchOperand(mlir::Value query, mlir::Value key,
                            mlir::Value value);

/// How many segments `segments`, the offsets `[G + 1]` of an op, makes; dynamic
/// if that is not known.
int64_t getNumSegments(mlir::Value segments);

/// Their number as a constant or a new value, at least 0.
mlir::OpFoldResult countSegments(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::Value segments);

/// The yielded value of a region with one block that ends in `attn.yield`.
mlir::Value getYielded(mlir::Region &region);

} // namespace attn

#endif // ATTN_DIALECT_ATTNDIALECT_H
