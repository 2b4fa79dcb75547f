//===- RowEvaluator.cpp - Evaluates tiles row by row -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/RowEvaluator.h"
#include "codegen/LongSums.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

int64_t attn::getRowPitch(int64_t cols, int64_t lanes) {
  return llvm::divideCeil(cols, lanes) * lanes;
}

FailureOr<Value> RowEvaluator::vector(Value tile, int64_t col) {
  if (Value value = known.lookup({tile, col}))
    return value;
  FailureOr<Value> value = compute(tile, col);
  if (succeeded(value))
    known[{tile, col}] = *value;
  return value;
}

FailureOr<Value> RowEvaluator::scalar(Value tile) {
  if (Value value = knownScalars.lookup(tile))
    return value;
  FailureOr<Value> value = computeScalar(tile);
  if (succeeded(value))
    knownScalars[tile] = *value;
  return value;
}

/// An operand of an elementwise op or gather: a tile, or a scalar of the block.
FailureOr<Value> RowEvaluator::operand(Value value, int64_t col,
                                       bool wantVectors) {
  if (!tileOf(value))
    return scalars.lookupOrDefault(value);
  return wantVectors ? vector(value, col) : scalar(value);
}

FailureOr<Value> RowEvaluator::elementwise(Operation *op, int64_t col,
                                           bool wantVectors) {
  SmallVector<Value> operands;
  for (Value value : op->getOperands()) {
    FailureOr<Value> evaluated = operand(value, col, wantVectors);
    if (failed(evaluated))
      return failure();
    operands.push_back(*evaluated);
  }
  if (auto gather = dyn_cast<tile::GatherOp>(op))
    return vectors.gather(operands.front(), ArrayRef(operands).drop_front(),
                          wantVectors);
  return vectors.elementwise(op, operands, wantVectors);
}

FailureOr<SmallVector<Value>> RowEvaluator::rowOffsets(OperandRange offsets,
                                                       OperandRange rows,
                                                       int64_t rank) {
  SmallVector<Value> result;
  for (Value offset : offsets)
    result.push_back(scalars.lookupOrDefault(offset));
  size_t end = result.size() - (rank - 1); // Of the dimensions of rows.
  if (rows.empty())
    result[end - 1] = vectors.add(result[end - 1], row);
  for (auto [number, indices] : llvm::enumerate(rows)) {
    FailureOr<Value> index = scalar(indices);
    if (failed(index))
      return failure();
    Value &offset = result[end - rows.size() + number];
    offset = vectors.add(offset, *index);
  }
  return result;
}

/// Whether the view of `op` has the row.
FailureOr<Value> RowEvaluator::rowExists(tile::LoadOp op) {
  if (Value exists = insideRow.lookup(op.getResult()))
    return exists;
  auto offsets = rowOffsets(op.getOffsets(), op.getRows(), /*rank=*/2);
  if (failed(offsets))
    return failure();
  return insideRow[op.getResult()] =
             vectors.rowInside(scalars.lookupOrDefault(op.getView()), *offsets);
}

FailureOr<Value> RowEvaluator::load(tile::LoadOp op, int64_t col) {
  FailureOr<Value> exists = rowExists(op);
  auto offsets = rowOffsets(op.getOffsets(), op.getRows(), /*rank=*/2);
  if (failed(exists) || failed(offsets))
    return failure();
  offsets->back() = vectors.add(offsets->back(), column(col));
  std::optional<int64_t> wanted;
  if (!base)
    wanted = tileOf(op.getResult()).getDimSize(1) - col;
  return vectors.loadRow(scalars.lookupOrDefault(op.getView()), *offsets,
                         wanted, *exists);
}

/// Row of a tile that lies in strips: elements a strip width apart.
Value RowEvaluator::fromStrips(Value buffer, int64_t col, int64_t cols) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t width = type.getDimSize(2);
  Value strip = arith::DivUIOp::create(b, row, vectors.index(width));
  Value lane = arith::RemUIOp::create(b, row, vectors.index(width));
  Value positions = vectors.steps(width);
  int64_t count = std::min(cols - col, vectors.getLanes());
  Value mask = vector::ConstantMaskOp::create(b, vectors.type(b.getI1Type()),
                                              ArrayRef<int64_t>{count});
  auto vectorType = vectors.type(type.getElementType());
  return vector::GatherOp::create(b, vectorType, buffer,
                                  ValueRange{strip, column(col), lane},
                                  positions, mask, vectors.zero(vectorType));
}

