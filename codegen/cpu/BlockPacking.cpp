//===- BlockPacking.cpp - Operands and results of a block -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Right operands of products become rows, left ones strips (TileBuffers.h);
// what is stored comes back from strips into rows. Right operands are read
// where they lie, if nothing is to be done to them.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BlockLowering.h"
#include "codegen/cpu/Transpose.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// Whether a part of the rows of `tile` is read that begins inside of a vector.
static bool isReadInside(Value tile, int64_t lanes) {
  return llvm::any_of(tile.getUsers(), [&](Operation *user) {
    if (auto slice = dyn_cast<tile::SliceOp>(user))
      return slice.getStart() % lanes != 0;
    return isa<arith::ExtFOp>(user) && isReadInside(user->getResult(0), lanes);
  });
}

/// Columns of the row buffer of `tile`.
int64_t BlockLowering::getPitch(Value tile) const {
  int64_t lanes = vectors.getLanes();
  int64_t pitch = getRowPitch(tileOf(tile).getDimSize(1), lanes);
  return isReadInside(tile, lanes) ? pitch + lanes : pitch;
}

/// The load that `tile` holds the elements of, if it does nothing else to them
/// than to convert them, and its rows follow each other, are whole vectors and
/// read as such; else null.
tile::LoadOp BlockLowering::getPlainLoad(Value tile) {
  if (auto widened = tile.getDefiningOp<arith::ExtFOp>())
    tile = widened.getIn();
  auto load = tile.getDefiningOp<tile::LoadOp>();
  if (!load || !load.getRows().empty())
    return {};
  auto view = cast<MemRefType>(load.getView().getType());
  auto type = tileOf(load.getResult());
  bool isWhole = type.getRank() == 2 && view.getRank() >= 2 &&
                 view.getShape().back() == type.getDimSize(1) &&
                 getConstantIntValue(load.getOffsets().back()) == 0;
  int64_t lanes = vectors.getLanes();
  return isWhole && type.getDimSize(1) % lanes == 0 &&
                 !isReadInside(load.getResult(), lanes)
             ? load
             : tile::LoadOp();
}

/// Right operands of products where they lie, if all rows of the block exist,
/// else a copy. They keep the element type of the view.
LogicalResult BlockLowering::viewRows(Value tile, tile::LoadOp load) {
  Value view = scalars.lookupOrDefault(load.getView());
  auto viewType = cast<MemRefType>(view.getType());
  auto type = tileOf(load.getResult());
  SmallVector<OpFoldResult> offsets,
      sizes(viewType.getRank(), b.getIndexAttr(1));
  for (Value offset : load.getOffsets())
    offsets.push_back(scalars.lookupOrDefault(offset));
  sizes[viewType.getRank() - 2] = b.getIndexAttr(type.getDimSize(0));
  sizes.back() = b.getIndexAttr(type.getDimSize(1));
  SmallVector<OpFoldResult> strides(viewType.getRank(), b.getIndexAttr(1));
  auto rowsType = MemRefType::get(
      type.getShape(), type.getElementType(),
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                             {ShapedType::kDynamic, 1}));
  SmallVector<Value> first, last;
  for (OpFoldResult offset : offsets)
    first.push_back(cast<Value>(offset));
  last = first;
  Value &row = last[viewType.getRank() - 2];
  row = vectors.add(row, vectors.index(type.getDimSize(0) - 1));
  Value allExist = arith::AndIOp::create(b, vectors.rowInside(view, first),
                                         vectors.rowInside(view, last));
  auto choice = scf::IfOp::create(b, TypeRange{rowsType}, allExist,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  auto slice = memref::SubViewOp::inferRankReducedResultType(
      type.getShape(), viewType, offsets, sizes, strides);
  Value rows = memref::SubViewOp::create(b, cast<MemRefType>(slice), view,
                                         offsets, sizes, strides);
  scf::YieldOp::create(b,
                       ValueRange{memref::CastOp::create(b, rowsType, rows)});
  b.setInsertionPointToStart(choice.elseBlock());
  Value copy = allocate(type.getShape(), type.getElementType());
  LogicalResult packed =
      forEachRow(vectors.index(type.getDimSize(0)), [&](Value row) {
        return RowEvaluator(b, vectors, unit, buffers, scalars, row)
            .store(load.getResult(), copy, row);
      });
  scf::YieldOp::create(b,
                       ValueRange{memref::CastOp::create(b, rowsType, copy)});
  buffers.rows[tile] = choice.getResult(0);
  return packed;
}

