//===- ExpandMath.h - Lower math for the CPU back end -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replaces math operations that the LLVM back end cannot select well, and
// conversions of small floats that it would turn into library calls. What each
// function becomes, and how accurate it is: docs/math.md.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_EXPANDMATH_H
#define ATTN_CODEGEN_CPU_EXPANDMATH_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace attn {

/// What the code is for has.
struct CpuMathOptions {
  /// Fused multiply-add; without it `math.fma` becomes a product and a sum.
  bool hasFma = true;
  /// Conversions between f16 and f32.
  bool hasF16C = true;
  /// Conversion of f32 to bf16 (it flushes subnormal numbers to zero).
  bool hasAvx512Bf16 = false;
  /// AVX512F, DQ and VL: exp2 in nine instructions per register.
  bool hasAvx512 = false;
  /// The C library. Without it `math.powf` of f32 becomes code, about 90
  /// instructions, which needs FMA.
  bool hasLibm = true;
};

/// Adds the patterns that expand math functions and conversions of small
/// floats, without the calls to libm (those need a symbol table to declare the
/// callees in; the pass adds them).
void populateExpandMathPatterns(mlir::RewritePatternSet &patterns,
                                const CpuMathOptions &options);

/// Creates the pass `attn-cpu-expand-math`. It runs on any operation; calls to
/// libm are made only if that operation is a symbol table (a module).
std::unique_ptr<mlir::Pass>
createExpandMathPass(const CpuMathOptions &options = {});

/// Registers `attn-cpu-expand-math` for use in textual pipelines.
void registerExpandMathPass();

} // namespace attn

#endif // ATTN_CODEGEN_CPU_EXPANDMATH_H
