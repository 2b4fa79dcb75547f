//===- VectorOps.h - Vectors of one tile program, and access to views -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_VECTOROPS_H
#define ATTN_CODEGEN_CPU_VECTOROPS_H

#include "dialect/TileDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// The vector unit that code is made for.
struct VectorUnit {
  int64_t bits = 512;     ///< Width of a register.
  int64_t registers = 32; ///< Number of registers.
  bool hasFma = true;     ///< Fused multiply-add exists.
};

/// Makes vectors of `lanes` elements and reads and writes views with them.
class VectorOps {
public:
  VectorOps(mlir::ImplicitLocOpBuilder &b, int64_t lanes)
      : b(b), lanes(lanes) {}

  int64_t getLanes() const { return lanes; }

  mlir::VectorType type(mlir::Type element);
  /// The type that keeps elements of type `element` apart in memory: vectors of
  /// integers that do not fill bytes are packed.
  mlir::Type storable(mlir::Type element);
  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value zero(mlir::Type type);
  /// A vector of what does not change a reduction.
  mlir::Value neutral(tile::ReduceKind kind, mlir::Type element);
  /// `sum` (+) `part`, of vectors or scalars.
  mlir::Value combine(tile::ReduceKind kind, mlir::Value sum, mlir::Value part);
  mlir::Value splat(mlir::Value scalar);
  /// 0, stride, 2 stride, ... as an index vector.
  mlir::Value steps(int64_t stride);
  /// start, start + 1, ... as an index vector.
  mlir::Value iota(mlir::Value start);
  /// Clones `op` with new operands; results get the shape of the operands.
  mlir::Value elementwise(mlir::Operation *op, mlir::ValueRange operands,
                          bool vectors);
  /// Splat of a constant with equal elements, or the scalar itself.
  mlir::Value constant(mlir::arith::ConstantOp op, bool vectors);

  /// Whether scalar `index` lies in dimension `dim` of `view`.
  mlir::Value inside(mlir::Value view, int64_t dim, mlir::Value index);
  /// Whether all but the last of `offsets` lie in the view.
  mlir::Value rowInside(mlir::Value view, mlir::ValueRange offsets);

  /// Reads `lanes` elements along the last dimension at `offsets`, of which
  /// `wanted` matter. Elements outside of the view are zero; `inside` says
  /// whether the row exists (from rowInside). Without `wanted` all lanes are
  /// known to be inside of the row.
  mlir::Value loadRow(mlir::Value view, mlir::ValueRange offsets,
                      std::optional<int64_t> wanted, mlir::Value inside);
  /// Writes the first `wanted` of `lanes` elements, those inside of the view.
  /// Without `wanted` all lanes are known to be inside.
  void storeRow(mlir::Value vector, mlir::Value view, mlir::ValueRange offsets,
                std::optional<int64_t> wanted);
  /// Reads single elements: indices are index vectors or scalars; the result is
  /// a vector if one of them is, else a scalar.
  mlir::Value gather(mlir::Value view, mlir::ValueRange indices, bool vectors);

private:
  mlir::Value rowMask(mlir::Value view, mlir::Value offset, int64_t wanted);
  mlir::Value gatherScalar(mlir::Value view, mlir::ValueRange indices);

  mlir::ImplicitLocOpBuilder &b;
  int64_t lanes;
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_VECTOROPS_H
