//===- BlockRegisters.cpp - Tile programs as loops over vectors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lowers the body of each scf.forall. It is cut into segments, runs of tile ops
// between loops; a segment is executed in three steps:
//
//   1. rows:   operands of products that are loaded (and mapped) row by row are
//              packed: right operands as rows, left ones transposed into strips
//   2. strips: products, what follows from them, and reductions (StripLowering)
//   3. stores: row by row, skipping rows outside of the view
//
// BlockRecurrence.cpp and StateSweep.cpp tell what blocks of recurrences do.
//
// Tiles carried by a loop live in buffers that the loop updates in place.
// docs/rationale/cpu.md tells why lanes run along queries.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BlockRegisters.h"
#include "codegen/cpu/BlockLowering.h"
#include "codegen/cpu/LiveRows.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/SingleBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace attn {
#define GEN_PASS_DEF_BLOCKREGISTERS
#include "codegen/cpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

int64_t attn::getLanes(scf::ForallOp forall, int64_t bits) {
  unsigned width = 32;
  forall.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type)))
        width = std::max(width, element.getWidth());
  });
  return std::max<int64_t>(1, bits / width);
}

LogicalResult BlockLowering::run() {
  auto to = scf::ForallOp::create(
      b, from.getMixedLowerBound(), from.getMixedUpperBound(),
      from.getMixedStep(), ValueRange(), from.getMapping());
  scalars.map(from.getInductionVars(), to.getInductionVars());
  entry = to.getBody();
  b.setInsertionPoint(to.getTerminator());
  recurs = isRecurrence();
  sweeps = recurs && sweepsState();
  folds = !recurs && foldsRows();
  byRows = sweeps || folds || (!recurs && hasFewRows());
  if (failed(lowerBody(*from.getBody(), {})))
    return failure();
  from.erase();
  return success();
}

/// A write to a view, if the place is inside of it.
void BlockLowering::writeScalar(tile::WriteOp op) {
  SmallVector<Value> indices;
  for (Value index : op.getIndices())
    indices.push_back(scalars.lookupOrDefault(index));
  Value view = scalars.lookupOrDefault(op.getView());
  Value scalar = scalars.lookupOrDefault(op.getScalar());
  Value exists = vectors.inside(view, indices.size() - 1, indices.back());
  exists = arith::AndIOp::create(b, vectors.rowInside(view, indices), exists);
  scf::IfOp::create(b, exists, [&](OpBuilder &inner, Location loc) {
    memref::StoreOp::create(inner, loc, scalar, view, indices);
    scf::YieldOp::create(inner, loc);
  });
}

void BlockLowering::cloneScalar(Operation *op) {
  if (auto write = dyn_cast<tile::WriteOp>(op))
    return writeScalar(write);
  auto gather = dyn_cast<tile::GatherOp>(op);
  if (!gather) {
    b.clone(*op, scalars);
    return;
  }
  SmallVector<Value> indices;
  for (Value index : gather.getIndices())
    indices.push_back(scalars.lookupOrDefault(index));
  Value view = scalars.lookupOrDefault(gather.getView());
  scalars.map(gather.getResult(),
              vectors.gather(view, indices, /*vectors=*/false));
}

LogicalResult BlockLowering::lowerBody(Block &block,
                                       ArrayRef<Materialized> yields) {
  Segment segment;
  for (Operation &op : block.without_terminator()) {
    b.setLoc(op.getLoc());
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      if (&block == from.getBody())
        findLiveStrips();
      if (failed(lowerSegment(segment, {})) || failed(lowerLoop(loop)))
        return failure();
      segment.clear();
    } else if (touchesTiles(&op)) {
      segment.insert(&op);
    } else {
      cloneScalar(&op);
    }
  }
  return lowerSegment(segment, yields);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// Whether lanes of `tile` run along its rows: it follows from a product with
/// keys or of tokens, or a loop carries it. Products of rows with a matrix are
/// rows, and so is all of what sweeps over a state.
bool BlockLowering::isPair(Value tile) {
  if (sweeps)
    return false;
  if (auto it = pairs.find(tile); it != pairs.end())
    return it->second;
  Operation *op = tile.getDefiningOp();
  auto dot = dyn_cast_or_null<tile::DotOp>(op);
  bool result = !op || isa<scf::ForOp, tile::DecayDotOp>(op) ||
                (dot && (dot.getTransposeRhs() || dot.getTransposeLhs())) ||
                llvm::any_of(op->getOperands(), [&](Value operand) {
                  return tileOf(operand) && isPair(operand);
                });
  return pairs[tile] = result;
}

