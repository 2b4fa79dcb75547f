//===- PrintText.cpp - Findings for a reader ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-explain/Print.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace attn;
using llvm::formatv;
using llvm::StringRef;

namespace {
/// Prints one op.
class TextPrinter {
public:
  TextPrinter(llvm::raw_ostream &os, const Findings &findings,
              size_t mostCandidates)
      : os(os), findings(findings), mostCandidates(mostCandidates) {}

  void print();

private:
  void line(StringRef label, const llvm::Twine &text) {
    os << formatv("{0,-12}{1}\n", label, text.str());
  }
  void detail(StringRef label, const llvm::Twine &text) {
    line(("  " + label).str(), text);
  }
  void printOp(const OpFindings &op);
  void printStructure(const OpFindings &op);
  void printObstacles(const OpFindings &op);
  void printVersion(const OpFindings &op, const Version &version);
  void printList(const OpFindings &op, const Version &version);
  void printCandidates(const Version &version);
  void printBlocks(const OpFindings &op, const Version &version);
  void printHeads(const Version &version);
  void printPairs(const Version &version);
  void printData();
  void printPrediction();

  llvm::raw_ostream &os;
  const Findings &findings;
  size_t mostCandidates;
};
} // namespace

/// "12.5 %", with more digits where it is little.
static std::string share(int64_t part, int64_t whole) {
  double percent = whole ? 100.0 * double(part) / double(whole) : 0.0;
  if (percent > 0 && percent < 1)
    return formatv("{0:f3} %", percent);
  return formatv("{0:f1} %", percent);
}

