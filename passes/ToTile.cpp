//===- ToTile.cpp - Blocked attention as a tile program -*- C++ -*-===//
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
//   a
//     result that a block fills in a loop is that view, from some offsets on.
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
  explicit Translator(func::FuncOp from)
      : from(from), b(from.getLoc(), from.getContext()) {}

  LogicalResult run();

private:
  LogicalResult checkSignature();
  LogicalResult refuseResult(unsigned index, Value value);
  LogicalResult checkCaptures();
  func::FuncOp declare();
  LogicalResult translate(Block &block);
  LogicalResult translate(Operation *op);
  RowBlock enterRowBlocks(ArrayRef<Value> sizes, int64_t rows);
  LogicalResult mapRows(MapRowsOp op);
  LogicalResult reduce(ReduceOp op);
  LogicalResult merge(MergeOp op);
  void blockBounds(BlockBoundsOp op);
  void blockList(BlockListOp op);
  void transposeList(TransposeListOp op);
  void blockOrder(BlockOrderOp op);
  void segmentBounds(SegmentBoundsOp op);
  LogicalResult conditional(scf::IfOp op);
  LogicalResult reshape(tensor::ReshapeOp op);
  Value sizeBefore(Value size);
  LogicalResult forall(scf::ForallOp op);
  LogicalResult loop(scf::ForOp op);
  LogicalResult recurChunk(RecurChunkOp op);
  void room(tensor::EmptyOp op);
  SmallVector<OpFoldResult> mapped(ArrayRef<OpFoldResult> sizes);
  void slice(tensor::ExtractSliceOp op);
  void insert(tensor::InsertSliceOp op);
  void storeRows(tensor::ParallelInsertSliceOp insert);
  Value viewFor(Value tensor, ValueRange dynamicSizes);

  func::FuncOp from;
  ImplicitLocOpBuilder b;
  IRMapping mapping;
  /// The view that each returned tensor is written to.
  DenseMap<Value, Value> destination;
  SmallVector<Value> buffers;
  /// Parts of results that blocks fill in loops.
  DenseMap<Value, ViewSlice> slices;
};
} // namespace

LogicalResult Translator::checkSignature() {
  if (!from.getBody().hasOneBlock())
    return from.emitOpError("must have one block");
  for (Type type :
       llvm::concat<const Type>(from.getArgumentTypes(), from.getResultTypes()))
    if (!isa<RankedTensorType>(type))
      return from.emitOpError(
                 "arguments and results must be ranked tensors, got ")
             << type;
  DenseSet<Value> seen;
  for (auto [index, value] :
       llvm::enumerate(from.getBody().front().getTerminator()->getOperands())) {
    if (!isa_and_nonnull<scf::ForallOp, scf::IfOp, MapRowsOp, ReduceOp, MergeOp,
                         BlockBoundsOp, BlockListOp, TransposeListOp,
                         BlockOrderOp, SegmentBoundsOp>(value.getDefiningOp()))
      return refuseResult(index, value);
    if (!seen.insert(value).second)
      return from.emitOpError("result ") << index << " is returned twice";
  }
  return checkCaptures();
}

