//===- MapBlocks.cpp - Independent blocks to kernels ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The blocks of a forall are numbered in row-major order, and the number is the
// index of the thread block along x. That is the one dimension of a grid that
// may have 2^31 - 1 blocks, and consecutive numbers are consecutive blocks of
// queries, which read the same keys at about the same time. Where later blocks
// have longer loops the last one comes first: the short ones are left for the
// end, when some multiprocessors would be idle.
//
// Blocks of arithmetic on scalars that are marked so, or that count in memory,
// which one thread must do alone, get a thread each. A loop of one or no
// iteration stands for the branch around those of the last thread block that
// are left over.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Passes.h"
#include "dialect/ScalarBlocks.h"
#include "dialect/TileDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace attn {
#define GEN_PASS_DEF_GPUMAPBLOCKS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Makes kernels of the foralls of one module.
class Outliner {
public:
  Outliner(gpu::GPUModuleOp kernels, int64_t threads)
      : kernels(kernels), threads(threads) {}

  void outline(scf::ForallOp forall, StringRef name);

private:
  int64_t getThreads(scf::ForallOp forall) const;
  Value enterThread(OpBuilder &b, scf::ForallOp forall,
                    const IRMapping &mapping) const;
  gpu::GPUFuncOp createKernel(scf::ForallOp forall, StringRef name,
                              ArrayRef<Value> captures);
  void launch(scf::ForallOp forall, gpu::GPUFuncOp kernel,
              ArrayRef<Value> captures);

  gpu::GPUModuleOp kernels;
  int64_t threads;
};
} // namespace

/// What the blocks take from their surroundings: trip counts first, constants
/// not at all.
static SmallVector<Value> getCaptures(scf::ForallOp forall) {
  llvm::SetVector<Value> captures;
  for (OpFoldResult count : forall.getMixedUpperBound())
    if (auto value = dyn_cast<Value>(count);
        value && !matchPattern(value, m_Constant()))
      captures.insert(value);
  visitUsedValuesDefinedAbove(forall.getRegion(), [&](OpOperand *operand) {
    if (!matchPattern(operand->get(), m_Constant()))
      captures.insert(operand->get());
  });
  return captures.takeVector();
}

/// Why `forall` cannot become a kernel, if so.
static LogicalResult checkShape(scf::ForallOp forall) {
  if (!forall.isNormalized())
    return forall.emitError("blocks must be counted from 0 in steps of 1");
  if (!forall->getParentOfType<func::FuncOp>())
    return forall.emitError("blocks must be in a 'func.func'");
  if (forall.getNumResults())
    return forall.emitError("blocks must store their results, not yield them");
  return success();
}

/// Copies constants of the surroundings into the kernel and returns what stands
/// for a trip count there.
static Value getCount(OpBuilder &b, Location loc, OpFoldResult count,
                      const IRMapping &mapping) {
  if (std::optional<int64_t> constant = getConstantIntValue(count))
    return arith::ConstantIndexOp::create(b, loc, *constant);
  return mapping.lookup(cast<Value>(count));
}

/// Whether `value` is computed from `source` in the block of both.
static bool dependsOn(Value value, Value source) {
  SmallVector<Value> open{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (next == source)
      return true;
    Operation *op = next.getDefiningOp();
    if (op && op->getBlock() == source.getParentBlock() &&
        seen.insert(op).second)
      llvm::append_range(open, op->getOperands());
  }
  return false;
}

/// Whether later blocks of queries have longer loops, those of a causal mask
/// say: loops begin where they do for all blocks, and one ends where it does
/// because of the block. What begins late as well is as long for all.
static bool isLongerLater(scf::ForallOp forall) {
  Value block = forall.getInductionVars().back();
  bool endsLater = false, beginsLater = false, isFirst = true;
  for (auto loop : forall.getBody()->getOps<scf::ForOp>()) {
    beginsLater |= isFirst && dependsOn(loop.getLowerBound(), block);
    endsLater |= dependsOn(loop.getUpperBound(), block);
    isFirst = false;
  }
  return endsLater && !beginsLater;
}

/// Whether each thread does a block: those are marked, or write single elements
/// of a view that they read as well, and compute with scalars alone.
static bool isScalar(scf::ForallOp forall) {
  llvm::SmallPtrSet<Value, 4> read, written;
  bool hasTiles = false;
  forall.getBody()->walk([&](Operation *op) {
    if (auto gather = dyn_cast<tile::GatherOp>(op))
      read.insert(gather.getView());
    if (auto write = dyn_cast<tile::WriteOp>(op))
      written.insert(write.getView());
    hasTiles |= llvm::any_of(
        llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()),
                                 SmallVector<Type>(op->getResultTypes())),
        llvm::IsaPred<RankedTensorType>);
  });
  auto isRead = [&](Value view) { return read.contains(view); };
  return !hasTiles && (forall->hasAttr(tile::kScalarBlocksAttr) ||
                       llvm::any_of(written, isRead));
}

