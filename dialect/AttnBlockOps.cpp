//===- AttnBlockOps.cpp - Verifiers of the ops that list blocks -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The labels in comments are those of the constraints in docs/spec.md.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnChecks.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Sizes of blocks are those of schedules.
static bool isBlockSize(int64_t size) { return size >= 1 && size <= 4096; }

//===----------------------------------------------------------------------===//
// attn.block_bounds
//===----------------------------------------------------------------------===//

LogicalResult BlockBoundsOp::verify() {
  RankedTensorType table = tensorOf(getTable()), result = tensorOf(getLeast());
  Type element = table.getElementType();
  if (!element.isIndex() &&
      (!element.isSignlessInteger() || element.getIntOrFloatBitWidth() < 8 ||
       element.getIntOrFloatBitWidth() > 64))
    return emitOpError("'table' must have integers of 8 to 64 bits or index, "
                       "got ") // block_bounds_c1
           << table;
  if (int64_t(getAlong()) < 0 || int64_t(getAlong()) >= table.getRank())
    return emitOpError("'along' must be a dimension of 'table', below ")
           << table.getRank() << ", got " << getAlong(); // block_bounds_c2
  if (!isBlockSize(getWidth()))                          // block_bounds_c3
    return emitOpError("'width' must be between 1 and 4096, got ")
           << getWidth();
  SmallVector<int64_t> shape(table.getShape());
  int64_t &size = shape[getAlong()];
  if (!ShapedType::isDynamic(size))
    size = llvm::divideCeil(size, getWidth());
  if (result.getElementType() != element ||
      failed(verifyCompatibleShape(result.getShape(), shape)))
    return emitOpError("results must be ") // block_bounds_c4
           << RankedTensorType::get(shape, element) << ", got " << result;
  return success();
}

LogicalResult
BlockBoundsOp::reifyResultShapes(OpBuilder &builder,
                                 ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> shape =
      tensor::getMixedSizes(builder, getLoc(), getTable());
  RankedTensorType table = tensorOf(getTable());
  if (table.isDynamicDim(getAlong())) {
    Value width = arith::ConstantIndexOp::create(builder, getLoc(), getWidth());
    Value size = cast<Value>(shape[getAlong()]);
    shape[getAlong()] =
        arith::CeilDivSIOp::create(builder, getLoc(), size, width).getResult();
  } else {
    shape[getAlong()] = builder.getIndexAttr(
        llvm::divideCeil(table.getDimSize(getAlong()), getWidth()));
  }
  // What the type says statically wins.
  for (auto [dim, size] : llvm::enumerate(tensorOf(getLeast()).getShape()))
    if (!ShapedType::isDynamic(size))
      shape[dim] = builder.getIndexAttr(size);
  shapes = {shape, shape};
  return success();
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

LogicalResult attn::verifyBlockList(Operation *op, ArrayRef<int64_t> sizes,
                                    RankedTensorType offsets,
                                    RankedTensorType blocks) {
  if (sizes.size() != 2 || !llvm::all_of(sizes, isBlockSize))
    return op->emitOpError("'block_sizes' must be two numbers between 1 and "
                           "4096, those of queries and of keys, got [")
           << sizes << "]";
  for (auto [name, type] : {std::pair("offsets", offsets), {"blocks", blocks}})
    if (type.getRank() != 3 || !type.getElementType().isSignlessInteger(32))
      return op->emitOpError()
             << "'" << name
             << "' must be a tensor of i32 of rank 3 ([batches, heads, "
                "entries]), got "
             << type;
  if (failed(verifyCompatibleShape(offsets.getShape().take_front(2),
                                   blocks.getShape().take_front(2))))
    return op->emitOpError("'offsets' and 'blocks' must have the same batches "
                           "and heads, got ")
           << offsets << " and " << blocks;
  return success();
}

LogicalResult BlockListOp::verify() {
  if (failed(verifyBlockList( // block_list_c1
          *this, getBlockSizes(), tensorOf(getOffsets()),
          tensorOf(getBlocks()))))
    return failure();
  if (!tensorOf(getOffsets()).isDynamicDim(2) ||
      !tensorOf(getBlocks()).isDynamicDim(2)) // block_list_c2
    return emitOpError("'offsets' and 'blocks' must have a dynamic number of "
                       "entries, got ")
           << getOffsets().getType() << " and " << getBlocks().getType();
  for (auto [dim, name, given] :
       {std::tuple(0, "batches", getBatches()), {1, "heads", getHeads()}})
    if (tensorOf(getOffsets()).isDynamicDim(dim) != bool(given) ||
        tensorOf(getBlocks()).isDynamicDim(dim) != bool(given))
      return emitOpError("'") << name // block_list_c3
                              << "' must be given where the results have a "
                                 "dynamic number of them, and only there";
  return success();
}

LogicalResult BlockListOp::verifyRegions() {
  if (getClasses().empty()) // block_list_c4
    return emitOpError("region 'classes' must not be empty");
  if (failed(verifyClassesRegion(*this, getClasses())))
    return failure();
  return verifyKeysRegion(*this, getKeys());
}

LogicalResult
BlockListOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  SmallVector<OpFoldResult> shape;
  for (auto [dim, given] : {std::pair(0, getBatches()), {1, getHeads()}})
    shape.push_back(
        given ? OpFoldResult(given)
              : builder.getIndexAttr(tensorOf(getOffsets()).getDimSize(dim)));
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value rows = arith::CeilDivSIOp::create(builder, loc, getQueries(),
                                          constant(getBlockSizes()[0]));
  Value twice = arith::MulIOp::create(builder, loc, rows, constant(2));
  Value ends = arith::AddIOp::create(builder, loc, twice, constant(1));
  SmallVector<OpFoldResult> offsets = shape, blocks = shape;
  offsets.push_back(ends);
  blocks.push_back(getCapacity());
  shapes = {offsets, blocks};
  return success();
}
