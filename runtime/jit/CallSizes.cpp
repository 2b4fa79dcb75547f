//===- CallSizes.cpp - Sizes that a kernel will be called with ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/CallSizes.h"
#include <charconv>

using namespace attn;

/// Reads "N=4096" into `sizes`; says whether it could.
static bool parseSize(std::string_view part,
                      std::map<std::string, int64_t> &sizes) {
  size_t at = part.find('=');
  if (at == 0 || at == std::string_view::npos)
    return false;
  std::string_view digits = part.substr(at + 1);
  const char *last = digits.data() + digits.size();
  int64_t size = 0;
  auto [end, error] = std::from_chars(digits.data(), last, size);
  if (error != std::errc() || end != last || size < 0)
    return false;
  return sizes.emplace(part.substr(0, at), size).second;
}

Result<std::map<std::string, int64_t>>
attn::parseCallSizes(std::string_view text) {
  std::map<std::string, int64_t> sizes;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    if (!parseSize(part, sizes))
      return invalidArgument("dims: expected sizes such as 'H=8,N=4096', each "
                             "name once, got '" +
                             std::string(part) + "'");
    text.remove_prefix(comma == std::string_view::npos ? text.size()
                                                       : comma + 1);
  }
  return sizes;
}

std::string attn::printCallSizes(const std::map<std::string, int64_t> &sizes) {
  std::string text;
  for (const auto &[name, size] : sizes)
    text += (text.empty() ? "" : ",") + name + '=' + std::to_string(size);
  return text;
}
