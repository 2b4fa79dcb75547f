//===- KeptKeys.h - Which keys a mask keeps, by samples ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How much a kernel computes depends on how blocks meet the mask. Here the mask
// is evaluated, for all keys and a few queries of some blocks, and what is
// counted for these blocks stands for all. A mask that reads tensors is not
// known before a call.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COST_KEPTKEYS_H
#define ATTN_CODEGEN_COST_KEPTKEYS_H

#include "dialect/AttnDialect.h"
#include "passes/ScheduleText.h"
#include "llvm/ADT/BitVector.h"
#include <functional>
#include <map>
#include <memory>

namespace attn {

/// The size of a dimension of a tensor in a call.
using SizeOf = std::function<int64_t(mlir::Value, unsigned)>;

/// What the blocks of a head visit, on average over heads.
struct Visits {
  double pairs = 0; ///< Pairs of query and key that are computed.
  double steps = 0; ///< Pairs of a block of queries and a block of keys.
  double kept = 0;  ///< Pairs that the mask keeps.
};

/// The mask of an op for the sizes of a call.
class KeptKeys {
public:
  /// `op` has been through attn-infer-sparsity.
  KeptKeys(AttendOp op, const SizeOf &sizeOf);
  ~KeptKeys();

  /// Whether there is a mask that reads tensors: all pairs are assumed.
  bool isUnknown() const;

  /// Whether blocks are found by ranges of keys, not by asking the mask.
  bool hasRange() const { return isRange; }

  /// What blocks visit. Groups of `strip` queries visit the range of keys that
  /// some of them keep, of all keys or, where that is not known, of each block.
  Visits count(const BlockSizes &blocks, int64_t strip);

private:
  struct Program;
  using Key = std::pair<int64_t, int64_t>; ///< Head, query.

  const llvm::BitVector &getRow(int64_t head, int64_t query);
  Visits countAll(const BlockSizes &blocks) const;
  Visits countRanges(const BlockSizes &blocks, int64_t strip, int64_t head);
  Visits countBoxes(const BlockSizes &blocks, int64_t strip, int64_t head);
  double countKept(int64_t head);

  std::unique_ptr<Program> program; ///< Null without a mask.
  bool isRange = false;
  int64_t heads = 1;
  llvm::SmallVector<int64_t> queries, keys; ///< Extents.
  int64_t numQueries = 1, numKeys = 1;
  int64_t shift = 0; ///< Of positions of queries, for alignment(end).
  std::map<Key, llvm::BitVector> rows;
};

} // namespace attn

#endif // ATTN_CODEGEN_COST_KEPTKEYS_H
