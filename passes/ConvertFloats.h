//===- ConvertFloats.h - Exchange the floating-point types of a function -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_CONVERTFLOATS_H
#define ATTN_PASSES_CONVERTFLOATS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace attn {

/// Says which type stands for a floating-point type from now on.
using FloatMap = llvm::function_ref<mlir::FloatType(mlir::FloatType)>;

/// `type`, or the tensor or memref `type` of elements, with `map` applied;
/// other types are returned as they are.
mlir::Type convertFloatType(mlir::Type type, FloatMap map);

/// Applies `map` to every floating-point type of `function`: its arguments and
/// results, all values in it, and its constants, whose values are kept where
/// the new type can represent them and rounded to nearest where it cannot.
/// Conversions between types that become the same disappear. Attributes of attn
/// ops (`scale`) stay. Reports an error on an op that looks at the bits of a
/// number whose width would change.
llvm::LogicalResult convertFloats(mlir::func::FuncOp function, FloatMap map);

/// Replaces `cast`, an `arith.extf` or `arith.truncf` whose types were changed,
/// by what now takes its operand to its result type: nothing, or either op.
void repairFloatCast(mlir::Operation *cast);

} // namespace attn

#endif // ATTN_PASSES_CONVERTFLOATS_H
