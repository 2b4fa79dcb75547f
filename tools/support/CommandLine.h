//===- CommandLine.h - Command lines of the tools ------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Options are those of llvm::cl. Every error of a tool is one line on stderr,
// "TOOL: error: MESSAGE", and the exit status 1.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_COMMANDLINE_H
#define ATTN_TOOLS_SUPPORT_COMMANDLINE_H

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstdint>
#include <limits>
#include <string>

namespace attn {

/// An error with a formatted message (see llvm::formatv).
template <typename... Ts>
llvm::Error makeError(const char *format, Ts &&...values) {
  return llvm::createStringError(
      llvm::formatv(format, std::forward<Ts>(values)...).str());
}

/// Forgets the options of the libraries in this process, which are many and
/// take names that tools want. Comes before a tool declares its own.
void forgetOptions();

/// Parses the command line. The options in `categories` are the tool's own:
/// only they appear in --help, and those that are no list may occur once.
llvm::Error
parseCommandLine(int argc, char **argv, llvm::StringRef overview,
                 llvm::ArrayRef<const llvm::cl::OptionCategory *> categories);

/// Prints the first line of the error and returns the exit status of the tool.
int reportError(llvm::StringRef tool, llvm::Error error);

/// Writes to a file, or to standard output for "-". A file appears only if all
/// of it could be written.
llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef contents);

/// Reads an integer within these limits; `what` names it in messages.
llvm::Expected<int64_t>
parseInteger(llvm::StringRef text, const llvm::Twine &what, int64_t lowest,
             int64_t highest = std::numeric_limits<int64_t>::max());

/// The same of an option, whose name messages have.
template <typename T>
llvm::Error readInteger(const llvm::cl::opt<std::string> &option,
                        int64_t lowest, int64_t highest, T &result) {
  llvm::Expected<int64_t> value =
      parseInteger(option.getValue(), "--" + option.ArgStr, lowest, highest);
  if (!value)
    return value.takeError();
  result = T(*value);
  return llvm::Error::success();
}

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_COMMANDLINE_H
