//===- Spec.h - A spec as a tree ------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the generator makes, the shrinker changes and the printer writes: one
// attn.attend with its regions, row maps, captures, sizes and schedule, and how
// it is to be examined. Everything is a value: trees are copied and changed.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_SPEC_H
#define ATTN_TEST_FUZZ_SPEC_H

#include "runtime/compiler/Compiler.h"
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace attn::fuzz {

/// Types of expressions. Float is the accumulator type of the spec.
enum class Kind { Bool, Index, I32, I64, Float };

/// An expression of a pair region. `op` is the name of an arith or math op, or
/// one of these, which the printer expands:
///
///   const      `text` as a constant; outside of the region if `outer`
///   arg        the region's argument that `text` names, s, p, b, h, i or j
///   read       an element of capture number `capture`, converted to `kind`
///   size       the number of keys, as tensor.dim of the keys
///   kept       whether attn.random of the seed `text` is at least 1/4
///   leaky      x if x > 0, else x / 4
///   exp_below  exp(min(x, 2))
///   log_square log(1 + x x)
///   hypot      sqrt(1 + x x)
///   sigmoid    1 / (1 + exp(-x))
///
/// A comparison has its predicate as `text`. A unary op whose operand has
/// another kind is a conversion.
struct Expr {
  std::string op;
  Kind kind = Kind::Float;
  std::vector<Expr> args;
  std::string text;
  int capture = -1;
  bool outer = false;
};

/// A captured tensor: element type as in MLIR, names of its dimensions, and the
/// attn.fill of integers, if it has one.
struct Capture {
  std::string element;
  std::vector<std::string> dims;
  std::string fill;
};

/// One step of a row map x -> f(x), with `width` features before it:
///
///   scale      x * constant               table      x * capture[n, offset +
///   c] bias       x + capture[h, offset + c] bits       x where capture[n, c]
///   rms        x / sqrt(1 + sum of x x)   tanh       tanh(x)
///   centre     x - max(x)                 rotate     halves turned, [-hi, lo]
///   twice      x followed by x            half       the first half
///   contract   the first features times a matrix, followed by the others
///
/// The last two dimensions of a matrix say how many features it takes and how
/// many it makes; those before them are B, the heads, or others, of which
/// matrix number `offset` is taken.
struct RowStep {
  std::string op;
  double constant = 1;
  int capture = -1;
  int64_t offset = 0;
};
using RowMap = std::vector<RowStep>;

/// Which code runs, and what is looked at besides the results.
struct Examination {
  std::string target = "cpu";
  uint64_t seed = 0;     ///< Of the arguments' elements.
  bool quick = true;     ///< Machine code of lesser quality, made faster.
  bool phases = false;   ///< Run the program after each phase, too.
  bool threads = false;  ///< Compare the bits that two threads compute.
  double scoreError = 0; ///< What scores may be wrong by, in eps.
  double valueBound = 0; ///< What results do not exceed.
  /// The error of the naive evaluation decides, not a bound of it.
  bool measured = false;

  /// Whether the kernel is one of a GPU, and runs in the simulator.
  bool isSimulated() const { return target.rfind("cuda", 0) == 0; }
};

/// Names of dimensions: B, H, Hk, N or Nq and Nk, D; One is the static 1.
/// Others that begin with D are static, too, as are the heads where they are
/// mixed.
struct Spec {
  std::string dtype = "f32";
  int64_t blockQ = 0, blockK = 0; ///< 0: chosen by the compiler.
  int64_t splits = 0;             ///< Blocks that share the keys, or 0.
  int64_t maxQueries = 0;         ///< What is promised, or 0.
  std::string alignment;          ///< Empty, "start" or "end".
  std::optional<double> scale;
  bool hasLse = false;
  bool mapsInside = false; ///< Row maps as regions of the attend.
  bool sameRows = false;   ///< Queries and keys share the dimension N.
  bool sameHeads = false;  ///< and the dimension H.
  std::string shared;      ///< Operands, of "qkv", that all batches share.
  int mixScores = -1, mixWeights = -1; ///< Captures, or -1.
  std::map<std::string, int64_t> sizes;
  std::set<std::string> statics; ///< Dimensions whose size the types state.
  std::vector<Capture> captures;
  std::string normalizer; ///< Empty (softmax), "sum" or "none".
  std::optional<Expr> score, mask, prob, sink;
  RowMap queryMap, keyMap, valueMap;
  Examination examination;

  std::string rows() const { return sameRows ? "N" : "Nq"; }
  std::string keys() const { return sameRows ? "N" : "Nk"; }
  std::string keyHeads() const { return sameHeads ? "H" : "Hk"; }
  /// The batch dimension of an operand.
  std::string batch(char operand) const {
    return shared.find(operand) == std::string::npos ? "B" : "One";
  }
  /// The batch dimension of the results.
  std::string batch() const { return shared.size() == 3 ? "One" : "B"; }
  bool mixesHeads() const { return mixScores >= 0 || mixWeights >= 0; }
  bool isDouble() const { return dtype == "f64"; }
};

/// The op with these operands.
Expr makeOp(std::string op, Kind kind, std::vector<Expr> args,
            std::string text = "");
Expr makeConstant(Kind kind, std::string text);
Expr makeNumber(double value);
Expr makeInteger(int64_t value, Kind kind = Kind::Index);
Expr makeArgument(std::string name);

/// Features of a row of D after a map.
int64_t getWidth(const Spec &spec, const RowMap &map);

/// How many features the matrix of a step takes.
int64_t getTakenWidth(const Spec &spec, const RowStep &step);

/// Features of a row of `width` after a step.
int64_t getWidth(const Spec &spec, const RowStep &step, int64_t width);

/// How large a value gets, and by how much rounding may change it in units of
/// the accumulator's eps: a running error analysis.
struct Bound {
  double magnitude = 0;
  double error = 0;
};
Bound getBound(const Spec &spec, const Expr &expr);

/// Bounds on the elements of a mapped row, and on the root of the sum of their
/// squares.
struct RowBound : Bound {
  double norm = 0;
};
RowBound getRowBound(const Spec &spec, const RowMap &map);

/// Whether a score is at least 1 in magnitude, so that the sum of such scores
/// can be divided by.
bool isAwayFromZero(const Expr &expr);

/// Enters the bounds into the examination.
void updateBounds(Spec &spec);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_SPEC_H
