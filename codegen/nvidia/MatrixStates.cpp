//===- MatrixStates.cpp - Recurrences for matrix instructions -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A chunk of a recurrence has products whose operands are computed: of a state,
// of keys times decays. In kernels that update a state all products get
// operands of 16 bits, or none:
//
//   a tile of 16 bits that is converted   itself; a number that it was
//                                         multiplied with multiplies the
//                                         product
//   weights, and what is added to a       the sum of as many tiles of 16 bits
//   state that is stored in 32 bits       as have the bits of 32
//   anything else: states, decayed keys   the sum of two tiles of 16 bits
//
// Weights have both signs, and where they cancel a result is small: the error
// of two terms of bf16 shows there.
//
// The state itself stays in 32 bits.
//
// Decays between the tokens of a chunk are sums of gates between them, a scan
// of a tile, which takes longer than the products then. They become differences
// of sums from the start of the chunk. Those cancel: after gates that add up to
// G, a decay is off by 2^-24 G. A gate below -104, which makes any f32 zero, is
// one of -104 there; so that G is not larger than 104 times the tokens, and the
// error not much larger than the rounding of what is multiplied with it.
//
// Where channels have decays of their own, products that decay become products
// of matrices between blocks of tokens, without differences (DecayProducts.h).
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/DecayProducts.h"
#include "codegen/nvidia/MatrixFactors.h"
#include "codegen/nvidia/Passes.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

namespace attn {
#define GEN_PASS_DEF_NVIDIAMATRIXSTATES
#include "codegen/nvidia/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Rows, columns and depth are multiples of it.
static constexpr int64_t kMultiple = 16;
/// The exponential of a gate below it is 0.
static constexpr float kLeastGate = -104;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isMultiple(Value value) {
  return llvm::all_of(tileOf(value).getShape(),
                      [](int64_t size) { return size % kMultiple == 0; });
}

namespace {
/// The products of one kernel.
class Kernel {
public:
  explicit Kernel(gpu::GPUFuncOp kernel) : kernel(kernel) {}

  /// Whether all products can be of 16 bits, and one updates a state.
  bool analyze();
  void rewrite();

private:
  bool isStored(tile::DotOp dot);
  Value round(Value value);
  SmallVector<Value> getTerms(Value value, int64_t count);
  Value splitScale(Value lhs, tile::DotOp dot, DenseElementsAttr &scale);
  int64_t countTerms(tile::DotOp dot);
  void narrow(tile::DotOp dot);
  void takeDifferences(tile::ScanOp scan);

