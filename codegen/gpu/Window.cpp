//===- Window.cpp - A tile's place in a view -----------------------------===//
//-----------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Window.h"
#include "codegen/gpu/RowIndices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace attn;

Value attn::getSize(ImplicitLocOpBuilder &b, const Window &window,
                    int64_t dim) {
  return memref::DimOp::create(b, window.view, dim);
}

Value attn::isBelow(ImplicitLocOpBuilder &b, Value position, Value size) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, position, size);
}

Value attn::testLeading(ImplicitLocOpBuilder &b, const Window &window) {
  Value result;
  for (int64_t dim = 0; dim < window.getRowDim(); ++dim) {
    std::optional<int64_t> offset = getConstantIntValue(window.offsets[dim]);
    int64_t size = window.getType().getDimSize(dim);
    if (offset && !ShapedType::isDynamic(size) && *offset >= 0 &&
        *offset < size)
      continue;
    Value inside = isBelow(b, window.offsets[dim], getSize(b, window, dim));
    result = result ? arith::AndIOp::create(b, result, inside) : inside;
  }
  return result;
}

bool attn::isKnownInside(const Window &window, int64_t dim, int64_t end) {
  std::optional<int64_t> offset =
      getConstantIntValue(window.offsets[window.getDim(dim)]);
  int64_t size = window.getType().getDimSize(window.getDim(dim));
  return offset && *offset >= 0 && !ShapedType::isDynamic(size) &&
         *offset + end <= size;
}

SmallVector<Value> attn::getPositions(ImplicitLocOpBuilder &b,
                                      const Window &window, ValueRange at) {
  SmallVector<Value> result(window.offsets);
  for (auto [number, vector] : llvm::enumerate(window.rows)) {
    Value &position = result[window.getRowDim() + number];
    position = arith::AddIOp::create(b, position, evaluateAt(b, vector, at[0]));
  }
  for (auto [dim, index] : llvm::enumerate(at)) {
    if (dim == 0 && window.isIndexed())
      continue;
    Value &position = result[window.getDim(dim)];
    position = arith::AddIOp::create(b, position, index);
  }
  return result;
}

Value attn::testRow(ImplicitLocOpBuilder &b, const Window &window, Value row) {
  Value result;
  for (auto [number, vector] : llvm::enumerate(window.rows)) {
    int64_t dim = window.getRowDim() + number;
    Value position = arith::AddIOp::create(b, window.offsets[dim],
                                           evaluateAt(b, vector, row));
    Value inside = isBelow(b, position, getSize(b, window, dim));
    result = result ? arith::AndIOp::create(b, result, inside) : inside;
  }
  return result;
}

SmallVector<Value> attn::guard(ImplicitLocOpBuilder &b, Value condition,
                               TypeRange types,
                               llvm::function_ref<SmallVector<Value>()> body) {
  if (!condition)
    return body();
  OpBuilder::InsertionGuard insertion(b);
  if (types.empty()) {
    auto choice = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    b.setInsertionPointToStart(choice.thenBlock());
    body();
    return {};
  }
  auto choice = scf::IfOp::create(b, types, condition, /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, body());
  b.setInsertionPointToStart(choice.elseBlock());
  SmallVector<Value> zeros;
  for (Type type : types)
    zeros.push_back(arith::ConstantOp::create(b, b.getZeroAttr(type)));
  scf::YieldOp::create(b, zeros);
  return choice.getResults();
}
