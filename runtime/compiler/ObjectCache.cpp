//===- ObjectCache.cpp - Machine code by its LLVM IR ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/ObjectCache.h"
#include "runtime/compiler/SharedObject.h"
#include "runtime/jit/BuildId.h"
#include "runtime/jit/CacheKey.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <optional>

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// The digits of a hash.
static constexpr size_t kHashSize = 32;

/// A file is the hash of the bytes, then the bytes.
static std::optional<std::string> readObject(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return std::nullopt;
  StringRef bytes = (*file)->getBuffer();
  std::string hash = bytes.take_front(kHashSize).str();
  bytes = bytes.drop_front(hash.size());
  if (CacheKey::of({bytes.data(), bytes.size()}).digits != hash)
    return std::nullopt;
  return bytes.str();
}

/// Gives the file its name when it is whole, so that nobody reads a part.
/// (llvm::sys::fs::TempFile would take the signal handlers of the host.)
static Error writeObject(StringRef path, StringRef bytes) {
  if (std::error_code error =
          llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path)))
    return llvm::errorCodeToError(error);
  int file = -1;
  llvm::SmallString<128> unfinished;
  if (std::error_code error =
          llvm::sys::fs::createUniqueFile(path + ".%%%%%%%%", file, unfinished))
    return llvm::errorCodeToError(error);
  llvm::raw_fd_ostream stream(file, /*shouldClose=*/true);
  stream << CacheKey::of({bytes.data(), bytes.size()}).digits << bytes;
  stream.close();
  std::error_code error = stream.error();
  stream.clear_error();
  if (!error)
    error = llvm::sys::fs::rename(unfinished, path);
  if (error)
    llvm::sys::fs::remove(unfinished);
  return llvm::errorCodeToError(error);
}

Expected<std::string>
attn::findSharedObject(const ObjectCode &code,
                       llvm::function_ref<Expected<std::string>()> make) {
  const char *folder = std::getenv("ATTN_OBJECT_CACHE");
  std::string build = folder && *folder ? getBuildId() : "";
  if (build.empty())
    return make();
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(
      path, CacheKey::of(joinParts({build, code.getIdentity()})).digits);
  if (std::optional<std::string> found = readObject(path))
    return std::move(*found);
  Expected<std::string> made = make();
  if (!made)
    return made.takeError();
  if (Error error = writeObject(path, *made))
    return llvm::createStringError("ATTN_OBJECT_CACHE: cannot write to " +
                                   path + ": " +
                                   llvm::toString(std::move(error)));
  return made;
}

Expected<std::string> attn::makeSharedObject(ObjectCode &code) {
  return findSharedObject(code, [&]() -> Expected<std::string> {
    code.optimize();
    Expected<std::string> object =
        code.generate(llvm::CodeGenFileType::ObjectFile);
    if (!object)
      return object.takeError();
    return linkSharedObject(*object);
  });
}
