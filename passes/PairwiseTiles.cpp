//===- PairwiseTiles.cpp - Partial results of attention as tile ops -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One step of the online softmax for a block of M queries and N keys:
//
//   s  = score(scale q k^T), -inf where masked
//   t' = max(t, max_j s)                    r = t' or 0 where t' = -inf
//   p  = exp(s - r)                         c = exp(t - r)
//   l' = c l + sum_j p                      a' = c a + prob(p) v
//
// r keeps -inf - -inf, which is NaN, out of rows that have met no key yet. The
// other normalisers have p = s, 0 where masked, and c = 1. Where statistics are
// given, p is divided by l, and only a is continued.
//
// exp(x) is 2^(x log2(e)), which targets compute fastest. References are kept
// in the domain of the scores: times log2(e), the largest would overflow.
//
//===----------------------------------------------------------------------===//

#include "passes/PairwiseTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Batch of `operand` that the block uses.
Value PairwiseTiles::batchIn(PartialOp op, Value operand) {
  if (hasSharedBatch(operand))
    return arith::ConstantIndexOp::create(b, 0);
  return mapping.lookup(op.getBatch());
}

/// Query heads per key head.
Value PairwiseTiles::groupSize(PartialOp op) {
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value heads = memref::DimOp::create(b, mapping.lookup(op.getQuery()), one);
  Value keyHeads = memref::DimOp::create(b, mapping.lookup(op.getKey()), one);
  return arith::DivSIOp::create(b, heads, keyHeads);
}

/// Head of key and value that the block uses: h / (H / Hk).
Value PairwiseTiles::keyHead(PartialOp op) {
  Value head = mapping.lookup(op.getHead());
  if (op.getPacked())
    return head;
  return arith::DivSIOp::create(b, head, groupSize(op));
}

/// The tokens of a block: of a box, if there is one.
RowTokens PairwiseTiles::blockTokens(ValueRange first,
                                     std::optional<ArrayRef<int64_t>> box,
                                     std::optional<ArrayRef<int64_t>> step) {
  RowTokens tokens;
  for (Value index : first)
    tokens.first.push_back(mapping.lookup(index));
  if (box)
    tokens.shifts = makeBoxShifts(b, *box, step.value_or(ArrayRef<int64_t>()));
  return tokens;
}

RowTokens PairwiseTiles::keyTokens(PartialOp op) {
  return blockTokens(op.getFirstKey(), op.getBoxK(), op.getStep());
}

/// Heads and indices of the block's queries: a scalar and a column per axis, or
/// two columns where heads are packed.
std::pair<Value, SmallVector<Value>> PairwiseTiles::queryTokens(PartialOp op) {
  Value head = mapping.lookup(op.getHead());
  SmallVector<Value> indices =
      positions(blockTokens(op.getFirstQuery(), op.getBoxQ(), op.getStep()),
                op.getRows());
  if (!op.getPacked())
    return {head, indices};
  Value rows = indices.front();
  Value two = arith::ConstantIndexOp::create(b, 2);
  Value queries = memref::DimOp::create(b, mapping.lookup(op.getQuery()), two);
  auto splat = [&](Value scalar) {
    return tile::SplatOp::create(b, rows.getType(), scalar);
  };
  Value first = arith::MulIOp::create(b, head, groupSize(op));
  Value inGroup = arith::DivUIOp::create(b, rows, splat(queries));
  Value heads = arith::AddIOp::create(b, splat(first), inGroup);
  Value ofHead = arith::RemUIOp::create(b, rows, splat(queries));
  return {heads, {ofHead}};
}

/// Rows of the query by their tokens, one element at a time: where heads are
/// packed, they do not follow each other in memory.
Value PairwiseTiles::gatherQuery(PartialOp op, Value heads, Value rows) {
  auto from = cast<RankedTensorType>(op.getQuery().getType());
  SmallVector<int64_t> shape{op.getRows(), from.getDimSize(3)};
  auto indexType = RankedTensorType::get(shape, b.getIndexType());
  Value feature =
      tile::IotaOp::create(b, indexType, arith::ConstantIndexOp::create(b, 0),
                           b.getI64IntegerAttr(1));
  SmallVector<Value> indices{batchIn(op, op.getQuery()),
                             regions.raise(heads, shape),
                             regions.raise(rows, shape), feature};
  return tile::GatherOp::create(
      b, RankedTensorType::get(shape, from.getElementType()),
      mapping.lookup(op.getQuery()), indices);
}

