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
//   anything else: states, decayed or     the sum of two tiles of 16 bits
//   computed keys, computed queries
//   the same where channels decay         two tiles of f16 or three of bf16
//
// Weights have both signs, and where they cancel a result is small: the error
// of two terms of bf16 shows there.
//
// The state itself stays in 32 bits. What is added to it are keys times decays
// times values. Decays multiply the values where keys are computed, as the
// terms of these are there for the queries, and where a block has fewer columns
// of values.
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
#include "codegen/nvidia/SumColumns.h"
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

static bool hasOneColumn(Value value) {
  return tileOf(value).getDimSize(1) == 1;
}

/// Whether the sizes of `value` are those of instructions, or become so.
static bool isMultiple(Value value) {
  return tileOf(value).getDimSize(0) % kMultiple == 0 &&
         (hasOneColumn(value) || tileOf(value).getDimSize(1) % kMultiple == 0);
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
  bool multipliesValues(tile::DotOp dot, Value keys);
  void moveDecays(tile::DotOp dot);
  void approximate(bool storesState);
  void narrow(tile::DotOp dot);
  Value bound(Value gates);
  void takeDifferences(tile::ScanOp scan);

  gpu::GPUFuncOp kernel;
  SmallVector<tile::DotOp> dots;
  SmallVector<tile::ScanOp> scans;
  SumColumns sums; ///< Denominators.
  SmallVector<tile::DecayDotOp> decaying;
  Type element; ///< Of 16 bits; null if there is none.
  llvm::DenseMap<Value, Value> rounded;
  llvm::DenseMap<Value, SmallVector<Value>> known;
  /// Computed right operands, and how many terms of each are in shared memory.
  llvm::DenseMap<Value, int64_t> shared;
  llvm::DenseSet<Value> bounded; ///< Gates that are not too small.
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
                  tileOf(dot).getDimSize(0) % (warps * kMultiple) == 0 &&
                  !hasOneColumn(dot.getLhs()) &&
                  (!hasOneColumn(dot) || sums.add(dot));
  });
  // Keys of channels that decay are not those that a denominator sums.
  isPossible &= decaying.empty() || sums.empty();
  // Nothing is lost where all weights of a row are far below the smallest f16,
  // and a quotient of their sums is not.
  isPossible &= sums.empty() || !element || !element.isF16();
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
  SmallVector<Value> &terms = known[value];
  if (terms.empty())
    terms.push_back(round(value));
  if (getNarrow(value))
    return terms;
  while (int64_t(terms.size()) < count) {
    ImplicitLocOpBuilder b(value.getLoc(), value.getContext());
    b.setInsertionPointAfterValue(terms.back());
    Value rest = terms.back().getDefiningOp<arith::TruncFOp>().getIn();
    Value term = arith::ExtFOp::create(b, rest.getType(), terms.back());
    rest = arith::SubFOp::create(b, rest, term);
    terms.push_back(arith::TruncFOp::create(b, terms.back().getType(), rest));
  }
  return SmallVector<Value>(ArrayRef(terms).take_front(count));
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
/// state and weights have, and rows times decays of channels, f16 has 11; what
/// is smaller than the smallest f16 is beyond those of the state.
int64_t Kernel::countTerms(tile::DotOp dot) {
  bool isExact =
      !decaying.empty() ||
      (dot.getTransposeLhs() ? isStored(dot) : dependsOnProduct(dot.getLhs()));
  return isExact && element.isBF16() ? 3 : 2;
}

/// Whether numbers for each token, such as decays, multiply the values rather
/// than `keys`. Computed keys are then the terms that queries are multiplied
/// with, and need not be computed again; only a state that is stored asks for
/// more terms of them. Else the values are multiplied if there are fewer in a
/// block.
bool Kernel::multipliesValues(tile::DotOp dot, Value keys) {
  return getNarrow(keys)
             ? tileOf(keys).getDimSize(1) > tileOf(dot.getRhs()).getDimSize(1)
             : !isStored(dot);
}

/// Moves numbers that multiply the rows of the keys in `dot`, which updates a
/// state, to the values, if that is better.
void Kernel::moveDecays(tile::DotOp dot) {
  SmallVector<Value> decays;
  Value keys = splitScales(dot.getLhs(), decays);
  if (decays.empty() || !multipliesValues(dot, keys))
    return;
  ImplicitLocOpBuilder b(dot.getLoc(), dot);
  Value values = recompute(dot.getRhs(), dot);
  for (Value decay : decays)
    values =
        arith::MulFOp::create(b, values, makeUniform(b, tileOf(values), decay));
  dot.getLhsMutable().assign(keys);
  dot.getRhsMutable().assign(values);
}

