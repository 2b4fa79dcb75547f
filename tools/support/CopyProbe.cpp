//===- CopyProbe.cpp - Measure the memory bandwidth -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every thread has its own part of both arrays and writes it first, so that the
// system places the pages near it. A slice is a piece of each part: large
// beside the caches of a core, and short enough that a measurement has several.
// The clock runs from the moment when all threads are ready until the last one
// is done.
//
//===----------------------------------------------------------------------===//

#include "tools/support/CopyProbe.h"
#include "tools/support/CommandLine.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace attn;

/// How many times the arrays are as large as the last cache.
static constexpr int64_t kCaches = 4;
/// Where the size of the last cache is unknown.
static constexpr int64_t kDefaultCache = 64 << 20;
/// What a thread copies or reads in a slice.
static constexpr int64_t kSliceBytes = 32 << 20;
static constexpr int64_t kPage = 4096;

namespace {
struct Free {
  void operator()(char *memory) const { std::free(memory); }
};

/// What one thread works on.
struct Part {
  std::unique_ptr<char, Free> source, destination;
  int64_t bytes = 0; ///< Of each of the two.
  int64_t next = 0;  ///< Where the next slice starts.
  uint64_t sum = 0;  ///< What was read, so that reading cannot be left out.
};
} // namespace

struct CopyProbe::State {
  std::vector<Part> parts;
  int64_t sliceBytes = 0; ///< Of each part.
};

static std::unique_ptr<char, Free> allocate(int64_t bytes) {
  auto *memory = static_cast<char *>(std::aligned_alloc(kPage, bytes));
  return std::unique_ptr<char, Free>(memory);
}

static void copySlice(Part &part, int64_t bytes) {
  std::memcpy(part.destination.get() + part.next, part.source.get() + part.next,
              bytes);
}

/// Sums in eight registers of two lanes, so that additions do not wait for each
/// other.
static void readSlice(Part &part, int64_t bytes) {
  constexpr int lanes = 16;
  uint64_t sums[lanes] = {};
  const char *from = part.source.get() + part.next;
  for (int64_t i = 0; i + int64_t(sizeof(sums)) <= bytes; i += sizeof(sums)) {
    uint64_t values[lanes];
    std::memcpy(values, from + i, sizeof(sums));
    for (int lane = 0; lane < lanes; ++lane)
      sums[lane] += values[lane];
  }
  for (uint64_t sum : sums)
    part.sum += sum;
}

/// Calls `body` on every part in a thread of its own; returns the seconds.
template <typename Body>
static double runParts(std::vector<Part> &parts, Body body) {
  using Clock = std::chrono::steady_clock;
  std::atomic<int> ready = 0;
  std::atomic<bool> go = false;
  std::vector<std::thread> threads;
  for (Part &part : parts)
    threads.emplace_back([&] {
      ++ready;
      while (!go)
        std::this_thread::yield();
      body(part);
    });
  while (ready < static_cast<int>(parts.size()))
    std::this_thread::yield();
  Clock::time_point start = Clock::now();
  go = true;
  for (std::thread &thread : threads)
    thread.join();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

CopyProbe::CopyProbe(std::unique_ptr<State> state) : state(std::move(state)) {}
CopyProbe::CopyProbe(CopyProbe &&) = default;
CopyProbe::~CopyProbe() = default;

int64_t CopyProbe::getDefaultNumBytes() {
  int64_t cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  int64_t wanted = kCaches * (cache > 0 ? cache : kDefaultCache);
  int64_t available = sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE);
  return std::min(wanted, available / 8);
}

llvm::Expected<CopyProbe> CopyProbe::create(int threads, int64_t bytes) {
  auto state = std::make_unique<State>();
  int64_t wanted = bytes > 0 ? bytes : getDefaultNumBytes();
  int64_t each = std::max<int64_t>(wanted / (2 * threads * kPage), 1) * kPage;
  state->sliceBytes = std::min(each, kSliceBytes);
  state->parts.resize(threads);
  for (Part &part : state->parts) {
    part.bytes = each / state->sliceBytes * state->sliceBytes;
    part.source = allocate(part.bytes);
    part.destination = allocate(part.bytes);
    if (!part.source || !part.destination)
      return makeError("no memory for the {0} bytes of the copy probe", wanted);
  }
  runParts(state->parts, [](Part &part) {
    std::memset(part.source.get(), 1, part.bytes);
    std::memset(part.destination.get(), 2, part.bytes);
  });
  return CopyProbe(std::move(state));
}

int64_t CopyProbe::getNumBytes() const {
  int64_t bytes = 0;
  for (const Part &part : state->parts)
    bytes += 2 * part.bytes;
  return bytes;
}

Bandwidth CopyProbe::measure(double seconds) {
  int64_t slice = state->sliceBytes;
  auto timeSlice = [&](auto body) {
    double time = runParts(state->parts, body);
    for (Part &part : state->parts)
      part.next = part.next + 2 * slice > part.bytes ? 0 : part.next + slice;
    return slice * state->parts.size() / time * 1e-9;
  };
  Bandwidth best;
  double spent = 0;
  auto start = std::chrono::steady_clock::now();
  do {
    best.copy = std::max(
        best.copy, 2 * timeSlice([&](Part &part) { copySlice(part, slice); }));
    best.read = std::max(
        best.read, timeSlice([&](Part &part) { readSlice(part, slice); }));
    spent =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
  } while (spent < seconds);
  return best;
}
