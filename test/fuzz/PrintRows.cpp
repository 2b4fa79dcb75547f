//===- PrintRows.cpp - Row maps as text -----------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Printer.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using namespace attn::fuzz;
using llvm::formatv;
using llvm::StringRef;

std::string Printer::vectorType(int64_t width, StringRef element) const {
  return formatv("tensor<{0}x{1}>", width, element).str();
}

std::string Printer::splat(StringRef scalar, StringRef type) {
  return line("tensor.splat " + scalar + " : " + type);
}

/// `count` features of `x`, which has `width`.
std::string Printer::slice(StringRef x, int64_t width, int64_t start,
                           int64_t count) {
  return line(formatv("tensor.extract_slice {0}[{1}] [{2}] [1] : {3} to {4}", x,
                      start, count, vectorType(width, acc()),
                      vectorType(count, acc()))
                  .str());
}

/// Which matrix of its capture a step takes.
std::string Printer::printIndices(const RowStep &step) {
  std::vector<std::string> indices;
  llvm::ArrayRef<std::string> dims = spec.captures[step.capture].dims;
  for (const std::string &dim : dims.drop_back(2)) {
    std::string offset;
    if (dim.front() == 'C' || (dim.front() == 'H' && step.offset))
      offset = print(makeInteger(step.offset));
    if (dim.front() == 'H' && step.offset)
      offset = line("arith.addi %h, " + offset + " : index");
    indices.push_back(!offset.empty() ? offset : dim == "B" ? "%b" : "%h");
  }
  return llvm::join(indices, ", ");
}

/// Multiplies the first features with a matrix; the others follow.
std::string Printer::printContract(const RowStep &step, StringRef x,
                                   int64_t &width) {
  const Capture &capture = spec.captures[step.capture];
  int64_t taken = getTakenWidth(spec, step), rest = width - taken;
  std::string indices = printIndices(step);
  std::string first = rest ? slice(x, width, 0, taken) : x.str();
  int64_t before = width;
  width = getWidth(spec, step, width);
  std::string type = vectorType(width - rest, acc());
  std::string product =
      line(formatv("attn.contract_row {0}, %c{1}[{2}] : {3}, {4} -> {5}", first,
                   step.capture, indices, vectorType(taken, acc()),
                   tensor(capture.dims, capture.element), type)
               .str());
  if (!rest)
    return product;
  std::string last = slice(x, before, taken, rest);
  return line(formatv("tensor.concat dim(0) {0}, {1} : ({2}, {3}) -> {4}",
                      product, last, type, vectorType(rest, acc()),
                      vectorType(width, acc()))
                  .str());
}

/// A row of the step's capture, in its own type.
std::string Printer::readRow(const RowStep &step, int64_t width) {
  const Capture &capture = spec.captures[step.capture];
  std::string at = print(makeInteger(step.offset));
  return line(formatv("tensor.extract_slice %c{0}[%{1}, {2}] [1, {3}] [1, 1] : "
                      "{4} to {5}",
                      step.capture, step.op == "bias" ? "h" : "n", at, width,
                      tensor(capture.dims, capture.element),
                      vectorType(width, capture.element))
                  .str());
}

/// Steps that read a capture.
std::string Printer::printReading(const RowStep &step, StringRef x,
                                  int64_t width) {
  std::string type = vectorType(width, acc()), row = readRow(step, width);
  std::string element = spec.captures[step.capture].element;
  if (step.op == "bits") {
    std::string zero = splat(number(0), type);
    return line("arith.select " + row + ", " + x + ", " + zero + " : " +
                vectorType(width, element) + ", " + type);
  }
  if (element != acc())
    row = line("arith.extf " + row + " : " + vectorType(width, element) +
               " to " + type);
  StringRef op = step.op == "table" ? "arith.mulf " : "arith.addf ";
  return line(op + x + ", " + row + " : " + type);
}

/// Steps that cut rows or join them; `width` becomes that of the result.
std::string Printer::printResizing(const RowStep &step, StringRef x,
                                   int64_t &width) {
  int64_t half = std::max<int64_t>(width / 2, 1);
  auto part = [&](int64_t start) { return slice(x, width, start, half); };
  auto join = [&](StringRef a, StringRef b, int64_t size) {
    return line(formatv("tensor.concat dim(0) {0}, {1} : ({2}, {2}) -> {3}", a,
                        b, vectorType(size, acc()), vectorType(2 * size, acc()))
                    .str());
  };
  if (step.op == "twice") {
    width *= 2;
    return join(x, x, width / 2);
  }
  std::string low = part(0);
  if (step.op == "half") {
    width = half;
    return low;
  }
  std::string high = part(half);
  high = line("arith.negf " + high + " : " + vectorType(half, acc()));
  return join(high, low, half);
}

/// Writes one step on `x`, which has `width` features.
std::string Printer::printStep(const RowStep &step, StringRef x,
                               int64_t &width) {
  if (step.op == "contract")
    return printContract(step, x, width);
  if (step.capture >= 0)
    return printReading(step, x, width);
  std::string type = vectorType(width, acc());
  auto apply = [&](StringRef op, StringRef a, StringRef b) {
    return line(op + " " + a + ", " + b + " : " + type);
  };
  auto reduce = [&](StringRef kind, StringRef value) {
    return line("attn.reduce_row " + kind + " " + value + " : " + type);
  };
  if (step.op == "scale")
    return apply("arith.mulf", x, splat(number(step.constant), type));
  if (step.op == "rms") {
    std::string sum = reduce("sum", apply("arith.mulf", x, x));
    std::string root =
        unary("math.rsqrt", binary("arith.addf", sum, number(1)));
    return apply("arith.mulf", x, splat(root, type));
  }
  if (step.op == "tanh")
    return line("math.tanh " + x + " : " + type);
  if (step.op == "centre")
    return apply("arith.subf", x, splat(reduce("max", x), type));
  return printResizing(step, x, width);
}

std::string Printer::printRowsBody(const RowMap &map) {
  body.clear();
  int64_t width = spec.sizes.at("D");
  std::string x = "%r";
  for (const RowStep &step : map)
    x = printStep(step, x, width);
  return body + "        attn.yield " + x + " : " + vectorType(width, acc()) +
         "\n";
}

/// Writes a map before the attend, if it stands there, and returns what the
/// attend takes; `width` becomes the features of that.
std::string Printer::printMap(char operand, const RowMap &map,
                              std::string &width) {
  std::string from = std::string("%") + operand;
  width = "D";
  if (map.empty() || spec.mapsInside)
    return from;
  std::string text = printRowsBody(map), result = name();
  width = std::to_string(getWidth(spec, map));
  prologue +=
      formatv("  {0} = attn.map_rows {1} rows (%r: {2}, %b, %h, %n) {{\n{3}"
              "      } : {4} -> {5}\n",
              result, from, vectorType(spec.sizes.at("D"), acc()), text,
              operandType(operand, "D"), operandType(operand, width))
          .str();
  return result;
}