Value BlockLowering::allocate(ArrayRef<int64_t> shape, Type element) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(entry);
  return memref::AllocaOp::create(b, MemRefType::get(shape, element),
                                  b.getI64IntegerAttr(64));
}

/// Rows that are computed together.
int64_t BlockLowering::stripWidth(int64_t rows) const {
  int64_t lanes = vectors.getLanes();
  return byRows ? 1 : StripLowering::stripRegisters(rows, lanes, unit) * lanes;
}

/// Whether all products have no more rows than a register has lanes: most of
/// the lanes along the rows would be idle where there are few queries.
bool BlockLowering::hasFewRows() {
  bool any = false;
  WalkResult result = from.walk([&](Operation *op) {
    auto dot = dyn_cast<tile::DotOp>(op);
    if (!dot || !isPair(dot.getResult()))
      return WalkResult::advance();
    any = true;
    return tileOf(dot.getResult()).getDimSize(0) <= vectors.getLanes()
               ? WalkResult::advance()
               : WalkResult::interrupt();
  });
  return any && !result.wasInterrupted();
}

/// Whether loops carry tiles that no product is a part of: lanes along their
/// rows would have to be made from what is loaded.
bool BlockLowering::foldsRows() {
  bool folds = false;
  WalkResult result = from.walk([&](Operation *op) {
    if (isa<tile::DotOp, tile::DecayDotOp>(op) && isPair(op->getResult(0)))
      return WalkResult::interrupt();
    for (Value carried : op->getResults())
      folds |= isa<scf::ForOp>(op) && tileOf(carried) &&
               tileOf(carried).getRank() == 2;
    return WalkResult::advance();
  });
  return folds && !result.wasInterrupted();
}

/// The buffers among which that of `tile`, which products compute, belongs.
DenseMap<Value, Value> &BlockLowering::buffersFor(Value tile) {
  if (tileOf(tile).getRank() == 1)
    return buffers.columns;
  return byRows ? buffers.rows : buffers.strips;
}

/// A buffer for a tile in strips or rows, or for a column.
Value BlockLowering::allocateFor(Value tile) {
  auto type = tileOf(tile);
  int64_t rows = type.getDimSize(0), lanes = vectors.getLanes();
  if (type.getRank() == 1)
    return allocate({rows}, type.getElementType());
  int64_t cols = type.getDimSize(1), width = stripWidth(rows);
  if (byRows)
    return allocate({rows, getRowPitch(cols, lanes)}, type.getElementType());
  return allocate({rows / width, cols, width}, type.getElementType());
}

/// The buffer that a loop updates, holding `init`. That of an earlier loop is
/// taken over if nobody else reads it.
FailureOr<Value> BlockLowering::carried(Value init, scf::ForOp loop) {
  auto type = tileOf(init);
  if (!type)
    return loop.emitOpError(
               "the CPU back end supports loops that carry tiles, got ")
           << init.getType();
  auto &kind = buffersFor(init);
  if (init.hasOneUse() && init.getDefiningOp<scf::ForOp>() &&
      kind.contains(init))
    return kind.lookup(init);
  Operation *op = init.getDefiningOp();
  if (recurs && !sweeps && op && !isPair(init) && type.getRank() == 2 &&
      !isa<arith::ConstantOp, tile::SplatOp>(op)) {
    // A state that is given comes as rows.
    LogicalResult packed = packStrips(init);
    Value strips = kind.lookup(init);
    kind.erase(init);
    return failed(packed) ? FailureOr<Value>() : strips;
  }
  Value buffer = allocateFor(init);
  if (failed(compute({{init, buffer}}, Segment())))
    return failure();
  return buffer;
}

