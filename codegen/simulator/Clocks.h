//===- Clocks.h - Which events happened before which ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vector clocks of the threads of one block. A thread's events between two
// synchronizations carry the same *epoch*, a number that grows over the whole
// block. Event e of thread u happened before what thread t does now if t has
// learned of u's epoch: at a barrier that both reached, or through others.
//
//   thread 0: store (epoch 1) | barrier | load (epoch 2)     knows 0..n up to 1
//   thread 1: load  (epoch 1) | barrier | store (epoch 2)    knows 0..n up to 1
//
// A barrier of the whole block makes everything up to now known to all: one
// number, `base`, says so. Only partial synchronizations (a warp, a named
// barrier, a flag) need the table of what each thread knows of each other one.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_CLOCKS_H
#define ATTN_CODEGEN_SIMULATOR_CLOCKS_H

#include "llvm/ADT/ArrayRef.h"
#include <algorithm>
#include <cstdint>
#include <vector>

namespace attn::sim {

/// What somebody knows of every thread of a block: an epoch each.
using Knowledge = std::vector<uint32_t>;

class BlockClocks {
public:
  explicit BlockClocks(unsigned threads) : threads(threads) { reset(); }

  /// Forgets everything: another block begins.
  void reset();

  /// The epoch of what `thread` does now.
  uint32_t getEpoch(unsigned thread) const {
    return std::max(own[thread], base + 1);
  }

  /// Whether all threads know what happened in this epoch.
  bool isKnownToAll(uint32_t epoch) const { return epoch <= base; }

  /// Whether an event of `other` happened before what `thread` does now.
  bool knows(unsigned thread, unsigned other, uint32_t epoch) const {
    return thread == other || epoch <= base ||
           (!known.empty() && epoch <= known[thread * threads + other]);
  }

  /// A barrier of all threads.
  void joinAll();

  /// A barrier of `members`, which also learn `more` if it is not empty.
  void join(llvm::ArrayRef<unsigned> members, const Knowledge &more = {});

  /// `thread` publishes what it knows, itself included: adds it to `to`.
  /// What it does from now on is not part of it.
  void release(unsigned thread, Knowledge &to);

  /// `thread` learns what was published.
  void acquire(unsigned thread, const Knowledge &from);

private:
  uint32_t *getRow(unsigned thread);

  unsigned threads;
  uint32_t base = 0; ///< Up to here everything is known to everybody.
  uint32_t time = 1; ///< The newest epoch.
  std::vector<uint32_t> own;
  Knowledge known; ///< A row per thread; empty until it is needed.
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_CLOCKS_H
