//===- DefineTileOps.cpp - The meaning of the ops of the tile dialect -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/reference/Definitions.h"
#include "passes/reference/ScalarRegions.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;
using namespace attn::reference;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static Value add(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::AddIOp::create(b, lhs, rhs);
}

/// Where element `at` of a tile lies in a view, from the offsets of the tile,
/// and from index vectors of its rows where these are given.
static SmallVector<Value> shift(ImplicitLocOpBuilder &b, ValueRange offsets,
                                ValueRange rows, ValueRange at) {
  SmallVector<Value> indices(offsets);
  auto move = [&](size_t fromEnd, Value by) {
    Value &index = indices[indices.size() - fromEnd];
    index = add(b, index, by);
  };
  for (auto [number, vector] : llvm::enumerate(rows))
    move(at.size() - 1 + rows.size() - number, read(b, vector, at[0]));
  for (size_t dim = rows.empty() ? 0 : 1; dim < at.size(); ++dim)
    move(at.size() - dim, at[dim]);
  return indices;
}

static Value define(ImplicitLocOpBuilder &b, tile::LoadOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) {
    return readOrZero(b, op.getView(),
                      shift(b, op.getOffsets(), op.getRows(), at));
  });
}

static void define(ImplicitLocOpBuilder &b, tile::StoreOp op) {
  auto storeOne = [&](ValueRange at, ValueRange) -> Carried {
    SmallVector<Value> indices = shift(b, op.getOffsets(), op.getRows(), at);
    auto inside = scf::IfOp::create(b, isInside(b, op.getView(), indices));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(inside.thenBlock());
    memref::StoreOp::create(b, read(b, op.getValue(), at), op.getView(),
                            indices);
    return {};
  };
  fold(b, sizes(b, op.getValue()), {}, storeOne);
}

static Value define(ImplicitLocOpBuilder &b, tile::GatherOp op) {
  auto element = [&](ValueRange at) {
    SmallVector<Value> indices;
    for (Value index : op.getIndices())
      indices.push_back(
          isa<RankedTensorType>(index.getType()) ? read(b, index, at) : index);
    return readOrZero(b, op.getView(), indices);
  };
  if (auto type = dyn_cast<RankedTensorType>(op.getType()))
    return generate(b, type, element);
  return element({});
}

static void define(ImplicitLocOpBuilder &b, tile::WriteOp op) {
  auto inside =
      scf::IfOp::create(b, isInside(b, op.getView(), op.getIndices()));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(inside.thenBlock());
  memref::StoreOp::create(b, op.getScalar(), op.getView(), op.getIndices());
}

static Value define(ImplicitLocOpBuilder &b, tile::SplatOp op) {
  return generate(b, tileOf(op), [&](ValueRange) { return op.getScalar(); });
}

static Value define(ImplicitLocOpBuilder &b, tile::IotaOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) {
    return add(b, op.getStart(), at[op.getAlong()]);
  });
}

static Value define(ImplicitLocOpBuilder &b, tile::BroadcastOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) {
    return read(b, op.getVector(), at[1 - op.getAlong()]);
  });
}

/// Whether two places are in the same block of `size` rows.
static Value areInOneBlock(ImplicitLocOpBuilder &b, Value x, Value y,
                           int64_t size) {
  Value length = index(b, size);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                               arith::DivUIOp::create(b, x, length),
                               arith::DivUIOp::create(b, y, length));
}

/// Whether an element of a product `between n` has a sum.
static Value isBetween(ImplicitLocOpBuilder &b, ValueRange at, int64_t size) {
  Value isOne = areInOneBlock(b, at[0], at[1], size);
  Value isPair = areInOneBlock(b, at[0], at[1], 2 * size);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, isOne, isPair);
}

static Value define(ImplicitLocOpBuilder &b, tile::DotOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) -> Value {
    Value init = read(b, op.getInit(), at);
    auto term = [&](Value k) -> Value {
      Value lhs = op.getTransposeLhs() ? read(b, op.getLhs(), {k, at[0]})
                                       : read(b, op.getLhs(), {at[0], k});
      Value rhs = op.getTransposeRhs() ? read(b, op.getRhs(), {at[1], k})
                                       : read(b, op.getRhs(), {k, at[1]});
      return arith::MulFOp::create(b, lhs, rhs);
    };
    auto all = [&] { return sum(b, index(b, op.getDepth()), init, term); };
    if (!op.getBetween())
      return all();
    return choose(b, isBetween(b, at, *op.getBetween()), all,
                  [&] { return init; });
  });
}

/// How `kind` combines: a sum, maximum or product.
static auto getFold(tile::ReduceKind kind) {
  switch (kind) {
  case tile::ReduceKind::Add:
    return sum;
  case tile::ReduceKind::Max:
    return max;
  case tile::ReduceKind::Mul:
    return product;
  }
  llvm_unreachable("all kinds are listed");
}

static Value define(ImplicitLocOpBuilder &b, tile::ReduceOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) {
    bool isOfRow = op.getAlong() == 1;
    return getFold(op.getKind())(
        b, size(b, op.getValue(), op.getAlong()), read(b, op.getInit(), at),
        [&](Value j) {
          return isOfRow ? read(b, op.getValue(), {at[0], j})
                         : read(b, op.getValue(), {j, at[0]});
        });
  });
}

