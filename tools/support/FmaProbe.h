//===- FmaProbe.h - Measure the FMA peak of this machine --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The yardstick for kernels: how many fused multiply-adds one core can do with
// nothing but registers, in the widest vectors it has.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_FMAPROBE_H
#define ATTN_TOOLS_SUPPORT_FMAPROBE_H

#include <string>

namespace attn {

/// The peak of one core as measured, and what explains it.
struct FmaPeak {
  /// Measured peak; a fused multiply-add counts as two operations.
  double gflops = 0;
  /// Clock in GHz while the vector units work.
  double clockGhz = 0;
  /// Elements of one vector.
  int lanes = 0;
  /// Cycles from one operation to a dependent one, as measured.
  int latency = 0;
  /// Units that start a vector operation in each cycle, told from the others:
  /// gflops is about ports x lanes x 2 x clockGhz.
  int ports = 0;
  /// "avx512", "avx2" or "sse2". The last has no FMA; there a multiplication
  /// and an addition count as one operation each.
  std::string isa;

  /// The peak that clock, lanes and ports explain, in GFLOP/s.
  double getModelGflops() const;
};

/// Measures the peak for float64 (`f64`) or float32, for about `seconds`. The
/// best moment counts, as other work on the machine only ever slows it.
FmaPeak measureFmaPeak(bool f64, double seconds = 0.02);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_FMAPROBE_H
