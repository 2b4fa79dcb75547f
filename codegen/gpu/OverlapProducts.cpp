//===- OverlapProducts.cpp - Weights of the next keys beside these sums ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a loop over keys, one product (sums) waits for what is computed of another
// one (scores, weights). The *late* ops of an iteration are the products that
// depend on others and what depends on them; all else is *early*:
//
//   early(j)   s = q k(j);  m, l, w = softmax of s
//   late(j)    a = a * scale + w v(j)
//
// No early op reads what a late one of an iteration before it has computed. So
// the loop
//
//   for j in lower .. upper          early(j); late(j)
//
// becomes one in which a basic block has ops of two iterations that do not
// depend on each other:
//
//   once, if lower < upper:
//     early(lower)
//     for j in lower .. upper - step early(j + step); late(j)
//     late(the last j)
//
// What late ops read of early ones, such as the weights, is carried by the
// loop. What follows from the iteration alone, such as a tile of values, is
// computed where it is read. No op runs more often than before, none begins to
// read another iteration's keys, and each number has the same operands: so bits
// do not change.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

namespace attn {
#define GEN_PASS_DEF_GPUOVERLAPPRODUCTS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// One loop, its early and its late ops.
class LoopRotator {
public:
  explicit LoopRotator(scf::ForOp loop) : loop(loop), body(*loop.getBody()) {}

  /// Whether a product of the loop depends on another one.
  bool hasTwoProducts();
  /// Tells early ops from late ones; an error where that cannot be.
  LogicalResult analyze();
  void run();

private:
  bool isInside(Value value);
  bool isCarried(Value value);
  bool isLate(Value value);
  bool isMovable(Value value);
  bool addLate();
  void addBroadcasts();
  LogicalResult checkOps();
  LogicalResult addReads();
  LogicalResult addRead(Operation *reader, Value value);
  void addEarly(Value value);
  Value getYielded(BlockArgument argument);

  /// Early ops up to the last early product, and those behind it.
  enum class Part { Scores, Weights };
  void emitEarly(OpBuilder &b, Value iteration, ValueRange arguments,
                 IRMapping &mapping, Part part);
  void emitLate(OpBuilder &b, Value iteration, ValueRange arguments,
                ValueRange weights, IRMapping &mapping);
  SmallVector<Value> emitAll(OpBuilder &b, ValueRange inits);
  scf::ForOp emitLoop(OpBuilder &b, Value end, ValueRange starts);
  Value getLast(OpBuilder &b);

  scf::ForOp loop;
  Block &body;
  SmallVector<Operation *> seconds; ///< Products that depend on others.
  DenseSet<Operation *> late, early;
  DenseSet<Operation *> movedToLate; ///< Of iterations, that late ops read.
  llvm::SetVector<Value> carried;    ///< What late ops read of early ones.
};
} // namespace

bool LoopRotator::hasTwoProducts() {
  DenseSet<Value> derived;
  for (Operation &op : body.without_terminator()) {
    auto isDerived = [&](Value value) { return derived.contains(value); };
    auto dot = dyn_cast<tile::DotOp>(op);
    // Products that add up are one.
    if (dot && (isDerived(dot.getLhs()) || isDerived(dot.getRhs())))
      seconds.push_back(dot);
    if (dot || llvm::any_of(op.getOperands(), isDerived))
      derived.insert_range(op.getResults());
  }
  return !seconds.empty();
}

/// Whether `value` differs from one iteration to another.
bool LoopRotator::isInside(Value value) {
  return !loop.isDefinedOutsideOfLoop(value);
}

/// Whether `value` is what an iteration takes from the one before.
bool LoopRotator::isCarried(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner() == &body &&
         argument != loop.getInductionVar();
}

Value LoopRotator::getYielded(BlockArgument argument) {
  return loop.getTiedLoopYieldedValue(argument)->get();
}

/// Whether `value` is made by a late op, of this iteration or of one before.
/// What the loop carries may be what it carried elsewhere an iteration earlier.
bool LoopRotator::isLate(Value value) {
  SmallPtrSet<void *, 4> seen;
  while (isCarried(value) && seen.insert(value.getAsOpaquePointer()).second)
    value = getYielded(cast<BlockArgument>(value));
  return late.contains(value.getDefiningOp());
}

/// Whether `value` follows from the iteration and what is outside of the loop,
/// which stores nothing. Products do as well, but are not computed twice.
bool LoopRotator::isMovable(Value value) {
  if (value == loop.getInductionVar() || !isInside(value))
    return true;
  Operation *op = value.getDefiningOp();
  bool isRead = isa_and_present<tile::LoadOp, tile::GatherOp>(op);
  if (!op || isa<tile::DotOp>(op) || !(isRead || isMemoryEffectFree(op)))
    return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isMovable(operand); });
}

