//===- SumColumns.cpp - Sums as columns of products -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/SumColumns.h"
#include "codegen/nvidia/MatrixFactors.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

/// Columns of a right operand that instructions read at a time.
static constexpr int64_t kWide = 16;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static RankedTensorType widened(Value tile) {
  return tileOf(tile).clone({tileOf(tile).getDimSize(0), kWide});
}

static bool hasOneColumn(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && type.getDimSize(1) == 1;
}

static bool isZero(Value tile) { return matchPattern(tile, m_AnyZeroFloat()); }
static bool isOne(Value tile) { return matchPattern(tile, m_OneFloat()); }

bool SumColumns::add(tile::DotOp dot) { return take(dot.getResult()); }

bool SumColumns::take(Value tile) {
  if (isZero(tile) || !tiles.insert(tile))
    return true;
  return takeSources(tile) && takeUses(tile);
}

/// What a loop carries in the place of `tile`.
bool SumColumns::takeCarried(Value tile) {
  auto argument = dyn_cast<BlockArgument>(tile);
  auto loop = dyn_cast_or_null<scf::ForOp>(
      argument ? argument.getOwner()->getParentOp() : tile.getDefiningOp());
  if (!loop)
    return false;
  unsigned number = argument
                        ? argument.getArgNumber() - loop.getNumInductionVars()
                        : cast<OpResult>(tile).getResultNumber();
  Value yielded = loop.getYieldedValues()[number];
  return take(loop.getInitArgs()[number]) &&
         take(loop.getRegionIterArgs()[number]) && !isZero(yielded) &&
         take(yielded) && take(loop.getResult(number));
}

bool SumColumns::takeSources(Value tile) {
  if (auto dot = tile.getDefiningOp<tile::DotOp>())
    return !dot.getTransposeRhs() && take(dot.getInit()) &&
           (dot.getTransposeLhs() ? isOne(dot.getRhs()) : take(dot.getRhs()));
  if (tile.getDefiningOp<arith::MulFOp>()) {
    SmallVector<Value> scales;
    Value rest = splitScales(tile, scales);
    return !scales.empty() && rest.getDefiningOp() != tile.getDefiningOp() &&
           take(rest);
  }
  return tile.getDefiningOp<tile::LoadOp>() || takeCarried(tile);
}

bool SumColumns::takeUses(Value tile) {
  return llvm::all_of(tile.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto dot = dyn_cast<tile::DotOp>(user))
      return use.getOperandNumber() != 0 && take(dot.getResult());
    if (isa<arith::MulFOp>(user))
      return take(user->getResult(0));
    if (auto loop = dyn_cast<scf::ForOp>(user))
      return take(loop.getTiedLoopRegionIterArg(&use));
    if (isa<scf::YieldOp>(user)) {
      auto loop = dyn_cast<scf::ForOp>(user->getParentOp());
      return loop && take(loop.getResult(use.getOperandNumber()));
    }
    auto reduce = dyn_cast<tile::ReduceOp>(user);
    return isa<tile::StoreOp>(user) ||
           (reduce && reduce.getKind() == tile::ReduceKind::Add &&
            reduce.getAlong() == 1);
  });
}

/// The sum of the columns of `tile` as columns of `type`.
static Value sumColumns(ImplicitLocOpBuilder &b, Value tile,
                        RankedTensorType type) {
  RankedTensorType vector = type.clone(type.getShape().drop_back());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vector));
  Value sums = tile::ReduceOp::create(b, vector, tile::ReduceKind::Add, tile,
                                      zero, /*along=*/1);
  return tile::BroadcastOp::create(b, type, sums, /*along=*/1);
}

static Value makeParts(ImplicitLocOpBuilder &b, RankedTensorType type) {
  Attribute part = b.getFloatAttr(type.getElementType(), 1.0 / kWide);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, part));
}

/// Sixteenths in the place of ones, exact in 16 bits.
static Value makeOnes(ImplicitLocOpBuilder &b, RankedTensorType type,
                      Type element) {
  return arith::ExtFOp::create(b, type, makeParts(b, type.clone(element)));
}

/// Gives a tile that is loaded more columns behind the load.
static void widenLoad(tile::LoadOp load) {
  ImplicitLocOpBuilder b(load.getLoc(), load);
  b.setInsertionPointAfter(load);
  Value tile = load.getResult();
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : tile.getUses())
    uses.push_back(&use);
  RankedTensorType type = widened(tile);
  Value wide =
      arith::MulFOp::create(b, sumColumns(b, tile, type), makeParts(b, type));
  for (OpOperand *use : uses)
    use->set(wide);
}

/// Stores the sum of the columns.
static void narrowStore(tile::StoreOp store) {
  ImplicitLocOpBuilder b(store.getLoc(), store);
  RankedTensorType type = tileOf(store.getValue());
  store.getValueMutable().assign(
      sumColumns(b, store.getValue(), type.clone({type.getDimSize(0), 1})));
}

/// Whether `use` of a tile of one column becomes one of a sum.
bool SumColumns::isOfSum(OpOperand &use) {
  auto loop = dyn_cast<scf::ForOp>(use.getOwner());
  return hasOneColumn(use.get()) &&
         (!loop || tiles.contains(loop.getTiedLoopRegionIterArg(&use)));
}

/// Constants and factors among the operands of `op`, which other ops may use.
void SumColumns::widenOperands(Operation *op, Type element) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  for (OpOperand &use : op->getOpOperands()) {
    if (!isOfSum(use))
      continue;
    RankedTensorType type = widened(use.get());
    if (isZero(use.get()))
      use.set(arith::ConstantOp::create(b, b.getZeroAttr(type)));
    else
      use.set(isa<tile::DotOp>(op) ? makeOnes(b, type, element)
                                   : makeUniform(b, type, use.get()));
  }
}

void SumColumns::widen(Type element) {
  SmallVector<tile::LoadOp> loads;
  llvm::SmallSetVector<Operation *, 8> ops;
  SmallVector<tile::StoreOp> stores;
  for (Value tile : tiles) {
    for (Operation *user : tile.getUsers())
      if (auto store = dyn_cast<tile::StoreOp>(user))
        stores.push_back(store);
    if (auto load = tile.getDefiningOp<tile::LoadOp>()) {
      loads.push_back(load);
      continue;
    }
    tile.setType(widened(tile));
    if (Operation *op = tile.getDefiningOp())
      ops.insert(op);
  }
  llvm::for_each(loads, widenLoad);
  for (Operation *op : ops)
    widenOperands(op, element);
  llvm::for_each(stores, narrowStore);
}
