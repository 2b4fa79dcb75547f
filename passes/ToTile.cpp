//===- ToTile.cpp - Blocked attention as a tile program ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Builds, beside each function of attn ops, the same function over views, and
// erases the first. Walks the old body in order:
//
//   - index arithmetic and loops are cloned;
//   - attn.partial, attn.add_sink, attn.finish, attn.recur_chunk, attn.map_rows
//     and attn.reduce are expanded into tile ops;
//   - insertion of rows into a result becomes a store to its view; the part of
//     a result that a block fills in a loop is that view, from some offsets on.
//
// The mapping from old to new values sends a tensor to its view and a block of
// rows to a tile.
//
//===----------------------------------------------------------------------===//

#include "passes/BlockListTiles.h"
#include "passes/ListSortTiles.h"
#include "passes/PairwiseTiles.h"
#include "passes/RecurTiles.h"
#include "passes/ReduceTiles.h"
#include "passes/SegmentTiles.h"
#include "passes/TileRegions.h"
#include "passes/TileSignature.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_TOTILE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Where a block of rows is.
struct RowBlock {
  Value batch, head;
  SmallVector<Value> token; ///< That of its first row, one index per axis.

  SmallVector<Value> getOffsets() const {
    SmallVector<Value> offsets{batch, head};
    llvm::append_range(offsets, token);
    return offsets;
  }
};

/// Translates one function.
class Translator {
public:
  Translator(func::FuncOp from, bool countLists)
      : from(from), countLists(countLists),
        b(from.getLoc(), from.getContext()) {}

  LogicalResult run();

private:
  func::FuncOp declare();
  LogicalResult translate(Block &block);
  LogicalResult translate(Operation *op);
  // One kind of op each.
  LogicalResult translate(MapRowsOp op);
  LogicalResult translate(ReduceOp op);
  LogicalResult translate(MergeOp op);
  LogicalResult translate(BlockBoundsOp op);
  LogicalResult translate(BlockListOp op);
  LogicalResult translate(BlockOrderOp op);
  LogicalResult translate(TransposeListOp op);
  LogicalResult translate(SegmentBoundsOp op);
  LogicalResult translate(PartialOp op);
  LogicalResult translate(AddSinkOp op);
  LogicalResult translate(FinishOp op);
  LogicalResult translate(RecurChunkOp op);
  LogicalResult translate(LoadStateOp op);
  LogicalResult translate(MergeStateOp op);
  LogicalResult chooseNumbers(scf::IfOp op);
  LogicalResult translate(scf::IfOp op);
  LogicalResult translate(scf::ForallOp op);
  LogicalResult translate(scf::ForOp op);
  LogicalResult translate(tensor::DimOp op);
  LogicalResult translate(tensor::EmptyOp op);
  LogicalResult translate(tensor::ExtractOp op);
  LogicalResult translate(tensor::ExtractSliceOp op);
  LogicalResult translate(tensor::InsertSliceOp op);
  LogicalResult translate(tensor::ReshapeOp op);
  RowBlock enterRowBlocks(ArrayRef<Value> sizes, int64_t rows);
  Value sizeBefore(Value size);
  SmallVector<OpFoldResult> mapped(ArrayRef<OpFoldResult> sizes);
  SmallVector<Value> mappedValues(ArrayRef<OpFoldResult> offsets);
  void storeRows(tensor::ParallelInsertSliceOp insert);
  Value viewFor(Value tensor, ValueRange dynamicSizes);

  func::FuncOp from;
  bool countLists; ///< See the option of the pass.
  ImplicitLocOpBuilder b;
  IRMapping mapping;
  /// The view that each returned tensor is written to.
  DenseMap<Value, Value> destination;
  SmallVector<Value> buffers;
  /// Parts of results that blocks fill in loops.
  DenseMap<Value, ViewSlice> slices;
};
} // namespace