/// Adds what depends on late ops; false if that is nothing new.
bool LoopRotator::addLate() {
  size_t before = late.size();
  for (Operation &op : body.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](Value x) { return isLate(x); }))
      late.insert(&op);
  return late.size() != before;
}

/// Vectors that only late ops read as tiles are carried as vectors.
void LoopRotator::addBroadcasts() {
  for (auto op : body.getOps<tile::BroadcastOp>())
    if (llvm::all_of(op->getUsers(),
                     [&](Operation *user) { return late.contains(user); }))
      late.insert(op);
}

/// Refuses ops that cannot be moved to another iteration, and loops without
/// products that are early.
LogicalResult LoopRotator::checkOps() {
  if (Type type = loop.getInductionVar().getType(); !type.isIndex())
    return loop.emitOpError("counts in ")
           << type << ", expected 'index' where products overlap";
  for (Operation &op : body.without_terminator()) {
    bool isRead = isa<tile::LoadOp, tile::GatherOp>(op);
    if (op.getNumRegions() || !(isRead || isMemoryEffectFree(&op)))
      return op.emitOpError("cannot be in a loop whose products overlap with "
                            "those of its next iteration; expected a schedule "
                            "without 'overlap'");
    if (auto dot = dyn_cast<tile::DotOp>(op);
        dot && late.contains(dot) && !llvm::is_contained(seconds, &op))
      return op.emitOpError(
          "needs results of the iteration before, so products "
          "cannot overlap; expected a schedule without "
          "'overlap'");
  }
  return success();
}

/// Takes note of `value`, which late op `reader` reads.
LogicalResult LoopRotator::addRead(Operation *reader, Value value) {
  if (!isInside(value) || isLate(value) || value == loop.getInductionVar())
    return success();
  if (isMovable(value)) {
    Operation *op = value.getDefiningOp();
    if (!movedToLate.insert(op).second)
      return success();
    for (Value operand : op->getOperands())
      if (failed(addRead(op, operand)))
        return failure();
    return success();
  }
  auto type = dyn_cast<RankedTensorType>(value.getType());
  bool isHalf = type && type.getElementType().isFloat() &&
                type.getElementTypeBitWidth() == 16;
  auto dot = dyn_cast<tile::DotOp>(reader);
  bool isFactor = dot && dot.getLhs() == value && isNarrow(dot);
  if (getSharedLayout(value) || (isHalf && !isFactor))
    return reader->emitOpError("reads ")
           << value.getType()
           << " of the iteration before, which the loop cannot carry; expected "
              "a schedule without 'overlap'";
  carried.insert(value);
  return success();
}

LogicalResult LoopRotator::addReads() {
  for (Operation &op : body.without_terminator())
    if (late.contains(&op))
      for (Value operand : op.getOperands())
        if (failed(addRead(&op, operand)))
          return failure();
  return success();
}

/// Takes note that `value` of the next iteration is needed early.
void LoopRotator::addEarly(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &body || late.contains(op) ||
      !early.insert(op).second)
    return;
  for (Value operand : op->getOperands())
    addEarly(operand);
}

LogicalResult LoopRotator::analyze() {
  late.insert_range(seconds);
  while (addLate())
    ;
  addBroadcasts();
  if (failed(checkOps()) || failed(addReads()))
    return failure();
  for (Value value : carried)
    addEarly(value);
  for (Value value : loop.getYieldedValues())
    addEarly(value);
  return success();
}

/// Emits a part of the early ops of an iteration, which starts from
/// `arguments`.
void LoopRotator::emitEarly(OpBuilder &b, Value iteration, ValueRange arguments,
                            IRMapping &mapping, Part part) {
  mapping.map(loop.getInductionVar(), iteration);
  mapping.map(loop.getRegionIterArgs(), arguments);
  Operation *last = nullptr;
  for (auto dot : body.getOps<tile::DotOp>())
    if (early.contains(dot))
      last = dot;
  for (Operation &op : body.without_terminator()) {
    Part own = last->isBeforeInBlock(&op) ? Part::Weights : Part::Scores;
    if (early.contains(&op) && own == part)
      b.clone(op, mapping);
  }
}

