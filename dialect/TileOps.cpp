//===- TileOps.cpp - The tile dialect and its verifiers -*- C++ -*-===//
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

#include "dialect/TileDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace attn::tile;

#include "dialect/TileDialect.cpp.inc"
#include "dialect/TileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/TileAttributes.cpp.inc"

//===----------------------------------------------------------------------===//
// Types that differ in their layouts at most
//===----------------------------------------------------------------------===//

/// One type for all three, or three.
static ParseResult parseSameTypes(OpAsmParser &parser, Type &first,
                                  Type &second, Type &third) {
  if (parser.parseType(first))
    return failure();
  second = third = first;
  if (failed(parser.parseOptionalComma()))
    return success();
  return failure(parser.parseType(second) || parser.parseComma() ||
                 parser.parseType(third));
}

static void printSameTypes(OpAsmPrinter &printer, Operation *, Type first,
                           Type second, Type third) {
  printer << first;
  if (second != first || third != first)
    printer << ", " << second << ", " << third;
}

/// The type of the operand, and that of the result where it is another.
static ParseResult parseResultType(OpAsmParser &parser, Type &operand,
                                   Type &result) {
  if (parser.parseType(operand))
    return failure();
  result = operand;
  if (failed(parser.parseOptionalArrow()))
    return success();
  return parser.parseType(result);
}

static void printResultType(OpAsmPrinter &printer, Operation *, Type operand,
                            Type result) {
  printer << operand;
  if (result != operand)
    printer << " -> " << result;
}

#define GET_OP_CLASSES
#include "dialect/TileOps.cpp.inc"

void TileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialect/TileOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/TileAttributes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

LogicalResult
RegistersAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                      int64_t rows, int64_t columns, int64_t vector,
                      bool paired) {
  if (rows < 1 || columns < 1 || !llvm::isPowerOf2_64(rows) ||
      !llvm::isPowerOf2_64(columns) || columns > 32) // layout_c1
    return emitError() << "'rows' and 'columns' must be powers of two and "
                          "'columns' at most 32, got "
                       << rows << " and " << columns;
  if (vector != 1 && vector != 2 && vector != 4) // layout_c2
    return emitError() << "'vector' must be 1, 2 or 4, got " << vector;
  if (paired && rows % 8) // layout_c5
    return emitError() << "'paired' needs a multiple of 8 'rows', got " << rows;
  return success();
}

LogicalResult SliceAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t along, RegistersAttr) {
  if (along != 0 && along != 1) // layout_c3
    return emitError() << "'along' must be 0 or 1, got " << along;
  return success();
}

LogicalResult SharedAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t row, bool swizzle, int64_t stages) {
  int64_t multiple = swizzle ? 32 : 4;
  if (row < 1 || row % multiple) // layout_c4
    return emitError() << "'row' must be a multiple of " << multiple
                       << (swizzle ? " with" : " without") << " 'swizzle', got "
                       << row;
  if (stages < 1 || stages > 8) // layout_c6
    return emitError() << "'stages' must be between 1 and 8, got " << stages;
  return success();
}

double attn::tile::getNeutral(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::Add:
    return 0;
  case ReduceKind::Max:
    return -std::numeric_limits<double>::infinity();
  case ReduceKind::Mul:
    return 1;
  }
  llvm_unreachable("all kinds are listed");
}

MemRefType attn::tile::getViewType(RankedTensorType type) {
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  if (!strides.empty())
    strides.back() = 1;
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(type.getShape(), type.getElementType(), layout);
}

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Tiles have one or two dimensions.
static LogicalResult verifyRank(Operation *op, RankedTensorType tile) {
  if (tile.getRank() == 1 || tile.getRank() == 2) // tile_c1
    return success();
  return op->emitOpError("result must be a tile of rank 1 or 2, got ") << tile;
}

//===----------------------------------------------------------------------===//
// Access to views
//===----------------------------------------------------------------------===//

