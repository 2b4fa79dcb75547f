//===- AttnOps.cpp - Verifiers and folds of attn ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The labels in comments are those of the constraints in docs/spec.md.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "dialect/AttnRegions.h"
#include "dialect/AttnSyntax.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include <cmath>

using namespace mlir;
using namespace attn;

#define GET_OP_CLASSES
#include "dialect/AttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Checks shared by several ops
//===----------------------------------------------------------------------===//

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The element types of operands and outputs.
static bool isStorageType(Type type) {
  return type.isF64() || type.isF32() || type.isF16() || type.isBF16();
}

/// A `[B, H, N, D]` tensor of a supported element type with static D.
static LogicalResult verifyRows(Operation *op, StringRef name,
                                RankedTensorType type) {
  if (type.getRank() != 4) // attend_c1, map_rows_c1
    return op->emitOpError()
           << "'" << name << "' must have rank 4 ([B, H, N, D]), got " << type;
  Type element = type.getElementType();
  if (!isStorageType(element)) // attend_c2, map_rows_c2
    return op->emitOpError() << "'" << name
                             << "' must have element type f64, f32, f16 or "
                                "bf16, got "
                             << element;
  if (type.isDynamicDim(3) || type.getDimSize(3) < 1) // attend_c3, map_rows_c3
    return op->emitOpError() << "'" << name
                             << "' must have a static number of features (its "
                                "last dimension), got "
                             << type;
  return success();
}

/// The sizes of one dimension of two operands must not contradict.
static LogicalResult verifySameSize(Operation *op, StringRef what,
                                    StringRef nameA, int64_t a, StringRef nameB,
                                    int64_t b) {
  if (succeeded(verifyCompatibleShape({a}, {b})))
    return success();
  return op->emitOpError() << "'" << nameA << "' and '" << nameB
                           << "' must have the same " << what << ", got " << a
                           << " and " << b;
}

/// Checks the operands that `attn.attend` and `attn.partial` share, and their
/// head grouping.
template <typename OpT> static LogicalResult verifyPairwiseOperands(OpT op) {
  RankedTensorType q = tensorOf(op.getQuery()), k = tensorOf(op.getKey()),
                   v = tensorOf(op.getValue());
  if (failed(verifyRows(op, "query", q)) || failed(verifyRows(op, "key", k)) ||
      failed(verifyRows(op, "value", v)))
    return failure();
  for (auto [name, type] : {std::pair("key", k), {"value", v}})
    if (type.getElementType() != q.getElementType()) // attend_c2
      return op.emitOpError()
             << "'" << name << "' must have the element type of "
             << "'query', expected " << q.getElementType() << ", got "
             << type.getElementType();
  auto same = [&](StringRef what, StringRef a, RankedTensorType ta, StringRef b,
                  RankedTensorType tb, int dim) {
    return verifySameSize(op, what, a, ta.getDimSize(dim), b,
                          tb.getDimSize(dim));
  };
  if (failed(same("batch size (dimension 0)", "query", q, "key", k, 0)) ||
      failed(same("batch size (dimension 0)", "query", q, "value", v, 0)))
    return failure(); // attend_c5
  if (failed(same("number of heads (dimension 1)", "key", k, "value", v, 1)))
    return failure(); // attend_c6
  if (failed(same("number of rows (dimension 2)", "key", k, "value", v, 2)))
    return failure(); // attend_c7
  int64_t heads = q.getDimSize(1), keyHeads = k.getDimSize(1);
  if (!q.isDynamicDim(1) && !k.isDynamicDim(1) &&
      (keyHeads == 0 || heads % keyHeads)) // attend_c6
    return op.emitOpError() << "'query' must have a multiple of the heads of "
                            << "'key', got " << heads << " and " << keyHeads;
  return success();
}

