//===- RangeWidth.h - How long ranges of keys can be -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_RANGEWIDTH_H
#define ATTN_PASSES_SPARSITY_RANGEWIDTH_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/sparsity/LinearForm.h"

namespace attn {

/// Bounds the length of the visited range of a `keys` region for all blocks of
/// queries at once.
///
/// The difference of end and begin is taken apart: of a maximum minus x, or x
/// minus a minimum, both differences count; of a minimum minus x, or x minus a
/// maximum, either will do. What is left are linear forms, in which the last
/// query is `span` behind the first, which must cancel.
class RangeWidth {
public:
  /// The bound is emitted with `b`, which stands outside of the region.
  RangeWidth(mlir::ImplicitLocOpBuilder &b, mlir::Region &keys, int64_t span)
      : b(b), keys(keys), span(span) {}

  /// At least 0; null if no bound is known.
  mlir::Value emit();

private:
  mlir::Value getMost(mlir::Value end, mlir::Value begin, unsigned depth);
  mlir::Value split(mlir::Operation *op, unsigned depth, bool isEnd,
                    mlir::Value other);
  mlir::Value getMostOfForms(mlir::Value end, mlir::Value begin);
  std::optional<LinearForm> getForm(mlir::Value value);
  std::optional<LinearForm> roundUp(LinearForm form);
  mlir::Value emitForm(const LinearForm &form);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Region &keys;
  int64_t span;
};

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_RANGEWIDTH_H
