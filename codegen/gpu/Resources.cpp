//===- Resources.cpp - What a block takes of a GPU ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Resources.h"
#include "codegen/LongSums.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace attn;

/// Shared tiles have multiples of these.
static constexpr int64_t kRowMultiple = 16, kColumnMultiple = 32;

int64_t attn::getOperandBytes(int64_t rows, int64_t columns) {
  return 4 * llvm::alignTo(rows, kRowMultiple) *
         llvm::alignTo(columns, kColumnMultiple);
}

int64_t attn::getSliceColumns(int64_t rows, int64_t bytes) {
  int64_t most = bytes / (4 * int64_t(llvm::alignTo(rows, kRowMultiple)));
  return std::max(kColumnMultiple, most - most % kColumnMultiple);
}

int64_t attn::getSliceRows(int64_t columns, int64_t bytes) {
  int64_t most = bytes / (4 * int64_t(llvm::alignTo(columns, kColumnMultiple)));
  return std::max(kRowMultiple, most - most % kRowMultiple);
}

/// Bands of 16 rows that a warp of a narrow product has. With more than one,
/// queries are in shared memory.
static int64_t getBands(const BlockProblem &problem) {
  constexpr int64_t lanes = 32, band = 16;
  return llvm::divideCeil(problem.blockQ, problem.threads / lanes * band);
}

/// Whether queries of narrow products are in shared memory.
static bool sharesQueries(const BlockProblem &problem) {
  return getBands(problem) > 1 ||
         problem.queryTerms * problem.widthQk > kRegisterColumns;
}

/// Rows of 16 bits fill the banks.
static int64_t estimateNarrowBytes(const BlockProblem &problem) {
  constexpr int64_t banks = 64;
  int64_t widthQk = llvm::alignTo(problem.widthQk, banks);
  int64_t widthV = llvm::alignTo(problem.widthV, banks);
  int64_t rows = llvm::alignTo(problem.blockK, kRowMultiple);
  int64_t keys = rows * problem.keyTerms * widthQk;
  int64_t values = rows * problem.valueTerms * widthV;
  // If products overlap, the last values are there from the start on, and a
  // ring cannot have the place of the first keys.
  int64_t around = !problem.overlaps     ? 0
                   : problem.stages == 1 ? values
                                         : keys + values;
  int64_t queries = sharesQueries(problem)
                        ? problem.queryTerms * problem.blockQ * widthQk
                        : 0;
  return 2 * (problem.stages * (keys + values) + around + queries);
}

int64_t attn::estimateSharedBytes(const BlockProblem &problem) {
  if (problem.isNarrow)
    return estimateNarrowBytes(problem);
  int64_t width = std::min(std::max(problem.widthQk, problem.widthV),
                           getSliceColumns(problem.blockK, kSliceBytes));
  return getOperandBytes(problem.blockQ, problem.widthQk) +
         getOperandBytes(problem.blockK, width) +
         getOperandBytes(problem.blockQ, problem.blockK);
}

/// A thread has two rows of each band, every fourth column, and of queries in
/// registers two in each.
static int64_t estimateNarrowRegisters(const BlockProblem &problem) {
  // Measured: a row has a head and a position of its own.
  constexpr int64_t columns = 4, reserve = 48, packed = 20;
  int64_t bands = getBands(problem);
  int64_t queries =
      sharesQueries(problem) ? 0 : problem.queryTerms * problem.widthQk / 2;
  // Measured: each further tile of keys is copied, with a tile of values.
  int64_t places = 11 * (problem.keyParts - 1);
  // Weights of the block before, two in a register.
  int64_t weights = problem.overlaps ? problem.blockK / 2 : 0;
  return 2 * bands * (problem.widthV + problem.blockK + weights + queries) /
             columns +
         places + (problem.packsHeads ? packed : 0) + reserve;
}

