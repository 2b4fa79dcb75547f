//===- ShrinkSpec.h - Simpler specs ---------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Steps are ordered from those that remove much to those that remove little:
// regions, maps and options, subtrees, sizes, constants, captures that nobody
// reads.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_SHRINKSPEC_H
#define ATTN_TEST_FUZZ_SHRINKSPEC_H

#include "test/fuzz/Spec.h"

namespace attn::fuzz {

/// Simpler specs, the simplest first.
std::vector<Spec> getSimpler(const Spec &spec);

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_SHRINKSPEC_H
