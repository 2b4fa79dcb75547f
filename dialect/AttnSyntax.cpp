//===- AttnSyntax.cpp - Custom syntax of regions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Regions are written like functions, `score (%s: f32, %b, %h, %i, %j) {...}`.
// Arguments without a type are `index`. The regions of a pairwise op may stand
// in any order; they are printed in that of the op's definition.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnSyntax.h"

using namespace mlir;

/// Refuses a region whose values are used by ops outside of it. Such uses come
/// from names that were used before the parser met them here, and are wrong
/// anyway; but the parser would keep them if it gave up after this region,
/// which it then destroys.
static ParseResult refuseOuterUses(OpAsmParser &parser, llvm::SMLoc location,
                                   Region &region) {
  // Ops that are being parsed have no parents that could be asked.
  llvm::SmallPtrSet<Operation *, 16> inside;
  region.walk([&](Operation *op) { inside.insert(op); });
  auto usedOutside = [&](Value value) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      return !inside.contains(user);
    });
  };
  bool leaks = llvm::any_of(inside, [&](Operation *op) {
    return llvm::any_of(op->getResults(), usedOutside);
  });
  if (!leaks)
    return success();
  for (Block &block : region)
    block.dropAllDefinedValueUses();
  return parser.emitError(location,
                          "region defines a value that an op outside of "
                          "it uses");
}

ParseResult attn::parseRegionWithArguments(OpAsmParser &parser,
                                           Region &region) {
  SmallVector<OpAsmParser::Argument> arguments;
  auto parseOne = [&]() -> ParseResult {
    OpAsmParser::Argument &argument = arguments.emplace_back();
    if (parser.parseArgument(argument))
      return failure();
    argument.type = parser.getBuilder().getIndexType();
    return succeeded(parser.parseOptionalColon())
               ? parser.parseType(argument.type)
               : success();
  };
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne) ||
      parser.parseRegion(region, arguments))
    return failure();
  return refuseOuterUses(parser, location, region);
}

void attn::printRegionWithArguments(OpAsmPrinter &printer, StringRef keyword,
                                    Region &region) {
  if (region.empty())
    return;
  printer.printNewline();
  printer << "    " << keyword << " (";
  llvm::interleaveComma(region.getArguments(), printer, [&](BlockArgument arg) {
    printer << arg;
    if (!arg.getType().isIndex())
      printer << ": " << arg.getType();
  });
  printer << ") ";
  printer.printRegion(region, /*printEntryBlockArgs=*/false);
}

namespace {
/// A region and the keyword before it.
using Named = std::pair<StringRef, Region *>;
} // namespace

/// "'a', 'b' or 'c'", for messages.
static std::string listKeywords(ArrayRef<Named> regions) {
  std::string text;
  for (auto [index, entry] : llvm::enumerate(regions)) {
    if (index)
      text += index + 1 == regions.size() ? " or " : ", ";
    text += ("'" + entry.first + "'").str();
  }
  return text;
}

/// Parses regions in any order. `clauses` are those that may stand before them,
/// in their order: one that comes late is no unknown region.
static ParseResult parseNamedRegions(OpAsmParser &parser,
                                     ArrayRef<Named> regions,
                                     ArrayRef<StringRef> clauses = {}) {
  StringRef keyword;
  llvm::SMLoc location = parser.getCurrentLocation();
  while (succeeded(parser.parseOptionalKeyword(&keyword))) {
    auto *entry =
        llvm::find_if(regions, [&](auto &r) { return r.first == keyword; });
    if (entry == std::end(regions) && llvm::is_contained(clauses, keyword))
      return parser.emitError(location, "clause '")
             << keyword
             << "' is given twice or too late; expected clauses in the order "
             << llvm::join(clauses, ", ") << ", and regions behind them";
    if (entry == std::end(regions))
      return parser.emitError(location, "expected region ")
             << listKeywords(regions) << ", got '" << keyword << "'";
    if (!entry->second->empty())
      return parser.emitError(location, "region '")
             << keyword << "' is given twice";
    if (attn::parseRegionWithArguments(parser, *entry->second))
      return failure();
    location = parser.getCurrentLocation();
  }
  return success();
}

static void printNamedRegions(OpAsmPrinter &printer, ArrayRef<Named> regions) {
  for (auto [keyword, region] : regions)
    attn::printRegionWithArguments(printer, keyword, *region);
}