/// A loop that carries numbers, of which lists are made.
LogicalResult BlockLowering::lowerScalarLoop(scf::ForOp loop) {
  auto bound = [&](Value value) { return scalars.lookupOrDefault(value); };
  SmallVector<Value> init(llvm::map_range(loop.getInitArgs(), bound));
  auto to = scf::ForOp::create(b, bound(loop.getLowerBound()),
                               bound(loop.getUpperBound()),
                               bound(loop.getStep()), init);
  scalars.map(loop.getInductionVar(), to.getInductionVar());
  scalars.map(loop.getRegionIterArgs(), to.getRegionIterArgs());
  scalars.map(loop.getResults(), to.getResults());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(to.getBody());
  if (failed(lowerBody(*loop.getBody(), {})))
    return failure();
  SmallVector<Value> yielded(llvm::map_range(loop.getYieldedValues(), bound));
  scf::YieldOp::create(b, yielded);
  return success();
}

LogicalResult BlockLowering::lowerLoop(scf::ForOp loop) {
  if (loop.getNumResults() && !tileOf(loop.getResult(0)))
    return lowerScalarLoop(loop);
  SmallVector<Materialized> yields;
  for (auto [init, argument, result, yielded] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(),
                 loop.getResults(), loop.getYieldedValues())) {
    FailureOr<Value> buffer = carried(init, loop);
    if (failed(buffer))
      return failure();
    buffersFor(init)[argument] = *buffer;
    buffersFor(init)[result] = *buffer;
    yields.push_back({yielded, *buffer});
  }
  auto bound = [&](Value value) { return scalars.lookupOrDefault(value); };
  auto to =
      scf::ForOp::create(b, bound(loop.getLowerBound()),
                         bound(loop.getUpperBound()), bound(loop.getStep()));
  scalars.map(loop.getInductionVar(), to.getInductionVar());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(to.getBody()->getTerminator());
  return lowerBody(*loop.getBody(), yields);
}

//===----------------------------------------------------------------------===//
// Step 1: rows
//===----------------------------------------------------------------------===//

/// Blocks reach beyond the last query; strips that lie wholly beyond are left
/// out. Not where a right operand, of which all rows count, has as many rows:
/// it could be computed from strips that were left out.
void BlockLowering::findLiveStrips() {
  if (live || recurs)
    return;
  int64_t rows = 0;
  from.walk(
      [&](tile::StoreOp op) { rows = tileOf(op.getValue()).getDimSize(0); });
  WalkResult mixes = from.walk([&](tile::DotOp op) {
    bool mixes =
        isPair(op.getResult()) && tileOf(op.getRhs()).getDimSize(0) == rows;
    return mixes ? WalkResult::interrupt() : WalkResult::advance();
  });
  int64_t lanes = vectors.getLanes();
  if (rows == 0 || rows % lanes || mixes.wasInterrupted())
    return;
  liveOf = rows;
  live = countLiveStrips(b, vectors, getRowStores(from, rows), scalars, rows,
                         stripWidth(rows));
}

/// Where rows of a tile end that are computed: with the last live strip.
Value BlockLowering::endOfRows(int64_t rows) {
  Value strips = liveStrips(rows);
  if (!strips)
    return vectors.index(rows);
  return arith::MulIOp::create(b, strips, vectors.index(stripWidth(rows)));
}

/// Calls `body` with the first row of each group of lanes among `rows` rows.
LogicalResult
BlockLowering::forEachGroup(int64_t rows,
                            llvm::function_ref<LogicalResult(Value)> body) {
  auto loop = scf::ForOp::create(b, vectors.index(0), endOfRows(rows),
                                 vectors.index(vectors.getLanes()));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  return body(loop.getInductionVar());
}

LogicalResult
BlockLowering::forEachRow(Value end,
                          llvm::function_ref<LogicalResult(Value)> body) {
  auto loop = scf::ForOp::create(b, vectors.index(0), end, vectors.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  return body(loop.getInductionVar());
}

//===----------------------------------------------------------------------===//
// Step 2: strips
//===----------------------------------------------------------------------===//

void BlockLowering::want(Value tile, SmallVector<Materialized> &wanted) {
  if (buffers.hasAny(tile) || llvm::any_of(wanted, [&](const Materialized &m) {
        return m.tile == tile;
      }))
    return;
  wanted.push_back({tile, allocateFor(tile)});
}

/// Whether strips can compute a column of a recurrence, of which some follow
/// from rows that are loaded.
bool BlockLowering::isOfStrips(Value tile) const {
  Operation *op = tile.getDefiningOp();
  if (!op || buffers.strips.contains(tile) || buffers.columns.contains(tile) ||
      isa<tile::DotOp, tile::DecayDotOp>(op))
    return true;
  if (tileOf(tile).getRank() == 2 &&
      isa<tile::LoadOp, tile::SliceOp, tile::ConcatOp, tile::ScanOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return !tileOf(operand) || isOfStrips(operand);
  });
}

