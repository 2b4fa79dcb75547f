//===- DistributeRounding.cpp - Numbers of 32 bits to 16 bits -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Devices round two numbers to 16 bits by one instruction, which leaves both in
// one register. That is what products of 16 bits read, and what is stored to
// shared memory. So elements of a thread are rounded in pairs, and a pair is
// taken apart only where somebody wants its elements: as numbers of 32 bits,
// those of a bf16 are a shift and a mask away.
//
// A number that is multiplied as the sum of terms is rounded, what is left of
// it is rounded, and so on. Where the terms are left operands alone, each pair
// is computed in front of the instruction that reads it: terms of a whole tile
// would be more registers than the tile.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Distributor.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace attn;

static bool isHalf(Type element) { return element.isF16() || element.isBF16(); }

bool attn::isRounding(Operation *op) {
  auto round = dyn_cast<arith::TruncFOp>(op);
  if (!round || !isa<RankedTensorType>(round.getType()))
    return false;
  auto from = cast<RankedTensorType>(round.getIn().getType());
  return from.getElementType().isF32() &&
         isHalf(getElementTypeOrSelf(round.getType())) &&
         ThreadTiles::getShape(from).size() % 2 == 0;
}

/// Whether the use of a tile hands it to another iteration of a loop.
static bool isCarried(OpOperand &use) {
  return isa<scf::ForOp, scf::YieldOp>(use.getOwner());
}

/// Whether the use of a tile that is rounded takes pairs as they are.
static bool isReadAsPair(OpOperand &use) {
  if (isCarried(use))
    return true;
  if (auto convert = dyn_cast<tile::ConvertLayoutOp>(use.getOwner()))
    return static_cast<bool>(getSharedLayout(convert));
  auto dot = dyn_cast<tile::DotOp>(use.getOwner());
  return dot && isNarrow(dot) && use.getOperandNumber() == 0;
}

bool Distributor::isReadInPairs(Value tile) {
  Operation *round = tile.getDefiningOp();
  return round && isRounding(round) &&
         llvm::all_of(tile.getUses(), isReadAsPair);
}

bool Distributor::isDelayed(Value tile) {
  if (auto known = delayed.find(tile); known != delayed.end())
    return known->second;
  Operation *op = tile.getDefiningOp();
  bool isComputed = op && updatesState() &&
                    OpTrait::hasElementwiseMappableTraits(op) &&
                    op->getNumResults() == 1 && !isa<arith::ConstantOp>(op);
  bool result = isComputed && llvm::all_of(tile.getUses(), [&](OpOperand &use) {
                  Operation *user = use.getOwner();
                  if (user->getBlock() != op->getBlock())
                    return false;
                  if (isRounding(op) && isReadAsPair(use))
                    return true;
                  return OpTrait::hasElementwiseMappableTraits(user) &&
                         user->getNumResults() == 1 &&
                         isDelayed(user->getResult(0));
                });
  return delayed[tile] = result;
}

Value Distributor::roundPair(Value low, Value high, Type element) {
  auto pair = VectorType::get(2, low.getType());
  Value both = vector::FromElementsOp::create(b, pair, ValueRange{low, high});
  both = LLVM::FPTruncOp::create(b, VectorType::get(2, element), both);
  return element.isF16()
             ? both
             : LLVM::BitcastOp::create(b, b.getI32Type(), both).getResult();
}

Value Distributor::getPair(Value tile, int64_t e) {
  Value &known = pairs[{tile.getAsOpaquePointer(), e}];
  if (known)
    return known;
  // Others may read it outside of the loop or branch that does first.
  OpBuilder::InsertionGuard insertion(b);
  Operation *round = tile.getDefiningOp();
  for (Block *at = b.getInsertionBlock(); at != round->getBlock();
       at = b.getInsertionBlock())
    b.setInsertionPoint(at->getParentOp());
  Value wide = round->getOperand(0);
  Value low = getPiece(wide, e), high = getPiece(wide, e + 1);
  return known = roundPair(low, high, tileOf(tile).getElementType());
}

bool Distributor::hasPairs(Value tile) {
  Operation *op = tile.getDefiningOp();
  return (op && isRounding(op)) ||
         pairs.contains({tile.getAsOpaquePointer(), 0});
}

SmallVector<Value> Distributor::getPairs(Value tile) {
  Values result;
  for (int64_t e = 0, count = ThreadTiles::getShape(tileOf(tile)).size();
       e < count; e += 2)
    result.push_back(getPair(tile, e));
  return result;
}

void Distributor::setPairs(Value tile, ValueRange values) {
  for (auto [place, value] : llvm::enumerate(values))
    pairs[{tile.getAsOpaquePointer(), int64_t(2 * place)}] = value;
}

void Distributor::roundCarried(Value tile) {
  if (isReadInPairs(tile) && llvm::any_of(tile.getUses(), isCarried))
    getPairs(tile);
}

Value Distributor::joinPair(Value low, Value high) {
  auto bits = [&](Value value) -> Value {
    return arith::BitcastOp::create(b, b.getI16Type(), value);
  };
  Value both = vector::FromElementsOp::create(
      b, VectorType::get(2, b.getI16Type()), ValueRange{bits(low), bits(high)});
  return LLVM::BitcastOp::create(b, b.getI32Type(), both);
}

Value Distributor::widen(Value pair, bool upper) {
  auto number = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  };
  Value bits = upper ? Value(arith::AndIOp::create(b, pair, number(-0x10000)))
                     : Value(arith::ShLIOp::create(b, pair, number(16)));
  return arith::BitcastOp::create(b, b.getF32Type(), bits);
}

Value Distributor::getRounded(Value tile, int64_t e) {
  Value both = getPair(tile, e / 2 * 2);
  Type element = tileOf(tile).getElementType();
  if (element.isF16())
    return vector::ExtractOp::create(b, both, e % 2);
  if (e % 2)
    both = arith::ShRUIOp::create(
        b, both, arith::ConstantOp::create(b, b.getI32IntegerAttr(16)));
  return arith::BitcastOp::create(
      b, element, arith::TruncIOp::create(b, b.getI16Type(), both));
}
