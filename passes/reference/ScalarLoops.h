//===- ScalarLoops.h - The vocabulary of the executable definition -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The definition of an op is a formula over scalars. Two constructs carry it: a
// tensor given element by element (`generate`), and a loop that carries a value
// (`fold`), which is a sum, a maximum or a tensor that is filled.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REFERENCE_SCALARLOOPS_H
#define ATTN_PASSES_REFERENCE_SCALARLOOPS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace attn::reference {

/// The index constant `value`.
mlir::Value index(mlir::ImplicitLocOpBuilder &b, int64_t value);

/// The constant `value` of floating-point type `type`.
mlir::Value number(mlir::ImplicitLocOpBuilder &b, mlir::Type type,
                   double value);

/// The size of dimension `dim` of a tensor or memref.
mlir::Value size(mlir::ImplicitLocOpBuilder &b, mlir::Value shaped,
                 int64_t dim);

/// The sizes of all dimensions of a tensor or memref.
llvm::SmallVector<mlir::Value> sizes(mlir::ImplicitLocOpBuilder &b,
                                     mlir::Value shaped);

/// `value` extended or truncated to floating-point type `type`.
mlir::Value convert(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                    mlir::Type type);

/// `value`, of f32, rounded to tf32: to the nearest number of 11 bits, of two
/// the larger magnitude. Infinities and NaN stay what they are.
mlir::Value roundToTf32(mlir::ImplicitLocOpBuilder &b, mlir::Value value);

/// The element of a tensor or memref at `indices`, which must be inside.
mlir::Value read(mlir::ImplicitLocOpBuilder &b, mlir::Value shaped,
                 mlir::ValueRange indices);

/// Whether `indices` are inside of a tensor or memref.
mlir::Value isInside(mlir::ImplicitLocOpBuilder &b, mlir::Value shaped,
                     mlir::ValueRange indices);

/// The element of a tensor or memref at `indices`, zero outside of it.
mlir::Value readOrZero(mlir::ImplicitLocOpBuilder &b, mlir::Value shaped,
                       mlir::ValueRange indices);

/// `condition ? then() : otherwise()`, evaluating only one of them.
mlir::Value choose(mlir::ImplicitLocOpBuilder &b, mlir::Value condition,
                   llvm::function_ref<mlir::Value()> then,
                   llvm::function_ref<mlir::Value()> otherwise);

/// An uninitialised tensor of `type`, whose dimensions have the given sizes.
mlir::Value empty(mlir::ImplicitLocOpBuilder &b, mlir::RankedTensorType type,
                  mlir::ValueRange sizes);

/// The tensor of `type`, whose dimensions have the given sizes, with `element`
/// of its indices as elements.
mlir::Value generate(mlir::ImplicitLocOpBuilder &b, mlir::RankedTensorType type,
                     mlir::ValueRange sizes,
                     llvm::function_ref<mlir::Value(mlir::ValueRange)> element);

/// As above, for a tensor of static shape.
mlir::Value generate(mlir::ImplicitLocOpBuilder &b, mlir::RankedTensorType type,
                     llvm::function_ref<mlir::Value(mlir::ValueRange)> element);

/// Values that a loop carries.
using Carried = llvm::SmallVector<mlir::Value>;

/// Nested loops over `0 .. count - 1` for every count; `step` maps the indices
/// and the carried values to the next carried values.
Carried
fold(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange counts,
     mlir::ValueRange init,
     llvm::function_ref<Carried(mlir::ValueRange, mlir::ValueRange)> step);

/// `init + term(0) + ... + term(count - 1)`, in this order.
mlir::Value sum(mlir::ImplicitLocOpBuilder &b, mlir::Value count,
                mlir::Value init,
                llvm::function_ref<mlir::Value(mlir::Value)> term);

/// `max(init, term(0), ..., term(count - 1))`; NaN if one of them is.
mlir::Value max(mlir::ImplicitLocOpBuilder &b, mlir::Value count,
                mlir::Value init,
                llvm::function_ref<mlir::Value(mlir::Value)> term);

/// `init * factor(0) * ... * factor(count - 1)`, in this order.
mlir::Value product(mlir::ImplicitLocOpBuilder &b, mlir::Value count,
                    mlir::Value init,
                    llvm::function_ref<mlir::Value(mlir::Value)> factor);

/// Whether column `at[1]` is in the range of the group of row `at[0]`, if
/// groups have `rows` rows and `ranges` has a begin and an end for each of
/// them.
mlir::Value isInRange(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange ranges,
                      int64_t rows, mlir::ValueRange at);

} // namespace attn::reference

#endif // ATTN_PASSES_REFERENCE_SCALARLOOPS_H
