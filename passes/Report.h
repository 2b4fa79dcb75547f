//===- Report.h - What passes tell of their decisions -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Facts are analysis remarks of MLIR with a name and values by key. Nobody
// computes them unless somebody has asked the context for remarks, as
// attn-explain does (runtime/compiler/Explain.h lists the names and keys).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REPORT_H
#define ATTN_PASSES_REPORT_H

#include "mlir/IR/Remarks.h"

namespace attn {

/// A key and a value of a fact.
using FactValue = mlir::remark::detail::Remark::Arg;

/// Whether somebody listens; values that are costly to make depend on it.
inline bool isReported(mlir::MLIRContext *context) {
  return context->getRemarkEngine();
}

/// Begins the fact called `name` about what is at `location`; `<<` adds values.
inline mlir::remark::detail::InFlightRemark report(mlir::Location location,
                                                   llvm::StringRef name) {
  return mlir::remark::analysis(
      location, mlir::remark::RemarkOpts::name(name).category("attn"));
}

} // namespace attn

#endif // ATTN_PASSES_REPORT_H
