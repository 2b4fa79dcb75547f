//===- Distribute.cpp - Tiles to the code of one thread -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pass and what concerns control flow; see Distributor.h for the idea.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"
#include "codegen/gpu/RowIndices.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_GPUDISTRIBUTE
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static bool isTile(Value value) {
  return isa<RankedTensorType>(value.getType());
}

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether a tile that a loop carries is a factor of products of 16 bits: two
/// elements are one value then.
static bool isCarriedFactor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<tile::RegistersAttr>(type.getEncoding()) &&
         type.getElementTypeBitWidth() == 16;
}

Value Distributor::both(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return arith::AndIOp::create(b, x, y);
}

Value Distributor::isLess(Value x, Value y) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, x, y);
}

Value Distributor::zero(Type type) {
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}

/// Values with pieces in the place of tiles.
SmallVector<Value> Distributor::expand(ValueRange values) {
  Values result;
  for (Value value : values)
    if (getSharedLayout(value))
      continue; // Stays where it is.
    else if (isTile(value))
      llvm::append_range(result, isCarriedFactor(value) ? getPairs(value)
                                                        : pieces.lookup(value));
    else
      result.push_back(value);
  return result;
}

/// The converse of `expand`: pieces of the tiles among `values`; other values
/// are replaced.
void Distributor::takePieces(ValueRange values, ValueRange expanded) {
  for (Value value : values) {
    if (getSharedLayout(value))
      continue;
    size_t count =
        isTile(value) ? ThreadTiles::getShape(tileOf(value)).size() : 1;
    if (isCarriedFactor(value))
      setPairs(value, expanded.take_front(count /= 2));
    else if (isTile(value))
      pieces[value] = Values(expanded.take_front(count));
    else
      value.replaceAllUsesWith(expanded.front());
    expanded = expanded.drop_front(count);
  }
}

/// Refuses tiles of 16 bits that a loop carries, if there are no pairs of them.
LogicalResult Distributor::checkCarried(Operation *op, ValueRange values) {
  for (Value value : values)
    if (isCarriedFactor(value) && !hasPairs(value))
      return op->emitOpError("carries ")
             << value.getType()
             << ", expected elements of 32 bits, or a factor of products that "
                "is rounded in front of it";
  return success();
}

LogicalResult Distributor::lowerLoop(scf::ForOp loop) {
  if (llvm::none_of(loop.getInitArgs(), isTile))
    return lowerBlock(*loop.getBody());
  if (failed(checkCarried(loop, loop.getInitArgs())))
    return failure();
  auto expanded =
      scf::ForOp::create(b, loop.getLowerBound(), loop.getUpperBound(),
                         loop.getStep(), expand(loop.getInitArgs()));
  Block *body = expanded.getBody();
  // The terminator that came with an empty list of values.
  if (!body->empty())
    body->back().erase();
  loop.getInductionVar().replaceAllUsesWith(expanded.getInductionVar());
  takePieces(loop.getRegionIterArgs(), expanded.getRegionIterArgs());
  body->getOperations().splice(body->end(), loop.getBody()->getOperations());
  if (failed(lowerBlock(*body)))
    return failure();
  takePieces(loop.getResults(), expanded.getResults());
  lowered.push_back(loop);
  return success();
}

LogicalResult Distributor::lowerYield(scf::YieldOp op) {
  if (failed(checkCarried(op, op.getResults())))
    return failure();
  awaitCopies();
  scf::YieldOp::create(b, expand(op.getResults()));
  lowered.push_back(op);
  return success();
}

