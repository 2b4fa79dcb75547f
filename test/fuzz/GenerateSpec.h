//===- GenerateSpec.h - Random specs --------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_GENERATESPEC_H
#define ATTN_TEST_FUZZ_GENERATESPEC_H

#include "test/fuzz/Random.h"
#include "test/fuzz/Spec.h"

namespace attn::fuzz {

/// The CPU targets that this machine runs, the widest first.
std::vector<std::string> getTargets();

/// Spec number `index` of those that belong to `seed`.
Spec generateSpec(uint64_t seed, uint64_t index,
                  const std::vector<std::string> &targets);

/// Makes expressions of pair regions. Captures that they read are added to the
/// spec.
class RegionGenerator {
public:
  RegionGenerator(Spec &spec, Random &random) : spec(spec), random(random) {}

  /// Whether query i may meet key j.
  Expr makeMask();
  /// A smooth function of s, b, h, i and j; see docs/fuzzing.md.
  Expr makeScore();
  /// A smooth function of the weight p and of b, h, i and j; linear in p, if
  /// `isLinear`.
  Expr makeProb(bool isLinear);
  /// A score that depends on the batch, the head and the query.
  Expr makeSink();

private:
  Expr argument() { return makeArgument(random.pick<std::string>({"i", "j"})); }
  Expr integer(int64_t lowest, int64_t highest);
  Expr affine();
  Expr index(int depth);
  Expr inOtherWidth(Expr expr);
  Expr compare(Expr left, Expr right);
  Expr maskPattern();
  Expr condition(int depth);

  int addIntegers(std::string element, std::vector<std::string> dims);
  std::vector<std::string> chooseDims(int rank);
  Expr read(std::string element, Kind kind, int rank);
  Expr readIndex(const std::string &dim);
  Expr bias();
  Expr number(double largest);
  Expr scoreStep(Expr x);
  Expr limited(Expr x, double largest);

  Spec &spec;
  Random &random;
};

/// A random capture for rows of the operand that has these dimensions; returns
/// its number.
int addCapture(Spec &spec, std::string element, std::vector<std::string> dims);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_GENERATESPEC_H
