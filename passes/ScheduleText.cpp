//===- ScheduleText.cpp - Schedules that a user asks for ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ScheduleText.h"
#include "passes/Report.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;

/// Of a block along an axis, and of steps.
static constexpr int64_t kMostTokens = 4096, kMostStep = 65536;

namespace {
/// A key whose value is a number: a multiple of `unit` between `least` and
/// `most`.
struct NumberKey {
  StringRef name;
  int64_t BlockSizes::*slot;
  int64_t least, most, unit = 1;
};

/// A key whose value is a number for each axis, up to `most`.
struct ListKey {
  StringRef name;
  SmallVector<int64_t> BlockSizes::*slot;
  int64_t most;
};
} // namespace

static constexpr NumberKey kNumberKeys[] = {
    {"block_q", &BlockSizes::q, 1, kMostTokens},
    {"block_k", &BlockSizes::k, 1, kMostTokens},
    {"splits", &BlockSizes::splits, 0, 64},
    {"warps", &BlockSizes::warps, 0, 8, 4},
    {"stages", &BlockSizes::stages, 0, 8},
    {"overlap", &BlockSizes::overlap, 0, 1},
    {"resident", &BlockSizes::resident, 0, 8}};
static constexpr ListKey kListKeys[] = {
    {"box_q", &BlockSizes::boxQ, kMostTokens},
    {"box_k", &BlockSizes::boxK, kMostTokens},
    {"step", &BlockSizes::step, kMostStep}};

/// Reads "8x16".
static LogicalResult readSizes(Operation *op, StringRef text,
                               const ListKey &key, StringRef value,
                               BlockSizes &blocks) {
  SmallVector<int64_t> &sizes = blocks.*key.slot;
  sizes.clear();
  for (StringRef part : llvm::split(value, 'x')) {
    int64_t size;
    if (part.getAsInteger(10, size) || size < 1 || size > key.most)
      return emitError(op->getLoc())
             << "schedule '" << text << "': '" << key.name
             << "' must be numbers between 1 and " << key.most
             << ", such as 8x16, got '" << value << "'";
    sizes.push_back(size);
  }
  return success();
}

/// Reads the value of a key that has a number.
static LogicalResult readNumber(Operation *op, StringRef text,
                                const NumberKey &key, StringRef value,
                                BlockSizes &blocks) {
  int64_t &number = blocks.*key.slot;
  if (!value.getAsInteger(10, number) && number >= key.least &&
      number <= key.most && number % key.unit == 0)
    return success();
  auto error = emitError(op->getLoc())
               << "schedule '" << text << "': '" << key.name << "' must be ";
  if (key.unit == 1)
    error << "a number between " << key.least << " and " << key.most;
  else
    error << key.least << ", " << key.unit << " or " << key.most;
  return error << ", got '" << value << "'";
}

/// Reads one entry of a schedule into `blocks`.
static LogicalResult readEntry(Operation *op, StringRef text, StringRef entry,
                               BlockSizes &blocks) {
  auto [name, value] = entry.split('=');
  for (const ListKey &key : kListKeys)
    if (key.name == name)
      return readSizes(op, text, key, value, blocks);
  for (const NumberKey &key : kNumberKeys)
    if (key.name == name)
      return readNumber(op, text, key, value, blocks);
  return emitError(op->getLoc())
         << "schedule '" << text
         << "': expected 'block_q', 'block_k', 'splits', 'warps', 'stages', "
            "'overlap', 'resident', 'box_q', 'box_k' or 'step', got '"
         << name << "'";
}

static int64_t countTokens(ArrayRef<int64_t> box) {
  int64_t tokens = 1;
  for (int64_t size : box)
    tokens = std::min(tokens * size, kMostTokens + 1);
  return tokens;
}

/// Lets a box and its block agree where `text` has one of the two.
static void agree(StringRef text, StringRef block, StringRef box, int64_t &size,
                  SmallVector<int64_t> &sizes) {
  auto has = [&](StringRef key) {
    return llvm::any_of(llvm::split(text, ','), [&](StringRef entry) {
      return entry.split('=').first == key;
    });
  };
  if (has(box) && !has(block))
    size = countTokens(sizes);
  else if (has(block) && !has(box) && size != countTokens(sizes))
    sizes.clear();
}

bool attn::hasScheduleParts(StringRef text) { return text.contains(':'); }

StringRef attn::getSchedulePart(StringRef text, bool isFew) {
  if (!hasScheduleParts(text))
    return text;
  for (StringRef part : llvm::split(text, ';'))
    if (part.consume_front(isFew ? "few:" : "many:"))
      return part;
  return "";
}

/// Reads a text without parts into `blocks`.
static LogicalResult readEntries(Operation *op, StringRef text,
                                 BlockSizes &blocks) {
  SmallVector<StringRef> seen;
  for (StringRef entry : llvm::split(text, ',')) {
    if (failed(readEntry(op, text, entry, blocks)))
      return failure();
    StringRef name = entry.split('=').first;
    if (llvm::is_contained(seen, name))
      return emitError(op->getLoc())
             << "schedule '" << text << "': expected each key once, got '"
             << name << "' twice";
    seen.push_back(name);
  }
  return success();
}

