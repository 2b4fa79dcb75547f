//===- InsertBarriers.cpp - Order the accesses to shared memory -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A walk in the order of execution keeps the accesses that no barrier has
// closed yet. An access that meets one of them in memory, where one of both
// writes, gets a barrier in front of it.
//
// A warp is enough where both only touch rows of their own warp and the tile is
// the same: a conversion writes the rows that a thread owns, and a product
// reads as many of its left operand, if that is not transposed. A body of a
// loop is walked twice, so that the end of an iteration meets the start of the
// next, if there is a next one.
//
// In kernels that update a state, tiles that are stored one after the other,
// the terms of a sum, get a barrier in front of the first where any of them
// needs one: the sum does not stay in registers while threads wait.
//
// A view of global memory that a kernel writes and reads again is ordered in
// the same way: its rows may come back to other threads.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"

namespace attn {
#define GEN_PASS_DEF_GPUINSERTBARRIERS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Some bytes of shared memory that an op touches, or a view.
struct Access {
  Value tile;         ///< Or the view.
  int64_t begin, end; ///< Bytes of shared memory.
  bool writes;
  bool ownRows;            ///< Only rows of the thread's own warp.
  bool warpWaited = false; ///< A barrier of the warp came after it.
};

/// What an access needs in front of it.
enum class Need { Nothing, Warp, Block };

class BarrierInserter {
public:
  explicit BarrierInserter(gpu::GPUFuncOp kernel);
  LogicalResult walk(Block &block);

private:
  void visit(Operation *op);
  void pass(tile::Scope scope);
  Need getNeed(const Access &access) const;
  bool meetsRun(ArrayRef<Access> accesses) const;
  void noteRun(Operation *op, ArrayRef<Access> accesses);

  SmallVector<Access> open;
  bool keepsRuns = false;
  /// Tiles that are stored one after the other, and what these touch, which are
  /// the last of `open`.
  SmallVector<Operation *> run;
  SmallVector<Access> runAccesses;
};
} // namespace

static Access getAccess(Value tile, bool writes, bool ownRows) {
  int64_t begin = getSharedOffset(tile);
  // Of a tile of a ring, those of the ring.
  Value place = getSharedSource(tile);
  int64_t bytes = getSharedBytes(cast<RankedTensorType>(place.getType()));
  return {tile, begin, begin + bytes, writes, ownRows};
}

/// What an op reads or writes a tile of a view of, as a whole.
static Access getAccess(Value view, bool writes) {
  return {getBase(view), 0, 0, writes, /*ownRows=*/false};
}

/// Whether a warp reads rows of the left operand of a product that are its own:
/// those of matrix instructions that have none read another's.
static bool readsOwnRows(tile::DotOp dot) {
  if (dot.getTransposeLhs())
    return false;
  if (!isNarrow(dot))
    return true;
  constexpr int64_t band = 16, lanes = 32;
  auto size = dot->getParentOfType<gpu::GPUFuncOp>().getKnownBlockSize();
  int64_t rows = cast<RankedTensorType>(dot.getLhs().getType()).getDimSize(0);
  return size && rows % ((*size)[0] / lanes * band) == 0;
}

/// What `op` touches.
static SmallVector<Access> getAccesses(Operation *op) {
  SmallVector<Access> accesses;
  if (auto load = dyn_cast<tile::LoadOp>(op))
    accesses.push_back(getAccess(load.getView(), false));
  if (auto store = dyn_cast<tile::StoreOp>(op))
    accesses.push_back(getAccess(store.getView(), true));
  auto dot = dyn_cast<tile::DotOp>(op);
  // What waits for a tile, or carries it, does not touch it.
  bool isOtherName =
      isa<tile::AwaitOp, tile::LoadOp, scf::ForOp, scf::YieldOp>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (!isOtherName && getSharedLayout(operand.get())) {
      bool ownRows =
          dot && operand.getOperandNumber() == 0 && readsOwnRows(dot);
      accesses.push_back(getAccess(operand.get(), false, ownRows));
    }
  for (Value result : op->getResults())
    if (getSharedLayout(result))
      accesses.push_back(
          getAccess(result, true, isa<tile::ConvertLayoutOp>(op)));
  return accesses;
}