/// The query rows times scale; the same for all keys, so they are loaded before
/// the loop over keys.
FailureOr<Value> PairwiseTiles::scaledQuery(PartialOp op) {
  OpBuilder::InsertionGuard guard(b);
  if (auto loop = dyn_cast<scf::ForOp>(b.getInsertionBlock()->getParentOp()))
    b.setInsertionPoint(loop);
  Value batch = batchIn(op, op.getQuery());
  FailureOr<Value> rows;
  if (op.getPacked()) {
    auto [head, position] = queryTokens(op);
    Value row = position.front();
    Value tile = convert(gatherQuery(op, head, row), op.getAccumulatorType());
    rows = regions.rows(op.getQueryRows(), tile, batch, head, position, row,
                        /*first=*/Value());
  } else {
    Value head = mapping.lookup(op.getHead());
    int64_t width =
        cast<RankedTensorType>(op.getQuery().getType()).getShape().back();
    rows =
        loadRows(mapping.lookup(op.getQuery()), op.getRows(), width,
                 op.getQueryRows(), batch, head, head,
                 blockTokens(op.getFirstQuery(), op.getBoxQ(), op.getStep()));
  }
  if (failed(rows))
    return failure();
  return Value(arith::MulFOp::create(
      b, *rows, constantLike(*rows, op.getScale().convertToDouble())));
}

struct PairwiseTiles::Pairs {
  Value batch, head; ///< Of the query; a column of heads where they are packed.
  SmallVector<Value> i, j; ///< Positions: tiles of index, one per axis.
  Value keep;              ///< Which pairs exist; null if all do.
  Value scores;

  SmallVector<Value> arguments() const {
    SmallVector<Value> all{batch, head};
    llvm::append_range(all, i);
    llvm::append_range(all, j);
    return all;
  }
};

/// Whether `index` lies in dimension `dim` of the keys.
Value PairwiseTiles::isBelow(PartialOp op, Value index, int64_t dim) {
  Value number = arith::ConstantIndexOp::create(b, dim);
  Value size = memref::DimOp::create(b, mapping.lookup(op.getKey()), number);
  Value end = tile::SplatOp::create(b, index.getType(), size);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index, end);
}

/// Which rows of a block of keys are keys, in the grid along all axes.
Value PairwiseTiles::areKeys(PartialOp op) {
  Value all;
  for (auto [axis, index] :
       llvm::enumerate(positions(keyTokens(op), op.getWidth()))) {
    Value inside = isBelow(op, index, 2 + axis);
    all = all ? Value(arith::AndIOp::create(b, all, inside)) : inside;
  }
  return all;
}

/// Where the key of a pair is one.
Value PairwiseTiles::isKey(PartialOp op, const Pairs &pairs) {
  if (!op.getBoxK())
    return isBelow(op, pairs.j.front(), 2);
  auto type = cast<RankedTensorType>(pairs.j.front().getType());
  // Asked once per key.
  return tile::BroadcastOp::create(b, type.clone(b.getI1Type()), areKeys(op),
                                   b.getI64IntegerAttr(0));
}

/// Where pairs exist: the mask keeps them, and the key is one.
Value PairwiseTiles::exists(PartialOp op, const Pairs &pairs) {
  auto type = cast<RankedTensorType>(pairs.j.front().getType());
  Value keep;
  if (!op.getMask().empty())
    keep = regions.evaluate(op.getMask(), pairs.arguments(), type.getShape());
  if (!op.getBounded())
    return keep;
  Value isKey = this->isKey(op, pairs);
  return keep ? Value(arith::AndIOp::create(b, keep, isKey)) : isKey;
}

