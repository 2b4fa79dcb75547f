//===- Print.h - Findings as text and as JSON --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_EXPLAIN_PRINT_H
#define ATTN_TOOLS_ATTN_EXPLAIN_PRINT_H

#include "tools/attn-explain/Findings.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Prints findings for a reader, with at most so many candidates per schedule.
void printText(llvm::raw_ostream &os, const Findings &findings,
               size_t mostCandidates);

/// Prints them as one JSON object, with all candidates.
void printJson(llvm::raw_ostream &os, const Findings &findings);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_EXPLAIN_PRINT_H