LogicalResult Distributor::lowerOp(Operation *op) {
  b.setInsertionPoint(op);
  b.setLoc(op->getLoc());
  bool isElementwise = OpTrait::hasElementwiseMappableTraits(op);
  // Loads compute the indices of their rows for themselves.
  bool takesTiles =
      llvm::any_of(op->getOperands(), isTile) && !isa<tile::LoadOp>(op);
  if ((takesTiles && !isElementwise) || op->getNumRegions())
    flush();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return lowerLoop(loop);
  if (auto yield = dyn_cast<scf::YieldOp>(op))
    return lowerYield(yield);
  // What a warp waits with is a matter of the target.
  if (auto barrier = dyn_cast<tile::BarrierOp>(op);
      barrier && barrier.getScope() == tile::Scope::Warp)
    return success();
  bool isOfTiles = isa<tile::TileDialect>(op->getDialect());
  if (!isOfTiles && !takesTiles && llvm::none_of(op->getResults(), isTile)) {
    if (op->getNumRegions())
      return op->emitError("not expected in a kernel: '")
             << op->getName() << "'";
    return success();
  }
  lowered.push_back(op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<arith::ConstantOp, tile::LoadOp, tile::StoreOp, tile::GatherOp,
            tile::WriteOp, tile::SplatOp, tile::IotaOp, tile::BroadcastOp,
            tile::DotOp, tile::DecayDotOp, tile::ReduceOp, tile::ScanOp,
            tile::SliceOp, tile::ConcatOp, tile::ConvertLayoutOp, tile::AwaitOp,
            tile::BarrierOp>([&](auto known) {
        lower(known);
        return success();
      })
      .Default([&](Operation *other) { return lowerElementwise(other); });
}

LogicalResult Distributor::lowerBlock(Block &block) {
  // Lowering puts ops in front of the op only.
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(lowerOp(&op)))
      return failure();
  return success();
}

LogicalResult Distributor::run() {
  if (hasState())
    sinkPositions();
  // The start of the kernel belongs to `threads`, which adds to it.
  SmallVector<Operation *> ops;
  for (Operation &op : kernel.getBody().front())
    ops.push_back(&op);
  for (Operation *op : ops)
    if (failed(lowerOp(op)))
      return failure();
  for (Operation *op : lowered)
    op->dropAllReferences();
  for (Operation *op : lowered)
    op->erase();
  return success();
}

/// Whether `op` is a conversion that threads can do: to or from shared memory,
/// or to one column at a time of tiles that all threads own as much of.
static bool isConvertible(tile::ConvertLayoutOp op) {
  if (getSharedLayout(op) || getSharedLayout(op.getValue()))
    return true;
  auto type = tileOf(op);
  auto from =
      dyn_cast<tile::RegistersAttr>(tileOf(op.getValue()).getEncoding());
  auto to = dyn_cast<tile::RegistersAttr>(type.getEncoding());
  if (!from || !to || from.getRows() != to.getRows() ||
      from.getColumns() != to.getColumns() ||
      std::min(from.getVector(), to.getVector()) != 1)
    return false;
  int64_t vector = std::max(from.getVector(), to.getVector());
  return from.getColumns() % vector == 0 &&
         type.getDimSize(1) % (from.getColumns() * vector) == 0;
}

/// Whether threads can compute the indices of the rows that `op` reads or
/// writes.
static LogicalResult checkRows(Operation *op) {
  auto load = dyn_cast<tile::LoadOp>(op);
  auto store = dyn_cast<tile::StoreOp>(op);
  ValueRange rows = load    ? ValueRange(load.getRows())
                    : store ? ValueRange(store.getRows())
                            : ValueRange();
  if (llvm::all_of(rows, isComputable))
    return success();
  return op->emitOpError("'rows' must be computed from positions, numbers and "
                         "elements of views by elementwise ops on GPUs");
}

/// Whether threads can multiply between blocks of rows: by matrix instructions,
/// with a band of rows for each warp.
static LogicalResult checkBlocks(tile::DotOp dot, int64_t threads) {
  constexpr int64_t band = 16, lanes = 32;
  std::optional<int64_t> block = dot.getBetween();
  auto type = cast<RankedTensorType>(dot.getType());
  if (!block ||
      (isNarrow(dot) && !isTf32(dot) && dot.getTransposeRhs() &&
       *block % band == 0 && type.getDimSize(0) == threads / lanes * band))
    return success();
  return dot.emitOpError("expected operands of 16 bits, 'transpose_rhs', ")
         << threads / lanes * band << " rows and 'between' a multiple of "
         << band << " on GPUs, got " << dot.getRhs().getType() << ", "
         << type.getDimSize(0) << " rows and " << *block;
}

/// Whether matrix instructions of tf32 can multiply the operands of `dot`,
/// where they are.
static LogicalResult checkTf32(tile::DotOp dot) {
  constexpr int64_t rows = 16, others = 8;
  if (!isTf32(dot))
    return success();
  auto type = cast<RankedTensorType>(dot.getType());
  if (dot.getTransposeLhs() || type.getDimSize(0) % rows ||
      type.getDimSize(1) % others || dot.getDepth() % others)
    return dot.emitOpError("with 'precision(tf32)' needs multiples of ")
           << rows << " rows and " << others
           << " columns and depth, and no 'transpose_lhs', on GPUs, got "
           << type << " and depth " << dot.getDepth()
           << "; run 'attn-nvidia-matrix-products' first";
  for (Value operand : {dot.getLhs(), dot.getRhs()}) {
    tile::SharedAttr layout = getSharedLayout(operand);
    if (layout && layout.getSwizzle())
      return dot.emitOpError("with 'precision(tf32)' reads tiles without "
                             "'swizzle', got ")
             << operand.getType();
  }
  return success();
}