/// "24 of 96, 25.0 %".
static std::string partOf(int64_t part, int64_t whole) {
  return formatv("{0} of {1}, {2}", part, whole, share(part, whole));
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

void TextPrinter::printObstacles(const OpFindings &op) {
  const Fact *ofRanges = op.findObstacle("ranges"),
             *ofClasses = op.findObstacle("classes");
  auto where = [](const Fact *fact) {
    return formatv("'{0}' at {1}", fact->get("Op"), fact->position).str();
  };
  if (ofRanges && !ofClasses)
    detail("limit", where(ofRanges) + " has no range for a block of queries");
  if (!ofClasses)
    return;
  detail("stopped", "by " + where(ofClasses) + ", of which nothing is known");
  detail("instead", ofClasses->get("Advice"));
}

void TextPrinter::printStructure(const OpFindings &op) {
  StringRef kind = op.structure ? op.structure->get("Kind") : "";
  bool isExact = op.structure && op.structure->get("Exact") == "true";
  StringRef text =
      llvm::StringSwitch<StringRef>(kind)
          .Case("no mask", "no mask: all pairs are computed")
          .Case("ranges", isExact ? "ranges of keys for queries first .. last"
                                  : "ranges of keys for queries first .. last, "
                                    "which do not say all")
          .Case("no ranges", "no range of keys is known")
          .Case("grid", "tokens of a grid, whose keys are no range")
          .Case("given ranges", "ranges of keys that the spec states")
          .Case("given list", "a list of blocks that the spec states")
          .Default("not analysed");
  line("structure", text);
  if (kind == "ranges") {
    detail("visited", op.structure->get("Visited"));
    detail("full", op.structure->get("Full"));
  }
  printObstacles(op);
}

void TextPrinter::printList(const OpFindings &op, const Version &version) {
  if (!version.list)
    return;
  bool hasRanges = op.structure && op.structure->get("Kind") == "ranges";
  StringRef decision = version.list->get("Decision");
  line("list", llvm::StringSwitch<StringRef>(decision)
                   .Case("made", "of blocks of keys, by the classes that the "
                                 "mask's formula gives to pairs of blocks")
                   .Case("exact ranges", "none: the ranges are exact")
                   .Case("nothing known",
                         hasRanges ? "none: the ranges are all that is known"
                                   : "none: nothing is known of pairs of "
                                     "blocks, all are visited")
                   .Case("few queries",
                         hasRanges ? "none: blocks share the keys of few "
                                     "queries, in their range"
                                   : "none: blocks share all keys of few "
                                     "queries")
                   .Default("none: all boxes of a grid are visited"));
  for (const Fact *bounds : version.bounds)
    detail("bounds", formatv("least and largest of every {0} elements of {1} "
                             "along dimension {2}",
                             bounds->get("Width"), bounds->get("Table"),
                             bounds->get("Dim")));
}

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

static std::string getSizes(const Fact &candidate) {
  return formatv("block_q={0},block_k={1}", candidate.get("BlockQ"),
                 candidate.get("BlockK"));
}

/// What speaks for or against a candidate.
static std::string getReason(const Fact &candidate) {
  StringRef reason = candidate.get("Reason");
  if (!candidate.get("Cycles").empty())
    return formatv("{0} cycles per pair{1}{2}", candidate.get("Cycles"),
                   reason.empty() ? "" : ": ", reason);
  StringRef beside = candidate.get("Beside");
  StringRef blocks = beside == "1" ? "one block has" : "two blocks have each";
  std::string shared =
      formatv("{0} bytes of shared memory, {1} {2}", candidate.get("Shared"),
              blocks, candidate.get("MostShared"));
  std::string registers =
      formatv("about {0} registers a thread, {1} are planned with",
              candidate.get("Registers"), candidate.get("MostRegisters"));
  if (reason == "shared memory")
    return "needs " + shared;
  if (reason == "registers")
    return "needs " + registers + ", more would be spilled";
  return shared + "; " + registers;
}

void TextPrinter::printCandidates(const Version &version) {
  std::vector<const Fact *> others;
  for (const Fact *candidate : version.candidates) {
    if (candidate->get("Reason").empty())
      detail("chosen", getSizes(*candidate) + ": " + getReason(*candidate));
    else if (llvm::none_of(others, [&](const Fact *other) {
               return other->values == candidate->values;
             }))
      others.push_back(candidate);
  }
  // Where costs are known, the nearest come first.
  auto getCycles = [](const Fact *fact) {
    double cycles = 0;
    fact->get("Cycles").getAsDouble(cycles);
    return cycles;
  };
  llvm::sort(others, [&](const Fact *x, const Fact *y) {
    return std::pair(getCycles(x), x) < std::pair(getCycles(y), y);
  });
  size_t shown = std::min(others.size(), mostCandidates);
  for (const Fact *other : llvm::ArrayRef(others).take_front(shown))
    detail("rejected", getSizes(*other) + ": " + getReason(*other));
  if (shown < others.size())
    detail("rejected", formatv("{0} others", others.size() - shown));
}

void TextPrinter::printVersion(const OpFindings &op, const Version &version) {
  const Fact &schedule = *version.schedule;
  StringRef most = schedule.get("Most");
  bool isSpecial = most != "0";
  std::string which;
  if (op.versions.size() > 1)
    which = !isSpecial         ? std::string(" (otherwise)")
            : op.isAttention() ? formatv(" (up to {0} queries)", most).str()
                               : " (one token)";
  line("schedule", schedule.get("Schedule") + which);
  detail("because", schedule.get("Rule"));
  if (version.device)
    detail("products",
           formatv("{0}, {1} warps a block", version.device->get("Products"),
                   version.device->get("Warps")));
  printCandidates(version);
  printList(op, version);
  if (version.blocks)
    printBlocks(op, version);
  else if (op.isAttention())
    detail("not run", "for these arguments");
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Whose blocks are counted.
static std::string getHeads(const BlockFacts &facts) {
  if (facts.batches == 1 && facts.heads == 1)
    return "the same for all batches and heads";
  if (facts.heads == 1)
    return formatv("for each of {0} batches", facts.batches);
  if (facts.batches == 1)
    return formatv("for each of {0} heads", facts.heads);
  return formatv("for each of {0} batches and {1} heads", facts.batches,
                 facts.heads);
}

void TextPrinter::printBlocks(const OpFindings &op, const Version &version) {
  const BlockFacts &facts = *version.blocks;
  line("blocks", formatv("{0} of queries, {1} of keys, {2}", facts.rows,
                         facts.columns, getHeads(facts)));
  if (!op.missing.empty()) {
    detail("visited", "what the list says, of which a head has at most " +
                          llvm::Twine(facts.room) + " entries");
    std::string files;
    for (const std::string &name : op.missing)
      files += (files.empty() ? "--arg=" : " and --arg=") + name + "=FILE.npy";
    detail("missing", files + ", to count them");
    return;
  }
  const BlockCounts &sum = version.sum;
  detail("visited", partOf(sum.visited, sum.blocks) + ", " +
                        std::to_string(sum.unmasked) +
                        " of them without evaluating the mask");
  detail("full", partOf(sum.full, sum.blocks));
  detail("mixed", partOf(sum.mixed, sum.blocks));
  detail("empty", partOf(sum.empty, sum.blocks));
  if (sum.outside)
    detail("outside", formatv("{0}, beyond the grid", sum.outside));
  printPairs(version);
  printHeads(version);
}

void TextPrinter::printPairs(const Version &version) {
  const BlockCounts &sum = version.sum;
  if (version.heads.empty() || sum.blocks + sum.outside == 0)
    return; // There are no pairs.
  if (!version.hasPairs()) {
    line("pairs", "not counted, as there are too many in mixed blocks; --exact "
                  "counts them");
    return;
  }
  line("pairs", partOf(sum.kept, sum.existing) + " kept");
  detail("density",
         partOf(sum.kept, sum.inVisited) + " of those in visited blocks");
  detail("inexact",
         formatv("{0} of {1} mixed blocks: {2} are empty, {3} are full",
                 sum.mixedEmpty + sum.mixedFull, sum.mixed, sum.mixedEmpty,
                 sum.mixedFull));
}

void TextPrinter::printHeads(const Version &version) {
  constexpr size_t most = 16;
  if (version.heads.size() < 2)
    return;
  for (auto [number, head] : llvm::enumerate(version.heads)) {
    if (number == most) {
      detail("...", formatv("{0} others", version.heads.size() - most));
      break;
    }
    std::string label = formatv("b={0} h={1}", number / version.blocks->heads,
                                number % version.blocks->heads);
    std::string pairs;
    if (version.hasPairs())
      pairs = "; " + partOf(head.kept, head.existing) + " of pairs";
    detail(label, formatv("visited {0}, full {1}, mixed {2}, empty {3}",
                          head.visited, head.full, head.mixed, head.empty) +
                      pairs);
  }
}

//===----------------------------------------------------------------------===//
// All
//===----------------------------------------------------------------------===//

void TextPrinter::printOp(const OpFindings &op) {
  os << '\n' << op.op->name << " at " << op.op->position;
  if (!op.op->about.empty())
    os << ": " << op.op->about;
  os << '\n';
  if (op.isAttention())
    printStructure(op);
  for (const Version &version : op.versions)
    printVersion(op, version);
  if (op.versions.empty())
    line("schedule", "none: this op has no blocks to choose");
}

/// Whence the integers are that were read.
void TextPrinter::printData() {
  for (const ReadArgument &read : findings.data)
    line("data", read.file.empty()
                     ? formatv("{0}: {1}, random with --seed={2}", read.name,
                               read.fill, findings.seed)
                           .str()
                     : read.name + ": " + read.file);
}

void TextPrinter::printPrediction() {
  const Prediction &prediction = findings.prediction;
  const Machine &machine = findings.machine;
  os << '\n';
  line("predicted", formatv("{0:f3} ms a call, limited by {1}",
                            1e3 * prediction.seconds, prediction.limit));
  detail("machine",
         formatv("{0}, {1}", machine.name,
                 machine.isMeasured ? "measured" : "by the table of machines"));
  for (const CostTerm &term : prediction.terms)
    os << formatv("  {0,-24} {1,10:f4} ms   {2}\n", term.name,
                  1e3 * term.seconds, term.reason);
  for (const std::string &assumption : prediction.assumptions)
    detail(prediction.isRough ? "rough" : "data", assumption);
}

void TextPrinter::print() {
  line("spec", findings.spec);
  line("target", findings.explanation.target);
  line("dims", formatDims(findings.dims));
  printData();
  if (findings.ops.empty())
    line("ops", "none that are blocked");
  if (findings.isTuned)
    line("record", "the schedule is that of the tuning database");
  for (const OpFindings &op : findings.ops)
    printOp(op);
  if (!findings.ops.empty())
    printPrediction();
}

void attn::printText(llvm::raw_ostream &os, const Findings &findings,
                     size_t mostCandidates) {
  TextPrinter(os, findings, mostCandidates).print();
}
