//===- Block.cpp - Turns of the threads of a block ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp's lanes run one after the other until each waits or has ended; then
// what the warp waits for together is executed, and so on until all of its
// lanes wait for something larger. When no warp can go on, barriers are
// released. If there are none to release, the threads wait for ever, or for
// other blocks.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"
#include "llvm/Support/ErrorHandling.h"
#include <sys/mman.h>

using namespace attn::sim;

/// Rounds in which threads may just look at memory before other blocks get
/// their turn.
static constexpr int kPatience = 64;

//===----------------------------------------------------------------------===//
// Memory and places
//===----------------------------------------------------------------------===//

SharedWindow::SharedWindow() {
  size_t all = 2 * kSharedWindow;
  void *mapped =
      mmap(nullptr, all, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0);
  if (mapped == MAP_FAILED)
    return;
  char *start = static_cast<char *>(mapped);
  size_t before = -reinterpret_cast<uint64_t>(start) % kSharedWindow;
  if (before)
    munmap(start, before);
  memory = start + before;
  if (size_t after = all - kSharedWindow - before)
    munmap(memory + kSharedWindow, after);
}

SharedWindow::~SharedWindow() {
  if (memory)
    munmap(memory, kSharedWindow);
}

Dim3 attn::sim::getPlaceIn(const Dim3 &sizes, int64_t i) {
  return {i % sizes[0], i / sizes[0] % sizes[1], i / sizes[0] / sizes[1]};
}

Dim3 LaunchState::getBlockPlace(uint32_t number) const {
  return getPlaceIn(launch.grid, number - firstBlock);
}

Dim3 LaunchState::getThreadPlace(unsigned thread) const {
  return getPlaceIn(launch.block, thread);
}

void Totals::merge(const Totals &other) {
  for (auto [mine, theirs] : llvm::zip_equal(counters, other.counters))
    mine += theirs;
  for (auto [mine, theirs] : llvm::zip_equal(buffers, other.buffers))
    for (DeviceBuffer *buffer : theirs)
      if (!llvm::is_contained(mine, buffer))
        mine.push_back(buffer);
  ops += other.ops;
  accesses += other.accesses;
  matrixOps += other.matrixOps;
  blocks += other.blocks;
}

//===----------------------------------------------------------------------===//
// Start and end
//===----------------------------------------------------------------------===//

/// What device code calls.
struct Block::Calls {
  static DeviceThread &get(AttnSimThread *thread) {
    return *static_cast<DeviceThread *>(thread);
  }
  static void *load(AttnSimThread *thread, int32_t site, void *address) {
    DeviceThread &self = get(thread);
    return self.owner->load(self, site, static_cast<char *>(address));
  }
  static void *store(AttnSimThread *thread, int32_t site, void *address) {
    DeviceThread &self = get(thread);
    return self.owner->store(self, site, static_cast<char *>(address));
  }
  static void *update(AttnSimThread *thread, int32_t site, void *address) {
    DeviceThread &self = get(thread);
    return self.owner->update(self, site, static_cast<char *>(address));
  }
  static void event(AttnSimThread *thread, int32_t site, int64_t *slots) {
    DeviceThread &self = get(thread);
    self.owner->executeEvent(self, site, slots);
  }
  static void step(AttnSimThread *thread, int32_t site) {
    DeviceThread &self = get(thread);
    self.owner->step(self, site);
  }
  static void run(void *thread) {
    DeviceThread &self = *static_cast<DeviceThread *>(thread);
    LaunchState &launch = self.owner->launch;
    launch.kernel.entry(&self, launch.argumentPointers.data());
    self.owner->finishThread(self);
  }
  static constexpr AttnSimCalls table = {&load, &store, &update, &event, &step};
};

Block::Block(LaunchState &launch, Totals &totals)
    : launch(launch), totals(totals),
      sharedState(std::make_unique<char[]>(kSharedWindow)),
      sharedShadow(kSharedWindow), clocks(launch.getThreadCount()),
      lastBuffers(launch.sites.size()) {
  unsigned count = launch.getThreadCount();
  for (unsigned i = 0; i < count; ++i)
    threads.push_back(std::make_unique<DeviceThread>());
  for (unsigned first = 0; first < count; first += kWarpSize)
    warps.push_back({first, std::min(kWarpSize, count - first),
                     AccessLog(launch.sites.size(), kWarpSize)});
}

