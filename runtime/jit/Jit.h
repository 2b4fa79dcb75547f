//===- Jit.h - Kernels of specs, each made once -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel is looked for in four places, the cheap ones first:
//
//   1. in memory, by the text of the spec, its options and the device
//   2. in the folder, by the hash of that text (DiskCache.h)
//   3. after parsing, in memory and in the folder, by the hash of the canonical
//      program and of all that code depends on
//   4. where the compiler makes it
//
// A kernel that is found is entered into the places before. In memory, kernels
// stay until the context is destroyed.
//
// A tuning database is one of the options, and its contents are part of the
// hash in 2: where they have changed, the database is asked in 3 and the kernel
// of the schedule that it has now is looked for. Where 1 has a kernel, it
// stays.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_JIT_H
#define ATTN_RUNTIME_JIT_JIT_H

#include "runtime/Handles.h"
#include "runtime/jit/DiskCache.h"
#include "runtime/jit/JitConfig.h"
#include "runtime/jit/OnceMap.h"
#include "runtime/jit/SpecCompiler.h"

namespace attn {

/// A kernel as a spec and options ask for it.
struct JitKernel {
  std::shared_ptr<const SharedKernel> kernel;
  std::string scheduleOrigin; ///< As attn_kernel_schedule_origin() has it.
};

/// A context. All members may be called concurrently.
class Jit {
public:
  using Kernel = std::shared_ptr<const SharedKernel>;

  Jit(JitConfig config, std::unique_ptr<SpecCompiler> compiler);

  /// The kernel of a spec on a device.
  Result<JitKernel> compile(const SpecRequest &request, DLDevice device);

  /// What has been done so far.
  attn_jit_counters getCounters() const;

  /// What was resolved, as JSON.
  const std::string &getConfig() const { return configText; }

  /// The database of the environment; empty if there is none.
  const std::string &getTuningDatabase() const { return tuningDatabase; }

private:
  Result<JitKernel> find(const SpecRequest &request, DLDevice device);
  Kernel findKnown(const CacheKey &key, DLDevice device);
  Result<JitKernel> parseAndFind(const SpecRequest &request, DLDevice device,
                                 const std::string &target,
                                 const CacheKey &textKey,
                                 const std::optional<CacheKey> &tried);
  CacheKey makeTextKey(const SpecRequest &request,
                       const std::string &target) const;
  Result<Kernel> makeKernel(ParsedSpec &spec, const CacheKey &key,
                            DLDevice device, bool mayBeOnDisk);
  Kernel load(const CacheKey &key, DLDevice device);
  void describeConfig(const JitConfig &config);

  std::unique_ptr<SpecCompiler> compiler;
  std::string build, tuningDatabase;
  std::optional<DiskCache> disk;
  std::string configText;
  OnceMap<JitKernel> byText;
  OnceMap<Kernel> byKey;
  std::atomic<uint64_t> compilations = 0, memoryHits = 0, diskHits = 0;
};

} // namespace attn

#endif // ATTN_RUNTIME_JIT_JIT_H
