//===- Report.h - What a simulated launch found -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_REPORT_H
#define ATTN_CODEGEN_SIMULATOR_REPORT_H

#include "llvm/ADT/StringRef.h"
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace attn::sim {

/// Sizes or places along x, y, z.
using Dim3 = std::array<int64_t, 3>;

enum class DefectKind {
  OutOfBounds,
  Misaligned,
  ReadOnly,
  Uninitialized,
  Race,
  UnfinishedCopy,
  OutstandingCopy,
  DivergentBarrier,
  BadOperand,
  InactiveLane,
  Deadlock,
  Endless,
  Trap,
  Division,
};

/// "out-of-bounds", "race" and so on.
llvm::StringRef getName(DefectKind kind);

/// An op as one thread of one block executed it.
struct Place {
  std::string op;
  std::string location;
  Dim3 block = {};
  Dim3 thread = {};
};

std::string toString(const Place &place);

/// Something that the device program must not do.
struct Defect {
  DefectKind kind;
  Place place;
  /// What happened, in words, with numbers.
  std::string detail;
  /// Of a race, and of what depends on another op: the other one.
  std::optional<Place> other;
  /// How often it happened at this pair of ops; the first one is described.
  int64_t count = 1;
};

/// What hardware would have to do for an op; docs/simulator.md defines each.
struct Counters {
  int64_t requests = 0;     ///< Warps that executed the op.
  int64_t sectors = 0;      ///< 32-byte pieces of global memory touched.
  int64_t idealSectors = 0; ///< The fewest that could hold those bytes.
  /// Of `sectors`, those that are touched only because a run of neighbouring
  /// bytes does not start where a sector does.
  int64_t unalignedSectors = 0;
  int64_t wavefronts = 0; ///< Passes over shared memory.
  int64_t conflicts = 0;  ///< Of these, those that bank conflicts cost.
  int64_t barriers = 0;   ///< Completed barriers.

  Counters &operator+=(const Counters &other);
  bool isZero() const;
};

struct SiteCounters {
  std::string op;
  std::string location;
  /// The outermost loop of its kernel that it is in, counted from 1 in the
  /// order of the program; 0 if it is in none.
  unsigned loop = 0;
  /// The buffers of global memory that it accessed, by name.
  std::vector<std::string> buffers;
  Counters counters;
};

struct Report {
  std::vector<Defect> defects;
  /// Of every site that did something, in the order of the program.
  std::vector<SiteCounters> counters;
  /// Ops executed by all threads, and accesses to memory among them.
  int64_t ops = 0;
  int64_t accesses = 0;
  /// Products of matrices, each by a whole warp.
  int64_t matrixOps = 0;
  int64_t blocks = 0;

  bool isClean() const { return defects.empty(); }
};

/// One line for people: kind, op, location, block, thread, detail.
std::string toString(const Defect &defect);

/// One line with the counters that are not 0.
std::string toString(const SiteCounters &counters);

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_REPORT_H
