//===- SoftmaxTiles.cpp - Softmax partial results as tile ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One step of the online softmax for a block of M queries and N keys, with the
// reference t kept in the log2 domain:
//
//   s  = score(scale q k^T), -inf where masked
//   t' = max(t, log2(e) max_j s)            r = t' or 0 where t' = -inf
//   p  = 2^(log2(e) s - r)                  c = 2^(t - r)
//   l' = c l + sum_j p                      a' = c a + p v
//
// r keeps -inf - -inf, which is NaN, out of rows that have met no key yet.
//
//===----------------------------------------------------------------------===//

#include "passes/SoftmaxTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

Value SoftmaxTiles::constant(ArrayRef<int64_t> shape, Type element,
                             double value) {
  APFloat number(value);
  bool inexact;
  number.convert(cast<FloatType>(element).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &inexact);
  auto type = RankedTensorType::get(shape, element);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, number));
}

Value SoftmaxTiles::convert(Value tile, Type element) {
  auto type = cast<RankedTensorType>(tile.getType());
  unsigned from = type.getElementType().getIntOrFloatBitWidth();
  unsigned to = element.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(b, type.clone(element), tile);
  if (from > to)
    return arith::TruncFOp::create(b, type.clone(element), tile);
  return tile;
}

FailureOr<Value> SoftmaxTiles::loadRows(Value view, int64_t rows, int64_t width,
                                        Region &region, Value batch,
                                        Value viewHead, Value head,
                                        Value first) {
  Type element = cast<MemRefType>(view.getType()).getElementType();
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value tile =
      tile::LoadOp::create(b, RankedTensorType::get({rows, width}, element),
                           view, ValueRange{batch, viewHead, first, zero});
  return regions.rows(region, convert(tile, getAccumulatorType(element)), batch,
                      head, first);
}

/// Head of key and value that the head of the query uses: h / (H / Hk).
Value SoftmaxTiles::keyHead(PartialOp op) {
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value heads = memref::DimOp::create(b, mapping.lookup(op.getQuery()), one);
  Value keyHeads = memref::DimOp::create(b, mapping.lookup(op.getKey()), one);
  Value group = arith::DivSIOp::create(b, heads, keyHeads);
  return arith::DivSIOp::create(b, mapping.lookup(op.getHead()), group);
}

/// The query rows times scale; the same for all keys, so they are loaded before
/// the loop over keys.
FailureOr<Value> SoftmaxTiles::scaledQuery(PartialOp op) {
  OpBuilder::InsertionGuard guard(b);
  if (auto loop = dyn_cast<scf::ForOp>(b.getInsertionBlock()->getParentOp()))
    b.setInsertionPoint(loop);
  Value head = mapping.lookup(op.getHead());
  int64_t width = cast<RankedTensorType>(op.getQuery().getType()).getDimSize(3);
  FailureOr<Value> rows = loadRows(
      mapping.lookup(op.getQuery()), op.getRows(), width, op.getQueryRows(),
      mapping.lookup(op.getBatch()), head, head, mapping.lookup(op.getRow()));
  if (failed(rows))
    return failure();
  auto type = cast<RankedTensorType>(rows->getType());
  Value scale = constant(type.getShape(), type.getElementType(),
                         op.getScale().convertToDouble());
  return Value(arith::MulFOp::create(b, *rows, scale));
}

/// Applies the score region, and -inf where the mask or the end of the keys
/// says so.
Value SoftmaxTiles::scores(PartialOp op, Value products) {
  auto type = cast<RankedTensorType>(products.getType());
  int64_t rows = type.getDimSize(0), cols = type.getDimSize(1);
  Value row = mapping.lookup(op.getRow()), col = mapping.lookup(op.getCol());
  Value two = arith::ConstantIndexOp::create(b, 2);
  Value numKeys = memref::DimOp::create(b, mapping.lookup(op.getKey()), two);
  if (op.getAlignment() == Alignment::End) {
    Value numQueries =
        memref::DimOp::create(b, mapping.lookup(op.getQuery()), two);
    Value shift = arith::SubIOp::create(b, numKeys, numQueries);
    row = arith::AddIOp::create(b, row, shift);
  }
  auto indexType = type.clone(b.getIndexType());
  Value i = tile::IotaOp::create(b, indexType, row, b.getI64IntegerAttr(0));
  Value j = tile::IotaOp::create(b, indexType, col, b.getI64IntegerAttr(1));
  Value batch = mapping.lookup(op.getBatch()),
        head = mapping.lookup(op.getHead());

  Value scores = products;
  if (!op.getScore().empty())
    scores = regions.pairwise(op.getScore(), {products, batch, head, i, j},
                              rows, cols);
  Value keep;
  if (!op.getMask().empty())
    keep = regions.pairwise(op.getMask(), {batch, head, i, j}, rows, cols);
  if (op.getBounded()) {
    Value end = tile::SplatOp::create(b, indexType, numKeys);
    Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, j, end);
    keep = keep ? Value(arith::AndIOp::create(b, keep, exists)) : exists;
  }
  if (!keep)
    return scores;
  Value masked = constant(type.getShape(), type.getElementType(), -INFINITY);
  return arith::SelectOp::create(b, keep, scores, masked);
}

