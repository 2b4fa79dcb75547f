//===- Measure.cpp - Time and memory of calls -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Measure.h"
#include "tools/support/FmaProbe.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <thread>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

Expected<Timing> attn::timeCalls(Call call, int64_t count, const Work &work) {
  using Clock = std::chrono::steady_clock;
  Timing timing;
  for (int64_t i = 0; i < count; ++i) {
    if (work.probe)
      timing.peaks.push_back(work.threads *
                             measureFmaPeak(work.float64).gflops);
    Clock::time_point start = Clock::now();
    if (Error error = call())
      return error;
    std::chrono::duration<double> elapsed = Clock::now() - start;
    timing.seconds.push_back(elapsed.count());
  }
  return timing;
}

int attn::getNumCores(int threads) {
  int cores = std::max(1u, std::thread::hardware_concurrency());
  return threads == 0 ? cores : std::min(threads, cores);
}

double attn::getQuantile(std::vector<double> values, double share) {
  llvm::sort(values);
  return values[static_cast<size_t>(share * (values.size() - 1) + 0.5)];
}

static void printPeak(llvm::raw_ostream &stream, const Timing &timing,
                      const Work &work) {
  std::vector<double> ratios;
  for (auto [seconds, peak] : llvm::zip(timing.seconds, timing.peaks))
    ratios.push_back(work.flops / seconds / 1e9 / peak);
  stream << llvm::format(
      "peak        %.4g GFLOP/s median (fp%d FMA, %d x one core)  "
      "share of it p10 %.3f  median %.3f  p90 %.3f\n",
      getQuantile(timing.peaks, 0.5), work.float64 ? 64 : 32, work.threads,
      getQuantile(ratios, 0.1), getQuantile(ratios, 0.5),
      getQuantile(ratios, 0.9));
}

void attn::printTiming(llvm::raw_ostream &stream, const Timing &timing,
                       const Work &work) {
  double median = getQuantile(timing.seconds, 0.5);
  stream << llvm::format("time        median %.4g ms  min %.4g ms  (%zu %s)",
                         median * 1e3, getQuantile(timing.seconds, 0) * 1e3,
                         timing.seconds.size(),
                         timing.seconds.size() == 1 ? "call" : "calls");
  if (work.flops)
    stream << llvm::format("  %.4g GFLOP/s", work.flops / median / 1e9);
  stream << llvm::format("  %.4g GB/s\n", work.bytes / median / 1e9);
  if (work.probe)
    printPeak(stream, timing, work);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// A field of /proc/self/status that counts kB, in bytes.
static std::optional<int64_t> readStatus(StringRef field) {
  auto file = llvm::MemoryBuffer::getFileAsStream("/proc/self/status");
  if (!file)
    return std::nullopt;
  StringRef text = (*file)->getBuffer().split(field).second.ltrim(": \t");
  int64_t kilobytes;
  if (text.consumeInteger(10, kilobytes))
    return std::nullopt;
  return kilobytes * 1024;
}

/// Sets the peak of the resident memory to what is resident now.
static bool resetPeak() {
  std::error_code code;
  llvm::raw_fd_ostream stream("/proc/self/clear_refs", code,
                              llvm::sys::fs::CD_OpenExisting);
  if (code)
    return false;
  stream << "5";
  stream.close();
  bool done = !stream.has_error();
  stream.clear_error();
  return done;
}

Expected<std::optional<int64_t>> attn::measureMemory(Call call) {
  bool known = resetPeak();
  std::optional<int64_t> before = readStatus("VmHWM");
  if (Error error = call())
    return error;
  std::optional<int64_t> after = readStatus("VmHWM");
  if (!known || !before || !after)
    return std::nullopt;
  return *after - *before;
}
