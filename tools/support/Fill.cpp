//===- Fill.cpp - Reproducible random arguments ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Fill.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <functional>
#include <numbers>

using namespace attn;
using llvm::Error;
using llvm::StringRef;

/// The output function of splitmix64.
static uint64_t mix(uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

namespace {
/// Random numbers that are functions of their position.
class RandomSequence {
public:
  RandomSequence(uint64_t seed, StringRef name) : key(mix(seed + gamma)) {
    for (unsigned char letter : name)
      key = mix((key ^ letter) + gamma);
  }

  uint64_t getBits(uint64_t index) const {
    return mix(key + (index + 1) * gamma);
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double getUniform(uint64_t index) const {
    return (getBits(index) >> 11) * 0x1p-53;
  }

  /// Standard normal; numbers 2n and 2n + 1 are a pair.
  double getNormal(uint64_t index) const {
    double radius = std::sqrt(-2 * std::log(1 - getUniform(index & ~1ull)));
    double angle = 2 * std::numbers::pi * getUniform(index | 1);
    return radius * (index & 1 ? std::sin(angle) : std::cos(angle));
  }

private:
  static constexpr uint64_t gamma = 0x9e3779b97f4a7c15;
  uint64_t key;
};
} // namespace

/// What integers of `array` are below: what its port says, or the size of its
/// first dimension. At least 1, and no more than the type can hold.
static uint64_t getBound(const Array &array, const Port &port,
                         const Dims &dims) {
  if (port.type == ElementType::I1)
    return 2;
  StringRef text = port.fill;
  uint64_t bound = array.getSizes().empty() ? 1 : array.getSizes().front();
  if ((text.consume_front("below ") || text.consume_front("segments ")) &&
      text.getAsInteger(10, bound))
    bound = dims.lookup(text.str());
  unsigned bits = 8 * getByteSize(port.type);
  return std::clamp<uint64_t>(bound, 1, uint64_t(1) << (bits - 1));
}

/// Offsets of segments of `size` tokens: from 0 to `size`, in order. From three
/// segments on, one of them is empty.
static void fillOffsets(Array &array, const RandomSequence &random,
                        int64_t size) {
  int64_t last = array.getNumElements() - 1;
  std::vector<int64_t> offsets(last + 1);
  for (int64_t i = 1; i <= last; ++i)
    offsets[i] =
        i == last ? size : int64_t((random.getBits(i) >> 32) % (size + 1));
  llvm::sort(offsets);
  if (last >= 3) {
    int64_t empty = 1 + int64_t((random.getBits(0) >> 32) % (last - 2));
    offsets[empty + 1] = offsets[empty];
  }
  for (auto [i, offset] : llvm::enumerate(offsets))
    array.set(i, double(offset));
}

/// The numbers of "one of 1 2 3"; the verifier has seen that they are some.
static std::vector<double> parseNumbers(StringRef text) {
  std::vector<double> numbers;
  for (StringRef word : llvm::split(text, ' '))
    if (word.getAsDouble(numbers.emplace_back()))
      numbers.back() = 0;
  return numbers;
}

/// Fills each row of the last dimension with sorted numbers below `bound`: an
/// element is the number of cuts at or before it, and `bound - 1` cuts are
/// uniform from 0 to the size of the row.
static void fillSegments(Array &array, const RandomSequence &random,
                         uint64_t bound) {
  int64_t size = array.getSizes().empty() ? 1 : array.getSizes().back();
  std::vector<int64_t> cuts(size + 1);
  for (int64_t first = 0, bits = 0; first < array.getNumElements();
       first += size) {
    llvm::fill(cuts, 0);
    for (uint64_t cut = 1; cut < bound; ++cut)
      ++cuts[(random.getBits(bits++) >> 32) % (size + 1)];
    int64_t number = 0;
    for (int64_t i = 0; i < size; ++i)
      array.set(first + i, number += cuts[i]);
  }
}

Error attn::fillArray(Array &array, const Port &port, const Dims &dims,
                      uint64_t seed) {
  RandomSequence random(seed, port.name);
  std::function<double(int64_t)> fill;
  if (StringRef(port.fill).starts_with("segments ")) {
    fillSegments(array, random, getBound(array, port, dims));
    return Error::success();
  }
  if (StringRef dim = port.fill; dim.consume_front("offsets ")) {
    int64_t size = dims.lookup(dim.str());
    if (port.type == ElementType::I32 && size > INT32_MAX)
      return makeError(
          "argument '{0}': offsets of i32 are at most {1}, got {2} "
          "= {3}",
          port.name, INT32_MAX, dim, size);
    fillOffsets(array, random, size);
    return Error::success();
  }
  if (!isFloat(port.type)) {
    uint64_t bound = getBound(array, port, dims);
    fill = [=](int64_t i) { return (random.getBits(i) >> 32) % bound; };
  } else if (port.fill == "normal") {
    fill = [=](int64_t i) { return random.getNormal(i); };
  } else if (port.fill == "uniform") {
    fill = [=](int64_t i) { return random.getUniform(i); };
  } else if (port.fill == "decay") {
    fill = [=](int64_t i) { return -0.1 * std::abs(random.getNormal(i)); };
  } else if (StringRef text = port.fill; text.consume_front("one of ")) {
    std::vector<double> numbers = parseNumbers(text);
    fill = [=](int64_t i) {
      return numbers[(random.getBits(i) >> 32) % numbers.size()];
    };
  } else {
    return makeError("argument '{0}': expected attn.fill normal, uniform, "
                     "decay or one of some numbers, got '{1}'",
                     port.name, port.fill);
  }
  for (int64_t i = 0; i < array.getNumElements(); ++i)
    array.set(i, fill(i));
  return Error::success();
}
