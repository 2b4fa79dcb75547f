//===- Ranking.h - Schedules in the order of the model ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_RANKING_H
#define ATTN_TOOLS_ATTN_TUNE_RANKING_H

#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/attn-tune/Options.h"

namespace attn {

/// A point of the space, and what the model says of it.
struct RankedSchedule {
  std::string point;    ///< "block_q=64,block_k=128".
  std::string schedule; ///< As in CompileOptions: "many:block_q=64,...".
  Prediction prediction;
};

/// A call of a spec, and the machine that it is for.
struct ModelledCall {
  FunctionModel model;
  Machine machine;
  int threads = 0;

  static llvm::Expected<ModelledCall> create(const CompileInput &input,
                                             const TuneOptions &options,
                                             const Dims &dims);

  /// All points of the space, the fastest first. Of equal ones, that with less
  /// work beside what limits it.
  std::vector<RankedSchedule> rank() const;

  std::string getChosen() const { return model.getChosen(machine, threads); }

  /// "causal  N=4096  NVIDIA H200".
  std::string getTitle() const;
};

/// Prints the best of the ranking and where the default stands in it; with
/// `explain` all of it, and the terms of both.
void printRanking(llvm::raw_ostream &stream, const ModelledCall &call,
                  bool explain);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_RANKING_H
