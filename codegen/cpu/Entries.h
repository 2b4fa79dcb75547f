//===- Entries.h - How hosts call kernels, in the LLVM dialect --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The two halves of `attn-cpu-to-llvm` around the conversion proper: the
// interface of runtime/ParallelFor.h is made from functions over memrefs.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_ENTRIES_H
#define ATTN_CODEGEN_CPU_ENTRIES_H

#include "mlir/IR/BuiltinOps.h"

namespace attn {

/// Prefix of the symbols that hosts look up.
inline constexpr llvm::StringLiteral kEntryPrefix = "attn_entry_";

/// Before the conversion: checks public functions, gives them a pointer to the
/// host as first argument, and asks for wrappers that take descriptors.
llvm::LogicalResult prepareEntries(mlir::ModuleOp module);

/// After the conversion: makes the entries, hides everything else, and turns
/// calls with `attn.scratch_bytes` into calls of the host.
void makeEntries(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_ENTRIES_H
