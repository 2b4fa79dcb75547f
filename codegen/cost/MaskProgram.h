//===- MaskProgram.h - Regions of integers, for all keys at once *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COST_MASKPROGRAM_H
#define ATTN_CODEGEN_COST_MASKPROGRAM_H

#include "codegen/cost/CallTables.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attn {

/// The integers of a tensor in a call; null if they are not known.
using TableOf = std::function<TableRef(mlir::Value)>;

/// A `mask` or `keys` region that can be executed. Values that follow from what
/// is not known before a call are `kUnknown`; `false and unknown` is false.
class MaskProgram {
public:
  using Numbers = std::vector<int64_t>;
  static constexpr int64_t kUnknown = INT64_MIN;

  MaskProgram(mlir::Region &region, const SizeOf &sizeOf,
              const TableOf &tableOf);

  /// The results, one number each or `width`. Arguments have as many: one for
  /// all keys, or one for each.
  std::vector<Numbers> run(std::vector<Numbers> arguments, int64_t width) const;

  /// Whether some values are not known before a call.
  bool isUnknown() const { return hasUnknown; }
  /// The tensors that it reads, and those of which nothing is known, by name.
  llvm::ArrayRef<std::string> getTables() const { return tables; }
  llvm::ArrayRef<std::string> getUnknownTables() const { return unknownTables; }

private:
  /// Computes one value, for each key or for all.
  struct Step {
    enum class Kind { Apply, Select, Read } kind = Kind::Apply;
    int64_t (*function)(int64_t, int64_t) = nullptr;
    bool isUnsigned = false; ///< So the function takes its operands.
    unsigned width = 64;     ///< Bits of an operand.
    unsigned resultWidth = 64;
    TableRef table;
    int64_t decisive = kUnknown; ///< Operand that is the result at any rate.
    unsigned result = 0;
    llvm::SmallVector<unsigned, 3> operands;

    int64_t apply(int64_t x, int64_t y) const;
  };

  unsigned addConstant(mlir::Value value, int64_t number);
  unsigned addUnknown(mlir::Value value);
  unsigned get(mlir::Value value);
  void addRead(mlir::tensor::ExtractOp op);
  void addStep(Step step, mlir::Operation *op);
  void add(mlir::Operation *op);
  static void execute(const Step &step, llvm::ArrayRef<Numbers> values,
                      Numbers &out);

  const SizeOf *sizeOf; ///< Both while steps are added.
  const TableOf *tableOf;
  bool hasUnknown = false;
  unsigned count = 0; ///< Values are numbered, arguments first.
  llvm::SmallVector<unsigned> results;
  llvm::DenseMap<mlir::Value, unsigned> numbers;
  std::vector<Step> steps;
  std::map<unsigned, int64_t> constants;
  std::vector<std::string> tables, unknownTables;
};

} // namespace attn

#endif // ATTN_CODEGEN_COST_MASKPROGRAM_H
