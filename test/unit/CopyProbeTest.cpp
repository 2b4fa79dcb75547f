//===- CopyProbeTest.cpp - Tests of the bandwidth measurement -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/CopyProbe.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <unistd.h>
#include <vector>

using namespace attn;

namespace {

constexpr int64_t kBytes = 256 << 20;

CopyProbe makeProbe(int threads, int64_t bytes) {
  auto probe = CopyProbe::create(threads, bytes);
  EXPECT_TRUE(bool(probe));
  return std::move(*probe);
}

/// Bytes per nanosecond of a simple loop over `bytes`.
template <typename Body> double measureLoop(int64_t bytes, Body body) {
  auto start = std::chrono::steady_clock::now();
  body();
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return bytes / time.count() * 1e-9;
}

/// Compares the best of several tries of both, as other work on the machine
/// spoils some. A mistake in counting reads and writes would make a factor
/// of 2.
template <typename Probe, typename Body>
void expectSame(int64_t bytes, Probe probe, Body body) {
  double probed = 0, looped = 0;
  for (int i = 0; i < 8; ++i) {
    probed = std::max(probed, probe());
    looped = std::max(looped, measureLoop(bytes, body));
  }
  EXPECT_GT(probed / looped, 1 / 1.5);
  EXPECT_LT(probed / looped, 1.5);
}

} // namespace

TEST(CopyProbe, CopyIsThatOfMemcpy) {
  CopyProbe probe = makeProbe(1, kBytes);
  std::vector<char> from(kBytes / 2, 1), to(kBytes / 2, 2);
  expectSame(
      kBytes, [&] { return probe.measure().copy; },
      [&] { std::memcpy(to.data(), from.data(), from.size()); });
  EXPECT_EQ(to.back(), 1);
}

TEST(CopyProbe, ReadIsThatOfASum) {
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizer slows the two loops differently";
#endif
  CopyProbe probe = makeProbe(1, kBytes);
  std::vector<uint64_t> from(kBytes / sizeof(uint64_t), 1);
  uint64_t sum = 0;
  expectSame(
      kBytes, [&] { return probe.measure().read; },
      [&] {
        sum = std::accumulate(from.begin(), from.end(), uint64_t(0));
        asm volatile("" : : "r"(sum));
      });
  EXPECT_EQ(sum, from.size());
}

TEST(CopyProbe, ArraysAreLargerThanTheLastCache) {
  int64_t cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  int64_t available = sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE);
  if (cache <= 0 || available < 32 * cache)
    GTEST_SKIP() << "not enough free memory";
  EXPECT_GE(CopyProbe::getDefaultNumBytes(), 3 * cache);
}

TEST(CopyProbe, SizeIsWhatWasAskedFor) {
  EXPECT_EQ(makeProbe(1, 8 << 20).getNumBytes(), 8 << 20);
  EXPECT_EQ(makeProbe(2, 8 << 20).getNumBytes(), 8 << 20);
}

TEST(CopyProbe, SmallArraysAreMeasuredToo) {
  Bandwidth bandwidth = makeProbe(3, 1).measure(0);
  EXPECT_GT(bandwidth.copy, 0);
  EXPECT_GT(bandwidth.read, 0);
}
