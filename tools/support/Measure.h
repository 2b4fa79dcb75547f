//===- Measure.h - Time and memory of calls ------------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_MEASURE_H
#define ATTN_TOOLS_SUPPORT_MEASURE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace attn {

/// What one call may do.
using Call = llvm::function_ref<llvm::Error()>;

/// What a call is measured against.
struct Work {
  double flops = 0;     ///< Floating-point operations of one call, if known.
  double bytes = 0;     ///< Bytes of its arguments and results.
  bool probe = false;   ///< Whether the FMA peak is measured as well,
  bool float64 = false; ///< of which type,
  int threads = 1;      ///< and how many cores it stands for.
};

/// The calls that were measured.
struct Timing {
  std::vector<double> seconds;
  std::vector<double> peaks; ///< GFLOP/s at the time of each call; or empty.
};

/// Times `count` calls. With `work.probe` the peak is measured before each of
/// them, as the clock of a machine changes over time.
llvm::Expected<Timing> timeCalls(Call call, int64_t count, const Work &work);

/// How many cores so many threads keep busy; 0 threads stand for all cores.
int getNumCores(int threads);

/// The value below which a share of the values lies.
double getQuantile(std::vector<double> values, double share);

/// Prints time per call, GFLOP/s, GB/s and the share of the peak.
void printTiming(llvm::raw_ostream &stream, const Timing &timing,
                 const Work &work);

/// Makes one call and returns by how many bytes the resident memory of the
/// process rose at most meanwhile; nothing where the system does not tell.
llvm::Expected<std::optional<int64_t>> measureMemory(Call call);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_MEASURE_H
