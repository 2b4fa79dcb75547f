//===- ArgumentFlags.h - Options that say what arguments are ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_ARGUMENTFLAGS_H
#define ATTN_TOOLS_SUPPORT_ARGUMENTFLAGS_H

#include "tools/support/Arguments.h"
#include "llvm/Support/CommandLine.h"

namespace attn {

/// The options of tools that read arguments from files or make them. A number
/// is a string, so that the message about it is ours.
struct ArgumentFlags {
  explicit ArgumentFlags(llvm::cl::OptionCategory &category)
      : files{"arg", llvm::cl::value_desc("NAME=FILE.npy"),
              llvm::cl::desc("Read an argument from a file; others are random"),
              llvm::cl::cat(category)},
        seed{"seed", llvm::cl::init("0"), llvm::cl::value_desc("S"),
             llvm::cl::desc("Seed of the random arguments; default 0"),
             llvm::cl::cat(category)} {}

  /// Checks the options and gives what they say.
  llvm::Error parse(std::vector<NamedFile> &arguments,
                    ArgumentOptions &fill) const;

  llvm::cl::list<std::string> files;
  llvm::cl::opt<std::string> seed;
};

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_ARGUMENTFLAGS_H