bool Block::isUsable() const {
  return window.data() && llvm::all_of(threads, [](const auto &thread) {
           return thread->stack.bottom() != nullptr;
         });
}

void Block::startThread(unsigned index) {
  DeviceThread &thread = *threads[index];
  thread.calls = &Calls::table;
  thread.shared = window.data();
  thread.ops = 0;
  thread.owner = this;
  thread.index = index;
  thread.lane = index % kWarpSize;
  thread.state = State::Ready;
  thread.copies.clear();
  thread.groupsCommitted = 0;
  thread.copiesIssued = 0;
  thread.unfenced.clear();
  thread.fenced.clear();
  thread.met = nullptr;
  int32_t *registers = thread.registers;
  Dim3 place = launch.getThreadPlace(index);
  Dim3 blockPlace = launch.getBlockPlace(launch.firstBlock + number);
  for (unsigned axis = 0; axis < 3; ++axis) {
    registers[TidX + axis] = place[axis];
    registers[NtidX + axis] = launch.launch.block[axis];
    registers[CtaidX + axis] = blockPlace[axis];
    registers[NctaidX + axis] = launch.launch.grid[axis];
  }
  registers[LaneId] = thread.lane;
  registers[WarpId] = index / kWarpSize;
  registers[NumWarps] = warps.size();
  registers[WarpSize] = kWarpSize;
  uint32_t bit = uint32_t(1) << thread.lane;
  registers[LaneMaskEq] = bit;
  registers[LaneMaskLt] = bit - 1;
  registers[LaneMaskLe] = bit | (bit - 1);
  registers[LaneMaskGt] = ~(bit | (bit - 1));
  registers[LaneMaskGe] = ~(bit - 1);
  registers[DynamicSharedSize] = launch.launch.sharedBytes;
  registers[TotalSharedSize] = launch.launch.sharedBytes;
  for (const SharedVariable &variable : launch.shared.variables)
    registers[TotalSharedSize] += variable.bytes;
  thread.fiber.start(thread.stack, &Calls::run, &thread);
}

void Block::begin(int64_t newNumber) {
  number = newNumber;
  isAborted = false;
  arrivals = {};
  clocks.reset();
  foreign.reset();
  random.seed(launch.options.seed * 0x9E3779B97F4A7C15ull + number);
  // All of it is filled anew: a NaN where nothing has been written.
  auto allocate = [&](int64_t offset, int64_t size) {
    std::memset(sharedState.get() + offset, kSharedAllocated, size);
    std::memset(window.data() + offset, 0xFF, size);
  };
  for (const SharedVariable &variable : launch.shared.variables)
    allocate(variable.offset, variable.bytes);
  allocate(launch.shared.dynamicOffset, launch.launch.sharedBytes);
  for (unsigned i = 0; i < threads.size(); ++i)
    startThread(i);
}

/// The last act of a thread, on its fiber.
void Block::finishThread(DeviceThread &thread) {
  thread.state = State::Exited;
  for (const PendingCopy &copy : thread.copies) {
    bool isCommitted = copy.group < thread.groupsCommitted;
    report(DefectKind::OutstandingCopy, thread, copy.stamp.site,
           isCommitted ? "the thread ends, and no wait has covered this copy"
                       : "the thread ends, and this copy is in no group");
  }
}

