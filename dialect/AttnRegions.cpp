//===- AttnRegions.cpp - What the regions of attn ops may hold -*- C++ -*-===//
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

#include "dialect/AttnRegions.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace attn;

/// Checks number and types of the region's arguments (regions_c1).
static LogicalResult verifyArguments(Operation *op, Region &region,
                                     StringRef name, ArrayRef<Type> expected) {
  Block &block = region.front();
  if (block.getNumArguments() != expected.size())
    return op->emitOpError()
           << "region '" << name << "' takes " << expected.size()
           << " arguments, got " << block.getNumArguments();
  for (auto [index, argument] : llvm::enumerate(block.getArguments()))
    if (argument.getType() != expected[index])
      return op->emitOpError()
             << "region '" << name << "' argument " << index << " must be "
             << expected[index] << ", got " << argument.getType();
  return success();
}

//===----------------------------------------------------------------------===//
// One op of a region
//===----------------------------------------------------------------------===//

namespace {
/// A region that is checked, op by op.
struct Body {
  Operation *parent; ///< The attn op whose region it is.
  Region &region;
  StringRef name;   ///< The keyword of the region.
  bool vectors;     ///< Whether it is a row region, which computes vectors.
  int64_t axes = 1; ///< Of the tokens of a row region, the last arguments.

  bool isCaptured(Value value) const {
    return value.getParentRegion() != &region;
  }
  /// The beginning of a message about `op`.
  InFlightDiagnostic refuse(Operation *op) const {
    return op->emitOpError() << "in region '" << name << "' ";
  }
};
} // namespace

/// The types of scalars, and of the elements of tensors.
static bool isScalar(Type type) {
  if (type.isIndex() || type.isF64() || type.isF32() || type.isF16() ||
      type.isBF16())
    return true;
  return type.isSignlessInteger() && type.getIntOrFloatBitWidth() >= 1 &&
         type.getIntOrFloatBitWidth() <= 64;
}

/// How messages call what `isScalar` accepts.
static constexpr StringLiteral kScalars =
    "index, i1 to i64, f16, bf16, f32 or f64";

static bool isVector(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 1 && tensor.hasStaticShape() &&
         tensor.getDimSize(0) >= 1 && isScalar(tensor.getElementType());
}

/// Whether `op` reads `operand` in parts: an element, a row, a size, a matrix.
static bool isReadBy(Operation *op, Value operand) {
  auto contract = dyn_cast<ContractRowOp>(op);
  return isa<tensor::ExtractOp, tensor::DimOp, tensor::ExtractSliceOp>(op) ||
         (contract && contract.getMatrix() == operand);
}

/// Whether `value` is computed from argument `number` of `region`.
static bool dependsOn(Value value, Region &region, unsigned number) {
  SmallVector<Value> pending{value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (next.getParentRegion() != &region)
      continue;
    if (next == region.getArgument(number))
      return true;
    Operation *op = next.getDefiningOp();
    if (op && seen.insert(op).second)
      llvm::append_range(pending, op->getOperands());
  }
  return false;
}

/// Checks the kind of `op` (regions_c3).
static LogicalResult verifyKind(const Body &body, Operation *op) {
  // Its documentation and its lowerings do not agree on what it computes.
  if (isa<math::ClampFOp>(op))
    return body.parent->emitOpError()
           << "region '" << body.name
           << "' cannot hold 'math.clampf', whose definition is ambiguous; "
              "write arith.maximumf and arith.minimumf";
  bool elementwise = isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
                         op->getDialect()) &&
                     (isa<arith::ConstantOp>(op) ||
                      OpTrait::hasElementwiseMappableTraits(op)) &&
                     op->getNumResults() == 1;
  bool onVectors = isa<tensor::ExtractSliceOp, tensor::ConcatOp,
                       tensor::SplatOp, ReduceRowOp, ContractRowOp>(op);
  if (elementwise || isa<YieldOp, tensor::ExtractOp, tensor::DimOp>(op) ||
      (!body.vectors && isa<RandomOp>(op)) || (body.vectors && onVectors))
    return success();
  InFlightDiagnostic error =
      body.parent->emitOpError()
      << "region '" << body.name << "' cannot hold '" << op->getName()
      << "'; expected elementwise arith and math with one "
         "result, tensor.extract and tensor.dim of captures";
  if (body.vectors)
    error << ", tensor.extract_slice, tensor.concat, tensor.splat, "
             "attn.reduce_row, attn.contract_row";
  else
    error << ", attn.random";
  error.attachNote(op->getLoc()) << "the op is here";
  return failure();
}

