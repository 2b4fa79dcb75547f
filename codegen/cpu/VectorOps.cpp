//===- VectorOps.cpp - Vectors of one tile program, and access to views -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/VectorOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

static MemRefType viewOf(Value view) {
  return cast<MemRefType>(view.getType());
}

Type VectorOps::storable(Type element) {
  if (!element.isInteger())
    return element;
  unsigned bits = llvm::PowerOf2Ceil(element.getIntOrFloatBitWidth());
  return b.getIntegerType(std::max(bits, 8u));
}

VectorType VectorOps::type(Type element) {
  return VectorType::get({lanes}, element);
}

Value VectorOps::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value VectorOps::add(Value x, Value y) {
  if (getConstantIntValue(x) == 0)
    return y;
  if (getConstantIntValue(y) == 0)
    return x;
  return arith::AddIOp::create(b, x, y);
}

Value VectorOps::zero(Type type) {
  return arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type)));
}

Value VectorOps::neutral(tile::ReduceKind kind, Type element) {
  Attribute value = b.getFloatAttr(element, tile::getNeutral(kind));
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(type(element), value));
}

Value VectorOps::combine(tile::ReduceKind kind, Value sum, Value part) {
  if (kind == tile::ReduceKind::Add)
    return arith::AddFOp::create(b, sum, part);
  if (kind == tile::ReduceKind::Mul)
    return arith::MulFOp::create(b, sum, part);
  // One instruction on x86, unlike maxnumf; a NaN keeps the old maximum.
  Value larger = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, part, sum);
  return arith::SelectOp::create(b, larger, part, sum);
}

Value VectorOps::splat(Value scalar) {
  return vector::BroadcastOp::create(b, type(scalar.getType()), scalar);
}

Value VectorOps::steps(int64_t stride) {
  SmallVector<int64_t> positions;
  for (int64_t lane = 0; lane < lanes; ++lane)
    positions.push_back(lane * stride);
  return arith::ConstantOp::create(
      b, DenseIntElementsAttr::get(type(b.getIndexType()), positions));
}

Value VectorOps::iota(Value start) {
  return arith::AddIOp::create(b, splat(start), steps(1));
}

Value VectorOps::elementwise(Operation *op, ValueRange operands, bool vectors) {
  OperationState state(b.getLoc(), op->getName());
  for (Value operand : operands)
    state.addOperands(vectors && !isa<VectorType>(operand.getType())
                          ? splat(operand)
                          : operand);
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  state.addTypes(vectors ? Type(type(element)) : element);
  state.addAttributes(op->getAttrs());
  return b.create(state)->getResult(0);
}

Value VectorOps::constant(arith::ConstantOp op, bool vectors) {
  TypedAttr value = op.getValue();
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    value = cast<TypedAttr>(splat.getSplatValue<Attribute>());
  if (vectors)
    value = DenseElementsAttr::get(type(value.getType()),
                                   ArrayRef<Attribute>(value));
  return arith::ConstantOp::create(b, value);
}

//===----------------------------------------------------------------------===//
// Rows of views
//===----------------------------------------------------------------------===//

Value VectorOps::inside(Value view, int64_t dim, Value index) {
  Value size = memref::DimOp::create(b, view, this->index(dim));
  // Unsigned, so that negative indices are outside too.
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, index, size);
}

Value VectorOps::rowInside(Value view, ValueRange offsets) {
  Value all;
  for (auto [dim, offset] : llvm::enumerate(offsets.drop_back())) {
    Value one = inside(view, dim, offset);
    all = all ? Value(arith::AndIOp::create(b, all, one)) : one;
  }
  return all ? all : Value(arith::ConstantOp::create(b, b.getBoolAttr(true)));
}

/// The lanes from `offset` on that are wanted and in the view; null if all are.
Value VectorOps::rowMask(Value view, Value offset, int64_t wanted) {
  int64_t size = viewOf(view).getShape().back();
  std::optional<int64_t> start = getConstantIntValue(offset);
  auto maskType = type(b.getI1Type());
  if (!start || *start < 0) {
    // Lanes may lie before the view.
    Value end =
        memref::DimOp::create(b, view, index(viewOf(view).getRank() - 1));
    Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                         iota(offset), splat(end));
    Value needed = vector::CreateMaskOp::create(b, maskType,
                                                index(std::min(wanted, lanes)));
    return arith::AndIOp::create(b, exists, needed);
  }
  if (!ShapedType::isDynamic(size)) {
    int64_t count =
        std::clamp<int64_t>(size - *start, 0, std::min(wanted, lanes));
    if (count == lanes)
      return {};
    return vector::CreateMaskOp::create(b, maskType, index(count));
  }
  Value left = arith::SubIOp::create(
      b, memref::DimOp::create(b, view, index(viewOf(view).getRank() - 1)),
      offset);
  Value count = arith::MinSIOp::create(b, left, index(std::min(wanted, lanes)));
  return vector::CreateMaskOp::create(b, maskType, count);
}

