//===- ShareColumns.cpp - What is read along columns is shared ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows are dealt out over the threads of all warps, so an op that combines the
// rows of a column needs what others own: its operand goes to shared memory,
// behind its definition, once for all ops that read it.
//
// A reduction of columns that are all the same, those of a vector that was
// broadcast, is one of a row: the vector is spread along the columns of a tile
// with a row for each element of the result. Its elements change their threads
// by way of shared memory too.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"
#include "mlir/IR/Matchers.h"

namespace attn {
#define GEN_PASS_DEF_GPUSHARECOLUMNS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether `use` is an operand that lies in shared memory.
static bool readsColumns(OpOperand &use) {
  auto reduce = dyn_cast<tile::ReduceOp>(use.getOwner());
  return isa<tile::ScanOp, tile::DecayDotOp>(use.getOwner()) ||
         (reduce && reduce.getAlong() == 0 && use.getOperandNumber() == 0);
}

namespace {
/// Converts tiles to shared memory, each once.
class Sharer {
public:
  /// Replaces the operand by a tile in shared memory.
  void share(OpOperand &operand) { operand.set(getShared(operand.get())); }
  Value getShared(Value value);
  /// Loads `value` to shared memory, if it is loaded; what does not read its
  /// columns reads it back.
  void loadDirectly(Value value);

private:
  llvm::DenseMap<Value, Value> known;
};
} // namespace

Value Sharer::getShared(Value value) {
  if (getSharedLayout(value))
    return value;
  Value &shared = known[value];
  if (shared)
    return shared;
  OpBuilder b(value.getContext());
  b.setInsertionPointAfterValue(value);
  RankedTensorType type = getColumnsType(tileOf(value));
  shared = tile::ConvertLayoutOp::create(b, value.getLoc(), type, value);
  return shared;
}

void Sharer::loadDirectly(Value value) {
  RankedTensorType own = tileOf(value);
  if (getSharedLayout(value) || !value.getDefiningOp<tile::LoadOp>())
    return;
  if (Value shared = known.lookup(value)) {
    shared.replaceAllUsesWith(value);
    shared.getDefiningOp()->erase();
    known.erase(value);
  }
  for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
    if (readsColumns(use))
      continue;
    OpBuilder b(use.getOwner());
    use.set(tile::ConvertLayoutOp::create(b, value.getLoc(), own, value));
  }
  value.setType(getColumnsType(own));
}

/// Reduces rows of a tile, each of them `vector`, in the place of columns of
/// one that has it in every column.
static void turn(tile::ReduceOp reduce, tile::BroadcastOp broadcast,
                 Sharer &sharer) {
  ImplicitLocOpBuilder b(reduce.getLoc(), reduce);
  RankedTensorType type = tileOf(broadcast);
  Value vector = broadcast.getVector();
  Value turned = tile::ConvertLayoutOp::create(b, vector.getType(),
                                               sharer.getShared(vector));
  auto rows = RankedTensorType::get({type.getDimSize(1), type.getDimSize(0)},
                                    type.getElementType());
  Value spread = tile::BroadcastOp::create(b, rows, turned, /*along=*/0);
  auto result = cast<tile::ReduceOp>(b.clone(*reduce));
  result.getValueMutable().assign(spread);
  result.setAlong(1);
  reduce.replaceAllUsesWith(result.getResult());
  reduce.erase();
}

static void share(tile::ReduceOp reduce, Sharer &sharer) {
  if (reduce.getAlong() != 0)
    return;
  auto broadcast = reduce.getValue().getDefiningOp<tile::BroadcastOp>();
  if (broadcast && broadcast.getAlong() == 1)
    turn(reduce, broadcast, sharer);
  else
    sharer.share(reduce.getValueMutable());
}

/// Rows of one number that is the same everywhere need no memory, and those of
/// 16 bits are operands of products, too.
static void share(tile::DecayDotOp dot, Sharer &sharer) {
  for (OpOperand *operand :
       {&dot.getLhsMutable(), &dot.getRhsMutable(), &dot.getDecayMutable()})
    if (!isSameEverywhere(*operand) &&
        tileOf(operand->get()).getElementTypeBitWidth() > 16)
      sharer.share(*operand);
}

/// Rows from which on a scan is left to one thread per column, in kernels of
/// matrix instructions.
static constexpr int64_t kLongScan = 64;

/// The rows of a scan. A long one leaves its result in shared memory, too.
static void share(tile::ScanOp scan, bool isForMatrices, Sharer &sharer) {
  RankedTensorType type = tileOf(scan);
  bool isLong =
      isForMatrices && type.getRank() == 2 && type.getDimSize(0) >= kLongScan;
  if (isLong)
    sharer.loadDirectly(scan.getValue());
  sharer.share(scan.getValueMutable());
  if (!isLong)
    return;
  OpBuilder b(scan.getContext());
  b.setInsertionPointAfter(scan);
  scan.getResult().setType(getColumnsType(type));
  auto own = tile::ConvertLayoutOp::create(b, scan.getLoc(), type, scan);
  scan.getResult().replaceAllUsesExcept(own, own);
}

static void shareColumns(gpu::GPUFuncOp kernel) {
  SmallVector<Operation *> ops;
  bool isForMatrices = false;
  kernel.walk([&](Operation *op) {
    ops.push_back(op);
    auto dot = dyn_cast<tile::DotOp>(op);
    isForMatrices |= dot && isNarrow(dot);
  });
  Sharer sharer;
  for (Operation *op : ops) {
    if (auto reduce = dyn_cast<tile::ReduceOp>(op))
      share(reduce, sharer);
    else if (auto dot = dyn_cast<tile::DecayDotOp>(op))
      share(dot, sharer);
    else if (auto scan = dyn_cast<tile::ScanOp>(op))
      share(scan, isForMatrices, sharer);
  }
}

namespace {
struct GpuShareColumns : attn::impl::GpuShareColumnsBase<GpuShareColumns> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      shareColumns(kernel);
  }
};
} // namespace
