//===- Options.h - The command line of attn-tune ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_TUNE_OPTIONS_H
#define ATTN_TOOLS_ATTN_TUNE_OPTIONS_H

#include "tools/support/Dims.h"
#include "tools/support/KernelFlags.h"
#include <optional>

namespace attn {

/// What the user asked for.
struct TuneOptions {
  std::optional<CompileInput> input; ///< Without one: work on the database.
  std::vector<Dims> dims;            ///< At least one.
  std::string database;              ///< May be empty for GPUs without one.
  std::string device;                ///< Name of a GPU; or empty.
  double budgetSeconds = 60;
  int64_t candidates = 8; ///< That are measured, at most, for each dims.
  int threads = 0;
  bool calibrate = false, report = false, explain = false;
  std::string svg;        ///< File of the report's picture; or empty.
  std::string exhaustive; ///< File for the times of all points; or empty.
  std::string exportTo, importFrom, merge; ///< Files; or empty.
};

/// Parses the command line and reads the spec.
llvm::Expected<TuneOptions> parseTuneOptions(int argc, char **argv);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_TUNE_OPTIONS_H
