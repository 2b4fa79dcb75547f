//===- Workspace.h - Memory that the launches of a call share ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_WORKSPACE_H
#define ATTN_RUNTIME_WORKSPACE_H

#include "runtime/package/Manifest.h"

namespace attn {

/// Where the buffers of a program lie in the workspace of one call.
struct Workspace {
  std::vector<int64_t> offsets, sizes; ///< In bytes.
  int64_t bytes = 0;                   ///< All of them, with gaps.

  /// Lays the buffers out; each is aligned to ATTN_WORKSPACE_ALIGNMENT.
  static Result<Workspace> layOut(const LaunchProgram &program,
                                  std::span<const int64_t> dims);
};

} // namespace attn

#endif // ATTN_RUNTIME_WORKSPACE_H