/// Checks all regions; returns the width of the mapped value rows.
template <typename OpT>
static FailureOr<int64_t> verifyPairwiseRegions(OpT op) {
  Type element = op.getAccumulatorType();
  auto width = [](Value operand) { return tensorOf(operand).getDimSize(3); };
  auto dq = verifyRowRegion(op, op.getQueryRows(), "query",
                            width(op.getQuery()), element);
  auto dk =
      verifyRowRegion(op, op.getKeyRows(), "key", width(op.getKey()), element);
  auto dv = verifyRowRegion(op, op.getValueRows(), "value",
                            width(op.getValue()), element);
  if (failed(dq) || failed(dk) || failed(dv) ||
      failed(verifyScoreRegion(op, op.getScore(), element)) ||
      failed(verifyMaskRegion(op, op.getMask())))
    return failure();
  if (*dq != *dk) // attend_c4
    return op.emitOpError()
           << "'query' and 'key' rows must have the same number "
           << "of features, got " << *dq << " and " << *dk;
  return *dv;
}

static LogicalResult verifyResult(Operation *op, StringRef name, Value result,
                                  ArrayRef<int64_t> shape, Type element) {
  auto type = tensorOf(result);
  auto expected = RankedTensorType::get(shape, element);
  if (type.getElementType() != element ||
      failed(verifyCompatibleShape(type.getShape(), shape)))
    return op->emitOpError()
           << "'" << name << "' must be " << expected << ", got " << type;
  return success();
}

//===----------------------------------------------------------------------===//
// attn.attend
//===----------------------------------------------------------------------===//

double AttendOp::getScaleValue() {
  if (std::optional<APFloat> scale = getScale())
    return scale->convertToDouble();
  // With a query region, the features that meet are those it yields.
  int64_t width = getQueryRows().empty()
                      ? tensorOf(getQuery()).getDimSize(3)
                      : tensorOf(getYielded(getQueryRows())).getDimSize(0);
  return 1.0 / std::sqrt(double(width));
}

Type AttendOp::getAccumulatorType() {
  return attn::getAccumulatorType(tensorOf(getQuery()).getElementType());
}

LogicalResult AttendOp::verify() {
  if (failed(verifyPairwiseOperands(*this)))
    return failure();
  if (getScale() && !getScale()->isFinite()) // attend_c10
    return emitOpError("'scale' must be finite, got ") << getScaleAttr();
  return success();
}

/// The name that the function gives to dimension `dim` of `value`, if any.
static Attribute dimensionName(Value value, unsigned dim) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return {};
  auto function =
      dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  if (!function)
    return {};
  auto dims =
      function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kDimsAttr);
  return dims && dim < dims.size() ? dims[dim] : Attribute();
}

/// A region that relates query and key positions needs an alignment where the
/// numbers of queries and keys are known to be different things (attend_c11).
static LogicalResult verifyAlignment(AttendOp op) {
  if (op.getAlignment() || !relatesPositions(op.getScore(), op.getMask()))
    return success();
  int64_t nq = tensorOf(op.getQuery()).getDimSize(2);
  int64_t nk = tensorOf(op.getKey()).getDimSize(2);
  Attribute nameQ = dimensionName(op.getQuery(), 2);
  Attribute nameK = dimensionName(op.getKey(), 2);
  bool differ = failed(verifyCompatibleShape({nq}, {nk})) ||
                (nameQ && nameK && nameQ != nameK);
  if (!differ)
    return success();
  InFlightDiagnostic error = op.emitOpError(
      "needs 'alignment(start)' or 'alignment(end)': its regions "
      "use %i and %j, and 'query' and 'key' have different "
      "numbers of rows, ");
  if (nameQ && nameK)
    return error << nameQ << " and " << nameK;
  return error << nq << " and " << nk;
}

LogicalResult AttendOp::verifyRegions() {
  FailureOr<int64_t> valueWidth = verifyPairwiseRegions(*this);
  if (failed(valueWidth) || failed(verifyAlignment(*this)))
    return failure();
  RankedTensorType q = tensorOf(getQuery());
  SmallVector<int64_t> shape{q.getDimSize(0), q.getDimSize(1), q.getDimSize(2),
                             *valueWidth};
  if (failed(verifyResult(*this, "output", getOutput(), shape,
                          q.getElementType())))
    return failure(); // attend_c8
  if (!getLse())
    return success();
  shape.pop_back(); // attend_c9
  return verifyResult(*this, "lse", getLse(), shape, getAccumulatorType());
}

