//===- PipelineCopies.cpp - Copy the next keys while computing ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a loop that copies tiles to shared memory and multiplies them, each copy
// begins as soon as its place is free and is waited for where it is read:
//
//   before the loop      begin the first tiles (keys) of the first iteration
//   in each iteration    wait for the first tiles, barrier
//                        begin the others (values)
//                        what reads the first tiles (scores)
//                        wait for the others, barrier
//                        begin the first tiles of the next iteration
//                        what reads the others (sums)
//
// What would be begun for an iteration that never comes is not copied, but
// counts as begun: waits are the same for all iterations.
//
// So keys arrive during the softmax and the product with values, values during
// the product with keys, and no tile needs a second place. The first tiles
// become values that the loop carries. There are several where rows were
// joined, and none where the first product reads no copy, as its keys are
// computed.
//
// With S > 1 stages, each copy has a ring of S places, and the loop carries the
// rings and the place of the iteration:
//
//   before the loop      begin all tiles of the first S - 1 iterations
//   in each iteration    wait for its tiles: all copies but those of the S - 2
//                        iterations behind it
//                        barrier: all threads have read the iteration before
//                        begin the tiles of S - 1 iterations later, which go
//                        where those of the iteration before were
//                        what reads the tiles
//
// So copies have S - 1 iterations to arrive, and an iteration has one barrier.
// Tiles may have other readers than products then, and the loop may store rows
// to views that it does not read: those of a recurrence do.
//
// Around a loop whose products overlap (attn-gpu-overlap-products) stand tiles
// of its first and of its last iteration. They begin all together, in front;
// copies of the loop begin as soon as what stands there has read its tiles.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

namespace attn {
#define GEN_PASS_DEF_GPUPIPELINECOPIES
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// One loop and what it copies.
class LoopPipeliner {
public:
  explicit LoopPipeliner(scf::ForOp loop) : loop(loop) {}

  /// Finds the copies; false if they cannot be begun earlier, in rings or not.
  bool analyze(bool inRings);
  void run();
  /// The same with a ring of so many places, at least two, for each copy.
  void runRings(int64_t stages);
  /// Begins what an only iteration copies at its start.
  void runOnce();

private:
  bool isMovable(Value value);
  bool isStored(Value view) const;
  Operation *getFirstUser(Value value);
  Operation *getLastUser(Value value);
  OpBuilder getFront();
  Value cloneInto(OpBuilder &b, Value value, IRMapping &mapping);
  tile::LoadOp beginAt(OpBuilder &b, tile::LoadOp load, Value iteration);
  SmallVector<Value> fillRings(OpBuilder &b, Value iteration, Value stage,
                               ValueRange rings, int64_t stages);
  SmallVector<Value> startRings(OpBuilder &b, int64_t stages);
  void awaitRings(ValueRange rings, Value stage, int64_t stages);
  SmallVector<tile::LoadOp> getCopies() const;
  void splitCopies(ArrayRef<tile::LoadOp> copies);
  SmallVector<tile::LoadOp> carryFirsts();
  Operation *awaitFirsts(OpBuilder &b, Operation *&place);
  void moveBehind(Operation *op, Operation *&place);
  Operation *awaitOthers(Operation *lastRead);

  scf::ForOp loop;
  SmallVector<tile::LoadOp> firsts, others;
  SmallVector<Value> stored; ///< Parameters that the loop writes to.
};
} // namespace

/// Whether a copy can be asynchronous: those of matrix instructions are.
static bool isCopy(tile::LoadOp load) {
  auto type = cast<RankedTensorType>(load.getType());
  auto isForTf32 = [](Operation *user) {
    auto dot = dyn_cast<tile::DotOp>(user);
    return dot && isTf32(dot);
  };
  return getSharedLayout(load) && (type.getElementTypeBitWidth() == 16 ||
                                   llvm::any_of(load->getUsers(), isForTf32));
}

/// The scalar, such as an entry of a list, that `op` reads; null if it does
/// something else.
static tile::GatherOp getScalarRead(Operation *op) {
  auto gather = dyn_cast<tile::GatherOp>(op);
  bool isScalar =
      gather && !isa<RankedTensorType>(gather.getResult().getType());
  return isScalar ? gather : tile::GatherOp();
}

/// Whether the loop writes to what `view` is a part of. Kernels are not given
/// the same memory twice.
bool LoopPipeliner::isStored(Value view) const {
  return llvm::is_contained(stored, getBase(view));
}

