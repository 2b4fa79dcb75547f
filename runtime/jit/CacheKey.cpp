//===- CacheKey.cpp - The name of an entry of a cache ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/CacheKey.h"
#include <algorithm>
#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace attn;

static constexpr std::string_view kDigits = "0123456789abcdef";

std::string attn::joinParts(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (std::string_view part : parts) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  return text;
}

CacheKey CacheKey::of(std::string_view text) {
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(text.data(), text.size()));
  CacheKey key;
  for (unsigned char byte : hash.digest) {
    key.digits += kDigits[byte / 16];
    key.digits += kDigits[byte % 16];
  }
  return key;
}

bool CacheKey::isValid(std::string_view digits) {
  return digits.size() == 32 && std::ranges::all_of(digits, [](char digit) {
           return kDigits.find(digit) != std::string_view::npos;
         });
}
