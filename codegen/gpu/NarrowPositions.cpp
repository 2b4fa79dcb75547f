//===- NarrowPositions.cpp - Use positions by their distance --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Masks and scores compare, clamp and convert the distance of a thread's
// queries to its keys, in 64 bits: two or more instructions and two registers
// each time. The pairs of a thread differ by constants, so what is done with (i
// + a) - (j + b) needs i - j once:
//
//   compares   i - j is compared with constants, in 32 bits. Where it does not
//              fit, any number of its sign does that is beyond all constants.
//              i + a < j + b is such a compare, (i + a) - (j + b) < c another.
//   clamps     to constants on both sides, in the same way
//   conversion i - j is converted to a floating point number, to which the
//              constants are added. Up to 2^24 (f32) that is the same number,
//              beyond it is rounded twice.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/MapVector.h"

namespace attn {
#define GEN_PASS_DEF_GPUNARROWPOSITIONS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using arith::CmpIPredicate;

/// Fewer uses of the same two positions stay as they are.
static constexpr size_t kFewest = 8;
/// Differences of constants are smaller than this, far from the limits of 32
/// bits.
static constexpr int64_t kMostOffset = int64_t(1) << 29;

static bool isOffset(int64_t number) {
  return -kMostOffset / 2 < number && number < kMostOffset / 2;
}

namespace {
/// A value that is `base + offset`; `base` is null for a constant.
struct Position {
  Value base;
  int64_t offset = 0;
};
} // namespace

static std::optional<int64_t> getNumber(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return number.getSExtValue();
  return std::nullopt;
}

static Position split(Value value) {
  Position position{value};
  while (auto sum = position.base.getDefiningOp<arith::AddIOp>()) {
    std::optional<int64_t> number = getNumber(sum.getRhs());
    if (!number || !isOffset(*number) || !isOffset(position.offset))
      break;
    position.offset += *number;
    position.base = sum.getLhs();
  }
  std::optional<int64_t> number = getNumber(position.base);
  if (number && isOffset(*number))
    return {Value(), position.offset + *number};
  return position;
}

/// Whether `value` is computed from places and sizes of arrays, of which sums
/// and differences do not wrap around. Numbers of 64 bits from memory are none,
/// nor are constants of more than 32.
static bool isPlace(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (auto loop = dyn_cast<scf::ForOp>(parent))
      return value == loop.getInductionVar();
    return isa<gpu::GPUFuncOp>(parent);
  }
  Operation *op = value.getDefiningOp();
  if (auto cast = dyn_cast<arith::IndexCastOp>(op))
    return cast.getIn().getType().getIntOrFloatBitWidth() <= 32;
  if (std::optional<int64_t> number = getNumber(value))
    return llvm::isInt<32>(*number);
  if (isa<gpu::ThreadIdOp, gpu::BlockIdOp, memref::DimOp>(op))
    return true;
  return isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::DivUIOp,
             arith::RemUIOp, arith::DivSIOp, arith::RemSIOp, arith::MinSIOp,
             arith::MaxSIOp, arith::ShRUIOp, arith::AndIOp, arith::OrIOp>(op) &&
         llvm::all_of(op->getOperands(), isPlace);
}

namespace {
/// `left - right + offset`. One of the two may be null, and is 0 then.
struct Difference {
  Value left, right;
  int64_t offset;

  /// Whether the distance of its two positions serves it.
  bool isNarrowable() const {
    auto isPlaceOrNone = [](Value value) { return !value || isPlace(value); };
    return (left || right) && isPlaceOrNone(left) && isPlaceOrNone(right) &&
           std::abs(offset) < kMostOffset;
  }
};
} // namespace

static Difference subtract(Position left, Position right) {
  return {left.base, right.base, left.offset - right.offset};
}

static Difference getDifference(Value value) {
  Position position = split(value);
  auto difference = dyn_cast_if_present<arith::SubIOp>(
      position.base ? position.base.getDefiningOp() : nullptr);
  if (!difference)
    return {position.base, Value(), position.offset};
  Difference result =
      subtract(split(difference.getLhs()), split(difference.getRhs()));
  result.offset += position.offset;
  return result;
}