/// Checks an operand of `op`: captured tensors are read, nothing else (but a
/// vector is a row of its own), and elements are read of captured tensors only.
static LogicalResult verifyOperand(const Body &body, Operation *op,
                                   Value operand) {
  Type type = operand.getType();
  bool isTensor = isa<TensorType>(type);
  if (!body.isCaptured(operand)) {
    if (isTensor && isa<tensor::ExtractOp, tensor::DimOp>(op)) // regions_c6
      return body.refuse(op) << "must read a captured tensor, got one that the "
                                "region computes";
    return success();
  }
  bool isWholeRow = body.vectors && isVector(type);
  if (isTensor && !isReadBy(op, operand) && !isWholeRow) // regions_c7
    return body.refuse(op)
           << "cannot use a captured tensor as a whole; expected "
              "what tensor.extract, tensor.extract_slice or "
              "tensor.dim read of it, got "
           << type;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!isScalar(tensor ? tensor.getElementType() : type)) // regions_c11
    return body.refuse(op) << "can capture scalars and ranked tensors of "
                           << kScalars << ", got " << type;
  return success();
}

/// A constant part of a vector, or one row of a captured tensor.
static LogicalResult verifySlice(const Body &body,
                                 tensor::ExtractSliceOp slice) {
  auto type = slice.getResultType();
  ArrayRef<int64_t> sizes = slice.getStaticSizes();
  bool rowShaped =
      type.getRank() == 1 && type.hasStaticShape() && !sizes.empty() &&
      sizes.back() == type.getDimSize(0) &&
      llvm::all_of(sizes.drop_back(), [](int64_t s) { return s == 1; }) &&
      llvm::all_of(slice.getStaticStrides(), [](int64_t s) { return s == 1; });
  if (!rowShaped) // regions_c4
    return body.refuse(slice)
           << "must take consecutive elements of the last dimension, sizes 1 "
              "before it and strides 1, got result "
           << type;
  // Upstream's verifier refuses static offsets that are out of bounds.
  if (!body.isCaptured(slice.getSource()) &&
      ShapedType::isDynamic(slice.getStaticOffsets().front())) // regions_c8
    return body.refuse(slice) << "must take a part of a vector from a constant "
                                 "offset, got one that is computed";
  return success();
}

static LogicalResult verifyDim(const Body &body, tensor::DimOp dim) {
  int64_t rank = cast<RankedTensorType>(dim.getSource().getType()).getRank();
  std::optional<int64_t> index = getConstantIntValue(dim.getIndex());
  if (index && *index >= 0 && *index < rank)
    return success();
  InFlightDiagnostic error = body.refuse(dim) // regions_c9
                             << "must take a constant dimension below the rank "
                             << rank << ", got ";
  return index ? error << *index : error << "one that is computed";
}

/// All rows of a block meet one matrix.
static LogicalResult verifyMatrix(const Body &body, ContractRowOp contract) {
  // All but batch and head, which stand before the indices of the row.
  unsigned count = body.region.getNumArguments(), row = count - body.axes;
  for (Value index : contract.getIndices())
    for (unsigned number = 0; number < count; ++number)
      if ((number >= row || number + 3 <= row) &&
          dependsOn(index, body.region, number)) // regions_c14
        return body.refuse(contract)
               << "must take the same matrix for all rows of a head; its "
                  "indices cannot depend on argument "
               << number;
  return success();
}

