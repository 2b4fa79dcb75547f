//===- BoxSchedule.cpp - Boxes for grids of tokens ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All ways to write the number of tokens as a product of sizes are compared, by
//
//   tokens of all boxes that cover the grid * sum of the sizes
//
// Masks of grids mostly keep what is near, and what is near a box grows with
// its surface; what lies outside of the grid is computed in vain. Among equals,
// the box with the longest rows is read best.
//
//===----------------------------------------------------------------------===//

#include "passes/BoxSchedule.h"
#include "passes/sparsity/MaskSteps.h"

using namespace mlir;
using namespace attn;

double attn::getWaste(ArrayRef<int64_t> box, ArrayRef<int64_t> extents,
                      ArrayRef<int64_t> step) {
  double waste = 1;
  for (auto [axis, extent] : llvm::enumerate(extents)) {
    if (ShapedType::isDynamic(extent) || extent == 0)
      continue;
    int64_t distance = step.empty() ? 1 : step[axis];
    int64_t ofClass = llvm::divideCeil(extent, distance);
    int64_t covered =
        distance * int64_t(llvm::alignTo(ofClass, uint64_t(box[axis])));
    waste *= double(covered) / double(extent);
  }
  return waste;
}

/// What is to be small.
static double getCost(ArrayRef<int64_t> box, ArrayRef<int64_t> extents,
                      ArrayRef<int64_t> step) {
  int64_t sum = 0;
  for (int64_t size : box)
    sum += size;
  return getWaste(box, extents, step) * double(sum);
}

/// Replaces `best` by better boxes that begin with the sizes of `box`, of which
/// those of the axes from `axis` on are open and have `tokens` as product.
static void search(SmallVector<int64_t> &box, size_t axis, int64_t tokens,
                   ArrayRef<int64_t> extents, ArrayRef<int64_t> step,
                   SmallVector<int64_t> &best) {
  if (axis + 1 == box.size()) {
    box.back() = tokens;
    if (best.empty() ||
        getCost(box, extents, step) < getCost(best, extents, step))
      best = box;
    return;
  }
  // From short to long, so that the last axis is the longest among equals.
  for (int64_t size = 1; size <= tokens; ++size) {
    if (tokens % size)
      continue;
    box[axis] = size;
    search(box, axis + 1, tokens / size, extents, step, best);
  }
}

SmallVector<int64_t> attn::chooseBox(int64_t tokens, ArrayRef<int64_t> extents,
                                     ArrayRef<int64_t> step) {
  SmallVector<int64_t> box(extents.size(), 1), best;
  search(box, 0, tokens, extents, step, best);
  return best;
}

/// The end of the box of queries that has `tokens` tokens; empty if no box ends
/// its axes there.
static SmallVector<int64_t> getEndOfBox(ArrayRef<int64_t> box, int64_t tokens) {
  SmallVector<int64_t> end(box.size(), 1);
  for (size_t axis = box.size(); axis-- > 0 && tokens > 1;) {
    end[axis] = std::min(box[axis], tokens);
    if (tokens % end[axis])
      return {};
    tokens /= end[axis];
  }
  if (tokens > 1)
    return {};
  return end;
}

/// A box of keys. Few keys are the end of the box of queries, as the queries
/// that a CPU computes at once are: what is near of one lies in few of them.
static SmallVector<int64_t> chooseKeyBox(AttendOp op,
                                         const BlockSizes &blocks) {
  constexpr int64_t few = 16;
  ArrayRef<int64_t> extents = getExtents(op.getKey());
  SmallVector<int64_t> best = chooseBox(blocks.k, extents, blocks.step);
  if (blocks.k > few)
    return best;
  SmallVector<int64_t> end = getEndOfBox(blocks.boxQ, blocks.k);
  bool isBetter = !end.empty() && getWaste(end, extents, blocks.step) <=
                                      getWaste(best, extents, blocks.step);
  return isBetter ? end : best;
}

SmallVector<int64_t> attn::chooseStep(AttendOp op, StringRef text) {
  bool isLeftOpen = op.getNumAxes() > 1 || text.empty();
  if (!isLeftOpen || op.getScheduleAttr() || op.getBlocks() ||
      op.getAlignment() == Alignment::End || hasFewQueries(op))
    return {};
  return findSteps(op);
}

ArrayRef<int64_t> attn::getExtents(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.getShape().drop_front(2).drop_back();
}

/// Chooses boxes that are missing; fails where there are others than `op` has
/// axes.
static LogicalResult completeBoxes(AttendOp op, BlockSizes &blocks) {
  int64_t axes = op.getNumAxes();
  if (axes == 1 && blocks.boxQ.empty() && blocks.boxK.empty() &&
      blocks.step.empty())
    return success();
  for (auto [name, sizes] : {std::pair("box_q", &blocks.boxQ),
                             {"box_k", &blocks.boxK},
                             {"step", &blocks.step}})
    if (!sizes->empty() && int64_t(sizes->size()) != axes)
      return emitError(op.getLoc())
             << "schedule: '" << name << "' must have a size for each of the "
             << axes << " axes of tokens, got " << sizes->size();
  if (op.getAlignment() == Alignment::End)
    return emitError(op.getLoc())
           << "schedule: boxes cannot be used with 'alignment(end)'; expected "
              "a "
              "schedule without 'box_q', 'box_k' and 'step'";
  if (blocks.boxQ.empty())
    blocks.boxQ = chooseBox(blocks.q, getExtents(op.getQuery()), blocks.step);
  if (blocks.boxK.empty())
    blocks.boxK = chooseKeyBox(op, blocks);
  return success();
}

FailureOr<ScheduleAttr> attn::makeSchedule(Operation *op, BlockSizes blocks) {
  MLIRContext *context = op->getContext();
  auto attend = dyn_cast<AttendOp>(op);
  // Ops other than attention have no boxes, whatever is asked for.
  if (!attend)
    return ScheduleAttr::get(context, blocks.q, blocks.k, blocks.splits,
                             blocks.warps, blocks.stages, blocks.resident);
  if (failed(completeBoxes(attend, blocks)))
    return failure();
  auto list = [&](ArrayRef<int64_t> sizes) {
    return sizes.empty() ? DenseI64ArrayAttr()
                         : DenseI64ArrayAttr::get(context, sizes);
  };
  auto schedule = ScheduleAttr::getChecked(
      [&] { return emitError(op->getLoc()); }, context, blocks.q, blocks.k,
      blocks.splits, blocks.warps, blocks.stages, blocks.overlap,
      blocks.resident, list(blocks.boxQ), list(blocks.boxK), list(blocks.step));
  if (!schedule)
    return failure();
  // The numbers of a list that is given are those of the boxes it came with.
  ScheduleAttr listed = attend.getScheduleAttr();
  bool hasBoxes = schedule.hasBoxes() || (listed && listed.hasBoxes());
  if (attend.getBlocks() && hasBoxes && schedule != listed)
    return emitError(op->getLoc())
           << "schedule: boxes cannot be changed where 'blocks' lists them; "
              "got "
           << schedule;
  return schedule;
}
