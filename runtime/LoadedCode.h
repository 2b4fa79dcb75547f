//===- LoadedCode.h - Machine code that was loaded from memory --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_LOADEDCODE_H
#define ATTN_RUNTIME_LOADEDCODE_H

#include "runtime/Status.h"
#include <memory>
#include <string_view>

namespace attn {

/// The code of an ELF shared object, in the process while this lives.
///
/// It is loaded from a file that exists only in memory, or, where the system
/// refuses that, from a temporary file that is removed at once. The descriptor
/// stays open: the dynamic linker knows objects by their path, and that of a
/// descriptor must not name a second one meanwhile.
class LoadedCode {
public:
  static Result<std::unique_ptr<LoadedCode>> load(std::string_view bytes);

  LoadedCode(const LoadedCode &) = delete;
  LoadedCode &operator=(const LoadedCode &) = delete;
  ~LoadedCode();

  /// The address of an exported symbol.
  Result<void *> lookup(const std::string &symbol) const;

private:
  LoadedCode(int file, void *handle) : file(file), handle(handle) {}

  int file;
  void *handle;
};

} // namespace attn

#endif // ATTN_RUNTIME_LOADEDCODE_H
