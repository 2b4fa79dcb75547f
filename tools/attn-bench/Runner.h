//===- Runner.h - Measure kernels beside the machine ----------- -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The clock of a machine wanders, and other programs use its memory. So a
// kernel and what it is judged by are measured in turn, probe, calls, probe,
// calls, ..., probe; a round is the calls between two probes, and its ratio is
// that of its own speed to the mean of these two. What is reported are the
// quantiles of the ratios of the rounds.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_BENCH_RUNNER_H
#define ATTN_TOOLS_ATTN_BENCH_RUNNER_H

#include "tools/attn-bench/Catalogue.h"
#include "tools/support/Arguments.h"
#include "tools/support/CopyProbe.h"
#include "tools/support/Measure.h"
#include <optional>

namespace attn {

/// What the machine can do at a time: GFLOP/s, or GB/s of copies and of reads.
struct Yardstick {
  double peak = 0; ///< The FMA peak, or the bandwidth of copies.
  double read = 0; ///< The bandwidth of reads; 0 beside a compute bound.
};

/// The rounds of one benchmark.
struct Rounds {
  double flops = 0, bytes = 0;  ///< Of one call.
  std::vector<double> seconds;  ///< Of one call, in each round.
  std::vector<Yardstick> yards; ///< What each round is compared with.
  std::string schedule;         ///< That of the kernel.
};

/// Runs benchmarks one after the other. Neighbours in the list share what they
/// have in common: the kernel, the arguments, the arrays of the probe.
class Runner {
public:
  /// Compiles the benchmark, fills its arguments and measures `count` rounds.
  llvm::Expected<Rounds> run(const Benchmark &benchmark, int64_t count);

private:
  /// A kernel, and from what it was compiled.
  struct Compiled {
    std::vector<std::string> key;
    std::unique_ptr<Kernel> kernel;
  };
  /// The arrays of the last benchmark, and what they depend on.
  struct Data {
    const Kernel *kernel = nullptr;
    std::string dims;
    Arrays arguments, results;
  };
  /// The arrays of the probe.
  struct Memory {
    int threads = 0;
    std::optional<CopyProbe> probe;
  };

  llvm::Error compileFor(const Benchmark &benchmark);
  llvm::Error fillFor(const Benchmark &benchmark);
  llvm::Error makeProbeFor(const Benchmark &benchmark);
  llvm::Error shareMemory(const Benchmark &benchmark,
                          std::vector<Buffer> &inputs);
  Yardstick probe(const Benchmark &benchmark);

  Compiled compiled;
  Data data;
  Memory memory;
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_BENCH_RUNNER_H
