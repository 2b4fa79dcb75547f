//===- Spec.cpp - A spec as a tree ----------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Spec.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace attn::fuzz;

//===----------------------------------------------------------------------===//
// Making expressions
//===----------------------------------------------------------------------===//

Expr attn::fuzz::makeOp(std::string op, Kind kind, std::vector<Expr> args,
                        std::string text) {
  Expr expr;
  expr.op = std::move(op);
  expr.kind = kind;
  expr.args = std::move(args);
  expr.text = std::move(text);
  return expr;
}

Expr attn::fuzz::makeConstant(Kind kind, std::string text) {
  return makeOp("const", kind, {}, std::move(text));
}

Expr attn::fuzz::makeNumber(double value) {
  std::string text;
  // Multiples of 2^-12, which every type of accumulator holds.
  llvm::raw_string_ostream(text) << llvm::format("%.12f", value);
  return makeConstant(Kind::Float, text);
}

Expr attn::fuzz::makeInteger(int64_t value, Kind kind) {
  return makeConstant(kind, std::to_string(value));
}

Expr attn::fuzz::makeArgument(std::string name) {
  Kind kind = name == "s" || name == "p" ? Kind::Float : Kind::Index;
  return makeOp("arg", kind, {}, std::move(name));
}

//===----------------------------------------------------------------------===//
// Widths
//===----------------------------------------------------------------------===//

int64_t attn::fuzz::getTakenWidth(const Spec &spec, const RowStep &step) {
  const std::vector<std::string> &dims = spec.captures[step.capture].dims;
  return spec.sizes.at(dims[dims.size() - 2]);
}

int64_t attn::fuzz::getWidth(const Spec &spec, const RowStep &step,
                             int64_t width) {
  if (step.op == "twice")
    return 2 * width;
  if (step.op == "half")
    return std::max<int64_t>(width / 2, 1);
  if (step.op == "contract")
    return width - getTakenWidth(spec, step) +
           spec.sizes.at(spec.captures[step.capture].dims.back());
  return width;
}