int64_t attn::estimateRegisters(const BlockProblem &problem) {
  if (problem.isNarrow)
    return estimateNarrowRegisters(problem);
  constexpr int64_t columns = 8, step = 4, reserve = 48;
  int64_t rows = llvm::divideCeil(problem.blockQ * columns, problem.threads);
  int64_t scores = llvm::divideCeil(problem.blockK, columns);
  int64_t values = llvm::divideCeil(problem.widthV, columns);
  int64_t operands = step * rows + step * scores;
  // A slice of the depth, or a part of a long sum, is summed for itself.
  int64_t slice = getSliceColumns(problem.blockK, kSliceBytes);
  bool isInParts = isSummedInParts(problem.widthQk) || problem.widthQk > slice;
  int64_t parts = isInParts ? rows * scores : 0;
  // Places of keys that ptxas keeps for each slice: measured, 9 for 4 keys.
  bool isSliced = std::max(problem.widthQk, problem.widthV) > slice;
  int64_t places = isSliced ? 9 * problem.blockK / 4 : 0;
  return rows * (scores + values) + parts + places + operands + reserve;
}

//===----------------------------------------------------------------------===//
// Recurrences
//===----------------------------------------------------------------------===//

/// Bytes of a tile that is read along columns.
static int64_t getColumnsBytes(int64_t rows, int64_t columns) {
  constexpr int64_t padding = 8;
  return 4 * llvm::alignTo(rows, kRowMultiple) *
         (llvm::alignTo(columns, kColumnMultiple) + padding);
}

/// Two terms of the state, queries, keys, two terms of scaled keys and three of
/// decayed ones, and values, in rows of 16 bits that fill the banks.
static int64_t estimateNarrowBytes(const ChunkProblem &problem) {
  constexpr int64_t banks = 64, ofState = 2, ofKeys = 2 + 3;
  int64_t wide = llvm::alignTo(problem.rows, banks);
  int64_t narrow = llvm::alignTo(problem.columns, banks);
  int64_t rows = problem.chunk * (2 * wide + narrow);
  return 2 * (ofState * problem.rows * narrow + ofKeys * problem.chunk * wide +
              problem.stages * rows);
}

int64_t attn::estimateSharedBytes(const ChunkProblem &problem) {
  if (problem.isNarrow)
    return estimateNarrowBytes(problem);
  int64_t chunk = problem.chunk, rows = problem.rows;
  int64_t state = getOperandBytes(rows, problem.columns);
  if (problem.hasDenominator)
    state += getOperandBytes(rows, 1) + getOperandBytes(chunk, 1);
  // Queries, keys and decays are read along columns, queries as a factor too;
  // or queries and keys are factors, and decays one number per token.
  int64_t tokens =
      problem.decaysPerChannel
          ? 3 * getColumnsBytes(chunk, rows) + getOperandBytes(chunk, rows)
          : 2 * getOperandBytes(chunk, rows) + getColumnsBytes(chunk, 1);
  int64_t written = getColumnsBytes(chunk, rows);
  return state + tokens + written + getOperandBytes(chunk, problem.columns) +
         getOperandBytes(chunk, chunk);
}

/// A thread has two rows of each band of 16 per warp, every fourth column: of
/// the state, of rows and scores, and of keys.
static int64_t estimateNarrowRegisters(const ChunkProblem &problem) {
  constexpr int64_t columns = 4, reserve = 48, perWarp = 16, lanes = 32;
  int64_t bandRows = problem.threads / lanes * perWarp;
  int64_t stateRows = 2 * llvm::divideCeil(problem.rows, bandRows);
  int64_t tokenRows = 2 * llvm::divideCeil(problem.chunk, bandRows);
  return (stateRows * problem.columns +
          tokenRows *
              (problem.columns + std::max(problem.chunk, problem.rows))) /
             columns +
         reserve;
}

int64_t attn::estimateRegisters(const ChunkProblem &problem) {
  if (problem.isNarrow)
    return estimateNarrowRegisters(problem);
  constexpr int64_t columns = 8, step = 4, reserve = 48;
  int64_t threadRows = problem.threads / columns;
  int64_t tokens = llvm::divideCeil(problem.chunk, threadRows);
  int64_t keys = llvm::divideCeil(problem.rows, threadRows);
  int64_t values = llvm::divideCeil(problem.columns, columns);
  int64_t features = llvm::divideCeil(problem.rows, columns);
  int64_t state = keys * (values + (problem.hasDenominator ? 1 : 0));
  // Queries and keys are loaded together, and keys wait for the product that
  // changes the state; while it is read, they and its operands are there.
  // Without queries 32 tokens and a state of 128 x 64 were 200, and spilled.
  int64_t reading = 2 * tokens * features + step * (tokens + values);
  int64_t writing = step * (keys + values);
  return state + tokens * values + std::max(reading, writing) + reserve;
}
