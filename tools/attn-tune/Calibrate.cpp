//===- Calibrate.cpp - Measure what this processor can do -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Calibrate.h"
#include "runtime/compiler/Compiler.h"
#include "tools/support/CommandLine.h"
#include "tools/support/CopyProbe.h"
#include "tools/support/FmaProbe.h"
#include "tools/support/Measure.h"
#include <chrono>
#include <cstring>
#include <unistd.h>

using namespace attn;
using llvm::Error;
using llvm::Expected;

/// How long each probe takes.
static constexpr double kSeconds = 0.15;

/// Exponentials of rows, as kernels compute them.
static constexpr char kExponentials[] = R"(
func.func @exponentials(
    %x: tensor<1x1x?x64xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]})
    -> tensor<1x1x?x64xf32> {
  %y = attn.map_rows %x rows (%row: tensor<64xf32>, %b, %h, %n) {
    %e = math.exp %row : tensor<64xf32>
    attn.yield %e : tensor<64xf32>
  } : tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %y : tensor<1x1x?x64xf32>
}
)";

/// The shortest of many calls, in seconds.
static Expected<double> getShortest(Call call) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  auto begin = Clock::now();
  while (std::chrono::duration<double>(Clock::now() - begin).count() <
         kSeconds) {
    auto start = Clock::now();
    if (Error error = call())
      return error;
    best = std::min(
        best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

/// Sets the rate of exponentials, and what a call takes that has none to do.
static Error measureExponentials(Machine &machine) {
  CompileOptions options;
  auto kernel = compile(kExponentials, "exponentials", options);
  if (!kernel)
    return kernel.takeError();
  constexpr int64_t rows = 256, width = 64;
  std::vector<float> in(rows * width, 0.5f), out(rows * width);
  auto time = [&](int64_t n) {
    auto buffer = [&](std::vector<float> &data) {
      return Buffer{data.data(),
                    ElementType::F32,
                    {1, 1, n, width},
                    {n * width, n * width, width, 1}};
    };
    Buffer input = buffer(in), output = buffer(out);
    return getShortest([&] { return (*kernel)->launch(input, output, {1}); });
  };
  Expected<double> none = time(1), all = time(rows);
  if (!none || !all)
    return llvm::joinErrors(none.takeError(), all.takeError());
  machine.startMicroseconds = std::max(1e6 * *none, 0.1);
  machine.exp = 1e-9 * double(rows * width) / std::max(*all - *none, 1e-9);
  return Error::success();
}

/// GB/s, read and written, of copies within `bytes`.
static Expected<double> measureCopies(int64_t bytes) {
  std::vector<char> from(bytes / 2, 1), to(bytes / 2);
  Expected<double> seconds = getShortest([&] {
    constexpr int repeat = 4;
    for (int n = 0; n < repeat; ++n) {
      std::memcpy(to.data(), from.data(), from.size());
      asm volatile("" : : "r"(to.data()) : "memory");
    }
    return Error::success();
  });
  if (!seconds)
    return seconds;
  return 1e-9 * 4 * double(bytes) / *seconds;
}

static int64_t getCache(int name, int64_t otherwise) {
  long size = sysconf(name);
  return size > 0 ? size : otherwise;
}

Expected<Machine> attn::calibrate() {
  Machine machine;
  machine.name = getCpuName();
  machine.target = "cpu";
  machine.isMeasured = true;
  machine.units = getNumCores(0);
  machine.l1Bytes = getCache(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
  machine.l2Bytes = getCache(_SC_LEVEL2_CACHE_SIZE, 1 << 20);
  machine.l3Bytes = getCache(_SC_LEVEL3_CACHE_SIZE, machine.l2Bytes);
  machine.matrix32 = measureFmaPeak(false, kSeconds).gflops;
  machine.matrix16 = machine.matrix32; // They are converted.
  machine.matrix64 = measureFmaPeak(true, kSeconds).gflops;
  if (Error error = measureExponentials(machine))
    return std::move(error);
  Expected<double> shared = measureCopies(machine.l2Bytes / 2),
                   cache = measureCopies(4 * machine.l2Bytes);
  if (!shared || !cache)
    return llvm::joinErrors(shared.takeError(), cache.takeError());
  machine.shared = *shared;
  machine.cache = *cache;
  Expected<CopyProbe> probe = CopyProbe::create(machine.units);
  if (!probe)
    return probe.takeError();
  machine.memory = probe->measure(2 * kSeconds).copy;
  return machine;
}

std::string attn::describeMachine(const Machine &machine) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::formatv("machine     {0}{1}\n", machine.name,
                          machine.isMeasured ? " (measured)" : " (table)");
  stream << llvm::formatv(
      "products    {0:f1} GFLOP/s f32  {1:f1} f64, of each of {2} cores\n",
      machine.matrix32, machine.matrix64, machine.units);
  stream << llvm::formatv("exponentials {0:f2} G/s of a core\n", machine.exp);
  stream << llvm::formatv("caches      {0} KiB at {1:f0} GB/s, {2} KiB at "
                          "{3:f0} GB/s, first {4} KiB\n",
                          machine.l2Bytes >> 10, machine.shared,
                          machine.l3Bytes >> 10, machine.cache,
                          machine.l1Bytes >> 10);
  stream << llvm::formatv("memory      {0:f1} GB/s of copies, all cores\n",
                          machine.memory);
  stream << llvm::formatv("start       {0:f1} us of a call\n",
                          machine.startMicroseconds);
  return text;
}
