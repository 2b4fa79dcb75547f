//===- PrintSpec.cpp - The text of a spec ---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/PrintSpec.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using namespace attn::fuzz;
using llvm::formatv;
using llvm::StringRef;

namespace {
/// Writes one spec. Constants that stand outside of regions are collected while
/// regions are written, and come out before them.
class Printer {
public:
  explicit Printer(const Spec &spec) : spec(spec) {}

  std::string print();

private:
  std::string typeOf(Kind kind) const;
  std::string size(StringRef name) const;
  std::string tensor(llvm::ArrayRef<std::string> dims, StringRef element) const;
  std::string port(StringRef name, llvm::ArrayRef<std::string> dims,
                   StringRef element) const;

  std::string name() { return "%x" + std::to_string(next++); }
  std::string line(StringRef text, int operands = 0);
  std::string number(double value) { return print(makeNumber(value)); }
  std::string unary(StringRef op, StringRef x);
  std::string binary(StringRef op, StringRef x, StringRef y);

  std::string print(const Expr &expr);
  std::string printConstant(const Expr &expr);
  std::string printRead(const Expr &expr);
  std::string convertElement(StringRef value, StringRef element, Kind kind);
  std::string printOp(const Expr &expr, llvm::ArrayRef<std::string> args);

  std::string printStep(const RowStep &step, StringRef x, int64_t &width);
  std::string printRowsBody(const RowMap &map);
  std::string printMap(StringRef operand, const RowMap &map, std::string &dims);
  std::string printAttend();

  const Spec &spec;
  std::string body;     ///< Of the region that is being written.
  std::string prologue; ///< What comes before the attend.
  int next = 0;
};
} // namespace

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::string Printer::typeOf(Kind kind) const {
  switch (kind) {
  case Kind::Bool:
    return "i1";
  case Kind::Index:
    return "index";
  case Kind::I32:
    return "i32";
  case Kind::I64:
    return "i64";
  case Kind::Float:
    return spec.isDouble() ? "f64" : "f32";
  }
  llvm_unreachable("every kind has a case");
}

/// A number stands for itself; other names are dimensions.
std::string Printer::size(StringRef name) const {
  if (llvm::isDigit(name.front()))
    return name.str();
  bool isStatic = spec.statics.count(name.str()) || name.starts_with("D");
  return isStatic ? std::to_string(spec.sizes.at(name.str())) : "?";
}

std::string Printer::tensor(llvm::ArrayRef<std::string> dims,
                            StringRef element) const {
  std::string text = "tensor<";
  for (const std::string &dim : dims)
    text += size(dim) + "x";
  return text + element.str() + ">";
}

