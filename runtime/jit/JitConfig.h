//===- JitConfig.h - Where kernels are kept, and who says so ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_JITCONFIG_H
#define ATTN_RUNTIME_JIT_JITCONFIG_H

#include "runtime/Status.h"
#include "runtime/attn_jit.h"

namespace attn {

/// A value, and the option or variable that it comes from.
template <typename T> struct Setting {
  T value;
  std::string from;
};

/// What a context works with.
struct JitConfig {
  Setting<std::string> cacheDir; ///< Absolute; empty if there is none.
  Setting<bool> useCache;
  Setting<uint64_t> cacheMaxBytes;
  Setting<std::string> tuningDatabase; ///< Absolute; empty if there is none.

  /// From the options, which may be null, then the environment. A value that
  /// cannot be understood is an error, never the default.
  static Result<JitConfig> resolve(const attn_jit_options *options);

  /// A JSON object without its closing brace, so that more can follow.
  std::string toJson() const;
};

/// A path that means the same wherever the process goes; empty stays empty.
std::string makeAbsolute(const std::string &path);

/// A text as JSON has it, in quotes.
std::string quoteJson(const std::string &text);

} // namespace attn

#endif // ATTN_RUNTIME_JIT_JITCONFIG_H