/// The regions of ops of pairs, but for the sink.
static SmallVector<Named> nameRegions(Region &queryRows, Region &keyRows,
                                      Region &valueRows, Region &score,
                                      Region &mask, Region &keys,
                                      Region &prob) {
  return {{"query", &queryRows}, {"key", &keyRows}, {"value", &valueRows},
          {"score", &score},     {"mask", &mask},   {"keys", &keys},
          {"prob", &prob}};
}

ParseResult attn::parseAttendRegions(OpAsmParser &parser, Region &queryRows,
                                     Region &keyRows, Region &valueRows,
                                     Region &score, Region &mask, Region &keys,
                                     Region &prob, Region &sink) {
  SmallVector<Named> regions =
      nameRegions(queryRows, keyRows, valueRows, score, mask, keys, prob);
  regions.emplace_back("sink", &sink);
  return parseNamedRegions(parser, regions,
                           {"mix_scores", "mix_weights", "scale", "alignment",
                            "normalizer", "precision", "max_queries",
                            "schedule"});
}

void attn::printAttendRegions(OpAsmPrinter &printer, Operation *op,
                              Region &queryRows, Region &keyRows,
                              Region &valueRows, Region &score, Region &mask,
                              Region &keys, Region &prob, Region &sink) {
  printPartialRegions(printer, op, queryRows, keyRows, valueRows, score, mask,
                      keys, prob);
  printRegionWithArguments(printer, "sink", sink);
}

ParseResult attn::parsePartialRegions(OpAsmParser &parser, Region &queryRows,
                                      Region &keyRows, Region &valueRows,
                                      Region &score, Region &mask, Region &keys,
                                      Region &prob) {
  return parseNamedRegions(parser, nameRegions(queryRows, keyRows, valueRows,
                                               score, mask, keys, prob));
}

void attn::printPartialRegions(OpAsmPrinter &printer, Operation *,
                               Region &queryRows, Region &keyRows,
                               Region &valueRows, Region &score, Region &mask,
                               Region &keys, Region &prob) {
  printNamedRegions(printer, nameRegions(queryRows, keyRows, valueRows, score,
                                         mask, keys, prob));
}

ParseResult
attn::parseRecurRows(OpAsmParser &parser, OpAsmParser::UnresolvedOperand &query,
                     std::optional<OpAsmParser::UnresolvedOperand> &key,
                     OpAsmParser::UnresolvedOperand &value) {
  if (parser.parseOperand(query) || parser.parseComma() ||
      parser.parseOperand(value))
    return failure();
  if (failed(parser.parseOptionalComma()))
    return success();
  key = value;
  return parser.parseOperand(value);
}

/// Query, key, unless it is absent, and value: operands or their types.
template <typename T>
static void printRows(OpAsmPrinter &printer, T query, T key, T value) {
  printer << query << ", ";
  if (key)
    printer << key << ", ";
  printer << value;
}

void attn::printRecurRows(OpAsmPrinter &printer, Operation *, Value query,
                          Value key, Value value) {
  printRows(printer, query, key, value);
}

ParseResult attn::parseRecurRowTypes(OpAsmParser &parser, Type &query,
                                     Type &key, Type &value) {
  SmallVector<Type> types;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseTypeList(types))
    return failure();
  if (types.size() != 2 && types.size() != 3)
    return parser.emitError(location,
                            "expected the types of 'query', 'key' (unless it "
                            "is absent) and 'value', got ")
           << types.size();
  query = types.front();
  key = types.size() == 3 ? types[1] : Type();
  value = types.back();
  return success();
}

void attn::printRecurRowTypes(OpAsmPrinter &printer, Operation *, Type query,
                              Type key, Type value) {
  printRows(printer, query, key, value);
}

/// The regions of recurrences.
static SmallVector<Named> nameRegions(Region &queryRows, Region &keyRows,
                                      Region &valueRows, Region &norm) {
  return {{"query", &queryRows},
          {"key", &keyRows},
          {"value", &valueRows},
          {"norm", &norm}};
}

ParseResult attn::parseRecurRegions(OpAsmParser &parser, Region &queryRows,
                                    Region &keyRows, Region &valueRows,
                                    Region &norm) {
  return parseNamedRegions(
      parser, nameRegions(queryRows, keyRows, valueRows, norm),
      {"gate", "beta", "bonus", "initial", "segments", "scale", "write", "read",
       "order", "max_tokens", "schedule"});
}

