//===- PrintRecurSteps.cpp - Steps on rows of a recurrence as text --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/PrintRecur.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace attn::fuzz;
using llvm::formatv;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Widths
//===----------------------------------------------------------------------===//

int64_t attn::fuzz::getWidth(const std::string &step, int64_t width) {
  return step == "one"     ? width + 1
         : step == "twice" ? 2 * width
         : step == "half"  ? width / 2
         : step == "tail"  ? width - 2
                           : width;
}

int64_t attn::fuzz::getWidth(const Steps &steps, int64_t width) {
  for (const std::string &step : steps)
    width = getWidth(step, width);
  return width;
}

int64_t attn::fuzz::getWidthBefore(const Steps &steps, int64_t width) {
  for (const std::string &step : llvm::reverse(steps)) {
    if (step == "twice" && width % 2)
      return 0;
    width = step == "one"     ? width - 1
            : step == "twice" ? width / 2
            : step == "half"  ? 2 * width
            : step == "tail"  ? width + 2
                              : width;
  }
  return std::max<int64_t>(width, 0);
}

bool attn::fuzz::usesDenominator(const Steps &norm) {
  return llvm::any_of(norm, [](const std::string &step) {
    return step == "ratio" || step == "eps" || step == "clamp" ||
           step == "subtract";
  });
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

std::string RecurPrinter::line(const llvm::Twine &text) {
  std::string result = name();
  body += ("        " + result + " = " + text + "\n").str();
  return result;
}

/// A constant of a scalar type or, everywhere, of a vector type.
std::string RecurPrinter::number(double value, StringRef type) {
  std::string text = makeNumber(value).text;
  if (type.contains('<'))
    text = "dense<" + text + ">";
  return line("arith.constant " + text + " : " + type);
}

std::string RecurPrinter::splat(StringRef scalar, int64_t width) {
  return line("tensor.splat " + scalar + " : " + vectorType(width));
}

/// Ops on scalars, of width 0, or on vectors.
std::string RecurPrinter::unary(StringRef op, StringRef x, int64_t width) {
  return line(op + " " + x + " : " + (width ? vectorType(width) : acc()));
}

std::string RecurPrinter::binary(StringRef op, StringRef x, StringRef y,
                                 int64_t width) {
  return line(op + " " + x + ", " + y + " : " +
              (width ? vectorType(width) : acc()));
}

std::string RecurPrinter::slice(const At &at, int64_t start, int64_t count) {
  return line(formatv("tensor.extract_slice {0}[{1}] [{2}] [1] : {3} to {4}",
                      at.x, start, count, vectorType(at.width),
                      vectorType(count))
                  .str());
}

std::string RecurPrinter::sumOfSquares(const At &at) {
  std::string square = binary("arith.mulf", at.x, at.x, at.width);
  return line("attn.reduce_row sum " + square + " : " + vectorType(at.width));
}

/// A row of a capture at the indices, in the accumulator type.
std::string RecurPrinter::readRow(const At &at, StringRef capture,
                                  const Dims &dims, StringRef element,
                                  StringRef indices) {
  std::string ones;
  for (size_t i = 1; i < dims.size(); ++i)
    ones += "1, ";
  std::string type = tensor({dims.back()}, element);
  std::string row = line(
      formatv("tensor.extract_slice {0}[{1}, 0] [{2}{3}] [{2}1] : {4} to {5}",
              capture, indices, ones, at.width, tensor(dims, element), type)
          .str());
  if (element == acc())
    return row;
  return line("arith.extf " + row + " : " + type + " to " +
              vectorType(at.width));
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Steps with a capture of their own.
std::string RecurPrinter::printReading(const std::string &step, const At &at) {
  std::string width = "D" + std::to_string(at.width);
  const Place &place = at.place;
  std::string capture = place.letter + std::to_string(at.number);
  StringRef element = spec.captureElement;
  if (step == "matrix") {
    Dims dims{place.heads, width, width};
    addPort(capture, dims, element);
    return line(formatv("attn.contract_row {0}, %{1}[%h] : {2}, {3} -> {2}",
                        at.x, capture, vectorType(at.width),
                        tensor(dims, element))
                    .str());
  }
  Dims dims{place.heads, width};
  std::string indices = "%h";
  if (step == "table") {
    dims = {"N", width};
    indices = "%n";
  } else if (step == "gated") {
    dims = {"B", place.heads, "N", width};
    indices = "%b, %h, %n";
  }
  std::string from = addPort(capture, dims, element);
  std::string row = readRow(at, from, dims, element, indices);
  return binary(step == "bias" ? "arith.addf" : "arith.mulf", at.x, row,
                at.width);
}

/// Steps that read what attn.reduce makes of the operand's own rows.
std::string RecurPrinter::printReduced(const std::string &step, const At &at) {
  const Place &place = at.place;
  bool isMean = step == "mean";
  Dims dims = place.dims;
  dims.erase(dims.begin() + (isMean ? 2 : 1));
  std::string reduced = name();
  prologue += formatv("  {0} = attn.reduce {1} %{2} over({3}) : {4} -> {5}\n",
                      reduced, isMean ? "sum" : "max", place.operand,
                      isMean ? "tokens" : "heads",
                      tensor(place.dims, spec.dtype), tensor(dims, acc()))
                  .str();
  std::string row =
      readRow(at, reduced, dims, acc(), isMean ? "%b, %h" : "%b, %n");
  if (!isMean)
    return binary("arith.subf", at.x, row, at.width);
  std::string share = number(0.015625, vectorType(at.width));
  return binary("arith.addf", at.x, binary("arith.mulf", row, share, at.width),
                at.width);
}

std::string RecurPrinter::printDenominator(const std::string &step,
                                           const At &at) {
  std::string den = "%den";
  if (step == "subtract") {
    std::string quarter = number(0.25, acc());
    den = binary("arith.mulf", den, quarter, 0);
    return binary("arith.subf", at.x, splat(den, at.width), at.width);
  }
  if (step != "ratio") {
    std::string size = unary("math.absf", den, 0);
    std::string bound = number(step == "eps" ? 1 : 1.5, acc());
    den =
        binary(step == "eps" ? "arith.addf" : "arith.maximumf", size, bound, 0);
  }
  return binary("arith.divf", at.x, splat(den, at.width), at.width);
}

std::string RecurPrinter::printResizing(const std::string &step, const At &at) {
  if (step == "half")
    return slice(at, 0, at.width / 2);
  if (step == "tail")
    return slice(at, 2, at.width - 2);
  std::string other = at.x;
  int64_t added = at.width;
  if (step == "one") {
    added = 1;
    other = number(1, vectorType(1));
  }
  return line(formatv("tensor.concat dim(0) {0}, {1} : ({2}, {3}) -> {4}", at.x,
                      other, vectorType(at.width), vectorType(added),
                      vectorType(at.width + added))
                  .str());
}

std::string RecurPrinter::printNormalizing(const std::string &step,
                                           const At &at) {
  std::string sum = sumOfSquares(at);
  if (step == "rms")
    sum = binary("arith.addf", sum, number(1, acc()), 0);
  std::string root = unary("math.sqrt", sum, 0);
  return binary("arith.divf", at.x, splat(root, at.width), at.width);
}

std::string RecurPrinter::printElementwise(const std::string &step,
                                           const At &at) {
  int64_t width = at.width;
  std::string type = vectorType(width);
  auto apply = [&](StringRef op, StringRef x, StringRef y) {
    return binary(op, x, y, width);
  };
  if (step == "tanh")
    return unary("math.tanh", at.x, width);
  if (step == "exp")
    return unary("math.exp", apply("arith.minimumf", at.x, number(1, type)),
                 width);
  if (step == "half_of")
    return apply("arith.mulf", at.x, number(0.5, type));
  if (step == "share") {
    std::string half = number(0.5, type);
    std::string size = unary("math.absf", at.x, width);
    return apply("arith.divf", half, apply("arith.addf", size, half));
  }
  if (step == "position") {
    std::string integer = line("arith.index_cast %n : index to i64");
    std::string real = line("arith.sitofp " + integer + " : i64 to " + acc());
    std::string one = number(1, acc());
    std::string place = binary("arith.addf", real, one, 0);
    return apply("arith.addf", at.x,
                 splat(binary("arith.divf", one, place, 0), width));
  }
  // log(sigmoid(x)) / 4
  std::string least = apply("arith.minimumf", at.x, number(0, type));
  std::string size = unary("math.absf", at.x, width);
  std::string power =
      unary("math.exp", unary("arith.negf", size, width), width);
  std::string rest = unary("math.log1p", power, width);
  return apply("arith.mulf", apply("arith.subf", least, rest),
               number(0.25, type));
}

std::string RecurPrinter::printStep(const std::string &step, const At &at,
                                    int64_t &width) {
  width = getWidth(step, at.width);
  if (width != at.width)
    return printResizing(step, at);
  if (usesDenominator({step}))
    return printDenominator(step, at);
  if (step == "mean" || step == "largest")
    return printReduced(step, at);
  if (step == "matrix" || step == "table" || step == "bias" || step == "gated")
    return printReading(step, at);
  if (step == "rms" || step == "unit")
    return printNormalizing(step, at);
  return printElementwise(step, at);
}
