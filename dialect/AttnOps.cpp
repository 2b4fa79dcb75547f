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

#include "dialect/AttnChecks.h"
#include "dialect/AttnDialect.h"
#include "dialect/AttnSyntax.h"
#include "dialect/Linearity.h"
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

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// attn.attend
//===----------------------------------------------------------------------===//

double AttendOp::getScaleValue() {
  if (std::optional<APFloat> scale = getScale())
    return scale->convertToDouble();
  // With a query region, the features that meet are those it yields.
  int64_t width = getQueryRows().empty()
                      ? tensorOf(getQuery()).getShape().back()
                      : tensorOf(getYielded(getQueryRows())).getDimSize(0);
  return 1.0 / std::sqrt(double(width));
}

Type AttendOp::getAccumulatorType() {
  return attn::getAccumulatorType(tensorOf(getQuery()).getElementType());
}

bool AttendOp::allowsTf32() {
  return getPrecision() == Precision::TF32 &&
         tensorOf(getQuery()).getElementType().isF32();
}

int64_t AttendOp::getNumAxes() { return attn::getNumAxes(getQuery()); }

Value AttendOp::getBatchOperand() {
  return attn::getBatchOperand(getQuery(), getKey(), getValue());
}

bool AttendOp::needsOneSweep() {
  return getNormalizer() == Normalizer::None || getProb().empty() ||
         isLinearInFirst(getProb());
}

bool AttendOp::isMergeable() {
  return getNormalizer() == Normalizer::Softmax && needsOneSweep() &&
         getNumAxes() == 1 && !hasMatrixPerHead(getQueryRows());
}

/// Checks a matrix that mixes the heads of `op`.
static LogicalResult verifyMixing(AttendOp op, StringRef name, Value matrix) {
  if (!matrix)
    return success();
  RankedTensorType type = tensorOf(matrix);
  int64_t heads = tensorOf(op.getQuery()).getDimSize(1);
  for (auto [operand, value] : {std::pair("query", op.getQuery()),
                                {"key", op.getKey()},
                                {"value", op.getValue()}})
    if (tensorOf(value).isDynamicDim(1)) // attend_c15
      return op.emitOpError()
             << "'" << name << "' needs a static number of heads in '"
             << operand << "', got " << value.getType();
  if (type.getShape() != ArrayRef({heads, heads})) // attend_c15
    return op.emitOpError()
           << "'" << name << "' must be a matrix of " << heads << " x " << heads
           << " (heads of 'query'), got " << type;
  Type stored = type.getElementType();
  if (!isStorageType(stored) ||
      attn::getAccumulatorType(stored) != op.getAccumulatorType()) // attend_c16
    return op.emitOpError()
           << "'" << name << "' must have an element type that is accumulated "
           << "in " << op.getAccumulatorType() << ", got " << stored;
  return success();
}

/// Checks the list of blocks that `op` visits, if it has one.
static LogicalResult verifyList(AttendOp op) {
  if (bool(op.getOffsets()) != bool(op.getBlocks()) ||
      bool(op.getOffsets()) != bool(op.getBlockSizes())) // attend_c18
    return op.emitOpError("needs 'block_sizes' beside 'blocks', and only "
                          "there: a list says nothing without them");
  if (!op.getOffsets())
    return success();
  if (failed(verifyBlockList(op, *op.getBlockSizes(), tensorOf(op.getOffsets()),
                             tensorOf(op.getBlocks())))) // attend_c19
    return failure();
  RankedTensorType query = tensorOf(op.getQuery());
  int64_t batches = tensorOf(op.getBatchOperand()).getDimSize(0);
  for (auto [dim, name, size] :
       {std::tuple(0, "batches", batches), {1, "heads", query.getDimSize(1)}}) {
    int64_t got = tensorOf(op.getOffsets()).getDimSize(dim);
    if (got != 1 && failed(verifyCompatibleShape({got}, {size})))
      return op.emitOpError("'offsets' must have 1 or all ") // attend_c20
             << size << " " << name << ", got " << got;
  }
  if (!op.getKeys().empty()) // attend_c21
    return op.emitOpError("cannot have 'blocks' and a region 'keys': a list "
                          "says already which keys are visited");
  ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule && op.getNumAxes() > 1) // attend_c26
    return op.emitOpError("needs a 'schedule' with boxes beside 'blocks': a "
                          "list of blocks of a grid says nothing without them");
  if (!schedule)
    return success();
  SmallVector<int64_t> blocks{schedule.getBlockQ(), schedule.getBlockK()};
  if (ArrayRef(blocks) != *op.getBlockSizes() || schedule.getSplits())
    return op.emitOpError("'schedule' must have the blocks of 'block_sizes', "
                          "[") // attend_c22
           << *op.getBlockSizes() << "], and no splits, got " << schedule;
  if (!schedule.hasBoxes() && op.getNumAxes() > 1) // attend_c26
    return op.emitOpError("needs a 'schedule' with boxes beside 'blocks' of a "
                          "grid, got ")
           << schedule;
  return success();
}