void attn::printRecurRegions(OpAsmPrinter &printer, Operation *,
                             Region &queryRows, Region &keyRows,
                             Region &valueRows, Region &norm) {
  printNamedRegions(printer, nameRegions(queryRows, keyRows, valueRows, norm));
}

ParseResult attn::parseRecurChunkRegions(OpAsmParser &parser, Region &queryRows,
                                         Region &keyRows, Region &valueRows,
                                         Region &norm) {
  return parseNamedRegions(
      parser, nameRegions(queryRows, keyRows, valueRows, norm),
      {"gate", "beta", "bonus", "at", "init", "past", "length", "scale",
       "write", "read", "order", "unscaled"});
}

void attn::printRecurChunkRegions(OpAsmPrinter &printer, Operation *op,
                                  Region &queryRows, Region &keyRows,
                                  Region &valueRows, Region &norm) {
  printRecurRegions(printer, op, queryRows, keyRows, valueRows, norm);
}

/// One index, or a list of several.
static ParseResult
parseToken(OpAsmParser &parser,
           SmallVectorImpl<OpAsmParser::UnresolvedOperand> &token) {
  if (failed(parser.parseOptionalLSquare()))
    return parser.parseOperand(token.emplace_back());
  return failure(parser.parseOperandList(token) || parser.parseRSquare());
}

ParseResult
attn::parseFirstTokens(OpAsmParser &parser,
                       SmallVectorImpl<OpAsmParser::UnresolvedOperand> &query,
                       SmallVectorImpl<OpAsmParser::UnresolvedOperand> &key) {
  return failure(parseToken(parser, query) || parser.parseComma() ||
                 parseToken(parser, key));
}

void attn::printFirstTokens(OpAsmPrinter &printer, Operation *,
                            OperandRange query, OperandRange key) {
  auto print = [&](OperandRange token) {
    bool isList = token.size() != 1;
    printer << (isList ? "[" : "") << token << (isList ? "]" : "");
  };
  print(query);
  printer << ", ";
  print(key);
}

ParseResult attn::parseSinkRegion(OpAsmParser &parser, Region &sink) {
  return failure(parser.parseKeyword("sink") ||
                 parseRegionWithArguments(parser, sink));
}

void attn::printSinkRegion(OpAsmPrinter &printer, Operation *, Region &sink) {
  printRegionWithArguments(printer, "sink", sink);
}

ParseResult attn::parseOptionalSinkRegion(OpAsmParser &parser, Region &sink) {
  return parseNamedRegions(parser, {{"sink", &sink}});
}

void attn::printOptionalSinkRegion(OpAsmPrinter &printer, Operation *,
                                   Region &sink) {
  printRegionWithArguments(printer, "sink", sink);
}

ParseResult attn::parseSameTypes(OpAsmParser &parser,
                                 SmallVectorImpl<Type> &operands,
                                 SmallVectorImpl<Type> &results) {
  if (parser.parseTypeList(operands))
    return failure();
  results = operands;
  return success();
}

void attn::printSameTypes(OpAsmPrinter &printer, Operation *,
                          TypeRange operands, TypeRange) {
  llvm::interleaveComma(operands, printer);
}

ParseResult attn::parseRowRegion(OpAsmParser &parser, Region &rows) {
  return failure(parser.parseKeyword("rows") ||
                 parseRegionWithArguments(parser, rows));
}

void attn::printRowRegion(OpAsmPrinter &printer, Operation *, Region &rows) {
  printRegionWithArguments(printer, "rows", rows);
}

ParseResult attn::parseBlockListRegions(OpAsmParser &parser, Region &classes,
                                        Region &keys) {
  return parseNamedRegions(parser, {{"classes", &classes}, {"keys", &keys}});
}

void attn::printBlockListRegions(OpAsmPrinter &printer, Operation *,
                                 Region &classes, Region &keys) {
  printNamedRegions(printer, {{"classes", &classes}, {"keys", &keys}});
}

ParseResult attn::parseOptionalRowRegion(OpAsmParser &parser, Region &rows) {
  return parseNamedRegions(parser, {{"rows", &rows}});
}

void attn::printOptionalRowRegion(OpAsmPrinter &printer, Operation *,
                                  Region &rows) {
  printRegionWithArguments(printer, "rows", rows);
}
