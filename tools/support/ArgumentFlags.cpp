//===- ArgumentFlags.cpp - Options that say what arguments are ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/ArgumentFlags.h"
#include "tools/support/CommandLine.h"

using namespace attn;
using llvm::Error;

Error ArgumentFlags::parse(std::vector<NamedFile> &arguments,
                           ArgumentOptions &fill) const {
  auto parsed = parseNamedFiles("arg", files);
  if (!parsed)
    return parsed.takeError();
  arguments = std::move(*parsed);
  return readInteger(seed, 0, INT64_MAX, fill.seed);
}
