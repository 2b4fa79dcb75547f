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

/// Whether matrix instructions take keys or values as they are: they are rows
/// of tensors, or joined from such rows, which nothing may multiply. Others may
/// be multiplied by numbers if these can multiply the product.
static bool isExact(Value row, bool skipsScales) {
  if (auto concat = row.getDefiningOp<tensor::ConcatOp>())
    return llvm::all_of(concat.getInputs(), isRowOfTensor);
  return isRowOfTensor(skipsScales ? skipScales(row) : row);
}

/// Rows that a row is joined from.
static int64_t countParts(Region &rows) {
  if (rows.empty())
    return 1;
  auto concat = getYielded(rows).getDefiningOp<tensor::ConcatOp>();
  return concat ? concat.getInputs().size() : 1;
}

/// Whether matrix instructions take queries as they are, times numbers at most.
/// Joined ones are taken part by part if keys are joined as well.
static bool hasExactQueries(AttendOp op) {
  if (op.getQueryRows().empty())
    return true;
  Value row = skipScales(getYielded(op.getQueryRows()));
  auto concat = row.getDefiningOp<tensor::ConcatOp>();
  if (!concat || countParts(op.getKeyRows()) == 1)
    return isRowOfTensor(row);
  return llvm::all_of(concat.getInputs(), [](Value part) {
    return isRowOfTensor(skipScales(part));
  });
}

/// Tiles of 16 bits that rows are the sum of.
static int64_t countTerms(Region &rows, bool skipsScales) {
  return rows.empty() || isExact(getYielded(rows), skipsScales) ? 1 : 2;
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
  problem.keyTerms = countTerms(op.getKeyRows(), /*skipsScales=*/true);
  if (isBrief && problem.queryTerms != problem.keyTerms)
    (problem.queryTerms == 1 ? problem.keyTerms : problem.queryTerms) = 3;
}

/// Whether rows are computed without products of their own.
static bool hasNoProduct(Region &rows) {
  return rows.empty() || rows.front().getOps<ContractRowOp>().empty();
}

/// Whether the products of an op can be of 16 bits: its operands are, and the
/// sizes are multiples of a matrix instruction's.
static bool isNarrow(AttendOp op) {
  constexpr int64_t multiple = 16, most = 256;
  Type element = typeOf(op.getQuery()).getElementType();
  auto fits = [&](Value tensor, Region &rows) {
    int64_t width = getWidth(tensor, rows);
    return typeOf(tensor).getElementType() == element &&
           width % multiple == 0 && width <= most && hasNoProduct(rows);
  };
  auto isNotTooWide = [&](Value tensor, Region &rows) {
    return countTerms(rows, /*skipsScales=*/false) == 1 ||
           getWidth(tensor, rows) <= kMostComputedColumns;
  };
  return element.getIntOrFloatBitWidth() == 16 &&
         fits(op.getQuery(), op.getQueryRows()) &&
         fits(op.getKey(), op.getKeyRows()) &&
         fits(op.getValue(), op.getValueRows()) &&
         isNotTooWide(op.getKey(), op.getKeyRows()) &&
         isNotTooWide(op.getValue(), op.getValueRows()) && !op.getMixScores() &&
         !op.getMixWeights();
}

/// Whether little is computed for a pair besides its products: a mask of one
/// comparison at most. More takes registers that two bands of rows leave few
/// of.
static bool hasFewPairOps(AttendOp op) {
  // Keys of a box may lie outside of the grid, each for itself.
  if (!op.getScore().empty() || !op.getProb().empty() || op.getNumAxes() > 1)
    return false;
  return op.getMask().empty() ||
         op.getMask().front().without_terminator().empty() ||
         llvm::hasSingleElement(op.getMask().front().without_terminator());
}

BlockProblem attn::getProblem(AttendOp op) {
  BlockProblem problem;
  problem.widthQk = getWidth(op.getKey(), op.getKeyRows());
  problem.widthV = typeOf(op.getOutput()).getShape().back();
  problem.isNarrow = isNarrow(op);
  problem.queryElements = countElements(op.getQuery(), op.getQueryRows());
  if (!problem.isNarrow)
    return problem;
  setScoreTerms(op, problem);
  problem.valueTerms = countTerms(op.getValueRows(), /*skipsScales=*/false);
  if (problem.keyTerms == 1)
    problem.keyParts = countParts(op.getKeyRows());
  bool isPlain = op.getQueryRows().empty() && op.getKeyRows().empty() &&
                 op.getValueRows().empty();
  problem.hasFewPairOps = isPlain && hasFewPairOps(op);
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
