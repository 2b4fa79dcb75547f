//===- DimName.h - Names of dimensions --------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dimension is called by a name, as "G", or by one and what it has more than
// that, as "G+1". It needs nothing but the standard library, so that the
// dialect and the runtime read names in the same way.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DIMNAME_H
#define ATTN_RUNTIME_DIMNAME_H

#include <cstdint>
#include <string>
#include <string_view>

namespace attn {

/// A size: that of `name`, and `more`.
struct DimName {
  std::string_view name;
  int64_t more = 0;

  /// Reads "G" or "G+1". What stands behind the last plus is a number of up to
  /// nine digits that is not 0, else the whole text is a name.
  static DimName parse(std::string_view text) {
    constexpr size_t mostDigits = 9;
    size_t plus = text.rfind('+');
    if (plus == std::string_view::npos || plus == 0)
      return {text};
    std::string_view digits = text.substr(plus + 1);
    int64_t more = 0;
    for (char digit : digits)
      if (digit < '0' || digit > '9' || digits.size() > mostDigits)
        return {text};
      else
        more = 10 * more + (digit - '0');
    return more ? DimName{text.substr(0, plus), more} : DimName{text};
  }

  /// The text that is read so.
  std::string getText() const {
    std::string text(name);
    return more ? text + "+" + std::to_string(more) : text;
  }
};

} // namespace attn

#endif // ATTN_RUNTIME_DIMNAME_H
