//===- RecurSpec.h - A recurrence as a value ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the generator makes, the shrinker changes and the printer writes: one
// attn.recur with its operands, row maps, norm, sizes and schedule, and how it
// is to be examined. Captures belong to the steps that read them, so removing a
// step removes its captures.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_RECURSPEC_H
#define ATTN_TEST_FUZZ_RECURSPEC_H

#include "test/fuzz/Spec.h"

namespace attn::fuzz {

/// Steps on a row x of w features. These keep the width:
///
///   exp      exp(min(x, 1))          tanh      tanh(x)
///   share    0.5 / (|x| + 0.5)       half_of   0.5 x
///   rms      x / sqrt(1 + sum x x)   unit      x / sqrt(sum x x)
///   position x + 1 / (1 + row)       table     x * capture[n, :]
///   bias     x + capture[h, :]       gated     x * capture[b, h, n, :]
///   matrix   x times a matrix of its head
///   mean     x + attn.reduce sum of all tokens' rows / 64, if the row is one
///   of
///            an operand as it is
///   largest  x - attn.reduce max of all heads' rows, likewise
///
/// and these change it:
///
///   one      x followed by 1         twice     x followed by x
///   half     the first half          tail      all but the first two
///
/// In a norm also, with its denominator `den`:
///
///   ratio    x / den                 eps       x / (|den| + 1)
///   clamp    x / max(|den|, 1.5)     subtract  x - den / 4
using Steps = std::vector<std::string>;

/// Features after a step on a row of `width`.
int64_t getWidth(const std::string &step, int64_t width);
int64_t getWidth(const Steps &steps, int64_t width);

/// The features of which the steps make `width`; 0 if there is no such number.
int64_t getWidthBefore(const Steps &steps, int64_t width);

/// Whether a norm of these steps uses its denominator.
bool usesDenominator(const Steps &norm);

/// The rows of an operand: how they are mapped.
struct RecurRows {
  Steps steps;
  bool isOutside = false; ///< By an attn.map_rows.
};

/// Names of dimensions: B, H, Hq, Hk, N; D7 is the static 7.
struct RecurSpec {
  std::string dtype = "f32";
  std::string captureElement = "f32"; ///< Of gates, factors and captures.
  int64_t batches = 1, heads = 1, queryHeads = 1, keyHeads = 1, tokens = 1;
  int64_t rows = 1, columns = 1; ///< K and V, after the row maps.
  std::set<std::string> statics; ///< Dimensions whose size the types state.

  /// Dimensions of the gate without D: "", "H", "BHN", "BHNK" or "BHN1".
  std::string gate;
  std::string gateFill = "decay"; ///< The attn.fill of it.
  bool isGateMapped = false;      ///< A row map makes it of logits.
  std::string write = "additive", read = "after", order = "causal";
  bool isBetaColumn = false; ///< `beta` is [B, H, N, 1].
  bool hasBonus = false, hasInitial = false, hasState = false;
  bool isInitialShared = false; ///< By all batches.
  std::optional<double> scale;
  RecurRows query, key, value;
  Steps norm, after; ///< `after` is an attn.map_rows of the output.
  int64_t blockQ = 0, blockK = 0, splits = 0; ///< 0: the compiler's choice.
  Examination examination;

  bool isTied() const { return write == "tied"; }
  bool isDouble() const { return dtype == "f64"; }
  bool hasGpu() const { return examination.isSimulated(); }
};

/// The spec as a file of the attn dialect.
std::string printSpec(const RecurSpec &spec);

/// Spec number `index` of those that belong to `seed`; `targets` are CPUs.
RecurSpec generateRecur(uint64_t seed, uint64_t index,
                        const std::vector<std::string> &targets);

/// Simpler specs, the simplest first.
std::vector<RecurSpec> getSimpler(const RecurSpec &spec);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_RECURSPEC_H