/// A scan of pairs of blocks, from their border on. Of a row in front of it,
/// the next one is the first that is combined.
static Value defineAcross(ImplicitLocOpBuilder &b, tile::ScanOp op) {
  auto type = tileOf(op);
  Value one = index(b, 1), block = index(b, *op.getAcross());
  return generate(b, type, [&](ValueRange at) {
    Value pair = add(b, block, block);
    Value place = arith::RemUIOp::create(b, at[0], pair);
    Value border = add(b, Value(arith::SubIOp::create(b, at[0], place)), block);
    Value isBehind =
        arith::CmpIOp::create(b, arith::CmpIPredicate::uge, place, block);
    // Rows on the side of this one up to it, and the border.
    Value behind = arith::SubIOp::create(b, place, block);
    Value before = arith::SubIOp::create(
        b, Value(arith::SubIOp::create(b, block, one)), place);
    if (!op.getExclusive())
      (op.getReverse() ? before : behind) =
          add(b, op.getReverse() ? before : behind, one);
    Value count = arith::SelectOp::create(b, isBehind, behind, before);
    Value init =
        number(b, type.getElementType(), tile::getNeutral(op.getKind()));
    return getFold(op.getKind())(b, count, init, [&](Value n) {
      SmallVector<Value> from(at);
      Value last = arith::SubIOp::create(b, border, one);
      from[0] =
          arith::SelectOp::create(b, isBehind, add(b, border, n),
                                  Value(arith::SubIOp::create(b, last, n)));
      return read(b, op.getValue(), from);
    });
  });
}

static Value define(ImplicitLocOpBuilder &b, tile::ScanOp op) {
  if (op.getAcross())
    return defineAcross(b, op);
  auto type = tileOf(op);
  Value one = index(b, 1);
  Value rows = index(b, op.getWithin().value_or(type.getDimSize(0)));
  return generate(b, type, [&](ValueRange at) {
    // Rows of the block in front of this one, in the order of the scan.
    Value before = arith::RemUIOp::create(b, at[0], rows);
    Value first = arith::SubIOp::create(b, at[0], before);
    Value last = arith::SubIOp::create(b, rows, one);
    if (op.getReverse())
      before = arith::SubIOp::create(b, last, before);
    Value count = op.getExclusive() ? before : add(b, before, one);
    Value init =
        number(b, type.getElementType(), tile::getNeutral(op.getKind()));
    return getFold(op.getKind())(b, count, init, [&](Value n) {
      SmallVector<Value> from(at);
      from[0] =
          add(b, first,
              op.getReverse() ? Value(arith::SubIOp::create(b, last, n)) : n);
      return read(b, op.getValue(), from);
    });
  });
}

/// The pairs of a triangle have a sum; the factors are those of the rows
/// between the two, with that of the later one unless `strict`.
static Value define(ImplicitLocOpBuilder &b, tile::DecayDotOp op) {
  auto type = tileOf(op);
  Type element = type.getElementType();
  return generate(b, type, [&](ValueRange at) {
    Value late = at[0], early = at[1];
    // Distance in the order of the decay; negative for pairs without a sum.
    Value distance = op.getReverse() ? arith::SubIOp::create(b, early, late)
                                     : arith::SubIOp::create(b, late, early);
    Value least = index(b, op.getStrict() ? 1 : 0);
    Value has =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sge, distance, least);
    if (op.getWithin())
      has = arith::AndIOp::create(
          b, has, areInOneBlock(b, late, early, *op.getWithin()));
    Value factors = arith::SubIOp::create(b, distance, least);
    auto term = [&](Value k) -> Value {
      Value one = number(b, element, 1.0);
      Value decay = product(b, factors, one, [&](Value n) {
        Value steps = add(b, n, index(b, 1));
        Value row = op.getReverse()
                        ? Value(arith::SubIOp::create(b, early, steps))
                        : add(b, early, steps);
        return read(b, op.getDecay(), {row, k});
      });
      Value pair = arith::MulFOp::create(b, read(b, op.getLhs(), {late, k}),
                                         read(b, op.getRhs(), {early, k}));
      return arith::MulFOp::create(b, pair, decay);
    };
    Value init = read(b, op.getInit(), at);
    return choose(
        b, has, [&] { return sum(b, size(b, op.getLhs(), 1), init, term); },
        [&] { return init; });
  });
}

static Value define(ImplicitLocOpBuilder &b, tile::SliceOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) {
    return read(b, op.getValue(),
                {at[0], add(b, at[1], index(b, op.getStart()))});
  });
}

static Value define(ImplicitLocOpBuilder &b, tile::ConcatOp op) {
  return join(b, tileOf(op), op.getParts());
}

static Value define(ImplicitLocOpBuilder &b, tile::TrimOp op) {
  return generate(b, tileOf(op), [&](ValueRange at) -> Value {
    Value inside = isInRange(b, op.getRanges(), op.getRows(), at);
    return arith::SelectOp::create(
        b, inside, read(b, op.getValue(), at),
        number(b, tileOf(op).getElementType(), tile::getNeutral(op.getKind())));
  });
}

Results reference::defineTileOp(ImplicitLocOpBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, Results>(op)
      .Case<tile::LoadOp, tile::GatherOp, tile::SplatOp, tile::IotaOp,
            tile::BroadcastOp, tile::DotOp, tile::DecayDotOp, tile::ReduceOp,
            tile::ScanOp, tile::SliceOp, tile::ConcatOp, tile::TrimOp>(
          [&](auto op) { return Results{define(b, op)}; })
      .Case([&](tile::ConvertLayoutOp op) {
        return Results{generate(b, tileOf(op), [&](ValueRange at) {
          return read(b, op.getValue(), at);
        })};
      })
      .Case([&](tile::BarrierOp) { return Results{}; })
      .Case<tile::StoreOp, tile::WriteOp>([&](auto op) {
        define(b, op);
        return Results{};
      });
}
