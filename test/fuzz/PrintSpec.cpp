//===- PrintSpec.cpp - The text of a spec ---------------------------------===//
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

std::string Printer::operandType(char operand, StringRef width) const {
  bool isQuery = operand == 'q';
  return tensor({spec.batch(operand), isQuery ? "H" : spec.keyHeads(),
                 isQuery ? spec.rows() : spec.keys(), width.str()},
                spec.dtype);
}

std::string Printer::outType() const {
  int64_t width = getWidth(spec, spec.valueMap);
  return tensor({spec.batch(), "H", spec.rows(), std::to_string(width)},
                spec.dtype);
}

std::string Printer::lseType() const {
  return tensor({spec.batch(), "H", spec.rows()}, acc());
}

//===----------------------------------------------------------------------===//
// The attend
//===----------------------------------------------------------------------===//

void Printer::addRegion(StringRef keyword, const llvm::Twine &arguments,
                        StringRef text) {
  regions +=
      ("\n      " + keyword + " (" + arguments + ") {\n" + text + "      }")
          .str();
}

void Printer::addRegion(StringRef keyword, const llvm::Twine &arguments,
                        const std::optional<Expr> &expr) {
  if (!expr)
    return;
  body.clear();
  std::string value = print(*expr);
  body += "        attn.yield " + value + " : " + typeOf(expr->kind) + "\n";
  addRegion(keyword, arguments, StringRef(body));
}

void Printer::printRegions() {
  std::pair<StringRef, const RowMap *> maps[] = {{"query", &spec.queryMap},
                                                 {"key", &spec.keyMap},
                                                 {"value", &spec.valueMap}};
  std::string row = vectorType(spec.sizes.at("D"), acc());
  for (auto [keyword, map] : maps)
    if (spec.mapsInside && !map->empty())
      addRegion(keyword, "%r: " + row + ", %b, %h, %n",
                StringRef(printRowsBody(*map)));
  addRegion("score", "%s: " + acc() + ", %b, %h, %i, %j", spec.score);
  addRegion("mask", "%b, %h, %i, %j", spec.mask);
  addRegion("prob", "%p: " + acc() + ", %b, %h, %i, %j", spec.prob);
  addRegion("sink", "%b, %h, %i", spec.sink);
}

std::string Printer::printMixing() const {
  std::string text;
  for (auto [name, number] : {std::pair("mix_scores", spec.mixScores),
                              {"mix_weights", spec.mixWeights}})
    if (number >= 0)
      text += formatv(" {0}(%c{1} : {2})", name, number,
                      tensor(spec.captures[number].dims,
                             spec.captures[number].element))
                  .str();
  return text;
}

std::string Printer::printSchedule() const {
  if (!spec.blockQ)
    return "";
  std::string text = formatv(" schedule(<block_q = {0}, block_k = {1}",
                             spec.blockQ, spec.blockK)
                         .str();
  if (spec.splits)
    text += ", splits = " + std::to_string(spec.splits);
  return text + ">)";
}

std::string Printer::printOptions() const {
  std::string options = printMixing();
  if (spec.scale)
    options += " scale(" + makeNumber(*spec.scale).text + ")";
  if (!spec.alignment.empty())
    options += " alignment(" + spec.alignment + ")";
  if (!spec.normalizer.empty())
    options += " normalizer(" + spec.normalizer + ")";
  if (spec.maxQueries)
    options += " max_queries(" + std::to_string(spec.maxQueries) + ")";
  return options + printSchedule();
}

std::string Printer::printAttend() {
  std::string queryWidth, keyWidth, valueWidth;
  std::string q = printMap('q', spec.queryMap, queryWidth);
  std::string k = printMap('k', spec.keyMap, keyWidth);
  std::string v = printMap('v', spec.valueMap, valueWidth);
  printRegions();
  return formatv("  %out{0} = attn.attend {1}, {2}, {3}{4}{5}\n      : {6}, "
                 "{7}, {8}\n      -> {9}{10}\n",
                 spec.hasLse ? ", %lse" : "", q, k, v, printOptions(), regions,
                 operandType('q', queryWidth), operandType('k', keyWidth),
                 operandType('v', valueWidth), outType(),
                 spec.hasLse ? ", " + lseType() : "")
      .str();
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

std::string Printer::printSignature() const {
  auto keyDims = [&](char operand) {
    return std::vector{spec.batch(operand), spec.keyHeads(), spec.keys(),
                       std::string("D")};
  };
  std::string text = formatv(
      "func.func @fuzzed(\n    %q: {0},\n    %k: {1},\n    %v: {2}",
      port("q", {spec.batch('q'), "H", spec.rows(), "D"}, spec.dtype),
      port("k", keyDims('k'), spec.dtype), port("v", keyDims('v'), spec.dtype));
  for (auto [number, capture] : llvm::enumerate(spec.captures)) {
    std::string name = "c" + std::to_string(number);
    text += ",\n    %" + name + ": " +
            port(name, capture.dims, capture.element, capture.fill);
  }
  text += ")\n    -> (" + outType() + " {attn.name = \"out\"}";
  if (spec.hasLse)
    text += ", " + lseType() + " {attn.name = \"lse\"}";
  std::vector<std::string> defaults;
  for (const auto &[name, size] : spec.sizes)
    defaults.push_back(name + " = " + std::to_string(size));
  return text + ")\n    attributes {attn.defaults = {" +
         llvm::join(defaults, ", ") + "}} {\n";
}

std::string Printer::print() {
  std::string attend = printAttend();
  std::string end =
      spec.hasLse ? "  return %out, %lse : " + outType() + ", " + lseType()
                  : "  return %out : " + outType();
  return printSignature() + prologue + attend + end + "\n}\n";
}

std::string attn::fuzz::printSpec(const Spec &spec) {
  return Printer(spec).print();
}