/// What rows to be stored are computed from: products, and values of rows,
/// which strips compute for many rows at once.
void BlockLowering::wantLeaves(Value tile, const Segment &segment,
                               SmallVector<Materialized> &wanted) {
  Operation *op = tile.getDefiningOp();
  if (!op || !segment.contains(op) || buffers.hasAny(tile) || !isPair(tile))
    return;
  if (isa<tile::DotOp, tile::DecayDotOp>(op) ||
      (tileOf(tile).getRank() == 1 && (!recurs || isOfStrips(tile))))
    return want(tile, wanted);
  for (Value operand : op->getOperands())
    if (tileOf(operand))
      wantLeaves(operand, segment, wanted);
}

/// Values that a later segment reads.
void BlockLowering::wantEscaping(const Segment &segment,
                                 SmallVector<Materialized> &wanted) {
  for (Operation *op : segment)
    for (Value result : op->getResults())
      for (Operation *user : result.getUsers())
        if (isPair(result) && !segment.contains(user) &&
            !isa<scf::YieldOp>(user))
          want(result, wanted);
}

//===----------------------------------------------------------------------===//
// Step 3: stores
//===----------------------------------------------------------------------===//

LogicalResult BlockLowering::storeRow(tile::StoreOp op, RowEvaluator &rows) {
  auto type = tileOf(op.getValue());
  Value view = scalars.lookupOrDefault(op.getView());
  auto viewType = cast<MemRefType>(view.getType());
  auto found = rows.rowOffsets(op.getOffsets(), op.getRows(), type.getRank());
  if (failed(found))
    return failure();
  SmallVector<Value> offsets = std::move(*found);
  Value inside = vectors.rowInside(view, offsets);
  if (type.getRank() == 1)
    inside = arith::AndIOp::create(
        b, inside, vectors.inside(view, offsets.size() - 1, offsets.back()));
  auto exists = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(exists.thenBlock()->getTerminator());
  if (type.getRank() == 1) {
    FailureOr<Value> value = rows.scalar(op.getValue());
    if (failed(value))
      return failure();
    memref::StoreOp::create(b, *value, view, offsets);
    return success();
  }
  Value start = offsets.back();
  bool isWhole = getConstantIntValue(start) == 0 &&
                 viewType.getShape().back() == type.getDimSize(1) &&
                 type.getDimSize(1) % vectors.getLanes() == 0;
  return rows.forEachVector(
      op.getValue(), [&](Value value, int64_t left, Value col) {
        offsets.back() = vectors.add(start, col);
        vectors.storeRow(value, view, offsets,
                         isWhole ? std::nullopt : std::optional(left));
      });
}

LogicalResult BlockLowering::storeRows(ArrayRef<tile::StoreOp> stores,
                                       int64_t rows) {
  for (tile::StoreOp op : stores)
    if (failed(unpackStrips(op.getValue())))
      return failure();
  return forEachRow(endOfRows(rows), [&](Value row) -> LogicalResult {
    for (tile::StoreOp op : stores) {
      // A store of its own may be skipped, so it evaluates all it needs.
      RowEvaluator evaluator(b, vectors, unit, buffers, scalars, row);
      if (failed(storeRow(op, evaluator)))
        return failure();
    }
    return success();
  });
}

/// Computes tiles of a segment into their buffers.
LogicalResult BlockLowering::compute(ArrayRef<Materialized> wanted,
                                     const Segment &segment) {
  int64_t rows = tileOf(wanted.front().tile).getDimSize(0);
  if (byRows)
    return computeRows(wanted, rows);
  StripLowering strips(b, vectors, unit, buffers, scalars, segment);
  return strips.run(wanted, rows, liveStrips(rows));
}

