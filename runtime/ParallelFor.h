//===- ParallelFor.h - What a kernel asks of its host -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A compiled CPU kernel is a shared object that exports, for a function `f`,
//
//   int32_t attn_entry_f(const AttnHost *host, void **args);
//
// where args[i] points to the MLIR descriptor of the i-th argument (results are
// the trailing arguments): { void *allocated; void *aligned; int64_t offset;
// int64_t sizes[rank]; int64_t strides[rank]; }. Code that runs independent
// blocks calls back into the host, which decides on threads. Blocks share no
// data that they write, so results do not depend on that decision.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_PARALLELFOR_H
#define ATTN_RUNTIME_PARALLELFOR_H

#include <atomic>
#include <cstdint>

extern "C" {

/// Runs blocks begin .. end - 1 of a loop. `env` holds what the loop reads from
/// around it; `scratch` is memory that no other thread uses meanwhile.
typedef void (*AttnBody)(void *env, int64_t begin, int64_t end, void *scratch);

/// What a kernel may ask for. The field order is part of the kernels' ABI.
struct AttnHost {
  /// Calls `body` on ranges that cover 0 .. count - 1, each block once, with
  /// `scratchBytes` of scratch memory aligned to 64 bytes.
  void (*parallelFor)(const AttnHost *host, int64_t count, AttnBody body,
                      void *env, int64_t scratchBytes);
};

} // extern "C"

namespace attn {

/// The host of one call: spreads blocks over `threads` threads (0: all cores).
/// With one thread everything runs in the calling thread.
class ParallelHost : public AttnHost {
public:
  explicit ParallelHost(int threads);

  /// Whether blocks were left out because there was no scratch memory.
  bool isOutOfMemory() const { return outOfMemory; }

private:
  static void run(const AttnHost *host, int64_t count, AttnBody body, void *env,
                  int64_t scratchBytes);
  void runRange(int64_t begin, int64_t end, AttnBody body, void *env,
                int64_t scratchBytes) const;

  int threads;
  mutable std::atomic<bool> outOfMemory = false;
};

} // namespace attn

#endif // ATTN_RUNTIME_PARALLELFOR_H
