//===- Examine.h - Run a spec and compare ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel may be wrong by what docs/numerics.md allows, and in any case by
// the bound that a running error analysis of the spec gives: the problems are
// so small that the naive evaluation is often exact by luck.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_EXAMINE_H
#define ATTN_TEST_FUZZ_EXAMINE_H

#include "test/fuzz/Spec.h"

namespace attn::fuzz {

/// What examining a spec ended in.
struct Outcome {
  enum Status { Passed, Refused, Found };
  Status status = Passed;
  std::string kind; ///< "mismatch", "compile", "threads", "phase", "crash"...
  std::string message; ///< One line.
};

/// Compiles the spec, runs it, and compares it with its definition.
Outcome examine(llvm::StringRef text, const Examination &examination);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_EXAMINE_H
