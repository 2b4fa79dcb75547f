//===- DatabaseText.cpp - Tuning databases as lines of JSON ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/Database.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace json = llvm::json;

/// The fields of a record that are texts.
static std::vector<std::pair<StringRef, std::string *>>
getTexts(TuningRecord &record) {
  return {{"spec", &record.key.spec},     {"dtype", &record.key.dtype},
          {"target", &record.key.target}, {"device", &record.key.device},
          {"bucket", &record.key.bucket}, {"compiler", &record.key.compiler},
          {"schedule", &record.schedule}, {"name", &record.name},
          {"dims", &record.dims}};
}

Expected<std::string> TuningDatabase::exportText() {
  Expected<std::vector<TuningRecord>> records = getRecords();
  if (!records)
    return records.takeError();
  std::string text;
  for (TuningRecord &record : *records) {
    json::Object line;
    for (auto [name, value] : getTexts(record))
      line[name] = *value;
    line["build"] = record.build;
    line["seconds"] = record.seconds;
    line["baseline"] = record.baseline;
    line["tokens"] = record.tokens;
    text += llvm::formatv("{0}\n", json::Value(std::move(line))).str();
  }
  return text;
}

/// Reads one line; `where` names it in messages.
static Expected<TuningRecord> readLine(StringRef line,
                                       const std::string &where) {
  auto fail = [&](StringRef expected) {
    return llvm::createStringError(
        llvm::formatv("{0}: expected {1}", where, expected).str());
  };
  Expected<json::Value> value = json::parse(line);
  if (!value) {
    llvm::consumeError(value.takeError());
    return fail("a record as a line of JSON");
  }
  const json::Object *fields = value->getAsObject();
  if (!fields)
    return fail("a record as an object of JSON");
  TuningRecord record;
  auto texts = getTexts(record);
  for (auto [name, text] : texts) {
    auto given = fields->getString(name);
    if (!given)
      return fail(("a text '" + name + "'").str());
    *text = given->str();
  }
  // Lines of databases of version 1 have none.
  bool hasBuild = fields->get("build");
  if (hasBuild) {
    auto given = fields->getString("build");
    if (!given)
      return fail("a text 'build'");
    record.build = given->str();
  }
  for (auto [name, number] : {std::pair(StringRef("seconds"), &record.seconds),
                              {"baseline", &record.baseline}}) {
    auto given = fields->getNumber(name);
    if (!given || !std::isfinite(*given) || *given <= 0)
      return fail(("a positive number '" + name + "'").str());
    *number = *given;
  }
  auto tokens = fields->getInteger("tokens");
  if (!tokens || *tokens < 0)
    return fail("an integer 'tokens', at least 0");
  record.tokens = *tokens;
  if (fields->size() != texts.size() + 3 + hasBuild)
    return fail("no other fields than those of a record");
  return record;
}

Expected<int64_t> TuningDatabase::importText(StringRef text, StringRef name) {
  std::vector<TuningRecord> records;
  int64_t number = 0;
  for (StringRef line : llvm::split(text, '\n')) {
    ++number;
    if (line.trim().empty())
      continue;
    Expected<TuningRecord> record =
        readLine(line, llvm::formatv("'{0}': line {1}", name, number).str());
    if (!record)
      return record.takeError();
    records.push_back(std::move(*record));
  }
  return storeAll(records);
}
