//===- ThreadTiles.cpp - The part of a tile that a thread owns ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/ThreadTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

ThreadTiles::ThreadTiles(gpu::GPUFuncOp kernel, int64_t threads)
    : threads(threads),
      entry(kernel.getLoc(),
            OpBuilder::atBlockBegin(&kernel.getBody().front())) {
  thread = gpu::ThreadIdOp::create(entry, gpu::Dimension::x);
  WalkResult result = kernel.walk([](tile::DotOp dot) {
    return dot.getTransposeLhs() ? WalkResult::interrupt()
                                 : WalkResult::advance();
  });
  isRecurrence = result.wasInterrupted();
}

tile::RegistersAttr ThreadTiles::getRegisters(RankedTensorType type) {
  if (auto slice = dyn_cast<tile::SliceAttr>(type.getEncoding()))
    return slice.getOf();
  return cast<tile::RegistersAttr>(type.getEncoding());
}

PieceShape ThreadTiles::getShape(RankedTensorType type) {
  tile::RegistersAttr layout = getRegisters(type);
  int64_t vector = layout.getVector();
  auto rowsOf = [&](int64_t size) -> int64_t {
    if (layout.getPaired())
      return 2 * llvm::divideCeil(size, 2 * layout.getRows());
    return llvm::divideCeil(size, layout.getRows());
  };
  auto columnsOf = [&](int64_t size) -> int64_t {
    return vector * llvm::divideCeil(size, vector * layout.getColumns());
  };
  if (type.getRank() == 2)
    return {rowsOf(type.getDimSize(0)), columnsOf(type.getDimSize(1)), vector};
  if (cast<tile::SliceAttr>(type.getEncoding()).getAlong() == 1)
    return {rowsOf(type.getDimSize(0)), 1, 1};
  return {1, columnsOf(type.getDimSize(0)), vector};
}

Value ThreadTiles::index(int64_t value) {
  Value &known = constants[value];
  if (!known)
    known = arith::ConstantIndexOp::create(entry, value);
  return known;
}

/// The place of the thread along one side of its grid.
Value ThreadTiles::getThreadRow(tile::RegistersAttr layout) {
  Value &known = places[{layout.getColumns(), 0}];
  if (!known)
    known = arith::DivUIOp::create(entry, thread, index(layout.getColumns()));
  return known;
}

Value ThreadTiles::getThreadColumn(tile::RegistersAttr layout) {
  Value &known = places[{layout.getColumns(), 1}];
  if (!known)
    known = arith::RemUIOp::create(entry, thread, index(layout.getColumns()));
  return known;
}

Value ThreadTiles::getRow(tile::RegistersAttr layout, int64_t i) {
  Value &known = positions[{layout.getAsOpaquePointer(), false, i}];
  if (known)
    return known;
  Value first = getThreadRow(layout);
  if (layout.getPaired()) {
    // Eights of thread rows are spread over sixteens of rows. An `or` has no
    // carry, so the number stays one of 32 bits in fact; in recurrences, which
    // need it in more places, `ptxas` spills up to 24 bytes with it.
    Value eight = arith::DivUIOp::create(entry, first, index(8));
    auto times = [&](int64_t size) -> Value {
      return arith::MulIOp::create(entry, eight, index(size));
    };
    first = isRecurrence
                ? arith::AddIOp::create(entry, first, times(8)).getResult()
                : arith::OrIOp::create(
                      entry, times(16),
                      arith::RemUIOp::create(entry, first, index(8)))
                      .getResult();
  }
  return known =
             arith::AddIOp::create(entry, first, index(getFixedRow(layout, i)));
}

int64_t ThreadTiles::getFixedRow(tile::RegistersAttr layout, int64_t i) {
  return layout.getPaired() ? layout.getRows() * (i - i % 2) + 8 * (i % 2)
                            : layout.getRows() * i;
}

int64_t ThreadTiles::getFixed(tile::RegistersAttr layout, int64_t j) {
  int64_t vector = layout.getVector();
  return j / vector * layout.getColumns() * vector + j % vector;
}

Value ThreadTiles::getColumn(tile::RegistersAttr layout, int64_t j) {
  Value &known = positions[{layout.getAsOpaquePointer(), true, j}];
  if (known)
    return known;
  Value first = arith::MulIOp::create(entry, getThreadColumn(layout),
                                      index(layout.getVector()));
  return known =
             arith::AddIOp::create(entry, first, index(getFixed(layout, j)));
}
