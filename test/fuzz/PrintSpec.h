//===- PrintSpec.h - The text of a spec -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_PRINTSPEC_H
#define ATTN_TEST_FUZZ_PRINTSPEC_H

#include "test/fuzz/Spec.h"

namespace attn::fuzz {

/// The spec as a file of the attn dialect. Its sizes are its attn.defaults.
std::string printSpec(const Spec &spec);

/// The comment lines that --replay reads.
std::string printExamination(const Examination &examination);

/// Reads what printExamination() wrote at the top of a file; lines without it
/// give the defaults.
llvm::Expected<Examination> parseExamination(llvm::StringRef text);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_PRINTSPEC_H
