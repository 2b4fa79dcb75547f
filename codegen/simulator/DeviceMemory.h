//===- DeviceMemory.h - Buffers in simulated global memory ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A buffer lies between unmapped pages, far from all others, so that an index
// that is wrong meets nothing. It keeps what its launches learn of it: which
// bytes have been written, and by whom.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_DEVICEMEMORY_H
#define ATTN_CODEGEN_SIMULATOR_DEVICEMEMORY_H

#include "codegen/simulator/RaceShadow.h"
#include "llvm/Support/Error.h"
#include <atomic>
#include <string>

namespace attn::sim {

/// What programs may do with a buffer.
struct BufferTraits {
  std::string name;
  bool isReadOnly = false;
  /// Whether it has content. If not, reading what was not written is a defect.
  bool isInitialized = true;
};

/// A piece of global memory.
class DeviceBuffer {
public:
  static llvm::Expected<std::unique_ptr<DeviceBuffer>>
  create(int64_t bytes, BufferTraits traits);

  /// Memory that exists already, such as a constant of the program; it must
  /// stay where it is.
  static std::unique_ptr<DeviceBuffer> wrap(char *data, int64_t bytes,
                                            BufferTraits traits);
  ~DeviceBuffer();
  DeviceBuffer(const DeviceBuffer &) = delete;
  DeviceBuffer &operator=(const DeviceBuffer &) = delete;

  /// Its content, for the host to fill and to read.
  char *data() { return start; }
  int64_t size() const { return bytes; }
  const BufferTraits &getTraits() const { return traits; }

  bool contains(const char *address, int64_t count) const {
    return address >= start && address - start <= bytes - count;
  }

  int64_t offsetOf(const char *address) const { return address - start; }

  /// Whether these bytes have been written; `markWritten` says that they are.
  bool isWritten(int64_t offset, int64_t count) const;
  void markWritten(int64_t offset, int64_t count);

  /// Looks for races. Blocks on several processors may call these at once.
  std::optional<Conflict> recordRead(const Observer &observer, int64_t offset,
                                     int64_t count);
  std::optional<Conflict> recordWrite(const Observer &observer, int64_t offset,
                                      int64_t count);

  /// The last write of the byte at `offset`, if there was one and writes were
  /// recorded.
  std::optional<Stamp> getLastWrite(int64_t offset) const;

private:
  DeviceBuffer(char *start, int64_t bytes, BufferTraits traits);

  char *start;
  int64_t bytes;
  BufferTraits traits;
  void *reserved = nullptr;
  size_t reservedBytes = 0;
  /// A byte per byte, or nothing where all of it has content.
  std::unique_ptr<char[]> written;
  std::unique_ptr<RaceShadow> shadow;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_DEVICEMEMORY_H