/// Joined parts are written side by side to a row of scratch and read back,
/// because a vector may straddle two of them.
FailureOr<Value> RowEvaluator::fromConcat(tile::ConcatOp op, int64_t col) {
  auto type = tileOf(op.getResult());
  int64_t lanes = vectors.getLanes();
  Type stored = vectors.storable(type.getElementType());
  bool isWidened = stored != type.getElementType();
  Value &scratch = concatenated[op.getResult()];
  if (!scratch) {
    int64_t pitch = getRowPitch(type.getDimSize(1), lanes) + lanes;
    Value buffer =
        memref::AllocaOp::create(b, MemRefType::get({pitch}, stored));
    int64_t start = 0;
    for (Value part : op.getParts()) {
      int64_t width = tileOf(part).getDimSize(1);
      // What a vector writes beyond its part is overwritten by the next.
      for (int64_t c = 0; c < width; c += lanes) {
        FailureOr<Value> value = vector(part, c);
        if (failed(value))
          return failure();
        if (isWidened)
          value =
              Value(arith::ExtUIOp::create(b, vectors.type(stored), *value));
        vector::StoreOp::create(b, *value, buffer,
                                ValueRange{vectors.index(start + c)});
      }
      start += width;
    }
    concatenated[op.getResult()] = buffer;
  }
  Value at = vectors.index(col);
  Value read = vector::LoadOp::create(
      b, vectors.type(stored), concatenated[op.getResult()], ValueRange{at});
  return isWidened ? Value(arith::TruncIOp::create(
                         b, vectors.type(type.getElementType()), read))
                   : read;
}

/// Vectors of a product that are computed at once: as many as two units with
/// four steps each keep busy.
static constexpr int64_t kVectorsAtOnce = 8;

Value RowEvaluator::loadVector(Value buffer, ValueRange indices,
                               VectorType type) {
  Type stored = cast<MemRefType>(buffer.getType()).getElementType();
  Value loaded =
      vector::LoadOp::create(b, vectors.type(stored), buffer, indices);
  return stored == type.getElementType()
             ? loaded
             : Value(arith::ExtFOp::create(b, type, loaded));
}

Value RowEvaluator::multiplyAdd(Value x, Value y, Value sum) {
  if (unit.hasFma)
    return vector::FMAOp::create(b, x, y, sum);
  return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, y));
}

/// The sum of terms `from` to `to` of some vectors from column `col` on of
/// `left` times `matrix`: an element of the row meets vectors of the matrix.
SmallVector<Value> RowEvaluator::sumTerms(const RowProduct &of, Value col,
                                          Value from, Value to, int64_t count) {
  VectorType type =
      vectors.type(cast<MemRefType>(of.left.getType()).getElementType());
  auto body = [&](OpBuilder &inner, Location, Value k, ValueRange sums) {
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
    prefetch(of, k, cast<MemRefType>(of.matrix.getType()).getDimSize(0));
    Value x = vectors.splat(memref::LoadOp::create(b, of.left, k));
    SmallVector<Value> next;
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value at = vectors.add(col, vectors.index(i * vectors.getLanes()));
      Value y = loadVector(of.matrix, ValueRange{k, at}, type);
      next.push_back(multiplyAdd(x, y, sum));
    }
    scf::YieldOp::create(b, next);
  };
  SmallVector<Value> zeros(count, vectors.zero(type));
  return scf::ForOp::create(b, from, to, vectors.index(1), zeros, body)
      .getResults();
}

/// Adds `count` vectors of a product from column `col` on to scratch.
void RowEvaluator::addVectors(const RowProduct &of, Value col, int64_t count) {
  int64_t depth = cast<MemRefType>(of.matrix.getType()).getDimSize(0);
  auto type =
      vectors.type(cast<MemRefType>(of.left.getType()).getElementType());
  SmallVector<Value> columns, sums;
  for (int64_t i = 0; i < count; ++i) {
    columns.push_back(vectors.add(col, vectors.index(i * vectors.getLanes())));
    sums.push_back(vector::LoadOp::create(b, type, of.scratch, columns.back()));
  }
  Value step = vectors.index(kTermsOfPart), end = vectors.index(depth);
  auto body = [&](OpBuilder &inner, Location, Value from, ValueRange carried) {
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
    Value to = arith::MinSIOp::create(b, vectors.add(from, step), end);
    SmallVector<Value> next;
    for (auto [sum, part] :
         llvm::zip(carried, sumTerms(of, col, from, to, count)))
      next.push_back(arith::AddFOp::create(b, sum, part));
    scf::YieldOp::create(b, next);
  };
  auto loop = scf::ForOp::create(b, vectors.index(0), end, step, sums, body);
  for (auto [at, sum] : llvm::zip(columns, loop.getResults()))
    vector::StoreOp::create(b, sum, of.scratch, at);
}