Value VectorOps::loadRow(Value view, ValueRange offsets,
                         std::optional<int64_t> wanted, Value inside) {
  auto vectorType = type(viewOf(view).getElementType());
  if (storable(vectorType.getElementType()) != vectorType.getElementType()) {
    // A vector of bits is packed in memory, elements of the view are not.
    SmallVector<Value> indices(offsets);
    indices.back() = iota(indices.back());
    return gather(view, indices, /*vectors=*/true);
  }
  Value mask = wanted ? rowMask(view, offsets.back(), *wanted) : Value();
  auto load = [&](OpBuilder &inner, Location loc) {
    Value row =
        mask ? Value(vector::MaskedLoadOp::create(
                   inner, loc, vectorType, view, offsets, mask,
                   arith::ConstantOp::create(
                       inner, loc, cast<TypedAttr>(b.getZeroAttr(vectorType)))))
             : Value(vector::LoadOp::create(inner, loc, vectorType, view,
                                            offsets));
    scf::YieldOp::create(inner, loc, row);
  };
  auto absent = [&](OpBuilder &inner, Location loc) {
    Value none = arith::ConstantOp::create(
        inner, loc, cast<TypedAttr>(b.getZeroAttr(vectorType)));
    scf::YieldOp::create(inner, loc, none);
  };
  return scf::IfOp::create(b, inside, load, absent).getResult(0);
}

void VectorOps::storeRow(Value vector, Value view, ValueRange offsets,
                         std::optional<int64_t> wanted) {
  if (Value mask = wanted ? rowMask(view, offsets.back(), *wanted) : Value())
    vector::MaskedStoreOp::create(b, view, offsets, mask, vector);
  else
    vector::StoreOp::create(b, vector, view, offsets);
}

//===----------------------------------------------------------------------===//
// Single elements of views
//===----------------------------------------------------------------------===//

Value VectorOps::gatherScalar(Value view, ValueRange indices) {
  if (indices.empty())
    return memref::LoadOp::create(b, view, indices);
  Value exists = rowInside(view, indices);
  Value last = inside(view, indices.size() - 1, indices.back());
  exists = arith::AndIOp::create(b, exists, last);
  Type element = viewOf(view).getElementType();
  auto read = [&](OpBuilder &inner, Location loc) {
    Value value = memref::LoadOp::create(inner, loc, view, indices);
    scf::YieldOp::create(inner, loc, value);
  };
  auto absent = [&](OpBuilder &inner, Location loc) {
    Value none = arith::ConstantOp::create(
        inner, loc, cast<TypedAttr>(b.getZeroAttr(element)));
    scf::YieldOp::create(inner, loc, none);
  };
  return scf::IfOp::create(b, exists, read, absent).getResult(0);
}

Value VectorOps::gather(Value view, ValueRange indices, bool vectors) {
  if (!vectors || llvm::none_of(indices, [](Value i) {
        return isa<VectorType>(i.getType());
      })) {
    Value scalar = gatherScalar(view, indices);
    return vectors ? splat(scalar) : scalar;
  }
  auto metadata = memref::ExtractStridedMetadataOp::create(b, view);
  Value exists, position = splat(metadata.getOffset());
  for (auto [dim, index] : llvm::enumerate(indices)) {
    Value vector = isa<VectorType>(index.getType()) ? index : splat(index);
    Value size = splat(metadata.getSizes()[dim]);
    Value one =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, vector, size);
    exists = exists ? Value(arith::AndIOp::create(b, exists, one)) : one;
    Value step =
        arith::MulIOp::create(b, vector, splat(metadata.getStrides()[dim]));
    position = arith::AddIOp::create(b, position, step);
  }
  // The whole buffer as one dimension; positions are checked above.
  Type element = viewOf(view).getElementType();
  auto flatType = MemRefType::get({ShapedType::kDynamic}, element);
  Value flat = memref::ReinterpretCastOp::create(
      b, flatType, metadata.getBaseBuffer(), /*offset=*/b.getIndexAttr(0),
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  return vector::GatherOp::create(b, type(element), flat, ValueRange{index(0)},
                                  position, exists, zero(type(element)));
}