/// Whether `value` can be computed for another iteration: it stems from the
/// iteration and from outside of the loop alone. Divisions may be among what it
/// stems from: a device does not stop at one by zero.
bool LoopPipeliner::isMovable(Value value) {
  if (value == loop.getInductionVar() || loop.isDefinedOutsideOfLoop(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions())
    return false;
  tile::GatherOp read = getScalarRead(op);
  bool isSame = read ? !isStored(read.getView()) : isMemoryEffectFree(op);
  return isSame && llvm::all_of(op->getOperands(), [&](Value operand) {
           return isMovable(operand);
         });
}

Operation *LoopPipeliner::getFirstUser(Value value) {
  Operation *result = nullptr;
  for (Operation *user : value.getUsers()) {
    Operation *here = loop.getBody()->findAncestorOpInBlock(*user);
    if (!result || here->isBeforeInBlock(result))
      result = here;
  }
  return result;
}

Operation *LoopPipeliner::getLastUser(Value value) {
  Operation *result = nullptr;
  for (Operation *user : value.getUsers()) {
    Operation *here = loop.getBody()->findAncestorOpInBlock(*user);
    if (!result || result->isBeforeInBlock(here))
      result = here;
  }
  return result;
}

/// In front of the loop, behind the last product there.
OpBuilder LoopPipeliner::getFront() {
  OpBuilder b(loop);
  if (!loop->getParentOp()->hasAttr(tile::kOnceAttr))
    return b;
  for (auto dot : loop->getBlock()->getOps<tile::DotOp>())
    if (dot->isBeforeInBlock(loop))
      b.setInsertionPointAfter(dot);
  return b;
}

bool LoopPipeliner::analyze(bool inRings) {
  SmallVector<tile::LoadOp> copies;
  loop.walk(
      [&](tile::StoreOp store) { stored.push_back(getBase(store.getView())); });
  if (!inRings && !stored.empty())
    return false;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (isa<tile::WriteOp, tile::BarrierOp, tile::AwaitOp>(op))
      return false;
    auto load = dyn_cast<tile::LoadOp>(op);
    if (!load || !isCopy(load))
      continue;
    bool isRead = llvm::all_of(load->getUsers(), [&](Operation *user) {
      return user->getBlock() == loop.getBody() &&
             (isa<tile::DotOp>(user) ||
              (inRings && isa<tile::ConvertLayoutOp>(user)));
    });
    if (load.use_empty() || !isRead || isStored(load.getView()) ||
        !llvm::all_of(load->getOperands(),
                      [&](Value operand) { return isMovable(operand); }))
      return false;
    copies.push_back(load);
  }
  if (copies.empty())
    return false;
  bool areOperands = llvm::all_of(copies, [](tile::LoadOp load) {
    return llvm::all_of(load->getUsers(), llvm::IsaPred<tile::DotOp>);
  });
  if (areOperands)
    splitCopies(copies);
  else
    others = copies;
  return true;
}

/// The first tiles are those that products of the kind of the first one read,
/// if that reads one.
void LoopPipeliner::splitCopies(ArrayRef<tile::LoadOp> copies) {
  auto products = loop.getBody()->getOps<tile::DotOp>();
  auto getKind = [&](tile::LoadOp load) {
    return cast<tile::DotOp>(getFirstUser(load)).getTransposeRhs();
  };
  tile::DotOp lead = *products.begin();
  bool readsCopy = llvm::any_of(copies, [&](tile::LoadOp load) {
    return getFirstUser(load) == lead.getOperation();
  });
  for (tile::LoadOp load : copies) {
    bool isFirst = readsCopy && getKind(load) == lead.getTransposeRhs();
    (isFirst ? firsts : others).push_back(load);
  }
}

/// `value` as it is where `mapping` says what the iteration is.
Value LoopPipeliner::cloneInto(OpBuilder &b, Value value, IRMapping &mapping) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  if (loop.isDefinedOutsideOfLoop(value))
    return value;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    mapping.map(operand, cloneInto(b, operand, mapping));
  b.clone(*op, mapping);
  return mapping.lookup(value);
}

/// Begins a copy of an iteration, if there is that iteration.
tile::LoadOp LoopPipeliner::beginAt(OpBuilder &b, tile::LoadOp first,
                                    Value iteration) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), iteration);
  for (Value operand : first->getOperands())
    mapping.map(operand, cloneInto(b, operand, mapping));
  Value exists =
      arith::CmpIOp::create(b, loop.getLoc(), arith::CmpIPredicate::slt,
                            iteration, loop.getUpperBound());
  auto begun = cast<tile::LoadOp>(b.clone(*first, mapping));
  begun.setAsync(true);
  begun.getWhenMutable().assign(exists);
  return begun;
}

/// Moves `op`, and what it is computed from, behind `place`, which becomes it.
void LoopPipeliner::moveBehind(Operation *op, Operation *&place) {
  if (op->getBlock() != place->getBlock() || op == place ||
      op->isBeforeInBlock(place))
    return;
  for (Value operand : op->getOperands())
    if (Operation *definition = operand.getDefiningOp())
      moveBehind(definition, place);
  op->moveAfter(place);
  place = op;
}

