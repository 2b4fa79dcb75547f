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
#include "mlir/IR/Matchers.h"
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

/// Checks the type of offsets or numbers of blocks.
static LogicalResult verifyListType(Operation *op, StringRef name,
                                    RankedTensorType type) {
  if (type.getRank() != 3 || !type.getElementType().isSignlessInteger(32))
    return op->emitOpError()
           << "'" << name
           << "' must be a tensor of i32 of rank 3 ([batches, heads, "
              "entries]), got "
           << type;
  return success();
}

/// Checks the types of a list.
static LogicalResult verifyListTypes(Operation *op, RankedTensorType offsets,
                                     RankedTensorType blocks) {
  for (auto [name, type] : {std::pair("offsets", offsets), {"blocks", blocks}})
    if (failed(verifyListType(op, name, type)))
      return failure();
  if (failed(verifyCompatibleShape(offsets.getShape().take_front(2),
                                   blocks.getShape().take_front(2))))
    return op->emitOpError("'offsets' and 'blocks' must have the same batches "
                           "and heads, got ")
           << offsets << " and " << blocks;
  return success();
}

LogicalResult attn::verifyBlockList(Operation *op, ArrayRef<int64_t> sizes,
                                    RankedTensorType offsets,
                                    RankedTensorType blocks) {
  if (sizes.size() != 2 || !llvm::all_of(sizes, isBlockSize))
    return op->emitOpError("'block_sizes' must be two numbers between 1 and "
                           "4096, those of queries and of keys, got [")
           << sizes << "]";
  return verifyListTypes(op, offsets, blocks);
}

/// Checks axes and boxes of a list.
static LogicalResult verifyBoxes(BlockListOp op) {
  size_t axes = op.getQueries().size();
  if (axes < 1 || axes > size_t(kMostAxes) ||
      op.getKeyCount().size() != axes) // block_list_c5
    return op.emitOpError("'queries' and 'keys' must have a size for each of 1 "
                          "to ")
           << kMostAxes << " axes of tokens, got " << axes << " and "
           << op.getKeyCount().size();
  if (!op.getBoxQ() && !op.getBoxK() && !op.getStep() && axes == 1)
    return success();
  // Numbers of boxes mean what they mean to schedules.
  auto fail = [&] { return op.emitOpError("boxes of a list: "); };
  if (!op.getBoxQ() || op.getBoxQ()->size() != axes) // block_list_c6
    return fail() << "'box_q', 'box_k' and 'step' must have a size for each of "
                     "the "
                  << axes << " axes of tokens, got "
                  << listSizes(op.getBoxQAttr());
  if (failed(ScheduleAttr::verify(fail, op.getBlockSizes()[0],
                                  op.getBlockSizes()[1], /*splits=*/0,
                                  /*warps=*/0,
                                  /*stages=*/0, /*overlap=*/0, /*resident=*/0,
                                  op.getBoxQAttr(), op.getBoxKAttr(),
                                  op.getStepAttr()))) // block_list_c6
    return failure();
  if (op.getShift() || !op.getKeys().empty()) // block_list_c7
    return op.emitOpError("cannot have 'shift' or a region 'keys' with boxes: "
                          "they are those of one axis");
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
  return verifyBoxes(*this);
}

LogicalResult BlockListOp::verifyRegions() {
  if (getClasses().empty()) // block_list_c4
    return emitOpError("region 'classes' must not be empty");
  if (failed(verifyClassesRegion(*this, getClasses(), getNumAxes())))
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
  Value rows;
  ArrayRef<int64_t> box = getBoxQ().value_or(getBlockSizes().take_front());
  for (auto [axis, size] : llvm::enumerate(getQueries())) {
    int64_t step = getStep() ? (*getStep())[axis] : 1;
    Value boxes = arith::CeilDivSIOp::create(
        builder, loc,
        step == 1
            ? size
            : arith::CeilDivSIOp::create(builder, loc, size, constant(step))
                  .getResult(),
        constant(box[axis]));
    if (step != 1)
      boxes = arith::MulIOp::create(builder, loc, boxes, constant(step));
    rows = rows ? arith::MulIOp::create(builder, loc, rows, boxes) : boxes;
  }
  Value twice = arith::MulIOp::create(builder, loc, rows, constant(2));
  Value ends = arith::AddIOp::create(builder, loc, twice, constant(1));
  SmallVector<OpFoldResult> offsets = shape, blocks = shape;
  offsets.push_back(ends);
  blocks.push_back(getCapacity());
  shapes = {offsets, blocks};
  return success();
}

