//===- Collectives.cpp - What the lanes of a warp do together -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lane that comes to a collective op waits there. When all lanes in its mask
// wait at the same op with the same mask, the op is executed for all of them:
// operands are read from their slots, results written into them.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"
#include <bit>

using namespace attn::sim;

using Lanes = llvm::ArrayRef<DeviceThread *>;

/// Whether an op is for whole warps and so has no mask.
static bool isForWholeWarps(SiteKind kind) {
  return kind == SiteKind::LoadMatrix || kind == SiteKind::MultiplyMatrix;
}

bool Block::completeCollectives(Warp &warp) {
  bool hasCompleted = false;
  for (unsigned lane = 0; lane < warp.count && !isAborted; ++lane)
    if (threads[warp.first + lane]->isIn(State::InWarp))
      hasCompleted |= completeCollective(warp, *threads[warp.first + lane]);
  return hasCompleted;
}

/// Executes the op at which `thread` waits if all of its lanes wait there.
bool Block::completeCollective(Warp &warp, DeviceThread &thread) {
  auto getMask = [&](const DeviceThread &at) -> uint32_t {
    return isForWholeWarps(launch.sites[at.site].kind) ? ~0u : at.slots[0];
  };
  uint32_t mask = getMask(thread);
  if (!(mask >> thread.lane & 1)) {
    report(DefectKind::InactiveLane, thread, thread.site,
           "lane " + llvm::Twine(thread.lane) + " is not in its own mask 0x" +
               llvm::Twine::utohexstr(mask));
    isAborted = true;
    return false;
  }
  llvm::SmallVector<DeviceThread *, kWarpSize> lanes;
  for (unsigned i = 0; i < warp.count; ++i) {
    DeviceThread &other = *threads[warp.first + i];
    if (!(mask >> i & 1))
      continue;
    if (other.isIn(State::Exited))
      report(DefectKind::InactiveLane, thread, thread.site,
             "lane " + llvm::Twine(i) + " takes part but has ended");
    else if (other.isIn(State::InWarp) && other.site == thread.site &&
             getMask(other) == mask)
      lanes.push_back(&other);
    else
      return false;
  }
  executeCollective(warp, lanes, mask);
  for (DeviceThread *lane : lanes)
    lane->state = State::Ready;
  return true;
}

//===----------------------------------------------------------------------===//
// Shuffles, votes, reductions
//===----------------------------------------------------------------------===//

namespace {
/// The lane from which a lane reads in a shuffle, and whether it is in range.
struct ShuffleSource {
  int lane;
  bool isValid;
};
} // namespace

/// As PTX defines shfl.sync: `clamp` holds the last lane in bits 0..4 and the
/// bits that may not change in 8..12.
static ShuffleSource getSource(llvm::StringRef kind, int lane, uint32_t offset,
                               uint32_t clamp) {
  int by = offset & 31, fixed = clamp >> 8 & 31;
  int last = (lane & fixed) | (clamp & 31 & ~fixed);
  int source = 0;
  bool isValid = true;
  if (kind == "up")
    source = lane - by;
  else if (kind == "down")
    source = lane + by;
  else if (kind == "bfly")
    source = lane ^ by;
  else
    source = (lane & fixed) | (by & ~fixed);
  isValid = kind == "up" ? source >= last : source <= last;
  return {isValid ? source : lane, isValid};
}

void Block::executeShuffle(Warp &warp, Lanes lanes, uint32_t mask) {
  enum { Mask, Value, Offset, Clamp };
  const Site &site = launch.sites[lanes.front()->site];
  std::array<int64_t, kWarpSize> values;
  values.fill(0xFFFFFFFF);
  for (DeviceThread *lane : lanes)
    values[lane->lane] = lane->slots[Value];
  for (DeviceThread *lane : lanes) {
    ShuffleSource source = getSource(site.mode, lane->lane, lane->slots[Offset],
                                     lane->slots[Clamp]);
    bool isThere = static_cast<unsigned>(source.lane) < warp.count &&
                   (mask >> source.lane & 1) &&
                   !threads[warp.first + source.lane]->isIn(State::Exited);
    if (!isThere)
      report(DefectKind::InactiveLane, *lane, lane->site,
             "reads from lane " + llvm::Twine(source.lane) +
                 ", which does not take part");
    lane->slots[0] = isThere ? values[source.lane] : 0xFFFFFFFF;
    lane->slots[1] = source.isValid;
  }
}

static int64_t vote(Lanes lanes, llvm::StringRef kind) {
  uint32_t ballot = 0;
  for (DeviceThread *lane : lanes)
    if (lane->slots[1] & 1)
      ballot |= uint32_t(1) << lane->lane;
  bool all = std::popcount(ballot) == static_cast<int>(lanes.size());
  if (kind == "ballot")
    return ballot;
  if (kind == "any")
    return ballot != 0;
  return kind == "all" ? all : all || ballot == 0;
}

static uint32_t combine(llvm::StringRef kind, uint32_t a, uint32_t b) {
  auto isLess = [&] {
    return kind.starts_with("u")
               ? a < b
               : static_cast<int32_t>(a) < static_cast<int32_t>(b);
  };
  if (kind == "add")
    return a + b;
  if (kind == "and")
    return a & b;
  if (kind == "or")
    return a | b;
  if (kind == "xor")
    return a ^ b;
  bool wantsLess = kind.ends_with("min");
  return isLess() == wantsLess ? a : b;
}

void Block::executeCollective(Warp &warp, Lanes lanes, uint32_t mask) {
  const Site &site = launch.sites[lanes.front()->site];
  switch (site.kind) {
  case SiteKind::Shuffle:
    return executeShuffle(warp, lanes, mask);
  case SiteKind::Vote: {
    int64_t result = vote(lanes, site.mode);
    for (DeviceThread *lane : lanes)
      lane->slots[0] = result;
    return;
  }
  case SiteKind::WarpReduce: {
    uint32_t result = lanes.front()->slots[1];
    for (DeviceThread *lane : lanes.drop_front())
      result = combine(site.mode, result, lane->slots[1]);
    for (DeviceThread *lane : lanes)
      lane->slots[0] = result;
    return;
  }
  case SiteKind::WarpBarrier: {
    llvm::SmallVector<unsigned, kWarpSize> members;
    for (DeviceThread *lane : lanes)
      members.push_back(lane->index);
    clocks.join(members);
    ++totals.counters[lanes.front()->site].barriers;
    return;
  }
  case SiteKind::LoadMatrix:
    return loadMatrix(lanes);
  case SiteKind::MultiplyMatrix:
    ++totals.matrixOps;
    return multiplyMatrix(lanes);
  default:
    llvm_unreachable("not a collective op");
  }
}
