//===- Resources.cpp - What a block takes of a GPU ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Resources.h"
#include "codegen/LongSums.h"
#include "codegen/gpu/SharedTiles.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace attn;

/// Shared tiles have multiples of it, and of kRowMultiple rows.
static constexpr int64_t kColumnMultiple = 32;

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

/// Rows of 16 bits fill the banks; those of 32 are longer.
static int64_t estimateNarrowBytes(const BlockProblem &problem) {
  constexpr int64_t banks = 32;
  int64_t bytes = problem.isTf32 ? 4 : 2;
  int64_t widthQk = llvm::alignTo(problem.widthQk, banks * 4 / bytes);
  int64_t widthV = llvm::alignTo(problem.widthV, banks * 4 / bytes);
  if (problem.isTf32) {
    widthQk += kPairPadding;
    widthV += kWordPadding;
  }
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
  return bytes * (problem.stages * (keys + values) + around + queries);
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

/// A thread has two rows of each band, every fourth column, and of queries of
/// 16 bits in registers two in each.
static int64_t estimateNarrowRegisters(const BlockProblem &problem) {
  // Measured: a row has a head and a position of its own.
  constexpr int64_t columns = 4, reserve = 48, packed = 20;
  int64_t bands = getBands(problem), inRegister = problem.isTf32 ? 1 : 2;
  int64_t queries = sharesQueries(problem)
                        ? 0
                        : problem.queryTerms * problem.widthQk / inRegister;
  // Measured: each further tile of keys is copied, with a tile of values.
  int64_t places = 11 * (problem.keyParts - 1);
  // Measured: what ptxas reads ahead.
  bool isWide = problem.isTf32 &&
                std::max(problem.widthQk, problem.widthV) > kWideTf32Columns;
  int64_t ahead = isWide ? 24 : 0;
  // Weights of the block before, of 16 bits two in a register.
  int64_t weights = problem.overlaps ? problem.blockK / inRegister : 0;
  return 2 * bands * (problem.widthV + problem.blockK + weights + queries) /
             columns +
         places + ahead + (problem.packsHeads ? packed : 0) + reserve;
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
  int64_t inLoop = rows * (scores + values) + parts + places + operands;
  // ptxas loads all that queries are computed from before it computes one.
  int64_t inFront = problem.blockQ * problem.queryElements / problem.threads;
  return std::max(inLoop, inFront) + reserve;
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

/// Columns of a sum that is multiplied as a matrix.
static constexpr int64_t kSumColumns = 16;
/// Tiles of 16 bits whose sum a state or a computed row is.
static constexpr int64_t kTerms = 2;

/// What the update of a state multiplies: tiles of 16 bits, of decayed keys, or
/// of values if there are fewer of them or keys have their terms already.
static int64_t countDecayed(const ChunkProblem &problem, int64_t keys,
                            int64_t values) {
  constexpr int64_t ofStored = 3;
  if (problem.storesState)
    return ofStored * keys;
  return kTerms * (problem.computesKeys ? values : std::min(keys, values));
}

/// Rows of 16 bits that fill the banks: those of a chunk as they are copied,
/// and either the terms of the state and of computed keys or, behind the
/// products that read the state, those of keys and what is multiplied with
/// decays. A denominator has a state of its own, and ones. Where queries are
/// computed as well, keys are copied to their place.
static int64_t estimateNarrowBytes(const ChunkProblem &problem) {
  constexpr int64_t banks = 64, reserve = 1024;
  int64_t keys = problem.chunk * llvm::alignTo(problem.rows, banks);
  int64_t columns = llvm::alignTo(problem.columns, banks);
  int64_t values = problem.chunk * columns;
  int64_t ofState = problem.stateTerms;
  int64_t terms = (problem.computesKeys ? kTerms * keys : 0) +
                  (problem.computesValues ? ofState * values : 0);
  bool takesPlace = problem.computesQueries && problem.computesKeys &&
                    problem.stages == 1 && ofState == kTerms;
  int64_t copies = problem.stages * (2 * keys + values);
  int64_t reading =
      ofState * problem.rows * columns + terms - (takesPlace ? keys : 0);
  int64_t writing = terms + countDecayed(problem, keys, values);
  // Each term of keys is multiplied with ones of its own.
  int64_t ones = problem.chunk * (problem.computesKeys ? kTerms : 1);
  int64_t sums =
      problem.hasDenominator ? (ofState * problem.rows + ones) * banks : 0;
  if (problem.decaysPerChannel) {
    // Gates or decays, and what was scanned, in 32 bits; one after the other
    // the state, keys times decays of the chunk, and rows of blocks that meet.
    // Computed queries and keys are there in 32 bits with their decays.
    int64_t scanned = problem.computesQueries || problem.computesKeys ? 3 : 2;
    return scanned * getColumnsBytes(problem.chunk, problem.rows) +
           2 * (std::max(ofState * problem.rows * columns, 3 * keys) + copies +
                sums);
  }
  return 2 * (copies + std::max(reading, writing) + sums) + reserve;
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
  int64_t sums = problem.hasDenominator ? stateRows * kSumColumns : 0;
  return (stateRows * problem.columns + sums +
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
