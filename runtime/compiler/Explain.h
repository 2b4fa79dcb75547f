//===- Explain.h - What the compiler found and decided ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Facts are what passes report (passes/Report.h). Their names, keys and values:
//
//   structure   of the mask of an op. Kind: "no mask", "ranges", "no ranges",
//               "grid", "given ranges", "given list"; of ranges Visited and
//               Full, formulas for a block of queries first .. last, and Exact;
//               of a list Offsets and Blocks, the names of its tensors
//   obstacle    an op of the mask that nothing is known of, and where it is.
//               Of: "ranges" or "classes" (of pairs of blocks); Op; Advice
//   list        Decision: "made", "exact ranges", "nothing known", "few
//               queries", "boxes"
//   bounds      of a captured tensor. Table, Dim, Width
//   schedule    Schedule, Rule that chose it, Most queries it is for (0: all)
//   device      of a schedule for a GPU. Warps, Products
//   candidate   for the schedule: BlockQ, BlockK, Reason against it (empty if
//               it was chosen). On CPUs Cycles per pair, estimated. On GPUs
//               Beside (blocks that share a multiprocessor), Shared and
//               MostShared (bytes), Registers and MostRegisters
//
// Candidates come before the schedule that they are of. An op has a schedule
// for each version that is made of it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_EXPLAIN_H
#define ATTN_RUNTIME_COMPILER_EXPLAIN_H

#include "runtime/compiler/Compiler.h"
#include <optional>

namespace attn {

struct Fact {
  std::string name;
  std::string position; ///< "file:9:10"; empty if it is not known.
  size_t op = 0;        ///< The number of the op that it belongs to.
  std::vector<std::pair<std::string, std::string>> values;

  /// The value of a key; empty without one.
  llvm::StringRef get(llvm::StringRef key) const;
  /// The same as a number; 0 without one.
  int64_t getNumber(llvm::StringRef key) const;
};

/// An op of the spec that is blocked, after decomposition.
struct ExplainedOp {
  std::string name;     ///< "attn.attend".
  std::string position; ///< "file:9:10"; empty if it is not known.
  std::string about;    ///< Its sizes, in words.
};

struct Explanation {
  std::string target; ///< In full, as "cpu:avx512".
  std::vector<ExplainedOp> ops;
  std::vector<Fact> facts;
};

/// Runs the compiler up to its decisions. Where a schedule is asked for, goes
/// on to the end, since what does not fit may only be noticed there.
llvm::Expected<Explanation> explain(llvm::StringRef text, llvm::StringRef name,
                                    const CompileOptions &options);

/// What a mask leaves of an op, for certain arguments.
struct BlockFacts {
  /// Of one pair of blocks: as the formula of the mask says, or the ranges.
  enum Class : int8_t { Empty, Mixed, Full, Outside };

  /// Batches and heads that differ, blocks of queries and of keys.
  int64_t batches = 0, heads = 0, rows = 0, columns = 0;
  /// Boxes along the axes of a grid of keys; 0 behind the last axis.
  int64_t places[3] = {0, 0, 0};
  /// Entries of a head that a list of the spec has room for; 0 without one.
  int64_t room = 0;
  /// Class of the formula, or of a list of the spec, + 4 * that of ranges.
  std::vector<int8_t> classes;
  /// Pairs that exist and that are kept, for each pair of blocks; empty if they
  /// were not counted.
  std::vector<int32_t> pairs;

  Class ofFormula(size_t i) const { return Class(classes[i] & 3); }
  Class ofRanges(size_t i) const { return Class(classes[i] >> 2); }
};

/// Classifies the blocks of the attend ops of a spec.
class BlockClassifier {
public:
  /// Compiles for this machine, with the schedules for the target of `options`.
  /// `exact`: all pairs are counted one by one, however long it takes.
  static llvm::Expected<std::unique_ptr<BlockClassifier>>
  create(llvm::StringRef text, llvm::StringRef name,
         const CompileOptions &options, bool exact);

  /// The kernel whose arguments are to be given.
  const Kernel &getKernel() const { return *kernel; }
  /// Whether elements of argument `i` are read; of others only sizes matter.
  bool isRead(size_t i) const { return read[i]; }

  /// One entry for each version of an attend op, in order; nothing for versions
  /// that are not run for arguments of these sizes. Pairs are left out where
  /// there are too many to evaluate, unless `exact`.
  llvm::Expected<std::vector<std::optional<BlockFacts>>>
  classify(llvm::ArrayRef<Buffer> arguments) const;

private:
  BlockClassifier() = default;

  Interface interface; ///< Of the spec: sizes are checked as those of a call.
  std::unique_ptr<Kernel> kernel;
  std::vector<bool> read;
  bool exact = false;
  std::vector<int64_t> pairsPerBlock; ///< At most, of each version.
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_EXPLAIN_H
