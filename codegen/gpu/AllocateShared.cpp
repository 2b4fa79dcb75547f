//===- AllocateShared.cpp - Places for tiles in shared memory -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops are numbered in the order of the text. A tile lives from its definition
// to its last use; if that is in a loop that the definition is not in, to the
// end of the loop. A tile that a loop carries has one place: what the loop
// yields is put where it was at the start. If all tiles side by side fit into
// the budget, they get a place of their own, which saves barriers; else tiles
// that never live together share memory: first fit, in the order of
// definitions.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"

namespace attn {
#define GEN_PASS_DEF_GPUALLOCATESHARED
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// A tile in shared memory and when it lives.
struct Interval {
  Value tile;
  int64_t first, last;
  int64_t bytes, offset = 0;

  bool meets(const Interval &other) const {
    return first <= other.last && other.first <= last;
  }
};

/// Positions of ops in the text of a kernel.
class Positions {
public:
  explicit Positions(gpu::GPUFuncOp kernel) {
    kernel.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { starts[op] = next++; });
    kernel.walk([&](Operation *op) {
      int64_t end = starts[op];
      for (Region &region : op->getRegions())
        for (Operation &inner : region.getOps())
          end = std::max(end, ends[&inner]);
      ends[op] = end;
    });
  }

  Interval getInterval(Value tile) const {
    Operation *definition = tile.getDefiningOp();
    Interval result{tile, starts.lookup(definition), starts.lookup(definition),
                    getSharedBytes(cast<RankedTensorType>(tile.getType()))};
    extend(result, tile);
    return result;
  }

private:
  /// Makes `interval` last until all uses of `value`, under other names too.
  void extend(Interval &interval, Value value) const {
    Block *block = interval.tile.getDefiningOp()->getBlock();
    for (OpOperand &use : value.getUses()) {
      Operation *here = block->findAncestorOpInBlock(*use.getOwner());
      interval.last = std::max(interval.last, ends.lookup(here));
      if (auto await = dyn_cast<tile::AwaitOp>(use.getOwner()))
        extend(interval, await);
      else if (auto load = dyn_cast<tile::LoadOp>(use.getOwner()))
        extend(interval, load);
      else if (auto loop = dyn_cast<scf::ForOp>(use.getOwner()))
        extend(interval, loop.getTiedLoopResult(&use));
    }
  }

  int64_t next = 0;
  DenseMap<Operation *, int64_t> starts, ends;
};
} // namespace

/// Places all tiles one behind the other; returns the bytes.
static int64_t placeApart(MutableArrayRef<Interval> tiles) {
  int64_t next = 0;
  for (Interval &tile : tiles) {
    tile.offset = next;
    next += tile.bytes;
  }
  return next;
}

/// Places each tile at the lowest offset that no tile has that lives with it.
static int64_t placeFirstFit(MutableArrayRef<Interval> tiles) {
  int64_t total = 0;
  for (size_t number = 0; number < tiles.size(); ++number) {
    Interval &tile = tiles[number];
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (const Interval &other : tiles.take_front(number))
      if (tile.meets(other))
        taken.push_back({other.offset, other.offset + other.bytes});
    llvm::sort(taken);
    tile.offset = 0;
    for (auto [begin, end] : taken)
      if (tile.offset + tile.bytes > begin)
        tile.offset = std::max(tile.offset, end);
    total = std::max(total, tile.offset + tile.bytes);
  }
  return total;
}

namespace {
struct GpuAllocateShared
    : attn::impl::GpuAllocateSharedBase<GpuAllocateShared> {
  using GpuAllocateSharedBase::GpuAllocateSharedBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      if (failed(allocate(kernel)))
        return signalPassFailure();
  }

private:
  LogicalResult allocate(gpu::GPUFuncOp kernel);
};
} // namespace

LogicalResult GpuAllocateShared::allocate(gpu::GPUFuncOp kernel) {
  if (failed(checkParameters(kernel)))
    return failure();
  Positions positions(kernel);
  SmallVector<Interval> tiles;
  SmallVector<Operation *> carried;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value result : op->getResults()) {
      if (!hasOwnPlace(result))
        continue;
      if (getCarriedSource(result))
        carried.push_back(op);
      else
        tiles.push_back(positions.getInterval(result));
    }
  });
  int64_t bytes = placeApart(tiles);
  if (bytes > budget)
    bytes = placeFirstFit(tiles);
  if (bytes > limit)
    return kernel.emitError("kernel '")
           << kernel.getName() << "' needs " << bytes
           << " bytes of shared memory per block, at most " << limit.getValue()
           << " are available on this device; choose smaller blocks";
  Builder b(&getContext());
  for (const Interval &tile : tiles)
    tile.tile.getDefiningOp()->setAttr(kSharedOffsetAttr,
                                       b.getI64IntegerAttr(tile.offset));
  for (Operation *op : carried)
    op->setAttr(kSharedOffsetAttr, b.getI64IntegerAttr(getSharedOffset(
                                       getCarriedSource(op->getResult(0)))));
  kernel->setAttr(kSharedBytesAttr, b.getI64IntegerAttr(bytes));
  return success();
}
