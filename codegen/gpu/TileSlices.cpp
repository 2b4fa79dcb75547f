//===- TileSlices.cpp - Parts of tiles, and what they need ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/TileSlices.h"
#include "codegen/gpu/RowIndices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

RankedTensorType Cut::applyTo(RankedTensorType type) const {
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = size;
  return type.clone(shape);
}

SmallVector<Cut> attn::getColumnCuts(Value value, int64_t most) {
  SmallVector<int64_t> ends;
  if (auto concat = value.getDefiningOp<tile::ConcatOp>())
    for (Value part : concat.getParts().drop_back())
      ends.push_back((ends.empty() ? 0 : ends.back()) +
                     tileOf(part).getDimSize(1));
  ends.push_back(tileOf(value).getDimSize(1));
  SmallVector<Cut> cuts;
  int64_t start = 0;
  for (int64_t end : ends)
    for (; start < end; start = cuts.back().start + cuts.back().size)
      cuts.push_back({1, start, std::min(most, end - start)});
  return cuts;
}

//===----------------------------------------------------------------------===//
// What can be cut
//===----------------------------------------------------------------------===//

/// Whether the kernel writes what `load` reads, so that it must stay in place.
static bool isWritten(tile::LoadOp load) {
  return llvm::any_of(load.getView().getUsers(), llvm::IsaPred<tile::StoreOp>);
}

static bool isElementwise(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() == 1;
}

tile::LoadOp attn::getMovableLoad(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && isElementwise(op) && op->getNumOperands() == 1)
    op = op->getOperand(0).getDefiningOp();
  auto load = dyn_cast_if_present<tile::LoadOp>(op);
  return load && !isWritten(load) ? load : tile::LoadOp();
}

//===----------------------------------------------------------------------===//
// Cutting
//===----------------------------------------------------------------------===//

Value Slicer::cutLoad(tile::LoadOp load, Cut cut) {
  SmallVector<Value> offsets(load.getOffsets()), rows(load.getRows());
  if (cut.dim == 0 && !rows.empty()) {
    for (Value &vector : rows)
      vector = cutVector(b, vector, cut.start, cut.size);
  } else {
    Value &offset = offsets[offsets.size() - 2 + cut.dim];
    Value start = arith::ConstantIndexOp::create(b, cut.start);
    offset = arith::AddIOp::create(b, offset, start);
  }
  return tile::LoadOp::create(b, cut.applyTo(load.getType()), load.getView(),
                              offsets, rows);
}

/// The part that has all of the columns; null if they are in several.
Value Slicer::cutConcat(tile::ConcatOp concat, Cut cut) {
  for (Value part : concat.getParts()) {
    int64_t columns = tileOf(part).getDimSize(1);
    if (cut.start < columns)
      return cut.start + cut.size <= columns ? this->cut(part, cut) : Value();
    cut.start -= columns;
  }
  return Value();
}

Value Slicer::cutElementwise(Operation *op, Cut cut) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(isa<RankedTensorType>(operand.getType())
                           ? this->cut(operand, cut)
                           : operand);
  if (!isLate) // Behind the last of the slices, which all lie in front of it.
    b.setInsertionPointAfter(op);
  OperationState state(op->getLoc(), op->getName().getStringRef(), operands,
                       cut.applyTo(tileOf(op->getResult(0))), op->getAttrs());
  return b.create(state)->getResult(0);
}

Value Slicer::make(Value value, Cut cut) {
  RankedTensorType type = cut.applyTo(tileOf(value));
  Operation *op = value.getDefiningOp();
  if (!isLate)
    b.setInsertionPointAfterValue(value);
  if (auto load = value.getDefiningOp<tile::LoadOp>(); load && !isWritten(load))
    return cutLoad(load, cut);
  // In front of a loop what is there already is cut, and not computed again.
  if (op && isElementwise(op) && (isLate || op->getNumOperands() == 1))
    return cutElementwise(op, cut);
  if (auto slice = value.getDefiningOp<tile::SliceOp>())
    return this->cut(slice.getValue(),
                     {1, cut.start + int64_t(slice.getStart()), cut.size});
  if (auto concat = value.getDefiningOp<tile::ConcatOp>())
    if (Value part = cutConcat(concat, cut))
      return part;
  if (auto spread = value.getDefiningOp<tile::BroadcastOp>();
      spread && int64_t(spread.getAlong()) == cut.dim)
    return tile::BroadcastOp::create(b, type, spread.getVector(),
                                     spread.getAlong());
  return tile::SliceOp::create(b, type, value, cut.start);
}

Value Slicer::cut(Value value, Cut cut) {
  // A whole load is moved to its use: its tile need not live before.
  bool isWhole = cut.applyTo(tileOf(value)) == value.getType();
  if (isWhole && !(isLate && getMovableLoad(value)))
    return value;
  Value &slice =
      known[{value.getAsOpaquePointer(), cut.dim, cut.start, cut.size}];
  if (!slice)
    slice = make(value, cut);
  return slice;
}