LogicalResult AttendOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> shape;
  for (int64_t dim = 0; dim < 3; ++dim)
    shape.push_back(tensor::getMixedSize(builder, getLoc(), getQuery(), dim));
  SmallVector<OpFoldResult> output = shape;
  output.push_back(builder.getIndexAttr(tensorOf(getOutput()).getDimSize(3)));
  shapes.push_back(output);
  if (getLse())
    shapes.push_back(shape);
  return success();
}

/// Whether `region` yields its first argument.
static bool isIdentity(Region &region) {
  return !region.empty() && region.front().getNumArguments() > 0 &&
         getYielded(region) == region.front().getArgument(0);
}

namespace {
/// Drops regions that say nothing: row maps and scores that yield their
/// argument, masks that are true everywhere.
struct DropTrivialRegions : OpRewritePattern<AttendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttendOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Region *> trivial;
    for (Region *region : {&op.getQueryRows(), &op.getKeyRows(),
                           &op.getValueRows(), &op.getScore()})
      if (isIdentity(*region))
        trivial.push_back(region);
    if (!op.getMask().empty() &&
        matchPattern(getYielded(op.getMask()), m_One()))
      trivial.push_back(&op.getMask());
    if (trivial.empty())
      return rewriter.notifyMatchFailure(op, "no region is trivial");
    rewriter.modifyOpInPlace(op, [&] {
      for (Region *region : trivial)
        rewriter.eraseBlock(&region->front());
    });
    return success();
  }
};

/// Removes a log-sum-exp that nobody reads.
struct DropUnusedLse : OpRewritePattern<AttendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttendOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getLse() || !op.getLse().use_empty())
      return rewriter.notifyMatchFailure(op, "no unused lse");
    auto smaller = AttendOp::create(
        rewriter, op.getLoc(), op.getOutput().getType(), Type(), op.getQuery(),
        op.getKey(), op.getValue(), op.getScaleAttr(), op.getAlignmentAttr(),
        op.getScheduleAttr());
    for (auto [from, to] : llvm::zip(op->getRegions(), smaller->getRegions()))
      rewriter.inlineRegionBefore(from, to, to.end());
    rewriter.replaceAllUsesWith(op.getOutput(), smaller.getOutput());
    rewriter.eraseOp(op);
    return success();
  }
};

/// Replaces a row map that yields its argument by its operand.
struct DropIdentityMap : OpRewritePattern<MapRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MapRowsOp op,
                                PatternRewriter &rewriter) const override {
    if (!isIdentity(op.getRows()) ||
        op.getInput().getType() != op.getOutput().getType())
      return rewriter.notifyMatchFailure(op, "rows is not the identity");
    rewriter.replaceOp(op, op.getInput());
    return success();
  }
};
} // namespace

void AttendOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<DropTrivialRegions, DropUnusedLse>(context);
}

//===----------------------------------------------------------------------===//
// attn.map_rows, attn.reduce_row
//===----------------------------------------------------------------------===//

LogicalResult MapRowsOp::verify() {
  return verifyRows(*this, "input", tensorOf(getInput()));
}

LogicalResult MapRowsOp::verifyRegions() {
  RankedTensorType input = tensorOf(getInput());
  if (getRows().empty()) // map_rows_c4
    return emitOpError("region 'rows' must not be empty");
  FailureOr<int64_t> width =
      verifyRowRegion(*this, getRows(), "rows", input.getDimSize(3),
                      getAccumulatorType(input.getElementType()));
  if (failed(width))
    return failure();
  SmallVector<int64_t> shape(input.getShape());
  shape.back() = *width; // map_rows_c5
  return verifyResult(*this, "output", getOutput(), shape,
                      input.getElementType());
}

