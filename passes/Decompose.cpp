//===- Decompose.cpp - Mixed heads and gathered rows by other ops ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A sum over heads of products is one product of longer rows. With w the matrix
// that mixes scores, u the one that mixes weights, and heads f that use key
// head c = f / (H / Hk):
//
//   sum over f of w[f, h] <q_f, k_c>  =  <q'_h, k'>
//       q'_h = [sum over the heads f of c of w[f, h] q_f, for each c]
//       k'   = [k_c, for each c]
//
//   sum over j of (sum over f of u[f, h] p_f[j]) v_c[j]  =  sum over f of
//       u[f, h] o_f[part of c]
//       o_f  = attention of head f with the values v' = [v_c, for each c]
//
// The longer rows are row regions that read all heads of their operand; the
// last sum is an attn.map_rows. Rows of D features become Hk D features long,
// so the products cost Hk times as much, and nothing is kept for all pairs.
//
// Gathered rows are an attn.map_rows that reads them from a capture. What it
// maps are rows of one feature that nothing reads: their number is what
// matters.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_DECOMPOSE
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {
/// Rewrites one attn.attend that mixes heads.
class Decomposer {
public:
  explicit Decomposer(AttendOp op)
      : op(op), b(op.getLoc(), op),
        heads(tensorOf(op.getQuery()).getDimSize(1)),
        keyHeads(tensorOf(op.getKey()).getDimSize(1)),
        type(op.getAccumulatorType()) {}

  void run();

private:
  /// Where a row region is evaluated.
  struct Token {
    Value batch, head, row;
  };
  using Parts = llvm::function_ref<SmallVector<Value>(const Token &)>;

  void build(Region &region, int64_t width, Parts parts);
  Value rowOfHead(Region &rows, Value operand, const Token &at, int64_t head);
  Value weighted(Value row, Value matrix, int64_t from, Value to);
  Value sum(Value x, Value y);
  void joinKeyHeads(Region &to, Region &rows, Value operand);
  void mixQueries(Region &to);
  Value mixOutputs(Value output);

  AttendOp op;
  ImplicitLocOpBuilder b;
  int64_t heads, keyHeads;
  Type type; ///< In which row regions are evaluated.
};
} // namespace

/// A row region of vectors of `width` elements that yields `parts`, joined.
void Decomposer::build(Region &region, int64_t width, Parts parts) {
  ImplicitLocOpBuilder::InsertionGuard guard(b);
  Type index = b.getIndexType();
  SmallVector<Type> types{RankedTensorType::get({width}, type), index, index,
                          index};
  SmallVector<Location> locations(types.size(), b.getLoc());
  Block *block = b.createBlock(&region, region.end(), types, locations);
  SmallVector<Value> values = parts(
      {block->getArgument(1), block->getArgument(2), block->getArgument(3)});
  Value joined = values.front();
  if (values.size() > 1)
    joined = tensor::ConcatOp::create(b, /*dim=*/0, values);
  YieldOp::create(b, joined);
}

