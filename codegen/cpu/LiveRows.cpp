//===- LiveRows.cpp - Rows of a block that exist --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/LiveRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

SmallVector<tile::StoreOp> attn::getRowStores(scf::ForallOp forall,
                                              int64_t rows) {
  SmallVector<tile::StoreOp> stores;
  WalkResult result = forall.walk([&](tile::StoreOp op) {
    auto type = cast<RankedTensorType>(op.getValue().getType());
    if (op->getBlock() != forall.getBody() || type.getDimSize(0) != rows)
      return WalkResult::interrupt();
    stores.push_back(op);
    return WalkResult::advance();
  });
  return result.wasInterrupted() ? SmallVector<tile::StoreOp>() : stores;
}

/// What `value`, an operand in a block, has become; null if not lowered yet.
static Value lookUp(Value value, tile::StoreOp user, const IRMapping &scalars) {
  if (Value lowered = scalars.lookupOrNull(value))
    return lowered;
  auto forall = user->getParentOfType<scf::ForallOp>();
  return forall->isAncestor(value.getParentRegion()->getParentOp()) ? Value()
                                                                    : value;
}

Value attn::countLiveStrips(ImplicitLocOpBuilder &b, VectorOps &vectors,
                            ArrayRef<tile::StoreOp> stores,
                            const IRMapping &scalars, int64_t rows,
                            int64_t width) {
  Value most;
  for (tile::StoreOp op : stores) {
    if (!op.getRows().empty()) // Rows of a box end anywhere.
      return {};
    int64_t dim = op.getOffsets().size() -
                  cast<RankedTensorType>(op.getValue().getType()).getRank();
    Value view = lookUp(op.getView(), op, scalars);
    Value offset = lookUp(op.getOffsets()[dim], op, scalars);
    if (!view || !offset)
      return {};
    Value size = memref::DimOp::create(b, view, vectors.index(dim));
    Value left = arith::SubIOp::create(b, size, offset);
    most = most ? Value(arith::MaxSIOp::create(b, most, left)) : left;
  }
  if (!most)
    return {};
  most = arith::MaxSIOp::create(b, most, vectors.index(0));
  most = arith::MinSIOp::create(b, most, vectors.index(rows));
  return arith::CeilDivUIOp::create(b, most, vectors.index(width));
}
