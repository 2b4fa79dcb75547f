//===- MatrixProducts.cpp - Products for matrix instructions --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tile programs convert 16-bit operands to f32 and multiply those. Here the
// products of a kernel become products of tiles of 16 bits, all or none.
// MatrixFactors.h tells which tiles these are. Operands of which one is
// computed are sums of terms:
//
//   exact x exact, rounded x exact    one product
//   computed x exact of f16           two
//   computed x exact of bf16          three: f16 has not its exponents
//   computed x computed               three of f16, or six of bf16 where
//                                     nothing may multiply the product
//   rounded x computed                two of bf16, or three
//
// Errors of a rounded operand allow the last to be less exact.
//
// Products of f32 stay as they are if all of a kernel may be rounded to tf32
// and have the sizes of instructions. If not, none is: they lose the
// permission, so that behind this pass it says what is done.
//
// Rows that were joined, of heads that exchange scores, are multiplied part by
// part: parts of exact tiles are exact. Where the other rows were joined
// otherwise, or not at all, they are one computed tile.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Resources.h"
#include "codegen/gpu/SharedTiles.h"
#include "codegen/nvidia/MatrixFactors.h"
#include "codegen/nvidia/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIAMATRIXPRODUCTS
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Terms of bf16, of 8 bits each, that have the 24 bits of an f32.
static constexpr int64_t kTermsOfFloat = 3;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
using Kind = MatrixFactor::Kind;

/// A part of a product: all of it, or one of the parts that its right operand
/// was joined from.
struct Part {
  MatrixFactor lhs, rhs;
};

/// A product that can be of 16 bits.
struct Product {
  tile::DotOp op;
  std::vector<Part> parts;
  SmallVector<Value> scales; ///< Of all parts.
};
} // namespace

static bool isMultiple(RankedTensorType type) {
  return llvm::all_of(type.getShape(),
                      [](int64_t size) { return size % kMatrixMultiple == 0; });
}

/// The tiles that `value` is joined from, if all are exact and each can be
/// multiplied; else `value`.
static SmallVector<Value> getParts(Value value) {
  auto concat = value.getDefiningOp<tile::ConcatOp>();
  auto isExact = [](Value part) {
    return getNarrow(part) && isMultiple(tileOf(part));
  };
  if (!concat || !llvm::all_of(concat.getParts(), isExact))
    return {value};
  return concat.getParts();
}

/// Whether `value` is joined from tiles as wide as `parts`.
static bool isJoinedLike(Value value, ArrayRef<Value> parts) {
  auto concat = value.getDefiningOp<tile::ConcatOp>();
  return concat && llvm::equal(concat.getParts(), parts, [](Value a, Value b) {
           return tileOf(a).getDimSize(1) == tileOf(b).getDimSize(1);
         });
}

/// The operands of the parts of a product. Parts of a transposed right operand
/// are along the depth: they meet as many of the left one, or there are none.
/// BlockProblems.cpp foresees which it is.
static std::pair<SmallVector<Value>, SmallVector<Value>>
getOperandParts(Product &product) {
  tile::DotOp op = product.op;
  SmallVector<Value> rhs = getParts(op.getRhs());
  if (rhs.size() == 1 || !op.getTransposeRhs())
    return {SmallVector<Value>(rhs.size(), op.getLhs()), rhs};
  SmallVector<Value> scales;
  Value joined = splitScales(op.getLhs(), scales);
  if (!isJoinedLike(joined, rhs) ||
      !matchPattern(op.getInit(), m_AnyZeroFloat()))
    return {{op.getLhs()}, {op.getRhs()}};
  product.scales = std::move(scales);
  return {joined.getDefiningOp<tile::ConcatOp>().getParts(), rhs};
}

/// Whether products of these operands can be of 16 bits. Wider rows than these
/// leave no registers to compute them in (3.8 KB were spilled for 256
/// features).
static bool isPossible(const MatrixFactor &lhs, const MatrixFactor &rhs) {
  bool isTooWide = rhs.kind == Kind::Computed &&
                   tileOf(rhs.tile).getDimSize(1) > kMostComputedColumns;
  return rhs.kind != Kind::Rounded && !isTooWide &&
         isMultiple(tileOf(rhs.tile)) && isMultiple(tileOf(lhs.tile));
}

