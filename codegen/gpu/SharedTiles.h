//===- SharedTiles.h - Tiles in shared memory -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What all passes know of a tile with the encoding #tile.shared: how large it
// is, who makes it, who reads it.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_SHAREDTILES_H
#define ATTN_CODEGEN_GPU_SHAREDTILES_H

#include "codegen/gpu/Passes.h"
#include "dialect/TileDialect.h"

namespace attn {

/// The layout of a tile in shared memory; null for other values.
tile::SharedAttr getSharedLayout(mlir::Value value);

/// `type` in shared memory. Rows follow each other at multiples of all banks.
mlir::RankedTensorType getSharedType(mlir::RankedTensorType type, bool swizzle);

/// `type` in shared memory, to be read along columns. Rows are eight elements
/// longer than all banks, so that four of them can be written at once without
/// permuting their groups: the places of neighbouring rows differ by a
/// constant.
mlir::RankedTensorType getColumnsType(mlir::RankedTensorType type);

/// The tile that `value` is another name of: what `tile.await` waited for; what
/// a loop starts from, for a tile that it carries.
mlir::Value getSharedSource(mlir::Value value);

/// Whether `value` is a tile in shared memory and no other name of one.
bool hasOwnPlace(mlir::Value value);

/// For a tile that a loop yields, the one that the loop started from: both have
/// the same place. Null for other tiles.
mlir::Value getCarriedSource(mlir::Value value);

/// Refuses parameters in shared memory: the kernel makes what is there.
llvm::LogicalResult checkParameters(mlir::gpu::GPUFuncOp kernel);

/// Refuses tiles in shared memory that have no place there yet.
llvm::LogicalResult checkPlaces(mlir::gpu::GPUFuncOp kernel);

/// What `view` is a part of, such as a parameter of the kernel.
mlir::Value getBase(mlir::Value view);

/// Where a tile lies, in bytes; attn-gpu-allocate-shared knows.
int64_t getSharedOffset(mlir::Value value);

/// Rows and columns that exist in memory: the tile's, rounded up to what
/// threads may touch. Those beyond the tile are zero. A vector is one row, and
/// has no columns beyond.
struct SharedShape {
  int64_t rows, columns;
};
SharedShape getSharedShape(mlir::RankedTensorType type);

/// Columns of a group that a swizzle moves: 16 bytes.
int64_t getGroupColumns(mlir::RankedTensorType type);

/// Bytes of a tile in shared memory.
int64_t getSharedBytes(mlir::RankedTensorType type);

/// Bytes of one tile of a ring; of a tile that is none, the same as above.
int64_t getStageBytes(mlir::RankedTensorType type);

/// `type` as a ring of so many tiles, or as a tile for 1.
mlir::RankedTensorType getRingType(mlir::RankedTensorType type, int64_t stages);

/// Whether a product is one of matrix instructions: its operands have 16 bits,
/// or are rounded to tf32.
bool isNarrow(tile::DotOp dot);

/// Whether its operands are of 32 bits and rounded to tf32.
bool isTf32(tile::DotOp dot);

/// `type`, of 32 bits, in shared memory as an operand of matrix instructions
/// whose lanes read neighbouring columns of eight rows (pairs) or a column of
/// four pairs of rows each. Rows are longer than all banks, so that neither
/// needs a bank twice, and all places are a number away from one of the lane.
mlir::RankedTensorType getWordsType(mlir::RankedTensorType type,
                                    bool readsPairs);

/// Whether every `columns` neighbouring elements of a row, counted from the
/// tile's first, lie in the view, at a multiple of their size.
bool hasAlignedRows(tile::StoreOp store, int64_t columns);

/// Whether an operand of a tile.decay_dot is one number that all its elements
/// are, and its rows have one element: it is no tile in shared memory then.
bool isSameEverywhere(mlir::OpOperand &operand);

/// Whether the second part of `op` is one number everywhere and starts within a
/// round of `columns` threads. It has no layout of its own then: threads put
/// its number into what they own behind the first part.
bool isPadding(tile::ConcatOp op, int64_t columns);

/// Elements of 32 bits behind the rows of operands of matrix instructions that
/// are read in pairs, or down their columns.
inline constexpr int64_t kPairPadding = 8, kWordPadding = 4;

/// Rows of threads that a kernel may have: shared tiles have a multiple of it.
inline constexpr int64_t kRowMultiple = 16;

} // namespace attn

#endif // ATTN_CODEGEN_GPU_SHAREDTILES_H
