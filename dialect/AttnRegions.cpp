//===- AttnRegions.cpp - What the regions of attn ops may hold -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnRegions.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace attn;

/// Checks number and types of the region's arguments (regions_c1).
static LogicalResult verifyArguments(Operation *op, Region &region,
                                     StringRef name, ArrayRef<Type> expected) {
  Block &block = region.front();
  if (block.getNumArguments() != expected.size())
    return op->emitOpError() << "region '" << name << "' takes "
                             << expected.size() << " arguments, got "
                             << block.getNumArguments();
  for (auto [index, argument] : llvm::enumerate(block.getArguments()))
    if (argument.getType() != expected[index])
      return op->emitOpError()
             << "region '" << name << "' argument " << index << " must be "
             << expected[index] << ", got " << argument.getType();
  return success();
}

/// Whether `op` computes elementwise on scalars and, if `vectors`, on tensors.
static bool isElementwise(Operation *op, bool vectors) {
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return false;
  if (!isa<arith::ConstantOp>(op) && !OpTrait::hasElementwiseMappableTraits(op))
    return false;
  auto fits = [&](Type type) {
    return type.isIntOrIndexOrFloat() || (vectors && isa<RankedTensorType>(type));
  };
  return llvm::all_of(op->getOperandTypes(), fits) &&
         llvm::all_of(op->getResultTypes(), fits);
}

/// A constant part of a vector, or one row of a captured tensor (regions_c4).
static LogicalResult verifySlice(tensor::ExtractSliceOp slice) {
  auto type = slice.getResultType();
  ArrayRef<int64_t> sizes = slice.getStaticSizes();
  bool rowShaped = type.getRank() == 1 && type.hasStaticShape() &&
                   !sizes.empty() && sizes.back() == type.getDimSize(0) &&
                   llvm::all_of(sizes.drop_back(), [](int64_t s) { return s == 1; }) &&
                   llvm::all_of(slice.getStaticStrides(), [](int64_t s) { return s == 1; });
  if (!rowShaped)
    return slice.emitOpError("in a row region must take consecutive elements of "
                             "the last dimension, sizes 1 before it and strides "
                             "1, got result ")
           << type;
  return success();
}

/// Checks that `op` may stand in a region (regions_c3).
static LogicalResult verifyBodyOp(Operation *parent, StringRef name,
                                  Operation *op, bool vectors) {
  if (isa<YieldOp, tensor::ExtractOp, tensor::DimOp>(op) ||
      isElementwise(op, vectors))
    return success();
  if (vectors && isa<tensor::ConcatOp, tensor::SplatOp, ReduceRowOp>(op))
    return success();
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op); slice && vectors)
    return verifySlice(slice);
  InFlightDiagnostic error = parent->emitOpError()
                             << "region '" << name << "' cannot hold '"
                             << op->getName()
                             << "'; expected elementwise arith and math, "
                                "tensor.extract and tensor.dim of captures";
  if (vectors)
    error << ", tensor.extract_slice, tensor.concat, tensor.splat, "
             "attn.reduce_row";
  error.attachNote(op->getLoc()) << "the op is here";
  return failure();
}

/// Checks block count, arguments and body of a region that is not empty.
static LogicalResult verifyRegion(Operation *op, Region &region, StringRef name,
                                  ArrayRef<Type> arguments, bool vectors) {
  if (failed(verifyArguments(op, region, name, arguments)))
    return failure();
  for (Operation &inner : region.front())
    if (failed(verifyBodyOp(op, name, &inner, vectors)))
      return failure();
  // The verifier of the enclosing op runs after those of the inner ops, but an
  // empty or unterminated block is only caught here (regions_c2).
  if (region.front().empty() || !isa<YieldOp>(region.front().back()))
    return op->emitOpError() << "region '" << name << "' must end in 'attn.yield'";
  return success();
}

static LogicalResult verifyYield(Operation *op, Region &region, StringRef name,
                                 Type expected) {
  Type got = getYielded(region).getType();
  if (got != expected)
    return op->emitOpError() << "region '" << name << "' must yield " << expected
                             << ", got " << got;
  return success();
}

static SmallVector<Type> indices(Operation *op, unsigned count) {
  return SmallVector<Type>(count, IndexType::get(op->getContext()));
}

FailureOr<int64_t> attn::verifyRowRegion(Operation *op, Region &region,
                                         StringRef name, int64_t width,
                                         Type element) {
  if (region.empty())
    return width;
  SmallVector<Type> arguments{RankedTensorType::get({width}, element)};
  llvm::append_range(arguments, indices(op, 3));
  if (failed(verifyRegion(op, region, name, arguments, /*vectors=*/true)))
    return failure();
  Type yielded = getYielded(region).getType();
  auto type = dyn_cast<RankedTensorType>(yielded);
  if (!type || type.getRank() != 1 || !type.hasStaticShape() ||
      type.getElementType() != element)
    return op->emitOpError() << "region '" << name
                             << "' must yield a vector of static size of "
                             << element << ", got " << yielded;
  return type.getDimSize(0);
}

LogicalResult attn::verifyScoreRegion(Operation *op, Region &region,
                                      Type element) {
  if (region.empty())
    return success();
  SmallVector<Type> arguments{element};
  llvm::append_range(arguments, indices(op, 4));
  if (failed(verifyRegion(op, region, "score", arguments, /*vectors=*/false)))
    return failure();
  return verifyYield(op, region, "score", element);
}

LogicalResult attn::verifyMaskRegion(Operation *op, Region &region) {
  if (region.empty())
    return success();
  if (failed(verifyRegion(op, region, "mask", indices(op, 4), /*vectors=*/false)))
    return failure();
  return verifyYield(op, region, "mask", IntegerType::get(op->getContext(), 1));
}

bool attn::relatesPositions(Region &score, Region &mask) {
  // %i and %j are the last two arguments of either region.
  auto uses = [&](unsigned fromEnd) {
    for (Region *region : {&score, &mask})
      if (!region->empty()) {
        auto arguments = region->getArguments();
        if (!arguments[arguments.size() - fromEnd].use_empty())
          return true;
      }
    return false;
  };
  return uses(1) && uses(2);
}

Value attn::getYielded(Region &region) {
  return cast<YieldOp>(region.front().getTerminator()).getValue();
}