/// Tables are read through views, and a constant has none.
LogicalResult Translator::checkCaptures() {
  WalkResult result = from.walk([](arith::ConstantOp op) {
    bool isRead = llvm::any_of(op->getUsers(), [](Operation *user) {
      return isa<AttendOp, MapRowsOp, ReduceOp, PartialOp, RecurChunkOp,
                 BlockListOp>(user->getParentOp());
    });
    bool isOutside = isa<func::FuncOp>(op->getParentOp());
    if (!isRead || !isOutside || !isa<RankedTensorType>(op.getType()))
      return WalkResult::advance();
    op.emitOpError("is a table that regions cannot capture; expected an "
                   "argument of the function, got a constant");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Says what a result is that no attn op computes.
LogicalResult Translator::refuseResult(unsigned index, Value value) {
  InFlightDiagnostic error = from.emitOpError("result ")
                             << index
                             << " must be computed by an attn op, got ";
  if (Operation *op = value.getDefiningOp())
    return error << "'" << op->getName() << "'";
  return error << "an argument of the function";
}

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
  if (failed(checkSignature()))
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
  if (auto map = dyn_cast<MapRowsOp>(op))
    return mapRows(map);
  if (auto reduced = dyn_cast<ReduceOp>(op))
    return reduce(reduced);
  if (auto merged = dyn_cast<MergeOp>(op))
    return merge(merged);
  if (auto bounds = dyn_cast<BlockBoundsOp>(op)) {
    blockBounds(bounds);
    return success();
  }
  if (auto list = dyn_cast<BlockListOp>(op)) {
    blockList(list);
    return success();
  }
  if (auto list = dyn_cast<TransposeListOp>(op)) {
    transposeList(list);
    return success();
  }
  if (auto order = dyn_cast<BlockOrderOp>(op)) {
    blockOrder(order);
    return success();
  }
  if (auto bounds = dyn_cast<SegmentBoundsOp>(op)) {
    segmentBounds(bounds);
    return success();
  }
  if (auto entry = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Value> indices;
    for (Value index : entry.getIndices())
      indices.push_back(mapping.lookupOrDefault(index));
    Value view = mapping.lookup(entry.getTensor());
    mapping.map(entry.getResult(), Value(tile::GatherOp::create(
                                       b, entry.getType(), view, indices)));
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return conditional(branch);
  if (auto shaped = dyn_cast<tensor::ReshapeOp>(op))
    return reshape(shaped);
  if (auto nest = dyn_cast<scf::ForallOp>(op))
    return forall(nest);
  if (auto nest = dyn_cast<scf::ForOp>(op))
    return loop(nest);
  if (auto partial = dyn_cast<PartialOp>(op)) {
    auto results = PairwiseTiles(b, mapping).partial(partial);
    if (failed(results))
      return failure();
    mapping.map(partial.getResults(), *results);
    return success();
  }
  if (auto sink = dyn_cast<AddSinkOp>(op)) {
    mapping.map(sink.getState(), PairwiseTiles(b, mapping).addSink(sink));
    return success();
  }
  if (auto finish = dyn_cast<FinishOp>(op)) {
    mapping.map(finish.getResults(), PairwiseTiles(b, mapping).finish(finish));
    return success();
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    mapping.map(dim.getResult(), Value(memref::DimOp::create(
                                     b, mapping.lookup(dim.getSource()),
                                     mapping.lookupOrDefault(dim.getIndex()))));
    return success();
  }
  if (auto chunk = dyn_cast<RecurChunkOp>(op))
    return recurChunk(chunk);
  if (auto load = dyn_cast<LoadStateOp>(op)) {
    mapping.map(load.getState(), loadState(b, mapping, load));
    return success();
  }
  if (auto merge = dyn_cast<MergeStateOp>(op)) {
    mapping.map(merge.getState(), mergeState(b, mapping, merge));
    return success();
  }
  if (auto part = dyn_cast<tensor::ExtractSliceOp>(op)) {
    slice(part);
    return success();
  }
  if (auto part = dyn_cast<tensor::InsertSliceOp>(op)) {
    insert(part);
    return success();
  }
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    room(empty);
    return success();
  }
  if (auto element = dyn_cast<tensor::ExtractOp>(op)) {
    SmallVector<Value> indices;
    for (Value index : element.getIndices())
      indices.push_back(mapping.lookupOrDefault(index));
    mapping.map(element.getResult(),
                Value(tile::GatherOp::create(
                    b, element.getType(), mapping.lookup(element.getTensor()),
                    indices)));
    return success();
  }
  // Read where they matter: by the op that reshapes, and the one that inserts.
  if (isa<tensor::FromElementsOp, tensor::ExpandShapeOp>(op))
    return success();
  if (isa<arith::ArithDialect>(op->getDialect())) {
    b.clone(*op, mapping);
    return success();
  }
  return op->emitOpError("cannot become part of a tile program; expected attn "
                         "ops and index arithmetic");
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

LogicalResult Translator::mapRows(MapRowsOp op) {
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

LogicalResult Translator::reduce(ReduceOp op) {
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

LogicalResult Translator::merge(MergeOp op) {
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

void Translator::blockBounds(BlockBoundsOp op) {
  SmallVector<Value> sizes = getBoundsSizes(b, mapping, op);
  for (Value result : op.getResults())
    mapping.map(result, viewFor(result, sizes));
  writeBlockBounds(b, mapping, op);
}

void Translator::segmentBounds(SegmentBoundsOp op) {
  SmallVector<Value> sizes;
  if (cast<RankedTensorType>(op.getNumber().getType()).isDynamicDim(0))
    sizes.push_back(mapping.lookupOrDefault(op.getTokens()));
  for (Value result : op.getResults())
    mapping.map(result, viewFor(result, sizes));
  writeSegmentBounds(b, mapping, op);
}

/// Makes room for the list and for the counts that it is made from.
void Translator::blockList(BlockListOp op) {
  ListSizes sizes = getListSizes(b, mapping, op);
  mapping.map(op.getOffsets(), viewFor(op.getOffsets(), sizes.offsets));
  mapping.map(op.getBlocks(), viewFor(op.getBlocks(), sizes.blocks));
  auto type = cast<RankedTensorType>(op.getOffsets().getType());
  buffers.push_back(memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()),
      sizes.counts));
  writeBlockList(b, mapping, op, buffers.back());
}

/// Makes room for the transpose and for what it is made with.
void Translator::transposeList(TransposeListOp op) {
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
}

/// Makes room for the order and for the costs that it is made from.
void Translator::blockOrder(BlockOrderOp op) {
  SmallVector<Value> sizes = getOrderSizes(b, mapping, op);
  mapping.map(op.getOrder(), viewFor(op.getOrder(), sizes));
  auto type = cast<RankedTensorType>(op.getOrder().getType());
  buffers.push_back(memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), sizes));
  writeBlockOrder(b, mapping, op, buffers.back());
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

/// Both branches write to the views of the results.
LogicalResult Translator::conditional(scf::IfOp op) {
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
LogicalResult Translator::reshape(tensor::ReshapeOp op) {
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

LogicalResult Translator::forall(scf::ForallOp op) {
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
  SmallVector<Value> offsets;
  for (OpFoldResult offset : insert.getMixedOffsets())
    offsets.push_back(mapping.lookupOrDefault(
        getValueOrCreateConstantIndexOp(b, b.getLoc(), offset)));
  tile::StoreOp::create(b, mapping.lookup(rows),
                        mapping.lookup(insert.getDest()), offsets,
                        makeInsertShifts(b, insert, rows, folded));
}

/// Room for what blocks keep from one loop to the next, or for rows of which
/// only the number matters; results get theirs with the op that fills them.
void Translator::room(tensor::EmptyOp op) {
  if (!llvm::any_of(op->getUsers(),
                    llvm::IsaPred<tensor::ExtractSliceOp, MapRowsOp, ReduceOp,
                                  PartialOp, RecurChunkOp>))
    return;
  SmallVector<Value> sizes;
  for (Value size : op.getDynamicSizes())
    sizes.push_back(mapping.lookupOrDefault(size));
  mapping.map(op.getResult(), viewFor(op.getResult(), sizes));
}

/// A part of the result of a block is its view; one of a tile is what is stored
/// of it, and read there. With all dimensions, it is a view of its own, that
/// loads and stores stay in.
void Translator::slice(tensor::ExtractSliceOp op) {
  Value source = mapping.lookupOrNull(op.getSource());
  if (!source || !isa<MemRefType>(source.getType()))
    return;
  if (op.getType().getRank() == op.getSourceType().getRank()) {
    auto view = memref::SubViewOp::create(
        b, source, mapped(op.getMixedOffsets()), mapped(op.getMixedSizes()),
        mapped(op.getMixedStrides()));
    mapping.map(op.getResult(), Value(view));
    return;
  }
  ViewSlice part{source, {}};
  for (OpFoldResult offset : op.getMixedOffsets())
    part.offsets.push_back(mapping.lookupOrDefault(
        getValueOrCreateConstantIndexOp(b, b.getLoc(), offset)));
  slices[op.getResult()] = part;
}

/// Stores rows of a tile, of which the slice of the block left out those beyond
/// the view.
void Translator::insert(tensor::InsertSliceOp op) {
  Value rows = op.getSource();
  if (auto slice = rows.getDefiningOp<tensor::ExtractSliceOp>())
    rows = slice.getSource();
  ViewSlice part = slices.lookup(op.getDest());
  SmallVector<Value> place;
  for (OpFoldResult offset : op.getMixedOffsets())
    place.push_back(mapping.lookupOrDefault(
        getValueOrCreateConstantIndexOp(b, b.getLoc(), offset)));
  tile::StoreOp::create(b, mapping.lookup(rows), part.view,
                        part.at(b, place[0], place[1]));
  slices[op.getResult()] = part;
}

LogicalResult Translator::recurChunk(RecurChunkOp op) {
  auto past = slices.find(op.getSums());
  auto results = RecurTiles(b, mapping, op)
                     .run(past == slices.end() ? nullptr : &past->second);
  if (failed(results))
    return failure();
  mapping.map(op.getResults(), *results);
  return success();
}

LogicalResult Translator::loop(scf::ForOp op) {
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
  void runOnOperation() override {
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      bool isTileProgram =
          llvm::none_of(function.getArgumentTypes(),
                        [](Type type) { return isa<TensorType>(type); });
      if (function.isExternal() || isTileProgram)
        continue;
      if (failed(Translator(function).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