/// Whether a number for each key, such as that of its norm, may multiply the
/// scores of the key.
static bool splitsKeys(tile::DotOp op, ArrayRef<Value> parts) {
  return op.getTransposeRhs() && parts.size() == 1;
}

/// The product as one of 16 bits, if it can be one.
static std::optional<Product> match(tile::DotOp op) {
  Product product{op, {}, {}};
  if (op.getTransposeLhs() || op.getBetween() || !isMultiple(tileOf(op)) ||
      tileOf(op).getDimSize(1) > kMostMatrixColumns ||
      op.getDepth() > kMostMatrixColumns)
    return std::nullopt;
  auto [lhs, rhs] = getOperandParts(product);
  bool splits = matchPattern(op.getInit(), m_AnyZeroFloat());
  bool splitsRight = splits && splitsKeys(op, rhs);
  for (auto [left, right] : llvm::zip_equal(lhs, rhs)) {
    std::optional<MatrixFactor> a = matchFactor(left, splits);
    std::optional<MatrixFactor> b = matchFactor(right, splitsRight);
    if (!a || !b || !isPossible(*a, *b))
      return std::nullopt;
    product.parts.push_back({*a, *b});
  }
  return product;
}

/// Whether `factor` is a tile of `element`, perhaps times numbers.
static bool isExactOf(const MatrixFactor &factor, Type element) {
  return factor.kind == Kind::Exact && factor.element == element;
}

namespace {
/// What a factor becomes: tiles of 16 bits that are added up, and what
/// multiplies the product.
struct Operand {
  SmallVector<Value> tiles, scales;
};

/// Rewrites the products of a kernel.
class Rewriter {
public:
  void rewrite(Product &product);

private:
  Value multiply(Product &product, const Part &part, Value init);
  std::pair<Operand, Operand> getOperands(const Part &part, bool mayScale);
  Operand getTerms(const MatrixFactor &factor, Type element, int64_t count);
  Operand getScaledTerms(const MatrixFactor &factor);
  /// `value` by the name that it has now.
  Value getNow(Value value) { return replaced.lookupOrDefault(value); }
  Value addUp(Product &product);
  Value join(Product &product);

  FactorTerms terms;
  IRMapping replaced;
};
} // namespace

/// `value` times tiles of one number each, or one for each row.
static Value scale(ImplicitLocOpBuilder &b, Value value,
                   ArrayRef<Value> scales) {
  for (Value scale : scales)
    value =
        arith::MulFOp::create(b, value, makeUniform(b, tileOf(value), scale));
  return value;
}

/// `value` times tiles of one number each, or one for each row of the right
/// operand, which is a column of `value`. The vectors that say them change
/// their threads by way of shared memory.
static Value scaleColumns(ImplicitLocOpBuilder &b, Value value,
                          ArrayRef<Value> scales) {
  for (Value factor : scales) {
    auto rows = factor.getDefiningOp<tile::BroadcastOp>();
    if (!rows) {
      value = scale(b, value, factor);
      continue;
    }
    Value vector = rows.getVector();
    Value shared = tile::ConvertLayoutOp::create(
        b, getColumnsType(tileOf(vector)), vector);
    Value turned = tile::ConvertLayoutOp::create(b, vector.getType(), shared);
    Value columns =
        tile::BroadcastOp::create(b, tileOf(value), turned, /*along=*/0);
    value = arith::MulFOp::create(b, value, columns);
  }
  return value;
}

/// The terms of `factor` as tiles of `element`: one if it is such a tile
/// itself, else `count`.
Operand Rewriter::getTerms(const MatrixFactor &factor, Type element,
                           int64_t count) {
  if (isExactOf(factor, element))
    return {{factor.tile}, factor.scales};
  // What it is multiplied by is part of its terms.
  ArrayRef<Value> tiles = terms.get(getNow(factor.original), element, count);
  return {SmallVector<Value>(tiles), {}};
}

