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
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace attn;

/// Of a block along an axis, and of steps.
static constexpr int64_t kMostTokens = 4096, kMostStep = 65536;

/// Parts that keys are split into; warps, stages and resident blocks; overlap.
static constexpr int64_t kMostSplits = 64, kMostWarps = 8, kMostOverlap = 1;

/// Reads "8x16" into `sizes`.
static LogicalResult readSizes(Operation *op, StringRef text, StringRef key,
                               StringRef value, SmallVector<int64_t> &sizes) {
  int64_t most = key == "step" ? kMostStep : kMostTokens;
  sizes.clear();
  for (StringRef part : llvm::split(value, 'x')) {
    int64_t size;
    if (part.getAsInteger(10, size) || size < 1 || size > most)
      return emitError(op->getLoc())
             << "schedule '" << text << "': '" << key
             << "' must be numbers between 1 and " << most
             << ", such as 8x16, got '" << value << "'";
    sizes.push_back(size);
  }
  return success();
}

/// Reads one entry of a schedule into `blocks`.
static LogicalResult readEntry(Operation *op, StringRef text, StringRef entry,
                               BlockSizes &blocks) {
  auto [key, value] = entry.split('=');
  auto *list = llvm::StringSwitch<SmallVector<int64_t> *>(key)
                   .Case("box_q", &blocks.boxQ)
                   .Case("box_k", &blocks.boxK)
                   .Case("step", &blocks.step)
                   .Default(nullptr);
  if (list)
    return readSizes(op, text, key, value, *list);
  int64_t size;
  int64_t *slot = key == "block_q"    ? &blocks.q
                  : key == "block_k"  ? &blocks.k
                  : key == "splits"   ? &blocks.splits
                  : key == "warps"    ? &blocks.warps
                  : key == "stages"   ? &blocks.stages
                  : key == "overlap"  ? &blocks.overlap
                  : key == "resident" ? &blocks.resident
                                      : nullptr;
  if (!slot)
    return emitError(op->getLoc())
           << "schedule '" << text
           << "': expected 'block_q', 'block_k', 'splits', 'warps', 'stages', "
              "'overlap', 'resident', 'box_q', 'box_k' or 'step', got '"
           << key << "'";
  int64_t most = key == "splits" ? kMostSplits
                 : key == "warps" || key == "stages" || key == "resident"
                     ? kMostWarps
                 : key == "overlap" ? kMostOverlap
                                    : kMostTokens;
  int64_t least = most == kMostTokens ? 1 : 0;
  if (value.getAsInteger(10, size) || size < least || size > most)
    return emitError(op->getLoc())
           << "schedule '" << text << "': '" << key
           << "' must be a number between " << least << " and " << most
           << ", got '" << value << "'";
  *slot = size;
  return success();
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

/// Refuses a text whose parts have other names, or the same one twice.
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
  for (StringRef entry : llvm::split(text, ','))
    if (failed(readEntry(op, text, entry, blocks)))
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