std::string Printer::port(StringRef name, llvm::ArrayRef<std::string> dims,
                          StringRef element) const {
  std::string list = llvm::join(
      llvm::map_range(dims, [](auto &dim) { return "\"" + dim + "\""; }), ", ");
  return formatv("{0} {{attn.name = \"{1}\", attn.dims = [{2}]}",
                 tensor(dims, element), name, list)
      .str();
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// Writes "%x7 = TEXT" into the region and returns %x7.
std::string Printer::line(StringRef text, int) {
  std::string result = name();
  body += formatv("        {0} = {1}\n", result, text).str();
  return result;
}

std::string Printer::unary(StringRef op, StringRef x) {
  return line(formatv("{0} {1} : {2}", op, x, typeOf(Kind::Float)).str());
}

std::string Printer::binary(StringRef op, StringRef x, StringRef y) {
  return line(
      formatv("{0} {1}, {2} : {3}", op, x, y, typeOf(Kind::Float)).str());
}

std::string Printer::printConstant(const Expr &expr) {
  std::string text = expr.text, type = typeOf(expr.kind);
  if (text == "-inf")
    text = spec.isDouble() ? "0xFFF0000000000000" : "0xFF800000";
  std::string constant = expr.kind == Kind::Bool
                             ? "arith.constant " + text
                             : "arith.constant " + text + " : " + type;
  if (!expr.outer)
    return line(constant);
  std::string result = name();
  prologue += formatv("  {0} = {1}\n", result, constant).str();
  return result;
}

/// An element of a capture in the type that the expression has.
std::string Printer::convertElement(StringRef value, StringRef element,
                                    Kind kind) {
  std::string type = typeOf(kind);
  if (type == element)
    return value.str();
  StringRef op;
  if (kind == Kind::Float)
    op = element == "i1"          ? "arith.uitofp"
         : element.front() == 'i' ? "arith.sitofp"
         : element == "f64"       ? "arith.truncf"
                                  : "arith.extf";
  else
    op = element == "i1" ? "arith.index_castui" : "arith.index_cast";
  return line(formatv("{0} {1} : {2} to {3}", op, value, element, type).str());
}

std::string Printer::printRead(const Expr &expr) {
  const Capture &capture = spec.captures[expr.capture];
  std::vector<std::string> indices;
  for (const Expr &arg : expr.args)
    indices.push_back(print(arg));
  std::string value = line(formatv("tensor.extract %c{0}[{1}] : {2}",
                                   expr.capture, llvm::join(indices, ", "),
                                   tensor(capture.dims, capture.element))
                               .str());
  return convertElement(value, capture.element, expr.kind);
}

/// Ops of arith and math, and those that the printer expands.
std::string Printer::printOp(const Expr &expr,
                             llvm::ArrayRef<std::string> args) {
  std::string type = typeOf(expr.kind);
  if (expr.op == "leaky") {
    std::string zero = number(0),
                below = binary("arith.mulf", args[0], number(0.25));
    std::string test = line(
        formatv("arith.cmpf ogt, {0}, {1} : {2}", args[0], zero, type).str());
    return line(
        formatv("arith.select {0}, {1}, {2} : {3}", test, args[0], below, type)
            .str());
  }
  if (expr.op == "exp_below")
    return unary("math.exp", binary("arith.minimumf", args[0], number(2)));
  if (expr.op == "log_square")
    return unary("math.log1p", binary("arith.mulf", args[0], args[0]));
  if (expr.op == "hypot")
    return unary("math.sqrt",
                 binary("arith.addf", binary("arith.mulf", args[0], args[0]),
                        number(1)));
  if (expr.op == "sigmoid")
    return binary("arith.divf", number(1),
                  binary("arith.addf",
                         unary("math.exp", unary("arith.negf", args[0])),
                         number(1)));
  std::string operands = llvm::join(args, ", ");
  if (!expr.text.empty()) // a comparison
    return line(formatv("{0} {1}, {2} : {3}", expr.op, expr.text, operands,
                        typeOf(expr.args[0].kind))
                    .str());
  if (args.size() == 1 && expr.args[0].kind != expr.kind)
    return line(formatv("{0} {1} : {2} to {3}", expr.op, operands,
                        typeOf(expr.args[0].kind), type)
                    .str());
  return line(formatv("{0} {1} : {2}", expr.op, operands, type).str());
}

std::string Printer::print(const Expr &expr) {
  if (expr.op == "arg")
    return "%" + expr.text;
  if (expr.op == "const")
    return printConstant(expr);
  if (expr.op == "read")
    return printRead(expr);
  if (expr.op == "size")
    return line(
        formatv("tensor.dim %k, {0} : {1}", print(makeInteger(2)),
                tensor({"B", spec.keyHeads(), spec.keys(), "D"}, spec.dtype))
            .str());
  std::vector<std::string> args;
  for (const Expr &arg : expr.args)
    args.push_back(print(arg));
  return printOp(expr, args);
}

//===----------------------------------------------------------------------===//
// Row maps
//===----------------------------------------------------------------------===//

/// Writes one step on `x`, which has `width` features.
std::string Printer::printStep(const RowStep &step, StringRef x,
                               int64_t &width) {
  std::string element = typeOf(Kind::Float);
  auto vector = [](int64_t n, StringRef type) {
    return formatv("tensor<{0}x{1}>", n, type).str();
  };
  std::string type = vector(width, element);
  auto apply = [&](StringRef op, StringRef a, StringRef b) {
    return line(formatv("{0} {1}, {2} : {3}", op, a, b, type).str());
  };
  auto splat = [&](StringRef scalar) {
    return line(formatv("tensor.splat {0} : {1}", scalar, type).str());
  };
  auto part = [&](StringRef from, int64_t start, int64_t size) {
    return line(formatv("tensor.extract_slice {0}[{1}] [{2}] [1] : {3} to {4}",
                        from, start, size, type, vector(size, element))
                    .str());
  };
  auto join = [&](StringRef a, StringRef b, int64_t size) {
    return line(formatv("tensor.concat dim(0) {0}, {1} : ({2}, {2}) -> {3}", a,
                        b, vector(size, element), vector(2 * size, element))
                    .str());
  };
  auto row = [&](StringRef index) {
    const Capture &capture = spec.captures[step.capture];
    std::string at = print(makeInteger(step.offset));
    return line(formatv("tensor.extract_slice %c{0}[{1}, {2}] [1, {3}] [1, 1] "
                        ": {4} to {5}",
                        step.capture, index, at, width,
                        tensor(capture.dims, capture.element),
                        vector(width, capture.element))
                    .str());
  };
  auto widen = [&](StringRef value) {
    StringRef from = spec.captures[step.capture].element;
    if (from == element)
      return value.str();
    return line(formatv("{0} {1} : {2} to {3}",
                        from == "f64" ? "arith.truncf" : "arith.extf", value,
                        vector(width, from), type)
                    .str());
  };
  auto reduce = [&](StringRef kind, StringRef value) {
    return line(
        formatv("attn.reduce_row {0} {1} : {2}", kind, value, type).str());
  };
  if (step.op == "scale")
    return apply("arith.mulf", x, splat(number(step.constant)));
  if (step.op == "table")
    return apply("arith.mulf", x, widen(row("%n")));
  if (step.op == "bias")
    return apply("arith.addf", x, widen(row("%h")));
  if (step.op == "bits")
    return line(formatv("arith.select {0}, {1}, {2} : {3}, {4}", row("%n"), x,
                        splat(number(0)), vector(width, "i1"), type)
                    .str());
  if (step.op == "rms") {
    std::string sum = reduce("sum", apply("arith.mulf", x, x));
    return apply(
        "arith.mulf", x,
        splat(unary("math.rsqrt", binary("arith.addf", sum, number(1)))));
  }
  if (step.op == "tanh")
    return line(formatv("math.tanh {0} : {1}", x, type).str());
  if (step.op == "centre")
    return apply("arith.subf", x, splat(reduce("max", x)));
  if (step.op == "twice") {
    std::string both = join(x, x, width);
    width *= 2;
    return both;
  }
  int64_t half = std::max<int64_t>(width / 2, 1);
  std::string low = part(x, 0, half);
  if (step.op == "half") {
    width = half;
    return low;
  }
  std::string high = line(formatv("arith.negf {0} : {1}", part(x, half, half),
                                  vector(half, element))
                              .str());
  return join(high, low, half);
}

std::string Printer::printRowsBody(const RowMap &map) {
  body.clear();
  int64_t width = spec.sizes.at("D");
  std::string x = "%r";
  for (const RowStep &step : map)
    x = printStep(step, x, width);
  return body + formatv("        attn.yield {0} : tensor<{1}x{2}>\n", x, width,
                        typeOf(Kind::Float))
                    .str();
}

/// Writes a map before the attend and returns its result; `last` becomes the
/// features of that.
std::string Printer::printMap(StringRef operand, const RowMap &map,
                              std::string &last) {
  if (map.empty() || spec.mapsInside)
    return operand.str();
  std::string result = name();
  std::string heads = operand == "%q" ? "H" : spec.keyHeads();
  std::string rows = operand == "%q" ? spec.rows() : spec.keys();
  std::string from = last;
  std::string text = printRowsBody(map);
  last = std::to_string(getWidth(map, spec.sizes.at("D")));
  prologue += formatv("  {0} = attn.map_rows {1} rows (%r: tensor<{2}x{3}>, "
                      "%b, %h, %n) {{\n{4}      } : {5} -> {6}\n",
                      result, operand, spec.sizes.at("D"), typeOf(Kind::Float),
                      text, tensor({"B", heads, rows, from}, spec.dtype),
                      tensor({"B", heads, rows, last}, spec.dtype))
                  .str();
  return result;
}

//===----------------------------------------------------------------------===//
// The spec
//===----------------------------------------------------------------------===//

std::string Printer::printAttend() {
  std::string queryWidth = "D", keyWidth = "D", valueWidth = "D";
  std::string q = printMap("%q", spec.queryMap, queryWidth);
  std::string k = printMap("%k", spec.keyMap, keyWidth);
  std::string v = printMap("%v", spec.valueMap, valueWidth);
  std::string regions, acc = typeOf(Kind::Float);
  auto add = [&](StringRef keyword, StringRef arguments, StringRef text) {
    regions +=
        formatv("\n      {0} ({1}) {{\n{2}      }", keyword, arguments, text)
            .str();
  };
  std::pair<StringRef, const RowMap *> maps[] = {{"query", &spec.queryMap},
                                                 {"key", &spec.keyMap},
                                                 {"value", &spec.valueMap}};
  for (auto [keyword, map] : maps)
    if (spec.mapsInside && !map->empty())
      add(keyword,
          formatv("%r: tensor<{0}x{1}>, %b, %h, %n", spec.sizes.at("D"), acc)
              .str(),
          printRowsBody(*map));
  auto addPairs = [&](StringRef keyword, StringRef arguments,
                      const std::optional<Expr> &expr) {
    if (!expr)
      return;
    body.clear();
    std::string value = print(*expr);
    body += formatv("        attn.yield {0} : {1}\n", value, typeOf(expr->kind))
                .str();
    add(keyword, arguments, body);
  };
  addPairs("score", formatv("%s: {0}, %b, %h, %i, %j", acc).str(), spec.score);
  addPairs("mask", "%b, %h, %i, %j", spec.mask);
  std::string options;
  if (spec.scale)
    options += " scale(" + makeNumber(*spec.scale).text + ")";
  if (!spec.alignment.empty())
    options += formatv(" alignment({0})", spec.alignment).str();
  if (spec.blockQ)
    options += formatv(" schedule(<block_q = {0}, block_k = {1}>)", spec.blockQ,
                       spec.blockK)
                   .str();
  std::string outWidth =
      std::to_string(getWidth(spec.valueMap, spec.sizes.at("D")));
  return formatv(
             "  %out{0} = attn.attend {1}, {2}, {3}{4}{5}\n      : {6}, {7}, "
             "{8}\n      -> {9}{10}\n",
             spec.hasLse ? ", %lse" : "", q, k, v, options, regions,
             tensor({"B", "H", spec.rows(), queryWidth}, spec.dtype),
             tensor({"B", spec.keyHeads(), spec.keys(), keyWidth}, spec.dtype),
             tensor({"B", spec.keyHeads(), spec.keys(), valueWidth},
                    spec.dtype),
             tensor({"B", "H", spec.rows(), outWidth}, spec.dtype),
             spec.hasLse ? ", " + tensor({"B", "H", spec.rows()}, acc) : "")
      .str();
}

std::string Printer::print() {
  std::string attend = printAttend(), acc = typeOf(Kind::Float);
  std::vector<std::string> keyDims{"B", spec.keyHeads(), spec.keys(), "D"};
  std::string text =
      formatv("func.func @fuzzed(\n    %q: {0},\n    %k: {1},\n    %v: {2}",
              port("q", {"B", "H", spec.rows(), "D"}, spec.dtype),
              port("k", keyDims, spec.dtype), port("v", keyDims, spec.dtype));
  for (auto [number, capture] : llvm::enumerate(spec.captures))
    text += formatv(",\n    %c{0}: {1}", number,
                    port("c" + std::to_string(number), capture.dims,
                         capture.element))
                .str();
  std::string outType =
      tensor({"B", "H", spec.rows(),
              std::to_string(getWidth(spec.valueMap, spec.sizes.at("D")))},
             spec.dtype);
  std::string lseType = tensor({"B", "H", spec.rows()}, acc);
  text += formatv(")\n    -> ({0} {{attn.name = \"out\"}", outType).str();
  if (spec.hasLse)
    text += formatv(", {0} {{attn.name = \"lse\"}", lseType).str();
  std::string defaults = llvm::join(
      llvm::map_range(
          spec.sizes,
          [](auto &entry) {
            return formatv("{0} = {1}", entry.first, entry.second).str();
          }),
      ", ");
  text += formatv(")\n    attributes {{attn.defaults = {{{0}}} {{\n", defaults)
              .str();
  text += prologue + attend;
  text +=
      spec.hasLse
          ? formatv("  return %out, %lse : {0}, {1}\n", outType, lseType).str()
          : formatv("  return %out : {0}\n", outType).str();
  return text + "}\n";
}

std::string attn::fuzz::printSpec(const Spec &spec) {
  return Printer(spec).print();
}