/// `op.getLhs() - op.getRhs()`, where one side may be a difference itself and
/// the other one a constant.
static Difference getDifference(arith::CmpIOp op) {
  Position left = split(op.getLhs()), right = split(op.getRhs());
  if (left.base && right.base)
    return subtract(left, right);
  if (left.base) {
    Difference result = getDifference(op.getLhs());
    result.offset -= right.offset;
    return result;
  }
  Difference result = getDifference(op.getRhs());
  std::swap(result.left, result.right);
  result.offset = left.offset - result.offset;
  return result;
}

/// The predicate of the operands in the other order.
static CmpIPredicate turn(CmpIPredicate predicate) {
  switch (predicate) {
  case CmpIPredicate::slt:
    return CmpIPredicate::sgt;
  case CmpIPredicate::sle:
    return CmpIPredicate::sge;
  case CmpIPredicate::sgt:
    return CmpIPredicate::slt;
  case CmpIPredicate::sge:
    return CmpIPredicate::sle;
  default:
    return predicate;
  }
}

static Value makeNumber(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
}

/// `left - right` in 64 bits.
static Value subtract(ImplicitLocOpBuilder &b, Value left, Value right) {
  Value result = left ? left : arith::ConstantIndexOp::create(b, 0);
  return right ? arith::SubIOp::create(b, result, right) : result;
}

/// The same in 32 bits where it fits, else a number of its sign beyond all
/// constants. It is not the number of 32 bits that is next to it, as LLVM
/// knows that and widens compares of it again.
static Value makeDistance(ImplicitLocOpBuilder &b, Value left, Value right) {
  auto shift = [&](Value value) -> Value {
    return arith::ShRSIOp::create(b, value, makeNumber(b, 31));
  };
  Value distance = subtract(b, left, right);
  Value upper = arith::ShRSIOp::create(b, distance,
                                       arith::ConstantIndexOp::create(b, 32));
  Value low = arith::IndexCastOp::create(b, b.getI32Type(), distance);
  Value high = arith::IndexCastOp::create(b, b.getI32Type(), upper);
  Value fits = arith::CmpIOp::create(b, CmpIPredicate::eq, high, shift(low));
  Value limit =
      arith::XOrIOp::create(b, shift(high), makeNumber(b, 2 * kMostOffset));
  return arith::SelectOp::create(b, fits, low, limit);
}

namespace {
/// An op that uses a difference.
struct Use {
  Operation *op;
  Difference difference;
};

/// `min(max(x, inner), outer)` or `max(min(x, inner), outer)`.
struct Clamp {
  Value value;
  int64_t inner, outer;
};

/// Ops of one kind in a block, by the two positions whose distance they use.
class Uses {
public:
  void add(Operation *op, const Difference &difference) {
    if (difference.isNarrowable())
      all[{difference.left, difference.right}].push_back({op, difference});
  }
  /// Adds a compare; one of the distance turned around is turned first.
  void addCompare(arith::CmpIOp op);

  using Make = Value(ImplicitLocOpBuilder &b, Value left, Value right);
  using Replace = Value(ImplicitLocOpBuilder &b, Operation *op, Value distance,
                        int64_t offset);
  /// Makes each distance that enough ops use, in front of the first of them,
  /// and replaces the ops.
  void narrow(Make make, Replace replace) const;

private:
  llvm::MapVector<std::pair<Value, Value>, SmallVector<Use>> all;
};

struct GpuNarrowPositions
    : attn::impl::GpuNarrowPositionsBase<GpuNarrowPositions> {
  void runOnOperation() override {
    getOperation().walk([&](Block *block) { narrow(*block); });
  }

private:
  static void narrow(Block &block);
};
} // namespace

void Uses::addCompare(arith::CmpIOp op) {
  Difference difference = getDifference(op);
  if (all.contains({difference.right, difference.left})) {
    Value left = op.getLhs();
    op.getLhsMutable().assign(op.getRhs());
    op.getRhsMutable().assign(left);
    op.setPredicate(turn(op.getPredicate()));
  }
  add(op, getDifference(op));
}

void Uses::narrow(Make make, Replace replace) const {
  for (const auto &[positions, uses] : all) {
    if (uses.size() < kFewest)
      continue;
    ImplicitLocOpBuilder b(uses.front().op->getLoc(), uses.front().op);
    Value distance = make(b, positions.first, positions.second);
    for (const Use &use : uses) {
      b.setInsertionPoint(use.op);
      Value result = replace(b, use.op, distance, use.difference.offset);
      use.op->replaceAllUsesWith(ValueRange(result));
      use.op->erase();
    }
  }
}

