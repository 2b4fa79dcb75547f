//===- SimulatedRanking.h - Rank by what a simulator counts -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For GPUs that are not here. The model assumes how much each resource has to
// do; the simulator counts it. The best of the model's ranking and the default
// are simulated at small sizes, and each term of the prediction for the sizes
// that were asked for is taken as many times as was counted over what the model
// assumes for the small ones. Nothing is measured and nothing recorded.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_SIMULATEDRANKING_H
#define ATTN_TOOLS_ATTN_TUNE_SIMULATEDRANKING_H

#include "tools/attn-tune/Ranking.h"
#include <functional>

namespace attn {

/// Sizes that are simulated in a moment: one batch, as few heads as have the
/// same groups, and short lengths, whose names are `lengths`.
Dims getSimulatedSizes(llvm::ArrayRef<Port> arguments, Dims dims,
                       llvm::ArrayRef<std::string> lengths);

/// Simulates the first candidates of the ranking and prints them in the order
/// of their corrected times. Those that the simulator finds defects in, and
/// those with wrong results, are refused.
llvm::Error rankBySimulator(llvm::raw_ostream &stream,
                            const TuneOptions &options,
                            const ModelledCall &call, const Dims &dims,
                            const std::function<bool()> &isStopped);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_SIMULATEDRANKING_H
