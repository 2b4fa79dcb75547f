//===- SimulatorTest.cpp - Clocks, races and counters by hand -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/AccessLog.h"
#include "codegen/simulator/RaceShadow.h"
#include "gtest/gtest.h"

using namespace attn::sim;

namespace {

constexpr unsigned kThreads = 96;

/// A block's shared memory of 64 bytes and its threads.
class RaceTest : public testing::Test {
protected:
  Observer observe(unsigned thread, uint32_t flags = 0) {
    Stamp now{1, clocks.getEpoch(thread), static_cast<uint16_t>(thread), 0,
              flags};
    return {clocks, now, 1};
  }
  bool read(unsigned thread, size_t offset, size_t bytes = 4) {
    return shadow.read(observe(thread), offset, bytes).has_value();
  }
  bool write(unsigned thread, size_t offset, size_t bytes = 4) {
    return shadow.write(observe(thread), offset, bytes).has_value();
  }

  BlockClocks clocks{kThreads};
  RaceShadow shadow{64};
};

TEST_F(RaceTest, BarrierOrdersAll) {
  EXPECT_FALSE(write(0, 0));
  EXPECT_TRUE(read(1, 0));
  clocks.joinAll();
  EXPECT_FALSE(read(1, 0));
  EXPECT_TRUE(write(0, 0));
  clocks.joinAll();
  EXPECT_FALSE(write(2, 0));
}

TEST_F(RaceTest, JoinOrdersMembersOnly) {
  write(0, 0);
  clocks.join({0, 1});
  EXPECT_FALSE(read(1, 0));
  EXPECT_TRUE(read(2, 0));
  // What a member does afterwards is not ordered.
  EXPECT_FALSE(write(0, 8));
  EXPECT_TRUE(read(1, 8));
}

TEST_F(RaceTest, OrderIsPassedOn) {
  write(0, 0);
  clocks.join({0, 1});
  clocks.join({1, 2});
  EXPECT_FALSE(read(2, 0));
}

TEST_F(RaceTest, EveryReaderCounts) {
  // Of many readers one is not ordered with the writer, wherever it comes.
  for (unsigned odd : {0u, 40u, 95u}) {
    for (unsigned thread = 0; thread < kThreads; ++thread)
      EXPECT_FALSE(read(thread, 4 * (odd / 40)));
    llvm::SmallVector<unsigned> others;
    for (unsigned thread = 0; thread < kThreads; ++thread)
      if (thread != odd)
        others.push_back(thread);
    clocks.join(others);
    EXPECT_TRUE(write(1, 4 * (odd / 40)));
  }
}

TEST_F(RaceTest, ReleaseLeavesOutWhatFollows) {
  Knowledge published;
  write(0, 0);
  clocks.release(0, published);
  write(0, 8);
  clocks.acquire(1, published);
  EXPECT_FALSE(read(1, 0));
  EXPECT_TRUE(read(1, 8));
}

TEST_F(RaceTest, ReleaseHasWhatBarriersOrdered) {
  write(0, 0);
  clocks.joinAll();
  Knowledge published;
  clocks.release(1, published);
  EXPECT_FALSE(published.empty());
  EXPECT_EQ(published[0], 1u);
}

TEST_F(RaceTest, PartsOfWordsAreApart) {
  EXPECT_FALSE(write(0, 0, 2));
  EXPECT_FALSE(write(1, 2, 2));
  EXPECT_TRUE(write(2, 0, 4));
  clocks.joinAll();
  EXPECT_FALSE(write(3, 0, 4));
  EXPECT_FALSE(read(3, 1, 1));
}

TEST_F(RaceTest, LastWriteIsThatOfTheByte) {
  EXPECT_FALSE(shadow.getLastWrite(5).exists());
  write(7, 4);
  read(8, 4);
  clocks.joinAll();
  EXPECT_EQ(shadow.getLastWrite(5).thread, 7);
  write(9, 6, 1);
  EXPECT_EQ(shadow.getLastWrite(6).thread, 9);
  EXPECT_EQ(shadow.getLastWrite(7).thread, 7);
}

TEST_F(RaceTest, PendingWritesAreNeverOrdered) {
  Observer copy = observe(0, Stamp::Pending);
  shadow.write(copy, 0, 16);
  EXPECT_TRUE(read(0, 12));
  clocks.joinAll();
  EXPECT_TRUE(read(0, 8));
  shadow.settle(copy.now, observe(0).now, 0, 16);
  EXPECT_FALSE(read(0, 4));
  EXPECT_TRUE(read(1, 4));
}

TEST_F(RaceTest, AtomicsMeetEachOtherOnly) {
  EXPECT_FALSE(shadow.write(observe(0, Stamp::Atomic), 0, 4));
  EXPECT_FALSE(shadow.write(observe(1, Stamp::Atomic), 0, 4));
  EXPECT_TRUE(read(2, 0));
}

TEST(AccessLogTest, LanesOfDifferentLengthsAreBroughtTogether) {
  // Lane 0 executes the op three times, lane 1 twice, lane 2 once.
  AccessLog log(1, 32);
  for (unsigned lane = 0; lane < 3; ++lane)
    for (unsigned i = 0; i < 3 - lane; ++i)
      log.add(0, Space::Global, lane, 4096 + 128 * i + 4 * lane, 4, 4);
  Counters counters;
  log.flush(counters);
  EXPECT_EQ(counters.requests, 3);
  EXPECT_EQ(counters.sectors, 3);
  log.flush(counters);
  EXPECT_EQ(counters.requests, 3);
}

TEST(AccessLogTest, OverlappingBytesCountOnce) {
  Counters counters;
  countSectors({60, 32, 34}, 8, counters);
  EXPECT_EQ(counters.sectors, 2);
  EXPECT_EQ(counters.idealSectors, 1);
}

TEST(AccessLogTest, RunsThatStartWithinASectorAreUnaligned) {
  Counters counters;
  countSectors({16, 20, 24, 28, 32, 36, 40, 44}, 4, counters);
  EXPECT_EQ(counters.sectors, 2);
  EXPECT_EQ(counters.unalignedSectors, 1);
}

TEST(AccessLogTest, ScatteredAccessesAreNotUnaligned) {
  Counters counters;
  countSectors({28, 92, 124, 128}, 4, counters);
  EXPECT_EQ(counters.sectors, 4);
  EXPECT_EQ(counters.unalignedSectors, 1); // 124 to 132.
  EXPECT_EQ(counters.idealSectors, 1);
}

} // namespace
