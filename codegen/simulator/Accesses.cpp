//===- Accesses.cpp - Checks each access to memory ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"

using namespace attn::sim;

/// Whether each of these bytes has all bits of `state`.
static bool allHave(const char *bytes, unsigned count, char state) {
  char common = state;
  for (unsigned i = 0; i < count; ++i)
    common &= bytes[i];
  return common == state;
}

bool Block::accessShared(DeviceThread &thread, int32_t site, int64_t offset,
                         unsigned bytes, bool reads, bool writes,
                         const Stamp &stamp) {
  char *state = sharedState.get() + offset;
  if (offset + bytes > kSharedWindow ||
      !allHave(state, bytes, kSharedAllocated)) {
    reportOutside(thread, site, window.data() + offset, bytes, writes);
    return false;
  }
  if (reads && launch.options.checkUninitialized &&
      !allHave(state, bytes, kSharedWritten))
    report(DefectKind::Uninitialized, thread, site,
           "reads " + llvm::Twine(bytes) + " bytes " + describeShared(offset) +
               ", before they are written");
  if (writes)
    std::memset(state, kSharedAllocated | kSharedWritten, bytes);
  if (launch.options.checkRaces) {
    Observer observer = makeObserver(stamp, /*isShared=*/true);
    auto conflict = writes ? sharedShadow.write(observer, offset, bytes)
                           : sharedShadow.read(observer, offset, bytes);
    if (conflict)
      reportConflict(stamp, *conflict, writes, bytes, describeShared(offset));
  }
  return true;
}

DeviceBuffer *Block::findBuffer(int32_t site, char *address, unsigned bytes) {
  DeviceBuffer *&last = lastBuffers[site];
  if (last && last->contains(address, bytes))
    return last;
  for (DeviceBuffer *buffer : launch.buffers)
    if (buffer->contains(address, bytes)) {
      if (!llvm::is_contained(totals.buffers[site], buffer))
        totals.buffers[site].push_back(buffer);
      return last = buffer;
    }
  return nullptr;
}

bool Block::accessGlobal(DeviceThread &thread, int32_t site, char *address,
                         unsigned bytes, bool reads, bool writes,
                         const Stamp &stamp) {
  DeviceBuffer *buffer = findBuffer(site, address, bytes);
  if (!buffer) {
    reportOutside(thread, site, address, bytes, writes);
    return false;
  }
  int64_t offset = address - buffer->data();
  auto describe = [&] {
    return "at offset " + std::to_string(offset) + " of '" +
           buffer->getTraits().name + "', which has " +
           std::to_string(buffer->size()) + " bytes";
  };
  if (writes && buffer->getTraits().isReadOnly) {
    report(DefectKind::ReadOnly, thread, site,
           "writes " + llvm::Twine(bytes) + " bytes " + describe() +
               " and is read-only");
    return false;
  }
  if (reads && launch.options.checkUninitialized &&
      !buffer->isWritten(offset, bytes))
    report(DefectKind::Uninitialized, thread, site,
           "reads " + llvm::Twine(bytes) + " bytes " + describe() +
               ", before they are written");
  if (writes)
    buffer->markWritten(offset, bytes);
  if (launch.options.checkRaces) {
    Observer observer = makeObserver(stamp, /*isShared=*/false);
    auto conflict = writes ? buffer->recordWrite(observer, offset, bytes)
                           : buffer->recordRead(observer, offset, bytes);
    if (conflict)
      reportConflict(stamp, *conflict, writes, bytes, describe());
  }
  return true;
}

/// Lets the other lanes catch up, so that the log of the warp stays small.
void Block::yieldIfLogIsFull(DeviceThread &thread, int32_t site) {
  if (launch.options.count &&
      warps[thread.index / kWarpSize].log.isFull(site, thread.lane))
    park(thread, State::Ready);
}

