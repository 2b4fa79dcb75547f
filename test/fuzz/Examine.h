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
// Where a spec has no such analysis, the naive evaluation decides alone. A
// kernel that exceeds its error a little, and does not on other arguments, is
// no finding: docs/fuzzing.md says how that is told.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_EXAMINE_H
#define ATTN_TEST_FUZZ_EXAMINE_H

#include "test/fuzz/Spec.h"

namespace attn::fuzz {

/// What examining a spec ended in.
struct Outcome {
  /// ByChance: over tolerance, as the naive evaluation was lucky.
  enum Status { Passed, Refused, Found, ByChance };
  Status status = Passed;
  std::string kind; ///< "mismatch", "compile", "threads", "phase", "crash"...
  std::string message; ///< One line.
};

/// Compiles the spec, runs it, and compares it with its definition.
Outcome examine(llvm::StringRef text, const Examination &examination);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_EXAMINE_H
