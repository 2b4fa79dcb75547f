//===- PrintJson.cpp - Findings as JSON -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-explain/Print.h"
#include "llvm/Support/JSON.h"

using namespace attn;
namespace json = llvm::json;

/// The values of a fact, numbers as numbers.
static json::Object toJson(const Fact &fact) {
  json::Object object;
  for (const auto &[key, value] : fact.values) {
    int64_t number;
    if (llvm::StringRef(value).getAsInteger(10, number))
      object[key] = value;
    else
      object[key] = number;
  }
  return object;
}

/// A fact that says where it is.
static json::Object toJsonAt(const Fact &fact) {
  json::Object object = toJson(fact);
  object["Position"] = fact.position;
  return object;
}

static json::Array toJson(const std::vector<const Fact *> &facts,
                          bool hasPlaces = false) {
  json::Array array;
  for (const Fact *fact : facts)
    array.push_back(hasPlaces ? toJsonAt(*fact) : toJson(*fact));
  return array;
}

static json::Object toJson(const BlockCounts &counts, bool hasPairs) {
  json::Object object{{"blocks", counts.blocks},    {"empty", counts.empty},
                      {"mixed", counts.mixed},      {"full", counts.full},
                      {"outside", counts.outside},  {"visited", counts.visited},
                      {"unmasked", counts.unmasked}};
  if (hasPairs) {
    object["pairs"] = counts.existing;
    object["pairs_kept"] = counts.kept;
    object["pairs_visited"] = counts.inVisited;
    object["mixed_but_empty"] = counts.mixedEmpty;
    object["mixed_but_full"] = counts.mixedFull;
  }
  return object;
}

static json::Object toJson(const Version &version) {
  json::Object object = toJson(*version.schedule);
  object["candidates"] = toJson(version.candidates);
  object["bounds"] = toJson(version.bounds);
  if (version.device)
    object["device"] = toJson(*version.device);
  if (version.list)
    object["list"] = version.list->get("Decision");
  if (!version.blocks)
    return object;
  object["blocks_of_queries"] = version.blocks->rows;
  object["blocks_of_keys"] = version.blocks->columns;
  object["batches"] = version.blocks->batches;
  object["heads"] = version.blocks->heads;
  if (version.blocks->room)
    object["list_room"] = version.blocks->room;
  if (version.heads.empty())
    return object;
  object["sum"] = toJson(version.sum, version.hasPairs());
  json::Array heads;
  for (const BlockCounts &head : version.heads)
    heads.push_back(toJson(head, version.hasPairs()));
  object["per_head"] = std::move(heads);
  return object;
}

static json::Object toJson(const OpFindings &op) {
  json::Array versions;
  for (const Version &version : op.versions)
    versions.push_back(toJson(version));
  json::Object object{{"op", op.op->name},
                      {"position", op.op->position},
                      {"about", op.op->about},
                      {"versions", std::move(versions)}};
  if (op.structure)
    object["structure"] = toJson(*op.structure);
  if (!op.missing.empty())
    object["missing"] = json::Array(op.missing);
  object["obstacles"] = toJson(op.obstacles, /*hasPlaces=*/true);
  return object;
}

static json::Object toJson(const Prediction &prediction,
                           const Machine &machine) {
  json::Array terms;
  for (const CostTerm &term : prediction.terms)
    terms.push_back(json::Object{{"name", term.name},
                                 {"seconds", term.seconds},
                                 {"reason", term.reason}});
  json::Array assumptions(prediction.assumptions);
  return json::Object{{"assumptions", std::move(assumptions)},
                      {"seconds", prediction.seconds},
                      {"limit", prediction.limit},
                      {"rough", prediction.isRough},
                      {"machine", machine.name},
                      {"measured", machine.isMeasured},
                      {"terms", std::move(terms)}};
}

void attn::printJson(llvm::raw_ostream &os, const Findings &findings) {
  json::Object dims;
  for (const auto &[name, size] : findings.dims)
    dims[name] = size;
  json::Array data;
  for (const ReadArgument &read : findings.data)
    data.push_back(json::Object{
        {"name", read.name}, {"fill", read.fill}, {"file", read.file}});
  json::Array ops;
  for (const OpFindings &op : findings.ops)
    ops.push_back(toJson(op));
  json::Object all{
      {"spec", findings.spec},     {"target", findings.explanation.target},
      {"dims", std::move(dims)},   {"data", std::move(data)},
      {"tuned", findings.isTuned}, {"ops", std::move(ops)}};
  if (!findings.ops.empty())
    all["predicted"] = toJson(findings.prediction, findings.machine);
  os << llvm::formatv("{0:2}\n", json::Value(std::move(all)));
}
