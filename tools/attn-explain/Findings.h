//===- Findings.h - What is to be told of a spec -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Facts of the compiler, sorted by op and version, and counts of blocks. Text,
// JSON and pictures are made of it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_EXPLAIN_FINDINGS_H
#define ATTN_TOOLS_ATTN_EXPLAIN_FINDINGS_H

#include "codegen/cost/CostModel.h"
#include "runtime/compiler/Explain.h"
#include "tools/attn-explain/Options.h"

namespace attn {

/// Numbers of blocks, of one head or of all that differ.
struct BlockCounts {
  int64_t blocks = 0; ///< All that have a pair: empty, mixed and full ones.
  int64_t empty = 0, mixed = 0, full = 0;
  int64_t outside = 0;  ///< Beyond the grid; not in `blocks`.
  int64_t visited = 0;  ///< By the kernel.
  int64_t unmasked = 0; ///< Visited without evaluating the mask.
  // If pairs were counted:
  int64_t existing = 0, kept = 0;
  int64_t inVisited = 0; ///< Pairs that exist in visited blocks.
  int64_t mixedEmpty = 0, mixedFull = 0; ///< Mixed ones that are no such.
  int64_t wrong = 0;                     ///< Blocks whose class is not true.

  void add(const BlockCounts &other);
};

/// What was decided about one version of an op.
struct Version {
  const Fact *schedule = nullptr, *device = nullptr, *list = nullptr;
  std::vector<const Fact *> candidates, bounds;
  std::optional<BlockFacts> blocks; ///< If it is run, and is attention.
  std::vector<BlockCounts> heads;   ///< One per batch and head that differs.
  BlockCounts sum;

  bool hasPairs() const { return blocks && !blocks->pairs.empty(); }
  bool isListed() const { return list && list->get("Decision") == "made"; }
  /// The class by formula and ranges together.
  BlockFacts::Class getClass(size_t i) const;
};

struct OpFindings {
  const ExplainedOp *op = nullptr;
  const Fact *structure = nullptr;
  std::vector<const Fact *> obstacles;
  std::vector<Version> versions;
  /// Arguments with the list of blocks for which there is no data.
  std::vector<std::string> missing;

  bool isAttention() const { return op->name == "attn.attend"; }
  /// The obstacle of "ranges" or "classes"; null without one.
  const Fact *findObstacle(llvm::StringRef of) const;
};

/// An argument of integers that was read.
struct ReadArgument {
  std::string name, fill;
  std::string file; ///< Empty: random.
};

struct Findings {
  std::string spec;
  Explanation explanation; ///< Owns what others point to.
  Dims dims;
  std::vector<OpFindings> ops;
  std::vector<ReadArgument> data;
  uint64_t seed = 0;    ///< Of random data.
  bool isTuned = false; ///< The schedule is one of a tuning database.
  /// What the cost model says of one call on this machine.
  Prediction prediction;
  Machine machine;
};

/// Compiles the spec, classifies its blocks and sorts what is known.
llvm::Expected<std::unique_ptr<Findings>> find(const ExplainOptions &options);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_EXPLAIN_FINDINGS_H
