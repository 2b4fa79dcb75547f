//===- AccessLog.h - Accesses of a warp, lane by lane -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes run one after the other, while hardware executes an access for all
// lanes of a warp at once. The log brings them together again: the n-th
// execution of a site by each lane, since the warp last waited together, is one
// request. Counting is done a request at a time, when all lanes have run as far
// as they can.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_ACCESSLOG_H
#define ATTN_CODEGEN_SIMULATOR_ACCESSLOG_H

#include "codegen/simulator/Report.h"
#include "llvm/ADT/ArrayRef.h"

namespace attn::sim {

/// The memory whose cost is counted.
enum class Space : unsigned { Global = 0, Shared = 1 };

class AccessLog {
public:
  AccessLog(unsigned sites, unsigned lanes);

  /// Whether a lane should let the others catch up before it goes on.
  bool isFull(unsigned site, unsigned lane) const {
    const SiteLog &log = sites[site];
    return log.rowsUsed >= kMostRows &&
           std::max(log.streams[0].counts[lane], log.streams[1].counts[lane]) >=
               kMostRows;
  }

  void add(unsigned site, Space space, unsigned lane, uint64_t address,
           unsigned bytes, unsigned align);

  /// Counts what has been logged and forgets it.
  void flush(llvm::MutableArrayRef<Counters> counters);

private:
  static constexpr unsigned kMostLanes = 64;
  static constexpr unsigned kMostRows = 1024;

  /// One request.
  struct Row {
    uint64_t lanes;
    std::array<uint64_t, kMostLanes> addresses;
  };
  /// The requests of a site to one kind of memory.
  struct Stream {
    std::vector<Row> rows;
    unsigned rowsUsed = 0;
    std::array<uint16_t, kMostLanes> counts = {};
    uint16_t bytes = 0, align = 0;
  };
  struct SiteLog {
    Stream streams[2];
    unsigned rowsUsed = 0;
  };

  unsigned lanes;
  std::vector<SiteLog> sites;
  std::vector<unsigned> touched;
};

/// Sectors of 32 bytes, touched and at least needed, by accesses of `bytes`
/// bytes at these addresses.
void countSectors(llvm::ArrayRef<uint64_t> addresses, unsigned bytes,
                  Counters &counters);

/// Passes over 32 banks of 4 bytes, needed and lost to conflicts. `lanes` gives
/// the lane of each address: wide accesses are served a half or a quarter of a
/// warp at a time.
void countWavefronts(llvm::ArrayRef<uint64_t> addresses,
                     llvm::ArrayRef<unsigned> lanes, unsigned bytes,
                     Counters &counters);

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_ACCESSLOG_H