/// The last dimension of a view has stride 1, so its rows can be loaded.
static LogicalResult verifyStride(Operation *op, MemRefType view) {
  if (view.getRank() == 0 || view.isLastDimUnitStride()) // access_c4
    return success();
  return op->emitOpError(
             "the last dimension of 'view' must have stride 1, got ")
         << view;
}

/// Checks the index vectors of the rows of a tile that meets a view.
static LogicalResult verifyRowIndices(Operation *op, MemRefType view,
                                      RankedTensorType tile, ValueRange rows) {
  int64_t most = view.getRank() - (tile.getRank() - 1);
  if ((int64_t)rows.size() > most) // access_c5
    return op->emitOpError("'rows' must have at most the ")
           << most << " dimensions of 'view' that rows can lie along, got "
           << rows.size();
  for (Value indices : rows) {
    auto type = cast<RankedTensorType>(indices.getType());
    if (type.getRank() != 1 || !type.getElementType().isIndex() ||
        type.getDimSize(0) != tile.getDimSize(0)) // access_c6
      return op->emitOpError("'rows' must be vectors of ")
             << tile.getDimSize(0) << " indices, one per row of the tile, got "
             << type;
  }
  return success();
}

/// Checks offsets, rows and element type of a tile that meets a view.
static LogicalResult verifyAccess(Operation *op, MemRefType view,
                                  RankedTensorType tile, size_t offsets,
                                  ValueRange rows) {
  if ((int64_t)offsets != view.getRank()) // access_c1
    return op->emitOpError(
               "needs one offset per dimension of 'view', expected ")
           << view.getRank() << ", got " << offsets;
  if (tile.getRank() < 1 ||
      tile.getRank() > std::min<int64_t>(2, view.getRank())) // access_c2
    return op->emitOpError("tile must have rank 1 or 2 and at most that of "
                           "'view', got ")
           << tile << " and " << view;
  if (tile.getElementType() != view.getElementType()) // access_c3
    return op->emitOpError(
               "tile and 'view' must have the same element type, got ")
           << tile.getElementType() << " and " << view.getElementType();
  if (failed(verifyRowIndices(op, view, tile, rows)))
    return failure();
  return verifyStride(op, view);
}

LogicalResult LoadOp::verify() {
  auto layout = tileOf(getResult()).getEncoding();
  if (getAsync() && !isa_and_present<SharedAttr>(layout)) // load_c1
    return emitOpError("with 'async' must have a result in shared memory, got ")
           << tileOf(getResult());
  auto shared = dyn_cast_if_present<SharedAttr>(layout);
  bool isOfRing = shared && shared.getStages() > 1;
  if (isOfRing != bool(getStage()) || (isOfRing && !getAsync())) // load_c2
    return emitOpError("must have a 'stage', with 'async', if and only if its "
                       "result is a ring, got ")
           << tileOf(getResult());
  if (getInto() &&
      (!isOfRing || getInto().getType() != getResult().getType())) // load_c3
    return emitOpError("'into' must be a ring of the type of the result, got ")
           << getInto().getType();
  if (getWhen() && !getAsync()) // load_c4
    return emitOpError("with 'when' must have 'async': its result may be none");
  return verifyAccess(*this, cast<MemRefType>(getView().getType()),
                      tileOf(getResult()), getOffsets().size(), getRows());
}

LogicalResult StoreOp::verify() {
  return verifyAccess(*this, cast<MemRefType>(getView().getType()),
                      tileOf(getValue()), getOffsets().size(), getRows());
}

LogicalResult WriteOp::verify() {
  auto view = cast<MemRefType>(getView().getType());
  if ((int64_t)getIndices().size() != view.getRank()) // write_c1
    return emitOpError("needs one index per dimension of 'view', expected ")
           << view.getRank() << ", got " << getIndices().size();
  return verifyStride(*this, view);
}