/// Checks and counts one access; false if it must not happen.
bool Block::access(DeviceThread &thread, int32_t site, char *address,
                   unsigned bytes, unsigned align, bool reads, bool writes,
                   Stamp stamp) {
  ++totals.accesses;
  bool inShared = isShared(address);
  if (!inShared && thread.stack.contains(address))
    return true; // A variable of the thread itself.
  if (reinterpret_cast<uint64_t>(address) % align) {
    report(DefectKind::Misaligned, thread, site,
           "expected an address that is a multiple of " + llvm::Twine(align) +
               ", got one that is " +
               llvm::Twine(reinterpret_cast<uint64_t>(address) % align) +
               " more");
    return false;
  }
  bool isAllowed =
      inShared
          ? accessShared(thread, site, address - window.data(), bytes, reads,
                         writes, stamp)
          : accessGlobal(thread, site, address, bytes, reads, writes, stamp);
  if (isAllowed && launch.options.count)
    warps[thread.index / kWarpSize].log.add(
        site, inShared ? Space::Shared : Space::Global, thread.lane,
        reinterpret_cast<uint64_t>(address), bytes, align);
  return isAllowed;
}

char *Block::load(DeviceThread &thread, int32_t site, char *address) {
  settle(thread);
  yieldIfLogIsFull(thread, site);
  const Site &at = launch.sites[site];
  if (access(thread, site, address, at.bytes, at.align, /*reads=*/true,
             /*writes=*/false, makeStamp(thread, site)))
    return address;
  std::memset(nowhere, 0xFF, sizeof(nowhere));
  return nowhere;
}

char *Block::store(DeviceThread &thread, int32_t site, char *address) {
  settle(thread);
  yieldIfLogIsFull(thread, site);
  const Site &at = launch.sites[site];
  if (access(thread, site, address, at.bytes, at.align, /*reads=*/false,
             /*writes=*/true, makeStamp(thread, site)))
    return address;
  return nowhere;
}

/// An atomic access. It may wait for another thread, so all others run first.
char *Block::update(DeviceThread &thread, int32_t site, char *address) {
  settle(thread);
  thread.site = site;
  park(thread, State::Spinning);
  const Site &at = launch.sites[site];
  if (access(thread, site, address, at.bytes, at.align, at.reads, at.writes,
             makeStamp(thread, site, Stamp::Atomic))) {
    meet(thread, site, address);
    return address;
  }
  std::memset(nowhere, 0xFF, sizeof(nowhere));
  return nowhere;
}

//===----------------------------------------------------------------------===//
// Order through atomic accesses
//===----------------------------------------------------------------------===//

/// Takes over what others have published where the thread has read.
void Block::learn(DeviceThread &thread, int32_t site) {
  Stamp stamp = makeStamp(thread, site);
  auto own = thread.unfenced.find(stamp.block);
  if (own != thread.unfenced.end())
    clocks.acquire(thread.index, own->second);
  foreign.learn(stamp, thread.unfenced);
  thread.unfenced.clear();
}

/// All that the thread knows, itself included.
Publication Block::makePublication(DeviceThread &thread) {
  Publication publication;
  foreign.collect(clocks, thread.index, publication);
  clocks.release(thread.index, publication[launch.firstBlock + number]);
  return publication;
}

/// After a fence, what was read before it is known for certain, and what is
/// written to atomic variables publishes what was known at the fence.
void Block::fence(DeviceThread &thread, int32_t site) {
  learn(thread, site);
  thread.fenced = makePublication(thread);
}

/// Takes over what others have published at this address.
void Block::take(DeviceThread &thread, int32_t site, char *address) {
  merge(thread.unfenced, launch.meetings.take(address));
  if (launch.sites[site].acquires)
    learn(thread, site);
}

/// Takes over once more what others have published where the thread has met
/// them. Between what it took in front of that access and the access itself
/// blocks of another worker may have published, and written what it read.
void Block::settleMeeting(DeviceThread &thread) {
  char *address = thread.met;
  thread.met = nullptr;
  take(thread, thread.metSite, address);
}

/// Takes over what others have published at this address, and publishes.
void Block::meet(DeviceThread &thread, int32_t site, char *address) {
  const Site &at = launch.sites[site];
  if (at.reads) {
    take(thread, site, address);
    thread.met = address;
    thread.metSite = site;
  }
  if (at.writes && at.releases)
    launch.meetings.publish(address, makePublication(thread));
  else if (at.writes && !thread.fenced.empty())
    launch.meetings.publish(address, thread.fenced);
}
