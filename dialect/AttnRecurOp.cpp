//===- AttnRecurOp.cpp - Verifier of attn.recur ---------------*- C++ -*-===//
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
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// What the op says about itself
//===----------------------------------------------------------------------===//

/// The features of the rows of `operand`, mapped by `rows`.
static int64_t getMappedWidth(Value operand, Region &rows) {
  return rows.empty() ? tensorOf(operand).getDimSize(3)
                      : tensorOf(getYielded(rows)).getDimSize(0);
}

// Both ops say these things in the same way.
#define DEFINE_RECUR_DECLARATIONS(OpT)                                         \
  double OpT::getScaleValue() {                                                \
    std::optional<APFloat> scale = getScale();                                 \
    return scale ? scale->convertToDouble() : 1.0;                             \
  }                                                                            \
  Type OpT::getAccumulatorType() {                                             \
    return attn::getAccumulatorType(tensorOf(getQuery()).getElementType());    \
  }                                                                            \
  int64_t OpT::getStateRows() {                                                \
    return getMappedWidth(getQuery(), getQueryRows());                         \
  }                                                                            \
  int64_t OpT::getStateColumns() {                                             \
    return getMappedWidth(getValue(), getValueRows());                         \
  }                                                                            \
  bool OpT::hasGatePerToken() {                                                \
    return getGate() && tensorOf(getGate()).getRank() > 1;                     \
  }                                                                            \
  bool OpT::hasGatePerChannel() {                                              \
    return getGate() && tensorOf(getGate()).getRank() == 4 &&                  \
           tensorOf(getGate()).getDimSize(3) != 1;                             \
  }                                                                            \
  bool OpT::usesDenominator() {                                                \
    return !getNorm().empty() && !getNorm().getArgument(1).use_empty();        \
  }

DEFINE_RECUR_DECLARATIONS(RecurOp)
DEFINE_RECUR_DECLARATIONS(RecurChunkOp)
#undef DEFINE_RECUR_DECLARATIONS

