//===- ParallelForTest.cpp - Blocks on threads ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/ParallelFor.h"
#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace attn;

namespace {
/// What a body gets: out[i] += in[i], through scratch memory.
struct Work {
  std::vector<int64_t> in, out;

  explicit Work(int64_t count) : in(count), out(count) {
    for (int64_t i = 0; i < count; ++i)
      in[i] = 3 * i + 1;
  }
  bool isDone() const { return in == out; }
};
} // namespace

static constexpr int64_t kScratchBytes = 5000;

static void addThroughScratch(void *env, int64_t begin, int64_t end,
                              void *scratch) {
  auto &work = *static_cast<Work *>(env);
  auto *numbers = static_cast<int64_t *>(scratch);
  // Meanwhile other threads of the pool wake up and take part.
  if (begin == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  for (int64_t i = begin; i < end; ++i) {
    numbers[i % 600] = work.in[i];
    work.out[i] += numbers[i % 600];
  }
}

static void run(int threads, Work &work) {
  ParallelHost host(threads);
  host.parallelFor(&host, int64_t(work.in.size()), addThroughScratch, &work,
                   kScratchBytes);
}

TEST(ParallelFor, VisitsEachIndexOnce) {
  for (int threads : {0, 1, 2, 7})
    for (int64_t count : {0, 1, 2, 63, 1000}) {
      Work work(count);
      run(threads, work);
      EXPECT_TRUE(work.isDone()) << threads << " threads, " << count;
    }
}

/// Callers share the pool, and nothing else. What they write before a call is
/// there for the bodies, and what these write is there afterwards.
TEST(ParallelFor, ServesSeveralCallers) {
  std::vector<std::thread> callers;
  std::vector<int> done(4);
  for (size_t caller = 0; caller < done.size(); ++caller)
    callers.emplace_back([&done, caller] {
      for (int i = 0; i < 20; ++i) {
        Work work(200 + int64_t(caller));
        run(2, work);
        done[caller] += work.isDone();
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(done, std::vector<int>(4, 20));
}
