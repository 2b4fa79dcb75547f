//===- PrintRecur.cpp - The text of a recurrence --------------------------===//
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
// Types and ports
//===----------------------------------------------------------------------===//

int64_t RecurPrinter::getSize(StringRef dim) const {
  int64_t number;
  if (dim.starts_with("D") && !dim.drop_front().getAsInteger(10, number))
    return number;
  return dim == "B"    ? spec.batches
         : dim == "H"  ? spec.heads
         : dim == "Hq" ? spec.queryHeads
         : dim == "Hk" ? spec.keyHeads
                       : spec.tokens;
}

std::string RecurPrinter::tensor(const Dims &dims, StringRef element) const {
  std::string text = "tensor<";
  for (const std::string &dim : dims) {
    bool isStatic = dim.front() == 'D' || spec.statics.count(dim);
    text += isStatic ? std::to_string(getSize(dim)) + "x" : "?x";
  }
  return text + element.str() + ">";
}

std::string RecurPrinter::addPort(StringRef name, const Dims &dims,
                                  StringRef element, StringRef fill) {
  used.insert(dims.begin(), dims.end());
  std::string list = llvm::join(
      llvm::map_range(dims, [](auto &dim) { return "\"" + dim + "\""; }), ", ");
  std::string text =
      formatv("%{0}: {1} {{attn.name = \"{0}\", attn.dims = [{2}]", name,
              tensor(dims, element), list)
          .str();
  if (!fill.empty())
    text += formatv(", attn.fill = \"{0}\"", fill).str();
  ports.push_back(text + "}");
  return ("%" + name).str();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

std::string RecurPrinter::printRegion(StringRef keyword, StringRef arguments,
                                      const Place &place, const Steps &steps,
                                      StringRef row, int64_t width) {
  body.clear();
  std::string x = row.str();
  for (auto [number, step] : llvm::enumerate(steps))
    x = printStep(step, {place, unsigned(number), x, width}, width);
  return formatv("{0} ({1}) {{\n{2}        attn.yield {3} : {4}\n      }",
                 keyword, arguments, body, x, vectorType(width))
      .str();
}

/// A map before the recurrence or after it; returns its result.
std::string RecurPrinter::printMapRows(const Place &place, const Steps &steps,
                                       StringRef from, const Dims &dims,
                                       StringRef element) {
  int64_t width = getSize(dims.back());
  std::string arguments =
      formatv("%r: {0}, %b, %h, %n", vectorType(width)).str();
  std::string region =
      printRegion("rows", arguments, place, steps, "%r", width);
  std::string result = name();
  Dims to = dims;
  to.back() = "D" + std::to_string(getWidth(steps, width));
  prologue += formatv("  {0} = attn.map_rows {1} {2} : {3} -> {4}\n", result,
                      from, region, tensor(dims, element), tensor(to, element))
                  .str();
  return result;
}

RecurPrinter::Operand
RecurPrinter::printRows(StringRef letter, StringRef keyword, StringRef heads,
                        const RecurRows &rows, int64_t width) {
  int64_t before = getWidthBefore(rows.steps, width);
  Dims dims{"B", heads.str(), "N", "D" + std::to_string(before)};
  std::string port = addPort(letter, dims, spec.dtype);
  Place place{letter.str(), heads.str(), letter.str(), dims};
  if (rows.steps.empty())
    return {port, tensor(dims, spec.dtype)};
  if (!rows.isOutside) {
    std::string arguments =
        formatv("%r: {0}, %b, %h, %n", vectorType(before)).str();
    regions += "\n      " +
               printRegion(keyword, arguments, place, rows.steps, "%r", before);
    return {port, tensor(dims, spec.dtype)};
  }
  std::string result = printMapRows(place, rows.steps, port, dims, spec.dtype);
  dims.back() = "D" + std::to_string(width);
  return {result, tensor(dims, spec.dtype)};
}

/// The gate: a port, or made of logits x as log(sigmoid(x)) / 4.
void RecurPrinter::printGate() {
  if (spec.gate.empty())
    return;
  Dims dims{"B", "H", "N"};
  if (spec.gate == "H")
    dims = {"H"};
  else if (spec.gate == "BHNK")
    dims.push_back("D" + std::to_string(spec.rows));
  else if (spec.gate == "BHN1")
    dims.push_back("D1");
  bool isMapped = spec.isGateMapped && dims.size() == 4;
  // Row maps are evaluated in the accumulator type; so are their operands.
  std::string element = isMapped ? acc() : spec.captureElement;
  std::string gate = addPort(isMapped ? "x" : "g", dims, element,
                             isMapped ? "" : spec.gateFill);
  if (isMapped)
    gate =
        printMapRows({"x", "H", "", {}}, {"log_sigmoid"}, gate, dims, element);
  clauses += formatv(" gate({0} : {1})", gate, tensor(dims, element)).str();
}

/// Factors that divide something later are positive.
void RecurPrinter::printFactors() {
  bool isPositive = usesDenominator(spec.norm);
  if (spec.write == "scaled") {
    Dims dims{"B", "H", "N"};
    if (spec.isBetaColumn)
      dims.push_back("D1");
    addPort("beta", dims, spec.captureElement, "uniform");
    clauses +=
        formatv(" beta(%beta : {0})", tensor(dims, spec.captureElement)).str();
  }
  if (spec.hasBonus) {
    Dims dims{"H", "D" + std::to_string(spec.rows)};
    addPort("u", dims, spec.captureElement, isPositive ? "uniform" : "");
    clauses +=
        formatv(" bonus(%u : {0})", tensor(dims, spec.captureElement)).str();
  }
  if (spec.hasInitial) {
    Dims dims = stateDims();
    if (spec.isInitialShared)
      dims.front() = "D1";
    addPort("h0", dims, acc());
    clauses += formatv(" initial(%h0 : {0})", tensor(dims, acc())).str();
  }
}

void RecurPrinter::printOptions() {
  if (spec.scale)
    clauses += " scale(" + makeNumber(*spec.scale).text + ")";
  for (auto [name, value, usual] :
       {std::tuple("write", StringRef(spec.write), "additive"),
        {"read", StringRef(spec.read), "after"},
        {"order", StringRef(spec.order), "causal"}})
    if (value != usual)
      clauses += formatv(" {0}({1})", name, value).str();
  if (!spec.blockQ)
    return;
  clauses += formatv(" schedule(<block_q = {0}, block_k = {1}", spec.blockQ,
                     spec.blockK)
                 .str();
  if (spec.splits)
    clauses += ", splits = " + std::to_string(spec.splits);
  clauses += ">)";
}

void RecurPrinter::printNorm() {
  if (spec.norm.empty())
    return;
  std::string arguments = formatv("%num: {0}, %den: {1}, %b, %h, %n",
                                  vectorType(spec.columns), acc())
                              .str();
  regions += "\n      " + printRegion("norm", arguments,
                                      {"o", "H", "v", outDims(spec.columns)},
                                      spec.norm, "%num", spec.columns);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

std::string RecurPrinter::printDefaults() const {
  std::vector<std::string> defaults;
  for (const char *dim : {"B", "H", "Hk", "Hq", "N"})
    if (used.count(dim) && getSize(dim)) // 0 is no default.
      defaults.push_back(formatv("{0} = {1}", dim, getSize(dim)).str());
  return llvm::join(defaults, ", ");
}

std::string RecurPrinter::print() {
  Operand q = printRows("q", "query", queryDim(), spec.query, spec.rows);
  Operand k;
  if (!spec.isTied())
    k = printRows("k", "key", keyDim(), spec.key, spec.rows);
  Operand v = printRows("v", "value", "H", spec.value, spec.columns);
  printGate();
  printFactors();
  printOptions();
  printNorm();
  auto list = [&](auto member) {
    std::string text = member(q) + ", ";
    if (!spec.isTied())
      text += member(k) + ", ";
    return text + member(v);
  };
  int64_t width = getWidth(spec.norm, spec.columns);
  std::string out = spec.after.empty() ? "%out" : "%rows";
  std::string state = spec.hasState ? ", " + tensor(stateDims(), acc()) : "";
  prologue +=
      formatv("  {0}{1} = attn.recur {2}{3}{4}\n      : {5} -> {6}{7}\n", out,
              spec.hasState ? ", %ht" : "",
              list([](Operand &o) { return o.name; }), clauses, regions,
              list([](Operand &o) { return o.type; }),
              tensor(outDims(width), spec.dtype), state)
          .str();
  if (!spec.after.empty()) {
    out = printMapRows({"y", "H", "", {}}, spec.after, out, outDims(width),
                       spec.dtype);
    width = getWidth(spec.after, width);
  }
  std::string type = tensor(outDims(width), spec.dtype);
  std::string results = "(" + type + " {attn.name = \"out\"}";
  if (spec.hasState)
    results += state + " {attn.name = \"ht\"}";
  return formatv(
             "func.func @fuzzed(\n    {0})\n    -> {1})\n    attributes "
             "{{attn.defaults = {{{2}}} {{\n{3}  return {4}{5} : {6}{7}\n}\n",
             llvm::join(ports, ",\n    "), results, printDefaults(), prologue,
             out, spec.hasState ? ", %ht" : "", type, state)
      .str();
}

std::string attn::fuzz::printSpec(const RecurSpec &spec) {
  return RecurPrinter(spec).print();
}