FailureOr<SmallVector<Value>> SoftmaxTiles::partial(PartialOp op) {
  Type element = op.getAccumulatorType();
  int64_t rows = op.getRows(), cols = op.getWidth();
  Value batch = mapping.lookup(op.getBatch()),
        col = mapping.lookup(op.getCol());
  Value head = keyHead(op);
  auto width = [](Value t) {
    return cast<RankedTensorType>(t.getType()).getDimSize(3);
  };
  FailureOr<Value> query = scaledQuery(op);
  FailureOr<Value> key =
      loadRows(mapping.lookup(op.getKey()), cols, width(op.getKey()),
               op.getKeyRows(), batch, head, head, col);
  FailureOr<Value> value =
      loadRows(mapping.lookup(op.getValue()), cols, width(op.getValue()),
               op.getValueRows(), batch, head, head, col);
  if (failed(query) || failed(key) || failed(value))
    return failure();

  SmallVector<int64_t> pairs{rows, cols}, column{rows};
  auto pairType = RankedTensorType::get(pairs, element);
  auto columnType = RankedTensorType::get(column, element);
  Value products = tile::DotOp::create(
      b, pairType, *query, *key, constant(pairs, element, 0), b.getUnitAttr());
  Value s = scores(op, products);

  Value oldReference = mapping.lookup(op.getInitReference());
  auto max = tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Max);
  Value largest = tile::ReduceOp::create(b, columnType, max, s,
                                         constant(column, element, -INFINITY));
  Value log2e = constant(column, element, llvm::numbers::log2e);
  Value candidate = arith::MulFOp::create(b, largest, log2e);
  Value reference = arith::MaxNumFOp::create(b, oldReference, candidate);
  Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, reference,
                                     constant(column, element, -INFINITY));
  Value finite =
      arith::SelectOp::create(b, none, constant(column, element, 0), reference);

  Value shift = regions.raise(arith::NegFOp::create(b, finite), pairs);
  Value exponent = math::FmaOp::create(
      b, s, constant(pairs, element, llvm::numbers::log2e), shift);
  Value p = math::Exp2Op::create(b, exponent);
  Value shrink =
      math::Exp2Op::create(b, arith::SubFOp::create(b, oldReference, finite));

  auto add = tile::ReduceKindAttr::get(b.getContext(), tile::ReduceKind::Add);
  Value oldSum =
      arith::MulFOp::create(b, mapping.lookup(op.getInitSum()), shrink);
  Value sum = tile::ReduceOp::create(b, columnType, add, p, oldSum);
  Value oldAccumulator = mapping.lookup(op.getInitAccumulator());
  auto accumulatorType = cast<RankedTensorType>(oldAccumulator.getType());
  Value shrunk = arith::MulFOp::create(
      b, oldAccumulator, regions.raise(shrink, accumulatorType.getShape()));
  Value accumulator =
      tile::DotOp::create(b, accumulatorType, p, *value, shrunk, UnitAttr());
  return SmallVector<Value>{reference, sum, accumulator};
}

SmallVector<Value> SoftmaxTiles::finish(FinishOp op) {
  Value sum = mapping.lookup(op.getSum());
  Value accumulator = mapping.lookup(op.getAccumulator());
  auto columnType = cast<RankedTensorType>(sum.getType());
  Type element = columnType.getElementType();
  auto column = [&](double value) {
    return constant(columnType.getShape(), element, value);
  };

  Value empty =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, column(0));
  Value inverse = arith::DivFOp::create(b, column(1), sum);
  inverse = arith::SelectOp::create(b, empty, column(0), inverse);
  auto shape = cast<RankedTensorType>(accumulator.getType()).getShape();
  Value rows =
      arith::MulFOp::create(b, accumulator, regions.raise(inverse, shape));
  rows = convert(
      rows, cast<RankedTensorType>(op.getOutput().getType()).getElementType());

  Value logSum = math::Log2Op::create(b, sum);
  Value log2 =
      arith::AddFOp::create(b, mapping.lookup(op.getReference()), logSum);
  Value lse = arith::MulFOp::create(b, log2, column(llvm::numbers::ln2));
  lse = arith::SelectOp::create(b, empty, column(-INFINITY), lse);
  return {rows, lse};
}