LogicalResult GatherOp::verify() {
  auto view = cast<MemRefType>(getView().getType());
  if ((int64_t)getIndices().size() != view.getRank()) // gather_c1
    return emitOpError("needs one index per dimension of 'view', expected ")
           << view.getRank() << ", got " << getIndices().size();
  auto tile = dyn_cast<RankedTensorType>(getResult().getType());
  bool anyTile =
      llvm::any_of(getIndices().getTypes(), llvm::IsaPred<RankedTensorType>);
  if (tile && !anyTile) // gather_c4
    return emitOpError("with scalar indices must have a scalar result, got ")
           << tile;
  for (Value index : getIndices()) { // gather_c2
    auto type = dyn_cast<RankedTensorType>(index.getType());
    if (type && (!tile || !type.getElementType().isIndex() ||
                 type.getShape() != tile.getShape()))
      return emitOpError(
                 "index tiles must be of index and have the shape of the "
                 "result, ")
             << getResult().getType() << ", got " << type;
  }
  Type element = tile ? tile.getElementType() : getResult().getType();
  if (element != view.getElementType()) // gather_c3
    return emitOpError("result must have the element type of 'view', expected ")
           << view.getElementType() << ", got " << element;
  if (tile && failed(verifyRank(*this, tile)))
    return failure();
  return verifyStride(*this, view);
}

//===----------------------------------------------------------------------===//
// Making and reshaping tiles
//===----------------------------------------------------------------------===//

LogicalResult SplatOp::verify() {
  Type element = tileOf(getResult()).getElementType();
  if (getScalar().getType() != element) // splat_c1
    return emitOpError("'scalar' must have the element type of the result, "
                       "expected ")
           << element << ", got " << getScalar().getType();
  return verifyRank(*this, tileOf(getResult()));
}

LogicalResult IotaOp::verify() {
  auto type = tileOf(getResult());
  int64_t along = getAlong();
  if (!type.getElementType().isIndex() || along < 0 || along >= type.getRank())
    return emitOpError(
               "result must be an index tile with a dimension ") // iota_c1
           << along << ", got " << type;
  return verifyRank(*this, type);
}

LogicalResult BroadcastOp::verify() {
  auto from = tileOf(getVector()), to = tileOf(getResult());
  int64_t along = getAlong();
  if (from.getRank() != 1 || to.getRank() != 2 || along < 0 || along > 1 ||
      to.getDimSize(1 - along) != from.getDimSize(0) ||
      to.getElementType() != from.getElementType()) // broadcast_c1
    return emitOpError("must repeat a vector along dimension 0 or 1, got ")
           << from << " along " << along << " to " << to;
  return success();
}

LogicalResult SliceOp::verify() {
  auto from = tileOf(getValue()), to = tileOf(getResult());
  int64_t start = getStart();
  bool fits = from.getRank() == 2 && to.getRank() == 2 && start >= 0 &&
              to.getDimSize(0) == from.getDimSize(0) &&
              to.getElementType() == from.getElementType() &&
              start <= from.getDimSize(1) - to.getDimSize(1);
  if (!fits) // slice_c1
    return emitOpError("must take columns of its operand, got ")
           << to << " from " << start << " of " << from;
  return success();
}

LogicalResult ConcatOp::verify() {
  auto to = tileOf(getResult());
  int64_t columns = 0;
  if (getParts().empty()) // concat_c3
    return emitOpError("needs at least one operand");
  for (Value part : getParts()) {
    auto from = tileOf(part);
    if (from.getRank() != 2 || to.getRank() != 2 ||
        from.getDimSize(0) != to.getDimSize(0) ||
        from.getElementType() != to.getElementType()) // concat_c1
      return emitOpError("operands must be tiles with the rows and the element "
                         "type of the result, ")
             << to << ", got " << from;
    columns += from.getDimSize(1);
  }
  if (columns != to.getDimSize(1)) // concat_c2
    return emitOpError("operands must have as many columns as the result, "
                       "expected ")
           << to.getDimSize(1) << ", got " << columns;
  return success();
}