/// From the number of a block to its index in each dimension of the forall.
static void mapIndices(OpBuilder &b, scf::ForallOp forall, Value number,
                       IRMapping &mapping) {
  Location loc = forall.getLoc();
  Value rest = number;
  SmallVector<OpFoldResult> counts = forall.getMixedUpperBound();
  for (size_t dim = counts.size(); dim-- > 0;) {
    Value index = rest;
    if (dim > 0) {
      Value count = getCount(b, loc, counts[dim], mapping);
      index = arith::RemUIOp::create(b, loc, rest, count);
      rest = arith::DivUIOp::create(b, loc, rest, count);
      if (dim + 1 == counts.size() && isLongerLater(forall)) {
        Value one = arith::ConstantIndexOp::create(b, loc, 1);
        Value last = arith::SubIOp::create(b, loc, count, one);
        index = arith::SubIOp::create(b, loc, last, index);
      }
    }
    mapping.map(forall.getInductionVar(dim), index);
  }
}

/// Says which parameters are buffers that the function around the kernels
/// allocates: these start at multiples of what a thread stores at once.
static void markAligned(gpu::GPUFuncOp kernel, ArrayRef<Value> captures) {
  constexpr int64_t bytes = 16;
  Builder b(kernel.getContext());
  for (auto [number, value] : llvm::enumerate(captures))
    if (value.getDefiningOp<memref::AllocOp>())
      kernel.setArgAttr(number, kAlignmentAttr, b.getI64IntegerAttr(bytes));
}

/// Threads of a block: as many as the schedule asks for.
int64_t Outliner::getThreads(scf::ForallOp forall) const {
  constexpr int64_t lanes = 32;
  auto warps = forall->getAttrOfType<IntegerAttr>(tile::kWarpsAttr);
  return warps ? lanes * warps.getInt() : threads;
}

/// The number of the block that the thread does. `b` builds from now on what
/// threads with a block do.
Value Outliner::enterThread(OpBuilder &b, scf::ForallOp forall,
                            const IRMapping &mapping) const {
  ImplicitLocOpBuilder inner(forall.getLoc(), b);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(inner, value);
  };
  Value blocks = index(1);
  for (OpFoldResult count : forall.getMixedUpperBound())
    blocks = arith::MulIOp::create(
        inner, blocks, getCount(inner, inner.getLoc(), count, mapping));
  Value first = arith::MulIOp::create(
      inner, gpu::BlockIdOp::create(inner, gpu::Dimension::x),
      index(getThreads(forall)));
  Value number = arith::AddIOp::create(
      inner, first, gpu::ThreadIdOp::create(inner, gpu::Dimension::x));
  Value exists =
      arith::CmpIOp::create(inner, arith::CmpIPredicate::slt, number, blocks);
  Value times = arith::SelectOp::create(inner, exists, index(1), index(0));
  auto once = scf::ForOp::create(inner, index(0), times, index(1));
  b.setInsertionPointToStart(once.getBody());
  return number;
}

gpu::GPUFuncOp Outliner::createKernel(scf::ForallOp forall, StringRef name,
                                      ArrayRef<Value> captures) {
  Location loc = forall.getLoc();
  OpBuilder b = OpBuilder::atBlockEnd(kernels.getBody());
  SmallVector<Type> types(ValueRange(captures).getTypes());
  auto kernel =
      gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({static_cast<int32_t>(getThreads(forall)), 1, 1}));
  for (StringRef name :
       {tile::kStagesAttr, tile::kOverlapAttr, tile::kResidentAttr})
    if (Attribute value = forall->getAttr(name))
      kernel->setAttr(name, value);
  markAligned(kernel, captures);
  IRMapping mapping;
  mapping.map(captures, kernel.getArguments());
  b.setInsertionPointToStart(&kernel.getBody().front());
  visitUsedValuesDefinedAbove(forall.getRegion(), [&](OpOperand *operand) {
    if (!mapping.contains(operand->get()))
      b.clone(*operand->get().getDefiningOp(), mapping);
  });
  Value number = isScalar(forall)
                     ? enterThread(b, forall, mapping)
                     : gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
  mapIndices(b, forall, number, mapping);
  for (Operation &op : forall.getBody()->without_terminator())
    b.clone(op, mapping);
  b.setInsertionPointToEnd(&kernel.getBody().front());
  gpu::ReturnOp::create(b, loc);
  if (isScalar(forall))
    kernel->setAttr(kBlockPerThreadAttr, b.getUnitAttr());
  return kernel;
}

void Outliner::launch(scf::ForallOp forall, gpu::GPUFuncOp kernel,
                      ArrayRef<Value> captures) {
  ImplicitLocOpBuilder b(forall.getLoc(), forall);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value one = index(1), blocks = one;
  for (OpFoldResult count : forall.getMixedUpperBound())
    blocks = arith::MulIOp::create(
        b, blocks, getValueOrCreateConstantIndexOp(b, b.getLoc(), count));
  if (isScalar(forall))
    blocks = arith::CeilDivSIOp::create(b, blocks, index(getThreads(forall)));
  gpu::LaunchFuncOp::create(
      b, kernel, gpu::KernelDim3{blocks, one, one},
      gpu::KernelDim3{index(getThreads(forall)), one, one},
      /*dynamicSharedMemorySize=*/Value(), captures);
}

