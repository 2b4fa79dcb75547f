//===- ParallelFor.cpp - What a kernel asks of its host -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/ParallelFor.h"
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#ifdef ATTN_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>

/// What the library of tasks itself does with its memory is no concern of ours.
// NOLINTNEXTLINE(readability-identifier-naming,bugprone-reserved-identifier)
extern "C" const char *__tsan_default_suppressions() {
  return "called_from_lib:libtbb.so\n";
}
#endif

using namespace attn;

namespace {
/// Tells the thread sanitizer of an order that it cannot see: what is done
/// before a `reach` is done before what follows a `pass`. Other builds have
/// nothing of it. Neither oneTBB nor this file is instrumented
/// (CMakeLists.txt); what kernels and callers do is.
class Fence {
public:
#ifdef ATTN_THREAD_SANITIZER
  void reach() { __tsan_release(this); }
  void pass() { __tsan_acquire(this); }
#else
  void reach() {}
  void pass() {}
#endif
};
} // namespace

/// Scratch memory starts on a page, so that rows meet few pages.
static constexpr int64_t kScratchAlignment = 4096;

/// Ranges per thread: enough to even out blocks of different cost, as those
/// under a causal mask are, and few enough that handing them out is cheap.
static constexpr int64_t kRangesPerThread = 32;

/// Scratch memory of this thread, at least `bytes` large; kept until the thread
/// ends, as kernels ask for it again and again. Null if there is none to have.
static void *getScratch(int64_t bytes) {
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  static thread_local std::unique_ptr<void, Free> memory;
  static thread_local int64_t size = 0;
  if (size >= bytes)
    return memory.get();
  int64_t rounded =
      (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
  memory.reset(std::aligned_alloc(kScratchAlignment, rounded));
  size = memory ? rounded : 0;
  return memory.get();
}

ParallelHost::ParallelHost(int threads)
    : AttnHost{&ParallelHost::run}, threads(threads) {}

void ParallelHost::runRange(int64_t begin, int64_t end, AttnBody body,
                            void *env, int64_t scratchBytes) const {
  void *scratch = getScratch(scratchBytes);
  if (!scratch && scratchBytes > 0)
    outOfMemory = true;
  else
    body(env, begin, end, scratch);
}

void ParallelHost::run(const AttnHost *host, int64_t count, AttnBody body,
                       void *env, int64_t scratchBytes) {
  auto &self = *static_cast<const ParallelHost *>(host);
  if (count <= 0)
    return;
  if (self.threads == 1 || count == 1)
    return self.runRange(0, count, body, env, scratchBytes);
  namespace tbb = oneapi::tbb;
  // More threads than cores would not run at the same time.
  int cores = tbb::info::default_concurrency();
  tbb::task_arena arena(self.threads ? std::min(self.threads, cores) : cores);
  int64_t grain = std::max<int64_t>(
      1, count / (kRangesPerThread * arena.max_concurrency()));
  // Tasks start after this and end before the call returns.
  Fence begin, end;
  begin.reach();
  arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, count, grain),
        [&](const tbb::blocked_range<int64_t> &range) {
          begin.pass();
          self.runRange(range.begin(), range.end(), body, env, scratchBytes);
          end.reach();
        },
        tbb::simple_partitioner());
  });
  end.pass();
}
