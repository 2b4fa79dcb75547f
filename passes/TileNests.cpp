//===- TileNests.cpp - Ops that become nests of blocks --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops of a function that do not stand in a loop over blocks yet: rows that are
// mapped, reduced or merged, bounds, lists of blocks and what is made of these.
// Each opens independent blocks of its own, and writes results to views.
//
//===----------------------------------------------------------------------===//

#include "passes/BlockListTiles.h"
#include "passes/ListSortTiles.h"
#include "passes/PairwiseTiles.h"
#include "passes/ReduceTiles.h"
#include "passes/SegmentTiles.h"
#include "passes/TileTranslator.h"

using namespace mlir;
using namespace attn;

/// Opens independent blocks of `rows` rows, along the last axis, of a tensor
/// whose sizes but the last are `sizes`, and builds inside of them from now on.
RowBlock TileTranslator::enterRowBlocks(ArrayRef<Value> sizes, int64_t rows) {
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

LogicalResult TileTranslator::translate(MapRowsOp op) {
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

LogicalResult TileTranslator::translate(ReduceOp op) {
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

LogicalResult TileTranslator::translate(MergeOp op) {
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

LogicalResult TileTranslator::translate(BlockBoundsOp op) {
  SmallVector<Value> sizes = getBoundsSizes(b, mapping, op);
  for (Value result : op.getResults())
    mapping.map(result, viewFor(result, sizes));
  writeBlockBounds(b, mapping, op);
  return success();
}

LogicalResult TileTranslator::translate(SegmentBoundsOp op) {
  SmallVector<Value> sizes;
  if (cast<RankedTensorType>(op.getNumber().getType()).isDynamicDim(0))
    sizes.push_back(mapping.lookupOrDefault(op.getTokens()));
  for (Value result : op.getResults())
    mapping.map(result, viewFor(result, sizes));
  writeSegmentBounds(b, mapping, op);
  return success();
}

/// Makes room for the list and for the counts that it is made from.
LogicalResult TileTranslator::translate(BlockListOp op) {
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
LogicalResult TileTranslator::translate(TransposeListOp op) {
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
LogicalResult TileTranslator::translate(BlockOrderOp op) {
  SmallVector<Value> sizes = getOrderSizes(b, mapping, op);
  mapping.map(op.getOrder(), viewFor(op.getOrder(), sizes));
  auto type = cast<RankedTensorType>(op.getOrder().getType());
  buffers.push_back(memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), sizes));
  writeBlockOrder(b, mapping, op, buffers.back());
  return success();
}
