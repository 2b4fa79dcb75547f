//===- BlockRegisters.h - Tile programs as loops over vectors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_BLOCKREGISTERS_H
#define ATTN_CODEGEN_CPU_BLOCKREGISTERS_H

#include "mlir/Pass/Pass.h"

namespace attn {

/// The pass attn-cpu-block-registers, documented in codegen/cpu/Passes.td.
std::unique_ptr<mlir::Pass> createBlockRegistersPass(int64_t vectorBits,
                                                     int64_t vectorRegisters,
                                                     bool hasFma);

/// Rows of f32 that are computed together, if a block has a multiple of them:
/// what a group of rows with a range of its own should have.
int64_t getStripRows(int64_t vectorBits, int64_t vectorRegisters);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_BLOCKREGISTERS_H