  gpu::GPUFuncOp kernel;
  SmallVector<tile::DotOp> dots;
  SmallVector<tile::ScanOp> scans;
  SmallVector<tile::DecayDotOp> decaying;
  Type element; ///< Of 16 bits; null if there is none.
  llvm::DenseMap<Value, Value> rounded;
};
} // namespace

bool Kernel::analyze() {
  bool updatesState = false, isPossible = true;
  constexpr int64_t lanes = 32;
  auto size = kernel.getKnownBlockSize();
  int64_t warps = size ? (*size)[0] / lanes : 1;
  kernel.walk([&](Operation *op) {
    if (auto scan = dyn_cast<tile::ScanOp>(op);
        scan && tileOf(scan).getRank() == 2)
      scans.push_back(scan);
    if (auto decays = dyn_cast<tile::DecayDotOp>(op)) {
      decaying.push_back(decays);
      isPossible &= canCutDecays(decays, warps);
    }
    auto dot = dyn_cast<tile::DotOp>(op);
    if (!dot)
      return;
    dots.push_back(dot);
    updatesState |= dot.getTransposeLhs();
    for (Value operand : {dot.getLhs(), dot.getRhs()}) {
      isPossible &=
          isMultiple(operand) && tileOf(operand).getElementType().isF32();
      if (Value narrow = getNarrow(operand))
        element = tileOf(narrow).getElementType();
    }
    isPossible &= isMultiple(dot.getResult()) &&
                  tileOf(dot).getDimSize(0) % (warps * kMultiple) == 0;
  });
  return updatesState && isPossible && element;
}

/// Whether the state that `dot` updates leaves its loop in 32 bits.
bool Kernel::isStored(tile::DotOp dot) {
  for (OpOperand &use : dot->getUses()) {
    auto yield = dyn_cast<scf::YieldOp>(use.getOwner());
    auto loop = yield ? dyn_cast<scf::ForOp>(yield->getParentOp()) : nullptr;
    if (!loop || llvm::any_of(loop.getResult(use.getOperandNumber()).getUsers(),
                              llvm::IsaPred<tile::StoreOp>))
      return true;
  }
  return false;
}

/// `value` in 16 bits, each once.
Value Kernel::round(Value value) {
  if (Value narrow = getNarrow(value);
      narrow && tileOf(narrow).getElementType() == element)
    return narrow;
  Value &known = rounded[value];
  if (!known) {
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(value);
    known = arith::TruncFOp::create(b, value.getLoc(),
                                    tileOf(value).clone(element), value);
  }
  return known;
}

/// Up to `count` tiles whose sum `value` is, the larger ones first.
SmallVector<Value> Kernel::getTerms(Value value, int64_t count) {
  SmallVector<Value> terms{round(value)};
  if (getNarrow(value))
    return terms;
  ImplicitLocOpBuilder b(value.getLoc(), value.getContext());
  b.setInsertionPointAfterValue(terms.back());
  for (Value rest = value; int64_t(terms.size()) < count;) {
    Value term = arith::ExtFOp::create(b, rest.getType(), terms.back());
    rest = arith::SubFOp::create(b, rest, term);
    terms.push_back(arith::TruncFOp::create(b, terms.back().getType(), rest));
  }
  return terms;
}

/// The left operand without a number that it is multiplied with, if the number
/// can multiply the product.
Value Kernel::splitScale(Value lhs, tile::DotOp dot, DenseElementsAttr &scale) {
  auto scaled = lhs.getDefiningOp<arith::MulFOp>();
  if (scaled && getNarrow(scaled.getLhs()) &&
      matchPattern(scaled.getRhs(), m_Constant(&scale)) && scale.isSplat() &&
      matchPattern(dot.getInit(), m_AnyZeroFloat()))
    return scaled.getLhs();
  scale = {};
  return lhs;
}

/// `value` computed once more, in front of `user`, from loads and vectors:
/// registers need not keep it until then.
static Value recompute(Value value, Operation *user) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != user->getBlock() || op->getNumRegions() ||
      tileOf(value).getRank() != 2 || !isMemoryEffectFree(op) ||
      !(OpTrait::hasElementwiseMappableTraits(op) ||
        isa<tile::BroadcastOp>(op)))
    return value;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(isa<RankedTensorType>(operand.getType())
                           ? recompute(operand, user)
                           : operand);
  OpBuilder b(user);
  Operation *copy = b.clone(*op);
  copy->setOperands(operands);
  return copy->getResult(0);
}

/// Gives every use of a tile of 16 bits that is converted a conversion of its
/// own, in front of it.
static void convertLate(gpu::GPUFuncOp kernel) {
  SmallVector<arith::ExtFOp> extends;
  kernel.walk([&](arith::ExtFOp extend) {
    if (isa<RankedTensorType>(extend.getType()))
      extends.push_back(extend);
  });
  for (arith::ExtFOp extend : extends) {
    for (OpOperand &use : llvm::make_early_inc_range(extend->getUses())) {
      OpBuilder b(use.getOwner());
      use.set(b.clone(*extend)->getResult(0));
    }
    extend.erase();
  }
}

/// How many terms a left operand has. bf16 has 8 bits of the 24 that a stored
/// state and weights have, f16 has 11; what is smaller than the smallest f16 is
/// beyond those of the state.
int64_t Kernel::countTerms(tile::DotOp dot) {
  bool isExact =
      dot.getTransposeLhs() ? isStored(dot) : dependsOnProduct(dot.getLhs());
  return isExact && element.isBF16() ? 3 : 2;
}

void Kernel::narrow(tile::DotOp dot) {
  ImplicitLocOpBuilder b(dot.getLoc(), dot);
  DenseElementsAttr scale;
  Value lhs = splitScale(dot.getLhs(), dot, scale);
  if (dot.getTransposeLhs() && !getNarrow(lhs))
    lhs = recompute(lhs, dot);
  SmallVector<Value> left = getTerms(lhs, countTerms(dot)),
                     right = getTerms(dot.getRhs(), 2);
  Value result = dot.getInit();
  // Small terms first; what two of them make is beyond both.
  for (int64_t order : {2, 1, 0})
    for (auto [i, x] : llvm::enumerate(left))
      for (auto [j, y] : llvm::enumerate(right))
        if (int64_t(i + j) == order && (i == 0 || j == 0))
          result = tile::DotOp::create(
              b, dot.getType(), x, y, result, dot.getTransposeRhsAttr(),
              dot.getTransposeLhsAttr(), dot.getBetweenAttr());
  if (scale)
    result = arith::MulFOp::create(
        b, result,
        arith::ConstantOp::create(b, scale.resizeSplat(dot.getType())));
  dot.replaceAllUsesWith(result);
  dot.erase();
}

