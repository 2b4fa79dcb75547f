//===- AccessLog.cpp - Accesses of a warp, lane by lane -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/AccessLog.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>

using namespace attn::sim;

static constexpr uint64_t kSectorBytes = 32;
static constexpr uint64_t kBanks = 32;
static constexpr uint64_t kBankBytes = 4;
/// What shared memory serves in one pass.
static constexpr unsigned kPassBytes = kBanks * kBankBytes;

AccessLog::AccessLog(unsigned sites, unsigned lanes)
    : lanes(lanes), sites(sites) {}

void AccessLog::add(unsigned site, Space space, unsigned lane, uint64_t address,
                    unsigned bytes, unsigned align) {
  SiteLog &log = sites[site];
  Stream &stream = log.streams[static_cast<unsigned>(space)];
  if (!log.rowsUsed)
    touched.push_back(site);
  stream.bytes = bytes;
  stream.align = align;
  unsigned row = stream.counts[lane]++;
  if (row >= stream.rowsUsed) {
    if (row >= stream.rows.size())
      stream.rows.emplace_back();
    stream.rows[row].lanes = 0;
    stream.rowsUsed = row + 1;
    log.rowsUsed = std::max(log.rowsUsed, stream.rowsUsed);
  }
  stream.rows[row].lanes |= uint64_t(1) << lane;
  stream.rows[row].addresses[lane] = address;
}

void attn::sim::countSectors(llvm::ArrayRef<uint64_t> addresses, unsigned bytes,
                             Counters &counters) {
  llvm::SmallVector<uint64_t, 64> sorted(addresses);
  if (!llvm::is_sorted(sorted))
    std::sort(sorted.begin(), sorted.end());
  auto sectorsOf = [](uint64_t size) -> int64_t {
    return (size + kSectorBytes - 1) / kSectorBytes;
  };
  uint64_t distinctBytes = 0;
  uint64_t nextSector = 0; // The first that no run before has touched.
  for (size_t first = 0; first < sorted.size();) {
    uint64_t start = sorted[first], end = start;
    for (; first < sorted.size() && (end == start || sorted[first] <= end);
         ++first)
      end = std::max(end, sorted[first] + bytes);
    uint64_t firstSector = std::max(start / kSectorBytes, nextSector);
    nextSector = std::max(nextSector, (end - 1) / kSectorBytes + 1);
    int64_t touched = nextSector - firstSector;
    counters.sectors += touched;
    counters.unalignedSectors +=
        std::max<int64_t>(0, touched - sectorsOf(end - start));
    distinctBytes += end - start;
  }
  ++counters.requests;
  counters.idealSectors += sectorsOf(distinctBytes);
}

/// Passes for one group of lanes: the most different words of one bank.
static int64_t countPasses(llvm::ArrayRef<uint64_t> addresses, unsigned bytes) {
  // The different words of a bank form a list; mostly it has one.
  struct Word {
    uint64_t number;
    int next;
  };
  llvm::SmallVector<Word, 64> words;
  std::array<int, kBanks> heads;
  heads.fill(-1);
  std::array<int64_t, kBanks> lengths = {};
  int64_t most = 0;
  for (uint64_t address : addresses) {
    uint64_t last = (address + bytes - 1) / kBankBytes;
    for (uint64_t word = address / kBankBytes; word <= last; ++word) {
      unsigned bank = word % kBanks;
      int at = heads[bank];
      while (at >= 0 && words[at].number != word)
        at = words[at].next;
      if (at >= 0)
        continue;
      words.push_back({word, heads[bank]});
      heads[bank] = words.size() - 1;
      most = std::max(most, ++lengths[bank]);
    }
  }
  return most;
}

void attn::sim::countWavefronts(llvm::ArrayRef<uint64_t> addresses,
                                llvm::ArrayRef<unsigned> lanes, unsigned bytes,
                                Counters &counters) {
  unsigned width = bytes <= 4 ? 4 : bytes <= 8 ? 8 : 16;
  unsigned lanesPerPass = kPassBytes / width;
  ++counters.requests;
  for (size_t first = 0; first < lanes.size();) {
    size_t last = first;
    while (last < lanes.size() &&
           lanes[last] / lanesPerPass == lanes[first] / lanesPerPass)
      ++last;
    int64_t passes = countPasses(addresses.slice(first, last - first), bytes);
    counters.wavefronts += passes;
    counters.conflicts += passes - 1;
    first = last;
  }
}

void AccessLog::flush(llvm::MutableArrayRef<Counters> counters) {
  for (unsigned site : touched) {
    SiteLog &log = sites[site];
    for (unsigned space = 0; space < 2; ++space) {
      Stream &stream = log.streams[space];
      // An access that is less aligned than it is wide is several narrow ones.
      unsigned step = std::min<unsigned>(stream.bytes, stream.align);
      for (unsigned row = 0; row < stream.rowsUsed; ++row) {
        for (unsigned at = 0; at < stream.bytes; at += step) {
          llvm::SmallVector<uint64_t, 64> addresses;
          llvm::SmallVector<unsigned, 64> active;
          for (unsigned lane = 0; lane < lanes; ++lane) {
            if (!(stream.rows[row].lanes >> lane & 1))
              continue;
            active.push_back(lane);
            addresses.push_back(stream.rows[row].addresses[lane] + at);
          }
          if (space == static_cast<unsigned>(Space::Global))
            countSectors(addresses, step, counters[site]);
          else
            countWavefronts(addresses, active, step, counters[site]);
        }
      }
      stream.rowsUsed = 0;
      stream.counts = {};
    }
    log.rowsUsed = 0;
  }
  touched.clear();
}