/// Creates the function over views; results become arguments at the end.
func::FuncOp Translator::declare() {
  SmallVector<Type> types;
  for (Type type :
       llvm::concat<const Type>(from.getArgumentTypes(), from.getResultTypes()))
    types.push_back(tile::getViewType(cast<RankedTensorType>(type)));
  b.setInsertionPoint(from);
  auto to =
      func::FuncOp::create(b, from.getName(), b.getFunctionType(types, {}));
  to->setDiscardableAttrs(from->getDiscardableAttrDictionary());
  to.setVisibility(from.getVisibility());
  unsigned count = from.getNumArguments();
  for (unsigned i = 0; i < count; ++i)
    to.setArgAttrs(i, from.getArgAttrDict(i));
  for (unsigned i = 0; i < from.getNumResults(); ++i) {
    NamedAttrList attributes(from.getResultAttrDict(i));
    attributes.set(kResultAttr, b.getUnitAttr());
    to.setArgAttrs(count + i, attributes);
  }
  Block *body = to.addEntryBlock();
  mapping.map(from.getArguments(), body->getArguments().take_front(count));
  Operation *terminator = from.getBody().front().getTerminator();
  for (auto [value, argument] : llvm::zip(
           terminator->getOperands(), body->getArguments().drop_front(count)))
    destination[value] = argument;
  b.setInsertionPointToEnd(body);
  return to;
}

LogicalResult Translator::run() {
  if (failed(checkTileSignature(from)))
    return failure();
  func::FuncOp to = declare();
  if (failed(translate(from.getBody().front()))) {
    to.erase();
    return failure();
  }
  for (Value buffer : buffers)
    memref::DeallocOp::create(b, buffer);
  func::ReturnOp::create(b);
  from.erase();
  return success();
}

/// Where the op that computes `tensor` writes it: a result, or a new buffer.
Value Translator::viewFor(Value tensor, ValueRange dynamicSizes) {
  if (Value result = destination.lookup(tensor))
    return result;
  auto type = cast<RankedTensorType>(tensor.getType());
  Value buffer = memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), dynamicSizes);
  buffers.push_back(buffer);
  return buffer;
}

LogicalResult Translator::translate(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(translate(&op)))
      return failure();
  return success();
}

