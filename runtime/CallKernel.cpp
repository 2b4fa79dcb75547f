//===- CallKernel.cpp - Call a compiled kernel from any language ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CallKernel.h"

int32_t attnCallKernel(AttnEntry entry, void **args, int32_t threads) {
  attn::ParallelHost host(threads);
  int32_t status = entry(&host, args);
  return host.isOutOfMemory() ? -1 : status;
}