/// Checks what is for tokens of one axis only, and the boxes of a grid.
static LogicalResult verifyAxes(AttendOp op) {
  int64_t axes = op.getNumAxes();
  ScheduleAttr schedule = op.getScheduleAttr();
  if (schedule && schedule.hasBoxes() &&
      schedule.getBoxQ().size() != axes) // attend_c25
    return op.emitOpError("'schedule' must have boxes with a size for each of "
                          "the ")
           << axes << " axes of tokens, got " << schedule.getBoxQ().size();
  StringRef what = op.getAlignment() == Alignment::End ? "'alignment(end)'"
                   : op.getMaxQueries()                ? "'max_queries'"
                   : op.getMixScores()                 ? "'mix_scores'"
                   : op.getMixWeights()                ? "'mix_weights'"
                   : schedule && schedule.getSplits()  ? "'splits'"
                                                       : "";
  if (axes == 1 || what.empty())
    return success();
  return op.emitOpError() // attend_c24
         << what << " needs one axis of tokens, got " << axes;
}

LogicalResult AttendOp::verify() {
  if (failed(verifyPairwiseOperands(*this, getQuery(), getKey(), getValue())) ||
      failed(verifyList(*this)) || failed(verifyPackedAttention(*this)) ||
      failed(verifyAxes(*this)) ||
      failed(verifyMixing(*this, "mix_scores", getMixScores())) ||
      failed(verifyMixing(*this, "mix_weights", getMixWeights())))
    return failure();
  if (getMixWeights() && !getProb().empty()) // attend_c17
    return emitOpError("cannot have 'mix_weights' and a region 'prob': which "
                       "of them comes first is not defined");
  if (getScale() && !getScale()->isFinite()) // attend_c10
    return emitOpError("'scale' must be finite, got ") << getScaleAttr();
  int64_t queries = tensorOf(getQuery()).getDimSize(2);
  if (std::optional<uint64_t> most = getMaxQueries())
    if (*most == 0 || (!ShapedType::isDynamic(queries) &&
                       uint64_t(queries) > *most)) // attend_c14
      return emitOpError("'max_queries' must be positive and at least the "
                         "number of queries, got ")
             << *most << " for " << getQuery().getType();
  if (getNormalizer() == Normalizer::Softmax)
    return success();
  auto softmaxOnly = [&](StringRef what) {
    return emitOpError() << what << " needs 'normalizer(softmax)', got '"
                         << stringifyNormalizer(getNormalizer()) << "'";
  };
  if (getLse()) // attend_c12
    return softmaxOnly("result 'lse'");
  if (!getSink().empty()) // attend_c13
    return softmaxOnly("region 'sink'");
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
  int64_t axes = op.getNumAxes();
  if (op.getAlignment() ||
      !relatesPositions({&op.getScore(), &op.getMask(), &op.getProb()}, axes))
    return success();
  if (op.getKeySegments()) // attend_c31
    return op.emitOpError("needs 'alignment(start)' or 'alignment(end)': its "
                          "regions use %i and %j, and 'segments' have offsets "
                          "of their own for keys");
  for (unsigned dim = 2; dim < 2 + axes; ++dim) {
    int64_t nq = tensorOf(op.getQuery()).getDimSize(dim);
    int64_t nk = tensorOf(op.getKey()).getDimSize(dim);
    Attribute nameQ = dimensionName(op.getQuery(), dim);
    Attribute nameK = dimensionName(op.getKey(), dim);
    bool differ = failed(verifyCompatibleShape({nq}, {nk})) ||
                  (nameQ && nameK && nameQ != nameK);
    if (!differ)
      continue;
    InFlightDiagnostic error = op.emitOpError("needs 'alignment(start)'");
    error << (axes == 1 ? " or 'alignment(end)': its regions use %i and %j"
                        : ": its regions use indices of both")
          << ", and 'query' and 'key' have different numbers of rows, ";
    if (nameQ && nameK)
      return error << nameQ << " and " << nameK;
    return error << nq << " and " << nk;
  }
  return success();
}

