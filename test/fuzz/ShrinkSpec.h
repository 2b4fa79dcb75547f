//===- ShrinkSpec.h - Make a finding smaller ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Greedy: of all specs that one step away are simpler, the first that is still
// interesting is taken, and the search goes on from there, until none is. Steps
// are ordered from those that remove much to those that remove little: regions,
// maps and options, subtrees, sizes, constants, captures that nobody reads.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_SHRINKSPEC_H
#define ATTN_TEST_FUZZ_SHRINKSPEC_H

#include "test/fuzz/Spec.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace attn::fuzz {

/// The smallest spec that was found; at most `attempts` calls of
/// `isInteresting`, which is true for `spec` itself.
Spec shrink(Spec spec, int attempts,
            llvm::function_ref<bool(const Spec &)> isInteresting);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_SHRINKSPEC_H
