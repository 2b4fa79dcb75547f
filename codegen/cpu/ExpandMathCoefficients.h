//===- ExpandMathCoefficients.h - Minimax polynomials -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Constant coefficient first. All were found by the Remez exchange algorithm in
// 60-digit arithmetic. Then the low coefficients were rounded to the type and
// the others fitted again or, for exp2F32, expF32 and expm1F32, all were moved
// by some units in the last place at random while that lowered the largest
// error of the evaluation in f32. The errors stated are relative to the named
// function, of the rounded coefficients in exact arithmetic; docs/math.md has
// the errors of the compiled code.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_EXPANDMATHCOEFFICIENTS_H
#define ATTN_CODEGEN_CPU_EXPANDMATHCOEFFICIENTS_H

namespace attn {

/// (2^f - 1) / f for f32, degree 5: 2^f within 3.8e-8 on [-1/2, 1/2], within
/// 5.4e-8 up to 1 (only the last half binade below overflow goes there).
inline constexpr double exp2F32[] = {0x1.62e42ep-1,  0x1.ebfc76p-3,
                                     0x1.c6b318p-5,  0x1.3ad05ap-7,
                                     0x1.5d57a6p-10, 0x1.793574p-13};

/// (2^f - 1) / f for f64, degree 11: 2^f within 7.4e-18 on [-1/2, 1/2], within
/// 2.9e-17 up to 1.
inline constexpr double exp2F64[] = {
    0x1.62e42fefa39fp-1,   0x1.ebfbdff82c592p-3,  0x1.c6b08d7049df1p-5,
    0x1.3b2ab6fba44eep-7,  0x1.5d87fe790b3c7p-10, 0x1.430912f94d373p-13,
    0x1.ffcbfad28f9e1p-17, 0x1.62c026105806dp-20, 0x1.b527dbb8bd011p-24,
    0x1.e4ab30cabd0ddp-28, 0x1.e5df89ad8655ep-32, 0x1.063f6fe517bc2p-35};

/// (2^f - 1) / f for f32 on [0, 1], degree 5: 2^f within 2.2e-9.
inline constexpr double exp2UnitF32[] = {0x1.62e42cp-1,  0x1.ebfd3ap-3,
                                         0x1.c68af6p-5,  0x1.3cfd8p-7,
                                         0x1.473756p-10, 0x1.c444fcp-13};

/// (2^f - 1) / f for f64 on [0, 1], degree 10: 2^f within 3.4e-18.
inline constexpr double exp2UnitF64[] = {
    0x1.62e42fefa39f5p-1,  0x1.ebfbdff82c01bp-3,  0x1.c6b08d7066659p-5,
    0x1.3b2ab6f7136cbp-7,  0x1.5d87ff5281ac3p-10, 0x1.4308f9930a0b7p-13,
    0x1.ffcfd871cfe5fp-17, 0x1.628e7bd462dfcp-20, 0x1.b86899b894c59p-24,
    0x1.c280ea5affe59p-28, 0x1.58bf6a1d962fdp-31};

/// (exp(r) - 1 - r) / r^2 for f32, degree 4: exp(r) within 3.3e-8 for |r| up to
/// ln(2)/2, within 6.2e-8 up to ln(2).
inline constexpr double expF32[] = {0x1.00004p-1, 0x1.5555f8p-3, 0x1.54fd0cp-5,
                                    0x1.1153dap-7, 0x1.a4122cp-10};

/// The same of degree 5, for expm1: exp(r) - 1 within 8.0e-9 for |r| up to
/// ln(2)/2, exp(r) within 1.3e-8 up to ln(2).
inline constexpr double expm1F32[] = {0x1p-1,         0x1.555572p-3,
                                      0x1.555596p-5,  0x1.10ea9p-7,
                                      0x1.6c63f4p-10, 0x1.d51852p-13};

/// (exp(r) - 1 - r) / r^2 for f64, degree 10: exp(r) within 6.5e-18 for |r| up
/// to ln(2)/2, within 2.6e-17 up to ln(2).
inline constexpr double expF64[] = {
    0x1.0000000000002p-1,  0x1.555555555543ep-3,  0x1.55555555549c4p-5,
    0x1.111111114c802p-7,  0x1.6c16c16d64e08p-10, 0x1.a01a008a83813p-13,
    0x1.a01a051c23698p-16, 0x1.71e04fe25c779p-19, 0x1.27d01b14e5dfbp-22,
    0x1.abe1e489d1748p-26, 0x1.4c865409c4f23p-29};

/// (log(1 + f) - f + f^2/2) / f^3 for f32, degree 7: log(1 + f) within 6.5e-9
/// for 1 + f from sqrt(1/2) to sqrt(2).
inline constexpr double logF32[] = {
    0x1.555554p-2, -0x1.000226p-2, 0x1.99a008p-3, -0x1.547244p-3,
    0x1.22da1cp-3, -0x1.0d853ep-3, 0x1.055b6cp-3, -0x1.38b59p-4};

/// (log(1 + f) - f + f^2/2) / f^3 for f64, degree 19: log(1 + f) within 1.9e-18
/// for 1 + f from sqrt(1/2) to sqrt(2).
inline constexpr double logF64[] = {
    0x1.555555555556bp-2,  -0x1.0000000000017p-2, 0x1.99999999957a8p-3,
    -0x1.5555555558a8p-3,  0x1.24924926f38eep-3,  -0x1.fffffffd35919p-4,
    0x1.c71c70664ab53p-4,  -0x1.999999665a7f8p-4, 0x1.745d50f3def2bp-4,
    -0x1.55558bb18e47p-4,  0x1.3b0e1b80dc7a2p-4,  -0x1.2488af31e0fcp-4,
    0x1.11624a9e7301p-4,   -0x1.00ceaf4413e31p-4, 0x1.dd00161cf6214p-5,
    -0x1.b4b8d5e379497p-5, 0x1.ba5deaeb1d812p-5,  -0x1.001bcff146473p-4,
    0x1.d3cf0f7352d42p-5,  -0x1.91ecc4773ed5dp-6};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_EXPANDMATHCOEFFICIENTS_H
