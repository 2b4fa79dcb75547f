//===- SharedTiles.cpp - Tiles in shared memory ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

tile::SharedAttr attn::getSharedLayout(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? dyn_cast_if_present<tile::SharedAttr>(type.getEncoding())
              : tile::SharedAttr();
}

/// Banks of shared memory, of 32 bits each.
static constexpr int64_t kBanks = 32;

static RankedTensorType getSharedType(RankedTensorType type, int64_t padding,
                                      bool swizzle) {
  int64_t banks = kBanks * 32 / type.getElementTypeBitWidth();
  int64_t row = llvm::alignTo(type.getShape().back(), banks) + padding;
  auto layout = tile::SharedAttr::get(type.getContext(), row, swizzle,
                                      /*stages=*/1);
  return type.cloneWithEncoding(layout);
}

RankedTensorType attn::getSharedType(RankedTensorType type, bool swizzle) {
  return ::getSharedType(type, /*padding=*/0, swizzle);
}

RankedTensorType attn::getColumnsType(RankedTensorType type) {
  int64_t padding = type.getRank() == 2 ? 8 : 0;
  return ::getSharedType(type, padding, /*swizzle=*/false);
}

bool attn::isPadding(tile::ConcatOp op, int64_t columns) {
  SplatElementsAttr number;
  if (op.getParts().size() != 2 ||
      !matchPattern(op.getParts()[1], m_Constant(&number)))
    return false;
  auto first = cast<RankedTensorType>(op.getParts()[0].getType());
  return first.getDimSize(1) % columns != 0;
}

bool attn::isSameEverywhere(OpOperand &operand) {
  auto type = cast<RankedTensorType>(operand.get().getType());
  return matchPattern(operand.get(), m_Constant()) && type.getDimSize(1) == 1;
}

Value attn::getSharedSource(Value value) {
  while (true) {
    if (auto await = value.getDefiningOp<tile::AwaitOp>()) {
      value = await.getValue();
      continue;
    }
    if (auto load = value.getDefiningOp<tile::LoadOp>();
        load && load.getInto()) {
      value = load.getInto();
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(value);
    Operation *op =
        argument ? argument.getOwner()->getParentOp() : value.getDefiningOp();
    auto loop = dyn_cast<scf::ForOp>(op);
    if (!loop)
      return value;
    OpOperand *init = argument ? loop.getTiedLoopInit(argument)
                               : loop.getTiedLoopInit(cast<OpResult>(value));
    value = init->get();
  }
}

bool attn::hasOwnPlace(Value value) {
  return getSharedLayout(value) && getSharedSource(value) == value;
}

Value attn::getCarriedSource(Value value) {
  for (OpOperand &use : value.getUses())
    if (auto yield = dyn_cast<scf::YieldOp>(use.getOwner())) {
      auto loop = cast<scf::ForOp>(yield->getParentOp());
      return getSharedSource(loop.getInitArgs()[use.getOperandNumber()]);
    }
  return {};
}

LogicalResult attn::checkParameters(gpu::GPUFuncOp kernel) {
  for (BlockArgument parameter : kernel.getArguments())
    if (getSharedLayout(parameter))
      return kernel.emitOpError("takes ")
             << parameter.getType()
             << ", expected parameters that are not in shared memory";
  return success();
}

LogicalResult attn::checkPlaces(gpu::GPUFuncOp kernel) {
  if (failed(checkParameters(kernel)))
    return failure();
  WalkResult result = kernel.walk([](Operation *op) -> WalkResult {
    bool isShared = llvm::any_of(op->getResults(), hasOwnPlace);
    if (isShared && !op->hasAttr(kSharedOffsetAttr))
      return op->emitOpError("has no place in shared memory; run "
                             "'attn-gpu-allocate-shared' first");
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

Value attn::getBase(Value view) {
  while (auto part = view.getDefiningOp<ViewLikeOpInterface>())
    view = part.getViewSource();
  return view;
}

int64_t attn::getSharedOffset(Value value) {
  return getSharedSource(value)
      .getDefiningOp()
      ->getAttrOfType<IntegerAttr>(kSharedOffsetAttr)
      .getInt();
}

SharedShape attn::getSharedShape(RankedTensorType type) {
  constexpr int64_t columnMultiple = 8;
  if (type.getRank() == 1)
    return {1, type.getDimSize(0)};
  return {
      static_cast<int64_t>(llvm::alignTo(type.getDimSize(0), kRowMultiple)),
      static_cast<int64_t>(llvm::alignTo(type.getDimSize(1), columnMultiple))};
}

int64_t attn::getGroupColumns(RankedTensorType type) {
  return 128 / type.getElementTypeBitWidth();
}

bool attn::isNarrow(tile::DotOp dot) {
  auto rhs = cast<RankedTensorType>(dot.getRhs().getType());
  return rhs.getElementTypeBitWidth() == 16 || isTf32(dot);
}

bool attn::isTf32(tile::DotOp dot) {
  return dot.getPrecision() == tile::Precision::TF32;
}

RankedTensorType attn::getWordsType(RankedTensorType type, bool readsPairs) {
  int64_t padding = readsPairs ? kPairPadding : kWordPadding;
  return ::getSharedType(type, padding, /*swizzle=*/false);
}

bool attn::hasAlignedRows(tile::StoreOp store, int64_t columns) {
  auto view = dyn_cast<BlockArgument>(store.getView());
  auto kernel =
      view ? dyn_cast<gpu::GPUFuncOp>(view.getOwner()->getParentOp()) : nullptr;
  auto alignment = kernel ? kernel.getArgAttrOfType<IntegerAttr>(
                                view.getArgNumber(), kAlignmentAttr)
                          : nullptr;
  auto tile = cast<RankedTensorType>(store.getValue().getType());
  if (!alignment || tile.getRank() != 2)
    return false;
  auto type = cast<MemRefType>(view.getType());
  int64_t bytes = columns * tile.getElementTypeBitWidth() / 8;
  int64_t row = type.getShape().back();
  std::optional<int64_t> first = getConstantIntValue(store.getOffsets().back());
  return type.getLayout().isIdentity() && alignment.getInt() % bytes == 0 &&
         !ShapedType::isDynamic(row) && row % columns == 0 && first &&
         *first >= 0 && *first % columns == 0 &&
         *first + tile.getDimSize(1) <= row &&
         tile.getDimSize(1) % columns == 0;
}

int64_t attn::getSharedBytes(RankedTensorType type) {
  return getStageBytes(type) *
         cast<tile::SharedAttr>(type.getEncoding()).getStages();
}

RankedTensorType attn::getRingType(RankedTensorType type, int64_t stages) {
  auto layout = cast<tile::SharedAttr>(type.getEncoding());
  return type.cloneWithEncoding(tile::SharedAttr::get(
      type.getContext(), layout.getRow(), layout.getSwizzle(), stages));
}

int64_t attn::getStageBytes(RankedTensorType type) {
  int64_t row = cast<tile::SharedAttr>(type.getEncoding()).getRow();
  return getSharedShape(type).rows * row * (type.getElementTypeBitWidth() / 8);
}
