//===- CudaDevice.h - Kernels on NVIDIA GPUs --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CUDADEVICE_H
#define ATTN_RUNTIME_CUDADEVICE_H

#include "runtime/Device.h"

namespace attn {

/// The best code for a GPU: machine code for its very architecture, else that
/// of the same major version, else the newest PTX that it can run.
Result<Candidate> chooseCudaCode(const CodeChoice &choice, int ordinal);

/// Loads the code into the primary context of the GPU. PTX is compiled by the
/// driver; its messages are part of the error.
Result<std::unique_ptr<LoadedProgram>>
loadCudaProgram(const Candidate &candidate, int ordinal);

/// How well code for `target` ("cuda:sm_90a") suits a GPU of the capability
/// `capability` (90): higher is better, nothing if it does not run there.
std::optional<int> rateCudaTarget(std::string_view target, CodeFormat format,
                                  int capability);

} // namespace attn

#endif // ATTN_RUNTIME_CUDADEVICE_H