int64_t attn::fuzz::getWidth(const Spec &spec, const RowMap &map) {
  int64_t width = spec.sizes.at("D");
  for (const RowStep &step : map)
    width = getWidth(spec, step, width);
  return width;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Elements of arguments are normal; that one of the few thousand of a run
/// exceeds six has a chance of one in a million.
static constexpr double kLargest = 6;

/// The root of the sum of squares of so many normal numbers: above sqrt(count)
/// by t with a chance of exp(-t t / 2) at most.
static double getNormOfNormal(double count) {
  return std::sqrt(count) + kLargest;
}

/// The norm after a step that is no contraction, where the norm was `norm` and
/// elements are at most `largest`.
static double getNorm(const RowStep &step, double norm, double largest,
                      double width) {
  using Switch = llvm::StringSwitch<double>;
  return Switch(step.op)
      .Case("scale", norm * std::abs(step.constant))
      .Case("table", norm * kLargest)
      .Case("bias", norm + getNormOfNormal(width))
      .Case("rms", std::min(norm, 1.0))
      .Case("tanh", std::min(norm, std::sqrt(width)))
      .Case("centre", norm + std::sqrt(width) * largest)
      .Case("twice", std::sqrt(2.0) * norm)
      .Default(norm);
}

/// y = W x, W normal with E columns of K elements. Whatever x is, elements of y
/// are normal numbers times the norm of x. Of a column w, the sum of |w| is at
/// most sqrt(K) times the norm of w, and that of |w x| the product of the
/// norms; the latter is rounded K times by half an eps, and once more where the
/// row is stored.
static RowBound contract(RowBound x, double taken, double made, double width) {
  double column = getNormOfNormal(taken);
  RowBound y;
  y.magnitude = kLargest * x.norm;
  y.error =
      std::sqrt(taken) * column * x.error + (taken + 1) / 2 * x.norm * column;
  y.norm = x.norm * getNormOfNormal(made);
  if (taken == width)
    return y;
  // The other features follow as they are.
  y.magnitude = std::max(y.magnitude, x.magnitude);
  y.error = std::max(y.error, x.error);
  y.norm = std::hypot(y.norm, x.norm);
  return y;
}

RowBound attn::fuzz::getRowBound(const Spec &spec, const RowMap &map) {
  double width = double(spec.sizes.at("D"));
  RowBound bound{{kLargest, 0}, getNormOfNormal(width)};
  for (const RowStep &step : map) {
    double before = bound.magnitude;
    double after = double(getWidth(spec, step, int64_t(width)));
    if (step.op == "contract") {
      double taken = double(getTakenWidth(spec, step));
      bound = contract(bound, taken, after - width + taken, width);
      width = after;
      continue;
    }
    bound.norm = getNorm(step, bound.norm, before, width);
    if (step.op == "scale")
      bound.magnitude *= std::abs(step.constant);
    else if (step.op == "table")
      bound.magnitude *= kLargest;
    else if (step.op == "bias")
      bound.magnitude += kLargest;
    else if (step.op == "rms" || step.op == "tanh")
      bound.magnitude = 1;
    else if (step.op == "centre")
      bound.magnitude *= 2;
    double slope = step.op == "scale" || step.op == "table"
                       ? bound.magnitude / before
                   : step.op == "centre" ? 2
                                         : 1;
    bound.error = slope * bound.error + bound.magnitude * (4 + width / 8);
    width = after;
  }
  return bound;
}

/// What the shares of all heads in one may add up to, in magnitude: normal
/// numbers, of which the sum of magnitudes is at most sqrt(H) times the norm.
static double getSumOfShares(const Spec &spec) {
  double heads = double(spec.sizes.at("H"));
  return std::sqrt(heads) * getNormOfNormal(heads);
}

/// Mixed products of heads: a normal number times the norm of the products.
/// They are computed as products of rows that are as long as those of all key
/// heads, of which each is a sum over the heads.
static Bound mixProducts(const Spec &spec, Bound product, double width) {
  double heads = double(spec.sizes.at("H"));
  double others = double(spec.sizes.at(spec.keyHeads())) - 1;
  double added = product.magnitude * (others * width / 2 + heads);
  return {kLargest * std::sqrt(heads) * product.magnitude,
          getSumOfShares(spec) * (product.error + added)};
}

/// Bounds on products of query and key: a sum of D products of independent
/// normal numbers grows with sqrt(D), not with D.
static Bound getProductBound(const Spec &spec) {
  double width = double(getWidth(spec, spec.queryMap));
  Bound query = getRowBound(spec, spec.queryMap);
  Bound key = getRowBound(spec, spec.keyMap);
  double scale = spec.scale ? std::abs(*spec.scale) : 1 / std::sqrt(width);
  double spread = scale * std::sqrt(width);
  double magnitude = spread * query.magnitude * key.magnitude / 2;
  double relative =
      query.error / query.magnitude + key.error / key.magnitude + width / 2 + 4;
  Bound product{magnitude, magnitude * relative};
  return spec.mixScores < 0 ? product : mixProducts(spec, product, width);
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// The largest element of a captured tensor of integers: see attn.fill. As what
/// lies outside reads as zero and may be compared, it is not below 1.
static double getElementBound(const Spec &spec, const Capture &capture) {
  llvm::StringRef text = capture.fill;
  int64_t below = capture.dims.empty() ? 1 : spec.sizes.at(capture.dims[0]);
  if (text.consume_front("below ") && text.getAsInteger(10, below))
    below = spec.sizes.at(text.str());
  return std::max<double>(1, double(below) - 1);
}

/// The largest number of an index expression, roughly; integers are exact.
static double getIntegerBound(const Spec &spec, const Expr &expr) {
  if (expr.op == "const") {
    double value = 1; // true and false
    (void)llvm::StringRef(expr.text).getAsDouble(value);
    return std::abs(value);
  }
  if (expr.op == "read")
    return getElementBound(spec, spec.captures[expr.capture]);
  if (expr.op == "arg" || expr.op == "size")
    return double(spec.sizes.at(spec.rows()) + spec.sizes.at(spec.keys()));
  double product = 1, sum = 0;
  for (const Expr &arg : expr.args)
    if (arg.kind != Kind::Bool) {
      double bound = getIntegerBound(spec, arg);
      product *= std::max(bound, 1.0);
      sum += bound;
    }
  if (expr.op == "arith.muli")
    return product;
  return expr.op == "arith.shli" ? 256 * sum : 2 * sum;
}

/// Ops with one operand.
static Bound getUnaryBound(llvm::StringRef op, Bound x) {
  double m = x.magnitude, e = x.error;
  using Switch = llvm::StringSwitch<Bound>;
  return Switch(op)
      .Cases({"math.tanh", "math.erf"}, Bound{1, 1.2 * e + 4})
      .Cases({"math.sin", "math.cos"}, Bound{1, e + 4})
      .Case("math.atan", Bound{1.6, e + 4})
      .Case("sigmoid", Bound{1, e / 4 + 8})
      .Case("exp_below", Bound{7.5, 7.5 * e + 30})
      .Case("log_square",
            Bound{std::log1p(m * m), e + m + 4 * std::log1p(m * m)})
      .Case("hypot", Bound{1 + m, e + 4 * (1 + m)})
      .Case("leaky", Bound{m, e + m})
      .Default(Bound{m, e});
}

static Bound getBinaryBound(llvm::StringRef op, Bound x, Bound y) {
  double sum = x.magnitude + y.magnitude, product = x.magnitude * y.magnitude;
  double carried = x.error * y.magnitude + y.error * x.magnitude;
  if (op == "arith.addf" || op == "arith.subf")
    return {sum, x.error + y.error + sum};
  if (op == "arith.mulf")
    return {product, carried + product};
  // Minima, maxima and selections.
  return {std::max(x.magnitude, y.magnitude), std::max(x.error, y.error)};
}

static Bound getScoreBound(const Spec &spec) {
  return spec.score ? getBound(spec, *spec.score) : getProductBound(spec);
}

/// What it adds to merge the parts of blocks that share the keys, whose lse is
/// at most `lse`: the exponent of a part is the difference of two of those,
/// each of which is rounded three times; parts are divided and added.
static double getMergeError(const Spec &spec, double lse) {
  constexpr double kMostChosen = 8; // where the schedule is the compiler's
  double splits = spec.splits ? double(spec.splits) : kMostChosen;
  return 3 * lse + splits / 2 + 4;
}

/// Bounds on what the normaliser makes of the scores of a row.
static Bound getWeightBound(const Spec &spec) {
  Bound score = getScoreBound(spec);
  double keys = double(spec.sizes.at(spec.keys()));
  if (spec.normalizer == "none")
    return score;
  if (spec.normalizer == "sum") {
    bool isSafe = spec.score && isAwayFromZero(*spec.score);
    return {1, isSafe ? 2 * score.error + keys : 1e6};
  }
  // Exponents are scores times log2(e), rounded; weights are added over keys.
  Bound weight{1, 2 * score.error + 6 * score.magnitude + keys / 2 + 8};
  if (spec.splits || !spec.blockQ)
    weight.error += getMergeError(spec, score.magnitude + std::log(keys));
  return weight;
}

bool attn::fuzz::isAwayFromZero(const Expr &expr) {
  if (expr.op == "hypot")
    return true;
  if (expr.op == "arith.negf")
    return isAwayFromZero(expr.args[0]);
  return expr.op == "arith.select" && isAwayFromZero(expr.args[1]) &&
         isAwayFromZero(expr.args[2]);
}

Bound attn::fuzz::getBound(const Spec &spec, const Expr &expr) {
  if (expr.kind != Kind::Float)
    return {getIntegerBound(spec, expr), 0};
  if (expr.op == "arg")
    return expr.text == "p" ? getWeightBound(spec) : getProductBound(spec);
  if (expr.op == "const") {
    double value = 0; // -inf drops its pair and adds nothing
    if (expr.text != "-inf")
      (void)llvm::StringRef(expr.text).getAsDouble(value);
    return {std::abs(value), 0};
  }
  if (expr.op == "read") {
    // An f64 may be rounded to the accumulator's type.
    bool isInteger = spec.captures[expr.capture].element[0] == 'i';
    return {isInteger ? getIntegerBound(spec, expr) : kLargest, kLargest};
  }
  std::vector<Bound> bounds;
  for (const Expr &arg : expr.args)
    if (expr.op != "arith.select" || arg.kind == Kind::Float)
      bounds.push_back(getBound(spec, arg));
  if (expr.op == "math.fma")
    return getBinaryBound("arith.addf",
                          getBinaryBound("arith.mulf", bounds[0], bounds[1]),
                          bounds[2]);
  if (bounds.size() == 1)
    return getUnaryBound(expr.op, bounds[0]);
  return getBinaryBound(expr.op, bounds[0], bounds[1]);
}

void attn::fuzz::updateBounds(Spec &spec) {
  Bound values = getRowBound(spec, spec.valueMap);
  Bound weights = getWeightBound(spec);
  double keys = double(spec.sizes.at(spec.keys()));
  Examination &examination = spec.examination;
  examination.scoreError = weights.error + values.error / values.magnitude;
  examination.valueBound = values.magnitude;
  // The weights of softmax add up to one; others, and what prob makes of any,
  // need not.
  bool isSoftmax = spec.normalizer.empty();
  if (!isSoftmax || spec.prob) {
    Bound factors = spec.prob ? getBound(spec, *spec.prob) : weights;
    examination.valueBound *= keys * std::max(1.0, factors.magnitude);
    examination.scoreError =
        factors.error + values.error / values.magnitude + keys;
  }
  if (isSoftmax)
    examination.scoreError += weights.error;
  if (spec.mixWeights >= 0) { // The outputs of all heads are added.
    examination.valueBound *= getSumOfShares(spec);
    examination.scoreError += double(spec.sizes.at("H"));
  }
}
