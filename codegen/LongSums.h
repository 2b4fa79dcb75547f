//===- LongSums.h - Products with many terms --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Errors grow with the length of a chain of additions. All targets therefore
// sum long products in parts, and add the parts.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_LONGSUMS_H
#define ATTN_CODEGEN_LONGSUMS_H

#include <cstdint>

namespace attn {

/// Terms that are added in one chain.
inline constexpr int64_t kTermsOfPart = 64;

/// Whether a product of so many terms is summed in parts. Two parts would save
/// little.
constexpr bool isSummedInParts(int64_t terms) {
  return terms > 2 * kTermsOfPart;
}

} // namespace attn

#endif // ATTN_CODEGEN_LONGSUMS_H
