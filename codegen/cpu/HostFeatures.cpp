//===- HostFeatures.cpp - Which processor code is made for ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/HostFeatures.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include <unistd.h>

using namespace attn;
using llvm::StringRef;

/// Extensions that a level adds to x86-64 and that its code uses.
static llvm::ArrayRef<StringRef> getFeatures(StringRef level) {
  static constexpr StringRef avx512[] = {"avx512f",  "avx512bw", "avx512cd",
                                         "avx512dq", "avx512vl", "avx2",
                                         "fma",      "f16c",     "bmi2"};
  llvm::ArrayRef<StringRef> features(avx512);
  if (level == "avx512")
    return features;
  return level == "avx2" ? features.drop_front(5) : llvm::ArrayRef<StringRef>();
}

static bool hostHas(StringRef level) {
  static const llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(getFeatures(level),
                      [](StringRef feature) { return host.lookup(feature); });
}

/// Size of a cache of this machine, or `fallback` where it is not told.
static int64_t getCacheSize(int name, int64_t fallback) {
  long size = sysconf(name);
  return size > 0 ? size : fallback;
}

static CpuTarget getLevel(StringRef name) {
  CpuTarget target;
  target.name = name.str();
  target.cpu = "x86-64";
  if (name != "baseline") {
    target.cpu = "x86-64-v3";
    target.vectorBits = 256;
    target.hasFma = target.hasF16C = true;
  }
  if (name == "avx512") {
    target.cpu = "x86-64-v4";
    target.vectorBits = 512;
    target.vectorRegisters = 32;
    target.hasAvx512 = true;
  }
  target.l1Bytes = getCacheSize(_SC_LEVEL1_DCACHE_SIZE, target.l1Bytes);
  target.l2Bytes = getCacheSize(_SC_LEVEL2_CACHE_SIZE, target.l2Bytes);
  return target;
}

llvm::Expected<CpuTarget> attn::getCpuTarget(StringRef name) {
  for (StringRef level : {"avx512", "avx2", "baseline"})
    if (name == level || (name.empty() && hostHas(level)))
      return getLevel(level);
  return llvm::createStringError("unknown instruction set '" + name +
                                 "': expected avx512, avx2 or baseline");
}

llvm::Error attn::checkRunsHere(const CpuTarget &target) {
  if (hostHas(target.name))
    return llvm::Error::success();
  return llvm::createStringError(
      "this machine cannot run code for cpu:" + target.name +
      "; its widest is cpu:" + llvm::cantFail(getCpuTarget("")).name);
}