/// The gates that a scan of decays between tokens has in row t of each column
/// in front of which t is; null if it is another scan.
static Value getGates(tile::ScanOp scan) {
  auto select = scan.getValue().getDefiningOp<arith::SelectOp>();
  if (scan.getKind() != tile::ReduceKind::Add || !select ||
      !matchPattern(select.getFalseValue(), m_AnyZeroFloat()))
    return {};
  auto behind = select.getCondition().getDefiningOp<arith::CmpIOp>();
  auto gates = select.getTrueValue().getDefiningOp<tile::BroadcastOp>();
  auto predicate =
      scan.getReverse() ? arith::CmpIPredicate::slt : arith::CmpIPredicate::sgt;
  if (!behind || behind.getPredicate() != predicate || !gates ||
      gates.getAlong() != 1)
    return {};
  auto row = behind.getLhs().getDefiningOp<tile::IotaOp>();
  auto column = behind.getRhs().getDefiningOp<tile::IotaOp>();
  bool isPosition = row && column && row.getAlong() == 0 &&
                    column.getAlong() == 1 &&
                    row.getStart() == column.getStart();
  return isPosition ? gates.getVector() : Value();
}

/// Two scans of a vector, one for rows and one for columns, subtracted.
void Kernel::takeDifferences(tile::ScanOp scan) {
  Value gates = getGates(scan);
  if (!gates)
    return;
  ImplicitLocOpBuilder b(scan.getLoc(), scan);
  RankedTensorType type = tileOf(scan), vector = tileOf(gates);
  Value least = arith::ConstantOp::create(
      b,
      DenseElementsAttr::get(vector, b.getF32FloatAttr(kLeastGate).getValue()));
  gates = arith::MaximumFOp::create(b, gates, least);
  auto sum = [&](UnitAttr exclusive, int64_t along) -> Value {
    Value sums = tile::ScanOp::create(b, vector, scan.getKindAttr(), gates,
                                      scan.getReverseAttr(), exclusive);
    return tile::BroadcastOp::create(b, type, sums, b.getI64IntegerAttr(along));
  };
  Value upTo = sum(scan.getExclusiveAttr(), /*along=*/1);
  Value before = sum(UnitAttr(), /*along=*/0);
  Value between = arith::SubFOp::create(b, upTo, before);
  scan.replaceAllUsesWith(between);
  scan.erase();
}

/// Moves `op`, and what it is computed from, in front of `place`.
static void moveInFront(Operation *op, Operation *place) {
  if (op->getBlock() != place->getBlock() || op->isBeforeInBlock(place))
    return;
  for (Value operand : op->getOperands())
    if (Operation *source = operand.getDefiningOp())
      moveInFront(source, place);
  op->moveBefore(place);
}

/// Updates states in front of `op`, where they do not depend on it: what is in
/// shared memory for one of both is not needed for the other.
static void updateBefore(tile::DecayDotOp op, ArrayRef<tile::DotOp> dots) {
  for (tile::DotOp dot : dots) {
    if (!dot.getTransposeLhs() || dot->getBlock() != op->getBlock())
      continue;
    llvm::SetVector<Operation *> sources;
    BackwardSliceOptions options;
    options.filter = [&](Operation *source) {
      return source->getBlock() == op->getBlock() &&
             !source->isBeforeInBlock(op);
    };
    if (succeeded(getBackwardSlice(dot.getOperation(), &sources, options)) &&
        !sources.contains(op) && llvm::all_of(sources, [](Operation *op) {
          return isMemoryEffectFree(op);
        }))
      moveInFront(dot, op);
  }
}

void Kernel::rewrite() {
  llvm::for_each(scans, [&](tile::ScanOp scan) { takeDifferences(scan); });
  for (tile::DecayDotOp op : decaying) {
    updateBefore(op, dots);
    for (OpOperand &operand : op->getOpOperands())
      operand.set(recompute(operand.get(), op));
    llvm::append_range(dots, cutDecays(op));
  }
  llvm::for_each(dots, [&](tile::DotOp dot) { narrow(dot); });
  convertLate(kernel);
  kernel.walk([](math::Exp2Op exp) {
    exp.setFastmath(exp.getFastmath() | arith::FastMathFlags::afn);
  });
}

namespace {
struct NvidiaMatrixStates
    : attn::impl::NvidiaMatrixStatesBase<NvidiaMatrixStates> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<gpu::GPUFuncOp>()) {
      Kernel kernel(function);
      if (kernel.analyze())
        kernel.rewrite();
    }
  }
};
} // namespace