LogicalResult AttendOp::verifyRegions() {
  FailureOr<int64_t> valueWidth = verifyPairwiseRegions(
      *this, getPairwiseRegions(*this), getQuery(), getKey(), getValue());
  if (failed(valueWidth) || failed(verifyAlignment(*this)) ||
      failed(verifySinkRegion(*this, getSink(), getAccumulatorType(),
                              getNumAxes())))
    return failure();
  RankedTensorType q = tensorOf(getQuery());
  SmallVector<int64_t> shape(q.getShape());
  shape.front() = tensorOf(getBatchOperand()).getDimSize(0);
  shape.back() = *valueWidth;
  // Another op may go on with what is not rounded yet.
  Type element = tensorOf(getOutput()).getElementType();
  if (element != getAccumulatorType())
    element = q.getElementType();
  if (failed(verifyResult(*this, "output", getOutput(), shape, element)))
    return failure(); // attend_c8
  if (!getLse())
    return success();
  shape.pop_back(); // attend_c9
  return verifyResult(*this, "lse", getLse(), shape, getAccumulatorType());
}

LogicalResult AttendOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> shape{
      tensor::getMixedSize(builder, getLoc(), getBatchOperand(), 0)};
  for (int64_t dim = 1; dim < 2 + getNumAxes(); ++dim)
    shape.push_back(tensor::getMixedSize(builder, getLoc(), getQuery(), dim));
  SmallVector<OpFoldResult> output = shape;
  output.push_back(
      builder.getIndexAttr(tensorOf(getOutput()).getShape().back()));
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
                           &op.getValueRows(), &op.getScore(), &op.getProb()})
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
        op.getKey(), op.getValue(), op.getMixScores(), op.getMixWeights(),
        op.getOffsets(), op.getBlocks(), op.getQuerySegments(),
        op.getKeySegments(), op.getScaleAttr(), op.getAlignmentAttr(),
        op.getNormalizerAttr(), op.getPrecisionAttr(), op.getMaxQueriesAttr(),
        op.getBlockSizesAttr(), op.getScheduleAttr());
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
// attn.map_rows, and ops that stand in regions
//===----------------------------------------------------------------------===//

LogicalResult MapRowsOp::verify() {
  return verifyRows(*this, "input", tensorOf(getInput()), kMostAxes);
}

LogicalResult MapRowsOp::verifyRegions() {
  RankedTensorType input = tensorOf(getInput());
  if (getRows().empty()) // map_rows_c4
    return emitOpError("region 'rows' must not be empty");
  FailureOr<int64_t> width = verifyRowRegion(
      *this, getRows(), "rows", input.getShape().back(),
      getAccumulatorType(input.getElementType()), attn::getNumAxes(getInput()));
  if (failed(width))
    return failure();
  SmallVector<int64_t> shape(input.getShape());
  shape.back() = *width; // map_rows_c5
  Type element = tensorOf(getOutput()).getElementType();
  if (!isStorageType(element) ||
      attn::getAccumulatorType(element) != input.getElementType())
    element = input.getElementType();
  return verifyResult(*this, "output", getOutput(), shape, element);
}

LogicalResult
MapRowsOp::reifyResultShapes(OpBuilder &builder,
                             ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> shape;
  for (int64_t dim = 0; dim < 2 + attn::getNumAxes(getInput()); ++dim)
    shape.push_back(tensor::getMixedSize(builder, getLoc(), getInput(), dim));
  shape.push_back(
      builder.getIndexAttr(tensorOf(getOutput()).getShape().back()));
  shapes.push_back(shape);
  return success();
}

void MapRowsOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<DropIdentityMap>(context);
}

