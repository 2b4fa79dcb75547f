//===- Barriers.cpp - Barriers of a block ---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A barrier without a number of threads is one of the whole block: it completes
// when every thread that has not ended waits at it. One with a number completes
// when that many threads have arrived. Hardware executes a barrier once per
// warp, so lanes of one warp must come to it together.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"

using namespace attn::sim;

/// Slots of a barrier: which one, how many threads, a predicate to be reduced.
static constexpr unsigned kIdSlot = 0, kCountSlot = 1, kPredicateSlot = 2;

void Block::arrive(DeviceThread &thread, int32_t site, int64_t *slots) {
  int64_t id = slots[kIdSlot], count = slots[kCountSlot];
  bool isValid = id >= 0 && id < static_cast<int64_t>(arrivals.size()) &&
                 count >= 0 && count % kWarpSize == 0 &&
                 count <= static_cast<int64_t>(warps.size() * kWarpSize);
  if (!isValid) {
    report(DefectKind::BadOperand, thread, site,
           "expected a barrier 0..15 and a multiple of " +
               llvm::Twine(kWarpSize) + " threads up to the block's, got " +
               llvm::Twine(id) + " and " + llvm::Twine(count));
    isAborted = true;
    endThread(thread);
  }
  if (launch.sites[site].kind == SiteKind::Barrier)
    return park(thread, State::AtBarrier);
  ++arrivals[id].count;
  clocks.release(thread.index, arrivals[id].knowledge);
}

bool Block::releaseBarriers() {
  bool hasReleased = false;
  for (unsigned id = 0; id < arrivals.size(); ++id)
    hasReleased |= releaseBarrier(id);
  return hasReleased;
}

bool Block::releaseBarrier(unsigned id) {
  llvm::SmallVector<DeviceThread *> waiting;
  unsigned running = 0;
  for (auto &thread : threads) {
    running += !thread->isIn(State::Exited);
    if (thread->isIn(State::AtBarrier) && thread->slots[kIdSlot] == id)
      waiting.push_back(thread.get());
  }
  if (waiting.empty())
    return false;
  int64_t count = waiting.front()->slots[kCountSlot];
  int64_t expected = count ? count : running;
  int64_t arrived = waiting.size() + arrivals[id].count;
  if (arrived < expected)
    return false;
  if (arrived > expected)
    report(DefectKind::DivergentBarrier, *waiting.back(), waiting.back()->site,
           "expected " + llvm::Twine(expected) + " threads, got " +
               llvm::Twine(arrived));
  checkBarrier(waiting, /*isWhole=*/!count);
  completeBarrier(waiting, id, /*isWhole=*/!count);
  return true;
}

/// Looks for lanes that did not come to the barrier with their warp, and for
/// threads that wait at another op of the same barrier.
void Block::checkBarrier(llvm::ArrayRef<DeviceThread *> waiting, bool isWhole) {
  const DeviceThread *first = waiting.front();
  for (const DeviceThread *thread : waiting) {
    unsigned warp = thread->index / kWarpSize;
    if (first->index / kWarpSize != warp && !isWhole)
      first = thread;
    if (thread->site != first->site)
      return report(DefectKind::DivergentBarrier, *first, first->site,
                    "another thread waits at another barrier", thread->index,
                    thread->site);
  }
  for (const DeviceThread *thread : waiting) {
    const Warp &warp = warps[thread->index / kWarpSize];
    for (unsigned i = warp.first; i < warp.first + warp.count; ++i)
      if (threads[i]->isIn(State::Exited))
        return report(DefectKind::DivergentBarrier, *thread, thread->site,
                      "lane " + llvm::Twine(threads[i]->lane) +
                          " of the same warp has ended");
  }
}

/// The result of a barrier that reduces a predicate.
static int64_t reducePredicate(llvm::ArrayRef<DeviceThread *> waiting,
                               llvm::StringRef mode) {
  int64_t set = llvm::count_if(waiting, [](const DeviceThread *thread) {
    return static_cast<int32_t>(thread->slots[kPredicateSlot]) != 0;
  });
  if (mode == "popc")
    return set;
  return mode == "and" ? set == static_cast<int64_t>(waiting.size()) : set > 0;
}

void Block::completeBarrier(llvm::ArrayRef<DeviceThread *> waiting, unsigned id,
                            bool isWhole) {
  const Site &site = launch.sites[waiting.front()->site];
  int64_t result = 0;
  if (!site.mode.empty())
    result = reducePredicate(waiting, site.mode);
  // Threads that have ended did not take part: what they did is not ordered.
  if (isWhole && waiting.size() == threads.size()) {
    clocks.joinAll();
  } else {
    llvm::SmallVector<unsigned> members;
    for (DeviceThread *thread : waiting)
      members.push_back(thread->index);
    clocks.join(members, arrivals[id].knowledge);
  }
  arrivals[id] = {};
  ++totals.counters[waiting.front()->site].barriers;
  for (DeviceThread *thread : waiting) {
    if (!site.mode.empty())
      thread->slots[0] = result;
    thread->state = State::Ready;
  }
}
