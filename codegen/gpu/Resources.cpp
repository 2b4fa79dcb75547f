//===- Resources.cpp - What a block takes of a GPU ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Resources.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace attn;

int64_t attn::estimateSharedBytes(const BlockProblem &problem) {
  auto row = [](int64_t columns) -> int64_t {
    return llvm::alignTo(columns, 32);
  };
  int64_t query = problem.blockQ * row(problem.widthQk);
  int64_t keys =
      problem.blockK * std::max(row(problem.widthQk), row(problem.widthV));
  int64_t weights = problem.blockQ * row(problem.blockK);
  return 4 * (query + keys + weights);
}

int64_t attn::estimateRegisters(const BlockProblem &problem) {
  constexpr int64_t columns = 8, step = 4, reserve = 48;
  int64_t rows = llvm::divideCeil(problem.blockQ * columns, problem.threads);
  int64_t scores = llvm::divideCeil(problem.blockK, columns);
  int64_t values = llvm::divideCeil(problem.widthV, columns);
  int64_t operands = step * rows + step * scores;
  return rows * (scores + values) + operands + reserve;
}