/// Checks what only some ops have to fulfil.
static LogicalResult verifyDetails(const Body &body, Operation *op) {
  if (auto contract = dyn_cast<ContractRowOp>(op))
    return verifyMatrix(body, contract);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return verifySlice(body, slice);
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return verifyDim(body, dim);
  auto constant = dyn_cast<arith::ConstantOp>(op);
  if (constant && isa<TensorType>(constant.getType()) &&
      !isa<SplatElementsAttr>(constant.getValue())) // regions_c5
    return body.refuse(op)
           << "must have the same element everywhere, got a dense "
              "constant; pass it as a captured tensor";
  return success();
}

/// Checks that `op` may stand in a region.
static LogicalResult verifyBodyOp(const Body &body, Operation *op) {
  if (failed(verifyKind(body, op)))
    return failure();
  for (Value operand : op->getOperands())
    if (failed(verifyOperand(body, op, operand)))
      return failure();
  if (failed(verifyDetails(body, op)))
    return failure();
  for (Type type : op->getResultTypes()) // regions_c10
    if (!isScalar(type) && !(body.vectors && isVector(type)))
      return body.refuse(op)
             << "must compute a scalar "
             << (body.vectors ? "or a vector of static size " : "") << "of "
             << kScalars << ", got " << type;
  return success();
}

//===----------------------------------------------------------------------===//
// Whole regions
//===----------------------------------------------------------------------===//

/// Checks arguments and body of a region that is not empty. It is one block
/// (SingleBlock) that ends in attn.yield: MLIR asks for a terminator, and
/// regions_c3 lets no other one stand (regions_c2).
static LogicalResult verifyRegion(Operation *op, Region &region, StringRef name,
                                  ArrayRef<Type> arguments, bool vectors,
                                  size_t numYielded = 1, int64_t axes = 1) {
  if (failed(verifyArguments(op, region, name, arguments)))
    return failure();
  Body body{op, region, name, vectors, axes};
  for (Operation &inner : region.front())
    if (failed(verifyBodyOp(body, &inner)))
      return failure();
  size_t got = region.front().getTerminator()->getNumOperands();
  if (got != numYielded) // regions_c12
    return op->emitOpError()
           << "region '" << name << "' must yield " << numYielded
           << (numYielded == 1 ? " value" : " values") << ", got " << got;
  return success();
}

static LogicalResult verifyYield(Operation *op, Region &region, StringRef name,
                                 Type expected) {
  Type got = getYielded(region).getType();
  if (got != expected) // regions_c12
    return op->emitOpError() << "region '" << name << "' must yield "
                             << expected << ", got " << got;
  return success();
}

static SmallVector<Type> indices(Operation *op, unsigned count) {
  return SmallVector<Type>(count, IndexType::get(op->getContext()));
}

/// Checks a region that is not empty and computes vectors; returns the width of
/// what it yields.
static FailureOr<int64_t> verifyVectorRegion(Operation *op, Region &region,
                                             StringRef name,
                                             ArrayRef<Type> arguments,
                                             int64_t axes = 1) {
  if (failed(verifyRegion(op, region, name, arguments, /*vectors=*/true,
                          /*numYielded=*/1, axes)))
    return failure();
  Type element = getElementTypeOrSelf(arguments.front());
  Type yielded = getYielded(region).getType();
  auto type = dyn_cast<RankedTensorType>(yielded);
  if (!type || type.getElementType() != element) // regions_c12
    return op->emitOpError()
           << "region '" << name << "' must yield a vector of static size of "
           << element << ", got " << yielded;
  return type.getDimSize(0);
}

FailureOr<int64_t> attn::verifyRowRegion(Operation *op, Region &region,
                                         StringRef name, int64_t width,
                                         Type element, int64_t axes) {
  if (region.empty())
    return width;
  SmallVector<Type> arguments{RankedTensorType::get({width}, element)};
  llvm::append_range(arguments, indices(op, 2 + axes));
  return verifyVectorRegion(op, region, name, arguments, axes);
}

FailureOr<int64_t> attn::verifyNormRegion(Operation *op, Region &region,
                                          int64_t width, Type element) {
  if (region.empty())
    return width;
  SmallVector<Type> arguments{RankedTensorType::get({width}, element), element};
  llvm::append_range(arguments, indices(op, 3));
  return verifyVectorRegion(op, region, "norm", arguments);
}

