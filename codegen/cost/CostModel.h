//===- CostModel.h - How long an op takes, and why --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An estimate in closed form: the work of an op in a schedule, divided by what
// the machine does in a second, for each of its resources. On a CPU products
// and exponentials share the vector units, so their times add up; what moves
// data overlaps with them, so the largest of the sums counts. On a GPU resources
// work side by side, but what the warps of matrix instructions do one after the
// other adds up too. Every term carries the numbers that it was made from.
// docs/tuning.md has the formulas.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COST_COSTMODEL_H
#define ATTN_CODEGEN_COST_COSTMODEL_H

#include "codegen/cost/KeptKeys.h"
#include "codegen/cost/Machine.h"
#include "codegen/gpu/Resources.h"
#include "passes/ScheduleSpace.h"

namespace attn {

/// What of a target the model needs beside its machine.
struct CostTarget {
  int64_t vectorBits = 512, vectorRegisters = 32; ///< Of CPUs.
  int64_t sharedBytes = 0, threads = 0;           ///< Of GPUs; 0 on CPUs.

  bool isGpu() const { return threads > 0; }
};

/// One op of a call, with sizes.
struct OpFacts {
  enum class Kind { Attend, Recur, Rows };
  Kind kind = Kind::Attend;
  std::string name;             ///< "attn.attend".
  BlockSizes chosen{};          ///< Its schedule.
  bool isFew = false;           ///< See hasFewTokens().
  double heads = 1;             ///< Batches times heads.
  double keyHeads = 1;          ///< Of keys and values, the same.
  double queries = 0, keys = 0; ///< Tokens of a head.
  double widthQk = 0, widthV = 0;
  double widthPacked = 0;  ///< Features of keys and values that are copied.
  double pairOps = 0;      ///< Ops of score and mask regions for each pair.
  double maskOps = 0;      ///< The same of a mask that is no range of keys.
  double listOps = 0;      ///< The same of a mask that a list is made of.
  double exponentials = 0; ///< Of each pair, or of each token.
  int64_t accumulatorBytes = 4, elementBytes = 4;
  bool isNarrow = false; ///< Matrix instructions, of 16 bits or tf32.
  BlockProblem problem;  ///< Of attention on GPUs, sizes of blocks left open.
  bool decaysPerChannel = false, isBothWays = false;
  double ioBytes = 0; ///< Operands and results.
  double groups = 1;  ///< Sequences that are packed in a recurrence.
  std::shared_ptr<KeptKeys> kept;
  ScheduleSpace space;
};

/// The time that a resource takes.
struct CostTerm {
  std::string name; ///< "matrix".
  double seconds = 0;
  double amount = 0;  ///< Of what the resource does: operations, bytes.
  std::string reason; ///< "4.29e9 operations / (2 x 118 GFLOP/s)".
  int group = 0;      ///< Terms of a group add up; the largest group counts.
};

/// What the model says of an op, or of a call.
struct Prediction {
  double seconds = 0;
  std::vector<CostTerm> terms;
  std::string limit;    ///< The term that takes longest.
  double intensity = 0; ///< Operations per byte of memory.
  double flops = 0;     ///< Of products, for the pairs that masks keep.
  bool isRough = false; ///< Masks or lists are data that is not known.
  /// What was taken for granted of masks and lists that are data.
  std::vector<std::string> assumptions;
};

/// Collects the ops of a function that has a schedule, for a call of certain
/// sizes. `tableOf` says what tensors of integers hold.
std::vector<OpFacts> collectFacts(mlir::Operation *function,
                                  const SizeOf &sizeOf, const TableOf &tableOf,
                                  const CostTarget &target);

/// How long an op takes with these blocks and so many threads.
Prediction predictOp(const OpFacts &facts, const BlockSizes &blocks,
                     const Machine &machine, const CostTarget &target,
                     int threads);

/// The same where each term has as many times its amount as `factors` says
/// under its name.
Prediction scaleTerms(Prediction prediction,
                      const std::map<std::string, double> &factors, bool isGpu);

/// The sum over ops.
Prediction addUp(llvm::ArrayRef<Prediction> ops);

} // namespace attn

#endif // ATTN_CODEGEN_COST_COSTMODEL_H
