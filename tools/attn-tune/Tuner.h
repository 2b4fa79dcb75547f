//===- Tuner.h - Look for the best schedule ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For one set of sizes:
//
//   rank     all points of the space by the model; far worse ones are dropped
//   compile  the best few, as many at a time as there are cores
//   check    each against the definition and the default schedule's result
//   duel     each against the best so far; what loses is out at once
//   confirm  the winner against the default, from the start
//   record   the winner or, where nothing is faster, the default
//
// Each step that is done is in the database, so a tuner that is interrupted
// goes on with the next one.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_TUNER_H
#define ATTN_TOOLS_ATTN_TUNE_TUNER_H

#include "tools/attn-tune/Contest.h"
#include "tools/attn-tune/Ranking.h"

namespace attn {

/// Makes kernels, of schedules; a test may make others.
using MakeKernel = std::function<llvm::Expected<std::unique_ptr<Kernel>>(
    const std::string &schedule)>;

/// Compiles a spec for this CPU, or for a GPU that is there.
MakeKernel getMakeKernel(const CompileInput &input);

/// Looks for the best schedule of one set of sizes.
class Tuner {
public:
  Tuner(const TuneOptions &options, const CompileInput &input,
        TuningDatabase *database, MakeKernel make,
        std::function<bool()> isStopped)
      : options(options), input(input), database(database),
        make(std::move(make)) {
    rules.isStopped = std::move(isStopped);
  }

  /// Tunes, and prints a line with the result to `output`.
  llvm::Error tune(const Dims &dims, llvm::raw_ostream &output);

  /// Measures all points against the default and writes a line for each.
  llvm::Error measureAll(const Dims &dims, llvm::raw_ostream &output);

private:
  struct Compiled {
    const RankedSchedule *candidate;
    llvm::Expected<std::unique_ptr<Kernel>> kernel;
  };

  llvm::Error prepare(const Dims &dims);
  llvm::Error addDefinition();
  std::vector<const RankedSchedule *>
  selectCandidates(llvm::ArrayRef<TuningTrial> known) const;
  std::vector<Compiled>
  compileAll(llvm::ArrayRef<const RankedSchedule *> candidates) const;
  llvm::Error tryAll(std::vector<Compiled> compiled);
  llvm::Error tryOne(Compiled compiled, llvm::StringRef progress);
  llvm::Error takeUp(llvm::ArrayRef<TuningTrial> known);
  llvm::Error record(llvm::raw_ostream &output);
  llvm::Error store(const RankedSchedule &candidate, llvm::StringRef verdict,
                    const Duel &duel);
  bool isStopped() const { return rules.isStopped && rules.isStopped(); }

  const TuneOptions &options;
  const CompileInput &input;
  TuningDatabase *database;
  MakeKernel make;
  DuelRules rules;

  std::optional<ModelledCall> call;
  std::vector<RankedSchedule> candidates;
  std::unique_ptr<Kernel> baseline;
  std::optional<Contest> contest;
  /// The best so far; null is the default.
  std::unique_ptr<Kernel> best;
  std::string bestSchedule;
  double bestRatio = 1; ///< To the default.
  int64_t measured = 0;
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_TUNER_H