/// Multiplies the numbers that the rows of a product are multiplied with, if
/// there are such; returns whether there are.
static bool scaleRows(tile::DotOp dot, DenseElementsAttr scale) {
  if (!dot->hasOneUse())
    return false;
  OpOperand &use = *dot->getUses().begin();
  auto product = dyn_cast<arith::MulFOp>(use.getOwner());
  if (!product)
    return false;
  Value other = product->getOperand(1 - use.getOperandNumber());
  auto rows = other.getDefiningOp<tile::BroadcastOp>();
  if (!rows || rows.getAlong() != 1)
    return false;
  ImplicitLocOpBuilder b(product.getLoc(), product);
  Value vector = rows.getVector();
  vector = arith::MulFOp::create(
      b, vector,
      arith::ConstantOp::create(b, scale.resizeSplat(tileOf(vector))));
  vector = tile::BroadcastOp::create(b, tileOf(rows), vector, rows.getAlong());
  product->setOperand(1 - use.getOperandNumber(), vector);
  return true;
}

/// Moves numbers that are the same in all iterations in front of loops. LLVM
/// leaves divisions where they are, as nothing says that they have a result.
static void hoistScalars(gpu::GPUFuncOp kernel) {
  kernel.walk([](scf::ForOp loop) {
    for (Operation &op : llvm::make_early_inc_range(*loop.getBody())) {
      bool isNumber = isa<arith::DivSIOp, arith::DivUIOp, memref::DimOp>(op) &&
                      op.getResult(0).getType().isIndex();
      if (isNumber && llvm::all_of(op.getOperands(), [&](Value operand) {
            return loop.isDefinedOutsideOfLoop(operand);
          }))
        op.moveBefore(loop);
    }
  });
}

/// Stores rows as soon as they are known, so that they take no registers while
/// the state changes.
static void storeEarly(gpu::GPUFuncOp kernel) {
  kernel.walk([](tile::StoreOp store) {
    Operation *last = store.getValue().getDefiningOp();
    if (!last || last->getBlock() != store->getBlock())
      return;
    auto isInFront = [&](Operation *op) {
      auto load = dyn_cast<tile::LoadOp>(op);
      return (load && load.getView() == store.getView()) ||
             isa<tile::StoreOp>(op) ||
             llvm::is_contained(op->getUsers(), store.getOperation());
    };
    for (Operation *op = last; op != store; op = op->getNextNode())
      if (isInFront(op))
        last = op;
    store->moveAfter(last);
  });
}

/// Moves the terms of a state, which nothing else reads, to the product that
/// does: in shared memory, they can take the place of what was scanned for its
/// other operand.
static void moveTerms(ArrayRef<Value> terms, tile::DotOp dot) {
  llvm::SetVector<Operation *> ops;
  BackwardSliceOptions options;
  options.filter = [&](Operation *op) {
    return op->getBlock() == dot->getBlock();
  };
  options.inclusive = true;
  if (failed(getBackwardSlice(terms.back(), &ops, options)))
    return;
  for (Operation *op : ops)
    op->moveBefore(dot);
}

void Kernel::narrow(tile::DotOp dot) {
  ImplicitLocOpBuilder b(dot.getLoc(), dot);
  DenseElementsAttr scale;
  if (dot.getTransposeLhs())
    moveDecays(dot);
  Value lhs = splitScale(dot.getLhs(), dot, scale);
  int64_t count = countTerms(dot);
  // Keys that are added as queries are multiplied with them are there already.
  bool isShared = shared.lookup(lhs) >= count;
  if (dot.getTransposeLhs() && getNarrow(dot.getRhs()) && !getNarrow(lhs) &&
      !isShared)
    lhs = recompute(lhs, dot);
  SmallVector<Value> left = getTerms(lhs, count);
  // A denominator may be subtracted, not only divide: results that cancel show
  // the error of two terms of bf16. So do those of rows times decays.
  bool isExact = !decaying.empty() || !sums.empty();
  int64_t ofRhs = isExact && element.isBF16() ? 3 : 2;
  SmallVector<Value> right =
      getTerms(dot.getRhs(), dot.getTransposeLhs() ? count : ofRhs);
  if (!getNarrow(dot.getRhs()))
    shared[dot.getRhs()] = right.size();
  if (!decaying.empty() && isa<BlockArgument>(dot.getRhs()))
    moveTerms(right, dot);
  Value result = dot.getInit();
  // Small terms first. Of two terms the product of the small ones is beyond
  // both; of three, that of the second ones is not.
  bool haveThird = left.size() == 3 && right.size() == 3;
  for (int64_t order : {2, 1, 0})
    for (auto [i, x] : llvm::enumerate(left))
      for (auto [j, y] : llvm::enumerate(right))
        if (int64_t(i + j) == order && (i == 0 || j == 0 || haveThird))
          result = tile::DotOp::create(
              b, dot.getType(), x, y, result, dot.getTransposeRhsAttr(),
              dot.getTransposeLhsAttr(), dot.getBetweenAttr());
  if (scale && !scaleRows(dot, scale))
    result = arith::MulFOp::create(
        b, result,
        arith::ConstantOp::create(b, scale.resizeSplat(dot.getType())));
  dot.replaceAllUsesWith(result);
  dot.erase();
}

