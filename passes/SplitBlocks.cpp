//===- SplitBlocks.cpp - Independent blocks of queries, merged blocks of keys
//-*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// softmax attention over all keys is a fold of partial results over blocks of
// keys (docs/rationale/merge.md), and different queries do not meet. So
// attn.attend becomes
//
//   scf.forall (b, h, block) in (B, H, ceil(Nq / M)):        independent
//     tuple = identity
//     scf.for j = 0 to floor(Nk / W) W step W:               dependent
//       tuple = attn.partial ... at (b, h, block M, j) init tuple
//     scf.for j = floor(Nk / W) W to Nk step W:              at most once
//       tuple = attn.partial ... bounded
//     rows, lse = attn.finish tuple
//     insert the rows that exist into the results
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_SPLITBLOCKS
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Splits one attn.attend.
class Splitter {
public:
  Splitter(AttendOp op)
      : op(op), b(op.getLoc(), op), blockQ(op.getScheduleAttr().getBlockQ()),
        blockK(op.getScheduleAttr().getBlockK()) {}

  void run();

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value size(Value tensor, int64_t dim) {
    return tensor::DimOp::create(b, tensor, dim);
  }
  Value emptyLike(Value result, ArrayRef<OpFoldResult> sizes);
  SmallVector<Value> identity();
  SmallVector<Value> foldKeys(Value first, Value last, bool bounded,
                              Value batch, Value head, Value row,
                              ValueRange init);
  void emitBlock(scf::ForallOp forall);
  void insertRows(scf::ForallOp forall, unsigned result, Value rows, Value row);

  AttendOp op;
  ImplicitLocOpBuilder b;
  int64_t blockQ, blockK;
  Value numQueries, numKeys, wholeKeys;
};
} // namespace

Value Splitter::emptyLike(Value result, ArrayRef<OpFoldResult> sizes) {
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<Value> dynamic;
  for (auto [size, extent] : llvm::zip(sizes, type.getShape()))
    if (ShapedType::isDynamic(extent))
      dynamic.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  return tensor::EmptyOp::create(b, type, dynamic);
}

/// The identity of the merge: reference -inf, sum 0, accumulator 0.
SmallVector<Value> Splitter::identity() {
  auto element = cast<FloatType>(op.getAccumulatorType());
  int64_t width =
      cast<RankedTensorType>(op.getOutput().getType()).getDimSize(3);
  auto splat = [&](ArrayRef<int64_t> shape, const APFloat &value) -> Value {
    return arith::ConstantOp::create(
        b,
        DenseElementsAttr::get(RankedTensorType::get(shape, element), value));
  };
  const llvm::fltSemantics &semantics = element.getFloatSemantics();
  return {splat({blockQ}, APFloat::getInf(semantics, /*Negative=*/true)),
          splat({blockQ}, APFloat::getZero(semantics)),
          splat({blockQ, width}, APFloat::getZero(semantics))};
}

/// The loop over blocks of keys from `first` to `last`.
SmallVector<Value> Splitter::foldKeys(Value first, Value last, bool bounded,
                                      Value batch, Value head, Value row,
                                      ValueRange init) {
  auto body = [&](OpBuilder &nested, Location loc, Value col,
                  ValueRange tuple) {
    SmallVector<Type> types(tuple.getTypes());
    auto partial = PartialOp::create(
        nested, loc, types, op.getQuery(), op.getKey(), op.getValue(), batch,
        head, row, col, tuple[0], tuple[1], tuple[2],
        b.getI64IntegerAttr(blockK), bounded ? b.getUnitAttr() : UnitAttr(),
        b.getF64FloatAttr(op.getScaleValue()), op.getAlignmentAttr());
    IRMapping mapping;
    for (auto [from, to] : llvm::zip(op->getRegions(), partial->getRegions()))
      from.cloneInto(&to, mapping);
    scf::YieldOp::create(nested, loc, partial.getResults());
  };
  return scf::ForOp::create(b, first, last, constant(blockK), init, body)
      .getResults();
}

/// Inserts the rows from `row` on that exist into shared output `result`.
void Splitter::insertRows(scf::ForallOp forall, unsigned result, Value rows,
                          Value row) {
  auto type = cast<RankedTensorType>(rows.getType());
  Value left = arith::SubIOp::create(b, numQueries, row);
  OpFoldResult count = Value(arith::MinSIOp::create(b, left, constant(blockQ)));
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);

  SmallVector<OpFoldResult> sizes{count}, offsets{zero};
  SmallVector<OpFoldResult> at{forall.getInductionVar(0),
                               forall.getInductionVar(1), row};
  if (type.getRank() == 2) {
    sizes.push_back(b.getIndexAttr(type.getDimSize(1)));
    offsets.push_back(zero);
    at.push_back(zero);
  }
  SmallVector<OpFoldResult> strides(sizes.size(), one),
      atStrides(at.size(), one);
  Value existing =
      tensor::ExtractSliceOp::create(b, rows, offsets, sizes, strides);
  SmallVector<OpFoldResult> atSizes{one, one};
  llvm::append_range(atSizes, sizes);

  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, existing, forall.getRegionIterArgs()[result], at, atSizes, atStrides);
}

void Splitter::emitBlock(scf::ForallOp forall) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  Value batch = forall.getInductionVar(0), head = forall.getInductionVar(1);
  Value row =
      arith::MulIOp::create(b, forall.getInductionVar(2), constant(blockQ));
  SmallVector<Value> tuple = identity();
  tuple = foldKeys(constant(0), wholeKeys, false, batch, head, row, tuple);
  tuple = foldKeys(wholeKeys, numKeys, true, batch, head, row, tuple);

  auto output = cast<RankedTensorType>(op.getOutput().getType());
  auto rows = RankedTensorType::get({blockQ, output.getDimSize(3)},
                                    output.getElementType());
  auto finish = FinishOp::create(b, rows, tuple[1].getType(), tuple[0],
                                 tuple[1], tuple[2]);
  insertRows(forall, 0, finish.getOutput(), row);
  if (op.getLse())
    insertRows(forall, 1, finish.getLse(), row);
}

void Splitter::run() {
  ReifiedRankedShapedTypeDims shapes;
  if (failed(op.reifyResultShapes(b, shapes)))
    llvm_unreachable("attn.attend always knows its result sizes");
  SmallVector<Value> outputs{emptyLike(op.getOutput(), shapes[0])};
  if (op.getLse())
    outputs.push_back(emptyLike(op.getLse(), shapes[1]));

  numQueries = size(op.getQuery(), 2);
  numKeys = size(op.getKey(), 2);
  Value rest = arith::RemSIOp::create(b, numKeys, constant(blockK));
  wholeKeys = arith::SubIOp::create(b, numKeys, rest);
  Value blocks = arith::CeilDivSIOp::create(b, numQueries, constant(blockQ));
  SmallVector<OpFoldResult> grid{size(op.getQuery(), 0), size(op.getQuery(), 1),
                                 blocks};
  auto forall = scf::ForallOp::create(b, grid, outputs, std::nullopt);
  emitBlock(forall);
  op->replaceAllUsesWith(forall.getResults());
  op->erase();
}

namespace {
struct SplitBlocks : attn::impl::SplitBlocksBase<SplitBlocks> {
  void runOnOperation() override {
    SmallVector<AttendOp> ops;
    getOperation().walk([&](AttendOp op) { ops.push_back(op); });
    for (AttendOp op : ops) {
      if (!op.getScheduleAttr()) {
        op.emitOpError("has no schedule; run attn-select-schedule first");
        return signalPassFailure();
      }
      Splitter(op).run();
    }
  }
};
} // namespace