LogicalResult Translator::translate(Operation *op) {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  b.setLoc(op->getLoc());
  // Lists of sizes and expanded shapes are read where they matter: by the op
  // that reshapes, and the one that inserts.
  if (isa<tensor::FromElementsOp, tensor::ExpandShapeOp>(op))
    return success();
  if (isa<arith::ArithDialect>(op->getDialect())) {
    b.clone(*op, mapping);
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<MapRowsOp, ReduceOp, MergeOp, BlockBoundsOp, BlockListOp,
            BlockOrderOp, TransposeListOp, SegmentBoundsOp, PartialOp,
            AddSinkOp, FinishOp, RecurChunkOp, LoadStateOp, MergeStateOp,
            scf::IfOp, scf::ForallOp, scf::ForOp, tensor::DimOp,
            tensor::EmptyOp, tensor::ExtractOp, tensor::ExtractSliceOp,
            tensor::InsertSliceOp, tensor::ReshapeOp>(
          [&](auto op) { return translate(op); })
      .Default([](Operation *op) {
        return op->emitOpError("cannot become part of a tile program; expected "
                               "attn ops and index arithmetic");
      });
}

LogicalResult Translator::translate(PartialOp op) {
  auto results = PairwiseTiles(b, mapping).partial(op);
  if (failed(results))
    return failure();
  mapping.map(op.getResults(), *results);
  return success();
}

LogicalResult Translator::translate(AddSinkOp op) {
  mapping.map(op.getState(), PairwiseTiles(b, mapping).addSink(op));
  return success();
}

LogicalResult Translator::translate(FinishOp op) {
  mapping.map(op.getResults(), PairwiseTiles(b, mapping).finish(op));
  return success();
}

LogicalResult Translator::translate(LoadStateOp op) {
  mapping.map(op.getState(), loadState(b, mapping, op));
  return success();
}

LogicalResult Translator::translate(MergeStateOp op) {
  mapping.map(op.getState(), mergeState(b, mapping, op));
  return success();
}

LogicalResult Translator::translate(tensor::DimOp op) {
  Value view = mapping.lookup(op.getSource());
  Value dim = mapping.lookupOrDefault(op.getIndex());
  mapping.map(op.getResult(), Value(memref::DimOp::create(b, view, dim)));
  return success();
}

/// A number of a list of blocks, of bounds or of offsets.
LogicalResult Translator::translate(tensor::ExtractOp op) {
  SmallVector<Value> indices;
  for (Value index : op.getIndices())
    indices.push_back(mapping.lookupOrDefault(index));
  Value view = mapping.lookup(op.getTensor());
  mapping.map(op.getResult(),
              Value(tile::GatherOp::create(b, op.getType(), view, indices)));
  return success();
}

/// Opens independent blocks of `rows` rows, along the last axis, of a tensor
/// whose sizes but the last are `sizes`, and builds inside of them from now on.
RowBlock Translator::enterRowBlocks(ArrayRef<Value> sizes, int64_t rows) {
  Value step = arith::ConstantIndexOp::create(b, rows);
  SmallVector<OpFoldResult> grid(sizes);
  grid.back() = Value(arith::CeilDivSIOp::create(b, sizes.back(), step));
  auto nest = scf::ForallOp::create(b, grid, ValueRange(), std::nullopt);
  b.setInsertionPoint(nest.getTerminator());
  SmallVector<Value> indices = nest.getInductionVars();
  indices.back() = arith::MulIOp::create(b, indices.back(), step);
  RowBlock block{indices[0], indices[1], {}};
  block.token.assign(indices.begin() + 2, indices.end());
  return block;
}

LogicalResult Translator::translate(MapRowsOp op) {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule)
    return op.emitOpError("has no schedule; run attn-select-schedule first");
  auto type = cast<RankedTensorType>(op.getInput().getType());
  Value input = mapping.lookup(op.getInput());
  SmallVector<Value> sizes, dynamic;
  for (int64_t dim = 0; dim < 2 + getNumAxes(op.getInput()); ++dim) {
    sizes.push_back(memref::DimOp::create(
        b, input, arith::ConstantIndexOp::create(b, dim)));
    if (cast<RankedTensorType>(op.getOutput().getType()).isDynamicDim(dim))
      dynamic.push_back(sizes.back());
  }
  Value output = viewFor(op.getOutput(), dynamic);
  mapping.map(op.getOutput(), output);

  int64_t rows = schedule.getBlockQ();
  RowBlock block = enterRowBlocks(sizes, rows);
  PairwiseTiles tiles(b, mapping);
  FailureOr<Value> mapped =
      tiles.loadRows(input, rows, type.getShape().back(), op.getRows(),
                     block.batch, block.head, block.head, {block.token});
  if (failed(mapped))
    return failure();
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  Value stored = tiles.convert(*mapped, outputType.getElementType());
  SmallVector<Value> offsets = block.getOffsets();
  offsets.push_back(arith::ConstantIndexOp::create(b, 0));
  tile::StoreOp::create(b, stored, output, offsets);
  return success();
}

LogicalResult Translator::translate(ReduceOp op) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  Value input = mapping.lookup(op.getInput());
  SmallVector<Value> dynamic;
  for (int64_t dim : {int64_t(0), op.getKeptDim()})
    if (type.isDynamicDim(dim ? 1 : 0))
      dynamic.push_back(memref::DimOp::create(
          b, input, arith::ConstantIndexOp::create(b, dim)));
  Value output = viewFor(op.getOutput(), dynamic);
  mapping.map(op.getOutput(), output);
  return ReduceTiles(b, mapping, op).run(output);
}