/// Positions of the block's pairs.
void PairwiseTiles::locate(PartialOp op, Pairs &pairs) {
  SmallVector<int64_t> shape{op.getRows(), (int64_t)op.getWidth()};
  auto type = RankedTensorType::get(shape, b.getIndexType());
  auto [head, rows] = queryTokens(op);
  pairs.head = head;
  if (op.getAlignment() == Alignment::End) {
    Value two = arith::ConstantIndexOp::create(b, 2);
    Value queries =
        memref::DimOp::create(b, mapping.lookup(op.getQuery()), two);
    Value keys = memref::DimOp::create(b, mapping.lookup(op.getKey()), two);
    Value shift = arith::SubIOp::create(b, keys, queries);
    Value &row = rows.front();
    row = arith::AddIOp::create(b, row,
                                tile::SplatOp::create(b, row.getType(), shift));
  }
  for (Value index : rows)
    pairs.i.push_back(regions.raise(index, shape));
  if (!op.getBoxK()) {
    pairs.j.push_back(tile::IotaOp::create(b, type, mapping.lookup(op.getCol()),
                                           b.getI64IntegerAttr(1)));
    return;
  }
  for (Value index : positions(keyTokens(op), op.getWidth()))
    pairs.j.push_back(
        tile::BroadcastOp::create(b, type, index, b.getI64IntegerAttr(0)));
}

/// What the factors of products of `op` may be rounded to. Narrower operands
/// have nothing to round, wider ones are not asked for.
static tile::Precision getPrecision(PartialOp op) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  return op.getPrecision() == Precision::TF32 && query.getElementType().isF32()
             ? tile::Precision::TF32
             : tile::Precision::IEEE;
}

/// Positions, existence and scores of the block's pairs.
FailureOr<PairwiseTiles::Pairs> PairwiseTiles::pairs(PartialOp op) {
  Pairs result;
  result.batch = mapping.lookup(op.getBatch());
  Value keyHead = this->keyHead(op);
  FailureOr<Value> query = scaledQuery(op);
  int64_t width =
      cast<RankedTensorType>(op.getKey().getType()).getShape().back();
  FailureOr<Value> key = loadRows(
      mapping.lookup(op.getKey()), op.getWidth(), width, op.getKeyRows(),
      batchIn(op, op.getKey()), keyHead, keyHead, keyTokens(op));
  if (failed(query) || failed(key))
    return failure();

  SmallVector<int64_t> shape{op.getRows(), (int64_t)op.getWidth()};
  auto type = RankedTensorType::get(shape, op.getAccumulatorType());
  result.scores = tile::DotOp::create(
      b, type, *query, *key, constant(shape, type.getElementType(), 0),
      b.getUnitAttr(), UnitAttr(), IntegerAttr(), getPrecision(op));
  locate(op, result);
  if (!op.getScore().empty()) {
    SmallVector<Value> arguments{result.scores};
    llvm::append_range(arguments, result.arguments());
    result.scores = regions.evaluate(op.getScore(), arguments, shape);
  }
  result.keep = exists(op, result);
  return result;
}

/// `tile` where pairs exist, `otherwise` elsewhere.
Value PairwiseTiles::keepOr(const Pairs &pairs, Value tile, double otherwise) {
  if (!pairs.keep)
    return tile;
  return arith::SelectOp::create(b, pairs.keep, tile,
                                 constantLike(tile, otherwise));
}

/// `tile` without the columns that `op` leaves out: neutral in reductions of
/// `kind`.
Value PairwiseTiles::trim(PartialOp op, tile::ReduceKind kind, Value tile) {
  if (op.getRanges().empty())
    return tile;
  SmallVector<Value> ranges;
  for (Value bound : op.getRanges())
    ranges.push_back(mapping.lookupOrDefault(bound));
  return tile::TrimOp::create(b, tile.getType(), kind, tile, ranges,
                              *op.getRangeRows());
}

