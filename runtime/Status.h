//===- Status.h - Errors as values ------------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What functions of the runtime return. The codes are those of the C interface
// (runtime/attn.h); the message names what was expected and what was given.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_STATUS_H
#define ATTN_RUNTIME_STATUS_H

#include "runtime/attn.h"
#include <optional>
#include <string>
#include <utility>

namespace attn {

/// Success, or a code and a message.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(attn_status code, std::string message)
      : code(code), message(std::move(message)) {}

  /// True if something is wrong, so that `if (Status status = f())` returns it.
  explicit operator bool() const { return code != ATTN_OK; }

  attn_status getCode() const { return code; }
  const std::string &getMessage() const { return message; }

  /// The same error with `prefix` before its message.
  Status within(const std::string &prefix) && {
    return {code, prefix + message};
  }

private:
  attn_status code = ATTN_OK;
  std::string message;
};

/// A value, or why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value(std::move(value)) {}
  Result(Status status) : status(std::move(status)) {}

  explicit operator bool() const { return value.has_value(); }
  T &operator*() { return *value; }
  const T &operator*() const { return *value; }
  T *operator->() { return &*value; }
  const T *operator->() const { return &*value; }

  /// The error; only where there is no value.
  Status takeStatus() { return std::move(status); }

private:
  std::optional<T> value;
  Status status;
};

/// A wrong argument of a call.
inline Status invalidArgument(std::string message) {
  return {ATTN_INVALID_ARGUMENT, std::move(message)};
}

/// A package that does not say what it should.
inline Status invalidPackage(std::string message) {
  return {ATTN_INVALID_PACKAGE, std::move(message)};
}

} // namespace attn

#endif // ATTN_RUNTIME_STATUS_H
