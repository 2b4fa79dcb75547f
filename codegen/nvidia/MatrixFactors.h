//===- MatrixFactors.h - Operands of matrix instructions --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an operand of a product is made of decides how it becomes one of 16
// bits:
//
//   exact      a tile of 16 bits that is converted, and perhaps multiplied by
//              numbers, one for all or one for each row, which then multiply
//              the product
//   rounded    something computed from another product, such as weights: one
//              tile of 16 bits, which errors of weights allow
//   computed   anything else that is computed from tiles of 16 bits, such as
//              rotated or normalised rows: errors of it would be those of
//              scores, so it becomes a sum of tiles of 16 bits that has the
//              bits of 32: two of f16, or three of bf16
//
// A worked example of the last, in decimal digits with two places per term:
// 3.1416 is 3.1 + 0.042 with an error of 0.0004. With x = a + b and y = c + d,
// x y is a c + a d + b c; what is left out, b d, is as small as the error.
//
// f16 has more digits than bf16 and fewer exponents. So each row is multiplied
// by a power of 2 that moves its largest number to the top of the exponents,
// and the other power multiplies the product. What falls below the smallest f16
// is 2^-39 of the largest number of the row.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_NVIDIA_MATRIXFACTORS_H
#define ATTN_CODEGEN_NVIDIA_MATRIXFACTORS_H

#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/DenseMap.h"

namespace attn {

struct MatrixFactor {
  enum class Kind { Exact, Rounded, Computed };

  Kind kind = Kind::Computed;
  mlir::Value tile;     ///< Of 16 bits if exact, else of 32.
  mlir::Type element;   ///< The type of 16 bits that it stems from, if any.
  mlir::Value original; ///< In 32 bits, with its scales.
  /// Tiles of one number each, or one for each row, that the product is to be
  /// multiplied with.
  llvm::SmallVector<mlir::Value> scales;
};

/// The tile of 16 bits that `value` is, converted; null if it is none.
mlir::Value getNarrow(mlir::Value value);

/// Whether a product is among what `value` is computed from, on the way of ops
/// without regions.
bool dependsOnProduct(mlir::Value value);

/// What `value` is made of; none if it does not stem from tiles of 16 bits.
/// Scales are split off if `splitsScales`.
std::optional<MatrixFactor> matchFactor(mlir::Value value, bool splitsScales);

/// Splits multiplications by tiles of one number, or one for each row, off
/// `value`.
mlir::Value splitScales(mlir::Value value,
                        llvm::SmallVectorImpl<mlir::Value> &scales);

/// A tile of `type` of the number that the tile `uniform` has everywhere, or in
/// the row.
mlir::Value makeUniform(mlir::OpBuilder &b, mlir::RankedTensorType type,
                        mlir::Value uniform);

/// Tiles of f16 whose sum is a tile of 32 bits, but for roundings, whose rows
/// were divided by `scale`, which has one number for each row.
struct ScaledTerms {
  llvm::SmallVector<mlir::Value> tiles;
  mlir::Value scale;
};

/// Makes tiles of 16 bits of factors, each once.
class FactorTerms {
public:
  /// `count` tiles of `element` behind the definition of `value`, of 32 bits,
  /// the sum of which it is but for roundings.
  llvm::ArrayRef<mlir::Value> get(mlir::Value value, mlir::Type element,
                                  int64_t count);
  /// Two tiles of f16 there.
  const ScaledTerms &getScaled(mlir::Value value);

private:
  llvm::DenseMap<mlir::Value, ScaledTerms> scaled;
  llvm::DenseMap<std::tuple<mlir::Value, mlir::Type, int64_t>,
                 llvm::SmallVector<mlir::Value, 2>>
      known;
};

} // namespace attn

#endif // ATTN_CODEGEN_NVIDIA_MATRIXFACTORS_H
