//===- Contest.h - Check and time kernels against each other ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clocks wander and machines are shared, so nothing is compared with a time of
// another minute: two kernels are called in turn, A, B, A, B, ..., A, and a
// round is the time of B over the mean of the two of A beside it. What counts
// are the quartiles of the rounds. A duel ends as soon as the lower quartile
// says that B is slower, or the upper one that it is faster.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_CONTEST_H
#define ATTN_TOOLS_ATTN_TUNE_CONTEST_H

#include "tools/attn-run/Check.h"
#include "tools/attn-run/GpuCall.h"
#include "tools/support/Measure.h"

namespace attn {

/// When a duel ends.
struct DuelRules {
  int64_t fewest = 5, most = 15; ///< Rounds.
  int64_t fewestToLose = 3;      ///< Rounds after which one may lose.
  double margin = 0.02;          ///< What is worth a change of schedule.
  double sliceSeconds = 0.006;   ///< Of calls without a pause.
  /// Time of the processor in place of that of the clock on the wall: for calls
  /// of one thread on a machine that others use.
  bool ofProcessor = false;
  std::function<bool()> isStopped; ///< By the user, or the clock.
};

/// How a kernel did against another.
struct Duel {
  double ratio = 1;         ///< Median of the rounds.
  double low = 1, high = 1; ///< Quartiles.
  double seconds = 0;       ///< Of a call of the kernel.
  double otherSeconds = 0;  ///< Of a call of the other one.
  double shortestRatio = 1; ///< Of the shortest slices of both.
  int64_t rounds = 0;

  /// Whether it is faster beyond noise.
  bool isWon(const DuelRules &rules) const {
    return rounds >= rules.fewest && ratio < 1 - rules.margin && high < 1;
  }
};

/// Measures two calls in turn.
llvm::Expected<Duel> compareCalls(Call other, Call call,
                                  const DuelRules &rules);

/// The calls of one set of sizes.
class Contest {
public:
  /// Fills arguments and keeps the results of `baseline`, the kernel of the
  /// schedule that is chosen without tuning.
  static llvm::Expected<Contest> create(const Kernel &baseline, Dims dims,
                                        int threads);

  /// Compiles the definition and evaluates it for sizes with short lengths,
  /// and checks the baseline itself. The names of `lengths` are shortened.
  llvm::Error addDefinition(const CompileInput &input, const Kernel &baseline,
                            llvm::ArrayRef<std::string> lengths);

  /// What is wrong with the results of a kernel, for both sets of sizes; empty
  /// if nothing is.
  llvm::Expected<std::string> check(const Kernel &kernel);

  llvm::Expected<Duel> compare(const Kernel &other, const Kernel &kernel,
                               const DuelRules &rules);

  const Dims &getDims() const { return dims; }
  bool hasDefinition() const { return definition.has_value(); }

private:
  llvm::Error launch(const Kernel &kernel, const Arrays &inputs,
                     Arrays &outputs) const;

  Dims dims;
  int threads = 0;
  Arrays arguments, expected, results;
  std::vector<std::string> names;
  std::optional<Definition> definition;
  Arrays shortArguments;
  double growth = 1; ///< Of errors, from the short lengths to the others.
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_CONTEST_H
