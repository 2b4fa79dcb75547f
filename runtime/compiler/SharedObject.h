//===- SharedObject.h - Link and load machine code --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_SHAREDOBJECT_H
#define ATTN_RUNTIME_COMPILER_SHAREDOBJECT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace attn {

/// Writes `bytes` to a file; the error names the file.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef bytes);

/// Links the bytes of an object file; returns those of a shared object.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object);

/// A shared object that is loaded while this lives.
class SharedObject {
public:
  /// Loads the bytes of a shared object. No file of it stays behind.
  static llvm::Expected<std::unique_ptr<SharedObject>>
  load(llvm::StringRef bytes);

  SharedObject(const SharedObject &) = delete;
  SharedObject &operator=(const SharedObject &) = delete;
  ~SharedObject();

  /// The address of an exported symbol.
  llvm::Expected<void *> lookup(const std::string &symbol) const;

private:
  explicit SharedObject(void *handle) : handle(handle) {}

  void *handle;
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_SHAREDOBJECT_H
