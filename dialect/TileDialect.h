//===- TileDialect.h - The tile dialect: classes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_TILEDIALECT_H
#define ATTN_DIALECT_TILEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/TileDialect.h.inc"
#include "dialect/TileEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/TileAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialect/TileOps.h.inc"

namespace attn::tile {

/// The view that stands for a tensor: any strides, the last one 1.
mlir::MemRefType getViewType(mlir::RankedTensorType type);

/// What does not change a reduction of this kind, and what tile.trim puts in
/// place of what it leaves out.
double getNeutral(ReduceKind kind);

/// Of a loop over blocks: the warps of each on a GPU, where the schedule says
/// how many.
inline constexpr llvm::StringLiteral kWarpsAttr = "tile.warps";

/// Of a loop over blocks, and of its kernel: tiles of keys and of values that
/// shared memory has room for, if more than one.
inline constexpr llvm::StringLiteral kStagesAttr = "tile.stages";

/// Of a loop over blocks, and of its kernel: products of a block of keys
/// overlap with those of the next one.
inline constexpr llvm::StringLiteral kOverlapAttr = "tile.overlap";

/// Of a loop over blocks, and of its kernel: how many blocks a multiprocessor
/// has at a time, if a number was asked for.
inline constexpr llvm::StringLiteral kResidentAttr = "tile.resident";

/// Of a loop of one iteration or none, around what must not run in the latter
/// case.
inline constexpr llvm::StringLiteral kOnceAttr = "tile.once";

} // namespace attn::tile

#endif // ATTN_DIALECT_TILEDIALECT_H
