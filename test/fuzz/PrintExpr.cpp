//===- PrintExpr.cpp - Expressions of pair regions as text ----------------===//
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
  if (name == "One")
    return "1";
  bool isHeads = name == "H" || name == spec.keyHeads();
  bool isStatic = spec.statics.count(name.str()) || name.starts_with("D") ||
                  (isHeads && spec.mixesHeads());
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
                          StringRef element, StringRef fill) const {
  std::string list = llvm::join(
      llvm::map_range(dims, [](auto &dim) { return "\"" + dim + "\""; }), ", ");
  std::string text = formatv("{0} {{attn.name = \"{1}\", attn.dims = [{2}]",
                             tensor(dims, element), name, list)
                         .str();
  if (!fill.empty())
    text += formatv(", attn.fill = \"{0}\"", fill).str();
  return text + "}";
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// Writes "%x7 = TEXT" into the region and returns %x7.
std::string Printer::line(const llvm::Twine &text) {
  std::string result = name();
  body += ("        " + result + " = " + text + "\n").str();
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

/// The number of keys.
std::string Printer::printSize() {
  std::string two = print(makeInteger(2));
  return line("tensor.dim %k, " + two + " : " + operandType('k', "D"));
}

/// Whether a random number is at least a quarter.
std::string Printer::printKept(const Expr &expr) {
  std::string seed = print(makeConstant(Kind::I64, expr.text));
  std::string random =
      line("attn.random " + seed + " at(%i, %j, %h, %b) : " + acc());
  std::string rate = number(0.25);
  return line("arith.cmpf oge, " + random + ", " + rate + " : " + acc());
}

/// The ops of which Expr says what they stand for; empty for others.
std::string Printer::expand(StringRef op, StringRef x) {
  if (op == "leaky") {
    std::string zero = number(0), below = binary("arith.mulf", x, number(0.25));
    std::string test =
        line("arith.cmpf ogt, " + x + ", " + zero + " : " + acc());
    return line("arith.select " + test + ", " + x + ", " + below + " : " +
                acc());
  }
  if (op == "exp_below")
    return unary("math.exp", binary("arith.minimumf", x, number(2)));
  if (op == "log_square")
    return unary("math.log1p", binary("arith.mulf", x, x));
  if (op == "hypot") {
    std::string square = binary("arith.mulf", x, x);
    return unary("math.sqrt", binary("arith.addf", square, number(1)));
  }
  if (op == "sigmoid") {
    std::string power = unary("math.exp", unary("arith.negf", x));
    std::string one = number(1);
    return binary("arith.divf", one, binary("arith.addf", power, one));
  }
  return "";
}

/// Ops of arith and math, and those of `expand`.
std::string Printer::printOp(const Expr &expr,
                             llvm::ArrayRef<std::string> args) {
  if (args.size() == 1)
    if (std::string result = expand(expr.op, args[0]); !result.empty())
      return result;
  std::string type = typeOf(expr.kind), operands = llvm::join(args, ", ");
  std::string from = typeOf(expr.args[0].kind);
  if (!expr.text.empty()) // a comparison
    return line(expr.op + " " + expr.text + ", " + operands + " : " + from);
  if (args.size() == 1 && from != type)
    return line(expr.op + " " + operands + " : " + from + " to " + type);
  return line(expr.op + " " + operands + " : " + type);
}

std::string Printer::print(const Expr &expr) {
  if (expr.op == "arg")
    return "%" + expr.text;
  if (expr.op == "const")
    return printConstant(expr);
  if (expr.op == "read")
    return printRead(expr);
  if (expr.op == "size")
    return printSize();
  if (expr.op == "kept")
    return printKept(expr);
  std::vector<std::string> args;
  for (const Expr &arg : expr.args)
    args.push_back(print(arg));
  return printOp(expr, args);
}