LogicalResult Translator::translate(MergeOp op) {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule)
    return op.emitOpError("has no schedule; run attn-select-schedule first");
  Value parts = mapping.lookup(op.getOutputs());
  SmallVector<Value> sizes;
  for (int64_t dim = 1; dim < 4; ++dim)
    sizes.push_back(memref::DimOp::create(
        b, parts, arith::ConstantIndexOp::create(b, dim)));
  for (Value result : op.getResults()) {
    SmallVector<Value> dynamic;
    for (auto [dim, size] : llvm::enumerate(sizes))
      if (cast<RankedTensorType>(result.getType()).isDynamicDim(dim))
        dynamic.push_back(size);
    mapping.map(result, viewFor(result, dynamic));
  }

  int64_t rows = schedule.getBlockQ();
  RowBlock block = enterRowBlocks(sizes, rows);
  SmallVector<Value> merged =
      PairwiseTiles(b, mapping)
          .merge(op, block.batch, block.head, block.token.front(), rows);
  SmallVector<Value> offsets = block.getOffsets();
  offsets.push_back(arith::ConstantIndexOp::create(b, 0));
  tile::StoreOp::create(b, merged[0], mapping.lookup(op.getOutput()), offsets);
  offsets.pop_back();
  if (op.getLse())
    tile::StoreOp::create(b, merged[1], mapping.lookup(op.getLse()), offsets);
  return success();
}

LogicalResult Translator::translate(BlockBoundsOp op) {
  SmallVector<Value> sizes = getBoundsSizes(b, mapping, op);
  for (Value result : op.getResults())
    mapping.map(result, viewFor(result, sizes));
  writeBlockBounds(b, mapping, op);
  return success();
}

LogicalResult Translator::translate(SegmentBoundsOp op) {
  SmallVector<Value> sizes;
  if (cast<RankedTensorType>(op.getNumber().getType()).isDynamicDim(0))
    sizes.push_back(mapping.lookupOrDefault(op.getTokens()));
  for (Value result : op.getResults())
    mapping.map(result, viewFor(result, sizes));
  writeSegmentBounds(b, mapping, op);
  return success();
}

/// Makes room for the list and for the counts that it is made from.
LogicalResult Translator::translate(BlockListOp op) {
  bool isCounted = countLists && !destination.contains(op.getBlocks());
  ListSizes sizes = getListSizes(b, mapping, op, isCounted);
  mapping.map(op.getOffsets(), viewFor(op.getOffsets(), sizes.offsets));
  auto type = cast<RankedTensorType>(op.getOffsets().getType());
  Value counts = memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), sizes.counts);
  buffers.push_back(counts);
  writeBlockList(b, mapping, op, counts, isCounted, [&](Value entries) {
    if (entries)
      sizes.blocks.back() = entries;
    Value view = viewFor(op.getBlocks(), sizes.blocks);
    mapping.map(op.getBlocks(), view);
    return view;
  });
  return success();
}

/// Makes room for the transpose and for what it is made with.
LogicalResult Translator::translate(TransposeListOp op) {
  TransposeSizes sizes = getTransposeSizes(b, mapping, op);
  mapping.map(op.getNewOffsets(), viewFor(op.getNewOffsets(), sizes.offsets));
  mapping.map(op.getNewBlocks(), viewFor(op.getNewBlocks(), sizes.blocks));
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(op.getNewOffsets().getType()).getShape());
  auto allocate = [&](ValueRange dynamic) {
    auto type = MemRefType::get(shape, b.getI32Type());
    buffers.push_back(memref::AllocOp::create(b, type, dynamic));
    return buffers.back();
  };
  Value sums = allocate(sizes.sums);
  shape.push_back(ShapedType::kDynamic);
  Value counts = allocate(sizes.counts);
  writeTranspose(b, mapping, op, counts, sums);
  return success();
}