/// `reference`, 0 where it is -inf.
Value PairwiseTiles::finiteReference(Value reference) {
  Value none = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, reference,
                                     constantLike(reference, -INFINITY));
  return arith::SelectOp::create(b, none, constantLike(reference, 0),
                                 reference);
}

/// 1 / `sum`, 0 where it is 0.
Value PairwiseTiles::inverseOrZero(Value sum) {
  Value zero = constantLike(sum, 0);
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, zero);
  Value inverse = arith::DivFOp::create(b, constantLike(sum, 1), sum);
  return arith::SelectOp::create(b, empty, zero, inverse);
}

/// Continues reference and sum in `state`; `shrink` becomes what the
/// accumulator is multiplied by. With statistics given, neither happens.
Value PairwiseTiles::softmaxWeights(PartialOp op, const Pairs &pairs,
                                    SmallVector<Value> &state, Value &shrink) {
  Value s = keepOr(pairs, pairs.scores, -INFINITY);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(s.getType()).getShape();
  auto weights = [&](Value reference) {
    Value shift = regions.raise(reference, shape);
    return exponential(arith::SubFOp::create(b, s, shift));
  };
  if (!op.getStatistics().empty()) {
    Value reference =
        finiteReference(mapping.lookup(op.getStatistics().front()));
    Value inverse = inverseOrZero(mapping.lookup(op.getStatistics().back()));
    return arith::MulFOp::create(b, weights(reference),
                                 regions.raise(inverse, shape));
  }
  Value before = mapping.lookup(op.getInit()[0]);
  Value largest =
      reduce(tile::ReduceKind::Max, trim(op, tile::ReduceKind::Max, s),
             constantLike(before, -INFINITY));
  Value reference = arith::MaxNumFOp::create(b, before, largest);
  Value finite = finiteReference(reference);
  Value p = weights(finite);
  shrink = exponential(arith::SubFOp::create(b, before, finite));
  Value sum = arith::MulFOp::create(b, mapping.lookup(op.getInit()[1]), shrink);
  Value trimmed = trim(op, tile::ReduceKind::Add, p);
  state = {reference, reduce(tile::ReduceKind::Add, trimmed, sum)};
  return p;
}

/// Scores as weights; continues the sum of their magnitudes in `state` if the
/// normaliser has one, and divides by it if it is given.
Value PairwiseTiles::plainWeights(PartialOp op, const Pairs &pairs,
                                  SmallVector<Value> &state) {
  Value weights = keepOr(pairs, pairs.scores, 0);
  if (op.getNormalizer() == Normalizer::None)
    return weights;
  if (!op.getStatistics().empty()) {
    Value inverse = inverseOrZero(mapping.lookup(op.getStatistics().front()));
    auto type = cast<RankedTensorType>(weights.getType());
    return arith::MulFOp::create(b, weights,
                                 regions.raise(inverse, type.getShape()));
  }
  Value magnitudes = math::AbsFOp::create(b, weights);
  state = {reduce(tile::ReduceKind::Add,
                  trim(op, tile::ReduceKind::Add, magnitudes),
                  mapping.lookup(op.getInit().front()))};
  return weights;
}

/// Whether `slice` reads the row of a token from `rows` itself, where there is
/// none behind the last one.
static bool readsRow(tensor::ExtractSliceOp slice, Value rows, Value token) {
  return slice.getSource() == rows && slice.getSourceType().getRank() == 4 &&
         slice.getMixedOffsets()[2] == OpFoldResult(token);
}

