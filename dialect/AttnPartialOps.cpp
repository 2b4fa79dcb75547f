//===- AttnPartialOps.cpp - Verifiers of ops over partial results -*- C++
//-*-===//
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

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Parts of a tuple before its accumulator.
static size_t countStatistics(Normalizer normalizer) {
  switch (normalizer) {
  case Normalizer::Softmax:
    return 2;
  case Normalizer::Sum:
    return 1;
  case Normalizer::None:
    return 0;
  }
  llvm_unreachable("a normalizer has one of three values");
}

/// Checks the first `count` parts of `tuple`, which are columns `[M]`, and the
/// accumulator `[M, Dv]` behind them if there is one; all of `element`.
static LogicalResult verifyTuple(Operation *op, StringRef name,
                                 ValueRange tuple, size_t count, Type element) {
  if (tuple.empty() || tuple.size() < count || tuple.size() > count + 1) {
    InFlightDiagnostic error = op->emitOpError()
                               << "'" << name << "' must have ";
    if (count)
      error << count << " or ";
    return error << count + 1 << " parts, got " << tuple.size(); // partial_c1
  }
  auto first = tensorOf(tuple.front());
  if (first.getRank() < 1 || first.getNumElements() == 0)
    return op->emitOpError()
           << "'" << name << "' must hold tensors that are not empty, got "
           << first;
  for (auto [index, part] : llvm::enumerate(tuple)) {
    auto type = tensorOf(part);
    int64_t rank = index < count ? 1 : 2;
    if (type.getRank() != rank || type.getElementType() != element ||
        type.getDimSize(0) != first.getDimSize(0) ||
        type.getNumElements() == 0) // partial_c2
      return op->emitOpError()
             << "'" << name << "' part " << index
             << " must be a tensor of rank " << rank << " of " << element
             << " with " << first.getDimSize(0) << " rows, got " << type;
  }
  return success();
}

/// Checks that `element`, that of `tuple`, is an accumulator type.
static LogicalResult verifyAccumulator(Operation *op, StringRef name,
                                       Type element) {
  if (element.isF32() || element.isF64())
    return success();
  return op->emitOpError() << "'" << name
                           << "' must have element type f32 or f64, got "
                           << element;
}

static LogicalResult verifySameTuple(Operation *op, ValueRange init,
                                     ValueRange state) {
  if (init.getTypes() != state.getTypes()) // partial_c6
    return op->emitOpError("'init' and results must have the same types");
  return success();
}

Type PartialOp::getAccumulatorType() {
  return attn::getAccumulatorType(tensorOf(getQuery()).getElementType());
}

int64_t PartialOp::getRows() {
  return tensorOf(getState().front()).getDimSize(0);
}

bool PartialOp::accumulates() {
  return tensorOf(getState().back()).getRank() == 2;
}

/// Checks `init`, and the statistics if there are any.
static LogicalResult verifyParts(PartialOp op) {
  Type element = op.getAccumulatorType();
  size_t count = countStatistics(op.getNormalizer());
  if (op.getStatistics().empty())
    return verifyTuple(op, "init", op.getInit(), count, element);
  if (op.getStatistics().size() != count) // partial_c7
    return op.emitOpError("'given' must have ")
           << count << " parts for normalizer '"
           << stringifyNormalizer(op.getNormalizer()) << "', got "
           << op.getStatistics().size();
  SmallVector<Value> all(op.getStatistics());
  llvm::append_range(all, op.getInit());
  if (op.getInit().size() != 1) // partial_c7
    return op.emitOpError("'init' must be the accumulator alone where "
                          "statistics are given, got ")
           << op.getInit().size() << " parts";
  return verifyTuple(op, "given and init", all, count, element);
}

/// Checks that each group of rows has a range.
static LogicalResult verifyRanges(PartialOp op) {
  if (op.getRanges().empty() && !op.getRangeRows())
    return success();
  int64_t rows = op.getRangeRows().value_or(0);
  if (rows < 1 || op.getRows() % rows) // partial_c8
    return op.emitOpError("'ranges' must be of a number of rows that divides "
                          "the ")
           << op.getRows() << " of the block, got " << rows;
  int64_t expected = 2 * (op.getRows() / rows);
  if (static_cast<int64_t>(op.getRanges().size()) != expected) // partial_c9
    return op.emitOpError("'ranges' must have a begin and an end for each ")
           << rows << " rows, expected " << expected << " bounds, got "
           << op.getRanges().size();
  return success();
}

/// Whether the sizes of `box` are positive and have `block` as their product.
static bool isBoxOf(ArrayRef<int64_t> box, int64_t block) {
  int64_t tokens = 1;
  for (int64_t size : box)
    tokens *= size < 1 || size > block ? 0 : size;
  return tokens == block;
}

static bool isStep(ArrayRef<int64_t> step) {
  return llvm::all_of(step, [](int64_t size) { return size >= 1; });
}

