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

#include "passes/PairwiseTiles.h"
#include "passes/TileRegions.h"
#include "passes/TileSignature.h"
#include "passes/TileTranslator.h"
#include "llvm/ADT/TypeSwitch.h"

namespace attn {
#define GEN_PASS_DEF_TOTILE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Creates the function over views; results become arguments at the end.
func::FuncOp TileTranslator::declare() {
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

LogicalResult TileTranslator::run() {
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
Value TileTranslator::viewFor(Value tensor, ValueRange dynamicSizes) {
  if (Value result = destination.lookup(tensor))
    return result;
  auto type = cast<RankedTensorType>(tensor.getType());
  Value buffer = memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), dynamicSizes);
  buffers.push_back(buffer);
  return buffer;
}

LogicalResult TileTranslator::translate(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(translate(&op)))
      return failure();
  return success();
}

LogicalResult TileTranslator::translate(Operation *op) {
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

LogicalResult TileTranslator::translate(PartialOp op) {
  auto results = PairwiseTiles(b, mapping).partial(op);
  if (failed(results))
    return failure();
  mapping.map(op.getResults(), *results);
  return success();
}

LogicalResult TileTranslator::translate(AddSinkOp op) {
  mapping.map(op.getState(), PairwiseTiles(b, mapping).addSink(op));
  return success();
}

LogicalResult TileTranslator::translate(FinishOp op) {
  mapping.map(op.getResults(), PairwiseTiles(b, mapping).finish(op));
  return success();
}

LogicalResult TileTranslator::translate(LoadStateOp op) {
  mapping.map(op.getState(), loadState(b, mapping, op));
  return success();
}

LogicalResult TileTranslator::translate(MergeStateOp op) {
  mapping.map(op.getState(), mergeState(b, mapping, op));
  return success();
}

LogicalResult TileTranslator::translate(tensor::DimOp op) {
  Value view = mapping.lookup(op.getSource());
  Value dim = mapping.lookupOrDefault(op.getIndex());
  mapping.map(op.getResult(), Value(memref::DimOp::create(b, view, dim)));
  return success();
}

/// A number of a list of blocks, of bounds or of offsets.
LogicalResult TileTranslator::translate(tensor::ExtractOp op) {
  SmallVector<Value> indices;
  for (Value index : op.getIndices())
    indices.push_back(mapping.lookupOrDefault(index));
  Value view = mapping.lookup(op.getTensor());
  mapping.map(op.getResult(),
              Value(tile::GatherOp::create(b, op.getType(), view, indices)));
  return success();
}

/// The size that `size`, which a branch computes from values before it, has.
Value TileTranslator::sizeBefore(Value size) {
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
LogicalResult TileTranslator::chooseNumbers(scf::IfOp op) {
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
LogicalResult TileTranslator::translate(scf::IfOp op) {
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
LogicalResult TileTranslator::translate(tensor::ReshapeOp op) {
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

SmallVector<OpFoldResult> TileTranslator::mapped(ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(sizes, [&](OpFoldResult size) -> OpFoldResult {
    auto value = dyn_cast<Value>(size);
    return value ? mapping.lookupOrDefault(value) : size;
  });
}

SmallVector<Value>
TileTranslator::mappedValues(ArrayRef<OpFoldResult> offsets) {
  return llvm::map_to_vector(offsets, [&](OpFoldResult offset) {
    return mapping.lookupOrDefault(
        getValueOrCreateConstantIndexOp(b, b.getLoc(), offset));
  });
}

LogicalResult TileTranslator::translate(scf::ForallOp op) {
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
void TileTranslator::storeRows(tensor::ParallelInsertSliceOp insert) {
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
LogicalResult TileTranslator::translate(tensor::EmptyOp op) {
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
LogicalResult TileTranslator::translate(tensor::ExtractSliceOp op) {
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
LogicalResult TileTranslator::translate(tensor::InsertSliceOp op) {
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

LogicalResult TileTranslator::translate(RecurChunkOp op) {
  auto past = slices.find(op.getSums());
  auto results = RecurTiles(b, mapping, op)
                     .run(past == slices.end() ? nullptr : &past->second);
  if (failed(results))
    return failure();
  mapping.map(op.getResults(), *results);
  return success();
}

LogicalResult TileTranslator::translate(scf::ForOp op) {
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
      if (failed(TileTranslator(function, countLists).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
