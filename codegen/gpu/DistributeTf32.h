//===- DistributeTf32.h - Numbers that are rounded to tf32 ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles in shared memory that products of tf32 read are rounded there, once:
// when they are stored, or where their asynchronous copies are waited for.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_DISTRIBUTETF32_H
#define ATTN_CODEGEN_GPU_DISTRIBUTETF32_H

#include "dialect/TileDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attn {

/// Whether a product of tf32 reads `tile` from shared memory.
bool isReadAsTf32(mlir::Value tile);

/// `number`, of f32, rounded to tf32.
mlir::Value roundToTf32(mlir::ImplicitLocOpBuilder &b, mlir::Value number);

/// A word of 32 bits: a register of an instruction.
mlir::Value asWord(mlir::ImplicitLocOpBuilder &b, mlir::Value number);

} // namespace attn

#endif // ATTN_CODEGEN_GPU_DISTRIBUTETF32_H
