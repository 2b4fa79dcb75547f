//===- Machine.h - Threads, warps and blocks that execute -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One Block runs the threads of one CTA after another; a worker, which is a
// thread of this process, has some of them. Within a block only one fiber runs
// at a time, until it waits: for its warp, for its block, or for memory to
// change. What is not of one block stands in LaunchState.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_MACHINE_H
#define ATTN_CODEGEN_SIMULATOR_MACHINE_H

#include "codegen/simulator/Abi.h"
#include "codegen/simulator/AccessLog.h"
#include "codegen/simulator/Defects.h"
#include "codegen/simulator/Fiber.h"
#include "codegen/simulator/ForeignKnowledge.h"
#include "codegen/simulator/Simulator.h"
#include "llvm/ADT/Twine.h"
#include <atomic>
#include <random>

namespace attn::sim {

class Block;

/// Lanes of a warp. The only place that says so: another machine may have 64.
inline constexpr unsigned kWarpSize = 32;

/// The window of 32-bit addresses in which shared memory lies.
inline constexpr int64_t kSharedWindow = 256 << 10;

/// States of a byte of shared memory.
inline constexpr char kSharedAllocated = 1, kSharedWritten = 2;

/// Shared memory of one block, below 4 GiB and aligned to its size.
class SharedWindow {
public:
  SharedWindow();
  ~SharedWindow();
  SharedWindow(const SharedWindow &) = delete;
  SharedWindow &operator=(const SharedWindow &) = delete;

  /// Null if there was no room for it.
  char *data() const { return memory; }

private:
  char *memory = nullptr;
};

/// The place of number `i` in a box of these sizes, x fastest.
Dim3 getPlaceIn(const Dim3 &sizes, int64_t i);

/// What all blocks of a launch have in common.
struct LaunchState {
  const Kernel &kernel;
  const SharedPlan &shared;
  llvm::ArrayRef<Site> sites;
  const Launch &launch;
  const SimulatorOptions &options;
  std::vector<DeviceBuffer *> buffers;
  std::vector<void *> argumentPointers;
  uint32_t firstBlock; ///< The number of the first block of this launch.
  Defects defects;
  MeetingPoints meetings;
  /// Set where going on makes no sense.
  std::atomic<bool> isStopped = false;

  int64_t getBlockCount() const {
    return launch.grid[0] * launch.grid[1] * launch.grid[2];
  }
  unsigned getThreadCount() const {
    return launch.block[0] * launch.block[1] * launch.block[2];
  }
  Dim3 getBlockPlace(uint32_t number) const;
  Dim3 getThreadPlace(unsigned thread) const;
};

/// A copy that runs beside the thread that issued it.
struct PendingCopy {
  char *to;
  const char *from;
  unsigned bytes, sourceBytes;
  int64_t group; ///< The number of its group, which may still be open.
  Stamp stamp;
};

struct DeviceThread : AttnSimThread {
  enum class State { Ready, InWarp, AtBarrier, Spinning, Exited };

  Block *owner = nullptr;
  unsigned index = 0;
  unsigned lane = 0;
  State state = State::Exited;
  /// Where it waits, and with which operands.
  int32_t site = 0;
  int64_t *slots = nullptr;
  Fiber fiber;
  FiberStack stack;

  std::vector<PendingCopy> copies;
  int64_t groupsCommitted = 0;
  uint32_t copiesIssued = 0;

  /// What others published in atomic variables that it has read since its last
  /// fence, and what its next atomic writes publish: what it knew at the fence.
  Publication unfenced, fenced;
  /// The atomic variable that it was about to read, and where; null if it has
  /// done something since.
  char *met = nullptr;
  int32_t metSite = 0;

  bool isIn(State which) const { return state == which; }
};

struct Warp {
  unsigned first, count; ///< Its threads.
  AccessLog log;
};

/// What a block counts; merged at the end of a launch.
struct Totals {
  explicit Totals(size_t sites = 0) : counters(sites), buffers(sites) {}

  /// By site: what was counted, and which buffers it accessed.
  std::vector<Counters> counters;
  std::vector<llvm::SmallVector<DeviceBuffer *, 1>> buffers;
  int64_t ops = 0, accesses = 0, matrixOps = 0, blocks = 0;

  void merge(const Totals &other);
};

/// Executes blocks, one at a time.
class Block {
public:
  enum class Progress {
    Finished,
    /// All its threads wait for memory that other blocks may change.
    Spinning,
  };

  Block(LaunchState &launch, Totals &totals);

  /// Whether there was memory for it.
  bool isUsable() const;

  /// Starts the block of this number, counted from 0.
  void begin(int64_t number);

  /// Runs its threads as far as they get.
  Progress advance();

private:
  using State = DeviceThread::State;
  struct Calls;