/// Whether two accesses must keep their order. Stores to a view never meet: the
/// elements of a tile have one place each, and a thread keeps its own order.
static bool meet(const Access &a, const Access &b) {
  if (isa<MemRefType>(a.tile.getType()))
    return a.tile == b.tile && a.writes != b.writes;
  bool overlap = a.begin < b.end && b.begin < a.end;
  return overlap && (a.writes || b.writes);
}

Need BarrierInserter::getNeed(const Access &access) const {
  Need need = Need::Nothing;
  for (const Access &earlier : open) {
    if (!meet(access, earlier))
      continue;
    bool inWarp =
        access.ownRows && earlier.ownRows && access.tile == earlier.tile;
    if (!inWarp)
      return Need::Block;
    if (!earlier.warpWaited)
      need = Need::Warp;
  }
  return need;
}

BarrierInserter::BarrierInserter(gpu::GPUFuncOp kernel) {
  kernel.walk([&](tile::DotOp dot) {
    keepsRuns |= isNarrow(dot) && dot.getTransposeLhs();
  });
}

bool BarrierInserter::meetsRun(ArrayRef<Access> accesses) const {
  return llvm::any_of(accesses, [&](const Access &access) {
    return llvm::any_of(runAccesses, [&](const Access &earlier) {
      return meet(access, earlier);
    });
  });
}

/// Takes note of what `op` is to tiles that are stored one after the other.
void BarrierInserter::noteRun(Operation *op, ArrayRef<Access> accesses) {
  if (accesses.empty() && OpTrait::hasElementwiseMappableTraits(op))
    return;
  auto convert = dyn_cast<tile::ConvertLayoutOp>(op);
  bool isStored = keepsRuns && convert && getSharedLayout(convert) &&
                  !getSharedLayout(convert.getValue());
  if (!isStored) {
    run.clear();
    runAccesses.clear();
    return;
  }
  run.push_back(op);
  llvm::append_range(runAccesses, accesses);
}

/// Takes note of a barrier.
void BarrierInserter::pass(tile::Scope scope) {
  if (scope == tile::Scope::Block)
    open.clear();
  for (Access &access : open)
    access.warpWaited = true;
}

void BarrierInserter::visit(Operation *op) {
  SmallVector<Access> accesses = getAccesses(op);
  // What was copied is written here at the latest. The thread waits for itself:
  // the copy had to be in order with the accesses of others when it began.
  if (isa<tile::AwaitOp>(op)) {
    llvm::append_range(open, accesses);
    return;
  }
  Need need = Need::Nothing;
  for (const Access &access : accesses)
    need = std::max(need, getNeed(access));
  if (need != Need::Nothing) {
    auto scope = need == Need::Warp ? tile::Scope::Warp : tile::Scope::Block;
    bool isOfRun = scope == tile::Scope::Block && !run.empty() &&
                   isa<tile::ConvertLayoutOp>(op) &&
                   getSharedLayout(op->getResult(0)) && !meetsRun(accesses);
    OpBuilder b(isOfRun ? run.front() : op);
    tile::BarrierOp::create(b, op->getLoc(), scope);
    pass(scope);
    if (isOfRun)
      llvm::append_range(open, runAccesses);
  }
  noteRun(op, accesses);
  // A tile of a ring is written where it is waited for: meanwhile, others are
  // read.
  if (auto load = dyn_cast<tile::LoadOp>(op); load && load.getStage())
    accesses.pop_back();
  llvm::append_range(open, accesses);
}

LogicalResult BarrierInserter::walk(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (auto barrier = dyn_cast<tile::BarrierOp>(op)) {
      pass(barrier.getScope());
      run.clear();
      runAccesses.clear();
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      run.clear();
      runAccesses.clear();
      SmallVector<Access> before = open;
      bool isOnce = loop->hasAttr(tile::kOnceAttr);
      if (failed(walk(*loop.getBody())) ||
          (!isOnce && failed(walk(*loop.getBody()))))
        return failure();
      llvm::append_range(open, before); // The loop may run not at all.
    } else if (op.getNumRegions()) {
      return op.emitError("not expected in a kernel: '") << op.getName() << "'";
    } else {
      visit(&op);
    }
  }
  return success();
}

namespace {
struct GpuInsertBarriers
    : attn::impl::GpuInsertBarriersBase<GpuInsertBarriers> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      if (failed(checkPlaces(kernel)) ||
          failed(BarrierInserter(kernel).walk(kernel.getBody().front())))
        return signalPassFailure();
  }
};
} // namespace