/// Right operands of products: rows as they are. Strips read single elements,
/// which are converted once, here.
LogicalResult BlockLowering::packRows(Value tile) {
  tile::LoadOp load = getPlainLoad(tile);
  if (load && (byRows || load.getResult() == tile))
    return viewRows(tile, load);
  auto type = tileOf(tile);
  int64_t pitch = getPitch(tile);
  Value buffer = allocate({type.getDimSize(0), pitch}, type.getElementType());
  Value end = vectors.index(type.getDimSize(0));
  LogicalResult packed = forEachRow(end, [&](Value row) {
    return RowEvaluator(b, vectors, unit, buffers, scalars, row)
        .store(tile, buffer, row);
  });
  buffers.rows[tile] = buffer;
  return packed;
}

/// Left operands of products that are loaded: rows become lanes, as many at a
/// time as there are lanes.
LogicalResult BlockLowering::packStrips(Value tile) {
  auto type = tileOf(tile);
  int64_t lanes = vectors.getLanes();
  Value strips = allocateFor(tile);
  if (Value rows = buffers.rows.lookup(tile)) {
    buffers.strips[tile] = strips;
    return forEachGroup(type.getDimSize(0), [&](Value first) {
      rowsToStrips(b, vectors, rows, first, strips, first);
      return success();
    });
  }
  Value rows = allocate({lanes, getRowPitch(type.getDimSize(1), lanes)},
                        type.getElementType());
  LogicalResult done = forEachGroup(type.getDimSize(0), [&](Value first) {
    LogicalResult packed = forEachRow(vectors.index(lanes), [&](Value inGroup) {
      Value row = vectors.add(first, inGroup);
      return RowEvaluator(b, vectors, unit, buffers, scalars, row)
          .store(tile, rows, inGroup);
    });
    rowsToStrips(b, vectors, rows, vectors.index(0), strips, first);
    return packed;
  });
  buffers.strips[tile] = strips;
  return done;
}

/// Copies what rows to be stored are computed from, out of strips into rows.
LogicalResult BlockLowering::unpackStrips(Value tile) {
  if (!tileOf(tile) || tileOf(tile).getRank() != 2 ||
      buffers.rows.contains(tile))
    return success();
  Value strips = buffers.strips.lookup(tile);
  if (!strips) {
    Operation *op = tile.getDefiningOp();
    if (op && isPair(tile))
      for (Value operand : op->getOperands())
        if (failed(unpackStrips(operand)))
          return failure();
    return success();
  }
  auto type = tileOf(tile);
  int64_t pitch = getPitch(tile);
  Value rows = allocate({type.getDimSize(0), pitch}, type.getElementType());
  LogicalResult done = forEachGroup(type.getDimSize(0), [&](Value first) {
    stripsToRows(b, vectors, strips, rows, first);
    return success();
  });
  buffers.rows[tile] = rows;
  return done;
}

/// Packs what products read, in this segment or in a loop further on.
LogicalResult BlockLowering::packOperands(const Segment &segment) {
  for (Operation *op : segment)
    for (Value result : op->getResults())
      for (OpOperand &use : result.getUses()) {
        auto dot = dyn_cast<tile::DotOp>(use.getOwner());
        if (!dot)
          continue;
        if (use.get() == dot.getRhs() && !buffers.rows.contains(result) &&
            failed(packRows(result)))
          return failure();
        if (use.get() == dot.getLhs() && isPair(dot.getResult()) &&
            !isPair(result) && !buffersFor(result).contains(result) &&
            failed(byRows ? packRows(result) : packStrips(result)))
          return failure();
      }
  return success();
}
