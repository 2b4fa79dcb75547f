//===- BlockMasks.h - Masks to classify blocks of ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_BLOCKMASKS_H
#define ATTN_TEST_UNIT_BLOCKMASKS_H

#include "RegionProgram.h"
#include <random>
#include <string>

namespace attn::test {

/// A captured tensor of a mask, and the type of its elements.
struct TypedTable {
  std::string type;
  Table values;
};

/// A mask over a grid, the sizes of its blocks, and what it captures.
struct Mask {
  std::string name, body;
  std::vector<int64_t> queries, keys; ///< Extents of the axes.
  std::vector<int64_t> boxQ, boxK, steps;
  std::vector<int64_t> keySteps; ///< Where they are not `steps`.
  std::vector<TypedTable> tables;
  int64_t batches = 1, heads = 1;
  bool isExact = false; ///< No block is mixed without need.

  const std::vector<int64_t> &getKeySteps() const {
    return keySteps.empty() ? steps : keySteps;
  }
};

/// Masks that are known by name, over several sizes and parameters.
std::vector<Mask> getCatalogueMasks();

/// Masks of random ops.
class RandomMasks {
public:
  /// Plain masks are of one axis and compute with indices alone.
  explicit RandomMasks(unsigned seed, bool isPlain = false)
      : random(seed), isPlain(isPlain) {}
  Mask next();

private:
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }
  std::string pick(std::vector<std::string> words) {
    return words[pick(0, words.size() - 1)];
  }
  std::string define(const std::string &rhs);
  std::string binary(const std::string &op, const std::string &x,
                     const std::string &y, const std::string &type);
  std::string constant(int64_t value, const std::string &type);
  std::string axis();
  std::string read(int depth, const std::string &type);
  std::string divide(int depth, const std::string &type);
  std::string convert(int depth, const std::string &type);
  std::string index(int depth, const std::string &type);
  std::string condition(int depth);
  void addTables();

  std::mt19937 random;
  bool isPlain;
  Mask mask;
  int names = 0;
};

} // namespace attn::test

#endif // ATTN_TEST_UNIT_BLOCKMASKS_H
