//===- BlockRecurrence.cpp - Blocks that carry a state --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A recurrence goes through its tokens in chunks. A chunk reads all of the
// state (as right operand of a product) and replaces it, and its tiles have as
// many rows as the chunk has tokens, or as the state has. A segment of such a
// block is executed in this order:
//
//   1. rows and columns: what lanes along the features compute, op by op:
//   scans,
//      reductions along rows, operands of products
//   2. strips of what the rows to be stored follow from, and what is read later
//   3. stores
//   4. strips of what the loop carries, in place
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BlockLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// Whether all elements of `tile` are equal and known where they are used.
static bool isUniform(Value tile) {
  Operation *op = tile.getDefiningOp();
  return op && isa<arith::ConstantOp, tile::SplatOp>(op);
}

bool BlockLowering::isRecurrence() {
  WalkResult result = from.walk([&](Operation *op) {
    auto dot = dyn_cast<tile::DotOp>(op);
    auto reduction = dyn_cast<tile::ReduceOp>(op);
    bool found = isa<tile::ScanOp, tile::DecayDotOp>(op) ||
                 (reduction && reduction.getAlong() == 0) ||
                 (dot && (dot.getTransposeLhs() || isPair(dot.getRhs())));
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// Whether a column is computed from loads and columns alone.
bool BlockLowering::isOfColumns(Value tile) const {
  if (!tileOf(tile) || buffers.columns.contains(tile) || isUniform(tile))
    return true;
  Operation *op = tile.getDefiningOp();
  if (!op || tileOf(tile).getRank() != 1)
    return false;
  if (isa<tile::LoadOp, tile::IotaOp>(op))
    return true;
  return (isa<tile::GatherOp>(op) ||
          OpTrait::hasElementwiseMappableTraits(op)) &&
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isOfColumns(operand); });
}

/// Writes a tile of rank 1 to `buffer`, by vectors if possible.
LogicalResult BlockLowering::writeColumn(Value tile, Value buffer) {
  int64_t rows = tileOf(tile).getDimSize(0);
  if (isOfColumns(tile) && rows % vectors.getLanes() == 0)
    return compute({{tile, buffer}}, Segment());
  return forEachRow(vectors.index(rows), [&](Value row) -> LogicalResult {
    FailureOr<Value> element =
        RowEvaluator(b, vectors, unit, buffers, scalars, row).scalar(tile);
    if (succeeded(element))
      memref::StoreOp::create(b, *element, buffer, row);
    return element;
  });
}

/// A buffer for a tile of rank 1 that vectors are read from.
Value BlockLowering::allocateColumn(Value tile) {
  auto type = tileOf(tile);
  return allocate({getRowPitch(type.getDimSize(0), vectors.getLanes())},
                  type.getElementType());
}

/// Whether more than elementwise ops read the column that `op` computes.
static bool isColumnWanted(Operation *op) {
  Value tile = op->getResult(0);
  if (tileOf(tile).getRank() != 1 || isUniform(tile) ||
      !isa<FloatType>(tileOf(tile).getElementType()))
    return false;
  return isa<tile::ReduceOp>(op) ||
         llvm::any_of(op->getUsers(), [](Operation *user) {
           return !OpTrait::hasElementwiseMappableTraits(user);
         });
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

/// Calls `body` with the rows of a scan in their order.
LogicalResult
BlockLowering::forEachScanned(tile::ScanOp op,
                              llvm::function_ref<LogicalResult(Value)> body) {
  int64_t rows = tileOf(op.getValue()).getDimSize(0);
  return forEachRow(vectors.index(rows), [&](Value row) {
    if (op.getReverse())
      row = arith::SubIOp::create(b, vectors.index(rows - 1), row);
    return body(row);
  });
}

/// Writes the result of a scan: rows, or a column. What is combined so far lies
/// in memory, as long as a row.
LogicalResult BlockLowering::scan(tile::ScanOp op) {
  auto type = tileOf(op.getValue());
  int64_t lanes = vectors.getLanes(), rank = type.getRank();
  int64_t pitch = rank == 1 ? 1 : getRowPitch(type.getDimSize(1), lanes);
  Value neutral = vectors.neutral(op.getKind(), type.getElementType());
  Value carry = allocate({std::max(pitch, lanes)}, type.getElementType());
  for (int64_t col = 0; col < pitch; col += lanes)
    vector::StoreOp::create(b, neutral, carry, vectors.index(col));
  Value result =
      rank == 1 ? allocateColumn(op.getResult())
                : allocate({type.getDimSize(0), pitch}, type.getElementType());
  LogicalResult done = forEachScanned(op, [&](Value row) -> LogicalResult {
    RowEvaluator rows(b, vectors, unit, buffers, scalars, row);
    if (rank == 1) {
      FailureOr<Value> element = rows.scalar(op.getValue());
      if (failed(element))
        return failure();
      Value none = vectors.index(0);
      Value before = memref::LoadOp::create(b, carry, none);
      Value with = vectors.combine(op.getKind(), before, *element);
      memref::StoreOp::create(b, with, carry, none);
      memref::StoreOp::create(b, op.getExclusive() ? before : with, result,
                              row);
      return success();
    }
    return rows.forEachVector(op.getValue(), [&](Value part, int64_t,
                                                 Value col) {
      Value before = vector::LoadOp::create(b, cast<VectorType>(part.getType()),
                                            carry, col);
      Value with = vectors.combine(op.getKind(), before, part);
      vector::StoreOp::create(b, with, carry, col);
      vector::StoreOp::create(b, op.getExclusive() ? before : with, result,
                              ValueRange{row, col});
    });
  });
  (rank == 1 ? buffers.columns : buffers.rows)[op.getResult()] = result;
  return done;
}

/// Combines the rows of a tile to a column.
LogicalResult BlockLowering::reduceRows(tile::ReduceOp op) {
  Value result = allocateColumn(op.getResult());
  if (failed(writeColumn(op.getInit(), result)))
    return failure();
  int64_t rows = tileOf(op.getValue()).getDimSize(0);
  LogicalResult done = forEachRow(vectors.index(rows), [&](Value row) {
    return RowEvaluator(b, vectors, unit, buffers, scalars, row)
        .forEachVector(op.getValue(), [&](Value part, int64_t, Value col) {
          Value before = vector::LoadOp::create(
              b, cast<VectorType>(part.getType()), result, col);
          vector::StoreOp::create(
              b, vectors.combine(op.getKind(), before, part), result, col);
        });
  });
  buffers.columns[op.getResult()] = result;
  return done;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Whether lanes along the features compute `tile`: it follows from what is
/// loaded by rows, or scanned.
static bool isOfRows(Value tile) {
  Operation *op = tile.getDefiningOp();
  if (!op || !tileOf(tile) || tileOf(tile).getRank() != 2)
    return false;
  return isa<tile::LoadOp, tile::ScanOp, tile::SliceOp, tile::ConcatOp>(op) ||
         (OpTrait::hasElementwiseMappableTraits(op) &&
          llvm::any_of(op->getOperands(), isOfRows));
}

/// Whether a product or a reduction reads what follows from `tile`, so that
/// strips compute it.
static bool isReadByStrips(Value tile) {
  return llvm::any_of(tile.getUsers(), [&](Operation *user) {
    return isa<tile::DotOp, tile::ReduceOp>(user) ||
           (OpTrait::hasElementwiseMappableTraits(user) &&
            isReadByStrips(user->getResult(0)));
  });
}

/// Packs `tile` as the products that read it want it; as rows, too, if other
/// rows follow from it. Single elements of a column that is broadcast are read
/// from the column.
LogicalResult BlockLowering::packForProducts(Value tile) {
  auto broadcast = tile.getDefiningOp<tile::BroadcastOp>();
  bool isOfColumn =
      broadcast && buffers.columns.contains(broadcast.getVector());
  bool asRows = false, asStrips = false, isRead = false;
  for (OpOperand &use : tile.getUses()) {
    unsigned number = use.getOperandNumber();
    if (auto dot = dyn_cast<tile::DotOp>(use.getOwner())) {
      bool isLeft = number == 0 && !dot.getTransposeLhs();
      asStrips |= isLeft && isPair(dot.getResult());
      asRows |= !isLeft && number < 2 &&
                (number == 0 || dot.getTransposeRhs() || !isOfColumn);
    } else if (isa<tile::DecayDotOp>(use.getOwner()) && !isOfColumn) {
      asStrips |= number == 0;
      asRows |= number == 1 || number == 2;
    } else if (use.getOwner()->getNumResults() == 1) {
      Value user = use.getOwner()->getResult(0);
      isRead |= !isPair(user);
      asStrips |= isPair(user) && isOfRows(tile) && isReadByStrips(user);
    }
  }
  asRows |= asStrips && isRead;
  if (asRows && !buffers.rows.contains(tile) && failed(packRows(tile)))
    return failure();
  if (asStrips && !buffers.strips.contains(tile))
    return packStrips(tile);
  return success();
}

/// Step 1, for one op: writes what strips and other rows read from memory.
LogicalResult BlockLowering::prepare(Operation *op) {
  if (auto scanned = dyn_cast<tile::ScanOp>(op);
      scanned && failed(scan(scanned)))
    return failure();
  auto reduction = dyn_cast<tile::ReduceOp>(op);
  if (reduction && reduction.getAlong() == 0 && failed(reduceRows(reduction)))
    return failure();
  if (op->getNumResults() != 1 || isPair(op->getResult(0)))
    return success();
  Value result = op->getResult(0);
  if (isColumnWanted(op) && !buffers.columns.contains(result)) {
    Value buffer = allocateColumn(result);
    if (failed(writeColumn(result, buffer)))
      return failure();
    buffers.columns[result] = buffer;
  }
  if (tileOf(result).getRank() != 2 || isUniform(result))
    return success();
  return packForProducts(result);
}

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

/// Computes tiles of any numbers of rows into their buffers.
LogicalResult BlockLowering::computeByRows(ArrayRef<Materialized> wanted,
                                           const Segment &segment) {
  std::map<int64_t, SmallVector<Materialized>> groups;
  for (const Materialized &result : wanted)
    groups[tileOf(result.tile).getDimSize(0)].push_back(result);
  for (auto &[rows, group] : groups)
    if (failed(computeStrips(group, segment)))
      return failure();
  return success();
}

/// A state is updated strip by strip, so nothing that is computed with it may
/// read all of it.
LogicalResult BlockLowering::verifyYields(ArrayRef<Materialized> yields,
                                          const Segment &segment) {
  SmallVector<Value> pending;
  llvm::DenseSet<Value> seen;
  for (const Materialized &yield : yields)
    pending.push_back(yield.tile);
  while (!pending.empty()) {
    Value tile = pending.pop_back_val();
    Operation *op = tile.getDefiningOp();
    if (!op || !segment.contains(op) || buffers.hasAny(tile) ||
        !seen.insert(tile).second)
      continue;
    if (auto dot = dyn_cast<tile::DotOp>(op);
        dot && isa<BlockArgument>(dot.getRhs()))
      return op->emitOpError("the CPU back end cannot update a state with a "
                             "product that reads all of it");
    llvm::append_range(pending, op->getOperands());
  }
  return success();
}

LogicalResult BlockLowering::lowerRecurrence(const Segment &segment,
                                             ArrayRef<Materialized> yields) {
  for (Operation *op : segment)
    if (failed(prepare(op)))
      return failure();
  SmallVector<Materialized> wanted;
  std::map<int64_t, SmallVector<tile::StoreOp>> stores;
  for (Operation *op : segment)
    if (auto store = dyn_cast<tile::StoreOp>(op)) {
      wantLeaves(store.getValue(), segment, wanted);
      stores[tileOf(store.getValue()).getDimSize(0)].push_back(store);
    }
  wantEscaping(segment, wanted);
  if (failed(computeByRows(wanted, segment)))
    return failure();
  for (auto &[rows, ops] : stores)
    if (failed(storeRows(ops, rows)))
      return failure();
  return failure(failed(verifyYields(yields, segment)) ||
                 failed(computeByRows(yields, segment)));
}