/// Whether the map of value rows makes zeros of what is behind the last key:
/// sums of zeros are, and products with numbers that all tokens share.
static bool keepsZeros(PartialOp partial) {
  Region &map = partial.getValueRows();
  llvm::SmallDenseSet<Value> zeros{map.getArgument(0)}, ofToken;
  for (Value index : map.getArguments().drop_front(3))
    ofToken.insert(index);
  auto isZero = [&](Value value) { return zeros.contains(value); };
  for (Operation &op : map.front().without_terminator()) {
    ValueRange operands = op.getOperands();
    bool isOfToken = llvm::any_of(
        operands, [&](Value value) { return ofToken.contains(value); });
    bool isKept = false;
    if (isa<tensor::ConcatOp, arith::AddFOp, arith::SubFOp, arith::NegFOp,
            arith::ExtFOp, arith::TruncFOp>(op))
      isKept = llvm::all_of(operands, isZero);
    else if (isa<arith::MulFOp>(op))
      isKept = llvm::any_of(operands, isZero) && !isOfToken;
    else if (isa<tensor::ExtractSliceOp, ContractRowOp>(op))
      isKept = isZero(operands.front()) && !isOfToken;
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      isKept |= readsRow(slice, partial.getValue(), map.getArgument(3));
    for (Value result : op.getResults()) {
      if (isKept)
        zeros.insert(result);
      if (isOfToken)
        ofToken.insert(result);
    }
  }
  return isZero(getYielded(map));
}

/// Mapped value `rows`, with 0 behind the last key: a map may make something of
/// zeros, or a NaN that a weight of 0 does not drop.
Value PairwiseTiles::keepExisting(PartialOp op, Value rows) {
  if (!op.getBounded() || op.getValueRows().empty() || keepsZeros(op))
    return rows;
  auto type = cast<RankedTensorType>(rows.getType());
  return arith::SelectOp::create(b, regions.raise(areKeys(op), type.getShape()),
                                 rows, constantLike(rows, 0));
}

FailureOr<Value> PairwiseTiles::accumulate(PartialOp op, const Pairs &pairs,
                                           Value weights, Value shrink) {
  if (!op.getProb().empty()) {
    SmallVector<Value> arguments{weights};
    llvm::append_range(arguments, pairs.arguments());
    auto type = cast<RankedTensorType>(weights.getType());
    weights = regions.evaluate(op.getProb(), arguments, type.getShape());
    weights = keepOr(pairs, weights, 0);
  }
  Value head = keyHead(op);
  int64_t width =
      cast<RankedTensorType>(op.getValue().getType()).getShape().back();
  FailureOr<Value> value = loadRows(
      mapping.lookup(op.getValue()), op.getWidth(), width, op.getValueRows(),
      batchIn(op, op.getValue()), head, head, keyTokens(op));
  if (failed(value))
    return failure();
  Value before = mapping.lookup(op.getInit().back());
  auto type = cast<RankedTensorType>(before.getType());
  if (shrink)
    before = arith::MulFOp::create(b, before,
                                   regions.raise(shrink, type.getShape()));
  return Value(
      tile::DotOp::create(b, type, trim(op, tile::ReduceKind::Add, weights),
                          keepExisting(op, *value), before, UnitAttr(),
                          UnitAttr(), IntegerAttr(), getPrecision(op)));
}

FailureOr<SmallVector<Value>> PairwiseTiles::partial(PartialOp op) {
  FailureOr<Pairs> block = pairs(op);
  if (failed(block))
    return failure();
  SmallVector<Value> state;
  Value shrink;
  Value weights = op.getNormalizer() == Normalizer::Softmax
                      ? softmaxWeights(op, *block, state, shrink)
                      : plainWeights(op, *block, state);
  if (!op.accumulates())
    return state;
  FailureOr<Value> accumulator = accumulate(op, *block, weights, shrink);
  if (failed(accumulator))
    return failure();
  state.push_back(*accumulator);
  return state;
}

SmallVector<Value> PairwiseTiles::addSink(AddSinkOp op) {
  Value reference = mapping.lookup(op.getInit()[0]);
  auto type = cast<RankedTensorType>(reference.getType());
  SmallVector<Value> arguments{mapping.lookup(op.getBatch()),
                               mapping.lookup(op.getHead())};
  RowTokens tokens = blockTokens(op.getPosition(), op.getBox(), op.getStep());
  llvm::append_range(arguments, positions(tokens, type.getDimSize(0)));
  Value sink = regions.evaluate(op.getSink(), arguments, type.getShape());
  Value larger = arith::MaxNumFOp::create(b, reference, sink);
  Value finite = finiteReference(larger);
  Value shrink = exponential(arith::SubFOp::create(b, reference, finite));
  Value weight = exponential(arith::SubFOp::create(b, sink, finite));
  Value shrunk =
      arith::MulFOp::create(b, mapping.lookup(op.getInit()[1]), shrink);
  SmallVector<Value> state{larger, arith::AddFOp::create(b, shrunk, weight)};
  for (Value part : op.getInit().drop_front(2)) {
    Value accumulator = mapping.lookup(part);
    auto shape = cast<RankedTensorType>(accumulator.getType()).getShape();
    state.push_back(
        arith::MulFOp::create(b, accumulator, regions.raise(shrink, shape)));
  }
  return state;
}

