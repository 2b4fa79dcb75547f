//===- ScalarLoops.cpp - The vocabulary of the executable definition -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/reference/ScalarLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

Value reference::index(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value reference::number(ImplicitLocOpBuilder &b, Type type, double value) {
  return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
}

Value reference::size(ImplicitLocOpBuilder &b, Value shaped, int64_t dim) {
  auto type = cast<ShapedType>(shaped.getType());
  if (!type.isDynamicDim(dim))
    return index(b, type.getDimSize(dim));
  if (isa<MemRefType>(type))
    return memref::DimOp::create(b, shaped, dim);
  return tensor::DimOp::create(b, shaped, dim);
}

SmallVector<Value> reference::sizes(ImplicitLocOpBuilder &b, Value shaped) {
  SmallVector<Value> result;
  for (int64_t dim = 0; dim < cast<ShapedType>(shaped.getType()).getRank();
       ++dim)
    result.push_back(size(b, shaped, dim));
  return result;
}

Value reference::convert(ImplicitLocOpBuilder &b, Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  return from < to ? Value(arith::ExtFOp::create(b, type, value))
                   : Value(arith::TruncFOp::create(b, type, value));
}

Value reference::roundToTf32(ImplicitLocOpBuilder &b, Value value) {
  auto word = [&](int32_t bits) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(bits));
  };
  Value exponent = word(0x7F800000), zero = word(0), half = word(0x1000);
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), value);
  Value isFinite =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                            arith::AndIOp::create(b, bits, exponent), exponent);
  bits = arith::AddIOp::create(
      b, bits, arith::SelectOp::create(b, isFinite, half, zero));
  bits = arith::AndIOp::create(b, bits, word(~0x1FFF));
  return arith::BitcastOp::create(b, value.getType(), bits);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Value reference::read(ImplicitLocOpBuilder &b, Value shaped,
                      ValueRange indices) {
  if (isa<MemRefType>(shaped.getType()))
    return memref::LoadOp::create(b, shaped, indices);
  return tensor::ExtractOp::create(b, shaped, indices);
}

Value reference::isInside(ImplicitLocOpBuilder &b, Value shaped,
                          ValueRange indices) {
  Value inside = arith::ConstantIntOp::create(b, 1, 1);
  for (auto [at, end] : llvm::zip_equal(indices, sizes(b, shaped))) {
    // Seen as an unsigned number, a negative index is too large.
    Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, end);
    inside = arith::AndIOp::create(b, inside, fits);
  }
  return inside;
}

Value reference::readOrZero(ImplicitLocOpBuilder &b, Value shaped,
                            ValueRange indices) {
  Type element = getElementTypeOrSelf(shaped.getType());
  return choose(
      b, isInside(b, shaped, indices), [&] { return read(b, shaped, indices); },
      [&] { return arith::ConstantOp::create(b, b.getZeroAttr(element)); });
}

Value reference::choose(ImplicitLocOpBuilder &b, Value condition,
                        function_ref<Value()> then,
                        function_ref<Value()> otherwise) {
  OpBuilder::InsertionGuard guard(b);
  // The type of the result is known once its first value is made.
  Block *block = b.getInsertionBlock();
  auto position = b.getInsertionPoint();
  auto body = std::make_unique<Region>();
  b.createBlock(body.get());
  Value first = then();
  scf::YieldOp::create(b, first);

  b.setInsertionPoint(block, position);
  auto branch = scf::IfOp::create(b, first.getType(), condition,
                                  /*withElseRegion=*/true);
  branch.getThenRegion().takeBody(*body);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, otherwise());
  return branch.getResult(0);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Those of `sizes` that `type` does not state.
static SmallVector<Value> dynamicSizes(RankedTensorType type,
                                       ValueRange sizes) {
  SmallVector<Value> dynamic;
  for (auto [size, extent] : llvm::zip_equal(sizes, type.getShape()))
    if (ShapedType::isDynamic(extent))
      dynamic.push_back(size);
  return dynamic;
}

