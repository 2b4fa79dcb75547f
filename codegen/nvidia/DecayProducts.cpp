//===- DecayProducts.cpp - Decaying products of matrices ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/DecayProducts.h"
#include "codegen/nvidia/MatrixFactors.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

/// Rows of a matrix instruction.
static constexpr int64_t kBand = 16;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

bool attn::canCutDecays(tile::DecayDotOp op, int64_t warps) {
  RankedTensorType rows = tileOf(op.getLhs());
  return rows.getDimSize(0) == warps * kBand && rows.getDimSize(1) > 1 &&
         llvm::isPowerOf2_64(warps) && rows.getElementType().isF32() &&
         !op.getWithin();
}

/// Rows of both blocks of each pair of blocks of `size` rows times their decays
/// up to the border between them: those of the block that is behind are
/// queries, the others keys.
static Value meet(ImplicitLocOpBuilder &b, tile::DecayDotOp op, int64_t size) {
  auto rows = tileOf(op.getLhs()), places = rows.clone(b.getIndexType());
  auto splat = [&](int64_t number) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(places, b.getIndexAttr(number)));
  };
  Value row = tile::IotaOp::create(b, places,
                                   Value(arith::ConstantIndexOp::create(b, 0)),
                                   b.getI64IntegerAttr(0));
  Value bit = arith::AndIOp::create(b, row, splat(size));
  Value isQuery = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, bit,
                                        splat(op.getReverse() ? 0 : size));
  Value both = arith::SelectOp::create(b, isQuery, op.getLhs(), op.getRhs());
  Value decays = tile::ScanOp::create(
      b, rows, tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Mul),
      op.getDecay(), op.getReverseAttr(), /*exclusive=*/op.getStrictAttr(),
      /*within=*/IntegerAttr(), /*across=*/b.getI64IntegerAttr(size));
  return arith::MulFOp::create(b, both, decays);
}

/// Whether row i of each pair is behind row j.
static Value isBehind(ImplicitLocOpBuilder &b, tile::DecayDotOp op) {
  auto places = tileOf(op).clone(b.getIndexType());
  Value first = arith::ConstantIndexOp::create(b, 0);
  auto iota = [&](int64_t along) {
    return tile::IotaOp::create(b, places, first, b.getI64IntegerAttr(along));
  };
  auto predicate =
      op.getReverse() ? arith::CmpIPredicate::ult : arith::CmpIPredicate::ugt;
  return arith::CmpIOp::create(b, predicate, iota(0), iota(1));
}

/// The queries of `op` without a number that they are multiplied with, which
/// can multiply the sums.
static Value takeScale(tile::DecayDotOp op, DenseElementsAttr &scale) {
  auto scaled = op.getLhs().getDefiningOp<arith::MulFOp>();
  if (scaled && matchPattern(scaled.getRhs(), m_Constant(&scale)) &&
      scale.isSplat() && matchPattern(op.getInit(), m_AnyZeroFloat()))
    return scaled.getLhs();
  scale = {};
  return op.getLhs();
}

/// What is left of `op` within bands. Queries and keys are read as they are
/// copied, if both are of 16 bits.
static Value keepBands(ImplicitLocOpBuilder &b, tile::DecayDotOp op) {
  auto bands = cast<tile::DecayDotOp>(b.clone(*op));
  bands.setWithinAttr(b.getI64IntegerAttr(kBand));
  Value queries = getNarrow(op.getLhs()), keys = getNarrow(op.getRhs());
  if (queries && keys &&
      tileOf(queries).getElementType() == tileOf(keys).getElementType()) {
    bands.getLhsMutable().assign(queries);
    bands.getRhsMutable().assign(keys);
  }
  return bands;
}

SmallVector<tile::DotOp> attn::cutDecays(tile::DecayDotOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  RankedTensorType type = tileOf(op);
  SmallVector<tile::DotOp> dots;
  DenseElementsAttr scale;
  op.getLhsMutable().assign(takeScale(op, scale));
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  Value sums = zeros;
  for (int64_t size = type.getDimSize(0) / 2; size >= kBand; size /= 2) {
    Value rows = meet(b, op, size);
    dots.push_back(tile::DotOp::create(
        b, type, rows, rows, sums, /*transposeRhs=*/b.getUnitAttr(),
        /*transposeLhs=*/UnitAttr(), b.getI64IntegerAttr(size)));
    sums = dots.back();
  }
  // Of two blocks one is behind the other.
  sums = arith::SelectOp::create(b, isBehind(b, op), sums, zeros);
  Value all = arith::AddFOp::create(b, keepBands(b, op), sums);
  if (scale)
    all = arith::MulFOp::create(
        b, all, arith::ConstantOp::create(b, scale.resizeSplat(type)));
  op.replaceAllUsesWith(all);
  op.erase();
  return dots;
}