/// Waits for the others as soon as the first tiles have been read, or in front
/// of what reads the others if that is earlier. Returns the last op of the
/// wait; null if there are no others.
Operation *LoopPipeliner::awaitOthers(Operation *lastRead) {
  if (others.empty())
    return nullptr;
  Operation *wait = lastRead ? lastRead->getNextNode() : nullptr;
  for (tile::LoadOp load : others) {
    Operation *reader = getFirstUser(load);
    if (!wait || reader->isBeforeInBlock(wait))
      wait = reader;
  }
  OpBuilder b(wait);
  for (tile::LoadOp load : others) {
    auto await = tile::AwaitOp::create(b, load.getLoc(), load.getType(),
                                       load.getResult());
    load.getResult().replaceAllUsesExcept(await, await);
  }
  return tile::BarrierOp::create(b, loop.getLoc(), tile::Scope::Block);
}

/// Makes the loop carry its first tiles; returns those of the next iteration.
SmallVector<tile::LoadOp> LoopPipeliner::carryFirsts() {
  IRRewriter rewriter(loop);
  OpBuilder front = getFront();
  SmallVector<Value> starts;
  for (tile::LoadOp first : firsts)
    starts.push_back(beginAt(front, first, loop.getLowerBound()));
  SmallVector<tile::LoadOp> nexts;
  auto yield = [&](OpBuilder &b, Location loc, ArrayRef<BlockArgument>) {
    Value later =
        arith::AddIOp::create(b, loc, loop.getInductionVar(), loop.getStep());
    for (tile::LoadOp first : firsts)
      nexts.push_back(beginAt(b, first, later));
    return SmallVector<Value>(nexts.begin(), nexts.end());
  };
  // The new loop takes the body over, so the copies stay.
  if (!firsts.empty())
    loop =
        cast<scf::ForOp>(loop.replaceWithAdditionalYields(
                                 rewriter, starts,
                                 /*replaceInitOperandUsesInLoop=*/false, yield)
                             ->getOperation());
  return nexts;
}

/// Waits for the first tiles at the start of an iteration. Returns the last op
/// that reads one, null if there are none; `place` becomes the barrier.
Operation *LoopPipeliner::awaitFirsts(OpBuilder &b, Operation *&place) {
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> arrived;
  for (auto [first, carried] : llvm::zip_equal(
           firsts, loop.getRegionIterArgs().take_back(firsts.size())))
    arrived.push_back(
        tile::AwaitOp::create(b, first.getLoc(), first.getType(), carried));
  place = tile::BarrierOp::create(b, loop.getLoc(), tile::Scope::Block);
  Operation *last = nullptr;
  for (auto [first, tile] : llvm::zip_equal(firsts, arrived)) {
    first.getResult().replaceAllUsesWith(tile);
    first->erase();
    Operation *reader = getLastUser(tile);
    if (!last || last->isBeforeInBlock(reader))
      last = reader;
  }
  return last;
}

void LoopPipeliner::run() {
  SmallVector<tile::LoadOp> nexts = carryFirsts();
  OpBuilder b(loop);
  Operation *place;
  Operation *free = awaitFirsts(b, place);
  for (tile::LoadOp load : others) {
    load.setAsync(true);
    moveBehind(load, place);
  }
  Operation *waited = awaitOthers(free);
  if (waited && (!free || free->isBeforeInBlock(waited)))
    free = waited;
  for (tile::LoadOp next : nexts)
    moveBehind(next, free);
}

