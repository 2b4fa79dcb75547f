//===- Random.h - Random decisions ----------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The same on every machine, unlike the distributions of <random>: splitmix64
// (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_RANDOM_H
#define ATTN_TEST_FUZZ_RANDOM_H

#include <cstdint>
#include <vector>

namespace attn::fuzz {

/// A sequence of random decisions that a seed determines.
class Random {
public:
  /// Sequence number `index` of those that belong to `seed`.
  Random(uint64_t seed, uint64_t index)
      : state(mix(seed + kGamma) + mix(index * kGamma + 1)) {}

  uint64_t bits() { return mix(state += kGamma); }

  /// Uniform in [0, count).
  int64_t below(int64_t count) { return int64_t((bits() >> 33) % count); }

  /// Uniform in [lowest, highest].
  int64_t between(int64_t lowest, int64_t highest) {
    return lowest + below(highest - lowest + 1);
  }

  /// True once in `count` times.
  bool oneIn(int64_t count) { return below(count) == 0; }

  template <typename T> T pick(std::vector<T> choices) {
    return choices[below(int64_t(choices.size()))];
  }

private:
  static constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;

  static uint64_t mix(uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  uint64_t state;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_RANDOM_H
