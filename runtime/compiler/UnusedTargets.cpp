//===- UnusedTargets.cpp - Back ends that the library does without --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// lld registers every back end of LLVM before it links, for link-time
// optimization, which kernels never ask for. Here the functions that register
// the others do nothing, so that their 75 MB stay out of libattn-jit.so.
//
//===----------------------------------------------------------------------===//

#define ATTN_UNUSED_TARGET(NAME)                                               \
  void LLVMInitialize##NAME##TargetInfo() {}                                   \
  void LLVMInitialize##NAME##Target() {}                                       \
  void LLVMInitialize##NAME##TargetMC() {}                                     \
  void LLVMInitialize##NAME##AsmParser() {}                                    \
  void LLVMInitialize##NAME##AsmPrinter() {}

// Named as LLVM names them. NOLINTBEGIN(readability-identifier-naming)
extern "C" {
#include "runtime/compiler/UnusedTargets.def"
}
// NOLINTEND(readability-identifier-naming)

/// What link-time optimization would ask Polly for, which Debian's LLVM names
/// but does not have in an archive. Never called.
void getPollyPluginInfo() { __builtin_trap(); }
