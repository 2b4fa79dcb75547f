//===- StripProducts.cpp - Products of strips with rows -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A column of a strip is a few vectors, an element of the right operand is
// broadcast. Where the operands lie:
//
//   left    strips; under transpose_lhs rows, of which a strip is a piece
//   right   rows; or strips, if a loop carries it (the state of a recurrence),
//           or nowhere, if all of its elements are equal
//
//===----------------------------------------------------------------------===//

#include "codegen/LongSums.h"
#include "codegen/cpu/StripLowering.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// The load that `tile` holds the elements of, if it does nothing else to them
/// than to convert them; else null.
static tile::LoadOp loadedFrom(Value tile) {
  if (auto widened = tile.getDefiningOp<arith::ExtFOp>())
    tile = widened.getIn();
  return tile.getDefiningOp<tile::LoadOp>();
}

/// Asks for the rows that follow those of `load`, which the next block of keys
/// will read: iteration `k` of a product of `depth` iterations over `count`
/// columns from `first` on asks for its share of the cache lines. Where a block
/// is read by one strip, memory would be idle while it is multiplied. Addresses
/// beyond the view are harmless in a prefetch.
void StripLowering::prefetchNext(tile::DotOp op, Value first, Value k) {
  tile::LoadOp load = loadedFrom(op.getRhs());
  if (!load || !segment.contains(load) || !load.getRows().empty())
    return;
  auto type = tileOf(load.getResult());
  int64_t elements = 512 / type.getElementType().getIntOrFloatBitWidth();
  SmallVector<Value> offsets;
  for (Value offset : load.getOffsets())
    offsets.push_back(scalars.lookupOrDefault(offset));
  Value row = vectors.add(offsets[offsets.size() - 2],
                          vectors.index(type.getDimSize(0)));
  Value col = offsets.back();
  auto ask = [&](Value inRow, Value inCol) {
    offsets[offsets.size() - 2] = vectors.add(row, inRow);
    offsets.back() = vectors.add(col, inCol);
    memref::PrefetchOp::create(b, scalars.lookupOrDefault(load.getView()),
                               offsets, /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  };
  if (!op.getTransposeRhs()) {
    // Iterations are rows, columns are elements of them.
    for (int64_t c = 0; c < columnCount; c += elements)
      ask(k, vectors.add(first, vectors.index(c)));
    return;
  }
  // Columns are rows, iterations are elements of them.
  int64_t lines = llvm::divideCeil(type.getDimSize(1), elements);
  int64_t depth = tileOf(op.getLhs()).getDimSize(1);
  int64_t perIteration = llvm::divideCeil(columnCount * lines, depth);
  for (int64_t i = 0; i < perIteration; ++i) {
    Value share = arith::MulIOp::create(b, k, vectors.index(perIteration));
    Value line = vectors.add(share, vectors.index(i));
    Value inRow = arith::DivUIOp::create(b, line, vectors.index(lines));
    Value inCol = arith::RemUIOp::create(b, line, vectors.index(lines));
    ask(vectors.add(first, inRow),
        arith::MulIOp::create(b, inCol, vectors.index(elements)));
  }
}

/// Row `k` of the left operand for the rows of the strip.
StripLowering::Vectors StripLowering::leftColumn(tile::DotOp op, Value left,
                                                 Value k) {
  if (!op.getTransposeLhs())
    return loadVectors(left, k);
  int64_t lanes = vectors.getLanes();
  Value first =
      arith::MulIOp::create(b, strip, vectors.index(registers * lanes));
  Type element = cast<MemRefType>(left.getType()).getElementType();
  Vectors values;
  for (int64_t v = 0; v < registers; ++v)
    values.push_back(vector::LoadOp::create(
        b, vectors.type(element), left,
        ValueRange{k, vectors.add(first, vectors.index(v * lanes))}));
  return values;
}

/// `sums` plus the products of the columns at hand over `depth`. If the right
/// operand lies in strips, `depth` counts rows of its strip `ofStrip`.
StripLowering::Vectors StripLowering::sumOverDepth(tile::DotOp op, Value left,
                                                   Value right, Range depth,
                                                   ValueRange sums,
                                                   Value ofStrip) {
  Value first = firstColumn, firstRow;
  if (ofStrip) {
    int64_t width = cast<MemRefType>(right.getType()).getDimSize(2);
    firstRow = arith::MulIOp::create(b, ofStrip, vectors.index(width));
  }
  auto element = [&](Value k, Value at) -> Value {
    if (!right)
      return *rowElement(op.getRhs(), k, at);
    SmallVector<Value> indices{k, at};
    if (ofStrip)
      indices = {ofStrip, at, k};
    else if (op.getTransposeRhs())
      std::swap(indices[0], indices[1]);
    return vectors.splat(memref::LoadOp::create(b, right, indices));
  };
  auto body = [&](OpBuilder &inner, Location, Value k, ValueRange args) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
    if (strips == 1)
      prefetchNext(op, first, k);
    Vectors lhs = leftColumn(op, left, ofStrip ? vectors.add(firstRow, k) : k);
    SmallVector<Value> next;
    for (int64_t c = 0; c < columnCount; ++c) {
      Value rhs = element(k, vectors.add(first, vectors.index(c)));
      for (int64_t v = 0; v < registers; ++v)
        next.push_back(multiplyAdd(lhs[v], rhs, args[c * registers + v]));
    }
    scf::YieldOp::create(b, next);
  };
  return Vectors(scf::ForOp::create(b, depth.begin, depth.end, vectors.index(1),
                                    sums, body)
                     .getResults());
}

