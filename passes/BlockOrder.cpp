//===- BlockOrder.cpp - Long blocks of queries first ------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/BlockOrder.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

/// What a block of keys costs, without and with a mask. Of 16-bit kernels for
/// sm_80, loops over both have 498 and 883 instructions (PTX) in
/// variants/local/document-window.mlir, 606 and 823 in clear.mlir.
static constexpr int64_t kCosts[] = {2, 3};

/// The most blocks of a head: sorting is quadratic.
static constexpr int64_t kMostBlocks = 16384;

/// One block of so many is visited before the others of all heads.
static constexpr int64_t kShare = 4;

BlockOrder::BlockOrder(ImplicitLocOpBuilder &b, Value offsets,
                       ArrayRef<Value> grid, int64_t atOnce)
    : batches(grid[0]), heads(grid[1]), blocks(grid[2]) {
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  Value all = arith::MulIOp::create(b, blocks,
                                    arith::MulIOp::create(b, batches, heads));
  // Both must be positive; packages know no conjunctions.
  Value waiting = arith::SubIOp::create(b, all, number(atOnce));
  Value below = arith::SubIOp::create(b, number(kMostBlocks + 1), blocks);
  Value isWorthIt = arith::CmpIOp::create(
      b, arith::CmpIPredicate::sgt, arith::MinSIOp::create(b, waiting, below),
      number(0));
  count = arith::SelectOp::create(b, isWorthIt, blocks, number(0));
  auto type = cast<RankedTensorType>(offsets.getType());
  SmallVector<int64_t> shape(type.getShape().take_front(2));
  shape.push_back(ShapedType::kDynamic);
  order = BlockOrderOp::create(b, type.clone(shape), offsets, count, kCosts);
}

BlockPlace BlockOrder::getPlace(ImplicitLocOpBuilder &b,
                                const BlockPlace &place) const {
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  auto add = [&](Value x, Value y) -> Value {
    return arith::AddIOp::create(b, x, y);
  };
  auto mul = [&](Value x, Value y) -> Value {
    return arith::MulIOp::create(b, x, y);
  };
  auto divide = [&](Value x, Value y) -> std::pair<Value, Value> {
    return {arith::DivUIOp::create(b, x, y), arith::RemUIOp::create(b, x, y)};
  };
  auto select = [&](Value condition, Value x, Value y) -> Value {
    return arith::SelectOp::create(b, condition, x, y);
  };
  Value turn =
      add(mul(add(mul(place.batch, heads), place.head), blocks), place.block);
  Value leading = arith::DivUIOp::create(b, blocks, number(kShare));
  Value all = mul(batches, heads), first = mul(leading, all);
  auto [early, earlyHead] = divide(turn, all);
  auto [lateHead, late] = divide(arith::SubIOp::create(b, turn, first),
                                 arith::SubIOp::create(b, blocks, leading));
  Value isEarly =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, turn, first);
  Value rank = select(isEarly, early, add(leading, late));
  auto [batch, head] = divide(select(isEarly, earlyHead, lateHead), heads);

  SmallVector<Value> at{batch, head, rank};
  for (int64_t dim : {0, 1})
    if (cast<RankedTensorType>(order.getType()).getDimSize(dim) == 1)
      at[dim] = number(0);
  Value isSorted =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, count, number(0));
  // Where nothing is sorted, the order has no element.
  auto sorted = scf::IfOp::create(
      b, isSorted,
      [&](OpBuilder &then, Location loc) {
        Value block = tensor::ExtractOp::create(then, loc, order, at);
        block =
            arith::IndexCastOp::create(then, loc, then.getIndexType(), block);
        scf::YieldOp::create(then, loc, block);
      },
      [&](OpBuilder &otherwise, Location loc) {
        scf::YieldOp::create(otherwise, loc, place.block);
      });
  return {select(isSorted, batch, place.batch),
          select(isSorted, head, place.head), sorted.getResult(0)};
}
