//===- Passes.h - Passes of the simulator -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_PASSES_H
#define ATTN_CODEGEN_SIMULATOR_PASSES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace attn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/simulator/Passes.h.inc"

namespace sim {

/// On the module: places and sizes of the globals in shared memory, in pairs;
/// and their names.
inline constexpr llvm::StringLiteral kSharedRangesAttr = "attn.shared_ranges";
inline constexpr llvm::StringLiteral kSharedNamesAttr = "attn.shared_names";
/// On the module: where dynamic shared memory starts.
inline constexpr llvm::StringLiteral kSharedDynamicAttr = "attn.shared_dynamic";
/// On the call in the entry of a kernel: types of its arguments.
inline constexpr llvm::StringLiteral kKernelTypesAttr = "attn.kernel_types";
/// There too: block sizes that it was made for, exactly or at most.
inline constexpr llvm::StringLiteral kBlockSizeAttr = "attn.block_size";
inline constexpr llvm::StringLiteral kLargestBlockAttr = "attn.largest_block";

/// The host function that runs one thread of a kernel: (context, void **).
std::string getEntryName(llvm::StringRef kernel);

} // namespace sim
} // namespace attn

#endif // ATTN_CODEGEN_SIMULATOR_PASSES_H