/// Writes the row of a product to its scratch.
LogicalResult RowEvaluator::multiply(tile::DotOp op, const RowProduct &to) {
  int64_t lanes = vectors.getLanes();
  auto write = [&](Value tile, Value buffer) {
    return forEachVector(tile, [&](Value value, int64_t, Value col) {
      vector::StoreOp::create(b, value, buffer, col);
    });
  };
  if (failed(write(op.getLhs(), to.left)))
    return failure();
  if (op.getTransposeRhs())
    return multiplyTransposed(op, to);
  if (failed(write(op.getInit(), to.scratch)))
    return failure();
  int64_t width = tileOf(op.getResult()).getDimSize(1);
  int64_t step = kVectorsAtOnce * lanes, whole = width - width % step;
  if (whole) {
    auto columns = scf::ForOp::create(b, vectors.index(0), vectors.index(whole),
                                      vectors.index(step));
    ImplicitLocOpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(columns.getBody()->getTerminator());
    addVectors(to, columns.getInductionVar(), kVectorsAtOnce);
  }
  if (whole < width)
    addVectors(to, vectors.index(whole),
               llvm::divideCeil(width - whole, lanes));
  return success();
}

/// The load in a loop that `tile` holds the elements of, if it does nothing
/// else to them than to convert them; else null.
static tile::LoadOp getBlockLoad(Value tile) {
  if (auto widened = tile.getDefiningOp<arith::ExtFOp>())
    tile = widened.getIn();
  auto load = tile.getDefiningOp<tile::LoadOp>();
  bool isBlock =
      load && isa<scf::ForOp>(load->getParentOp()) && load.getRows().empty();
  return isBlock ? load : tile::LoadOp();
}

/// A product of the row with a matrix, in scratch: other ops may read it from
/// any column on.
FailureOr<Value> RowEvaluator::fromProduct(tile::DotOp op, int64_t col) {
  auto type = tileOf(op.getResult());
  auto row = [&](int64_t cols) -> Value {
    int64_t pitch = getRowPitch(cols, vectors.getLanes()) + vectors.getLanes();
    return memref::AllocaOp::create(
        b, MemRefType::get({pitch}, type.getElementType()));
  };
  Value matrix = buffers.rows.lookup(op.getRhs());
  if (!matrix)
    return op.emitOpError(
        "the CPU back end has no buffer for the operands of a product");
  if (!products.contains(op.getResult())) {
    RowProduct product{row(tileOf(op.getLhs()).getDimSize(1)), matrix,
                       row(type.getDimSize(1)), getBlockLoad(op.getRhs())};
    if (failed(multiply(op, product)))
      return failure();
    products[op.getResult()] = product.scratch;
  }
  return Value(vector::LoadOp::create(b, vectors.type(type.getElementType()),
                                      products[op.getResult()],
                                      ValueRange{column(col)}));
}

FailureOr<Value> RowEvaluator::compute(Value tile, int64_t col) {
  if (Value buffer = buffers.rows.lookup(tile))
    return loadVector(buffer, ValueRange{row, column(col)},
                      vectors.type(tileOf(tile).getElementType()));
  if (Value buffer = buffers.strips.lookup(tile))
    return fromStrips(buffer, col, tileOf(tile).getDimSize(1));
  Operation *op = tile.getDefiningOp();
  if (!op)
    return emitError(tile.getLoc(),
                     "the CPU back end cannot read this tile by rows");
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return vectors.constant(constant, true);
  if (auto loaded = dyn_cast<tile::LoadOp>(op))
    return load(loaded, col);
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return vectors.splat(scalars.lookupOrDefault(splat.getScalar()));
  if (auto slice = dyn_cast<tile::SliceOp>(op))
    return vector(slice.getValue(), col + slice.getStart());
  if (auto concat = dyn_cast<tile::ConcatOp>(op))
    return fromConcat(concat, col);
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return fromProduct(dot, col);
  if (auto trimOp = dyn_cast<tile::TrimOp>(op))
    return trim(trimOp, col);
  if (auto iota = dyn_cast<tile::IotaOp>(op)) {
    Value start = scalars.lookupOrDefault(iota.getStart());
    if (iota.getAlong() == 0)
      return vectors.splat(vectors.add(start, row));
    return vectors.iota(vectors.add(start, column(col)));
  }
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return repeat(broadcast, col);
  if (isa<tile::GatherOp>(op) || OpTrait::hasElementwiseMappableTraits(op))
    return elementwise(op, col, true);
  return op->emitError("the CPU back end cannot evaluate '")
         << op->getName() << "' by rows";
}