/// Refuses a text whose parts have other names, or the same one twice, or say
/// what nothing can say, be it of `op` or not.
static LogicalResult checkParts(Operation *op, StringRef text) {
  SmallVector<StringRef> seen;
  if (!hasScheduleParts(text))
    return success();
  for (StringRef part : llvm::split(text, ';')) {
    StringRef name = part.split(':').first;
    if ((name != "few" && name != "many") || !part.contains(':') ||
        llvm::is_contained(seen, name))
      return emitError(op->getLoc())
             << "schedule '" << text
             << "': expected 'few:...', 'many:...' or both, each once, with a "
                "';' between, got '"
             << part << "'";
    seen.push_back(name);
    StringRef entries = part.split(':').second;
    BlockSizes unused{};
    if (!entries.empty() && failed(readEntries(op, entries, unused)))
      return failure();
  }
  return success();
}

FailureOr<BlockSizes> attn::overrideSchedule(Operation *op, StringRef text,
                                             BlockSizes blocks) {
  if (failed(checkParts(op, text)))
    return failure();
  text = getSchedulePart(text, hasFewTokens(op));
  if (text.empty())
    return blocks;
  if (failed(readEntries(op, text, blocks)))
    return failure();
  agree(text, "block_q", "box_q", blocks.q, blocks.boxQ);
  agree(text, "block_k", "box_k", blocks.k, blocks.boxK);
  return blocks;
}

BlockSizes attn::getBlockSizes(ScheduleAttr schedule) {
  auto list = [](DenseI64ArrayAttr sizes) {
    return sizes ? SmallVector<int64_t>(sizes.asArrayRef())
                 : SmallVector<int64_t>();
  };
  return {schedule.getBlockQ(),     schedule.getBlockK(),
          schedule.getSplits(),     schedule.getWarps(),
          schedule.getStages(),     schedule.getOverlap(),
          schedule.getResident(),   list(schedule.getBoxQ()),
          list(schedule.getBoxK()), list(schedule.getStep())};
}

LogicalResult attn::checkNotForGpu(Operation *op, BlockSizes blocks,
                                   StringRef of) {
  struct Key {
    StringRef name;
    int64_t value;
    StringRef with;
  };
  for (const Key &key : {Key{"warps", blocks.warps, ""},
                         {"stages", blocks.stages, "and recurrences "},
                         {"overlap", blocks.overlap, ""},
                         {"resident", blocks.resident, "and recurrences "}})
    if (key.value)
      return emitError(op->getLoc())
             << "schedule: '" << key.name << "' is for attention " << key.with
             << "on GPUs, got " << key.value << " for " << of
             << "; expected a schedule without it";
  return success();
}

std::string attn::printSchedule(ScheduleAttr schedule) {
  std::string text = "block_q=" + std::to_string(schedule.getBlockQ()) +
                     ",block_k=" + std::to_string(schedule.getBlockK());
  if (schedule.getSplits())
    text += ",splits=" + std::to_string(schedule.getSplits());
  if (schedule.getWarps())
    text += ",warps=" + std::to_string(schedule.getWarps());
  if (schedule.getStages())
    text += ",stages=" + std::to_string(schedule.getStages());
  if (schedule.getOverlap())
    text += ",overlap=" + std::to_string(schedule.getOverlap());
  if (schedule.getResident())
    text += ",resident=" + std::to_string(schedule.getResident());
  auto add = [&](StringRef name, DenseI64ArrayAttr sizes) {
    if (!sizes)
      return;
    text += ("," + name + "=").str();
    for (auto [number, size] : llvm::enumerate(sizes.asArrayRef()))
      text += (number ? "x" : "") + std::to_string(size);
  };
  add("box_q", schedule.getBoxQ());
  add("box_k", schedule.getBoxK());
  add("step", schedule.getStep());
  return text;
}

void attn::reportSchedule(Operation *op, ScheduleAttr schedule,
                          StringRef rule) {
  if (!isReported(op->getContext()))
    return;
  std::optional<uint64_t> most;
  if (auto attend = dyn_cast<AttendOp>(op))
    most = attend.getMaxQueries();
  else if (auto recur = dyn_cast<RecurOp>(op))
    most = recur.getMaxTokens();
  report(op->getLoc(), "schedule")
      << FactValue("Schedule", printSchedule(schedule))
      << FactValue("Rule", rule) << FactValue("Most", most.value_or(0));
}

bool attn::hasFewQueries(AttendOp op) {
  int64_t queries =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(2);
  if (op.getNumAxes() > 1)
    return false;
  if (std::optional<uint64_t> most = op.getMaxQueries())
    queries = *most;
  return !ShapedType::isDynamic(queries) && queries <= kFewQueries;
}

bool attn::hasFewTokens(Operation *op) {
  if (auto attend = dyn_cast<AttendOp>(op))
    return hasFewQueries(attend);
  auto recur = dyn_cast<RecurOp>(op);
  return recur && recur.hasOneToken();
}

BlockSizes attn::takeListed(AttendOp op, BlockSizes blocks) {
  if (std::optional<ArrayRef<int64_t>> sizes = op.getBlockSizes()) {
    blocks.q = (*sizes)[0];
    blocks.k = (*sizes)[1];
    blocks.splits = 0;
  }
  return blocks;
}
