//===- ExpandMathInternal.h - Parts of the math expansion -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the files of the math expansion share: a builder of elementwise
// operations on one type, and one function per group of patterns.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_EXPANDMATHINTERNAL_H
#define ATTN_CODEGEN_CPU_EXPANDMATHINTERNAL_H

#include "codegen/cpu/ExpandMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace attn {

/// Whether `type` is a scalar of element type `element`, or a vector of it.
bool isScalarOrVectorOf(mlir::Type type,
                        llvm::function_ref<bool(mlir::Type)> element);

/// Whether `type` is f32 or f64, or a vector of one of them.
bool isF32OrF64(mlir::Type type);

/// Whether `type` is f16 or bf16, or a vector of one of them.
bool isF16OrBF16(mlir::Type type);

/// `type` (a scalar or a vector) with `element` as its element type.
mlir::Type withElementType(mlir::Type type, mlir::Type element);

/// Writes elementwise code on one floating-point type, scalar or vector, and on
/// the integers of the same width.
class ElementwiseBuilder {
public:
  ElementwiseBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Type floatType);

  bool isF64() const { return bits == 64; }
  /// Bits of the mantissa that are stored: 23 or 52.
  unsigned mantissaBits() const { return isF64() ? 52 : 23; }
  /// Exponent bias: 127 or 1023.
  int bias() const { return isF64() ? 1023 : 127; }

  mlir::Value real(double value);
  mlir::Value integer(int64_t value);

  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  /// a * b + c.
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  /// The polynomial with the given coefficients, constant first, at `x`.
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients);

  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a,
                      mlir::Value b);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a,
                      mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// The larger (smaller) of `x` and `bound`; a NaN in `x` stays. One x86
  /// instruction each, unlike `arith.maximumf`.
  mlir::Value atLeast(mlir::Value x, double bound);
  mlir::Value atMost(mlir::Value x, double bound);

  mlir::Value addi(mlir::Value a, mlir::Value b);
  mlir::Value subi(mlir::Value a, mlir::Value b);
  mlir::Value andi(mlir::Value a, mlir::Value b);
  mlir::Value ori(mlir::Value a, mlir::Value b);
  mlir::Value shl(mlir::Value a, int64_t count);
  mlir::Value shr(mlir::Value a, int64_t count);
  mlir::Value toBits(mlir::Value a);
  mlir::Value fromBits(mlir::Value a);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type floatType, intType;
  unsigned bits;
};

/// x = 2^e (1 + f), 1 + f from sqrt(1/2) to sqrt(2).
struct LogarithmSplit {
  mlir::Value exponent, fraction;
};

/// The split of any positive number, subnormal ones included.
LogarithmSplit splitAnyLogarithm(ElementwiseBuilder &b, mlir::Value x);

/// exp, exp2, expm1, log, log2, log1p and tanh of f32 and f64.
void populateElementaryFunctionPatterns(mlir::RewritePatternSet &patterns,
                                        const CpuMathOptions &options);

/// Powers of f32, without a library.
void populatePowerPatterns(mlir::RewritePatternSet &patterns);

/// Conversions between f16 or bf16 and f32 or f64, and arithmetic on f16 and
/// bf16 (computed in f32).
void populateSmallFloatPatterns(mlir::RewritePatternSet &patterns,
                                const CpuMathOptions &options);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_EXPANDMATHINTERNAL_H
