//===- BlockProblems.cpp - What ops say of their blocks -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/BlockProblems.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Features of a row behind the region that computes it, if there is one.
static int64_t getWidth(Value tensor, Region &rows) {
  return rows.empty() ? typeOf(tensor).getShape().back()
                      : typeOf(getYielded(rows)).getDimSize(0);
}

/// `row` without factors that are one number.
static Value skipScales(Value row) {
  while (auto product = row.getDefiningOp<arith::MulFOp>()) {
    auto isUniform = [](Value value) {
      return value.getDefiningOp<tensor::SplatOp>() ||
             matchPattern(value, m_Constant());
    };
    if (isUniform(product.getRhs()))
      row = product.getLhs();
    else if (isUniform(product.getLhs()))
      row = product.getRhs();
    else
      break;
  }
  return row;
}

/// Whether a row is a whole row, of 16 bits, of a tensor.
static bool isRowOfTensor(Value row) {
  if (isa<BlockArgument>(row))
    return true;
  auto extend = row.getDefiningOp<arith::ExtFOp>();
  if (!extend || typeOf(extend.getIn()).getElementTypeBitWidth() != 16)
    return false;
  auto slice = extend.getIn().getDefiningOp<tensor::ExtractSliceOp>();
  return slice && slice.getSourceType().getRank() > 1;
}

/// The rows that `row` is joined from, if matrix instructions take each of them
/// as it is; else none.
static ValueRange getExactParts(Value row) {
  auto concat = row.getDefiningOp<tensor::ConcatOp>();
  auto isExact = [](Value part) {
    return isRowOfTensor(part) &&
           typeOf(part).getDimSize(0) % kMatrixMultiple == 0;
  };
  return concat && llvm::all_of(concat.getInputs(), isExact)
             ? ValueRange(concat.getInputs())
             : ValueRange();
}

/// The rows that queries are joined from where they meet, one by one, those
/// that keys are joined from; else none. Queries may be joined otherwise, or
/// not at all: then keys are computed.
static ValueRange getQueryParts(AttendOp op) {
  if (op.getKeyRows().empty() || op.getQueryRows().empty())
    return {};
  ValueRange keys = getExactParts(getYielded(op.getKeyRows()));
  auto concat = skipScales(getYielded(op.getQueryRows()))
                    .getDefiningOp<tensor::ConcatOp>();
  if (!concat)
    return {};
  bool isAlike = llvm::equal(concat.getInputs(), keys, [](Value a, Value b) {
    return typeOf(a).getDimSize(0) == typeOf(b).getDimSize(0);
  });
  return isAlike ? ValueRange(concat.getInputs()) : ValueRange();
}

/// Whether matrix instructions take keys as they are: they are rows of tensors,
/// which numbers may multiply if these can multiply the product, or joined from
/// such rows, which nothing may multiply.
static bool hasExactKeys(AttendOp op) {
  return op.getKeyRows().empty() || !getQueryParts(op).empty() ||
         isRowOfTensor(skipScales(getYielded(op.getKeyRows())));
}

/// Whether they take values as they are: rows of tensors, or joined from some.
static bool hasExactValues(AttendOp op) {
  if (op.getValueRows().empty())
    return true;
  Value row = getYielded(op.getValueRows());
  return isRowOfTensor(row) || !getExactParts(row).empty();
}

/// Whether they take queries as they are, times numbers at most; part by part
/// if they meet parts of keys.
static bool hasExactQueries(AttendOp op) {
  if (op.getQueryRows().empty())
    return true;
  ValueRange parts = getQueryParts(op);
  if (parts.empty())
    return isRowOfTensor(skipScales(getYielded(op.getQueryRows())));
  return llvm::all_of(
      parts, [](Value part) { return isRowOfTensor(skipScales(part)); });
}

/// Elements that a row is computed from: those of the row and of what is read
/// of other tensors.
static int64_t countElements(Value tensor, Region &rows) {
  if (rows.empty())
    return 0;
  int64_t elements = typeOf(tensor).getShape().back();
  for (auto slice : rows.front().getOps<tensor::ExtractSliceOp>())
    if (slice.getSourceType().getRank() > 1)
      elements += slice.getType().getNumElements();
  return elements;
}

/// Sets the tiles of 16 bits that queries and keys are the sum of: those that
/// are computed have three if they meet tiles of bf16 as they are.
static void setScoreTerms(AttendOp op, BlockProblem &problem) {
  bool isBrief = typeOf(op.getKey()).getElementType().isBF16();
  problem.queryTerms = hasExactQueries(op) ? 1 : 2;
  problem.keyTerms = hasExactKeys(op) ? 1 : 2;
  if (isBrief && problem.queryTerms != problem.keyTerms)
    (problem.queryTerms == 1 ? problem.keyTerms : problem.queryTerms) = 3;
}

/// Whether rows are computed without products of their own.
static bool hasNoProduct(Region &rows) {
  return rows.empty() || rows.front().getOps<ContractRowOp>().empty();
}