/// The terms of `factor`, which is exact or computed, as tiles of f16.
Operand Rewriter::getScaledTerms(const MatrixFactor &factor) {
  if (factor.kind == Kind::Exact && factor.element.isF16())
    return {{factor.tile}, factor.scales};
  const ScaledTerms &found = terms.getScaled(getNow(factor.original));
  return {found.tiles, {found.scale}};
}

/// What is multiplied in the place of the factors of a part, if something may
/// multiply the product.
std::pair<Operand, Operand> Rewriter::getOperands(const Part &part,
                                                  bool mayScale) {
  const MatrixFactor &lhs = part.lhs, &rhs = part.rhs;
  Type bf16 = BFloat16Type::get(rhs.tile.getContext());
  bool isRounded = lhs.kind == Kind::Rounded;
  if (rhs.kind == Kind::Exact && (isRounded || isExactOf(lhs, rhs.element)))
    return {getTerms(lhs, rhs.element, 1), getTerms(rhs, rhs.element, 1)};
  if (isRounded) {
    bool hasHalf = (lhs.element && lhs.element.isF16()) || rhs.element.isF16();
    return {getTerms(lhs, bf16, hasHalf ? 2 : 1), getTerms(rhs, bf16, 2)};
  }
  bool hasExact = isExactOf(lhs, bf16) || isExactOf(rhs, bf16);
  if (mayScale && !hasExact)
    return {getScaledTerms(lhs), getScaledTerms(rhs)};
  return {getTerms(lhs, bf16, kTermsOfFloat),
          getTerms(rhs, bf16, kTermsOfFloat)};
}

/// `init` plus the product of a part. Within each step of the depth small terms
/// are added first.
Value Rewriter::multiply(Product &product, const Part &part, Value init) {
  ImplicitLocOpBuilder b(product.op.getLoc(), product.op);
  bool transposed = product.op.getTransposeRhs();
  bool mayScale = transposed && matchPattern(init, m_AnyZeroFloat());
  auto [lhs, rhs] = getOperands(part, mayScale);
  // The product of terms that are small in both is as small as the error.
  for (size_t order = std::max(lhs.tiles.size(), rhs.tiles.size());
       order-- > 0;)
    for (auto [i, left] : llvm::enumerate(lhs.tiles))
      for (auto [j, right] : llvm::enumerate(rhs.tiles))
        if (i + j == order)
          init = tile::DotOp::create(b, init.getType(), left, right, init,
                                     transposed ? b.getUnitAttr() : UnitAttr());
  return scaleColumns(b, scale(b, init, lhs.scales), rhs.scales);
}

/// The sum of the products of parts along the depth.
Value Rewriter::addUp(Product &product) {
  ImplicitLocOpBuilder b(product.op.getLoc(), product.op);
  Value total;
  for (const Part &part : product.parts) {
    Value next = multiply(product, part, product.op.getInit());
    total = total ? arith::AddFOp::create(b, total, next).getResult() : next;
  }
  return scale(b, total, product.scales);
}

/// The products of parts of the columns, joined.
Value Rewriter::join(Product &product) {
  ImplicitLocOpBuilder b(product.op.getLoc(), product.op);
  SmallVector<Value> results;
  int64_t start = 0;
  for (const Part &part : product.parts) {
    RankedTensorType type = tileOf(product.op);
    int64_t columns = tileOf(part.rhs.tile).getDimSize(1);
    type = type.clone({type.getDimSize(0), columns});
    Value init = tile::SliceOp::create(b, type, product.op.getInit(), start);
    results.push_back(multiply(product, part, init));
    start += columns;
  }
  return tile::ConcatOp::create(b, product.op.getType(), results);
}

void Rewriter::rewrite(Product &product) {
  tile::DotOp op = product.op;
  bool isJoined = product.parts.size() > 1 && !op.getTransposeRhs();
  Value result = isJoined ? join(product) : addUp(product);
  replaced.map(op.getResult(), result);
  op.replaceAllUsesWith(result);
}

