//===- Resources.h - What a block takes of a GPU ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_RESOURCES_H
#define ATTN_CODEGEN_GPU_RESOURCES_H

#include <cstdint>

namespace attn {

/// Sizes that decide how an op is blocked.
struct BlockProblem {
  int64_t widthQk = 0, widthV = 0; ///< Features of queries and keys, of values.
  int64_t blockQ = 0, blockK = 0;  ///< Queries of a block, keys at a time.
  int64_t threads = 128;
  int64_t stages = 1;         ///< Keys and values that are there at a time.
  bool overlaps = false;      ///< Products of two blocks of keys overlap.
  bool isNarrow = false;      ///< Products by matrix instructions.
  bool isTf32 = false;        ///< Those of tf32; else of 16 bits.
  bool hasFewPairOps = false; ///< And little else for each pair.
  bool addsDistances = false; ///< Scores have terms of the positions.
  int64_t maskOps = 0;        ///< Of a mask, for each pair.
  bool packsHeads = false;    ///< Queries of several heads are in a block.
  /// Tiles of 16 bits whose sum these are.
  int64_t queryTerms = 1, keyTerms = 1, valueTerms = 1;
  int64_t keyParts = 1; ///< Tiles of keys that are joined.
  /// Elements that a row of queries is computed from; 0 if it is not computed.
  int64_t queryElements = 0;
};

/// Bytes of shared memory that the right operand of a product should have at
/// most; attn-gpu-slice-products cuts larger ones. 64 keys of 128 features.
inline constexpr int64_t kSliceBytes = 64 * 128 * 4;

/// Columns of left operands of matrix instructions, computed once for all keys,
/// that a thread keeps in registers at most; more are in shared memory.
inline constexpr int64_t kRegisterColumns = 128;

/// Rows, columns and depth of a product of matrix instructions are multiples.
inline constexpr int64_t kMatrixMultiple = 16;

/// Columns and depth of a product of matrix instructions, at most: a thread has
/// a quarter of the columns of two rows of a result, in registers.
inline constexpr int64_t kMostMatrixColumns = 256;

/// Features of keys and values that a kernel of matrix instructions computes,
/// at most.
inline constexpr int64_t kMostComputedColumns = 128;

/// Features of queries, keys and values that are multiplied as tf32, at most:
/// accumulators of more leave no registers, and rows no room for two blocks.
inline constexpr int64_t kMostTf32Columns = 128;

/// Features of such rows that leave few registers for anything else.
inline constexpr int64_t kWideTf32Columns = 96;

/// Bytes of an operand of a product in shared memory.
int64_t getOperandBytes(int64_t rows, int64_t columns);

/// Columns (rows) of a slice of an operand with so many rows (columns): as many
/// as fit, and all banks (rows of threads) at least.
int64_t getSliceColumns(int64_t rows, int64_t bytes);
int64_t getSliceRows(int64_t columns, int64_t bytes);

/// Sizes that decide how a recurrence is blocked.
struct ChunkProblem {
  int64_t rows;          ///< Of the state: features of keys.
  int64_t columns;       ///< Of the state, in a block.
  int64_t chunk;         ///< Tokens at a time.
  bool decaysPerChannel; ///< Else per token, or not at all.
  bool hasDenominator;
  int64_t threads = 128;
  bool isNarrow = false;        ///< Products of 16 bits by matrix instructions.
  int64_t stages = 1;           ///< Chunks that are there at a time, if narrow.
  bool computesQueries = false; ///< From what is in memory; so of the others.
  bool computesKeys = false;
  bool computesValues = false;
  bool storesState = false;
  int64_t stateTerms = 2; ///< Tiles of 16 bits that a state is the sum of.
};

/// Bytes of shared memory for the state, queries, keys and values of a chunk,
/// each also as it was multiplied with decays, and weights; side by side. For
/// matrix instructions only those that are there at a time.
int64_t estimateSharedBytes(const ChunkProblem &problem);

/// Registers of a thread: state, queries, keys, rows of the result, what a step
/// of a product reads, and a reserve.
int64_t estimateRegisters(const ChunkProblem &problem);

/// Bytes of shared memory for query, keys, values and weights, the keys and
/// values of one step in the same place, in slices if they are large. Narrow
/// products have keys and values there, side by side.
int64_t estimateSharedBytes(const BlockProblem &problem);

/// Registers of a thread: accumulator, scores, what a step of a product reads
/// (of narrow ones, the queries), weights of a second block of keys if products
/// overlap, and a reserve for positions, masks and addresses.
int64_t estimateRegisters(const BlockProblem &problem);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_RESOURCES_H
