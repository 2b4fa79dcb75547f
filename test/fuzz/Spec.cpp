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

int64_t attn::fuzz::getWidth(const RowMap &map, int64_t width) {
  for (const RowStep &step : map)
    if (step.op == "twice")
      width *= 2;
    else if (step.op == "half")
      width = std::max<int64_t>(width / 2, 1);
  return width;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Elements of arguments are normal; that one of the few thousand of a run
/// exceeds six has a chance of one in a million.
static constexpr double kLargest = 6;

Bound attn::fuzz::getRowBound(const Spec &spec, const RowMap &map) {
  Bound bound{kLargest, 0};
  double width = double(spec.sizes.at("D"));
  for (const RowStep &step : map) {
    double before = bound.magnitude;
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
  }
  return bound;
}

/// Bounds on products of query and key: a sum of D products of independent
/// normal numbers grows with sqrt(D), not with D.
static Bound getProductBound(const Spec &spec) {
  double width = double(getWidth(spec.queryMap, spec.sizes.at("D")));
  Bound query = getRowBound(spec, spec.queryMap);
  Bound key = getRowBound(spec, spec.keyMap);
  double scale = spec.scale ? std::abs(*spec.scale) : 1 / std::sqrt(width);
  double spread = scale * std::sqrt(width);
  double magnitude = spread * query.magnitude * key.magnitude / 2;
  double relative =
      query.error / query.magnitude + key.error / key.magnitude + width / 2 + 4;
  return {magnitude, magnitude * relative};
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// The largest number of an index expression, roughly; integers are exact.
static double getIntegerBound(const Spec &spec, const Expr &expr) {
  if (expr.op == "const") {
    double value = 1; // true and false
    (void)llvm::StringRef(expr.text).getAsDouble(value);
    return std::abs(value);
  }
  if (expr.op == "arg" || expr.op == "read" || expr.op == "size")
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
  return {1, 2 * score.error + 6 * score.magnitude + keys / 2 + 8};
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
}