FailureOr<Value> RowEvaluator::repeat(tile::BroadcastOp op, int64_t col) {
  Value source = op.getVector();
  Value buffer = buffers.columns.lookup(source);
  if (op.getAlong() == 0 && buffer)
    return loadVector(buffer, column(col),
                      vectors.type(tileOf(source).getElementType()));
  bool isUniform = source.getDefiningOp<arith::ConstantOp>() ||
                   source.getDefiningOp<tile::SplatOp>();
  if (op.getAlong() == 0 && !isUniform)
    return alongColumns(source, col);
  FailureOr<Value> value = scalar(source);
  return failed(value) ? value : FailureOr<Value>(vectors.splat(*value));
}

/// Elements col .. col + lanes - 1 of a tile of rank 1.
FailureOr<Value> RowEvaluator::alongColumns(Value tile, int64_t col) {
  Operation *op = tile.getDefiningOp();
  if (!tileOf(tile))
    return scalars.lookupOrDefault(tile);
  if (auto constant = dyn_cast_if_present<arith::ConstantOp>(op))
    return vectors.constant(constant, true);
  if (auto splat = dyn_cast_if_present<tile::SplatOp>(op))
    return vectors.splat(scalars.lookupOrDefault(splat.getScalar()));
  if (auto iota = dyn_cast_if_present<tile::IotaOp>(op))
    return vectors.iota(
        vectors.add(scalars.lookupOrDefault(iota.getStart()), column(col)));
  bool isGather = isa_and_present<tile::GatherOp>(op);
  if (!op || (!isGather && !OpTrait::hasElementwiseMappableTraits(op)))
    return emitError(tile.getLoc(),
                     "the CPU back end has no buffer for a broadcast row");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> value = alongColumns(operand, col);
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  return isGather ? vectors.gather(operands.front(),
                                   ArrayRef(operands).drop_front(), true)
                  : vectors.elementwise(op, operands, true);
}

static vector::CombiningKind getCombining(tile::ReduceKind kind) {
  switch (kind) {
  case tile::ReduceKind::Add:
    return vector::CombiningKind::ADD;
  case tile::ReduceKind::Max:
    return vector::CombiningKind::MAXNUMF;
  case tile::ReduceKind::Mul:
    return vector::CombiningKind::MUL;
  }
  llvm_unreachable("all kinds are listed");
}

FailureOr<Value> RowEvaluator::reduce(tile::ReduceOp op) {
  FailureOr<Value> result = scalar(op.getInit());
  int64_t cols = tileOf(op.getValue()).getDimSize(1),
          lanes = vectors.getLanes();
  vector::CombiningKind kind = getCombining(op.getKind());
  for (int64_t col = 0; col < cols && succeeded(result); col += lanes) {
    FailureOr<Value> part = vector(op.getValue(), col);
    if (failed(part))
      return failure();
    if (cols - col < lanes) {
      // Lanes beyond the tile must not count.
      Value mask = vector::ConstantMaskOp::create(
          b, vectors.type(b.getI1Type()), ArrayRef<int64_t>{cols - col});
      Value neutral =
          vectors.neutral(op.getKind(), tileOf(op.getValue()).getElementType());
      part = Value(arith::SelectOp::create(b, mask, *part, neutral));
    }
    result = Value(vector::ReductionOp::create(b, kind, *part, *result));
  }
  return result;
}

FailureOr<Value> RowEvaluator::computeScalar(Value tile) {
  if (Value buffer = buffers.columns.lookup(tile))
    return Value(memref::LoadOp::create(b, buffer, ValueRange{row}));
  Operation *op = tile.getDefiningOp();
  if (!op)
    return emitError(tile.getLoc(),
                     "the CPU back end cannot read this tile by rows");
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return vectors.constant(constant, false);
  if (auto splat = dyn_cast<tile::SplatOp>(op))
    return scalars.lookupOrDefault(splat.getScalar());
  if (auto iota = dyn_cast<tile::IotaOp>(op))
    return vectors.add(scalars.lookupOrDefault(iota.getStart()), row);
  if (auto reduction = dyn_cast<tile::ReduceOp>(op))
    return reduce(reduction);
  if (auto loaded = dyn_cast<tile::LoadOp>(op)) {
    auto indices = rowOffsets(loaded.getOffsets(), loaded.getRows(), 1);
    if (failed(indices))
      return failure();
    return vectors.gather(scalars.lookupOrDefault(loaded.getView()), *indices,
                          false);
  }
  if (isa<tile::GatherOp>(op) || OpTrait::hasElementwiseMappableTraits(op))
    return elementwise(op, 0, false);
  return op->emitError("the CPU back end cannot evaluate '")
         << op->getName() << "' by rows";
}

LogicalResult RowEvaluator::store(Value tile, Value buffer, Value to) {
  return forEachVector(tile, [&](Value value, int64_t, Value col) {
    vector::StoreOp::create(b, value, buffer, ValueRange{to, col});
  });
}
