//===- TileRegions.cpp - Regions of attn ops as elementwise ops on tiles -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/TileRegions.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}

Value TileRegions::raise(Value value, ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, elementOf(value));
  auto from = tileOf(value);
  if (!from)
    return tile::SplatOp::create(b, type, value);
  if (from.getRank() < type.getRank())
    return tile::BroadcastOp::create(b, type, value, b.getI64IntegerAttr(1));
  return value;
}

/// Clones `op` with operands and results of `shape` (none: scalars).
Value TileRegions::elementwise(Operation *op, IRMapping &mapping,
                               ArrayRef<int64_t> shape) {
  IRMapping raised;
  for (Value operand : op->getOperands()) {
    Value value = mapping.lookupOrDefault(operand);
    raised.map(operand, shape.empty() ? value : raise(value, shape));
  }
  Operation *clone = b.clone(*op, raised);
  if (!shape.empty())
    for (Value result : clone->getResults())
      result.setType(RankedTensorType::get(shape, elementOf(result)));
  return clone->getResult(0);
}

/// Reads `capture` at `indices`; the highest class among them is the result's.
Value TileRegions::gather(Value capture, ValueRange indices, Type element) {
  RankedTensorType shape;
  for (Value index : indices)
    if (auto type = tileOf(index);
        type && (!shape || type.getRank() > shape.getRank()))
      shape = type;
  SmallVector<Value> raised;
  for (Value index : indices)
    raised.push_back(tileOf(index) ? raise(index, shape.getShape()) : index);
  Type result = shape ? Type(shape.clone(element)) : element;
  return tile::GatherOp::create(b, result, outer.lookup(capture), raised);
}

/// tensor.extract and tensor.dim of captures; null for other ops.
Value TileRegions::captured(Operation *op, IRMapping &mapping) {
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return memref::DimOp::create(b, outer.lookup(dim.getSource()),
                                 mapping.lookupOrDefault(dim.getIndex()));
  auto extract = dyn_cast<tensor::ExtractOp>(op);
  if (!extract)
    return {};
  SmallVector<Value> indices;
  for (Value index : extract.getIndices())
    indices.push_back(mapping.lookupOrDefault(index));
  return gather(extract.getTensor(), indices, extract.getType());
}

/// The shape of the highest class among the operands of `op`.
static SmallVector<int64_t> commonShape(Operation *op,
                                        const IRMapping &mapping) {
  SmallVector<int64_t> shape;
  for (Value operand : op->getOperands())
    if (auto type = tileOf(mapping.lookupOrDefault(operand));
        type && type.getRank() > (int64_t)shape.size())
      shape.assign(type.getShape().begin(), type.getShape().end());
  return shape;
}

Value TileRegions::evaluate(Region &region, ValueRange arguments,
                            ArrayRef<int64_t> shape) {
  IRMapping mapping(outer);
  mapping.map(region.getArguments(), arguments);
  for (Operation &op : region.front().without_terminator()) {
    Value value = captured(&op, mapping);
    if (!value)
      value = elementwise(&op, mapping, commonShape(&op, mapping));
    mapping.map(op.getResult(0), value);
  }
  return raise(mapping.lookupOrDefault(getYielded(region)), shape);
}

SmallVector<Value> TileRegions::scalars(Region &region, ValueRange arguments) {
  IRMapping mapping(outer);
  mapping.map(region.getArguments(), arguments);
  for (Operation &op : region.front().without_terminator()) {
    Value value = captured(&op, mapping);
    mapping.map(op.getResult(0), value ? value : elementwise(&op, mapping, {}));
  }
  SmallVector<Value> yielded;
  for (Value value : region.front().getTerminator()->getOperands())
    yielded.push_back(mapping.lookupOrDefault(value));
  return yielded;
}

//===----------------------------------------------------------------------===//
// Row regions
//===----------------------------------------------------------------------===//

Value TileRegions::index(OpFoldResult value, IRMapping &mapping) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return arith::ConstantIndexOp::create(b, *constant);
  return mapping.lookupOrDefault(cast<Value>(value));
}

