//===- Runner.cpp - Measure kernels beside the machine --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-bench/Runner.h"
#include "tools/support/CommandLine.h"
#include "tools/support/FmaProbe.h"
#include "tools/support/Measure.h"
#include <algorithm>
#include <chrono>

using namespace attn;
using llvm::Error;
using llvm::Expected;

/// Calls follow each other in a round until it has lasted so long; short
/// kernels would otherwise be timed in caches that the probe has just used.
static constexpr double kRoundSeconds = 0.01;
/// How long a probe takes.
static constexpr double kProbeSeconds = 0.01;

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

Error Runner::compileFor(const Benchmark &benchmark) {
  const CompileOptions &options = benchmark.options;
  std::vector<std::string> key = {benchmark.specPath, benchmark.specText,
                                  options.target,     options.function,
                                  options.dtype,      options.schedule};
  if (compiled.key == key)
    return Error::success();
  auto kernel = compile(benchmark.specText, benchmark.specPath, options);
  if (!kernel)
    return kernel.takeError();
  data = {}; // It belongs to the old kernel.
  compiled = {std::move(key), std::move(*kernel)};
  return Error::success();
}

Error Runner::fillFor(const Benchmark &benchmark) {
  const Kernel &kernel = *compiled.kernel;
  Expected<Dims> dims = resolveDims(kernel, benchmark.dims, {}, "'dims'");
  if (!dims)
    return dims.takeError();
  std::string key = formatDims(*dims);
  if (data.kernel == &kernel && data.dims == key)
    return Error::success();
  data = {}; // Two sets of large arrays might not fit into the memory.
  Expected<Arrays> arguments =
      makeArguments(kernel.arguments(), *dims, {}, ArgumentOptions());
  if (!arguments)
    return arguments.takeError();
  Expected<Arrays> results = makeResults(kernel, *arguments);
  if (!results)
    return results.takeError();
  data = {&kernel, std::move(key), std::move(*arguments), std::move(*results)};
  return Error::success();
}

Error Runner::makeProbeFor(const Benchmark &benchmark) {
  int cores = getNumCores(benchmark.threads);
  if (benchmark.bound != Bound::Memory || memory.threads == cores)
    return Error::success();
  memory.probe.reset(); // There may be no room for two.
  memory.threads = 0;
  Expected<CopyProbe> probe = CopyProbe::create(cores);
  if (!probe)
    return probe.takeError();
  memory.probe.emplace(std::move(*probe));
  memory.threads = cores;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Rounds
//===----------------------------------------------------------------------===//

Yardstick Runner::probe(const Benchmark &benchmark) {
  if (benchmark.bound == Bound::Memory) {
    Bandwidth bandwidth = memory.probe->measure(kProbeSeconds);
    return {bandwidth.copy, bandwidth.read};
  }
  bool isFloat64 = data.results.front().getType() == ElementType::F64;
  FmaPeak peak = measureFmaPeak(isFloat64, kProbeSeconds);
  return {getNumCores(benchmark.threads) * peak.gflops, 0};
}

/// Seconds of a call. Kernels that wait for memory are called once, as a second
/// call would find in the caches what the first one has read.
static Expected<double> timeRound(Call call, Bound bound) {
  using Clock = std::chrono::steady_clock;
  std::chrono::duration<double> elapsed(0);
  int64_t count = 0;
  auto start = Clock::now();
  do {
    if (Error error = call())
      return error;
    ++count;
    elapsed = Clock::now() - start;
  } while (bound == Bound::Compute && elapsed.count() < kRoundSeconds);
  return elapsed.count() / count;
}

/// Lets results be computed in place of arguments, of which they get a copy.
Error Runner::shareMemory(const Benchmark &benchmark,
                          std::vector<Buffer> &inputs) {
  if (!benchmark.inPlace)
    return Error::success();
  bool any = false;
  for (auto [port, result] :
       llvm::zip(compiled.kernel->results(), data.results))
    if (port.inPlace) {
      any = true;
      result.copyFrom(data.arguments[*port.inPlace]);
      inputs[*port.inPlace] = result.getBuffer();
    }
  return any ? Error::success()
             : makeError("{0}: 'in_place': expected a spec with a result that "
                         "may be computed in place of an argument, got none",
                         benchmark.where);
}

Expected<Rounds> Runner::run(const Benchmark &benchmark, int64_t count) {
  if (Error error = compileFor(benchmark))
    return error;
  if (Error error = fillFor(benchmark))
    return error;
  if (Error error = makeProbeFor(benchmark))
    return error;
  const Kernel &kernel = *compiled.kernel;
  std::vector<Buffer> inputs = getBuffers(data.arguments);
  std::vector<Buffer> outputs = getBuffers(data.results);
  if (Error error = shareMemory(benchmark, inputs))
    return error;
  auto call = [&] {
    return kernel.launch(inputs, outputs, {benchmark.threads});
  };
  if (Error error = call()) // Warms up.
    return error;
  Expected<double> flops = kernel.flops(inputs);
  if (!flops)
    return flops.takeError();
  Rounds rounds;
  rounds.flops = *flops;
  rounds.bytes = getNumBytes(data.arguments) + getNumBytes(data.results);
  rounds.schedule = kernel.schedule();
  Yardstick before = probe(benchmark);
  for (int64_t i = 0; i < count; ++i) {
    Expected<double> seconds = timeRound(call, benchmark.bound);
    if (!seconds)
      return seconds.takeError();
    rounds.seconds.push_back(*seconds);
    Yardstick after = probe(benchmark);
    rounds.yards.push_back(
        {(before.peak + after.peak) / 2, (before.read + after.read) / 2});
    before = after;
  }
  return rounds;
}