/// Checks first tokens and boxes.
static LogicalResult verifyBoxes(PartialOp op) {
  size_t axes = getNumAxes(op.getQuery());
  if (op.getFirstQuery().size() != axes ||
      op.getFirstKey().size() != axes) // partial_c10
    return op.emitOpError("must have an index of its first query and its first "
                          "key for each of the ")
           << axes << " axes of tokens, got " << op.getFirstQuery().size()
           << " and " << op.getFirstKey().size();
  std::optional<ArrayRef<int64_t>> boxQ = op.getBoxQ(), boxK = op.getBoxK(),
                                   step = op.getStep();
  if (bool(boxQ) != bool(boxK) || (step && !boxQ) ||
      (axes > 1 && !boxQ)) // partial_c11
    return op.emitOpError("must have both 'box_q' and 'box_k' on a grid, and "
                          "where there is a 'step'");
  if (!boxQ)
    return success();
  if (boxQ->size() != axes || boxK->size() != axes ||
      !isBoxOf(*boxQ, op.getRows()) ||
      !isBoxOf(*boxK, op.getWidth())) // partial_c12
    return op.emitOpError("boxes must have ")
           << axes << " sizes whose products are the " << op.getRows()
           << " rows and the " << op.getWidth() << " keys of the block, got "
           << listSizes(op.getBoxQAttr()) << " and "
           << listSizes(op.getBoxKAttr());
  if (step && (step->size() != axes || !isStep(*step))) // partial_c13
    return op.emitOpError("'step' must have ")
           << axes << " positive sizes, got " << listSizes(op.getStepAttr());
  if (op.getPacked() || !op.getRanges().empty() || !op.getKeys().empty() ||
      op.getAlignment() == Alignment::End) // partial_c14
    return op.emitOpError("cannot have boxes together with 'packed', 'ranges', "
                          "'alignment(end)' or a region 'keys'");
  return success();
}

LogicalResult PartialOp::verify() {
  if (failed(verifyPairwiseOperands(*this, getQuery(), getKey(), getValue())) ||
      failed(verifyParts(*this)) ||
      failed(verifySameTuple(*this, getInit(), getState())) ||
      failed(verifyRanges(*this)))
    return failure();
  if (getWidth() < 1) // partial_c3
    return emitOpError("'width' must be positive, got ") << getWidth();
  if (failed(verifyBoxes(*this)))
    return failure();
  if (!getScale().isFinite()) // partial_c5
    return emitOpError("'scale' must be finite, got ") << getScaleAttr();
  return success();
}

LogicalResult PartialOp::verifyRegions() {
  FailureOr<int64_t> valueWidth = verifyPairwiseRegions(
      *this, getPairwiseRegions(*this), getQuery(), getKey(), getValue());
  if (failed(valueWidth))
    return failure();
  if (!accumulates())
    return success();
  int64_t got = tensorOf(getState().back()).getDimSize(1);
  if (got != *valueWidth) // partial_c4
    return emitOpError("the accumulator must have the features of the value "
                       "rows, expected ")
           << *valueWidth << ", got " << got;
  return success();
}

LogicalResult AddSinkOp::verify() {
  Type element =
      getInit().empty() ? Type() : tensorOf(getInit().front()).getElementType();
  if (failed(verifyTuple(*this, "init", getInit(),
                         countStatistics(Normalizer::Softmax), element)) ||
      failed(verifyAccumulator(*this, "init", element)))
    return failure(); // add_sink_c1
  std::optional<ArrayRef<int64_t>> box = getBox(), step = getStep();
  size_t axes = getPosition().size();
  int64_t rows = tensorOf(getInit().front()).getDimSize(0);
  bool isPlain = axes == 1 && !box && !step;
  bool isBox = axes >= 1 && axes <= size_t(kMostAxes) && box &&
               box->size() == axes && isBoxOf(*box, rows) &&
               (!step || (step->size() == axes && isStep(*step)));
  if (!isPlain && !isBox) // add_sink_c3
    return emitOpError("must be at one position, or at one per size of a 'box' "
                       "of its ")
           << rows << " rows with as many positive sizes of 'step', got "
           << axes << " positions";
  return verifySameTuple(*this, getInit(), getState());
}

LogicalResult AddSinkOp::verifyRegions() {
  if (getSink().empty()) // add_sink_c2
    return emitOpError("region 'sink' must not be empty");
  return verifySinkRegion(*this, getSink(),
                          tensorOf(getInit().front()).getElementType(),
                          getPosition().size());
}

LogicalResult FinishOp::verify() {
  if (getState().empty() || getState().size() > 3) // finish_c1
    return emitOpError("'state' must have 1 to 3 parts, got ")
           << getState().size();
  auto a = tensorOf(getState().back());
  Type element = a.getElementType();
  if (failed(verifyAccumulator(*this, "state", element)))
    return failure(); // finish_c1
  if (failed(verifyTuple(*this, "state", getState(), getState().size() - 1,
                         element)))
    return failure(); // finish_c2
  Type stored = tensorOf(getOutput()).getElementType();
  if (!isStorageType(stored) ||
      attn::getAccumulatorType(stored) != element) // finish_c3
    return emitOpError(
               "'output' must have an element type that is accumulated in ")
           << element << ", got " << stored;
  if (failed(verifyResult(*this, "output", getOutput(), a.getShape(), stored)))
    return failure(); // finish_c4
  if (!getLse())
    return success();
  if (getState().size() != 3) // finish_c5
    return emitOpError("'lse' needs a reference and a sum, got a state of ")
           << getState().size() << " parts";
  return verifyResult(*this, "lse", getLse(), a.getShape().take_front(),
                      element);
}
