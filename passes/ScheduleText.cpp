//===- ScheduleText.cpp - Schedules that a user asks for ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ScheduleText.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;

/// At most so many queries are few.
static constexpr int64_t kFewQueries = 16;

/// Reads one entry of a schedule into `blocks`.
static LogicalResult readEntry(Operation *op, StringRef text, StringRef entry,
                               BlockSizes &blocks) {
  auto [key, value] = entry.split('=');
  int64_t size;
  int64_t *slot = key == "block_q"   ? &blocks.q
                  : key == "block_k" ? &blocks.k
                  : key == "splits"  ? &blocks.splits
                                     : nullptr;
  if (!slot)
    return emitError(op->getLoc())
           << "schedule '" << text
           << "': expected 'block_q', 'block_k' or 'splits', got '" << key
           << "'";
  int64_t least = key == "splits" ? 0 : 1, most = key == "splits" ? 64 : 4096;
  if (value.getAsInteger(10, size) || size < least || size > most)
    return emitError(op->getLoc())
           << "schedule '" << text << "': '" << key
           << "' must be a number between " << least << " and " << most
           << ", got '" << value << "'";
  *slot = size;
  return success();
}

FailureOr<BlockSizes> attn::overrideSchedule(Operation *op, StringRef text,
                                             BlockSizes blocks) {
  if (text.empty())
    return blocks;
  for (StringRef entry : llvm::split(text, ','))
    if (failed(readEntry(op, text, entry, blocks)))
      return failure();
  return blocks;
}

bool attn::hasFewQueries(AttendOp op) {
  int64_t queries =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(2);
  if (std::optional<uint64_t> most = op.getMaxQueries())
    queries = *most;
  return !ShapedType::isDynamic(queries) && queries <= kFewQueries;
}

BlockSizes attn::takeListed(AttendOp op, BlockSizes blocks) {
  if (std::optional<ArrayRef<int64_t>> sizes = op.getBlockSizes())
    return {(*sizes)[0], (*sizes)[1], 0};
  return blocks;
}
