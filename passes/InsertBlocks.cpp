//===- InsertBlocks.cpp - Rows of a block become part of a result ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/InsertBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

/// Inserts the first `sizes` of `block` into shared output `result` at `at`,
/// whose last dimensions are those of the block, `steps` apart.
static void insertPart(ImplicitLocOpBuilder &b, scf::ForallOp forall,
                       unsigned result, Value block,
                       ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> at,
                       ArrayRef<OpFoldResult> steps) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> offsets(sizes.size(), zero),
      strides(sizes.size(), one);
  Value existing =
      tensor::ExtractSliceOp::create(b, block, offsets, sizes, strides);
  SmallVector<OpFoldResult> atSizes(at.size() - sizes.size(), one);
  SmallVector<OpFoldResult> atStrides = atSizes;
  llvm::append_range(atSizes, sizes);
  llvm::append_range(atStrides, steps);

  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, existing, forall.getRegionIterArgs()[result], at, atSizes, atStrides);
}

void attn::insertRows(ImplicitLocOpBuilder &b, scf::ForallOp forall,
                      unsigned result, Value rows, ArrayRef<Value> outer,
                      Value row, Value numRows) {
  auto type = cast<RankedTensorType>(rows.getType());
  Value left = arith::SubIOp::create(b, numRows, row);
  OpFoldResult count = Value(arith::MinSIOp::create(
      b, left, arith::ConstantIndexOp::create(b, type.getDimSize(0))));
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes{count}, at(outer.begin(), outer.end());
  at.push_back(row);
  if (type.getRank() == 2) {
    sizes.push_back(b.getIndexAttr(type.getDimSize(1)));
    at.push_back(zero);
  }
  insertPart(b, forall, result, rows, sizes, at,
             SmallVector<OpFoldResult>(sizes.size(), one));
}

/// The rows of a box as a tensor with a dimension per axis.
static Value foldBox(ImplicitLocOpBuilder &b, ArrayRef<int64_t> box,
                     Value rows) {
  if (box.size() == 1)
    return rows;
  auto type = cast<RankedTensorType>(rows.getType());
  SmallVector<int64_t> shape(box);
  SmallVector<ReassociationIndices> dims(1);
  llvm::append_range(dims.front(), llvm::seq<int64_t>(box.size()));
  if (type.getRank() == 2) {
    dims.push_back({int64_t(box.size())});
    shape.push_back(type.getDimSize(1));
  }
  return tensor::ExpandShapeOp::create(b, type.clone(shape), rows, dims);
}

void attn::insertBox(ImplicitLocOpBuilder &b, scf::ForallOp forall,
                     unsigned result, Value rows, ArrayRef<Value> outer,
                     const BoxGrid &grid, ArrayRef<Value> first) {
  Value box = foldBox(b, grid.getBox(), rows);
  SmallVector<OpFoldResult> sizes, at(outer.begin(), outer.end()), steps;
  for (auto [count, token, step] :
       llvm::zip_equal(grid.countTokens(b, first), first, grid.getStep())) {
    sizes.push_back(count);
    at.push_back(token);
    steps.push_back(b.getIndexAttr(step));
  }
  if (auto type = cast<RankedTensorType>(rows.getType()); type.getRank() == 2) {
    sizes.push_back(b.getIndexAttr(type.getDimSize(1)));
    at.push_back(b.getIndexAttr(0));
    steps.push_back(b.getIndexAttr(1));
  }
  insertPart(b, forall, result, box, sizes, at, steps);
}
