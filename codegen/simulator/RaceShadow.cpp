//===- RaceShadow.cpp - Who touched each word of memory last --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/RaceShadow.h"
#include "codegen/simulator/ForeignKnowledge.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include <sys/mman.h>

using namespace attn::sim;

/// Readers of one word since it was last written that are not all ordered: of
/// one block, an entry per thread, and one more of another block.
struct RaceShadow::Readers {
  struct Entry {
    uint32_t epoch = 0; ///< 0: has not read it.
    uint16_t site = 0;
    uint16_t flags = 0;
  };

  uint32_t block = 0;
  uint32_t latest = 0; ///< The newest epoch of an entry.
  std::vector<Entry> entries;
  Stamp foreign;

  void reset(uint32_t newBlock) {
    block = newBlock;
    latest = 0;
    llvm::fill(entries, Entry());
  }

  void add(const Stamp &stamp) {
    if (stamp.thread >= entries.size())
      entries.resize(stamp.thread + 1);
    entries[stamp.thread] = {stamp.epoch, stamp.site,
                             static_cast<uint16_t>(stamp.flags)};
    latest = std::max(latest, stamp.epoch);
  }

  Stamp get(unsigned thread) const {
    const Entry &entry = entries[thread];
    return {block, entry.epoch, static_cast<uint16_t>(thread), entry.site,
            entry.flags};
  }
};

bool Observer::isOrdered(const Stamp &stamp) const {
  if (stamp.block < firstBlock)
    return true;
  if (stamp.block != now.block)
    return foreign && foreign->knows(clocks, now.thread, stamp);
  if (stamp.flags & Stamp::Pending)
    return false;
  return clocks.knows(now.thread, stamp.thread, stamp.epoch);
}