int64_t RecurChunkOp::getBlockColumns() {
  return tensorOf(getInit().front()).getDimSize(1);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Checks that `operand` has the batch and the rows of `value`, and heads of
/// which those of `value` are a multiple.
template <typename OpT>
static LogicalResult verifyRowsOf(OpT op, StringRef name, Value operand) {
  RankedTensorType type = tensorOf(operand), value = tensorOf(op.getValue());
  if (failed(verifyRows(op, name, type))) // recur_c1, recur_c2, recur_c3
    return failure();
  Type element = tensorOf(op.getQuery()).getElementType();
  if (type.getElementType() != element) // recur_c2
    return op.emitOpError()
           << "'" << name
           << "' must have the element type of 'query', expected " << element
           << ", got " << type.getElementType();
  for (auto [dim, what] : {std::pair(0, "batch size (dimension 0)"),
                           {2, "number of rows (dimension 2)"}}) // recur_c6
    if (failed(verifyCompatibleShape({type.getDimSize(dim)},
                                     {value.getDimSize(dim)})))
      return op.emitOpError()
             << "'" << name << "' and 'value' must have the same " << what
             << ", got " << type.getDimSize(dim) << " and "
             << value.getDimSize(dim);
  int64_t heads = type.getDimSize(1), valueHeads = value.getDimSize(1);
  if (!type.isDynamicDim(1) && (heads == 0 || (!value.isDynamicDim(1) &&
                                               valueHeads % heads))) // recur_c7
    return op.emitOpError()
           << "'value' must have a multiple of the heads of '" << name
           << "', got " << valueHeads << " and " << heads;
  return success();
}

/// Checks that `operand`, if it is there, has one of `shapes`, and an element
/// type that is accumulated in the type of the op.
template <typename OpT>
static LogicalResult verifyFactor(OpT op, StringRef name, Value operand,
                                  ArrayRef<SmallVector<int64_t>> shapes,
                                  StringRef inWords) {
  if (!operand)
    return success();
  RankedTensorType type = tensorOf(operand);
  bool fits = llvm::any_of(shapes, [&](ArrayRef<int64_t> shape) {
    return succeeded(verifyCompatibleShape(type.getShape(), shape));
  });
  if (!fits) {
    InFlightDiagnostic error =
        op.emitOpError() // recur_c8, recur_c11, recur_c12
        << "'" << name << "' must have the shape " << inWords << ", expected ";
    llvm::interleave(
        shapes,
        [&](auto &shape) { // Any element type would do.
          error << RankedTensorType::get(shape, op.getAccumulatorType());
        },
        [&] { error << " or "; });
    return error << ", got " << type;
  }
  Type element = type.getElementType();
  if (isStorageType(element) &&
      getAccumulatorType(element) == op.getAccumulatorType())
    return success();
  return op.emitOpError() // recur_c9
         << "'" << name << "' must have an element type that is accumulated in "
         << op.getAccumulatorType() << ", got " << element;
}

/// Checks which operands the rule of `write` and the time of `read` have.
template <typename OpT> static LogicalResult verifyPresence(OpT op) {
  bool isTied = op.getWrite() == WriteRule::Tied;
  if (isTied && (op.getKey() || !op.getKeyRows().empty())) // recur_c4
    return op.emitOpError(
        "'write(tied)' makes keys of the gate; expected neither 'key' nor a "
        "region 'key', but two operands, 'query' and 'value'");
  if (!isTied && !op.getKey()) // recur_c4
    return op.emitOpError("needs 'key' or 'write(tied)'; expected three "
                          "operands, 'query', 'key' and 'value', got two");
  if (isTied &&
      !(op.getGate() && tensorOf(op.getGate()).getRank() == 4)) { // recur_c10
    InFlightDiagnostic error = op.emitOpError(
        "'write(tied)' needs a 'gate' of shape [B, H, N, K], got ");
    return op.hasGate() ? error << op.getGate().getType() : error << "none";
  }
  bool isScaled = op.getWrite() == WriteRule::Scaled;
  if (isScaled != bool(op.getBeta())) // recur_c11
    return op.emitOpError("'beta' and 'write(scaled)' need each other, got ")
           << "'write(" << stringifyWriteRule(op.getWrite()) << ")' "
           << (isScaled ? "without" : "with") << " 'beta'";
  if (op.getBonus() && op.getRead() != ReadTime::Before) // recur_c12
    return op.emitOpError("'bonus' needs 'read(before)', got 'read(")
           << stringifyReadTime(op.getRead()) << ")'";
  return success();
}

/// Checks what is known before the regions are.
template <typename OpT> static LogicalResult verifyOperands(OpT op) {
  if (op.getGate() && tensorOf(op.getGate()).getRank() == 4 &&
      tensorOf(op.getGate()).isDynamicDim(3)) // recur_c8
    return op.emitOpError("'gate' must have a static last dimension, which "
                          "says whether channels have gates of their own, got ")
           << op.getGate().getType();
  if (failed(verifyPresence(op)) ||
      failed(verifyRowsOf(op, "value", op.getValue())) ||
      failed(verifyRowsOf(op, "query", op.getQuery())) ||
      (op.getKey() && failed(verifyRowsOf(op, "key", op.getKey()))))
    return failure();
  if (op.getScale() && !op.getScale()->isFinite()) // recur_c17
    return op.emitOpError("'scale' must be finite, got ") << op.getScaleAttr();
  return success();
}

bool RecurOp::hasOneToken() {
  int64_t tokens = tensorOf(getValue()).getDimSize(2);
  return getMaxTokens() == 1 || tokens == 0 || tokens == 1;
}

LogicalResult RecurOp::verify() {
  if (failed(verifyOperands(*this)))
    return failure();
  int64_t tokens = tensorOf(getValue()).getDimSize(2);
  if (std::optional<int64_t> most = getMaxTokens())
    if (*most <= 0 ||
        (!ShapedType::isDynamic(tokens) && tokens > *most)) // recur_c21
      return emitOpError("'max_tokens' must be positive and at least the "
                         "number of tokens, got ")
             << *most << " for " << getValue().getType();
  for (auto [name, value] :
       {std::pair("initial", getInitial()), {"state", getState()}})
    if (value && getOrder() == TokenOrder::Bidirectional) // recur_c15
      return emitOpError() << "'" << name
                           << "' needs 'order(causal)' or 'order(reversed)': "
                           << "'order(bidirectional)' has two states";
  if (!getSegments())
    return success();
  SmallVector<std::pair<StringRef, Value>> packed{{"query", getQuery()},
                                                  {"value", getValue()}};
  if (getKey())
    packed.push_back({"key", getKey()});
  return verifySegments(*this, getSegments(), packed); // recur_c19, recur_c20
}

//===----------------------------------------------------------------------===//
// What depends on the widths that regions yield
//===----------------------------------------------------------------------===//

/// Checks the row maps, and that the rows of query and key meet.
template <typename OpT> static LogicalResult verifyRowMaps(OpT op) {
  Type element = op.getAccumulatorType();
  auto check = [&](Region &rows, StringRef name, Value operand) {
    return verifyRowRegion(op, rows, name, tensorOf(operand).getDimSize(3),
                           element);
  };
  auto query = check(op.getQueryRows(), "query", op.getQuery());
  if (failed(query) || failed(check(op.getValueRows(), "value", op.getValue())))
    return failure();
  if (!op.getKey())
    return success();
  auto key = check(op.getKeyRows(), "key", op.getKey());
  if (failed(key))
    return failure();
  if (*query == *key)
    return success();
  return op.emitOpError("'query' and 'key' rows must have the same number of "
                        "features, got ") // recur_c5
         << *query << " and " << *key;
}

/// Checks the states against the shape `[B, H, K, V]`, or `[G, H, K, V]`.
static LogicalResult verifyStates(RecurOp op, ArrayRef<int64_t> shape) {
  if (Value initial = op.getInitial()) {
    SmallVector<int64_t> expected(shape);
    if (tensorOf(initial).getRank() == 4 && hasSharedBatch(initial))
      expected.front() = 1;
    if (failed(verifyResult(op, "initial", initial, expected,
                            op.getAccumulatorType())))
      return failure(); // recur_c13
  }
  if (op.getState() && failed(verifyResult(op, "state", op.getState(), shape,
                                           op.getAccumulatorType())))
    return failure(); // recur_c14
  if ((!op.getInitial() && !op.getState()) || !op.usesDenominator())
    return success();
  return op.emitOpError("region 'norm' uses %den, which ") // recur_c18
         << (op.getInitial() ? "'initial'" : "'state'")
         << " does not hold; expected value rows with a 1 at their end, whose "
            "sum is the denominator";
}

/// Checks the regions and the factors; returns the width of the rows that
/// `norm` yields.
template <typename OpT> static FailureOr<int64_t> verifyRegionsOf(OpT op) {
  if (failed(verifyRowMaps(op)))
    return failure();
  RankedTensorType value = tensorOf(op.getValue());
  int64_t batches = value.getDimSize(0), heads = value.getDimSize(1),
          tokens = value.getDimSize(2), rows = op.getStateRows();
  FailureOr<int64_t> width = verifyNormRegion(
      op, op.getNorm(), op.getStateColumns(), op.getAccumulatorType());
  SmallVector<int64_t> perHead{heads}, perToken{batches, heads, tokens},
      perChannel{batches, heads, tokens, rows},
      column{batches, heads, tokens, 1};
  // A tied write makes as many keys as there are decays.
  LogicalResult gate =
      op.getWrite() == WriteRule::Tied
          ? verifyFactor(op, "gate", op.getGate(), {perChannel}, "[B, H, N, K]")
          : verifyFactor(op, "gate", op.getGate(),
                         {perHead, perToken, perChannel, column},
                         "[H], [B, H, N], [B, H, N, K] or [B, H, N, 1]");
  if (failed(width) || failed(gate) ||
      failed(verifyFactor(op, "beta", op.getBeta(), {perToken, column},
                          "[B, H, N] or [B, H, N, 1]")) ||
      failed(
          verifyFactor(op, "bonus", op.getBonus(), {{heads, rows}}, "[H, K]")))
    return failure();
  return width;
}

LogicalResult RecurOp::verifyRegions() {
  FailureOr<int64_t> width = verifyRegionsOf(*this);
  if (failed(width))
    return failure();
  SmallVector<int64_t> shape(tensorOf(getValue()).getShape().drop_back());
  SmallVector<int64_t> state{shape[0], shape[1], getStateRows(),
                             getStateColumns()};
  if (getSegments())
    state[0] = getNumSegments(getSegments());
  if (failed(verifyStates(*this, state)))
    return failure();
  shape.push_back(*width);
  return verifyResult(*this, "output", getOutput(), shape, // recur_c16
                      tensorOf(getQuery()).getElementType());
}

//===----------------------------------------------------------------------===//
// Chunks
//===----------------------------------------------------------------------===//

/// Whether `block` is a block of columns of the states `from`.
static bool isBlockOf(RankedTensorType block, RankedTensorType from) {
  return from.getRank() == 4 && block.getRank() == 2 &&
         from.getElementType() == block.getElementType() &&
         isa<FloatType>(block.getElementType());
}

LogicalResult LoadStateOp::verify() {
  auto from = tensorOf(getInitial()), to = tensorOf(getState());
  if (!isBlockOf(to, from)) // load_state_c1
    return emitOpError(
               "must read a tensor of rank 2 from one of rank 4 and the "
               "same floating-point element type, got ")
           << to << " and " << from;
  return success();
}

LogicalResult MergeStateOp::verify() {
  auto from = tensorOf(getParts()), to = tensorOf(getState());
  if (!isBlockOf(to, from)) // merge_state_c1
    return emitOpError(
               "must merge a tensor of rank 2 with one of rank 4 and the "
               "same floating-point element type, got ")
           << to << " and " << from;
  int64_t columns = from.getDimSize(3);
  std::optional<int64_t> decay = getConstantIntValue(getDecay());
  if (decay && (*decay < 0 || (!ShapedType::isDynamic(columns) &&
                               *decay >= columns))) // merge_state_c2
    return emitOpError("'decay' must be one of the ")
           << columns << " columns of 'parts', got " << *decay;
  return success();
}

/// Checks the parts of the state.
static LogicalResult verifyTuple(RecurChunkOp op) {
  size_t expected = op.usesDenominator() ? 2 : 1;
  if (op.getInit().size() != expected) // recur_chunk_c1
    return op.emitOpError("'init' must have ")
           << expected << " parts, got " << op.getInit().size();
  auto first = tensorOf(op.getInit().front());
  Type element = op.getAccumulatorType();
  if (first.getRank() != 2 || first.getElementType() != element ||
      first.getDimSize(0) < op.getStateRows() ||
      first.getDimSize(1) < 1) // recur_chunk_c2
    return op.emitOpError("'init' must be a tensor of rank 2 of ")
           << element << " with at least " << op.getStateRows()
           << " rows and a column, got " << first;
  auto sums = RankedTensorType::get({first.getDimSize(0), 1}, element);
  if (expected == 2 && op.getInit().back().getType() != sums) // recur_chunk_c3
    return op.emitOpError("'init' part 1 must be ")
           << sums << ", got " << op.getInit().back().getType();
  if (!op.getState().empty() &&
      op.getState().getTypes() != op.getInit().getTypes()) // recur_chunk_c4
    return op.emitOpError("'init' and 'state' must have the same types");
  return success();
}

LogicalResult RecurChunkOp::verify() {
  if (failed(verifyOperands(*this)))
    return failure();
  constexpr int64_t kMostTokens = 4096; // As in schedules.
  int64_t length = getLength();
  if (length < 1 || length > kMostTokens) // recur_chunk_c5
    return emitOpError("'length' must be between 1 and ")
           << kMostTokens << ", got " << length;
  bool isRead = getOrder() == TokenOrder::Bidirectional;
  if (!getOutput() && (getState().empty() || isRead)) // recur_chunk_c6
    return emitOpError(
        "must have rows or, unless it is bidirectional, a state");
  if (isRead && (!getState().empty() || getSums())) // recur_chunk_c6
    return emitOpError("with order(bidirectional) has neither a state nor "
                       "'past'");
  if (getSums() && (getUnscaled() || !getOutput())) // recur_chunk_c7
    return emitOpError("with 'past' must have rows and cannot be 'unscaled'");
  return success();
}

LogicalResult RecurChunkOp::verifyRegions() {
  FailureOr<int64_t> width = verifyRegionsOf(*this);
  if (failed(width) || failed(verifyTuple(*this)))
    return failure();
  int64_t columns = getBlockColumns(), whole = getStateColumns();
  bool isMapped = !getNorm().empty() || !getValueRows().empty();
  if (isMapped && columns != whole) // recur_chunk_c8
    return emitOpError("with a region 'value' or 'norm' must have all columns, "
                       "expected ")
           << whole << ", got " << columns;
  Type element = tensorOf(getQuery()).getElementType();
  if (getSums()) {
    int64_t parts = columns + (usesDenominator() ? 1 : 0);
    auto type = tensorOf(getSums());
    if (type.getRank() != 2 || type.getDimSize(1) != parts ||
        type.getElementType() != getAccumulatorType()) // recur_chunk_c9
      return emitOpError("'past' must be a tensor of rank 2 of ")
             << getAccumulatorType() << " with " << parts << " columns, got "
             << type;
  }
  if (!getOutput())
    return success();
  if (getUnscaled()) {
    element = getAccumulatorType();
    width = columns + (usesDenominator() ? 1 : 0);
  } else if (getNorm().empty()) {
    width = columns;
  }
  int64_t length = getLength();
  return verifyResult(*this, "output", getOutput(), // recur_chunk_c10
                      {length, *width}, element);
}

OpFoldResult attn::countSegments(OpBuilder &builder, Location loc,
                                 Value segments) {
  int64_t known = getNumSegments(segments);
  if (!ShapedType::isDynamic(known))
    return builder.getIndexAttr(known);
  auto constant = [&](int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value offsets = tensor::DimOp::create(builder, loc, segments, 0);
  Value count = arith::SubIOp::create(builder, loc, offsets, constant(1));
  return Value(arith::MaxSIOp::create(builder, loc, count, constant(0)));
}

LogicalResult RecurOp::reifyResultShapes(OpBuilder &builder,
                                         ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> output;
  for (int64_t dim = 0; dim < 3; ++dim)
    output.push_back(tensor::getMixedSize(builder, getLoc(), getValue(), dim));
  SmallVector<OpFoldResult> state(output);
  output.push_back(builder.getIndexAttr(tensorOf(getOutput()).getDimSize(3)));
  shapes.push_back(output);
  if (!getState())
    return success();
  if (Value segments = getSegments())
    state[0] = countSegments(builder, getLoc(), segments);
  state[2] = builder.getIndexAttr(getStateRows());
  state.push_back(builder.getIndexAttr(getStateColumns()));
  shapes.push_back(state);
  return success();
}
