//===- CopyProbe.h - Measure the memory bandwidth ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The yardstick for kernels that wait for memory: how fast some threads copy
// arrays, and how fast they read them.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_COPYPROBE_H
#define ATTN_TOOLS_SUPPORT_COPYPROBE_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>

namespace attn {

/// Bandwidths as measured, in GB/s (10^9 bytes) of all threads together.
struct Bandwidth {
  /// Of a copy: bytes that were read plus bytes that were written.
  double copy = 0;
  /// Of a sum: bytes that were read.
  double read = 0;
};

/// Two arrays, made once and measured again and again. Every slice of a
/// measurement goes on where the one before ended, so that what it touches has
/// left the caches, and what other code has there is driven out.
class CopyProbe {
public:
  /// Several times the size of the last cache, as far as an eighth of the free
  /// memory allows.
  static int64_t getDefaultNumBytes();

  /// Makes arrays that have `bytes` together, rounded to whole pages for each
  /// thread; 0 is the default. Fails if there is no memory for them.
  static llvm::Expected<CopyProbe> create(int threads, int64_t bytes = 0);

  CopyProbe(CopyProbe &&);
  ~CopyProbe();

  /// The size of both arrays together.
  int64_t getNumBytes() const;

  /// Measures for about `seconds`. The best slice of each kind counts, as other
  /// work on the machine only ever slows it.
  Bandwidth measure(double seconds = 0.02);

private:
  struct State;
  explicit CopyProbe(std::unique_ptr<State> state);

  std::unique_ptr<State> state;
};

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_COPYPROBE_H
