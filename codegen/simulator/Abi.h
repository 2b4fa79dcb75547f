//===- Abi.h - Between simulated device code and the simulator --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `attn-simulate-device` turns a kernel into host code that gets one of these
// structures per device thread, and calls the functions in it where the device
// would touch memory or meet other threads. Four functions are enough: a new
// kind of event is a new row of `AttnSimEvent`, not a new function.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_ABI_H
#define ATTN_CODEGEN_SIMULATOR_ABI_H

#include <cstdint>

extern "C" {

struct AttnSimThread;

/// Announces that `thread` accesses `address`, as the site `site` says. Returns
/// where the access has to go: `address`, or memory of no meaning if the access
/// is not allowed.
typedef void *(*AttnSimAccess)(AttnSimThread *thread, int32_t site,
                               void *address);

/// Executes any other event. `slots` holds the operands, 64 bits each, and
/// afterwards the results.
typedef void (*AttnSimEvent)(AttnSimThread *thread, int32_t site,
                             int64_t *slots);

/// At the head of a loop: ends threads that do not end by themselves.
typedef void (*AttnSimStep)(AttnSimThread *thread, int32_t site);

/// What device code may call. The order of the fields is part of the ABI.
struct AttnSimCalls {
  AttnSimAccess load;
  AttnSimAccess store;
  /// For atomic accesses, which may read, write or both.
  AttnSimAccess update;
  AttnSimEvent event;
  AttnSimStep step;
};

/// The start of a device thread's context: what device code reads itself.
struct AttnSimThread {
  const AttnSimCalls *calls;
  /// The shared memory of this thread's block; below 4 GiB, aligned to 256 KiB.
  char *shared;
  /// How many ops the thread has executed; counted by device code.
  int64_t ops;
  /// Special registers, by their place in attn::sim::getSpecialRegisters.
  int32_t registers[32];
};

} // extern "C"

#endif // ATTN_CODEGEN_SIMULATOR_ABI_H