/// Whole rows of `capture` by `indices`, of which the last is a scalar; null if
/// it is not.
Value TileRegions::loadIndexed(Value capture, RankedTensorType type,
                               ValueRange indices) {
  size_t first = 0; // The first column among the indices.
  while (first < indices.size() && !tileOf(indices[first]))
    ++first;
  if (first + 1 >= indices.size() || tileOf(indices.back()))
    return {};
  SmallVector<Value> offsets(indices), rows;
  auto columnType =
      RankedTensorType::get({type.getDimSize(0)}, b.getIndexType());
  Value zero = arith::ConstantIndexOp::create(b, 0);
  for (Value &offset : MutableArrayRef(offsets).drop_back().drop_front(first)) {
    bool isColumn = bool(tileOf(offset));
    rows.push_back(
        isColumn ? offset : Value(tile::SplatOp::create(b, columnType, zero)));
    if (isColumn)
      offset = zero;
  }
  return tile::LoadOp::create(b, type, outer.lookup(capture), offsets, rows);
}

/// Part of a vector, or a row of a captured tensor for each token. The row at
/// the token's own position, the common case, is a plain load; on a grid, where
/// `position` is null, so is one at computed indices.
Value TileRegions::rowSlice(tensor::ExtractSliceOp slice, IRMapping &mapping,
                            Value position, Value first, int64_t rows) {
  auto type = RankedTensorType::get({rows, slice.getResultType().getDimSize(0)},
                                    slice.getResultType().getElementType());
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
  if (!outer.contains(slice.getSource()))
    return tile::SliceOp::create(
        b, type, mapping.lookup(slice.getSource()),
        b.getI64IntegerAttr(*getConstantIntValue(offsets.front())));

  SmallVector<Value> indices;
  for (OpFoldResult offset : offsets)
    indices.push_back(index(offset, mapping));
  bool ownRow = indices.size() >= 2 && indices[indices.size() - 2] == position;
  bool othersScalar =
      llvm::count_if(indices, [](Value v) { return bool(tileOf(v)); }) == 1;
  if (first && ownRow && othersScalar) {
    indices[indices.size() - 2] = first;
    return tile::LoadOp::create(b, type, outer.lookup(slice.getSource()),
                                indices);
  }
  if (!position)
    if (Value loaded = loadIndexed(slice.getSource(), type, indices))
      return loaded;
  auto indexType = type.clone(b.getIndexType());
  Value column = tileOf(indices.back()) ? indices.back() : Value();
  Value start = column ? arith::ConstantIndexOp::create(b, 0) : indices.back();
  Value last =
      tile::IotaOp::create(b, indexType, start, b.getI64IntegerAttr(1));
  if (column)
    last = arith::AddIOp::create(b, last, raise(column, indexType.getShape()));
  indices.back() = last;
  return gather(slice.getSource(), indices, type.getElementType());
}

/// Captured vectors that ops of `region` use as a whole: the same row for all
/// tokens.
void TileRegions::wholeVectors(Region &region, IRMapping &mapping,
                               int64_t rows) {
  for (Operation &op : region.front()) {
    if (isa<tensor::ExtractOp, tensor::ExtractSliceOp, tensor::DimOp>(op))
      continue;
    for (Value operand : op.getOperands()) {
      auto vector = dyn_cast<RankedTensorType>(operand.getType());
      // Those that have been met before are mapped to their tile already.
      if (!vector || vector.getRank() != 1 || !outer.contains(operand) ||
          mapping.lookup(operand) != outer.lookup(operand))
        continue;
      auto indices =
          RankedTensorType::get({rows, vector.getDimSize(0)}, b.getIndexType());
      Value place =
          tile::IotaOp::create(b, indices, arith::ConstantIndexOp::create(b, 0),
                               b.getI64IntegerAttr(1));
      mapping.map(operand, gather(operand, place, vector.getElementType()));
    }
  }
}