/// The constants that numbers are multiplied with in front of exponentials,
/// which are all that becomes of sums of the gates; false if something else
/// does.
static bool collectFactors(Value gates,
                           SmallVectorImpl<arith::MulFOp> &factors) {
  return llvm::all_of(gates.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto product = dyn_cast<arith::MulFOp>(user)) {
      factors.push_back(product);
      return llvm::all_of(product->getUsers(), llvm::IsaPred<math::Exp2Op>);
    }
    bool isSum = false;
    if (auto scan = dyn_cast<tile::ScanOp>(user))
      isSum = scan.getKind() == tile::ReduceKind::Add;
    else if (auto reduce = dyn_cast<tile::ReduceOp>(user))
      isSum = reduce.getKind() == tile::ReduceKind::Add &&
              matchPattern(reduce.getInit(), m_AnyZeroFloat()) &&
              use.getOperandNumber() == 0;
    else if (auto select = dyn_cast<arith::SelectOp>(user))
      isSum = use.getOperandNumber() == 1 &&
              matchPattern(select.getFalseValue(), m_AnyZeroFloat());
    else
      isSum = isa<tile::BroadcastOp>(user);
    return isSum && collectFactors(user->getResult(0), factors);
  });
}

/// The one number that `factors` multiply with; none if there are several.
static std::optional<APFloat> getFactor(ArrayRef<arith::MulFOp> factors) {
  std::optional<APFloat> result;
  for (arith::MulFOp product : factors) {
    DenseElementsAttr constant;
    if (!matchPattern(product.getRhs(), m_Constant(&constant)) ||
        !constant.isSplat())
      return std::nullopt;
    APFloat number = constant.getSplatValue<APFloat>();
    if (result && !result->bitwiseIsEqual(number))
      return std::nullopt;
    result = number;
  }
  return result;
}

/// Gates that are at least kLeastGate: all of the kernel, if only exponentials
/// of their sums are taken. Then one vector of them is scanned, and has what
/// exponents are multiplied with, which is one product for each token and not
/// for each pair of them.
Value Kernel::bound(Value gates) {
  if (bounded.contains(gates))
    return gates;
  ImplicitLocOpBuilder b(gates.getLoc(), gates.getContext());
  b.setInsertionPointAfterValue(gates);
  auto splat = [&](const APFloat &number) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(tileOf(gates), number));
  };
  SmallVector<arith::MulFOp> factors;
  bool isExponent = collectFactors(gates, factors);
  Value result =
      arith::MaximumFOp::create(b, gates, splat(APFloat(kLeastGate)));
  Operation *limit = result.getDefiningOp();
  if (!isExponent)
    return result;
  if (std::optional<APFloat> factor = getFactor(factors)) {
    result = arith::MulFOp::create(b, result, splat(*factor));
    for (arith::MulFOp product : factors)
      product.replaceAllUsesWith(product.getLhs());
  }
  gates.replaceAllUsesExcept(result, limit);
  bounded.insert(result);
  return result;
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
  gates = bound(gates);
  ImplicitLocOpBuilder b(scan.getLoc(), scan);
  RankedTensorType type = tileOf(scan), vector = tileOf(gates);
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

template <typename OpT>
static void setFastmath(OpT op, arith::FastMathFlags flags) {
  op.setFastmath(op.getFastmath() | flags);
}

/// Exponentials and quotients need not be more exact than two terms. Those that
/// become a state that is stored, of three terms, do, and exponentials of rows
/// in f16, whose terms have 22 bits.
void Kernel::approximate(bool storesState) {
  using arith::FastMathFlags;
  kernel.walk([](math::Exp2Op op) { setFastmath(op, FastMathFlags::afn); });
  if (storesState)
    return;
  auto isOfRows = [](Operation *op) {
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    return type && type.getRank() == 2;
  };
  kernel.walk([&](arith::DivFOp op) {
    if (isOfRows(op))
      setFastmath(op, FastMathFlags::arcp);
  });
  kernel.walk([&](math::ExpOp op) {
    if (isOfRows(op) && element.isBF16())
      setFastmath(op, FastMathFlags::afn);
  });
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
  sums.widen(element);
  bool storesState = llvm::any_of(dots, [&](tile::DotOp dot) {
    return dot.getTransposeLhs() && isStored(dot);
  });
  llvm::for_each(scans, [&](tile::ScanOp scan) { takeDifferences(scan); });
  for (tile::DecayDotOp op : decaying) {
    updateBefore(op, dots);
    for (OpOperand &operand : op->getOpOperands())
      operand.set(recompute(operand.get(), op));
    llvm::append_range(dots, cutDecays(op));
  }
  llvm::for_each(dots, [&](tile::DotOp dot) { narrow(dot); });
  convertLate(kernel);
  hoistScalars(kernel);
  storeEarly(kernel);
  approximate(storesState);
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
