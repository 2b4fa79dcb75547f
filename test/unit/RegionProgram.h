//===- RegionProgram.h - Regions of integer arithmetic, run fast -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_REGIONPROGRAM_H
#define ATTN_TEST_UNIT_REGIONPROGRAM_H

#include "mlir/IR/Block.h"
#include "llvm/ADT/DenseMap.h"
#include <cstdint>
#include <vector>

namespace attn::test {

/// A captured tensor of integers.
struct Table {
  std::vector<int64_t> shape, elements;
  int64_t *find(llvm::ArrayRef<int64_t> indices);
};

using Tables = llvm::DenseMap<mlir::Value, Table *>;

/// The ops of a block as steps on numbers, which wrap around at the width of
/// their type. Elements outside of a table are 0, and so is what is not
/// defined.
class RegionProgram {
public:
  RegionProgram(mlir::Block &block, mlir::ValueRange results, Tables tables);

  /// What the results are for `arguments`, those of the block.
  std::vector<int64_t> run(llvm::ArrayRef<int64_t> arguments);

private:
  unsigned slotOf(mlir::Value value);

  struct Step {
    mlir::Operation *op;
    llvm::SmallVector<unsigned, 3> operands;
    unsigned result, width;
    int kind;
    int64_t detail; ///< The value of a constant, a predicate.
  };
  int64_t execute(const Step &step, const int64_t *x);

  Tables tables;
  unsigned numArguments;
  std::vector<Step> steps;
  std::vector<unsigned> results;
  llvm::DenseMap<mlir::Value, unsigned> slots;
  std::vector<int64_t> numbers;
};

} // namespace attn::test

#endif // ATTN_TEST_UNIT_REGIONPROGRAM_H