/// The same, row by row. A row is evaluated before any of it is written:
/// results may replace what they are computed from.
LogicalResult BlockLowering::computeRows(ArrayRef<Materialized> wanted,
                                         int64_t rows) {
  int64_t lanes = vectors.getLanes();
  return forEachRow(endOfRows(rows), [&](Value row) -> LogicalResult {
    RowEvaluator evaluator(b, vectors, unit, buffers, scalars, row);
    SmallVector<std::pair<Value, Value>> elements, parts;
    for (auto [tile, buffer] : wanted) {
      auto type = tileOf(tile);
      if (type.getRank() == 1) {
        FailureOr<Value> element = evaluator.scalar(tile);
        if (failed(element))
          return failure();
        elements.push_back({*element, buffer});
        continue;
      }
      for (int64_t col = 0; col < type.getDimSize(1); col += lanes) {
        FailureOr<Value> part = evaluator.vector(tile, col);
        if (failed(part))
          return failure();
        parts.push_back({*part, vectors.index(col)});
      }
    }
    for (auto [element, buffer] : elements)
      memref::StoreOp::create(b, element, buffer, ValueRange{row});
    auto *part = parts.begin();
    for (auto [tile, buffer] : wanted)
      if (tileOf(tile).getRank() == 2)
        for (int64_t col = 0; col < tileOf(tile).getDimSize(1);
             col += lanes, ++part)
          vector::StoreOp::create(b, part->first, buffer,
                                  ValueRange{row, part->second});
    return success();
  });
}

/// Computes what is wanted of a segment, and remembers where it lies.
LogicalResult BlockLowering::computeStrips(ArrayRef<Materialized> wanted,
                                           const Segment &segment) {
  int64_t rows = tileOf(wanted.front().tile).getDimSize(0);
  if (rows % vectors.getLanes())
    return emitError(b.getLoc(),
                     "blocks of the CPU back end must have a multiple of ")
           << vectors.getLanes() << " query rows, got " << rows;
  if (failed(compute(wanted, segment)))
    return failure();
  for (const Materialized &result : wanted)
    if (result.tile.getDefiningOp() &&
        segment.contains(result.tile.getDefiningOp()))
      buffersFor(result.tile)[result.tile] = result.buffer;
  return success();
}

LogicalResult BlockLowering::lowerSegment(const Segment &segment,
                                          ArrayRef<Materialized> yields) {
  if (sweeps)
    return lowerSweep(segment, yields);
  if (recurs)
    return lowerRecurrence(segment, yields);
  if (failed(packOperands(segment)))
    return failure();

  SmallVector<Materialized> wanted(yields);
  std::map<int64_t, SmallVector<tile::StoreOp>> stores;
  for (Operation *op : segment)
    if (auto store = dyn_cast<tile::StoreOp>(op)) {
      wantLeaves(store.getValue(), segment, wanted);
      stores[tileOf(store.getValue()).getDimSize(0)].push_back(store);
    }
  wantEscaping(segment, wanted);
  auto storeAll = [&]() -> LogicalResult {
    for (auto &[rows, ops] : stores)
      if (failed(storeRows(ops, rows)))
        return failure();
    return success();
  };
  // Rows are evaluated from what lies in memory, and what a loop carries is
  // replaced there: what is stored of it comes first.
  if (folds && failed(storeAll()))
    return failure();
  if (!wanted.empty() && failed(computeStrips(wanted, segment)))
    return failure();
  return folds ? success() : storeAll();
}

namespace {
struct BlockRegisters : attn::impl::BlockRegistersBase<BlockRegisters> {
  using BlockRegistersBase::BlockRegistersBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    wrapSingleBlocks(getOperation());
    VectorUnit unit{vectorBits, vectorRegisters, fma};
    SmallVector<scf::ForallOp> blocks;
    getOperation().walk([&](scf::ForallOp op) { blocks.push_back(op); });
    for (scf::ForallOp op : blocks) {
      if (holdsTiles(op) && failed(BlockLowering(op, unit).run()))
        return signalPassFailure();
    }
  }
};
} // namespace

std::unique_ptr<Pass> attn::createBlockRegistersPass(int64_t vectorBits,
                                                     int64_t vectorRegisters,
                                                     bool hasFma) {
  return createBlockRegisters({vectorBits, vectorRegisters, hasFma});
}

int64_t attn::getStripRows(int64_t vectorBits, int64_t vectorRegisters) {
  return StripLowering::usualRegisters(vectorRegisters) * (vectorBits / 32);
}
