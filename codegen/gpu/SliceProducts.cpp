//===- SliceProducts.cpp - Products of wide operands, piece by piece ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The right operand of a product lies in shared memory as a whole. One that is
// too large is cut into slices, which are read one after the other into the
// same place:
//
// - a transposed one, keys, along its columns, the depth of the product. The
//   products of the slices are added up.
// - a plain one, values or a matrix, along its columns, those of the result;
// and
//   if that is not enough, along its rows, the depth again.
//
// TileSlices.h tells how slices are made.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Passes.h"
#include "codegen/gpu/Resources.h"
#include "codegen/gpu/TileSlices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace attn {
#define GEN_PASS_DEF_GPUSLICEPRODUCTS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// Cuts one product.
class ProductCutter {
public:
  ProductCutter(tile::DotOp op, int64_t bytes, Slicer &left)
      : op(op), bytes(bytes), left(left), b(op.getLoc(), op) {}

  void run();

private:
  /// Bytes that a slice would have in elements of 32 bits.
  int64_t getWideBytes(RankedTensorType type) const {
    return bytes * 32 / type.getElementTypeBitWidth();
  }
  Value multiply(Value lhs, Value rhs, Value init);
  Value addUp(Value rhs, ArrayRef<Cut> depths, Value init);
  Value cutDepth(Value rhs, Value init);
  void cutColumns();

  tile::DotOp op;
  int64_t bytes;
  Slicer &left; ///< Shared by all products of a query.
  ImplicitLocOpBuilder b;
};
} // namespace

Value ProductCutter::multiply(Value lhs, Value rhs, Value init) {
  return tile::DotOp::create(b, init.getType(), lhs, rhs, init,
                             op.getTransposeRhsAttr(), op.getTransposeLhsAttr(),
                             op.getBetweenAttr(), op.getPrecision());
}

/// Adds the products of slices of the depth, each summed from zero on but for
/// the first. The left operand is cut where it is defined, in front of a loop.
Value ProductCutter::addUp(Value rhs, ArrayRef<Cut> depths, Value init) {
  auto type = cast<RankedTensorType>(init.getType());
  Value total;
  for (Cut depth : depths) {
    Value lhs = left.cut(op.getLhs(), {1, depth.start, depth.size});
    Value right = Slicer(op, /*isLate=*/true).cut(rhs, depth);
    if (!total) {
      total = multiply(lhs, right, init);
      continue;
    }
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    total = arith::AddFOp::create(b, total, multiply(lhs, right, zero));
  }
  return total;
}

/// A plain product of whose right operand the rows are cut, if they can be.
Value ProductCutter::cutDepth(Value rhs, Value init) {
  RankedTensorType type = tileOf(rhs);
  int64_t rows = getSliceRows(type.getDimSize(1), getWideBytes(type));
  // The rows of a transposed left operand cannot be cut.
  if (type.getDimSize(0) <= rows || !getMovableLoad(rhs) ||
      op.getTransposeLhs())
    return multiply(op.getLhs(), rhs, init);
  SmallVector<Cut> cuts;
  for (int64_t start = 0; start < type.getDimSize(0); start += rows)
    cuts.push_back({0, start, std::min(rows, type.getDimSize(0) - start)});
  return addUp(rhs, cuts, init);
}

/// Most columns of a slice of a plain operand: a thread reads a part of all of
/// them at once, into registers.
static constexpr int64_t kMostColumns = 128;

/// A plain product of whose right operand the columns are cut, and the rows of
/// the slices.
void ProductCutter::cutColumns() {
  SmallVector<Value> results;
  RankedTensorType type = tileOf(op.getRhs());
  int64_t columns = getSliceColumns(type.getDimSize(0), getWideBytes(type));
  columns = std::min(columns, kMostColumns);
  for (Cut cut : getColumnCuts(op.getRhs(), columns)) {
    Slicer slicer(op, /*isLate=*/true);
    Value init = slicer.cut(op.getInit(), cut);
    results.push_back(cutDepth(slicer.cut(op.getRhs(), cut), init));
  }
  Value whole = results.front();
  if (results.size() > 1)
    whole = tile::ConcatOp::create(b, op.getType(), results);
  op.replaceAllUsesWith(whole);
}

void ProductCutter::run() {
  RankedTensorType type = tileOf(op.getRhs());
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  int64_t most = getWideBytes(type);
  if (getOperandBytes(rows, columns) <= most ||
      (op.getTransposeLhs() && op.getTransposeRhs()))
    return;
  if (op.getTransposeRhs())
    op.replaceAllUsesWith(addUp(
        op.getRhs(), getColumnCuts(op.getRhs(), getSliceColumns(rows, most)),
        op.getInit()));
  else
    cutColumns();
  op.erase();
}

namespace {
struct GpuSliceProducts : attn::impl::GpuSliceProductsBase<GpuSliceProducts> {
  using GpuSliceProductsBase::GpuSliceProductsBase;

  void runOnOperation() override {
    SmallVector<tile::DotOp> products;
    getOperation().walk([&](tile::DotOp op) { products.push_back(op); });
    Slicer left(getOperation(), /*isLate=*/false);
    for (tile::DotOp product : products)
      ProductCutter(product, bytes, left).run();
  }
};
} // namespace
