//===- Machine.h - What a machine can do ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parameters of the cost model. Those of a CPU are measured once by
// `attn-tune --calibrate` and kept in a file; until then a table has those of a
// usual one. Those of GPUs are published numbers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COST_MACHINE_H
#define ATTN_CODEGEN_COST_MACHINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace attn {

/// A processor, as far as the cost model knows it. Rates are those of one unit:
/// a core, or a multiprocessor.
struct Machine {
  std::string name;
  std::string target; ///< "cpu", "cuda:sm_80".
  bool isMeasured = false;
  int64_t units = 1;
  double matrix16 = 0; ///< GFLOP/s of products of 16 bits,
  double matrix32 = 0; ///< of f32,
  double matrix64 = 0; ///< and of f64.
  double exp = 0;      ///< 10^9 exponentials per second.
  double shared = 0;   ///< GB/s from the second cache, or from shared memory.
  double cache = 0;    ///< GB/s from the last cache.
  double memory = 0;   ///< GB/s from memory, of all units together.
  int64_t l1Bytes = 0, l2Bytes = 0; ///< Of a unit; GPUs: shared memory, L2.
  int64_t l3Bytes = 0;              ///< Of all units; 0 on GPUs.
  double startMicroseconds = 0;     ///< From the call to the first instruction.

  bool isGpu() const { return llvm::StringRef(target).starts_with("cuda"); }
};

/// The devices that are in the table.
llvm::ArrayRef<Machine> getKnownMachines();

/// The device of the table with this name, or the usual one of a target.
llvm::Expected<Machine> findMachine(llvm::StringRef target,
                                    llvm::StringRef device);

/// Where the measured parameters are: machine.json in $ATTN_CONFIG_DIR, else in
/// $XDG_CONFIG_HOME/attn, else in ~/.config/attn.
std::string getMachinePath();

/// Reads and writes such a file. A file that is absent is no error: the table's
/// entry comes then.
llvm::Expected<Machine> readMachine(llvm::StringRef path);
llvm::Error writeMachine(llvm::StringRef path, const Machine &machine);

/// The parameters for a target: for CPUs those of the file for this processor,
/// if there is one, else of the table.
llvm::Expected<Machine> loadMachine(llvm::StringRef target,
                                    llvm::StringRef device = "");

/// The name of this processor: "AMD EPYC (znver4), 2 cores".
std::string getCpuName();

} // namespace attn

#endif // ATTN_CODEGEN_COST_MACHINE_H