LogicalResult
MapRowsOp::reifyResultShapes(OpBuilder &builder,
                             ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> shape;
  for (int64_t dim = 0; dim < 3; ++dim)
    shape.push_back(tensor::getMixedSize(builder, getLoc(), getInput(), dim));
  shape.push_back(builder.getIndexAttr(tensorOf(getOutput()).getDimSize(3)));
  shapes.push_back(shape);
  return success();
}

void MapRowsOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<DropIdentityMap>(context);
}

LogicalResult ReduceRowOp::verify() {
  auto type = tensorOf(getVector()); // reduce_row_c1
  if (type.getRank() != 1 || !type.hasStaticShape())
    return emitOpError("'vector' must have rank 1 and a static size, got ")
           << type;
  if (!isa_and_nonnull<AttendOp, MapRowsOp, PartialOp>((*this)->getParentOp()))
    return emitOpError(
        "must stand in a row region of an attn op"); // reduce_row_c2
  return success();
}

//===----------------------------------------------------------------------===//
// attn.partial, attn.finish
//===----------------------------------------------------------------------===//

/// Checks the parts of a partial result: `[M]`, `[M]`, `[M, Dv]` of `element`
/// (partial_c1, partial_c2, finish_c1, finish_c2).
static LogicalResult verifyTuple(Operation *op, Value reference, Value sum,
                                 Value accumulator, Type element) {
  auto a = tensorOf(accumulator);
  if (a.getRank() != 2 || a.getElementType() != element ||
      a.getNumElements() == 0)
    return op->emitOpError() << "'accumulator' must be a tensor of rank 2 of "
                             << element << " that is not empty, got " << a;
  if (failed(verifyResult(op, "reference", reference, a.getShape().take_front(),
                          element)))
    return failure();
  return verifyResult(op, "sum", sum, a.getShape().take_front(), element);
}

Type PartialOp::getAccumulatorType() {
  return attn::getAccumulatorType(tensorOf(getQuery()).getElementType());
}

int64_t PartialOp::getRows() { return tensorOf(getSum()).getDimSize(0); }

LogicalResult PartialOp::verify() {
  if (failed(verifyPairwiseOperands(*this)) ||
      failed(verifyTuple(*this, getReference(), getSum(), getAccumulator(),
                         getAccumulatorType())))
    return failure();
  if (getWidth() < 1) // partial_c3
    return emitOpError("'width' must be positive, got ") << getWidth();
  if (!getScale().isFinite()) // partial_c5
    return emitOpError("'scale' must be finite, got ") << getScaleAttr();
  return success();
}

LogicalResult PartialOp::verifyRegions() {
  FailureOr<int64_t> valueWidth = verifyPairwiseRegions(*this);
  if (failed(valueWidth))
    return failure();
  int64_t got = tensorOf(getAccumulator()).getDimSize(1);
  if (got != *valueWidth) // partial_c4
    return emitOpError(
               "'accumulator' must have the features of the value rows, "
               "expected ")
           << *valueWidth << ", got " << got;
  return success();
}

LogicalResult FinishOp::verify() {
  auto a = tensorOf(getAccumulator());
  Type element = a.getElementType();
  if (!element.isF32() && !element.isF64()) // finish_c1
    return emitOpError("'accumulator' must have element type f32 or f64, got ")
           << element;
  if (failed(verifyTuple(*this, getReference(), getSum(), getAccumulator(),
                         element)))
    return failure();
  Type stored = tensorOf(getOutput()).getElementType();
  if (!isStorageType(stored) ||
      attn::getAccumulatorType(stored) != element) // finish_c3
    return emitOpError(
               "'output' must have an element type that is accumulated in ")
           << element << ", got " << stored;
  if (failed(verifyResult(*this, "output", getOutput(), a.getShape(), stored)))
    return failure(); // finish_c4
  return verifyResult(*this, "lse", getLse(), a.getShape().take_front(),
                      element);
}