/// Whether threads can scan rows: in registers a row knows those before it, but
/// not from which side.
static LogicalResult checkScan(tile::ScanOp scan) {
  if (!scan.getAcross() || getSharedLayout(scan))
    return success();
  return scan.emitOpError("with 'across' expected its result in shared memory "
                          "on GPUs, got ")
         << scan.getType();
}

/// Whether the operands of a product are where threads read them, and its
/// result is where matrix instructions leave it if these make it.
static LogicalResult checkOperands(tile::DotOp dot, int64_t threads) {
  constexpr int64_t columns = 4;
  const int64_t multiple = isTf32(dot) ? 8 : 16;
  auto type = tileOf(dot), lhs = tileOf(dot.getLhs());
  bool isShared =
      getSharedLayout(dot.getLhs()) && getSharedLayout(dot.getRhs());
  if (!isNarrow(dot)) {
    if (isShared && type.getElementType().isF32())
      return success();
    return dot.emitOpError("expected operands in shared memory and a result of "
                           "f32, got ")
           << lhs << " and " << dot.getRhs().getType() << " to " << type;
  }
  auto layout = tile::RegistersAttr::get(dot.getContext(), threads / columns,
                                         columns, /*vector=*/2,
                                         /*paired=*/true);
  auto isMultiple = [=](int64_t size) { return size % multiple == 0; };
  bool isHeld = lhs.getEncoding() == layout && !dot.getTransposeLhs();
  if (getSharedLayout(dot.getRhs()) && (isHeld || isShared) &&
      type.getEncoding() == layout && type.getElementType().isF32() &&
      lhs.getElementType() == tileOf(dot.getRhs()).getElementType() &&
      llvm::all_of(type.getShape(), isMultiple) && isMultiple(dot.getDepth()))
    return success();
  return dot.emitOpError(isTf32(dot) ? "of tf32" : "of 16 bits")
         << " expected sizes that are multiples of " << multiple
         << ", the right operand in shared memory, a result of f32 "
         << "and, unless it is shared too, the left operand in '" << layout
         << "', got " << lhs << " and " << dot.getRhs().getType() << " to "
         << type;
}

/// Whether all tiles have layouts that threads can work with.
static LogicalResult checkLayouts(gpu::GPUFuncOp kernel) {
  int64_t threads = (*kernel.getKnownBlockSize())[0];
  WalkResult result = kernel.walk([&](Operation *op) -> WalkResult {
    auto dot = dyn_cast<tile::DotOp>(op);
    auto scan = dyn_cast<tile::ScanOp>(op);
    if (failed(checkRows(op)) || (scan && failed(checkScan(scan))))
      return WalkResult::interrupt();
    for (Value value : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(value.getType());
      if (type && !type.getEncoding())
        return op->emitOpError("has a tile without layout, ")
               << type << "; run 'attn-gpu-assign-layouts' first";
    }
    if (dot && (failed(checkBlocks(dot, threads)) || failed(checkTf32(dot)) ||
                failed(checkOperands(dot, threads))))
      return WalkResult::interrupt();
    auto convert = dyn_cast<tile::ConvertLayoutOp>(op);
    if (convert && !isConvertible(convert))
      return op->emitOpError(
                 "expected to go to or from shared memory, or to or from "
                 "'vector = 1' of the same threads, got ")
             << convert.getValue().getType() << " to " << convert.getType();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

static LogicalResult distribute(gpu::GPUFuncOp kernel) {
  auto size = kernel.getKnownBlockSize();
  if (!size)
    return kernel.emitError("needs 'known_block_size'");
  if (failed(checkPlaces(kernel)) || failed(checkLayouts(kernel)))
    return failure();
  return Distributor(kernel, (*size)[0]).run();
}

namespace {
struct GpuDistribute : attn::impl::GpuDistributeBase<GpuDistribute> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      if (failed(distribute(kernel)))
        return signalPassFailure();
  }
};
} // namespace
