//===- DiskCache.h - Compiled kernels in a folder ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two kinds of files lie in the folder:
//
//   KEY.attn   a package, whose manifest has KEY as its `cache_key`; KEY is the
//              hash of the canonical program and of all that code depends on
//   KEY.alias  the key of the package for a text as users write it, so that a
//              known text needs no parser, and a note on that text; KEY is the
//              hash of that text
//
// Writers make a temporary file, flush it to the disk and give it its name in
// one step. So readers see whole files, whatever happens to writers, and
// processes need no locks. What is read is compared with its checksums and its
// key all the same; a file that is wrong counts as rejected, and is replaced
// when its kernel has been compiled.
//
// After a write the oldest files go until all fit into the limit; a read makes
// a file young. Files with other names are never touched. Nothing here fails:
// what cannot be read is missing, what cannot be written is counted.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_DISKCACHE_H
#define ATTN_RUNTIME_JIT_DISKCACHE_H

#include "runtime/Package.h"
#include "runtime/jit/CacheKey.h"
#include <atomic>

namespace attn {

/// A folder with packages. All members may be called concurrently, and the
/// folder may be used by other objects and processes.
class DiskCache {
public:
  DiskCache(std::string folder, uint64_t maxBytes)
      : folder(std::move(folder)), maxBytes(maxBytes) {}

  /// The package of a key; null if there is none that is whole.
  std::shared_ptr<const Package> findPackage(const CacheKey &key);

  /// Keeps the bytes of a package, whose manifest has the key.
  void storePackage(const CacheKey &key, std::string_view bytes);

  /// The key that was stored for the hash of a text, and the note beside it.
  std::optional<CacheKey> findAlias(const CacheKey &text,
                                    std::string *note = nullptr);
  void storeAlias(const CacheKey &text, const CacheKey &key,
                  const std::string &note = "");

  /// Counts an entry that turned out to be wrong later than here.
  void reject() { ++rejected; }

  uint64_t countRejected() const { return rejected; }
  uint64_t countEvicted() const { return evicted; }
  uint64_t countFailedWrites() const { return failedWrites; }

private:
  std::string getPath(const CacheKey &key, const char *extension) const;
  std::optional<std::string> read(const std::string &path);
  void write(const std::string &path, std::string_view bytes);
  bool tryWrite(const std::string &path, std::string_view bytes);
  void evict(const std::string &newest);

  std::string folder;
  uint64_t maxBytes;
  std::atomic<uint64_t> rejected = 0, evicted = 0, failedWrites = 0;
};

} // namespace attn

#endif // ATTN_RUNTIME_JIT_DISKCACHE_H