  // Block.cpp: turns.
  void startThread(unsigned index);
  bool advanceWarp(Warp &warp);
  bool runLanes(Warp &warp);
  void park(DeviceThread &thread, State state);
  [[noreturn]] void endThread(DeviceThread &thread);
  llvm::SmallVector<unsigned, kWarpSize> getOrder(unsigned count);
  void finish();
  void finishThread(DeviceThread &thread);
  void reportDeadlock();
  void step(DeviceThread &thread, int32_t site);
  void executeEvent(DeviceThread &thread, int32_t site, int64_t *slots);

  // Barriers.cpp
  void arrive(DeviceThread &thread, int32_t site, int64_t *slots);
  bool releaseBarriers();
  bool releaseBarrier(unsigned id);
  void checkBarrier(llvm::ArrayRef<DeviceThread *> waiting, bool isWhole);
  void completeBarrier(llvm::ArrayRef<DeviceThread *> waiting, unsigned id,
                       bool isWhole);

  // Accesses.cpp
  char *load(DeviceThread &thread, int32_t site, char *address);
  char *store(DeviceThread &thread, int32_t site, char *address);
  char *update(DeviceThread &thread, int32_t site, char *address);
  bool access(DeviceThread &thread, int32_t site, char *address, unsigned bytes,
              unsigned align, bool reads, bool writes, Stamp stamp);
  bool accessShared(DeviceThread &thread, int32_t site, int64_t offset,
                    unsigned bytes, bool reads, bool writes,
                    const Stamp &stamp);
  bool accessGlobal(DeviceThread &thread, int32_t site, char *address,
                    unsigned bytes, bool reads, bool writes,
                    const Stamp &stamp);
  DeviceBuffer *findBuffer(int32_t site, char *address, unsigned bytes);
  void yieldIfLogIsFull(DeviceThread &thread, int32_t site);
  void meet(DeviceThread &thread, int32_t site, char *address);
  void take(DeviceThread &thread, int32_t site, char *address);
  void settle(DeviceThread &thread) {
    if (thread.met)
      settleMeeting(thread);
  }
  void settleMeeting(DeviceThread &thread);
  void fence(DeviceThread &thread, int32_t site);
  void learn(DeviceThread &thread, int32_t site);
  Publication makePublication(DeviceThread &thread);

  // Collectives.cpp
  bool completeCollectives(Warp &warp);
  bool completeCollective(Warp &warp, DeviceThread &thread);
  void executeCollective(Warp &warp, llvm::ArrayRef<DeviceThread *> lanes,
                         uint32_t mask);
  void executeShuffle(Warp &warp, llvm::ArrayRef<DeviceThread *> lanes,
                      uint32_t mask);
  // MatrixOps.cpp
  void loadMatrix(llvm::ArrayRef<DeviceThread *> lanes);
  void multiplyMatrix(llvm::ArrayRef<DeviceThread *> lanes);

  // AsyncCopies.cpp
  void copyAsync(DeviceThread &thread, int32_t site, int64_t *slots);
  void waitCopies(DeviceThread &thread, int64_t mostPending);
  void finishCopy(DeviceThread &thread, const PendingCopy &copy);
  void performCopy(const PendingCopy &copy);

  // Reporting.cpp
  Stamp makeStamp(const DeviceThread &thread, int32_t site,
                  uint32_t flags = 0) const;
  Observer makeObserver(const Stamp &stamp, bool isShared) const;
  Place getPlace(unsigned thread, int32_t site) const;
  Place getPlace(const Stamp &stamp) const;
  void report(DefectKind kind, const DeviceThread &thread, int32_t site,
              const llvm::Twine &detail);
  void report(DefectKind kind, const DeviceThread &thread, int32_t site,
              const llvm::Twine &detail, unsigned otherThread,
              int32_t otherSite);
  void reportConflict(const Stamp &stamp, const Conflict &conflict, bool writes,
                      unsigned bytes, const llvm::Twine &where);
  std::string describeShared(int64_t offset) const;
  void reportOutside(const DeviceThread &thread, int32_t site, char *address,
                     unsigned bytes, bool writes);

  bool isShared(const char *address) const {
    return static_cast<uint64_t>(address - window.data()) <
           static_cast<uint64_t>(kSharedWindow);
  }

  LaunchState &launch;
  Totals &totals;
  SharedWindow window;
  /// A byte per byte of shared memory: whether it exists, has been written.
  std::unique_ptr<char[]> sharedState;
  RaceShadow sharedShadow;
  BlockClocks clocks;
  ForeignKnowledge foreign;
  std::vector<std::unique_ptr<DeviceThread>> threads;
  std::vector<Warp> warps;
  /// The buffer that a site met last.
  std::vector<DeviceBuffer *> lastBuffers;
  std::mt19937_64 random;

  int64_t number = 0;
  bool isAborted = false;
  /// Threads that arrived at a barrier without waiting, and what they knew.
  struct Arrivals {
    unsigned count = 0;
    Knowledge knowledge;
  };
  std::array<Arrivals, 16> arrivals;

  /// Where accesses go that are not allowed.
  alignas(64) char nowhere[64];
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_MACHINE_H