void Outliner::outline(scf::ForallOp forall, StringRef name) {
  SmallVector<Value> captures = getCaptures(forall);
  gpu::GPUFuncOp kernel = createKernel(forall, name, captures);
  launch(forall, kernel, captures);
  forall.erase();
}

//===----------------------------------------------------------------------===//
// Blocks without a loop
//===----------------------------------------------------------------------===//

/// Whether `op` computes with tiles.
static bool touchesTiles(Operation *op) {
  auto isTile = [](Type type) { return isa<RankedTensorType>(type); };
  return isa<tile::TileDialect>(op->getDialect()) ||
         (llvm::any_of(op->getResultTypes(), isTile) &&
          !op->hasTrait<OpTrait::ConstantLike>()) ||
         llvm::any_of(op->getOperandTypes(), isTile);
}

/// Whether `value` follows from numbers that a kernel reads, which a host does
/// not look at.
static bool followsFromTiles(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (isa<tile::TileDialect>(op->getDialect()) ||
                llvm::any_of(op->getOperands(), followsFromTiles));
}

/// Whether `op` is a loop around ops that touch tiles that carries values, as
/// loops of the host do not.
static bool carriesTiles(Operation *op) {
  if (!isa<scf::ForOp>(op) || !op->getNumResults())
    return false;
  return op
      ->walk([&](Operation *inner) {
        return touchesTiles(inner) ? WalkResult::interrupt()
                                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether `op` belongs into a kernel.
static bool isOfKernel(Operation *op) {
  return touchesTiles(op) || carriesTiles(op) ||
         llvm::any_of(op->getOperands(), followsFromTiles);
}

/// Puts the ops from `first` to `last` of one block into a loop over one block.
/// What does not depend on tiles stays in front of it, as others may use it.
static void wrap(Operation *first, Operation *last) {
  OpBuilder b(first);
  auto forall = scf::ForallOp::create(b, first->getLoc(),
                                      ArrayRef<OpFoldResult>{b.getIndexAttr(1)},
                                      ValueRange(), std::nullopt);
  Operation *end = last->getNextNode();
  auto isInside = [&](Value value) {
    return forall->isAncestor(value.getParentBlock()->getParentOp());
  };
  for (Operation *op = first; op != end;) {
    Operation *next = op->getNextNode();
    bool staysOut = isPure(op) && !op->getNumRegions() && !isOfKernel(op) &&
                    llvm::none_of(op->getOperands(), isInside);
    if (staysOut)
      op->moveBefore(forall);
    else
      op->moveBefore(forall.getBody()->getTerminator());
    op = next;
  }
}

/// A loop over a single block may have been folded away. Puts it back around
/// every run of ops that compute with tiles in the host function.
static void wrapSingleBlocks(func::FuncOp function) {
  function.walk([&](Block *block) {
    if (block->getParentOp()->getParentOfType<scf::ForallOp>() ||
        isa<scf::ForallOp>(block->getParentOp()))
      return;
    bool isHost = true;
    for (Operation *op = block->getParentOp(); op; op = op->getParentOp())
      isHost &= !isOfKernel(op);
    Operation *first = nullptr, *last = nullptr;
    SmallVector<std::pair<Operation *, Operation *>> runs;
    auto close = [&] {
      if (first)
        runs.push_back({first, last});
      first = last = nullptr;
    };
    for (Operation &op : *block) {
      if (isa<scf::ForallOp, memref::AllocOp, memref::DeallocOp>(op) ||
          op.hasTrait<OpTrait::IsTerminator>()) {
        close();
      } else if (isOfKernel(&op)) {
        first = first ? first : &op;
        last = &op;
      }
    }
    close();
    if (isHost)
      for (auto [from, to] : runs)
        wrap(from, to);
  });
}

namespace {
struct GpuMapBlocks : attn::impl::GpuMapBlocksBase<GpuMapBlocks> {
  using GpuMapBlocksBase::GpuMapBlocksBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto function : module.getOps<func::FuncOp>())
      wrapSingleBlocks(function);
    SmallVector<scf::ForallOp> blocks;
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto forall = dyn_cast<scf::ForallOp>(op))
        blocks.push_back(forall);
      // Nested ones belong to their block, those of kernels to these.
      return isa<scf::ForallOp, gpu::GPUModuleOp>(op) ? WalkResult::skip()
                                                      : WalkResult::advance();
    });
    if (blocks.empty())
      return;
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    auto kernels = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                    b.getUnitAttr());
    Outliner outliner(kernels, threads);
    llvm::StringMap<int> counts;
    for (scf::ForallOp forall : blocks) {
      if (failed(checkShape(forall)))
        return signalPassFailure();
      StringRef function = forall->getParentOfType<func::FuncOp>().getName();
      std::string name = (function + "_" + Twine(counts[function]++)).str();
      outliner.outline(forall, name);
    }
  }
};
} // namespace
