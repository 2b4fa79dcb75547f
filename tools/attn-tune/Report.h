//===- Report.h - What was predicted, and what was measured -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_REPORT_H
#define ATTN_TOOLS_ATTN_TUNE_REPORT_H

#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/attn-tune/Options.h"

namespace attn {

/// Prints the records of a database, or the trials of one spec, and draws these
/// if a file was named.
llvm::Error report(const TuneOptions &options, TuningDatabase &database);

/// A point of a plot.
struct PlotPoint {
  double x, y;
  bool isChosen = false;
};

/// One spec and its sizes, as a picture of two plots.
struct Picture {
  std::string title;
  std::vector<PlotPoint> times; ///< Predicted and measured milliseconds.
  PlotPoint work{0, 0};         ///< Operations per byte, and GFLOP/s.
  double peak = 0;              ///< GFLOP/s of products,
  double bandwidth = 0;         ///< and GB/s of memory, of the machine.
};

/// The picture as SVG.
std::string drawPicture(const Picture &picture);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_REPORT_H