SmallVector<Value> PairwiseTiles::finish(FinishOp op) {
  SmallVector<Value> state;
  for (Value part : op.getState())
    state.push_back(mapping.lookup(part));
  Value rows = state.back();
  if (state.size() > 1 && !op.getNormalized()) {
    Value inverse = inverseOrZero(state[state.size() - 2]);
    auto shape = cast<RankedTensorType>(rows.getType()).getShape();
    rows = arith::MulFOp::create(b, rows, regions.raise(inverse, shape));
  }
  SmallVector<Value> results{convert(
      rows, cast<RankedTensorType>(op.getOutput().getType()).getElementType())};
  if (!op.getLse())
    return results;
  results.push_back(logSumExp(state[0], state[1]));
  return results;
}

/// reference + log(sum), -inf where the sum is 0.
Value PairwiseTiles::logSumExp(Value reference, Value sum) {
  Value lse = arith::AddFOp::create(b, reference, math::LogOp::create(b, sum));
  Value empty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum,
                                      constantLike(sum, 0));
  return arith::SelectOp::create(b, empty, constantLike(lse, -INFINITY), lse);
}

SmallVector<Value> PairwiseTiles::merge(MergeOp op, Value batch, Value head,
                                        Value row, int64_t rows) {
  auto outputType = cast<RankedTensorType>(op.getOutputs().getType());
  Type element =
      cast<RankedTensorType>(op.getLses().getType()).getElementType();
  auto columnType = RankedTensorType::get({rows}, element);
  auto rowsType = RankedTensorType::get({rows, outputType.getDimSize(4)},
                                        outputType.getElementType());
  Value zero = arith::ConstantIndexOp::create(b, 0);
  SmallVector<Value> lses, outputs;
  for (int64_t set = 0; set < outputType.getDimSize(0); ++set) {
    Value s = arith::ConstantIndexOp::create(b, set);
    lses.push_back(tile::LoadOp::create(b, columnType,
                                        mapping.lookup(op.getLses()),
                                        ValueRange{s, batch, head, row}));
    outputs.push_back(convert(
        tile::LoadOp::create(b, rowsType, mapping.lookup(op.getOutputs()),
                             ValueRange{s, batch, head, row, zero}),
        element));
  }
  Value reference = constantLike(lses.front(), -INFINITY);
  if (!op.getSink().empty())
    reference = regions.evaluate(op.getSink(),
                                 {batch, head, positions(row, rows)}, {rows});
  Value sink = reference;
  for (Value lse : lses)
    reference = arith::MaxNumFOp::create(b, reference, lse);
  Value finite = finiteReference(reference);
  Value sum = exponential(arith::SubFOp::create(b, sink, finite));
  Value accumulator;
  for (auto [lse, output] : llvm::zip(lses, outputs)) {
    Value weight = exponential(arith::SubFOp::create(b, lse, finite));
    sum = arith::AddFOp::create(b, sum, weight);
    Value term = arith::MulFOp::create(
        b, output, regions.raise(weight, rowsType.getShape()));
    accumulator =
        accumulator ? Value(arith::AddFOp::create(b, accumulator, term)) : term;
  }
  Value inverse = regions.raise(inverseOrZero(sum), rowsType.getShape());
  Type stored =
      cast<RankedTensorType>(op.getOutput().getType()).getElementType();
  return {convert(arith::MulFOp::create(b, accumulator, inverse), stored),
          logSumExp(reference, sum)};
}
