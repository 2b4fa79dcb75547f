//===- RowProducts.cpp - A row times the rows of a matrix -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The scores of one query: its row meets the rows of keys, lanes along the
// features. As many keys as there are lanes are summed at once, each in a
// register of its own, and at the end sums across their lanes are taken
// together: in step s = 1, 2, 4, ... two vectors become one, each lane the sum
// of two that were s apart. For 4 keys of 4 partial sums:
//
//   a0 a1 a2 a3   s=1   a01 b01 a23 b23   s=2   a b c d
//   b0 b1 b2 b3         c01 d01 c23 d23
//   c0 c1 c2 c3
//   d0 d1 d2 d3
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/RowEvaluator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

/// The vector whose element i is the sum of the elements of vector i.
static Value sumAcross(ImplicitLocOpBuilder &b, SmallVector<Value> sums) {
  int64_t lanes = sums.size();
  for (int64_t s = 1; s < lanes; s *= 2) {
    SmallVector<int64_t> low, high; // Of the two vectors side by side.
    for (int64_t k = 0; k < lanes; ++k) {
      low.push_back(k & s ? lanes + k - s : k);
      high.push_back(k & s ? lanes + k : k + s);
    }
    SmallVector<Value> next;
    for (size_t i = 0; i < sums.size(); i += 2) {
      Value x = vector::ShuffleOp::create(b, sums[i], sums[i + 1], low);
      Value y = vector::ShuffleOp::create(b, sums[i], sums[i + 1], high);
      next.push_back(arith::AddFOp::create(b, x, y));
    }
    sums = next;
  }
  return sums.front();
}

/// Asks for a share of the block that follows the one which `of` multiplies
/// with, so that memory works while registers do: iteration `done` of
/// `iterations` of this row asks for as many cache lines as make a block in
/// four rows; more rows ask for the blocks after it. Addresses beyond the view
/// are harmless.
void RowEvaluator::prefetch(const RowProduct &of, Value done,
                            int64_t iterations) {
  constexpr int64_t kRows = 4, kLineBits = 512;
  tile::LoadOp load = of.load;
  if (!load)
    return;
  auto type = cast<RankedTensorType>(load.getType());
  int64_t elements = kLineBits / type.getElementType().getIntOrFloatBitWidth();
  int64_t perRow = llvm::divideCeil(type.getDimSize(1), elements);
  int64_t share =
      llvm::divideCeil(type.getDimSize(0) * perRow, kRows * iterations);
  SmallVector<Value> offsets;
  for (Value offset : load.getOffsets())
    offsets.push_back(scalars.lookupOrDefault(offset));
  size_t rank = offsets.size();
  Value next =
      vectors.add(offsets[rank - 2], vectors.index(type.getDimSize(0)));
  Value col = offsets[rank - 1];
  Value before = vectors.add(
      arith::MulIOp::create(b, row, vectors.index(iterations)), done);
  Value first = arith::MulIOp::create(b, before, vectors.index(share));
  for (int64_t i = 0; i < share; ++i) {
    Value line = vectors.add(first, vectors.index(i));
    Value inRow = arith::DivUIOp::create(b, line, vectors.index(perRow));
    Value inCol = arith::RemUIOp::create(b, line, vectors.index(perRow));
    offsets[rank - 2] = vectors.add(next, inRow);
    offsets[rank - 1] = vectors.add(
        col, arith::MulIOp::create(b, inCol, vectors.index(elements)));
    memref::PrefetchOp::create(b, scalars.lookupOrDefault(load.getView()),
                               offsets, /*isWrite=*/false, /*localityHint=*/2,
                               /*isDataCache=*/true);
  }
}

