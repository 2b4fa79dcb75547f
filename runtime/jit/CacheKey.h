//===- CacheKey.h - The name of an entry of a cache -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_CACHEKEY_H
#define ATTN_RUNTIME_JIT_CACHEKEY_H

#include <initializer_list>
#include <string>
#include <string_view>

namespace attn {

/// A text from which the parts can be told: "3:cpu0:14:func.func ...".
/// Different lists give different texts.
std::string joinParts(std::initializer_list<std::string_view> parts);

/// The hash of a text, of 128 bits, as 32 hexadecimal digits.
struct CacheKey {
  std::string digits;

  static CacheKey of(std::string_view text);

  /// Whether the digits are those of a key, as names of files must be.
  static bool isValid(std::string_view digits);

  bool operator==(const CacheKey &) const = default;
};

} // namespace attn

#endif // ATTN_RUNTIME_JIT_CACHEKEY_H
