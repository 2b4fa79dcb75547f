//===- Options.h - The command line of attn-run --------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_OPTIONS_H
#define ATTN_TOOLS_ATTN_RUN_OPTIONS_H

#include "tools/support/Arguments.h"
#include "tools/support/KernelFlags.h"

namespace attn {

/// What the user asked for, checked as far as that needs no kernel.
struct RunOptions {
  CompileInput input;
  std::vector<Dims> dims; ///< One run each; at least one.
  std::vector<NamedFile> arguments;
  std::vector<NamedFile> results;
  ArgumentOptions fill;
  int threads = 0;
  int64_t repeat = 0; ///< 0: a single call.
  bool check = false;
  bool checkPhases = false;
  bool simulate = false;
  bool lateCopies = false; ///< Copies take effect when they are waited for.
  std::string counters; ///< The file of --counters; or empty.
  bool probe = false;
  bool memory = false;
  bool inPlace = false;
  std::string database; ///< Of tuned schedules; or empty.
};

/// Parses the command line and reads the spec.
llvm::Expected<RunOptions> parseOptions(int argc, char **argv);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_OPTIONS_H
