//===- DeviceMemory.cpp - Buffers in simulated global memory --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/DeviceMemory.h"
#include <cstring>
#include <sys/mman.h>

using namespace attn::sim;

static constexpr int64_t kPage = 4096;

/// Unmapped bytes on each side of a buffer: more than a mistake is wide.
static constexpr int64_t kGap = int64_t(1) << 30;

/// Room for all buffers together is a matter of the machine; one of more than
/// this is a mistake.
static constexpr int64_t kLargestBuffer = int64_t(1) << 40;

DeviceBuffer::DeviceBuffer(char *start, int64_t bytes, BufferTraits traits)
    : start(start), bytes(bytes), traits(std::move(traits)) {
  if (!this->traits.isInitialized)
    written = std::make_unique<char[]>(bytes);
  if (!this->traits.isReadOnly)
    shadow = std::make_unique<RaceShadow>(bytes);
}

llvm::Expected<std::unique_ptr<DeviceBuffer>>
DeviceBuffer::create(int64_t bytes, BufferTraits traits) {
  if (bytes < 0 || bytes > kLargestBuffer)
    return llvm::createStringError("buffer '" + traits.name + "' cannot have " +
                                   llvm::Twine(bytes) + " bytes");
  int64_t inside = (bytes + kPage - 1) / kPage * kPage;
  size_t all = inside + 2 * kGap;
  void *mapped = mmap(nullptr, all, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    return llvm::createStringError("no memory for buffer '" + traits.name +
                                   "' of " + llvm::Twine(bytes) + " bytes");
  char *start = static_cast<char *>(mapped) + kGap;
  if (inside && mprotect(start, inside, PROT_READ | PROT_WRITE)) {
    munmap(mapped, all);
    return llvm::createStringError("no memory for buffer '" + traits.name +
                                   "' of " + llvm::Twine(bytes) + " bytes");
  }
  bool isEmpty = !traits.isInitialized;
  std::unique_ptr<DeviceBuffer> buffer(
      new DeviceBuffer(start, bytes, std::move(traits)));
  buffer->reserved = mapped;
  buffer->reservedBytes = all;
  // A NaN of every floating-point type.
  if (isEmpty)
    std::memset(start, 0xFF, bytes);
  return buffer;
}

std::unique_ptr<DeviceBuffer> DeviceBuffer::wrap(char *data, int64_t bytes,
                                                 BufferTraits traits) {
  return std::unique_ptr<DeviceBuffer>(
      new DeviceBuffer(data, bytes, std::move(traits)));
}

DeviceBuffer::~DeviceBuffer() {
  if (reserved)
    munmap(reserved, reservedBytes);
}

bool DeviceBuffer::isWritten(int64_t offset, int64_t count) const {
  return !written ||
         !std::memchr(written.get() + offset, 0, static_cast<size_t>(count));
}

void DeviceBuffer::markWritten(int64_t offset, int64_t count) {
  if (written)
    std::memset(written.get() + offset, 1, count);
}

namespace {
/// Keeps other processors away for a moment.
class SpinLock {
public:
  explicit SpinLock(std::atomic_flag &flag) : flag(flag) {
    while (flag.test_and_set(std::memory_order_acquire))
      ;
  }
  ~SpinLock() { flag.clear(std::memory_order_release); }

private:
  std::atomic_flag &flag;
};
} // namespace

std::optional<Conflict> DeviceBuffer::recordRead(const Observer &observer,
                                                 int64_t offset,
                                                 int64_t count) {
  if (!shadow)
    return std::nullopt;
  SpinLock lock(busy);
  return shadow->read(observer, offset, count);
}

std::optional<Conflict> DeviceBuffer::recordWrite(const Observer &observer,
                                                  int64_t offset,
                                                  int64_t count) {
  if (!shadow)
    return std::nullopt;
  SpinLock lock(busy);
  return shadow->write(observer, offset, count);
}

std::optional<Stamp> DeviceBuffer::getLastWrite(int64_t offset) const {
  if (!shadow)
    return std::nullopt;
  Stamp stamp = shadow->getLastWrite(offset);
  return stamp.exists() ? std::optional(stamp) : std::nullopt;
}