static void setFastmath(Operation *op, arith::FastMathFlags flags) {
  auto known = cast<arith::ArithFastMathInterface>(op);
  op->setAttr(
      known.getFastMathAttrName(),
      arith::FastMathFlagsAttr::get(
          op->getContext(), known.getFastMathFlagsAttr().getValue() | flags));
}

/// Lets the device compute what `scores` become, element by element, up to the
/// weights: functions and quotients.
static void approximateScores(Value scores) {
  SetVector<Value> reached;
  reached.insert(scores);
  for (size_t next = 0; next != reached.size(); ++next)
    for (Operation *user : reached[next].getUsers())
      if (OpTrait::hasElementwiseMappableTraits(user))
        reached.insert_range(user->getResults());
  for (Value value : reached) {
    Operation *op = value.getDefiningOp();
    if (isa<math::ExpOp, math::TanhOp>(op))
      setFastmath(op, arith::FastMathFlags::afn);
    else if (isa<arith::DivFOp>(op))
      setFastmath(op, arith::FastMathFlags::arcp);
    else if (isa<arith::MulFOp, arith::AddFOp, arith::SubFOp>(op))
      setFastmath(op, arith::FastMathFlags::contract);
  }
}

/// Exponentials of a kernel whose weights are rounded may be those of the
/// device, and so may what the scores of queries and keys go through.
static void approximate(gpu::GPUFuncOp kernel) {
  kernel.walk(
      [](math::Exp2Op exp) { setFastmath(exp, arith::FastMathFlags::afn); });
  kernel.walk([](tile::DotOp dot) {
    if (dot.getTransposeRhs())
      approximateScores(dot.getResult());
  });
}

/// Whether matrix instructions can multiply the operands of `op` as tf32, which
/// rounds them. BlockProblems.cpp foresees it.
static bool isTf32Possible(tile::DotOp op) {
  return op.getPrecision() == tile::Precision::TF32 && !op.getTransposeLhs() &&
         !op.getBetween() && isMultiple(tileOf(op)) &&
         op.getDepth() % kMatrixMultiple == 0 &&
         tileOf(op).getDimSize(1) <= kMostMatrixColumns &&
         tileOf(op.getRhs()).getDimSize(1) <= kMostTf32Columns;
}

/// Lets numbers that multiply queries multiply scores instead, as they do in
/// kernels of 16 bits.
static void moveScales(tile::DotOp op) {
  SmallVector<Value> scales;
  if (!op.getTransposeRhs() || !matchPattern(op.getInit(), m_AnyZeroFloat()))
    return;
  op.getLhsMutable().assign(splitScales(op.getLhs(), scales));
  ImplicitLocOpBuilder b(op.getLoc(), op.getContext());
  b.setInsertionPointAfter(op);
  SmallVector<OpOperand *> uses(llvm::make_pointer_range(op->getUses()));
  Value scaled = scale(b, op, scales);
  for (OpOperand *use : uses)
    use->set(scaled);
}

/// Leaves the products of a kernel to matrix instructions of tf32, all or none.
static void roundToTf32(gpu::GPUFuncOp kernel) {
  SmallVector<tile::DotOp> products;
  kernel.walk([&](tile::DotOp op) { products.push_back(op); });
  bool isPossible = llvm::all_of(products, isTf32Possible);
  for (tile::DotOp op : products)
    if (isPossible)
      moveScales(op);
    else
      op.setPrecision(tile::Precision::IEEE);
  if (isPossible && !products.empty())
    approximate(kernel);
}

static void narrow(gpu::GPUFuncOp kernel) {
  std::vector<Product> products;
  WalkResult result = kernel.walk([&](tile::DotOp op) {
    std::optional<Product> product = match(op);
    if (!product)
      return WalkResult::interrupt();
    products.push_back(*product);
    return WalkResult::advance();
  });
  if (result.wasInterrupted() || products.empty()) {
    roundToTf32(kernel);
    return;
  }
  Rewriter rewriter;
  for (Product &product : products)
    rewriter.rewrite(product);
  for (Product &product : llvm::reverse(products))
    product.op->erase();
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
