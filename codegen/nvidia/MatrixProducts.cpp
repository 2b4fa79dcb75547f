//===- MatrixProducts.cpp - Products for matrix instructions --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tile programs convert 16-bit operands to f32 and multiply those. Here the
// conversions in front of products go away, for all products of a kernel or
// none:
//
//   right operand   a load that is converted
//   left operand    a tile that is converted, and perhaps multiplied by a
//                   number, which then multiplies the product;
//                   or something computed from another product of the kernel,
//                   such as weights, which is rounded to 16 bits
//
// A left operand that is computed from loads, a rotated query say, is not
// rounded: its errors would be those of scores, not of weights.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Resources.h"
#include "codegen/nvidia/Passes.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIAMATRIXPRODUCTS
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Rows, columns and depth are multiples of it.
static constexpr int64_t kMultiple = 16;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// A product with operands of 16 bits.
struct Product {
  tile::DotOp op;
  Value lhs, rhs;
  /// What the left operand was multiplied by; null if by nothing.
  DenseElementsAttr scale;
  bool isRounded = false; ///< The left operand has 32 bits.
};
} // namespace

/// The tile of 16 bits that `value` is, converted; null if it is none.
static Value getNarrow(Value value) {
  auto extend = value.getDefiningOp<arith::ExtFOp>();
  Type from = extend ? tileOf(extend.getIn()).getElementType() : Type();
  return from && (from.isF16() || from.isBF16()) ? extend.getIn() : Value();
}

/// Whether a product is among what `value` is computed from, on the way of ops
/// without regions.
static bool dependsOnProduct(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions())
    return false;
  return isa<tile::DotOp>(op) ||
         llvm::any_of(op->getOperands(), dependsOnProduct);
}

static bool isMultiple(RankedTensorType type) {
  return llvm::all_of(type.getShape(),
                      [](int64_t size) { return size % kMultiple == 0; });
}

/// Fills in the left operand.
static bool matchLhs(Product &product) {
  Value lhs = product.op.getLhs();
  if ((product.lhs = getNarrow(lhs)))
    return true;
  auto scaled = lhs.getDefiningOp<arith::MulFOp>();
  if (scaled && matchPattern(scaled.getRhs(), m_Constant(&product.scale)) &&
      product.scale.isSplat() && (product.lhs = getNarrow(scaled.getLhs())))
    return matchPattern(product.op.getInit(), m_AnyZeroFloat());
  product.scale = {};
  product.lhs = lhs;
  return product.isRounded = dependsOnProduct(lhs);
}

/// The product without conversions, if it can be one.
static std::optional<Product> match(tile::DotOp op) {
  Product product{op, {}, getNarrow(op.getRhs()), {}};
  if (!product.rhs || !product.rhs.getDefiningOp<tile::LoadOp>() ||
      !isMultiple(tileOf(product.rhs)) || !isMultiple(tileOf(op)))
    return std::nullopt;
  RankedTensorType type = tileOf(product.rhs);
  if (getOperandBytes(type.getDimSize(0), type.getDimSize(1)) > kSliceBytes)
    return std::nullopt;
  if (!matchLhs(product))
    return std::nullopt;
  if (!product.isRounded &&
      tileOf(product.lhs).getElementType() != type.getElementType())
    return std::nullopt;
  return product;
}

static void rewrite(const Product &product) {
  tile::DotOp op = product.op;
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value lhs = product.lhs;
  if (product.isRounded)
    lhs = arith::TruncFOp::create(
        b, loc, tileOf(lhs).clone(tileOf(product.rhs).getElementType()), lhs);
  Value result = tile::DotOp::create(b, loc, op.getType(), lhs, product.rhs,
                                     op.getInit(), op.getTransposeRhs());
  if (product.scale) {
    DenseElementsAttr scale = product.scale;
    scale = scale.resizeSplat(op.getType());
    result = arith::MulFOp::create(b, loc, result,
                                   arith::ConstantOp::create(b, loc, scale));
  }
  op.replaceAllUsesWith(result);
  op.erase();
}

/// Exponentials of a kernel whose weights are rounded may be those of the
/// device.
static void approximate(gpu::GPUFuncOp kernel) {
  kernel.walk([](math::Exp2Op exp) {
    exp.setFastmath(exp.getFastmath() | arith::FastMathFlags::afn);
  });
}

static void narrow(gpu::GPUFuncOp kernel) {
  SmallVector<Product> products;
  WalkResult result = kernel.walk([&](tile::DotOp op) {
    std::optional<Product> product = match(op);
    if (!product)
      return WalkResult::interrupt();
    products.push_back(*product);
    return WalkResult::advance();
  });
  if (result.wasInterrupted() || products.empty())
    return;
  llvm::for_each(products, rewrite);
  approximate(kernel);
}

namespace {
struct NvidiaMatrixProducts
    : attn::impl::NvidiaMatrixProductsBase<NvidiaMatrixProducts> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      narrow(kernel);
  }
};
} // namespace