void LoopPipeliner::runOnce() {
  SmallVector<tile::LoadOp> copies;
  for (auto load : loop.getBody()->getOps<tile::LoadOp>())
    if (isCopy(load) && !load.getAsync() && !load.use_empty() &&
        llvm::all_of(load->getUsers(), llvm::IsaPred<tile::DotOp>) &&
        llvm::all_of(load->getOperands(),
                     [&](Value operand) { return isMovable(operand); }))
      copies.push_back(load);
  OpBuilder front = OpBuilder::atBlockBegin(loop.getBody());
  IRMapping mapping;
  for (tile::LoadOp load : copies) {
    for (Value operand : load->getOperands())
      mapping.map(operand, cloneInto(front, operand, mapping));
    auto begun = cast<tile::LoadOp>(front.clone(*load, mapping));
    begun.setAsync(true);
    OpBuilder reader(getFirstUser(load));
    auto await = tile::AwaitOp::create(reader, load.getLoc(), load.getType(),
                                       begun.getResult());
    load.getResult().replaceAllUsesWith(await);
    load.erase();
  }
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

/// All copies, in the order in which they begin.
SmallVector<tile::LoadOp> LoopPipeliner::getCopies() const {
  SmallVector<tile::LoadOp> copies(firsts);
  llvm::append_range(copies, others);
  return copies;
}

/// Begins the copies of an iteration, to place `stage` of each ring, of which
/// there are none at the start. Returns the rings.
SmallVector<Value> LoopPipeliner::fillRings(OpBuilder &b, Value iteration,
                                            Value stage, ValueRange rings,
                                            int64_t stages) {
  SmallVector<Value> filled;
  for (auto [number, copy] : llvm::enumerate(getCopies())) {
    tile::LoadOp load = beginAt(b, copy, iteration);
    load.getResult().setType(getRingType(load.getType(), stages));
    load.getStageMutable().assign(stage);
    if (!rings.empty())
      load.getIntoMutable().assign(rings[number]);
    filled.push_back(load);
  }
  return filled;
}

/// Begins the copies of the first iterations, in front of the loop.
SmallVector<Value> LoopPipeliner::startRings(OpBuilder &b, int64_t stages) {
  SmallVector<Value> rings;
  Value iteration = loop.getLowerBound();
  for (int64_t stage = 0; stage + 1 < stages; ++stage) {
    if (stage)
      iteration =
          arith::AddIOp::create(b, loop.getLoc(), iteration, loop.getStep());
    Value place = arith::ConstantIndexOp::create(b, loop.getLoc(), stage);
    rings = fillRings(b, iteration, place, rings, stages);
  }
  return rings;
}

/// Waits for the tiles of an iteration, and for all threads; what read the
/// copies reads those.
void LoopPipeliner::awaitRings(ValueRange rings, Value stage, int64_t stages) {
  OpBuilder b = OpBuilder::atBlockBegin(loop.getBody());
  SmallVector<tile::LoadOp> copies = getCopies();
  // Behind a copy are those of its iteration and of later ones.
  int64_t pending = (stages - 1) * copies.size();
  for (auto [copy, ring] : llvm::zip_equal(copies, rings)) {
    auto await = tile::AwaitOp::create(b, copy.getLoc(), copy.getType(), ring,
                                       stage, --pending);
    copy.getResult().replaceAllUsesWith(await);
  }
  tile::BarrierOp::create(b, loop.getLoc(), tile::Scope::Block);
}

void LoopPipeliner::runRings(int64_t stages) {
  IRRewriter rewriter(loop);
  Location loc = loop.getLoc();
  OpBuilder front = getFront();
  SmallVector<Value> starts = startRings(front, stages);
  size_t count = starts.size();
  starts.push_back(arith::ConstantIndexOp::create(rewriter, loc, 0));
  auto yield = [&](OpBuilder &b, Location, ArrayRef<BlockArgument> carried) {
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    Value stage = carried.back(), iteration = loop.getInductionVar();
    for (int64_t later = 1; later < stages; ++later)
      iteration = arith::AddIOp::create(b, loc, iteration, loop.getStep());
    // The place of the iteration before, and that of the next one.
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          stage, number(0));
    Value before = arith::SubIOp::create(b, loc, stage, number(1));
    before =
        arith::SelectOp::create(b, loc, isFirst, number(stages - 1), before);
    SmallVector<Value> next = fillRings(
        b, iteration, before, ValueRange(carried).take_front(count), stages);
    Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                         stage, number(stages - 1));
    Value after = arith::AddIOp::create(b, loc, stage, number(1));
    next.push_back(arith::SelectOp::create(b, loc, isLast, number(0), after));
    return next;
  };
  // The new loop takes the body over, so the copies stay.
  loop = cast<scf::ForOp>(loop.replaceWithAdditionalYields(
                                  rewriter, starts,
                                  /*replaceInitOperandUsesInLoop=*/false, yield)
                              ->getOperation());
  ValueRange carried = loop.getRegionIterArgs().take_back(count + 1);
  awaitRings(carried.take_front(count), carried.back(), stages);
  Operation *place = *loop.getBody()->getOps<tile::BarrierOp>().begin();
  for (Value next : loop.getYieldedValues().take_back(count + 1).drop_back())
    moveBehind(next.getDefiningOp(), place);
  for (tile::LoadOp copy : getCopies())
    copy.erase();
}

namespace {
struct GpuPipelineCopies
    : attn::impl::GpuPipelineCopiesBase<GpuPipelineCopies> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops) {
      LoopPipeliner pipeliner(loop);
      if (loop->hasAttr(tile::kOnceAttr)) {
        pipeliner.runOnce();
        continue;
      }
      auto kernel = loop->getParentOfType<gpu::GPUFuncOp>();
      auto stages = kernel->getAttrOfType<IntegerAttr>(tile::kStagesAttr);
      if (!pipeliner.analyze(/*inRings=*/bool(stages)))
        continue;
      if (stages)
        pipeliner.runRings(stages.getInt());
      else
        pipeliner.run();
    }
  }
};
} // namespace