/// Whether the products of an op can be of matrix instructions: its operands
/// have 16 bits or may be rounded to tf32, and the sizes are multiples of an
/// instruction's.
static bool isNarrow(AttendOp op) {
  bool isTf32 = op.allowsTf32();
  int64_t most = isTf32 ? kMostTf32Columns : kMostMatrixColumns;
  Type element = typeOf(op.getQuery()).getElementType();
  auto fits = [&](Value tensor, Region &rows) {
    int64_t width = getWidth(tensor, rows);
    return typeOf(tensor).getElementType() == element &&
           width % kMatrixMultiple == 0 && width <= most && hasNoProduct(rows);
  };
  auto isNotTooWide = [&](Value tensor, Region &rows, bool isExact) {
    return isExact || getWidth(tensor, rows) <= kMostComputedColumns;
  };
  return (isTf32 || element.getIntOrFloatBitWidth() == 16) &&
         fits(op.getQuery(), op.getQueryRows()) &&
         fits(op.getKey(), op.getKeyRows()) &&
         fits(op.getValue(), op.getValueRows()) &&
         isNotTooWide(op.getKey(), op.getKeyRows(), hasExactKeys(op)) &&
         isNotTooWide(op.getValue(), op.getValueRows(), hasExactValues(op)) &&
         !op.getMixScores() && !op.getMixWeights();
}

/// Ops of the mask of a pair.
static int64_t countMaskOps(AttendOp op) {
  return op.getMask().empty()
             ? 0
             : llvm::range_size(op.getMask().front().without_terminator());
}

/// Whether little is computed for a pair besides its products: a mask of one
/// op, or one that compares positions and their difference, as a window does.
/// More takes registers that two bands of rows leave few of.
static bool hasFewPairOps(AttendOp op) {
  constexpr int64_t ofWindow = 4;
  // Keys of a box may lie outside of the grid, each for itself.
  if (!op.getScore().empty() || !op.getProb().empty() || op.getNumAxes() > 1)
    return false;
  int64_t ops = countMaskOps(op);
  return ops <= 1 ||
         (ops <= ofWindow &&
          llvm::all_of(
              op.getMask().front().without_terminator(),
              llvm::IsaPred<arith::SubIOp, arith::CmpIOp, arith::AndIOp>));
}

/// Whether a number that follows from the distance of a pair is added to its
/// score, or multiplied with it, and little else is computed. What is the same
/// for all pairs of a head does not count.
static bool addsDistances(AttendOp op) {
  constexpr int64_t most = 5;
  if (op.getScore().empty() || !op.getProb().empty() || op.getNumAxes() > 1 ||
      countMaskOps(op) > 1)
    return false;
  Block &region = op.getScore().front();
  // The score, and behind batch and head the positions.
  llvm::DenseSet<Value> ofPair{region.getArgument(0), region.getArgument(3),
                               region.getArgument(4)};
  int64_t count = 0;
  for (Operation &inner : region.without_terminator()) {
    if (llvm::none_of(inner.getOperands(),
                      [&](Value value) { return ofPair.contains(value); }))
      continue;
    if (!isa<arith::SubIOp, arith::IndexCastOp, arith::SIToFPOp, arith::MulFOp,
             arith::AddFOp, arith::SubFOp>(inner) ||
        ++count > most)
      return false;
    ofPair.insert_range(inner.getResults());
  }
  return true;
}

BlockProblem attn::getProblem(AttendOp op) {
  BlockProblem problem;
  problem.widthQk = getWidth(op.getKey(), op.getKeyRows());
  problem.widthV = typeOf(op.getOutput()).getShape().back();
  problem.isNarrow = isNarrow(op);
  problem.queryElements = countElements(op.getQuery(), op.getQueryRows());
  if (!problem.isNarrow)
    return problem;
  problem.isTf32 = op.allowsTf32();
  // Operands of tf32 are rounded, and have no other terms.
  if (!problem.isTf32) {
    setScoreTerms(op, problem);
    problem.valueTerms = hasExactValues(op) ? 1 : 2;
    problem.keyParts = std::max<int64_t>(getQueryParts(op).size(), 1);
  }
  bool isPlain = op.getQueryRows().empty() && op.getKeyRows().empty() &&
                 op.getValueRows().empty();
  problem.hasFewPairOps = isPlain && hasFewPairOps(op);
  problem.addsDistances = isPlain && addsDistances(op);
  problem.maskOps = countMaskOps(op);
  return problem;
}

BlockProblem attn::getProblem(MapRowsOp op) {
  BlockProblem problem;
  problem.widthQk = typeOf(op.getInput()).getShape().back();
  problem.widthV = typeOf(op.getOutput()).getShape().back();
  return problem;
}

BlockProblem attn::getProblem(MergeOp op) {
  BlockProblem problem;
  problem.widthQk = problem.widthV = typeOf(op.getOutput()).getDimSize(3);
  return problem;
}