LogicalResult attn::verifyPairRegion(Operation *op, Region &region,
                                     StringRef name, Type element,
                                     int64_t axes) {
  if (region.empty())
    return success();
  SmallVector<Type> arguments{element};
  llvm::append_range(arguments, indices(op, 2 + 2 * axes));
  if (failed(verifyRegion(op, region, name, arguments, /*vectors=*/false)))
    return failure();
  return verifyYield(op, region, name, element);
}

LogicalResult attn::verifySinkRegion(Operation *op, Region &region,
                                     Type element, int64_t axes) {
  if (region.empty())
    return success();
  if (failed(verifyRegion(op, region, "sink", indices(op, 2 + axes),
                          /*vectors=*/false)))
    return failure();
  return verifyYield(op, region, "sink", element);
}

LogicalResult attn::verifyMaskRegion(Operation *op, Region &region,
                                     int64_t axes) {
  if (region.empty())
    return success();
  if (failed(verifyRegion(op, region, "mask", indices(op, 2 + 2 * axes),
                          /*vectors=*/false)))
    return failure();
  return verifyYield(op, region, "mask", IntegerType::get(op->getContext(), 1));
}

/// What the consumers of `keys` can evaluate once for a block of queries.
static LogicalResult verifyKeysOp(Operation *op, Operation &inner) {
  auto isWhole = [](Type type) { return type.isIntOrIndex(); };
  bool isIndexArithmetic = isa<tensor::DimOp, YieldOp>(inner) ||
                           (isa<tensor::ExtractOp>(inner) &&
                            isWhole(inner.getResult(0).getType())) ||
                           (isa<arith::ArithDialect>(inner.getDialect()) &&
                            llvm::all_of(inner.getOperandTypes(), isWhole) &&
                            llvm::all_of(inner.getResultTypes(), isWhole));
  if (isIndexArithmetic)
    return success();
  InFlightDiagnostic error = op->emitOpError() // regions_c13
                             << "region 'keys' cannot hold '" << inner.getName()
                             << "'; expected arith on indices and integers, "
                                "tensor.dim, and tensor.extract of integers";
  error.attachNote(inner.getLoc()) << "the op is here";
  return failure();
}

LogicalResult attn::verifyKeysRegion(Operation *op, Region &region) {
  if (region.empty())
    return success();
  if (failed(verifyRegion(op, region, "keys", indices(op, 4),
                          /*vectors=*/false, /*numYielded=*/4)))
    return failure();
  for (Operation &inner : region.front())
    if (failed(verifyKeysOp(op, inner)))
      return failure();
  for (Type type : region.front().getTerminator()->getOperandTypes())
    if (!type.isIndex()) // regions_c12
      return op->emitOpError()
             << "region 'keys' must yield 4 values of 'index', got " << type;
  return success();
}

LogicalResult attn::verifyClassesRegion(Operation *op, Region &region,
                                        int64_t axes) {
  if (failed(verifyRegion(op, region, "classes", indices(op, 2 + 4 * axes),
                          /*vectors=*/false, /*numYielded=*/2)))
    return failure();
  for (Type type : region.front().getTerminator()->getOperandTypes())
    if (!type.isInteger(1)) // regions_c12
      return op->emitOpError()
             << "region 'classes' must yield 2 values of 'i1', got " << type;
  return success();
}

bool attn::hasMatrixPerHead(Region &rows) {
  return llvm::any_of(rows.getOps<ContractRowOp>(), [&](ContractRowOp op) {
    return llvm::any_of(op.getIndices(),
                        [&](Value index) { return dependsOn(index, rows, 2); });
  });
}

bool attn::relatesPositions(ArrayRef<Region *> regions, int64_t axes) {
  // The indices of query and key are the last arguments of each region.
  auto uses = [&](int64_t fromEnd) {
    return llvm::any_of(regions, [&](Region *region) {
      return !region->empty() &&
             llvm::any_of(
                 region->getArguments().take_back(fromEnd).take_front(axes),
                 [](Value index) { return !index.use_empty(); });
    });
  };
  return uses(axes) && uses(2 * axes);
}

Value attn::getYielded(Region &region) {
  return cast<YieldOp>(region.front().getTerminator()).getValues().front();
}
