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
  int64_t widthQk, widthV; ///< Features of queries and keys, of values.
  int64_t blockQ, blockK;  ///< Queries of a block, keys at a time.
  int64_t threads = 128;
};

/// Bytes of shared memory for query, keys, values and weights, the keys and
/// values of one step in the same place.
int64_t estimateSharedBytes(const BlockProblem &problem);

/// Registers of a thread: accumulator, scores, what a step of a product reads,
/// and a reserve for positions, masks and addresses.
int64_t estimateRegisters(const BlockProblem &problem);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_RESOURCES_H
