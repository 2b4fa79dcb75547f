//===- ScheduleSpace.cpp - Schedules that GPUs may try --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ScheduleSpace.h"
#include "codegen/gpu/BlockProblems.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;

/// Why a block that needs so much has no room.
static std::string checkRoom(int64_t bytes, int64_t most, int64_t registers) {
  if (bytes > most)
    return llvm::formatv("{0} bytes of shared memory, at most {1}", bytes,
                         most);
  if (registers > kThreadRegisters)
    return llvm::formatv("about {0} registers, at most {1}", registers,
                         kThreadRegisters);
  return "";
}

BlockProblem attn::withBlocks(BlockProblem problem, const BlockSizes &blocks,
                              int64_t threads) {
  problem.blockQ = blocks.q;
  problem.blockK = blocks.k;
  problem.threads = blocks.warps ? kWarpLanes * blocks.warps : threads;
  problem.stages = std::max(blocks.stages, int64_t(1));
  problem.overlaps = blocks.overlap;
  problem.isNarrow &= blocks.k <= kMostMatrixColumns;
  return problem;
}

ChunkProblem attn::withBlocks(ChunkProblem problem, const BlockSizes &blocks) {
  problem.chunk = blocks.q;
  problem.columns = std::min(blocks.k, problem.columns);
  problem.stages = std::max(blocks.stages, int64_t(1));
  problem.isNarrow &=
      blocks.q % kMatrixTokens == 0 && problem.columns % kMatrixMultiple == 0;
  problem.storesState |= blocks.splits > 0;
  return problem;
}

/// Why blocks cannot have so many warps: each has a band of rows at least, but
/// for the usual number of warps.
static std::string checkWarps(const BlockSizes &blocks, int64_t threads) {
  bool isUsual = !blocks.warps || kWarpLanes * blocks.warps == threads;
  if (isUsual || blocks.q % (kBandRows * blocks.warps) == 0)
    return "";
  return llvm::formatv("block_q = {0} is no multiple of {1}, {2} for each of "
                       "{3} warps",
                       blocks.q, kBandRows * blocks.warps, kBandRows,
                       blocks.warps);
}

static ScheduleSpace getSpace(AttendOp op, int64_t sharedBytes, int64_t threads,
                              ArrayRef<int64_t> extents) {
  ScheduleSpace space;
  BlockProblem problem = getProblem(op);
  // The space may outlive the op.
  space.whyNot = [=](BlockSizes blocks) -> std::string {
    if (blocks.q % kThreadRows || blocks.k % kThreadRows)
      return llvm::formatv("{0} x {1} are no multiples of {2}", blocks.q,
                           blocks.k, kThreadRows);
    if (std::string why = checkWarps(blocks, threads); !why.empty())
      return why;
    BlockProblem own = withBlocks(problem, blocks, threads);
    return checkRoom(estimateSharedBytes(own), sharedBytes,
                     estimateRegisters(own));
  };
  if (op.getBlockSizes())
    return space;
  bool isFew = hasFewQueries(op);
  if (op.getNumAxes() > 1) {
    space.axes = {{"box_q", getBoxes(16, 128, extents)},
                  {"box_k", getBoxes(16, 128, extents)}};
  } else {
    space.axes = {{"block_q", {"16"}}, {"block_k", {"16", "32", "64", "128"}}};
    if (!isFew)
      space.axes[0].values = {"16", "32", "64", "128"};
    else if (op.isMergeable())
      space.axes.push_back({"splits", {"0", "1", "2", "4", "8", "16", "32"}});
  }
  if (!problem.isNarrow)
    return space;
  if (!isFew)
    space.axes.push_back(
        {"warps", {std::to_string(threads / kWarpLanes), "8"}});
  space.axes.push_back({"stages", {"1", "2", "3", "4"}});
  return space;
}

static ScheduleSpace getSpace(RecurOp op, int64_t sharedBytes,
                              int64_t threads) {
  ScheduleSpace space;
  ChunkProblem whole = getProblem(op, threads);
  space.whyNot = [=](BlockSizes blocks) -> std::string {
    ChunkProblem problem = withBlocks(whole, blocks);
    if (whole.columns % problem.columns)
      return llvm::formatv("block_k = {0} does not divide {1} columns",
                           blocks.k, whole.columns);
    return checkRoom(estimateSharedBytes(problem), sharedBytes,
                     estimateRegisters(problem));
  };
  std::vector<std::string> chunks, columns;
  for (int64_t tokens : {16, 32, 64})
    if (tokens <= getMostTokens(op))
      chunks.push_back(std::to_string(tokens));
  if (op.hasOneToken())
    chunks = {"1"};
  for (int64_t width : {16, 32, 64})
    if (!needsAllColumns(op) && width < op.getStateColumns())
      columns.push_back(std::to_string(width));
  columns.push_back(std::to_string(op.getStateColumns()));
  space.axes = {{"block_q", chunks}, {"block_k", columns}};
  if (!op.hasOneToken() && !op.getSegments())
    space.axes.push_back({"splits", {"0", "2", "4"}});
  return space;
}

ScheduleSpace attn::getGpuScheduleSpace(Operation *op, int64_t sharedBytes,
                                        int64_t threads,
                                        ArrayRef<int64_t> extents) {
  if (auto attend = dyn_cast<AttendOp>(op))
    return getSpace(attend, sharedBytes, threads, extents);
  if (auto recur = dyn_cast<RecurOp>(op))
    return getSpace(recur, sharedBytes, threads);
  return {};
}
