//===- CallKernel.h - Call a compiled kernel from any language --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs that load the shared objects of attn-compile need a host for them.
// libattn-host.so has one behind a single C function, without anything of LLVM:
//
//   handle = dlopen("causal.so"); entry = dlsym(handle, "attn_entry_causal");
//   status = attnCallKernel(entry, args, threads);
//
// runtime/ParallelFor.h says what `args` are.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CALLKERNEL_H
#define ATTN_RUNTIME_CALLKERNEL_H

#include "runtime/ParallelFor.h"

extern "C" {

/// The function that a kernel exports.
typedef int32_t (*AttnEntry)(const AttnHost *host, void **args);

/// Runs a kernel on `threads` threads (0: all cores). Returns 0, the status of
/// the kernel, or -1 if there was no memory for the scratch buffers of blocks.
__attribute__((visibility("default"))) int32_t attnCallKernel(AttnEntry entry,
                                                              void **args,
                                                              int32_t threads);

} // extern "C"

#endif // ATTN_RUNTIME_CALLKERNEL_H