/// Adds the products of features `at ..` to `sums`, one for each row of the
/// matrix from `first` on; `mask` leaves out features that do not exist.
SmallVector<Value> RowEvaluator::addFeatures(const RowProduct &of, Value first,
                                             Value at, Value mask,
                                             ValueRange sums) {
  VectorType type =
      vectors.type(cast<MemRefType>(of.left.getType()).getElementType());
  auto load = [&](Value buffer, ValueRange indices) -> Value {
    if (!mask)
      return loadVector(buffer, indices, type);
    return vector::MaskedLoadOp::create(b, type, buffer, indices, mask,
                                        vectors.zero(type));
  };
  Value x = load(of.left, at);
  SmallVector<Value> next;
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value y =
        load(of.matrix, ValueRange{vectors.add(first, vectors.index(i)), at});
    next.push_back(multiplyAdd(x, y, sum));
  }
  return next;
}

/// The products of the row with `count` rows of the matrix from `first` on, of
/// `depth` features each.
Value RowEvaluator::multiplyRows(const RowProduct &of, Value first,
                                 int64_t count, int64_t depth) {
  int64_t lanes = vectors.getLanes(), whole = depth - depth % lanes;
  VectorType type =
      vectors.type(cast<MemRefType>(of.left.getType()).getElementType());
  SmallVector<Value> sums(count, vectors.zero(type));
  if (whole) {
    auto body = [&](OpBuilder &inner, Location, Value at, ValueRange carried) {
      ImplicitLocOpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      // Groups of keys by steps of features: counted as elements, in vectors.
      Value group = arith::DivUIOp::create(b, first, vectors.index(lanes));
      Value step = arith::DivUIOp::create(b, at, vectors.index(lanes));
      Value done = vectors.add(
          arith::MulIOp::create(b, group, vectors.index(whole / lanes)), step);
      int64_t groups =
          cast<MemRefType>(of.matrix.getType()).getDimSize(0) / lanes;
      prefetch(of, done, std::max<int64_t>(groups, 1) * (whole / lanes));
      scf::YieldOp::create(b, addFeatures(of, first, at, Value(), carried));
    };
    sums = scf::ForOp::create(b, vectors.index(0), vectors.index(whole),
                              vectors.index(lanes), sums, body)
               .getResults();
  }
  if (whole < depth) {
    Value mask = vector::ConstantMaskOp::create(
        b, vectors.type(b.getI1Type()), ArrayRef<int64_t>{depth - whole});
    sums = addFeatures(of, first, vectors.index(whole), mask, sums);
  }
  sums.resize(lanes, vectors.zero(type));
  return sumAcross(b, sums);
}

/// Writes the products of the row with all rows of the matrix to its scratch,
/// and adds what the product starts from.
LogicalResult RowEvaluator::multiplyTransposed(tile::DotOp op,
                                               const RowProduct &to) {
  auto type = cast<RankedTensorType>(op.getType());
  int64_t lanes = vectors.getLanes(), cols = type.getDimSize(1);
  int64_t depth = cast<RankedTensorType>(op.getLhs().getType()).getDimSize(1);
  auto multiply = [&](Value first, int64_t count) {
    vector::StoreOp::create(b, multiplyRows(to, first, count, depth),
                            to.scratch, first);
  };
  int64_t whole = cols - cols % lanes;
  if (whole) {
    auto loop = scf::ForOp::create(b, vectors.index(0), vectors.index(whole),
                                   vectors.index(lanes));
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    multiply(loop.getInductionVar(), lanes);
  }
  if (whole < cols)
    multiply(vectors.index(whole), cols - whole);
  if (matchPattern(op.getInit(), m_AnyZeroFloat()))
    return success();
  for (int64_t col = 0; col < cols; col += lanes) {
    FailureOr<Value> init = vector(op.getInit(), col);
    if (failed(init))
      return failure();
    Value at = vectors.index(col);
    Value product = vector::LoadOp::create(
        b, vectors.type(type.getElementType()), to.scratch, at);
    vector::StoreOp::create(b, arith::AddFOp::create(b, *init, product),
                            to.scratch, at);
  }
  return success();
}
