//===- NarrowCompares.cpp - Compare positions by their distance -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask compares the positions of a thread's queries with those of its keys,
// in 64 bits, which devices do in two instructions and two registers per
// position. The pairs of a thread differ by constants: i + a < j + b is
// i - j < b - a, where i - j is computed once, and where it does not fit into
// 32 bits any number of its sign does that is beyond all constants.
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
#define GEN_PASS_DEF_GPUNARROWCOMPARES
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using arith::CmpIPredicate;

/// Fewer compares of the same two positions stay as they are.
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
             arith::MaxSIOp, arith::ShRUIOp, arith::AndIOp>(op) &&
         llvm::all_of(op->getOperands(), isPlace);
}

/// `left - right` in 32 bits where it fits, else a number of its sign beyond
/// all constants. It is not the number of 32 bits that is next to it, as LLVM
/// knows that and widens compares of it again.
static Value makeDistance(ImplicitLocOpBuilder &b, Value left, Value right) {
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  };
  auto shift = [&](Value value) -> Value {
    return arith::ShRSIOp::create(b, value, number(31));
  };
  Value distance = left ? left : arith::ConstantIndexOp::create(b, 0);
  if (right)
    distance = arith::SubIOp::create(b, distance, right);
  Value upper = arith::ShRSIOp::create(b, distance,
                                       arith::ConstantIndexOp::create(b, 32));
  Value low = arith::IndexCastOp::create(b, b.getI32Type(), distance);
  Value high = arith::IndexCastOp::create(b, b.getI32Type(), upper);
  Value fits = arith::CmpIOp::create(b, CmpIPredicate::eq, high, shift(low));
  Value limit = arith::XOrIOp::create(b, shift(high), number(2 * kMostOffset));
  return arith::SelectOp::create(b, fits, low, limit);
}

namespace {
struct GpuNarrowCompares
    : attn::impl::GpuNarrowComparesBase<GpuNarrowCompares> {
  void runOnOperation() override {
    getOperation().walk([&](Block *block) { narrow(*block); });
  }

private:
  using Compares = SmallVector<arith::CmpIOp>;
  static bool isNarrowable(arith::CmpIOp op);
  static void narrow(Block &block);
  static void narrow(Value left, Value right, ArrayRef<arith::CmpIOp> compares);
};
} // namespace

bool GpuNarrowCompares::isNarrowable(arith::CmpIOp op) {
  static constexpr CmpIPredicate kSigned[] = {
      CmpIPredicate::eq,  CmpIPredicate::ne,  CmpIPredicate::slt,
      CmpIPredicate::sle, CmpIPredicate::sgt, CmpIPredicate::sge};
  if (!op.getLhs().getType().isIndex() ||
      !llvm::is_contained(kSigned, op.getPredicate()))
    return false;
  Position left = split(op.getLhs()), right = split(op.getRhs());
  return (left.base || right.base) && (!left.base || isPlace(left.base)) &&
         (!right.base || isPlace(right.base)) && isOffset(left.offset) &&
         isOffset(right.offset);
}

void GpuNarrowCompares::narrow(Block &block) {
  llvm::MapVector<std::pair<Value, Value>, Compares> groups;
  for (auto op : block.getOps<arith::CmpIOp>())
    if (isNarrowable(op))
      groups[{split(op.getLhs()).base, split(op.getRhs()).base}].push_back(op);
  for (auto &[bases, compares] : groups)
    if (compares.size() >= kFewest)
      narrow(bases.first, bases.second, compares);
}

void GpuNarrowCompares::narrow(Value left, Value right,
                               ArrayRef<arith::CmpIOp> compares) {
  arith::CmpIOp first = compares.front();
  ImplicitLocOpBuilder b(first.getLoc(), first);
  Value distance = makeDistance(b, left, right);
  for (arith::CmpIOp op : compares) {
    b.setInsertionPoint(op);
    int64_t least = split(op.getRhs()).offset - split(op.getLhs()).offset;
    Value limit = arith::ConstantOp::create(b, b.getI32IntegerAttr(least));
    Value narrowed =
        arith::CmpIOp::create(b, op.getPredicate(), distance, limit);
    op.replaceAllUsesWith(narrowed);
    op.erase();
  }
}
