//===- Dims.h - The sizes of one run -------------------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A size comes from the spec, where it is static, from the user, from the files
// of arguments, or else from the spec's defaults. All that say something about
// a dimension must agree.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_DIMS_H
#define ATTN_TOOLS_SUPPORT_DIMS_H

#include "runtime/compiler/Compiler.h"
#include "llvm/ADT/MapVector.h"

namespace attn {

/// Sizes by name, in the order in which they were given or first appear.
using Dims =
    llvm::MapVector<std::string, int64_t, std::map<std::string, unsigned>>;

/// Reads "B=2,H=8,N=1024". Messages call it by the name `givenBy`.
llvm::Expected<Dims> parseDims(llvm::StringRef text,
                               llvm::StringRef givenBy = "--dims");

/// Reads the values of an option that may be repeated: at least one, if only
/// the spec's own sizes.
llvm::Expected<std::vector<Dims>>
parseAllDims(llvm::ArrayRef<std::string> texts);

/// "B=2 H=8 N=1024".
std::string formatDims(const Dims &dims, llvm::StringRef separator = " ");

/// The sizes of an argument that a file holds.
struct FileSizes {
  std::string argument;
  std::string path;
  llvm::SmallVector<int64_t, 4> sizes;
};

/// Gives every dimension of the kernel's arguments its size, or says which two
/// statements about it disagree, or which size is missing. Messages call what
/// was given by the name `givenBy`.
llvm::Expected<Dims> resolveDims(const Kernel &kernel, const Dims &given,
                                 llvm::ArrayRef<FileSizes> files,
                                 llvm::StringRef givenBy = "--dims");

/// The sizes of one argument.
llvm::SmallVector<int64_t, 4> getSizes(const Port &port, const Dims &dims);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_DIMS_H