RaceShadow::RaceShadow(size_t bytes)
    : mappedBytes((bytes + kWord - 1) / kWord * sizeof(Cell)) {
  if (mappedBytes == 0)
    return;
  void *mapped = mmap(nullptr, mappedBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    llvm::report_bad_alloc_error("no memory to look for races");
  cells = static_cast<Cell *>(mapped);
}

RaceShadow::~RaceShadow() {
  if (cells)
    munmap(cells, mappedBytes);
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

uint32_t RaceShadow::allocateReaders() {
  if (freeReaders.empty()) {
    readers.push_back(std::make_unique<Readers>());
    return readers.size() - 1;
  }
  uint32_t place = freeReaders.back();
  freeReaders.pop_back();
  return place;
}

void RaceShadow::dropReaders(Cell &cell) {
  if (cell.read.flags & Stamp::Pooled)
    freeReaders.push_back(cell.read.epoch);
  cell.read = Stamp();
}

/// Gives every byte of a word a cell of its own.
std::array<RaceShadow::Cell, RaceShadow::kWord> &RaceShadow::split(Cell &cell) {
  if (cell.write.flags & Stamp::Pooled)
    return *parts[cell.write.epoch];
  if (freeParts.empty()) {
    freeParts.push_back(parts.size());
    parts.push_back(std::make_unique<std::array<Cell, kWord>>());
  }
  uint32_t place = freeParts.back();
  freeParts.pop_back();
  std::array<Cell, kWord> &bytes = *parts[place];
  for (Cell &byte : bytes) {
    byte = cell;
    if (!(cell.read.flags & Stamp::Pooled))
      continue;
    byte.read.epoch = allocateReaders();
    *readers[byte.read.epoch] = *readers[cell.read.epoch];
  }
  dropReaders(cell);
  cell.write = Stamp{1, place, 0, 0, Stamp::Pooled};
  return bytes;
}

/// Whether nothing in the cell can race with anything any more.
bool RaceShadow::isOver(const Observer &observer, const Cell &cell) const {
  if (!observer.isOver(cell.write))
    return false;
  if (!(cell.read.flags & Stamp::Pooled))
    return observer.isOver(cell.read);
  const Readers &table = *readers[cell.read.epoch];
  return observer.isOver(table.foreign) &&
         observer.isOver(Stamp{table.block, table.latest});
}

/// Makes one cell of the cells of a word's bytes, if all that they hold
/// happened before what this block does now.
bool RaceShadow::merge(const Observer &observer, Cell &cell) {
  uint32_t place = cell.write.epoch;
  if (!std::all_of(parts[place]->begin(), parts[place]->end(),
                   [&](const Cell &byte) { return isOver(observer, byte); }))
    return false;
  // Threads of this block know all the writes; for other blocks the newest one
  // stands for them.
  Stamp newest;
  for (Cell &byte : *parts[place]) {
    dropReaders(byte);
    if (byte.write.block == observer.now.block &&
        byte.write.epoch >= newest.epoch)
      newest = byte.write;
  }
  freeParts.push_back(place);
  cell = Cell{newest, Stamp()};
  return true;
}

/// Calls `visit` for each cell of these bytes.
template <typename Visit>
void RaceShadow::forEachCell(const Observer *observer, size_t offset,
                             size_t bytes, Visit visit) {
  for (size_t at = offset, end = offset + bytes; at < end;) {
    Cell &cell = cells[at / kWord];
    size_t first = at % kWord;
    size_t count = std::min(end - at, kWord - first);
    bool isSplit = cell.write.flags & Stamp::Pooled;
    if (count == kWord && (!isSplit || (observer && merge(*observer, cell)))) {
      visit(cell);
    } else {
      std::array<Cell, kWord> &parts = split(cell);
      for (size_t i = 0; i < count; ++i)
        visit(parts[first + i]);
    }
    at += count;
  }
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// Records a read that does not replace all earlier ones.
void RaceShadow::addReader(const Observer &observer, Cell &cell) {
  const Stamp &now = observer.now;
  if (!(cell.read.flags & Stamp::Pooled)) {
    Stamp old = cell.read;
    cell.read = Stamp{1, allocateReaders(), 0, 0, Stamp::Pooled};
    Readers &table = *readers[cell.read.epoch];
    table.reset(now.block);
    table.foreign = Stamp();
    if (old.block == now.block)
      table.add(old);
    else
      table.foreign = old;
    table.add(now);
    return;
  }
  Readers &table = *readers[cell.read.epoch];
  if (table.block != now.block) {
    for (unsigned i = 0; i < table.entries.size(); ++i)
      if (table.entries[i].epoch)
        table.foreign = table.get(i);
    table.reset(now.block);
  }
  if (table.foreign.exists() && observer.isOrdered(table.foreign))
    table.foreign = Stamp();
  table.add(now);
}

void RaceShadow::readCell(const Observer &observer, Cell &cell,
                          std::optional<Conflict> &conflict) {
  if (observer.races(cell.write))
    conflict = Conflict{cell.write, true};
  const Stamp &now = observer.now;
  if (cell.read.flags & Stamp::Pooled) {
    Readers &table = *readers[cell.read.epoch];
    if (!observer.isOver(table.foreign) ||
        !observer.isOver(Stamp{table.block, table.latest}))
      return addReader(observer, cell);
    dropReaders(cell);
  } else if (cell.read.exists() && !observer.isOrdered(cell.read)) {
    return addReader(observer, cell);
  }
  cell.read = now;
}

std::optional<Stamp> RaceShadow::findReader(const Observer &observer,
                                            const Cell &cell) {
  if (!(cell.read.flags & Stamp::Pooled)) {
    if (observer.races(cell.read))
      return cell.read;
    return std::nullopt;
  }
  const Readers &table = *readers[cell.read.epoch];
  if (observer.races(table.foreign))
    return table.foreign;
  if (observer.isOver(Stamp{table.block, table.latest}))
    return std::nullopt;
  for (unsigned i = 0; i < table.entries.size(); ++i)
    if (table.entries[i].epoch && observer.races(table.get(i)))
      return table.get(i);
  return std::nullopt;
}

void RaceShadow::writeCell(const Observer &observer, Cell &cell,
                           std::optional<Conflict> &conflict) {
  if (observer.races(cell.write))
    conflict = Conflict{cell.write, true};
  else if (std::optional<Stamp> reader = findReader(observer, cell))
    conflict = Conflict{*reader, false};
  dropReaders(cell);
  cell.write = observer.now;
}

std::optional<Conflict> RaceShadow::read(const Observer &observer,
                                         size_t offset, size_t bytes) {
  std::optional<Conflict> conflict;
  forEachCell(&observer, offset, bytes,
              [&](Cell &cell) { readCell(observer, cell, conflict); });
  return conflict;
}

std::optional<Conflict> RaceShadow::write(const Observer &observer,
                                          size_t offset, size_t bytes) {
  std::optional<Conflict> conflict;
  forEachCell(&observer, offset, bytes,
              [&](Cell &cell) { writeCell(observer, cell, conflict); });
  return conflict;
}

Stamp RaceShadow::getLastWrite(size_t offset) const {
  const Cell &cell = cells[offset / kWord];
  if (!(cell.write.flags & Stamp::Pooled))
    return cell.write;
  return (*parts[cell.write.epoch])[offset % kWord].write;
}

void RaceShadow::settle(const Stamp &pending, const Stamp &settled,
                        size_t offset, size_t bytes) {
  forEachCell(nullptr, offset, bytes, [&](Cell &cell) {
    if (cell.write == pending)
      cell.write = settled;
  });
}
