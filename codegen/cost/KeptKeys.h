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
// counted for these blocks stands for all. Masks and lists of blocks that are
// data count as they are if the data is given. Without it, a pair counts unless
// the rest of the mask says that it is dropped: of documents and a window the
// window is left.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COST_KEPTKEYS_H
#define ATTN_CODEGEN_COST_KEPTKEYS_H

#include "codegen/cost/MaskProgram.h"
#include "passes/ScheduleText.h"
#include "llvm/ADT/BitVector.h"

namespace attn {

/// What the blocks of a head visit, on average over heads.
struct Visits {
  double pairs = 0; ///< Pairs of query and key that are computed.
  double steps = 0; ///< Pairs of a block of queries and a block of keys.
  double kept = 0;  ///< Pairs that the mask keeps.
  double asked = 0; ///< Pairs of blocks that a list is made from.
  double mixed = 1; ///< Share of the pairs that are in blocks with a mask.
};

/// The mask of an op for the sizes of a call.
class KeptKeys {
public:
  /// `op` has been through attn-infer-sparsity and attn-select-schedule.
  KeptKeys(AttendOp op, const SizeOf &sizeOf, const TableOf &tableOf);
  ~KeptKeys();

  /// Whether pairs that follow from what is not known were taken as kept.
  bool isUnknown() const;

  /// What was taken for granted of tensors, in words; empty where none is read.
  std::string getAssumption() const;

  /// Whether blocks are found by ranges of keys, not by asking the mask.
  bool hasRange() const { return isRange; }
  /// Whether the call makes a list of blocks.
  bool hasOwnList() const { return makesList; }

  /// What blocks visit. Groups of `strip` queries visit the range of keys that
  /// some of them keep, of all keys or, where that is not known, of each block.
  Visits count(const BlockSizes &blocks, int64_t strip);

private:
  struct Boxes;
  struct List;
  using Head = std::pair<int64_t, int64_t>; ///< Batch, head.
  /// The keys that a query keeps, from the first to the last one.
  struct Row {
    int64_t begin = 0;
    llvm::BitVector kept;
    int64_t getEnd() const { return begin + kept.size(); }
  };

  void looksAt(AttendOp op, const SizeOf &sizeOf, bool ofList);
  bool hasList() const;
  std::pair<int64_t, int64_t> getRange(const Head &head, int64_t first,
                                       int64_t last) const;
  std::vector<MaskProgram::Numbers> getArguments(const Head &head,
                                                 int64_t query, int64_t begin,
                                                 int64_t end) const;
  const Row &getRow(const Head &head, int64_t query);
  Visits countAll(const BlockSizes &blocks) const;
  Visits countRanges(const BlockSizes &blocks, int64_t strip, const Head &head);
  Visits countBoxes(const BlockSizes &blocks, int64_t strip, const Head &head);
  std::pair<int64_t, int64_t> getLooks(const Head &head, int64_t strips) const;
  int64_t countAsked(const BlockSizes &blocks, const Head &head, int64_t number,
                     int64_t keyBoxes) const;
  double countKept(const Head &head);

  std::unique_ptr<MaskProgram> mask;  ///< Null without one.
  std::unique_ptr<MaskProgram> range; ///< The `keys` region.
  std::unique_ptr<List> list;         ///< An operand; null without one.
  bool isRange = false, makesList = false;
  int64_t batches = 1, heads = 1;           ///< Those that differ.
  llvm::SmallVector<int64_t> queries, keys; ///< Extents.
  int64_t numQueries = 1, numKeys = 1;
  int64_t shift = 0; ///< Of positions of queries, for alignment(end).
  std::map<std::pair<Head, int64_t>, Row> rows;
};

} // namespace attn

#endif // ATTN_CODEGEN_COST_KEPTKEYS_H