/// The row of `operand` in another head, mapped by `rows`.
Value Decomposer::rowOfHead(Region &rows, Value operand, const Token &at,
                            int64_t head) {
  int64_t width = tensorOf(operand).getDimSize(3);
  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
  SmallVector<OpFoldResult> offsets{at.batch, b.getIndexAttr(head), at.row,
                                    zero};
  SmallVector<OpFoldResult> sizes{one, one, one, b.getIndexAttr(width)};
  SmallVector<OpFoldResult> strides(4, one);
  Type stored = tensorOf(operand).getElementType();
  Value row =
      tensor::ExtractSliceOp::create(b, RankedTensorType::get({width}, stored),
                                     operand, offsets, sizes, strides);
  if (stored != type)
    row = arith::ExtFOp::create(b, RankedTensorType::get({width}, type), row);
  if (rows.empty())
    return row;
  IRMapping mapping;
  Value number = arith::ConstantIndexOp::create(b, head);
  mapping.map(rows.getArguments(), ValueRange{row, at.batch, number, at.row});
  for (Operation &inner : rows.front().without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(getYielded(rows));
}

/// `row` times the share matrix[from, to].
Value Decomposer::weighted(Value row, Value matrix, int64_t from, Value to) {
  Value number = arith::ConstantIndexOp::create(b, from);
  Value share = tensor::ExtractOp::create(b, matrix, ValueRange{number, to});
  if (share.getType() != type)
    share = arith::ExtFOp::create(b, type, share);
  Value shares = tensor::SplatOp::create(b, row.getType(), share);
  return arith::MulFOp::create(b, row, shares);
}

/// x + y, where a null x is 0.
Value Decomposer::sum(Value x, Value y) {
  return x ? Value(arith::AddFOp::create(b, x, y)) : y;
}

/// The rows of all key heads side by side, whichever head is asked for.
void Decomposer::joinKeyHeads(Region &to, Region &rows, Value operand) {
  build(to, tensorOf(operand).getDimSize(3), [&](const Token &at) {
    SmallVector<Value> parts;
    for (int64_t head = 0; head < keyHeads; ++head)
      parts.push_back(rowOfHead(rows, operand, at, head));
    return parts;
  });
}

/// For each key head, the share-weighted sum of the queries that use it.
void Decomposer::mixQueries(Region &to) {
  int64_t group = heads / keyHeads;
  build(to, tensorOf(op.getQuery()).getDimSize(3), [&](const Token &at) {
    SmallVector<Value> parts;
    for (int64_t first = 0; first < heads; first += group) {
      Value part;
      for (int64_t head = first; head < first + group; ++head)
        part =
            sum(part,
                weighted(rowOfHead(op.getQueryRows(), op.getQuery(), at, head),
                         op.getMixScores(), head, at.head));
      parts.push_back(part);
    }
    return parts;
  });
}

/// Of the outputs of all heads, the part of the own key head.
Value Decomposer::mixOutputs(Value output) {
  int64_t width = tensorOf(op.getOutput()).getDimSize(3);
  auto mixed =
      MapRowsOp::create(b, op.getOutput().getType(), output, ScheduleAttr());
  build(mixed.getRows(), tensorOf(output).getDimSize(3), [&](const Token &at) {
    Value group = arith::ConstantIndexOp::create(b, heads / keyHeads);
    Value keyHead = arith::DivUIOp::create(b, at.head, group);
    Value first = arith::MulIOp::create(
        b, keyHead, arith::ConstantIndexOp::create(b, width));
    OpFoldResult one = b.getIndexAttr(1);
    SmallVector<OpFoldResult> sizes{one, one, one, b.getIndexAttr(width)};
    SmallVector<OpFoldResult> strides(4, one);
    Value total;
    for (int64_t head = 0; head < heads; ++head) {
      SmallVector<OpFoldResult> offsets{at.batch, b.getIndexAttr(head), at.row,
                                        first};
      Type stored = tensorOf(output).getElementType();
      Value part = tensor::ExtractSliceOp::create(
          b, RankedTensorType::get({width}, stored), output, offsets, sizes,
          strides);
      if (stored != type)
        part = arith::ExtFOp::create(b, RankedTensorType::get({width}, type),
                                     part);
      total = sum(total, weighted(part, op.getMixWeights(), head, at.head));
    }
    return SmallVector<Value>{total};
  });
  return mixed;
}

void Decomposer::run() {
  auto outputType = tensorOf(op.getOutput());
  SmallVector<int64_t> shape(outputType.getShape());
  Type element = outputType.getElementType();
  if (op.getMixWeights()) {
    shape.back() *= keyHeads;
    element = type; // Rounded once, when the heads have been mixed.
  }
  auto longer = AttendOp::create(
      b, outputType.clone(shape, element),
      op.getLse() ? op.getLse().getType() : Type(), op.getQuery(), op.getKey(),
      op.getValue(), /*mixScores=*/Value(),
      /*mixWeights=*/Value(), op.getOffsets(), op.getBlocks(),
      op.getQuerySegments(), op.getKeySegments(),
      b.getF64FloatAttr(op.getScaleValue()), op.getAlignmentAttr(),
      op.getNormalizerAttr(), op.getPrecisionAttr(), op.getMaxQueriesAttr(),
      op.getBlockSizesAttr(), op.getScheduleAttr());
  if (op.getMixScores()) {
    mixQueries(longer.getQueryRows());
    joinKeyHeads(longer.getKeyRows(), op.getKeyRows(), op.getKey());
  }
  if (op.getMixWeights())
    joinKeyHeads(longer.getValueRows(), op.getValueRows(), op.getValue());
  for (auto [from, to] : llvm::zip(op->getRegions(), longer->getRegions()))
    if (to.empty())
      to.takeBody(from);
  SmallVector<Value> results{op.getMixWeights() ? mixOutputs(longer.getOutput())
                                                : longer.getOutput()};
  if (op.getLse())
    results.push_back(longer.getLse());
  op->replaceAllUsesWith(results);
  op->erase();
}

/// Rows of one feature, as many as `op` yields, with any contents.
static Value emptyRows(ImplicitLocOpBuilder &b, GatherOp op) {
  ReifiedRankedShapedTypeDims shapes;
  [[maybe_unused]] LogicalResult known = op.reifyResultShapes(b, shapes);
  assert(succeeded(known) && "sizes are those of the operands");
  SmallVector<OpFoldResult> sizes = shapes.front();
  sizes.back() = b.getIndexAttr(1);
  return tensor::EmptyOp::create(b, sizes,
                                 tensorOf(op.getOutput()).getElementType());
}

/// In the region of `rows`, reads row `n` of the output of `op`.
static void buildGather(ImplicitLocOpBuilder &b, GatherOp op, MapRowsOp rows) {
  RankedTensorType source = tensorOf(op.getSource());
  Type stored = source.getElementType(), type = getAccumulatorType(stored);
  Type index = b.getIndexType();
  SmallVector<Type> types{RankedTensorType::get({1}, type), index, index,
                          index};
  SmallVector<Location> locations(types.size(), b.getLoc());
  Block *block =
      b.createBlock(&rows.getRows(), rows.getRows().end(), types, locations);
  Value batch = block->getArgument(1), head = block->getArgument(2),
        n = block->getArgument(3);
  Value pageSize = arith::ConstantIndexOp::create(b, op.getPageSize());
  Value place = arith::DivSIOp::create(b, n, pageSize);
  Value slot = arith::RemSIOp::create(b, n, pageSize);
  Value number =
      tensor::ExtractOp::create(b, op.getTable(), ValueRange{batch, place});
  Value page = arith::IndexCastOp::create(b, index, number);
  OpFoldResult one = b.getIndexAttr(1);
  int64_t width = source.getDimSize(3);
  SmallVector<OpFoldResult> offsets{page, slot, head, b.getIndexAttr(0)};
  SmallVector<OpFoldResult> sizes{one, one, one, b.getIndexAttr(width)};
  SmallVector<OpFoldResult> strides(4, one);
  Value row =
      tensor::ExtractSliceOp::create(b, RankedTensorType::get({width}, stored),
                                     op.getSource(), offsets, sizes, strides);
  if (stored != type)
    row = arith::ExtFOp::create(b, RankedTensorType::get({width}, type), row);
  YieldOp::create(b, row);
}

static void decompose(GatherOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto rows = MapRowsOp::create(b, op.getOutput().getType(), emptyRows(b, op),
                                ScheduleAttr());
  buildGather(b, op, rows);
  op->replaceAllUsesWith(rows);
  op->erase();
}

namespace {
struct Decompose : attn::impl::DecomposeBase<Decompose> {
  void runOnOperation() override {
    SmallVector<AttendOp> ops;
    getOperation().walk([&](AttendOp op) {
      if (op.mixesHeads())
        ops.push_back(op);
    });
    for (AttendOp op : ops)
      Decomposer(op).run();
    getOperation().walk([](GatherOp op) { decompose(op); });
  }
};
} // namespace