void Block::finish() {
  for (auto &thread : threads)
    totals.ops += thread->ops;
  ++totals.blocks;
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

/// Lets others run until somebody makes the thread ready again.
void Block::park(DeviceThread &thread, State state) {
  thread.state = state;
  thread.fiber.suspend();
}

/// Leaves the thread where it is, for good.
void Block::endThread(DeviceThread &thread) {
  park(thread, State::Exited);
  llvm_unreachable("a thread that has ended was resumed");
}

void Block::step(DeviceThread &thread, int32_t site) {
  if (thread.ops <= launch.options.mostOps)
    return;
  report(DefectKind::Endless, thread, site,
         "still runs after " + llvm::Twine(thread.ops) + " ops");
  isAborted = true;
  launch.isStopped = true;
  endThread(thread);
}

void Block::executeEvent(DeviceThread &thread, int32_t site, int64_t *slots) {
  settle(thread);
  thread.site = site;
  thread.slots = slots;
  switch (launch.sites[site].kind) {
  case SiteKind::WarpBarrier:
  case SiteKind::Shuffle:
  case SiteKind::Vote:
  case SiteKind::WarpReduce:
  case SiteKind::LoadMatrix:
  case SiteKind::MultiplyMatrix:
    return park(thread, State::InWarp);
  case SiteKind::Barrier:
  case SiteKind::BarrierArrive:
    return arrive(thread, site, slots);
  case SiteKind::CopyAsync:
    return copyAsync(thread, site, slots);
  case SiteKind::CommitCopies:
    ++thread.groupsCommitted;
    return;
  case SiteKind::WaitCopies:
    return waitCopies(thread, slots[0]);
  case SiteKind::Fence:
    return fence(thread, site);
  case SiteKind::Trap:
    report(DefectKind::Trap, thread, site, "the thread gives up");
    isAborted = true;
    endThread(thread);
  case SiteKind::Divide:
    if (slots[0] & 1)
      report(DefectKind::Division, thread, site,
             "divides by zero, or the result is too large");
    return;
  case SiteKind::Load:
  case SiteKind::Store:
  case SiteKind::Update:
  case SiteKind::Loop:
    llvm_unreachable("not an event");
  }
}

/// Numbers 0 .. count - 1 in the order of the next turns.
llvm::SmallVector<unsigned, kWarpSize> Block::getOrder(unsigned count) {
  llvm::SmallVector<unsigned, kWarpSize> order =
      llvm::to_vector<kWarpSize>(llvm::seq(0u, count));
  if (launch.options.threadOrder == ThreadOrder::Reverse)
    std::reverse(order.begin(), order.end());
  else if (launch.options.threadOrder == ThreadOrder::Random)
    std::shuffle(order.begin(), order.end(), random);
  return order;
}

bool Block::runLanes(Warp &warp) {
  bool hasRun = false;
  for (unsigned lane : getOrder(warp.count)) {
    DeviceThread &thread = *threads[warp.first + lane];
    if (!thread.isIn(State::Ready) || isAborted)
      continue;
    thread.fiber.resume();
    hasRun = true;
  }
  if (hasRun && launch.options.count)
    warp.log.flush(totals.counters);
  return hasRun;
}

bool Block::advanceWarp(Warp &warp) {
  bool hasAdvanced = false;
  while (!isAborted && (runLanes(warp) || completeCollectives(warp)))
    hasAdvanced = true;
  return hasAdvanced;
}

Block::Progress Block::advance() {
  for (int idle = 0; idle < kPatience; ++idle) {
    bool isSpinning = false;
    for (auto &thread : threads)
      if (thread->isIn(State::Spinning))
        thread->state = State::Ready;
    for (unsigned warp : getOrder(warps.size()))
      advanceWarp(warps[warp]);
    bool isOver = isAborted || llvm::all_of(threads, [](const auto &thread) {
                    return thread->isIn(State::Exited);
                  });
    if (isOver) {
      finish();
      return Progress::Finished;
    }
    for (auto &thread : threads)
      isSpinning |= thread->isIn(State::Spinning);
    if (releaseBarriers()) {
      idle = 0;
      continue;
    }
    if (!isSpinning) {
      reportDeadlock();
      finish();
      return Progress::Finished;
    }
  }
  return Progress::Spinning;
}

/// Names a thread that waits, and one for which it may wait.
void Block::reportDeadlock() {
  launch.isStopped = true;
  auto waits = [](const auto &thread) { return !thread->isIn(State::Exited); };
  auto first = llvm::find_if(threads, waits);
  const DeviceThread &thread = **first;
  unsigned waiting = llvm::count_if(threads, waits);
  std::string detail = "waits for ever";
  unsigned exited = threads.size() - waiting;
  if (exited)
    detail += "; " + std::to_string(exited) + " threads have ended";
  for (auto &other : threads) {
    if (other->isIn(State::Exited) || other->site == thread.site)
      continue;
    return report(DefectKind::Deadlock, thread, thread.site,
                  detail + "; another thread waits elsewhere", other->index,
                  other->site);
  }
  report(DefectKind::Deadlock, thread, thread.site, detail);
}
