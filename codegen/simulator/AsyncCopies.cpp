//===- AsyncCopies.cpp - Copies that run beside their thread --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A copy may take effect at any time between its issue and the wait that covers
// its group. Two extremes are run: at its issue, and at the wait. Until the
// wait its destination is marked as being written by nobody who is ordered with
// anybody, so that every access to it is a defect, whichever order runs.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"

using namespace attn::sim;

void Block::copyAsync(DeviceThread &thread, int32_t site, int64_t *slots) {
  yieldIfLogIsFull(thread, site);
  unsigned bytes = launch.sites[site].bytes;
  auto *to = reinterpret_cast<char *>(slots[0]);
  auto *from = reinterpret_cast<char *>(slots[1]);
  int64_t sourceBytes = slots[2];
  if (sourceBytes < 0 || sourceBytes > bytes) {
    report(DefectKind::BadOperand, thread, site,
           "expected 0 to " + llvm::Twine(bytes) + " bytes to copy, got " +
               llvm::Twine(sourceBytes));
    return;
  }
  if (!isShared(to)) {
    reportOutside(thread, site, to, bytes, /*writes=*/true);
    return;
  }
  if (sourceBytes &&
      !access(thread, site, from, sourceBytes, bytes, /*reads=*/true,
              /*writes=*/false, makeStamp(thread, site)))
    return;
  Stamp stamp = makeStamp(thread, site, Stamp::Pending);
  stamp.epoch = ++thread.copiesIssued;
  if (!access(thread, site, to, bytes, bytes, /*reads=*/false, /*writes=*/true,
              stamp))
    return;
  PendingCopy copy{to,
                   from,
                   bytes,
                   static_cast<unsigned>(sourceBytes),
                   thread.groupsCommitted,
                   stamp};
  if (launch.options.copyOrder == CopyOrder::AtIssue)
    performCopy(copy);
  thread.copies.push_back(copy);
}

void Block::performCopy(const PendingCopy &copy) {
  std::memcpy(copy.to, copy.from, copy.sourceBytes);
  std::memset(copy.to + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
}

/// Waits until at most the newest `mostPending` groups are unfinished.
void Block::waitCopies(DeviceThread &thread, int64_t mostPending) {
  int64_t firstPending = thread.groupsCommitted - mostPending;
  auto isCovered = [&](const PendingCopy &copy) {
    return copy.group < firstPending && copy.group < thread.groupsCommitted;
  };
  for (const PendingCopy &copy : thread.copies)
    if (isCovered(copy))
      finishCopy(thread, copy);
  llvm::erase_if(thread.copies, isCovered);
}

/// The copy is done, and from now on as if the thread had written its bytes.
void Block::finishCopy(DeviceThread &thread, const PendingCopy &copy) {
  if (launch.options.copyOrder == CopyOrder::AtWait)
    performCopy(copy);
  if (launch.options.checkRaces)
    sharedShadow.settle(copy.stamp, makeStamp(thread, copy.stamp.site),
                        copy.to - window.data(), copy.bytes);
}