//===----------------------------------------------------------------------===//
// Products and reductions
//===----------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  auto a = tileOf(getLhs()), b = tileOf(getRhs()), c = tileOf(getResult());
  if (a.getRank() != 2 || b.getRank() != 2 || c.getRank() != 2) // dot_c1
    return emitOpError("operands must have rank 2, got ")
           << a << ", " << b << " and " << c;
  Type element = c.getElementType(), factor = a.getElementType();
  bool isNarrow = element.isF32() && (factor.isF16() || factor.isBF16());
  if (!isa<FloatType>(element) || b.getElementType() != factor ||
      (factor != element && !isNarrow)) // dot_c2
    return emitOpError("operands must have one floating-point type, or 'lhs' "
                       "and 'rhs' f16 or bf16 and 'init' f32, got ")
           << factor << ", " << b.getElementType() << " and " << element;
  int64_t depth = b.getDimSize(getTransposeRhs() ? 1 : 0);
  int64_t rows = a.getDimSize(getTransposeLhs() ? 1 : 0);
  int64_t columns = b.getDimSize(getTransposeRhs() ? 0 : 1);
  if (getDepth() != depth) // dot_c3
    return emitOpError("'lhs' and 'rhs' must have the same depth, got ")
           << getDepth() << " and " << depth;
  if (c.getDimSize(0) != rows || c.getDimSize(1) != columns) // dot_c4
    return emitOpError("'init' must be ")
           << RankedTensorType::get({rows, columns}, element) << ", got " << c;
  std::optional<int64_t> between = getBetween();
  if (between && (*between < 1 || rows % (2 * *between) ||
                  columns % (2 * *between))) // dot_c5
    return emitOpError("twice 'between' must divide the ")
           << rows << " rows and " << columns << " columns of 'init', got "
           << *between;
  if (getPrecision() == Precision::TF32 && !factor.isF32()) // dot_c6
    return emitOpError("'precision(tf32)' needs 'lhs' and 'rhs' of f32, got ")
           << factor;
  return success();
}

int64_t DotOp::getDepth() {
  return tileOf(getLhs()).getDimSize(getTransposeLhs() ? 0 : 1);
}

/// Whether blocks of `within` rows, if given, make up `type`.
static LogicalResult verifyWithin(Operation *op, RankedTensorType type,
                                  std::optional<uint64_t> within) {
  int64_t rows = type.getDimSize(0), block = within.value_or(rows);
  if (block < 1 || rows % block)
    return op->emitOpError("'within' must divide the ")
           << rows << " rows of the tile, got " << block;
  return success();
}

LogicalResult DecayDotOp::verify() {
  auto rows = tileOf(getLhs()), pairs = tileOf(getResult());
  if (rows.getRank() != 2 ||
      !isa<FloatType>(rows.getElementType())) // decay_dot_c1
    return emitOpError("rows must be floating-point tiles of rank 2, got ")
           << rows;
  Type element = tileOf(getDecay()).getElementType();
  bool isNarrow = element.isF32() && (rows.getElementType().isF16() ||
                                      rows.getElementType().isBF16());
  if (tileOf(getRhs()).getElementType() != rows.getElementType() ||
      (rows.getElementType() != element && !isNarrow)) // decay_dot_c1
    return emitOpError(
               "'lhs', 'rhs' and 'decay' must have one element type, or "
               "'lhs' and 'rhs' f16 or bf16 and 'decay' f32, got ")
           << rows.getElementType() << ", " << tileOf(getRhs()).getElementType()
           << " and " << element;
  int64_t size = rows.getDimSize(0);
  auto expected = RankedTensorType::get({size, size}, element);
  if (pairs.getShape() != expected.getShape() ||
      pairs.getElementType() != expected.getElementType()) // decay_dot_c2
    return emitOpError("'init' must be ") << expected << ", got " << pairs;
  return verifyWithin(*this, pairs, getWithin()); // decay_dot_c3
}

