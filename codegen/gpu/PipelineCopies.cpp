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
//   before the loop      begin the first tile (keys) of the first iteration
//   in each iteration    wait for the first tile, barrier
//                        begin the others (values)
//                        what reads the first tile (scores)
//                        wait for the others, barrier
//                        begin the first tile of the next iteration
//                        what reads the others (sums)
//   behind the loop      wait for what was begun in vain
//
// So keys arrive during the softmax and the product with values, values during
// the product with keys, and no tile needs a second place. The first tile
// becomes a value that the loop carries.
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

  /// Finds the copies; false if they cannot be begun earlier.
  bool analyze();
  void run();

private:
  bool isMovable(Value value);
  Operation *getFirstUser(Value value);
  Operation *getLastUser(Value value);
  Value cloneInto(OpBuilder &b, Value value, IRMapping &mapping);
  tile::LoadOp beginAt(OpBuilder &b, Value iteration);
  void moveBehind(Operation *op, Operation *&place);
  Operation *awaitOthers(Operation *lastRead);

  scf::ForOp loop;
  tile::LoadOp first;
  SmallVector<tile::LoadOp> others;
};
} // namespace

/// Whether a copy can be asynchronous: those of products of 16 bits are.
static bool isCopy(tile::LoadOp load) {
  auto type = cast<RankedTensorType>(load.getType());
  return getSharedLayout(load) && type.getElementTypeBitWidth() == 16;
}

/// Whether `value` can be computed for another iteration: it stems from the
/// iteration and from outside of the loop alone. Divisions may be among what it
/// stems from: a device does not stop at one by zero.
bool LoopPipeliner::isMovable(Value value) {
  if (value == loop.getInductionVar() || loop.isDefinedOutsideOfLoop(value))
    return true;
  Operation *op = value.getDefiningOp();
  return op && op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isMovable(operand); });
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

bool LoopPipeliner::analyze() {
  SmallVector<tile::LoadOp> copies;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (isa<tile::StoreOp, tile::BarrierOp, tile::AwaitOp>(op))
      return false;
    auto load = dyn_cast<tile::LoadOp>(op);
    if (!load || !isCopy(load))
      continue;
    bool isRead = llvm::all_of(load->getUsers(), llvm::IsaPred<tile::DotOp>);
    if (load.use_empty() || !isRead ||
        !llvm::all_of(load->getOperands(),
                      [&](Value operand) { return isMovable(operand); }))
      return false;
    copies.push_back(load);
  }
  if (copies.empty())
    return false;
  llvm::sort(copies, [&](tile::LoadOp a, tile::LoadOp b) {
    return getFirstUser(a) != getFirstUser(b) &&
           getFirstUser(a)->isBeforeInBlock(getFirstUser(b));
  });
  first = copies.front();
  others.assign(copies.begin() + 1, copies.end());
  return true;
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

/// Begins the copy of the first tile of an iteration.
tile::LoadOp LoopPipeliner::beginAt(OpBuilder &b, Value iteration) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), iteration);
  for (Value operand : first->getOperands())
    mapping.map(operand, cloneInto(b, operand, mapping));
  auto begun = cast<tile::LoadOp>(b.clone(*first, mapping));
  begun.setAsync(true);
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

/// Waits for the others as soon as the first tile has been read, or in front of
/// what reads the others if that is earlier. Returns the last op of the wait;
/// null if there are no others.
Operation *LoopPipeliner::awaitOthers(Operation *lastRead) {
  if (others.empty())
    return nullptr;
  Operation *wait = lastRead->getNextNode();
  for (tile::LoadOp load : others) {
    Operation *reader = getFirstUser(load);
    if (reader->isBeforeInBlock(wait))
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

/// Makes the loop carry its first tile, and begins the others with it.
void LoopPipeliner::run() {
  IRRewriter rewriter(loop);
  Value start = beginAt(rewriter, loop.getLowerBound());
  tile::LoadOp next;
  auto yield = [&](OpBuilder &b, Location loc,
                   ArrayRef<BlockArgument>) -> SmallVector<Value> {
    Value later =
        arith::AddIOp::create(b, loc, loop.getInductionVar(), loop.getStep());
    next = beginAt(b, later);
    return {next.getResult()};
  };
  // The new loop takes the body over, so `first` and the others stay.
  loop = cast<scf::ForOp>(loop.replaceWithAdditionalYields(
                                  rewriter, start,
                                  /*replaceInitOperandUsesInLoop=*/false, yield)
                              ->getOperation());
  rewriter.setInsertionPointToStart(loop.getBody());
  Location loc = first.getLoc();
  Type type = first.getType();
  Value arrived = tile::AwaitOp::create(rewriter, loc, type,
                                        loop.getRegionIterArgs().back());
  Operation *place = tile::BarrierOp::create(rewriter, loc, tile::Scope::Block);
  rewriter.replaceOp(first, arrived);
  for (tile::LoadOp load : others) {
    load.setAsync(true);
    moveBehind(load, place);
  }
  Operation *free = getLastUser(arrived);
  Operation *waited = awaitOthers(free);
  if (waited && free->isBeforeInBlock(waited))
    free = waited;
  moveBehind(next, free);
  rewriter.setInsertionPointAfter(loop);
  tile::AwaitOp::create(rewriter, loc, type, loop.getResults().back());
}

namespace {
struct GpuPipelineCopies
    : attn::impl::GpuPipelineCopiesBase<GpuPipelineCopies> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops) {
      LoopPipeliner pipeliner(loop);
      if (pipeliner.analyze())
        pipeliner.run();
    }
  }
};
} // namespace
