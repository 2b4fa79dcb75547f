//===- RaceShadow.h - Who touched each word of memory last ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every 4 bytes of memory: the last write, and the reads since then that
// are not ordered among each other. An access races with those of them that did
// not happen before it (Clocks.h). Only words that several threads read at once
// need a table of readers, and only words of which parts are accessed need a
// cell per byte; both live in pools.
//
//   word 0: write  (block 7, thread 3, epoch 2, site 5)
//           read   (block 7, thread 9, epoch 3, site 8)
//
// A store by thread 4 in epoch 3 races with the load of thread 9 unless thread
// 4 has learned of thread 9's epoch 3 meanwhile.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_RACESHADOW_H
#define ATTN_CODEGEN_SIMULATOR_RACESHADOW_H

#include "codegen/simulator/Clocks.h"
#include <array>
#include <cstddef>
#include <memory>
#include <optional>

namespace attn::sim {

/// One access by one thread. Blocks are numbered from 1 over all launches.
struct Stamp {
  enum Flag : uint32_t {
    Atomic = 1,
    /// By a copy that runs beside its thread and has not been waited for.
    Pending = 2,
    /// Not an access: `epoch` is a place in a pool.
    Pooled = 4,
  };

  uint32_t block = 0; ///< 0: there was no access.
  uint32_t epoch = 0;
  uint16_t thread = 0;
  uint16_t site = 0;
  uint32_t flags = 0;

  bool exists() const { return block != 0; }
  bool operator==(const Stamp &) const = default;
};

/// What other blocks have published to a block through atomic accesses.
class ForeignKnowledge;

/// Who accesses memory now, and what it knows of others.
struct Observer {
  const BlockClocks &clocks;
  Stamp now;
  /// Accesses by blocks before this one cannot race: they are those of earlier
  /// launches, or, in shared memory, of earlier owners.
  uint32_t firstBlock;
  const ForeignKnowledge *foreign = nullptr;

  /// Whether `stamp` happened before now.
  bool isOrdered(const Stamp &stamp) const;
  /// Whether it happened before all that any thread of this block does now.
  bool isOver(const Stamp &stamp) const {
    return stamp.block < firstBlock ||
           (stamp.block == now.block && !(stamp.flags & Stamp::Pending) &&
            clocks.isKnownToAll(stamp.epoch));
  }
  /// Whether `stamp` and the access at hand must not be unordered, and are.
  bool races(const Stamp &stamp) const {
    return stamp.exists() && !(stamp.flags & now.flags & Stamp::Atomic) &&
           !isOrdered(stamp);
  }
};

/// An access that is not ordered with the one at hand.
struct Conflict {
  Stamp other;
  bool otherWrote;
};

class RaceShadow {
public:
  explicit RaceShadow(size_t bytes);
  ~RaceShadow();
  RaceShadow(const RaceShadow &) = delete;
  RaceShadow &operator=(const RaceShadow &) = delete;

  /// Records a read or write of `bytes` bytes at `offset`; returns an access
  /// with which it races.
  std::optional<Conflict> read(const Observer &observer, size_t offset,
                               size_t bytes);
  std::optional<Conflict> write(const Observer &observer, size_t offset,
                                size_t bytes);

  /// The last write of the byte at `offset`; none exists before the first.
  Stamp getLastWrite(size_t offset) const;

  /// A pending write is done: from now on it counts as `settled`.
  void settle(const Stamp &pending, const Stamp &settled, size_t offset,
              size_t bytes);

private:
  struct Cell {
    Stamp write, read;
  };
  struct Readers;
  static constexpr size_t kWord = 4;

  template <typename Visit>
  void forEachCell(const Observer *observer, size_t offset, size_t bytes,
                   Visit visit);
  void readCell(const Observer &observer, Cell &cell,
                std::optional<Conflict> &conflict);
  void writeCell(const Observer &observer, Cell &cell,
                 std::optional<Conflict> &conflict);
  void addReader(const Observer &observer, Cell &cell);
  std::optional<Stamp> findReader(const Observer &observer, const Cell &cell);
  uint32_t allocateReaders();
  void dropReaders(Cell &cell);
  std::array<Cell, kWord> &split(Cell &cell);
  bool isOver(const Observer &observer, const Cell &cell) const;
  bool merge(const Observer &observer, Cell &cell);

  Cell *cells = nullptr; ///< Zero pages until they are touched.
  size_t mappedBytes = 0;
  std::vector<std::unique_ptr<Readers>> readers;
  std::vector<uint32_t> freeReaders;
  std::vector<std::unique_ptr<std::array<Cell, kWord>>> parts;
  std::vector<uint32_t> freeParts;
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_RACESHADOW_H
