//===- CallTables.h - What tensors of integers hold in a call ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Masks read document ids, lengths and windows, and lists of blocks are data.
// Whoever has the data of a call can hand it to the cost model.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_COST_CALLTABLES_H
#define ATTN_CODEGEN_COST_CALLTABLES_H

#include "dialect/AttnDialect.h"
#include <functional>
#include <map>
#include <memory>

namespace attn {

/// The size of a dimension of a tensor in a call.
using SizeOf = std::function<int64_t(mlir::Value, unsigned)>;

/// Integers of a tensor, row by row.
struct IntegerTable {
  llvm::SmallVector<int64_t> sizes;
  std::vector<int64_t> elements;

  /// The element at `index`; nothing outside of the table.
  std::optional<int64_t> get(llvm::ArrayRef<int64_t> index) const;
};

using TableRef = std::shared_ptr<const IntegerTable>;

/// The tables of a call by the names of the arguments.
using CallData = std::map<std::string, TableRef>;

/// What is known of tensors before a call.
class KnownTables {
public:
  KnownTables() = default;
  /// `ofArguments` are those of the arguments of the function, null where they
  /// are not known.
  KnownTables(std::vector<TableRef> ofArguments, SizeOf sizeOf)
      : ofArguments(std::move(ofArguments)), sizeOf(std::move(sizeOf)) {}

  /// The integers of a tensor; null if they are not known.
  TableRef find(mlir::Value tensor);

private:
  TableRef evaluate(SegmentBoundsOp op, mlir::Value result);

  std::vector<TableRef> ofArguments;
  SizeOf sizeOf;
  llvm::DenseMap<mlir::Value, TableRef> computed;
};

} // namespace attn

#endif // ATTN_CODEGEN_COST_CALLTABLES_H