/// Makes room for the order and for the costs that it is made from.
LogicalResult Translator::translate(BlockOrderOp op) {
  SmallVector<Value> sizes = getOrderSizes(b, mapping, op);
  mapping.map(op.getOrder(), viewFor(op.getOrder(), sizes));
  auto type = cast<RankedTensorType>(op.getOrder().getType());
  buffers.push_back(memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), sizes));
  writeBlockOrder(b, mapping, op, buffers.back());
  return success();
}

/// The size that `size`, which a branch computes from values before it, has.
Value Translator::sizeBefore(Value size) {
  if (Value known = mapping.lookupOrNull(size))
    return known;
  Operation *op = size.getDefiningOp();
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return memref::DimOp::create(b, mapping.lookup(dim.getSource()),
                                 sizeBefore(dim.getIndex()));
  return b.clone(*op)->getResult(0);
}

/// Numbers of both branches are computed, and one is chosen: what a program
/// reads outside of a view is zero.
LogicalResult Translator::chooseNumbers(scf::IfOp op) {
  for (Block *branch : {op.thenBlock(), op.elseBlock()})
    if (failed(translate(*branch)))
      return failure();
  for (auto [result, x, y] :
       llvm::zip_equal(op.getResults(), op.thenYield().getOperands(),
                       op.elseYield().getOperands()))
    mapping.map(result,
                arith::SelectOp::create(b, mapping.lookup(op.getCondition()),
                                        mapping.lookupOrDefault(x),
                                        mapping.lookupOrDefault(y))
                    .getResult());
  return success();
}

/// Both branches write to the views of the results.
LogicalResult Translator::translate(scf::IfOp op) {
  if (op.getNumResults() > 0 &&
      llvm::all_of(op.getResultTypes(), llvm::IsaPred<IndexType>))
    return chooseNumbers(op);
  SmallVector<Value> views;
  for (OpResult result : op.getResults()) {
    scf::ForallOp sized;
    for (Block *block : {op.thenBlock(), op.elseBlock()})
      if (auto nest = block->getTerminator()
                          ->getOperand(result.getResultNumber())
                          .getDefiningOp<scf::ForallOp>())
        sized = nest;
    if (!sized)
      return op.emitOpError("must yield the result of blocks in one branch");
    auto yielded =
        cast<OpResult>(sized->getBlock()->getTerminator()->getOperand(
            result.getResultNumber()));
    auto empty = sized.getOutputs()[yielded.getResultNumber()]
                     .getDefiningOp<tensor::EmptyOp>();
    if (!empty)
      return op.emitOpError("must yield blocks that start from tensor.empty");
    SmallVector<Value> sizes;
    for (Value size : empty.getDynamicSizes())
      sizes.push_back(sizeBefore(size));
    views.push_back(viewFor(result, sizes));
    mapping.map(result, views.back());
  }
  auto branch = scf::IfOp::create(b, mapping.lookup(op.getCondition()),
                                  /*withElseRegion=*/true);
  std::pair<Block *, Block *> blocks[] = {{op.thenBlock(), branch.thenBlock()},
                                          {op.elseBlock(), branch.elseBlock()}};
  for (auto [source, target] : blocks) {
    for (auto [value, view] :
         llvm::zip(source->getTerminator()->getOperands(), views))
      destination[value] = view;
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(target->getTerminator());
    unsigned before = buffers.size();
    if (failed(translate(*source)))
      return failure();
    // Buffers of a branch end with it.
    for (; buffers.size() > before; buffers.pop_back())
      memref::DeallocOp::create(b, buffers.back());
  }
  return success();
}

