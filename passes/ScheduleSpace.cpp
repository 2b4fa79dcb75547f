//===- ScheduleSpace.cpp - Schedules that may be tried --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ScheduleSpace.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

int64_t attn::getScratchBytes(BlockSizes blocks, int64_t width,
                              int64_t elementBytes) {
  return elementBytes * (width * (blocks.q + blocks.k) + blocks.q * blocks.k);
}

//===----------------------------------------------------------------------===//
// Points
//===----------------------------------------------------------------------===//

/// The number that an axis without boxes is about; null if there is none.
static int64_t *getSlot(BlockSizes &blocks, StringRef axis) {
  return llvm::StringSwitch<int64_t *>(axis)
      .Case("block_q", &blocks.q)
      .Case("block_k", &blocks.k)
      .Case("splits", &blocks.splits)
      .Case("warps", &blocks.warps)
      .Case("stages", &blocks.stages)
      .Default(nullptr);
}

BlockSizes attn::applyPoint(StringRef point, BlockSizes blocks) {
  auto readBox = [](StringRef value, SmallVector<int64_t> &box) {
    int64_t tokens = 1;
    box.clear();
    for (StringRef size : llvm::split(value, 'x')) {
      box.push_back(1);
      size.getAsInteger(10, box.back());
      tokens *= box.back();
    }
    return tokens;
  };
  for (StringRef entry : llvm::split(point, ',')) {
    auto [key, value] = entry.split('=');
    if (key == "box_q")
      blocks.q = readBox(value, blocks.boxQ);
    else if (key == "box_k")
      blocks.k = readBox(value, blocks.boxK);
    else if (int64_t *slot = getSlot(blocks, key))
      value.getAsInteger(10, *slot);
  }
  return blocks;
}

/// "8x16".
static std::string printBox(ArrayRef<int64_t> box) {
  return llvm::join(
      llvm::map_range(box, [](int64_t size) { return std::to_string(size); }),
      "x");
}

std::string attn::printPoint(const BlockSizes &blocks,
                             const ScheduleSpace &space) {
  std::vector<std::string> entries;
  BlockSizes own = blocks;
  for (const ScheduleAxis &axis : space.axes) {
    std::string value = axis.name == "box_q" ? printBox(blocks.boxQ)
                        : axis.name == "box_k"
                            ? printBox(blocks.boxK)
                            : std::to_string(*getSlot(own, axis.name));
    // What the target has is the first of its warps and stages.
    if (value == "0" && (axis.name == "warps" || axis.name == "stages"))
      value = axis.values.front();
    entries.push_back(axis.name + "=" + value);
  }
  return llvm::join(entries, ",");
}

std::vector<std::string> ScheduleSpace::getPoints() const {
  std::vector<std::string> points{""};
  for (const ScheduleAxis &axis : axes) {
    std::vector<std::string> longer;
    for (const std::string &point : points)
      for (const std::string &value : axis.values)
        longer.push_back(point + (point.empty() ? "" : ",") + axis.name + "=" +
                         value);
    points = std::move(longer);
  }
  llvm::erase_if(points, [&](const std::string &point) {
    return point.empty() || !whyNot(applyPoint(point, {1, 1})).empty();
  });
  return points;
}

static std::vector<std::string> toTexts(ArrayRef<int64_t> values) {
  std::vector<std::string> texts;
  for (int64_t value : values)
    texts.push_back(std::to_string(value));
  return texts;
}

/// Adds the boxes that begin with the sizes of `box`.
static void addBoxes(SmallVector<int64_t> &box, int64_t tokens, int64_t least,
                     int64_t most, ArrayRef<int64_t> extents,
                     std::vector<std::string> &boxes) {
  constexpr int64_t longest = 4;
  if (box.size() == extents.size()) {
    if (tokens >= least &&
        *llvm::max_element(box) <= longest * *llvm::min_element(box))
      boxes.push_back(llvm::join(toTexts(box), "x"));
    return;
  }
  int64_t extent = extents[box.size()];
  for (int64_t size = 1; tokens * size <= most; size *= 2) {
    if (!ShapedType::isDynamic(extent) &&
        size > int64_t(llvm::PowerOf2Ceil(std::max<int64_t>(extent, 1))))
      break;
    box.push_back(size);
    addBoxes(box, tokens * size, least, most, extents, boxes);
    box.pop_back();
  }
}