LogicalResult ReduceOp::verify() {
  auto from = tileOf(getValue()), to = tileOf(getResult());
  int64_t along = getAlong();
  if (along != 0 && along != 1) // reduce_c3
    return emitOpError("'along' must be 0 or 1, got ") << along;
  if (from.getRank() != 2 || to.getRank() != 1 ||
      from.getDimSize(1 - along) != to.getDimSize(0) ||
      from.getElementType() != to.getElementType()) // reduce_c1
    return emitOpError("must reduce the ")
           << (along ? "rows" : "columns")
           << " of a tile of rank 2 to a vector, got " << from << " to " << to;
  if (!isa<FloatType>(to.getElementType())) // reduce_c2
    return emitOpError("needs a floating-point type, got ")
           << to.getElementType();
  return success();
}

LogicalResult ScanOp::verify() {
  auto type = tileOf(getValue());
  if (!isa<FloatType>(type.getElementType())) // scan_c1
    return emitOpError("needs a floating-point type, got ")
           << type.getElementType();
  if (failed(verifyRank(*this, type)))
    return failure();
  std::optional<int64_t> across = getAcross();
  if (across && getWithin()) // scan_c3
    return emitOpError("expected 'within' or 'across', got both, ")
           << *getWithin() << " and " << *across;
  int64_t rows = type.getDimSize(0);
  if (across && (*across < 1 || rows % (2 * *across))) // scan_c3
    return emitOpError("twice 'across' must divide the ")
           << rows << " rows of the tile, got " << *across;
  return verifyWithin(*this, type, getWithin()); // scan_c2
}

LogicalResult TrimOp::verify() {
  auto type = tileOf(getValue());
  if (type.getRank() != 2 || !isa<FloatType>(type.getElementType())) // trim_c1
    return emitOpError("needs a floating-point tile of rank 2, got ") << type;
  int64_t rows = getRows();
  if (rows < 1 || type.getDimSize(0) % rows) // trim_c2
    return emitOpError("'rows' must divide the ")
           << type.getDimSize(0) << " rows of the tile, got " << rows;
  int64_t expected = 2 * (type.getDimSize(0) / rows);
  if (static_cast<int64_t>(getRanges().size()) != expected) // trim_c3
    return emitOpError("'ranges' must have a begin and an end for each ")
           << rows << " rows, expected " << expected << " bounds, got "
           << getRanges().size();
  return success();
}

LogicalResult ConvertLayoutOp::verify() {
  auto from = tileOf(getValue()), to = tileOf(getResult());
  if (from.getShape() != to.getShape() ||
      from.getElementType() != to.getElementType()) // convert_layout_c1
    return emitOpError("must keep shape and element type, got ")
           << from << " to " << to;
  return success();
}

LogicalResult AwaitOp::verify() {
  if (!isa_and_present<SharedAttr>(
          tileOf(getValue()).getEncoding())) // await_c1
    return emitOpError("'value' must be in shared memory, got ")
           << tileOf(getValue());
  if (int64_t(getPending()) < 0) // await_c2
    return emitOpError("'pending' must not be negative, got ")
           << int64_t(getPending());
  auto layout = cast<SharedAttr>(tileOf(getValue()).getEncoding());
  if ((layout.getStages() > 1) != bool(getStage())) // await_c3
    return emitOpError("must have a 'stage' if and only if 'value' is a ring, "
                       "got ")
           << tileOf(getValue());
  auto single = SharedAttr::get(getContext(), layout.getRow(),
                                layout.getSwizzle(), /*stages=*/1);
  RankedTensorType expected = tileOf(getValue()).cloneWithEncoding(single);
  if (getResult().getType() != expected) // await_c4
    return emitOpError("must have the result ")
           << expected << ", got " << getResult().getType();
  return success();
}