/// Another view of the same contiguous buffer.
LogicalResult Translator::translate(tensor::ReshapeOp op) {
  auto list = op.getShape().getDefiningOp<tensor::FromElementsOp>();
  Value source = mapping.lookup(op.getSource());
  if (!list || !cast<MemRefType>(source.getType()).getLayout().isIdentity())
    return op.emitOpError("must reshape a buffer by sizes that are listed");
  SmallVector<OpFoldResult> sizes, strides(list.getElements().size());
  Value stride = arith::ConstantIndexOp::create(b, 1);
  for (Value size : list.getElements())
    sizes.push_back(mapping.lookupOrDefault(size));
  for (int64_t dim = sizes.size() - 1; dim >= 0; --dim) {
    strides[dim] = stride;
    stride = arith::MulIOp::create(b, stride, cast<Value>(sizes[dim]));
  }
  strides.back() = b.getIndexAttr(1);
  auto type = cast<RankedTensorType>(op.getType());
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size))
      sizes[dim] = b.getIndexAttr(size);
  OpFoldResult start = Value(arith::ConstantIndexOp::create(b, 0));
  mapping.map(op.getResult(),
              Value(memref::ReinterpretCastOp::create(
                  b, tile::getViewType(type), source, start, sizes, strides)));
  return success();
}

SmallVector<OpFoldResult> Translator::mapped(ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(sizes, [&](OpFoldResult size) -> OpFoldResult {
    auto value = dyn_cast<Value>(size);
    return value ? mapping.lookupOrDefault(value) : size;
  });
}

SmallVector<Value> Translator::mappedValues(ArrayRef<OpFoldResult> offsets) {
  return llvm::map_to_vector(offsets, [&](OpFoldResult offset) {
    return mapping.lookupOrDefault(
        getValueOrCreateConstantIndexOp(b, b.getLoc(), offset));
  });
}

LogicalResult Translator::translate(scf::ForallOp op) {
  for (auto [result, init] : llvm::zip(op.getResults(), op.getOutputs())) {
    auto empty = init.getDefiningOp<tensor::EmptyOp>();
    if (!empty)
      return op.emitOpError("shared outputs must start from tensor.empty");
    SmallVector<Value> sizes;
    for (Value size : empty.getDynamicSizes())
      sizes.push_back(mapping.lookupOrDefault(size));
    mapping.map(result, viewFor(result, sizes));
  }
  SmallVector<OpFoldResult> bounds = mapped(op.getMixedUpperBound());
  auto nest = scf::ForallOp::create(b, bounds, ValueRange(), op.getMapping());
  nest->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  mapping.map(op.getInductionVars(), nest.getInductionVars());
  for (auto [argument, result] :
       llvm::zip(op.getRegionIterArgs(), op.getResults()))
    mapping.map(argument, mapping.lookup(result));
  b.setInsertionPoint(nest.getTerminator());
  if (failed(translate(*op.getBody())))
    return failure();
  for (Operation &insert : op.getTerminator().getBody()->getOperations()) {
    auto rows = cast<tensor::ParallelInsertSliceOp>(insert);
    if (!slices.contains(rows.getSource())) // Loops have stored those.
      storeRows(rows);
  }
  return success();
}

/// Stores a block of rows; rows beyond the view, which the slice of the block
/// left out, are dropped by the store.
void Translator::storeRows(tensor::ParallelInsertSliceOp insert) {
  Value rows = insert.getSource();
  if (auto slice = rows.getDefiningOp<tensor::ExtractSliceOp>())
    rows = slice.getSource();
  auto folded = rows.getDefiningOp<tensor::ExpandShapeOp>();
  if (folded)
    rows = folded.getSrc();
  tile::StoreOp::create(b, mapping.lookup(rows),
                        mapping.lookup(insert.getDest()),
                        mappedValues(insert.getMixedOffsets()),
                        makeInsertShifts(b, insert, rows, folded));
}

/// Room for what blocks keep from one loop to the next, or for rows of which
/// only the number matters; results get theirs with the op that fills them.
LogicalResult Translator::translate(tensor::EmptyOp op) {
  if (!llvm::any_of(op->getUsers(),
                    llvm::IsaPred<tensor::ExtractSliceOp, MapRowsOp, ReduceOp,
                                  PartialOp, RecurChunkOp>))
    return success();
  SmallVector<Value> sizes;
  for (Value size : op.getDynamicSizes())
    sizes.push_back(mapping.lookupOrDefault(size));
  mapping.map(op.getResult(), viewFor(op.getResult(), sizes));
  return success();
}