Value reference::empty(ImplicitLocOpBuilder &b, RankedTensorType type,
                       ValueRange sizes) {
  return tensor::EmptyOp::create(b, type, dynamicSizes(type, sizes));
}

Value reference::generate(ImplicitLocOpBuilder &b, RankedTensorType type,
                          ValueRange sizes,
                          function_ref<Value(ValueRange)> element) {
  auto op = tensor::GenerateOp::create(b, type, dynamicSizes(type, sizes));
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> indices(type.getRank(), b.getIndexType());
  SmallVector<Location> locations(type.getRank(), b.getLoc());
  Block *body = b.createBlock(&op.getBody(), {}, indices, locations);
  tensor::YieldOp::create(b, element(body->getArguments()));
  return op;
}

Value reference::generate(ImplicitLocOpBuilder &b, RankedTensorType type,
                          function_ref<Value(ValueRange)> element) {
  SmallVector<Value> sizes;
  for (int64_t extent : type.getShape())
    sizes.push_back(index(b, extent));
  return generate(b, type, sizes, element);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Carried reference::fold(ImplicitLocOpBuilder &b, ValueRange counts,
                        ValueRange init,
                        function_ref<Carried(ValueRange, ValueRange)> step) {
  SmallVector<scf::ForOp> nest;
  SmallVector<Value> indices;
  OpBuilder::InsertionGuard guard(b);
  Carried carried(init);
  for (Value count : counts) {
    auto loop = scf::ForOp::create(b, index(b, 0), count, index(b, 1), carried);
    b.setInsertionPointToStart(loop.getBody());
    nest.push_back(loop);
    indices.push_back(loop.getInductionVar());
    carried.assign(loop.getRegionIterArgs().begin(),
                   loop.getRegionIterArgs().end());
  }
  carried = step(indices, carried);
  // Loops that carry nothing have their terminator already.
  for (scf::ForOp loop : llvm::reverse(nest)) {
    if (init.empty())
      break;
    b.setInsertionPointToEnd(loop.getBody());
    scf::YieldOp::create(b, carried);
    carried.assign(loop.getResults().begin(), loop.getResults().end());
  }
  return carried;
}

Value reference::sum(ImplicitLocOpBuilder &b, Value count, Value init,
                     function_ref<Value(Value)> term) {
  return fold(b, count, init, [&](ValueRange at, ValueRange so) -> Carried {
    return {arith::AddFOp::create(b, so[0], term(at[0]))};
  })[0];
}

Value reference::max(ImplicitLocOpBuilder &b, Value count, Value init,
                     function_ref<Value(Value)> term) {
  return fold(b, count, init, [&](ValueRange at, ValueRange so) -> Carried {
    return {arith::MaximumFOp::create(b, so[0], term(at[0]))};
  })[0];
}

Value reference::product(ImplicitLocOpBuilder &b, Value count, Value init,
                         function_ref<Value(Value)> factor) {
  return fold(b, count, init, [&](ValueRange at, ValueRange so) -> Carried {
    return {arith::MulFOp::create(b, so[0], factor(at[0]))};
  })[0];
}

Value reference::isInRange(ImplicitLocOpBuilder &b, ValueRange ranges,
                           int64_t rows, ValueRange at) {
  Value group = arith::DivUIOp::create(b, at[0], index(b, rows));
  Value begin = ranges[0], end = ranges[1];
  for (size_t n = 1; 2 * n < ranges.size(); ++n) {
    Value isThis =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, group, index(b, n));
    begin = arith::SelectOp::create(b, isThis, ranges[2 * n], begin);
    end = arith::SelectOp::create(b, isThis, ranges[2 * n + 1], end);
  }
  Value from =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, at[1], begin);
  Value to = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, at[1], end);
  return arith::AndIOp::create(b, from, to);
}