Value TileRegions::reduceRow(ReduceRowOp op, Value tile) {
  auto type = tileOf(tile);
  auto element = cast<FloatType>(type.getElementType());
  bool isSum = op.getKind() == RowReduction::Sum;
  auto kind = isSum ? tile::ReduceKind::Add : tile::ReduceKind::Max;
  auto columnType = RankedTensorType::get({type.getDimSize(0)}, element);
  Attribute neutral = b.getFloatAttr(element, tile::getNeutral(kind));
  Value init =
      arith::ConstantOp::create(b, DenseElementsAttr::get(columnType, neutral));
  return tile::ReduceOp::create(b, columnType,
                                tile::ReduceKindAttr::get(b.getContext(), kind),
                                tile, init);
}

/// All rows with one matrix, which is loaded as a tile.
FailureOr<Value> TileRegions::contractRow(ContractRowOp op, IRMapping &mapping,
                                          int64_t rows) {
  auto matrix = cast<RankedTensorType>(op.getMatrix().getType());
  Type element = elementOf(op.getVector());
  SmallVector<Value> offsets;
  for (Value index : op.getIndices()) {
    offsets.push_back(mapping.lookupOrDefault(index));
    if (tileOf(offsets.back()))
      return op.emitOpError("needs one matrix for all rows of a block, got one "
                            "per head in a block of several heads");
  }
  offsets.append(2, arith::ConstantIndexOp::create(b, 0));
  auto type = RankedTensorType::get(matrix.getShape().take_back(2),
                                    matrix.getElementType());
  Value tile =
      tile::LoadOp::create(b, type, outer.lookup(op.getMatrix()), offsets);
  if (type.getElementType() != element)
    tile = arith::ExtFOp::create(b, type.clone(element), tile);
  auto resultType = RankedTensorType::get({rows, type.getDimSize(1)}, element);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(resultType));
  return Value(tile::DotOp::create(
      b, resultType, mapping.lookup(op.getVector()), tile, zero, UnitAttr()));
}

FailureOr<Value> TileRegions::rowOp(Operation *op, IRMapping &mapping,
                                    Value position, Value first, int64_t rows) {
  if (Value value = captured(op, mapping))
    return value;
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return rowSlice(slice, mapping, position, first, rows);
  auto vectorType = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  auto tileShape = [&] {
    return SmallVector<int64_t>{rows, vectorType.getDimSize(0)};
  };
  if (auto splat = dyn_cast<tensor::SplatOp>(op))
    return raise(mapping.lookupOrDefault(splat.getInput()), tileShape());
  if (auto reduce = dyn_cast<ReduceRowOp>(op))
    return reduceRow(reduce, mapping.lookup(reduce.getVector()));
  if (auto contract = dyn_cast<ContractRowOp>(op))
    return contractRow(contract, mapping, rows);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    SmallVector<Value> parts;
    for (Value part : concat.getInputs())
      parts.push_back(mapping.lookup(part));
    auto type = RankedTensorType::get(tileShape(), vectorType.getElementType());
    return Value(tile::ConcatOp::create(b, type, parts));
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && vectorType) {
    auto splat = cast<SplatElementsAttr>(constant.getValue());
    Value scalar = arith::ConstantOp::create(
        b, cast<TypedAttr>(splat.getSplatValue<Attribute>()));
    return raise(scalar, tileShape());
  }
  return elementwise(op, mapping,
                     vectorType ? tileShape() : commonShape(op, mapping));
}

FailureOr<Value> TileRegions::rows(Region &region, Value tile, Value batch,
                                   Value head, ValueRange token, Value position,
                                   Value first) {
  if (region.empty())
    return tile;
  SmallVector<Value> arguments{tile, batch, head};
  llvm::append_range(arguments, token);
  return rows(region, arguments, tileOf(tile).getDimSize(0), position, first);
}

FailureOr<Value> TileRegions::rows(Region &region, ValueRange arguments,
                                   int64_t count, Value position, Value first) {
  IRMapping mapping(outer);
  mapping.map(region.getArguments(), arguments);
  wholeVectors(region, mapping, count);
  for (Operation &op : region.front().without_terminator()) {
    FailureOr<Value> value = rowOp(&op, mapping, position, first, count);
    if (failed(value))
      return failure();
    mapping.map(op.getResult(0), *value);
  }
  return mapping.lookup(getYielded(region));
}
