//===- FmaProbeTest.cpp - Tests of the FMA peak measurement ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/FmaProbe.h"
#include <gtest/gtest.h>

using namespace attn;

/// Measures until `isGood`; other work on the machine spoils some tries.
template <typename Predicate>
static FmaPeak measureUntil(bool f64, Predicate isGood) {
  FmaPeak peak;
  for (int i = 0; i < 50; ++i)
    if (peak = measureFmaPeak(f64); isGood(peak))
      break;
  return peak;
}

class FmaProbeTest : public testing::TestWithParam<bool> {};

TEST_P(FmaProbeTest, PeakIsExplainedByLanesPortsAndClock) {
  auto isExplained = [](const FmaPeak &peak) {
    double ratio = peak.gflops / peak.getModelGflops();
    return ratio >= 0.95 && ratio <= 1.05;
  };
  FmaPeak peak = measureUntil(GetParam(), isExplained);
  EXPECT_TRUE(isExplained(peak))
      << peak.gflops << " GFLOP/s, expected " << peak.getModelGflops();
}

TEST_P(FmaProbeTest, BothPortsAreBusy) {
  if (!__builtin_cpu_supports("avx512fp16"))
    GTEST_SKIP() << "not known to have two ports for 512-bit vectors";
  auto hasBoth = [](const FmaPeak &peak) { return peak.ports == 2; };
  EXPECT_EQ(measureUntil(GetParam(), hasBoth).ports, 2);
}

TEST_P(FmaProbeTest, FactsArePlausible) {
  FmaPeak peak = measureFmaPeak(GetParam());
  EXPECT_GT(peak.clockGhz, 0.5);
  EXPECT_LT(peak.clockGhz, 8.0);
  EXPECT_GE(peak.latency, 3);
  EXPECT_LE(peak.latency, 6);
  int registerBits = peak.isa == "avx512" ? 512
                     : peak.isa == "avx2" ? 256
                                          : 128;
  EXPECT_EQ(peak.lanes, registerBits / (GetParam() ? 64 : 32));
  EXPECT_GE(peak.ports, 1);
  EXPECT_LE(peak.ports, 3);
}

INSTANTIATE_TEST_SUITE_P(Types, FmaProbeTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool> &info) {
                           return info.param ? "f64" : "f32";
                         });