std::vector<std::string> attn::getBoxes(int64_t least, int64_t most,
                                        ArrayRef<int64_t> extents) {
  SmallVector<int64_t> box;
  std::vector<std::string> boxes;
  addBoxes(box, 1, least, most, extents, boxes);
  return boxes;
}

//===----------------------------------------------------------------------===//
// CPUs
//===----------------------------------------------------------------------===//

/// Elements in a register.
static int64_t getLanes(Value rows, int64_t vectorBits) {
  Type element = cast<RankedTensorType>(rows.getType()).getElementType();
  return vectorBits / (getAccumulatorType(element).isF64() ? 64 : 32);
}

static int64_t getWidth(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getShape().back();
}

static ScheduleSpace getSpace(AttendOp op, int64_t vectorBits,
                              ArrayRef<int64_t> extents) {
  int64_t lanes = getLanes(op.getQuery(), vectorBits);
  int64_t width = getWidth(op.getQuery()) + getWidth(op.getValue());
  ScheduleSpace space;
  space.whyNot = [=](BlockSizes blocks) -> std::string {
    if (blocks.q % lanes)
      return llvm::formatv("block_q = {0} is no multiple of {1} lanes",
                           blocks.q, lanes);
    int64_t bytes = getScratchBytes(blocks, width, vectorBits / 8 / lanes);
    if (bytes > kScratchLimit)
      return llvm::formatv("{0} bytes of scratch, at most {1}", bytes,
                           kScratchLimit);
    return "";
  };
  if (op.getBlockSizes()) // A list has blocks of its own.
    return space;
  if (op.getNumAxes() > 1) {
    space.axes = {{"box_q", getBoxes(lanes, kMostBoxTokens, extents)},
                  {"box_k", getBoxes(16, kMostBoxTokens, extents)}};
    return space;
  }
  if (hasFewQueries(op)) {
    space.axes = {{"block_q", toTexts({lanes})},
                  {"block_k", toTexts({32, 64, 128, 256})}};
    if (op.isMergeable())
      space.axes.push_back({"splits", toTexts({0, 1, 2, 4, 8, 16, 32})});
    return space;
  }
  SmallVector<int64_t> rows;
  for (int64_t strips : {1, 2, 3, 4, 6, 8, 12, 16, 24, 32})
    rows.push_back(strips * lanes);
  space.axes = {
      {"block_q", toTexts(rows)},
      {"block_k", toTexts({16, 32, 48, 64, 96, 128, 192, 256, 384, 512})}};
  return space;
}

static ScheduleSpace getSpace(RecurOp op, int64_t vectorBits) {
  int64_t lanes = getLanes(op.getQuery(), vectorBits);
  int64_t columns = op.getStateColumns();
  ScheduleSpace space;
  space.whyNot = [=](BlockSizes blocks) -> std::string {
    if (blocks.q != 1 && blocks.q % lanes)
      return llvm::formatv("block_q = {0} is neither 1 nor a multiple of {1} "
                           "lanes",
                           blocks.q, lanes);
    if (columns % std::min(blocks.k, columns))
      return llvm::formatv("block_k = {0} does not divide {1} columns",
                           blocks.k, columns);
    return "";
  };
  // Regions on whole rows of values need them in one block.
  bool needsAll = !op.getNorm().empty() || !op.getValueRows().empty();
  SmallVector<int64_t> widths;
  for (int64_t width : {16, 32, 48, 64, 96, 128, 256})
    if (!needsAll && width < columns && width % lanes == 0)
      widths.push_back(width);
  widths.push_back(columns);
  SmallVector<int64_t> chunks{1};
  for (int64_t registers : {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16})
    chunks.push_back(registers * lanes);
  if (op.hasOneToken())
    chunks = {1};
  space.axes = {{"block_q", toTexts(chunks)}, {"block_k", toTexts(widths)}};
  // A sequence that is cut already is not cut again.
  if (!op.hasOneToken() && !op.getSegments())
    space.axes.push_back({"splits", toTexts({0, 2, 4})});
  return space;
}

ScheduleSpace attn::getCpuScheduleSpace(Operation *op, int64_t vectorBits,
                                        ArrayRef<int64_t> extents) {
  if (auto attend = dyn_cast<AttendOp>(op))
    return getSpace(attend, vectorBits, extents);
  if (auto recur = dyn_cast<RecurOp>(op))
    return getSpace(recur, vectorBits);
  return {};
}
