//===- Window.cpp - A tile's place in a view ------------------------------===//
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

/// The most that a number can be that is known not to be negative: a constant,
/// or the start of one of so many blocks.
static std::optional<int64_t> getMost(Value value) {
  if (std::optional<int64_t> number = getConstantIntValue(value))
    return *number < 0 ? std::nullopt : number;
  auto product = value.getDefiningOp<arith::MulIOp>();
  if (product) {
    std::optional<int64_t> lhs = getMost(product.getLhs()),
                           rhs = getMost(product.getRhs());
    return lhs && rhs ? std::optional(*lhs * *rhs) : std::nullopt;
  }
  auto rest = value.getDefiningOp<arith::RemUIOp>();
  std::optional<int64_t> count =
      rest ? getConstantIntValue(rest.getRhs()) : std::nullopt;
  return count && *count > 0 ? std::optional(*count - 1) : std::nullopt;
}

bool attn::isKnownInside(const Window &window, int64_t dim, int64_t end) {
  std::optional<int64_t> most = getMost(window.offsets[window.getDim(dim)]);
  int64_t size = window.getType().getDimSize(window.getDim(dim));
  return most && !ShapedType::isDynamic(size) && *most + end <= size;
}

Value attn::getParameter(Value view) {
  auto first = view.getDefiningOp<memref::SubViewOp>();
  auto areAll = [](ArrayRef<OpFoldResult> values, int64_t number) {
    return llvm::all_of(values, [=](OpFoldResult value) {
      return getConstantIntValue(value) == number;
    });
  };
  bool isFirst = first && areAll(first.getMixedOffsets(), 0) &&
                 areAll(first.getMixedStrides(), 1) &&
                 first.getType().getRank() == first.getSourceType().getRank();
  return isFirst ? getParameter(first.getSource()) : view;
}

bool attn::isMultiple(Value value, int64_t number) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant % number == 0;
  auto product = value.getDefiningOp<arith::MulIOp>();
  return product && (isMultiple(product.getLhs(), number) ||
                     isMultiple(product.getRhs(), number));
}

bool attn::storesPairs(tile::StoreOp op) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  Window window{op.getView(), op.getOffsets(), 2, op.getRows()};
  return type.getRank() == 2 && type.getElementTypeBitWidth() == 16 &&
         isa<scf::ForOp>(op->getParentOp()) && type.getDimSize(1) % 2 == 0 &&
         isa<BlockArgument>(getParameter(op.getView())) &&
         isKnownInside(window, 1, type.getDimSize(1)) &&
         isMultiple(op.getOffsets().back(), 2);
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
