//===- HostFeatures.h - Which processor code is made for --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Code is made for one of three levels of x86-64, not for single extensions, so
// that machines of one level run the same code.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_HOSTFEATURES_H
#define ATTN_CODEGEN_CPU_HOSTFEATURES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace attn {

/// A level of the instruction set, with what passes need to know of it.
struct CpuTarget {
  std::string name; ///< "avx512", "avx2" or "baseline".
  std::string cpu;  ///< What LLVM calls it.
  int64_t vectorBits = 128;
  int64_t vectorRegisters = 16;
  bool hasFma = false;
  bool hasF16C = false;
  bool hasAvx512 = false;
  int64_t l1Bytes = 32768;   ///< First-level data cache of this machine.
  int64_t l2Bytes = 1048576; ///< Second-level cache of this machine.
};

/// The target called `name`; an empty name means the widest of this machine.
llvm::Expected<CpuTarget> getCpuTarget(llvm::StringRef name);

/// Fails with a message if this machine cannot run code for `target`.
llvm::Error checkRunsHere(const CpuTarget &target);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_HOSTFEATURES_H
