//===- Workspace.cpp - Memory that the launches of a call share -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Workspace.h"

using namespace attn;

/// Adds `bytes`, rounded up to the alignment; false if it exceeds 64 bits.
static bool addAligned(int64_t &total, int64_t bytes) {
  constexpr int64_t alignment = ATTN_WORKSPACE_ALIGNMENT;
  int64_t rounded;
  if (__builtin_add_overflow(bytes, alignment - 1, &rounded))
    return false;
  rounded -= rounded % alignment;
  return !__builtin_add_overflow(total, rounded, &total);
}

Result<Workspace> Workspace::layOut(const LaunchProgram &program,
                                    std::span<const int64_t> dims) {
  Workspace workspace;
  for (const WorkspaceBuffer &buffer : program.workspace) {
    std::string prefix = "workspace buffer '" + buffer.name + "': ";
    Result<int64_t> bytes = buffer.bytes.evaluate({dims, {}});
    if (!bytes)
      return bytes.takeStatus().within(prefix);
    workspace.offsets.push_back(workspace.bytes);
    workspace.sizes.push_back(*bytes);
    if (*bytes < 0 || !addAligned(workspace.bytes, *bytes))
      return invalidArgument(prefix +
                             "must have 0 or more bytes in 64 bits, "
                             "got " +
                             std::to_string(*bytes));
  }
  return workspace;
}
