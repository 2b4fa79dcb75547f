//===- ForeignKnowledge.h - What blocks learn of each other -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks run in any order and know nothing of each other, unless they meet in
// atomic accesses: a thread publishes what it knows with a release (or a fence
// before an atomic write), another one takes it over with an acquire (or a
// fence after an atomic read) of the same address.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_FOREIGNKNOWLEDGE_H
#define ATTN_CODEGEN_SIMULATOR_FOREIGNKNOWLEDGE_H

#include "codegen/simulator/RaceShadow.h"
#include <map>
#include <mutex>
#include <unordered_map>

namespace attn::sim {

/// What has been published: for each block, what it knows of its threads.
using Publication = std::map<uint32_t, Knowledge>;

/// Adds to `to` what `from` holds.
void merge(Publication &to, const Publication &from);

/// What threads of one block have taken over from other blocks.
class ForeignKnowledge {
public:
  void reset() { lessons.clear(); }

  /// The thread of `stamp`, in its epoch, takes over what others published.
  void learn(const Stamp &stamp, const Publication &publication);

  /// Whether `thread` of this block knows of an access by another block.
  bool knows(const BlockClocks &clocks, unsigned thread,
             const Stamp &access) const;

  /// All that `thread` knows of other blocks.
  void collect(const BlockClocks &clocks, unsigned thread,
               Publication &to) const;

private:
  /// Who learned what, when. Later events of that thread know it, and those of
  /// other threads that happen after them.
  struct Lesson {
    Stamp when;
    Publication what;
  };
  std::vector<Lesson> lessons;
};

/// Atomic variables of one launch, by address.
class MeetingPoints {
public:
  void publish(const void *address, const Publication &publication);
  Publication take(const void *address);

private:
  std::mutex mutex;
  std::unordered_map<const void *, Publication> points;
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_FOREIGNKNOWLEDGE_H
