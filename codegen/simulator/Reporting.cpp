//===- Reporting.cpp - Says what a thread did wrong -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn::sim;

Stamp Block::makeStamp(const DeviceThread &thread, int32_t site,
                       uint32_t flags) const {
  return {static_cast<uint32_t>(launch.firstBlock + number),
          clocks.getEpoch(thread.index), static_cast<uint16_t>(thread.index),
          static_cast<uint16_t>(site), flags};
}

Observer Block::makeObserver(const Stamp &stamp, bool isShared) const {
  if (isShared)
    return {clocks, stamp, stamp.block};
  return {clocks, stamp, launch.firstBlock, &foreign};
}

Place Block::getPlace(unsigned thread, int32_t site) const {
  Place place{"loop", "unknown",
              launch.getBlockPlace(launch.firstBlock + number),
              launch.getThreadPlace(thread)};
  if (site >= 0) {
    place.op = launch.sites[site].op;
    place.location = launch.sites[site].location;
  }
  return place;
}

Place Block::getPlace(const Stamp &stamp) const {
  Place place = getPlace(stamp.thread, stamp.site);
  place.block = launch.getBlockPlace(stamp.block);
  return place;
}

void Block::report(DefectKind kind, const DeviceThread &thread, int32_t site,
                   const llvm::Twine &detail) {
  launch.defects.add(kind, site, -1, [&] {
    return Defect{kind, getPlace(thread.index, site), detail.str(),
                  std::nullopt};
  });
}

void Block::report(DefectKind kind, const DeviceThread &thread, int32_t site,
                   const llvm::Twine &detail, unsigned otherThread,
                   int32_t otherSite) {
  launch.defects.add(kind, site, otherSite, [&] {
    return Defect{kind, getPlace(thread.index, site), detail.str(),
                  getPlace(otherThread, otherSite)};
  });
}

void Block::reportConflict(const Stamp &stamp, const Conflict &conflict,
                           bool writes, unsigned bytes,
                           const llvm::Twine &where) {
  bool isCopy = conflict.other.flags & Stamp::Pending;
  DefectKind kind = isCopy ? DefectKind::UnfinishedCopy : DefectKind::Race;
  launch.defects.add(kind, stamp.site, conflict.other.site, [&] {
    llvm::StringRef does = writes ? "writes " : "reads ";
    llvm::StringRef other = isCopy ? "which this copy may still write"
                            : conflict.otherWrote ? "unordered with a write"
                                                  : "unordered with a read";
    return Defect{
        kind, getPlace(stamp),
        (does + llvm::Twine(bytes) + " bytes " + where + ", " + other).str(),
        getPlace(conflict.other)};
  });
}

/// The variable in shared memory that is at this offset, or nearest before it.
std::string Block::describeShared(int64_t offset) const {
  std::string name = "dynamic shared memory";
  int64_t start = launch.shared.dynamicOffset;
  int64_t bytes = launch.launch.sharedBytes;
  bool isStatic = offset < start || bytes == 0;
  for (const SharedVariable &variable : launch.shared.variables) {
    if (!isStatic || (variable.offset > offset && name.front() == '\''))
      continue;
    name = "'" + variable.name + "' in shared memory";
    start = variable.offset;
    bytes = variable.bytes;
  }
  return "at offset " + std::to_string(offset - start) + " of " + name +
         ", which has " + std::to_string(bytes) + " bytes";
}

/// Says where an address is that belongs to nothing.
void Block::reportOutside(const DeviceThread &thread, int32_t site,
                          char *address, unsigned bytes, bool writes) {
  DeviceBuffer *nearest = nullptr;
  auto getDistance = [&](DeviceBuffer *buffer) {
    int64_t offset = address - buffer->data();
    return offset < 0 ? -offset : std::max<int64_t>(0, offset - buffer->size());
  };
  for (DeviceBuffer *buffer : launch.buffers)
    if (!nearest || getDistance(buffer) < getDistance(nearest))
      nearest = buffer;
  std::string detail =
      ((writes ? "writes " : "reads ") + llvm::Twine(bytes) + " bytes ").str();
  constexpr int64_t kNear = int64_t(1) << 30;
  if (isShared(address)) {
    detail += describeShared(address - window.data());
  } else if (nearest && getDistance(nearest) < kNear) {
    detail += "at offset " + llvm::itostr(address - nearest->data()) + " of '" +
              nearest->getTraits().name + "', which has " +
              llvm::itostr(nearest->size()) + " bytes";
  } else {
    detail += "at address 0x" +
              llvm::utohexstr(reinterpret_cast<uint64_t>(address)) +
              ", which is in no buffer";
  }
  report(DefectKind::OutOfBounds, thread, site, detail);
}