//===----------------------------------------------------------------------===//
// attn.transpose_list
//===----------------------------------------------------------------------===//

/// Whether `type` is a list of numbers per batch and head, as many as there are
/// in `offsets`, and of how many only the program knows.
static bool isListLike(RankedTensorType type, RankedTensorType offsets) {
  return type.getRank() == 3 && type.getElementType().isSignlessInteger(32) &&
         type.isDynamicDim(2) &&
         type.getShape().take_front(2) == offsets.getShape().take_front(2);
}

/// The number that `count` is if it is a constant below zero.
static std::optional<int64_t> findNegative(Value count) {
  APInt constant;
  if (matchPattern(count, m_ConstantInt(&constant)) && constant.isNegative())
    return constant.getSExtValue();
  return std::nullopt;
}

/// The type of which `isListLike` is true.
static RankedTensorType getListLike(RankedTensorType offsets) {
  SmallVector<int64_t> shape(offsets.getShape().take_front(2));
  shape.push_back(ShapedType::kDynamic);
  return offsets.clone(shape);
}

LogicalResult TransposeListOp::verify() {
  RankedTensorType offsets = tensorOf(getOffsets());
  if (failed(verifyListTypes(*this, offsets, // transpose_list_c1
                             tensorOf(getBlocks()))))
    return failure();
  int64_t ends = offsets.getDimSize(2);
  if (!ShapedType::isDynamic(ends) && ends % 2 == 0) // transpose_list_c3
    return emitOpError("'offsets' must have an odd number of entries, 2 R + 1 "
                       "of a list of R rows, got ")
           << offsets;
  if (std::optional<int64_t> columns = findNegative(getColumns()))
    return emitOpError("'columns' must not be negative, got ")
           << *columns; // transpose_list_c4
  for (auto [name, result] : {std::pair("new_offsets", getNewOffsets()),
                              {"new_blocks", getNewBlocks()}})
    if (!isListLike(tensorOf(result), offsets)) // transpose_list_c2
      return emitOpError("'") << name << "' must be " << getListLike(offsets)
                              << ", as 'offsets' has these batches and heads, "
                                 "got "
                              << result.getType();
  return success();
}

/// The batches and heads of `offsets`, and then `entries`.
static SmallVector<OpFoldResult> getListShape(OpBuilder &builder, Location loc,
                                              Value offsets,
                                              OpFoldResult entries) {
  return {tensor::getMixedSize(builder, loc, offsets, 0),
          tensor::getMixedSize(builder, loc, offsets, 1), entries};
}

LogicalResult
TransposeListOp::reifyResultShapes(OpBuilder &builder,
                                   ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value two = arith::ConstantIndexOp::create(builder, loc, 2);
  Value parts = arith::MulIOp::create(builder, loc, getColumns(), two);
  Value ends = arith::AddIOp::create(builder, loc, parts, one);
  OpFoldResult room = tensor::getMixedSize(builder, loc, getBlocks(), 2);
  // A size of the result is dynamic even where that of the operand is not.
  room = getValueOrCreateConstantIndexOp(builder, loc, room);
  shapes = {getListShape(builder, loc, getOffsets(), ends),
            getListShape(builder, loc, getOffsets(), room)};
  return success();
}

//===----------------------------------------------------------------------===//
// attn.block_order
//===----------------------------------------------------------------------===//

LogicalResult BlockOrderOp::verify() {
  RankedTensorType offsets = tensorOf(getOffsets());
  if (failed(verifyListType(*this, "offsets", offsets))) // block_order_c1
    return failure();
  if (!isListLike(tensorOf(getOrder()), offsets)) // block_order_c2
    return emitOpError("'order' must be ")
           << getListLike(offsets)
           << ", as 'offsets' has these batches and heads, got "
           << getOrder().getType();
  constexpr int64_t most = 255;
  if (getCosts().size() != 2 || llvm::any_of(getCosts(), [](int64_t cost) {
        return cost < 1 || cost > most;
      })) // block_order_c3
    return emitOpError("'costs' must be two numbers between 1 and ")
           << most << ", those of full and of mixed blocks, got [" << getCosts()
           << "]";
  if (std::optional<int64_t> count = findNegative(getCount()))
    return emitOpError("'count' must not be negative, got ")
           << *count; // block_order_c4
  return success();
}

LogicalResult
BlockOrderOp::reifyResultShapes(OpBuilder &builder,
                                ReifiedRankedShapedTypeDims &shapes) {
  shapes = {getListShape(builder, getLoc(), getOffsets(), getCount())};
  return success();
}