LogicalResult MergeOp::verify() {
  RankedTensorType outputs = tensorOf(getOutputs()),
                   output = tensorOf(getOutput());
  if (failed(verifyRows(*this, "output", output)))
    return failure(); // merge_c1
  Type accumulator = attn::getAccumulatorType(output.getElementType());
  if (outputs.getElementType() != accumulator &&
      outputs.getElementType() != output.getElementType()) // merge_c2
    return emitOpError("'outputs' must have element type ")
           << accumulator << " or " << output.getElementType() << ", got "
           << outputs.getElementType();
  if (outputs.getRank() != 5 || outputs.isDynamicDim(0) ||
      outputs.getDimSize(0) < 1) // merge_c3
    return emitOpError("'outputs' must have rank 5 ([S, B, H, N, D]) and a "
                       "static number of sets, got ")
           << outputs;
  SmallVector<int64_t> shape(outputs.getShape().drop_back());
  if (failed(verifyResult(*this, "lses", getLses(), shape, accumulator)))
    return failure(); // merge_c4
  shape.assign(outputs.getShape().drop_front().begin(),
               outputs.getShape().drop_front().end());
  if (failed(verifyResult(*this, "output", getOutput(), shape,
                          output.getElementType())))
    return failure(); // merge_c5
  if (!getLse())
    return success();
  shape.pop_back(); // merge_c6
  return verifyResult(*this, "lse", getLse(), shape, accumulator);
}

LogicalResult MergeOp::verifyRegions() {
  return verifySinkRegion(*this, getSink(),
                          tensorOf(getLses()).getElementType());
}

LogicalResult MergeOp::reifyResultShapes(OpBuilder &builder,
                                         ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> shape;
  for (int64_t dim = 1; dim < 4; ++dim)
    shape.push_back(tensor::getMixedSize(builder, getLoc(), getOutputs(), dim));
  SmallVector<OpFoldResult> output = shape;
  output.push_back(builder.getIndexAttr(tensorOf(getOutput()).getDimSize(3)));
  shapes.push_back(output);
  if (getLse())
    shapes.push_back(shape);
  return success();
}

LogicalResult ReduceRowOp::verify() {
  auto type = tensorOf(getVector()); // reduce_row_c1
  if (type.getRank() != 1 || !type.hasStaticShape())
    return emitOpError("'vector' must have rank 1 and a static size, got ")
           << type;
  if (!isa_and_nonnull<AttendOp, MapRowsOp, ReduceOp, RecurOp, RecurChunkOp,
                       PartialOp>((*this)->getParentOp()))
    return emitOpError(
        "must stand in a row region of an attn op"); // reduce_row_c2
  return success();
}

LogicalResult ContractRowOp::verify() {
  auto vector = tensorOf(getVector()), matrix = tensorOf(getMatrix()),
       result = tensorOf(getResult());
  Type element = vector.getElementType();
  if (vector.getRank() != 1 || !vector.hasStaticShape() ||
      !(element.isF32() || element.isF64())) // contract_row_c1
    return emitOpError("'vector' must have rank 1, a static size and element "
                       "type f32 or f64, got ")
           << vector;
  size_t rank = getIndices().size() + 2;
  if (size_t(matrix.getRank()) != rank) // contract_row_c2
    return emitOpError("'matrix' must have two dimensions more than there are "
                       "indices, expected rank ")
           << rank << ", got " << matrix;
  int64_t features = matrix.getDimSize(rank - 2),
          width = matrix.getDimSize(rank - 1);
  if (ShapedType::isDynamic(features) || ShapedType::isDynamic(width) ||
      width < 1) // contract_row_c2
    return emitOpError("'matrix' must have static sizes of at least 1 in its "
                       "last two dimensions, got ")
           << matrix;
  Type stored = matrix.getElementType();
  if (!isStorageType(stored) ||
      attn::getAccumulatorType(stored) != element) // contract_row_c3
    return emitOpError(
               "'matrix' must have an element type that is accumulated in ")
           << element << ", got " << stored;
  if (features != vector.getDimSize(0)) // contract_row_c4
    return emitOpError("'vector' must have the ")
           << features << " rows of 'matrix', got " << vector;
  auto expected = RankedTensorType::get({width}, element);
  if (result != expected) // contract_row_c5
    return emitOpError("'result' must be ") << expected << ", got " << result;
  if (!isa_and_nonnull<AttendOp, MapRowsOp, ReduceOp, RecurOp, RecurChunkOp,
                       PartialOp>((*this)->getParentOp()))
    return emitOpError(
        "must stand in a row region of an attn op"); // contract_row_c6
  return success();
}

LogicalResult RandomOp::verify() {
  if (getCounter().empty() || getCounter().size() > 4) // random_c1
    return emitOpError("'counter' must have 1 to 4 words, got ")
           << getCounter().size();
  if (!isa_and_nonnull<AttendOp, PartialOp, AddSinkOp>((*this)->getParentOp()))
    return emitOpError(
        "must stand in a pair region of an attn op"); // random_c2
  return success();
}