/// Emits the late ops of an iteration; `weights` are what they read of early
/// ones.
void LoopRotator::emitLate(OpBuilder &b, Value iteration, ValueRange arguments,
                           ValueRange weights, IRMapping &mapping) {
  mapping.map(loop.getInductionVar(), iteration);
  mapping.map(loop.getRegionIterArgs(), arguments);
  mapping.map(carried.getArrayRef(), weights);
  for (Operation &op : body.without_terminator())
    if (late.contains(&op) || movedToLate.contains(&op))
      b.clone(op, mapping);
}

/// The rotated loop, to `end`. It carries what the loop carried, and what late
/// ops read.
scf::ForOp LoopRotator::emitLoop(OpBuilder &b, Value end, ValueRange starts) {
  Location loc = loop.getLoc();
  size_t count = loop.getNumResults();
  return scf::ForOp::create(
      b, loc, loop.getLowerBound(), end, loop.getStep(), starts,
      [&](OpBuilder &inside, Location, Value iteration, ValueRange arguments) {
        ValueRange own = arguments.take_front(count);
        Value next =
            arith::AddIOp::create(inside, loc, iteration, loop.getStep());
        IRMapping earlier, later;
        emitEarly(inside, next, own, earlier, Part::Scores);
        emitLate(inside, iteration, own, arguments.drop_front(count), later);
        emitEarly(inside, next, own, earlier, Part::Weights);
        SmallVector<Value> results;
        for (Value value : loop.getYieldedValues())
          results.push_back(
              (isLate(value) ? later : earlier).lookupOrDefault(value));
        for (Value value : carried)
          results.push_back(earlier.lookup(value));
        scf::YieldOp::create(inside, loc, results);
      });
}

/// The last iteration, of which there is one.
Value LoopRotator::getLast(OpBuilder &b) {
  Location loc = loop.getLoc();
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value most = arith::SubIOp::create(b, loc, loop.getUpperBound(), one);
  Value lower = loop.getLowerBound(), step = loop.getStep();
  Value distance = arith::SubIOp::create(b, loc, most, lower);
  Value before = arith::RemUIOp::create(b, loc, distance, step);
  return arith::SubIOp::create(b, loc, most, before);
}

/// All iterations, if there is one. Returns the results of the loop.
SmallVector<Value> LoopRotator::emitAll(OpBuilder &b, ValueRange inits) {
  Value end = arith::SubIOp::create(b, loop.getLoc(), loop.getUpperBound(),
                                    loop.getStep());
  Value lastIteration = getLast(b);
  IRMapping first, last;
  for (Part part : {Part::Scores, Part::Weights})
    emitEarly(b, loop.getLowerBound(), inits, first, part);
  SmallVector<Value> starts;
  for (auto [value, init] : llvm::zip_equal(loop.getYieldedValues(), inits))
    starts.push_back(isLate(value) ? init : first.lookupOrDefault(value));
  for (Value value : carried)
    starts.push_back(first.lookup(value));
  scf::ForOp rotated = emitLoop(b, end, starts);
  size_t count = loop.getNumResults();
  ValueRange own = rotated.getResults().take_front(count);
  emitLate(b, lastIteration, own, rotated.getResults().drop_front(count), last);
  SmallVector<Value> results(own);
  for (auto [value, result] : llvm::zip_equal(loop.getYieldedValues(), results))
    if (isLate(value))
      result = last.lookup(value);
  return results;
}

void LoopRotator::run() {
  OpBuilder b(loop);
  Location loc = loop.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value exists =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                            loop.getLowerBound(), loop.getUpperBound());
  Value count = arith::SelectOp::create(b, loc, exists, one, zero);
  auto once = scf::ForOp::create(
      b, loc, zero, count, one, loop.getInitArgs(),
      [&](OpBuilder &inside, Location, Value, ValueRange arguments) {
        scf::YieldOp::create(inside, loc, emitAll(inside, arguments));
      });
  once->setAttr(tile::kOnceAttr, b.getUnitAttr());
  loop.replaceAllUsesWith(once.getResults());
  loop.erase();
}

namespace {
struct GpuOverlapProducts
    : attn::impl::GpuOverlapProductsBase<GpuOverlapProducts> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      if (kernel->removeAttr(tile::kOverlapAttr) && failed(rotate(kernel)))
        return signalPassFailure();
  }

private:
  static LogicalResult rotate(gpu::GPUFuncOp kernel) {
    SmallVector<scf::ForOp> loops;
    kernel.walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops) {
      LoopRotator rotator(loop);
      if (!rotator.hasTwoProducts())
        continue;
      if (failed(rotator.analyze()))
        return failure();
      rotator.run();
    }
    return success();
  }
};
} // namespace
