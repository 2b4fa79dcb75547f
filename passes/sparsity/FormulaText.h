//===- FormulaText.h - Index arithmetic as a reader writes it ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITY_FORMULATEXT_H
#define ATTN_PASSES_SPARSITY_FORMULATEXT_H

#include "mlir/IR/Value.h"
#include <string>

namespace attn {

/// The bounds that a `keys` region yields, as
/// "last - 9 <= key < first + 1", "all" or "none". Formulas of many ops are not
/// written out.
std::string printVisited(mlir::Region &keys);
std::string printFull(mlir::Region &keys);

/// The name of an argument of the function, by `attn.name` if it has one;
/// "a computed tensor" of other values.
std::string getTensorName(mlir::Value tensor);

} // namespace attn

#endif // ATTN_PASSES_SPARSITY_FORMULATEXT_H
