//===- CpuDevice.h - Kernels on the CPU -------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CPUDEVICE_H
#define ATTN_RUNTIME_CPUDEVICE_H

#include "runtime/Device.h"

namespace attn {

/// The triple of sections that this process can load.
std::string_view getHostTriple();

/// The widest code for this CPU: avx512, avx2 or baseline.
Result<Candidate> chooseCpuCode(const CodeChoice &choice);

/// Loads the code into the process.
Result<std::unique_ptr<LoadedProgram>>
loadCpuProgram(const Candidate &candidate);

} // namespace attn

#endif // ATTN_RUNTIME_CPUDEVICE_H
