//===- Options.h - The command line of attn-explain -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_EXPLAIN_OPTIONS_H
#define ATTN_TOOLS_ATTN_EXPLAIN_OPTIONS_H

#include "tools/support/Arguments.h"
#include "tools/support/KernelFlags.h"

namespace attn {

/// What to explain, and how.
struct ExplainOptions {
  CompileInput input;
  Dims dims;
  std::vector<NamedFile> arguments;
  ArgumentOptions fill;
  std::string svg; ///< The file for the picture; empty: none.
  bool json = false;
  bool exact = false;
  size_t candidates = 0; ///< Schedules that are listed, at most.
  bool isTuned = false;  ///< The schedule is one of a tuning database.
};

llvm::Expected<ExplainOptions> parseOptions(int argc, char **argv);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_EXPLAIN_OPTIONS_H