static bool isSigned(arith::CmpIOp op) {
  static constexpr CmpIPredicate kSigned[] = {
      CmpIPredicate::eq,  CmpIPredicate::ne,  CmpIPredicate::slt,
      CmpIPredicate::sle, CmpIPredicate::sgt, CmpIPredicate::sge};
  return op.getLhs().getType().isIndex() &&
         llvm::is_contained(kSigned, op.getPredicate());
}

/// distance + offset < 0
static Value replaceCompare(ImplicitLocOpBuilder &b, Operation *op,
                            Value distance, int64_t offset) {
  CmpIPredicate predicate = cast<arith::CmpIOp>(op).getPredicate();
  return arith::CmpIOp::create(b, predicate, distance, makeNumber(b, -offset));
}

template <typename Outer, typename Inner>
static std::optional<Clamp> matchClamp(Operation *op) {
  auto outer = dyn_cast<Outer>(op);
  auto inner = outer ? outer.getLhs().template getDefiningOp<Inner>() : nullptr;
  if (!inner || !outer.getType().isIndex())
    return std::nullopt;
  std::optional<int64_t> first = getNumber(inner.getRhs());
  std::optional<int64_t> second = getNumber(outer.getRhs());
  if (!first || !second || !isOffset(*first) || !isOffset(*second))
    return std::nullopt;
  return Clamp{inner.getLhs(), *first, *second};
}

static std::optional<Clamp> matchClamp(Operation *op) {
  if (auto clamp = matchClamp<arith::MinSIOp, arith::MaxSIOp>(op))
    return clamp;
  return matchClamp<arith::MaxSIOp, arith::MinSIOp>(op);
}

/// min(max(distance, low - offset), high - offset) + offset
static Value replaceClamp(ImplicitLocOpBuilder &b, Operation *op,
                          Value distance, int64_t offset) {
  Clamp clamp = *matchClamp(op);
  Value inner = makeNumber(b, clamp.inner - offset);
  Value outer = makeNumber(b, clamp.outer - offset);
  Value result;
  if (isa<arith::MinSIOp>(op))
    result = arith::MinSIOp::create(
        b, arith::MaxSIOp::create(b, distance, inner), outer);
  else
    result = arith::MaxSIOp::create(
        b, arith::MinSIOp::create(b, distance, inner), outer);
  result = arith::IndexCastOp::create(b, b.getIndexType(), result);
  return arith::AddIOp::create(b, result,
                               arith::ConstantIndexOp::create(b, offset));
}

/// The index that `op` converts to f32; null if it does nothing such.
static Value getConverted(Operation *op) {
  auto conversion = dyn_cast<arith::SIToFPOp>(op);
  if (!conversion || !conversion.getType().isF32())
    return Value();
  auto cast = conversion.getIn().getDefiningOp<arith::IndexCastOp>();
  bool isWhole =
      cast && cast.getIn().getType().isIndex() && cast.getType().isInteger(64);
  return isWhole ? cast.getIn() : Value();
}

static Value makeFloat(ImplicitLocOpBuilder &b, Value left, Value right) {
  Value distance =
      arith::IndexCastOp::create(b, b.getI64Type(), subtract(b, left, right));
  return arith::SIToFPOp::create(b, b.getF32Type(), distance);
}

/// distance + offset
static Value replaceConversion(ImplicitLocOpBuilder &b, Operation *op,
                               Value distance, int64_t offset) {
  auto number = arith::ConstantOp::create(b, b.getF32FloatAttr(float(offset)));
  return arith::AddFOp::create(b, distance, number);
}

void GpuNarrowPositions::narrow(Block &block) {
  Uses compares, clamps, conversions;
  for (Operation &op : block) {
    if (auto compare = dyn_cast<arith::CmpIOp>(op);
        compare && isSigned(compare))
      compares.addCompare(compare);
    else if (std::optional<Clamp> clamp = matchClamp(&op))
      clamps.add(&op, getDifference(clamp->value));
    else if (Value index = getConverted(&op))
      conversions.add(&op, getDifference(index));
  }
  compares.narrow(makeDistance, replaceCompare);
  clamps.narrow(makeDistance, replaceClamp);
  conversions.narrow(makeFloat, replaceConversion);
}
