//===- Program.h - A spec of any family -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The search and the shrinker know no families: they see programs.
//
// The shrinker is greedy: of all specs that one step away are simpler, the
// first that is still interesting is taken, and the search goes on from there,
// until none is. Steps are ordered from those that remove much to those that
// remove little.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_PROGRAM_H
#define ATTN_TEST_FUZZ_PROGRAM_H

#include "test/fuzz/RecurSpec.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <variant>

namespace attn::fuzz {

using Program = std::variant<Spec, RecurSpec>;

/// Which programs there are: one attn.attend each, one attn.recur each, or both
/// in turn.
enum class Family { Attend, Recur, All };

/// Program number `index` of those that belong to `seed`.
Program generateProgram(Family family, uint64_t seed, uint64_t index,
                        const std::vector<std::string> &targets);

/// How to examine the program, and its text.
std::string printProgram(const Program &program);

/// The smallest program that was found; at most `attempts` calls of
/// `isInteresting`, which is true for `program` itself.
Program shrink(Program program, int attempts,
               llvm::function_ref<bool(const Program &)> isInteresting);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_PROGRAM_H