/// The product with a right operand in strips, one after the other; the sums of
/// a long depth are summed for themselves.
StripLowering::Vectors StripLowering::sumOverStrips(tile::DotOp op, Value left,
                                                    Value right,
                                                    ValueRange zeros) {
  auto type = cast<MemRefType>(right.getType());
  Range rows{vectors.index(0), vectors.index(type.getDimSize(2))};
  bool inParts = isSummedInParts(op.getDepth());
  auto body = [&](OpBuilder &inner, Location, Value of, ValueRange totals) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
    Vectors next =
        sumOverDepth(op, left, right, rows, inParts ? zeros : totals, of);
    for (auto [sum, total] : llvm::zip(next, totals))
      if (inParts)
        sum = arith::AddFOp::create(b, total, sum);
    scf::YieldOp::create(b, next);
  };
  return Vectors(scf::ForOp::create(b, vectors.index(0),
                                    vectors.index(type.getDimSize(0)),
                                    vectors.index(1), zeros, body)
                     .getResults());
}

/// The same over a long depth, in parts that are summed for themselves.
StripLowering::Vectors StripLowering::sumInParts(tile::DotOp op, Value left,
                                                 Value right, int64_t depth,
                                                 ValueRange zeros) {
  Range all{vectors.index(0), vectors.index(depth)};
  if (!isSummedInParts(depth))
    return sumOverDepth(op, left, right, all, zeros);
  Value length = vectors.index(kTermsOfPart);
  auto body = [&](OpBuilder &inner, Location, Value begin, ValueRange totals) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
    Value end = arith::MinSIOp::create(b, vectors.add(begin, length), all.end);
    SmallVector<Value> next;
    for (auto [total, part] :
         llvm::zip(totals, sumOverDepth(op, left, right, {begin, end}, zeros)))
      next.push_back(arith::AddFOp::create(b, total, part));
    scf::YieldOp::create(b, next);
  };
  return Vectors(scf::ForOp::create(b, all.begin, all.end, length, zeros, body)
                     .getResults());
}

/// `sum` plus column `col` of `init`. The sum comes first, from 0 on: the terms
/// of one product are of one size, what they are added to may be much larger.
FailureOr<StripLowering::Vectors>
StripLowering::addInit(Value init, int64_t col, const Vectors &sum) {
  if (matchPattern(init, m_AnyZeroFloat()))
    return sum;
  bool isKept = stored.contains(init) && stageOf(init) < stage;
  auto scaled =
      isLocal(init) && !isKept ? init.getDefiningOp<arith::MulFOp>() : nullptr;
  FailureOr<Vectors> x = pairs(scaled ? scaled.getLhs() : init, col);
  FailureOr<Vectors> y = scaled ? pairs(scaled.getRhs(), col) : x;
  if (failed(x) || failed(y))
    return failure();
  Vectors result;
  for (int64_t v = 0; v < registers; ++v)
    result.push_back(scaled ? multiplyAdd((*x)[v], (*y)[v], sum[v])
                            : arith::AddFOp::create(b, (*x)[v], sum[v]));
  return result;
}

/// The sums of a product for all columns at hand, one after the other.
FailureOr<StripLowering::Vectors> StripLowering::sumProducts(tile::DotOp op) {
  Value left = op.getTransposeLhs() ? buffers.rows.lookup(op.getLhs())
                                    : home.lookup(op.getLhs());
  if (!left && !op.getTransposeLhs())
    left = buffers.strips.lookup(op.getLhs());
  Value right = buffers.rows.lookup(op.getRhs());
  bool isInStrips = !right && buffers.strips.contains(op.getRhs());
  if (isInStrips)
    right = buffers.strips.lookup(op.getRhs());
  bool isKnown = right || (hasElements(op.getRhs()) && !op.getTransposeRhs());
  if (!left || !isKnown || (isInStrips && op.getTransposeRhs()))
    return op.emitError(
        "the CPU back end has no buffer for the operands of a product");

  auto type = cast<RankedTensorType>(op.getType());
  Vectors zeros(columnCount * registers,
                vectors.zero(vectors.type(type.getElementType())));
  auto trim = op.getLhs().getDefiningOp<tile::TrimOp>();
  if (trim && segment.contains(trim))
    return sumOverDepth(op, left, right, ranges.lookup(trim), zeros);
  return isInStrips ? sumOverStrips(op, left, right, zeros)
                    : sumInParts(op, left, right, op.getDepth(), zeros);
}

/// Evaluates a product for all columns of the column tile at once.
FailureOr<StripLowering::Vectors> StripLowering::product(tile::DotOp op,
                                                         int64_t col) {
  FailureOr<Vectors> sums = sumProducts(op);
  if (failed(sums))
    return failure();
  for (int64_t c = 0; c < columnCount; ++c) {
    FailureOr<Vectors> result =
        addInit(op.getInit(), c,
                Vectors(ArrayRef(*sums).slice(c * registers, registers)));
    if (failed(result))
      return failure();
    knownPairs[{op.getResult(), c}] = *result;
  }
  return knownPairs[{op.getResult(), col}];
}
