//===- Transpose.cpp - Between rows and strips in memory ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A square is transposed in log2(n) steps: step s = 1, 2, 4, ... exchanges, in
// each pair of vectors s apart, elements s apart. For 4 x 4 (row i has the
// elements i0, i1, i2, i3):
//
//   00 01 02 03        00 10 02 12        00 10 20 30
//   10 11 12 13   s=1  01 11 03 13   s=2  01 11 21 31
//   20 21 22 23        20 30 22 32        02 12 22 32
//   30 31 32 33        21 31 23 33        03 13 23 33
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Transpose.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace attn;

using Square = SmallVector<Value>;

static void transpose(ImplicitLocOpBuilder &b, Square &square) {
  int64_t n = square.size();
  for (int64_t s = 1; s < n; s *= 2) {
    SmallVector<int64_t> low, high; // Of the two vectors side by side.
    for (int64_t k = 0; k < n; ++k) {
      low.push_back(k & s ? n + k - s : k);
      high.push_back(k & s ? n + k : k + s);
    }
    for (int64_t i = 0; i < n; ++i) {
      if (i & s)
        continue;
      Value x = square[i], y = square[i + s];
      square[i] = vector::ShuffleOp::create(b, x, y, low);
      square[i + s] = vector::ShuffleOp::create(b, x, y, high);
    }
  }
}

/// A loop over squares of columns, `body(first column, columns)`, and a shorter
/// one behind it if `cols` is no multiple of the lanes.
static void
forEachSquare(ImplicitLocOpBuilder &b, VectorOps &vectors, int64_t cols,
              llvm::function_ref<void(Value col, int64_t count)> body) {
  int64_t lanes = vectors.getLanes(), whole = cols - cols % lanes;
  if (whole) {
    auto loop = scf::ForOp::create(b, vectors.index(0), vectors.index(whole),
                                   vectors.index(lanes));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    body(loop.getInductionVar(), lanes);
  }
  if (whole < cols)
    body(vectors.index(whole), cols - whole);
}

namespace {
/// Where a row stands in strips.
struct StripRow {
  Value strip, lane;

  StripRow(ImplicitLocOpBuilder &b, VectorOps &vectors, Value strips,
           Value row) {
    Value width =
        vectors.index(cast<MemRefType>(strips.getType()).getDimSize(2));
    strip = arith::DivUIOp::create(b, row, width);
    lane = arith::RemUIOp::create(b, row, width);
  }
};
} // namespace

void attn::rowsToStrips(ImplicitLocOpBuilder &b, VectorOps &vectors, Value rows,
                        Value from, Value strips, Value row) {
  auto type = cast<MemRefType>(strips.getType());
  StripRow to(b, vectors, strips, row);
  auto body = [&](Value col, int64_t count) {
    Square square;
    for (int64_t i = 0; i < vectors.getLanes(); ++i)
      square.push_back(vector::LoadOp::create(
          b, vectors.type(type.getElementType()), rows,
          ValueRange{vectors.add(from, vectors.index(i)), col}));
    transpose(b, square);
    for (int64_t c = 0; c < count; ++c)
      vector::StoreOp::create(
          b, square[c], strips,
          ValueRange{to.strip, vectors.add(col, vectors.index(c)), to.lane});
  };
  forEachSquare(b, vectors, type.getDimSize(1), body);
}

void attn::stripsToRows(ImplicitLocOpBuilder &b, VectorOps &vectors,
                        Value strips, Value rows, Value row) {
  auto type = cast<MemRefType>(strips.getType());
  VectorType vectorType = vectors.type(type.getElementType());
  StripRow from(b, vectors, strips, row);
  auto body = [&](Value col, int64_t count) {
    Square square;
    for (int64_t c = 0; c < count; ++c)
      square.push_back(vector::LoadOp::create(
          b, vectorType, strips,
          ValueRange{from.strip, vectors.add(col, vectors.index(c)),
                     from.lane}));
    square.resize(vectors.getLanes(), vectors.zero(vectorType));
    transpose(b, square);
    for (int64_t i = 0; i < vectors.getLanes(); ++i)
      vector::StoreOp::create(
          b, square[i], rows,
          ValueRange{vectors.add(row, vectors.index(i)), col});
  };
  forEachSquare(b, vectors, type.getDimSize(1), body);
}