/// A part of the result of a block is its view; one of a tile is what is stored
/// of it, and read there. With all dimensions, it is a view of its own, that
/// loads and stores stay in.
LogicalResult Translator::translate(tensor::ExtractSliceOp op) {
  Value source = mapping.lookupOrNull(op.getSource());
  if (!source || !isa<MemRefType>(source.getType()))
    return success();
  if (op.getType().getRank() == op.getSourceType().getRank()) {
    auto view = memref::SubViewOp::create(
        b, source, mapped(op.getMixedOffsets()), mapped(op.getMixedSizes()),
        mapped(op.getMixedStrides()));
    mapping.map(op.getResult(), Value(view));
    return success();
  }
  slices[op.getResult()] = {source, mappedValues(op.getMixedOffsets())};
  return success();
}

/// Stores rows of a tile, of which the slice of the block left out those beyond
/// the view.
LogicalResult Translator::translate(tensor::InsertSliceOp op) {
  Value rows = op.getSource();
  if (auto slice = rows.getDefiningOp<tensor::ExtractSliceOp>())
    rows = slice.getSource();
  ViewSlice part = slices.lookup(op.getDest());
  SmallVector<Value> place = mappedValues(op.getMixedOffsets());
  tile::StoreOp::create(b, mapping.lookup(rows), part.view,
                        part.at(b, place[0], place[1]));
  slices[op.getResult()] = part;
  return success();
}

LogicalResult Translator::translate(RecurChunkOp op) {
  auto past = slices.find(op.getSums());
  auto results = RecurTiles(b, mapping, op)
                     .run(past == slices.end() ? nullptr : &past->second);
  if (failed(results))
    return failure();
  mapping.map(op.getResults(), *results);
  return success();
}

LogicalResult Translator::translate(scf::ForOp op) {
  auto bound = [&](Value value) { return mapping.lookupOrDefault(value); };
  SmallVector<Value> init;
  for (auto [value, argument, result] :
       llvm::zip(op.getInitArgs(), op.getRegionIterArgs(), op.getResults())) {
    auto part = slices.find(value);
    if (part == slices.end()) {
      init.push_back(bound(value));
      continue;
    }
    ViewSlice same = part->second;
    slices[argument] = slices[result] = same;
  }
  auto nest =
      scf::ForOp::create(b, bound(op.getLowerBound()),
                         bound(op.getUpperBound()), bound(op.getStep()), init);
  mapping.map(op.getInductionVar(), nest.getInductionVar());
  auto *argument = nest.getRegionIterArgs().begin();
  auto result = nest.getResults().begin();
  for (auto [from, to] : llvm::zip(op.getRegionIterArgs(), op.getResults()))
    if (!slices.contains(from)) {
      mapping.map(from, *argument++);
      mapping.map(to, *result++);
    }
  if (init.empty())
    b.setInsertionPoint(nest.getBody()->getTerminator());
  else
    b.setInsertionPointToEnd(nest.getBody());
  if (failed(translate(*op.getBody())))
    return failure();
  SmallVector<Value> yielded;
  for (auto [value, argument] :
       llvm::zip(op.getYieldedValues(), op.getRegionIterArgs()))
    if (!slices.contains(argument))
      yielded.push_back(bound(value));
  if (!init.empty())
    scf::YieldOp::create(b, yielded);
  return success();
}

namespace {
struct ToTile : attn::impl::ToTileBase<ToTile> {
  using ToTileBase::ToTileBase;

  void runOnOperation() override {
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      bool isTileProgram =
          llvm::none_of(function.getArgumentTypes(),
                        [](Type type) { return isa<TensorType>(type); });
      if (function.isExternal() || isTileProgram)
        continue;
      if (failed(Translator(function, countLists).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
