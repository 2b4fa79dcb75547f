//===- StripTrims.cpp - Loops over ranges of columns ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// tile.trim leaves a range of columns in each group of rows. A loop over
// columns is narrow, that is runs over the range of its strip only, if nobody
// reads what the roots of the loop are elsewhere:
//
//   reduction   of a trimmed tile, by the operation that it is neutral in
//   store       of a trimmed tile that only such reductions read, and products
//               as their left operand, whose depth is narrow too; or of a tile
//               from which, through elementwise ops, only trimmed ones follow
//
// What is stored for columns outside of the range is then left undefined.
// Elsewhere tile.trim is evaluated as it stands, by a select.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/StripLowering.h"

using namespace mlir;
using namespace attn;

/// Whether what `use` reads outside of the range cannot be seen in results.
bool StripLowering::isReadTrimmed(OpOperand &use) const {
  Operation *user = use.getOwner();
  if (!segment.contains(user))
    return false;
  auto trim = use.get().getDefiningOp<tile::TrimOp>();
  if (auto reduction = dyn_cast<tile::ReduceOp>(user))
    return trim && trim.getKind() == reduction.getKind();
  if (auto dot = dyn_cast<tile::DotOp>(user))
    return trim && trim.getKind() == tile::ReduceKind::Add &&
           use.getOperandNumber() == dot.getLhsMutable().getOperandNumber();
  if (trim)
    return false;
  if (isa<tile::TrimOp>(user))
    return true;
  return OpTrait::hasElementwiseMappableTraits(user) &&
         isTrimmed(user->getResult(0));
}

bool StripLowering::isTrimmed(Value tile) const {
  return llvm::all_of(tile.getUses(),
                      [&](OpOperand &use) { return isReadTrimmed(use); });
}

/// Finds the trims of the segment and decides which loops are narrow: none
/// where ranges differ, as in blocks that follow each other without a loop.
LogicalResult StripLowering::planTrims() {
  int64_t width = registers * vectors.getLanes();
  bool areSame = true;
  for (Operation *op : segment) {
    auto trim = dyn_cast<tile::TrimOp>(op);
    if (!trim)
      continue;
    if (static_cast<int64_t>(trim.getRows()) % width)
      return trim.emitError("the CPU back end needs ranges of a multiple of ")
             << width << " rows, got " << trim.getRows();
    trims.push_back(trim);
    areSame &= trims.front().getRanges() == trim.getRanges() &&
               trims.front().getRows() == trim.getRows();
  }
  if (trims.empty() || !areSame)
    return success();
  int64_t cols = cast<RankedTensorType>(trims.front().getType()).getDimSize(1);
  for (auto &[at, ofStage] : loops) {
    auto found = ofStage.find(cols);
    if (found == ofStage.end())
      continue;
    const Loop &loop = found->second;
    bool reduces = llvm::all_of(loop.reductions, [&](tile::ReduceOp op) {
      return isReadTrimmed(op.getValueMutable());
    });
    if (reduces &&
        llvm::all_of(loop.stores, [&](Value tile) { return isTrimmed(tile); }))
      narrow.insert({at, cols});
  }
  return success();
}

/// Finds the range of the strip among those of the groups of rows.
StripLowering::Range StripLowering::emitRange(tile::TrimOp op) {
  int64_t perGroup = op.getRows() / (registers * vectors.getLanes());
  Value group = arith::DivUIOp::create(b, strip, vectors.index(perGroup));
  OperandRange all = op.getRanges();
  auto bound = [&](size_t n) { return scalars.lookupOrDefault(all[n]); };
  Range range{bound(0), bound(1)};
  for (size_t n = 1; 2 * n < all.size(); ++n) {
    Value isThis = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, group,
                                         vectors.index(n));
    range.begin = arith::SelectOp::create(b, isThis, bound(2 * n), range.begin);
    range.end = arith::SelectOp::create(b, isThis, bound(2 * n + 1), range.end);
  }
  return range;
}

/// Column `at` of `op`, whose operand has `value` there.
StripLowering::Vectors StripLowering::trim(tile::TrimOp op,
                                           const Vectors &value, Value at) {
  if (isNarrow(cast<RankedTensorType>(op.getType()).getDimSize(1)))
    return value;
  auto type = cast<VectorType>(value.front().getType());
  Value otherwise = vectors.neutral(op.getKind(), type.getElementType());
  Range range = ranges.lookup(op);
  Value from =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, at, range.begin);
  Value to = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, at, range.end);
  Value inside = arith::AndIOp::create(b, from, to);
  Vectors result;
  for (Value vector : value)
    result.push_back(arith::SelectOp::create(b, inside, vector, otherwise));
  return result;
}
