//===- Arguments.h - The arguments of a run ------------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_ARGUMENTS_H
#define ATTN_TOOLS_SUPPORT_ARGUMENTS_H

#include "tools/support/Array.h"
#include "tools/support/Dims.h"

namespace attn {

/// A name and a file, from --arg=NAME=FILE or --save=NAME=FILE.
struct NamedFile {
  std::string name;
  std::string path;
};

/// Reads the values of an option "--OPTION=NAME=FILE.npy".
llvm::Expected<std::vector<NamedFile>>
parseNamedFiles(llvm::StringRef option, llvm::ArrayRef<std::string> texts);

/// Arrays for the arguments or the results of a kernel.
using Arrays = std::vector<Array>;

/// The files given for arguments, read once for all runs.
class ArgumentFiles {
public:
  /// Reads the files and checks their names and types against the kernel.
  static llvm::Expected<ArgumentFiles> read(llvm::ArrayRef<NamedFile> files,
                                            const Kernel &kernel);

  llvm::ArrayRef<FileSizes> getSizes() const { return sizes; }

  /// The contents for an argument, or null if it has no file.
  const Array *find(llvm::StringRef argument) const;

private:
  std::vector<FileSizes> sizes;
  Arrays contents;
};

/// How arguments without a file are made.
struct ArgumentOptions {
  uint64_t seed = 0;
  Layout layout = Layout::Bhnd;
};

/// Makes the arguments of a kernel: from files, where given, else random.
llvm::Expected<Arrays> makeArguments(llvm::ArrayRef<Port> ports,
                                     const Dims &dims,
                                     const ArgumentFiles &files,
                                     const ArgumentOptions &options);

/// The same numbers in the element types that another kernel takes.
llvm::Expected<Arrays> convertArguments(const Arrays &arguments,
                                        llvm::ArrayRef<Port> ports,
                                        Layout layout = Layout::Bhnd);

/// Empty results of a kernel for these arguments, which are checked.
llvm::Expected<Arrays> makeResults(const Kernel &kernel,
                                   const Arrays &arguments,
                                   Layout layout = Layout::Bhnd);

/// The memory of the numbers.
int64_t getNumBytes(const Arrays &arrays);

/// What the kernel is given.
std::vector<Buffer> getBuffers(const Arrays &arrays);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_ARGUMENTS_H
