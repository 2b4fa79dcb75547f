//===- Distributor.h - Tiles to the code of one thread ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The state of attn-gpu-distribute: for each tile in registers the scalars that
// the thread owns (its pieces, row by row), for each tile in shared memory a
// memref of rank 1. Ops are lowered in the order of the text, in place.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_DISTRIBUTOR_H
#define ATTN_CODEGEN_GPU_DISTRIBUTOR_H

#include "codegen/gpu/ThreadTiles.h"

namespace attn {

/// Whether `op` rounds a tile to 16 bits for products alone, which read it as
/// left operand or from shared memory: two elements are rounded at a time.
bool isRoundedFactor(mlir::Operation *op);

class Distributor {
public:
  Distributor(mlir::gpu::GPUFuncOp kernel, int64_t threads)
      : kernel(kernel), threads(kernel, threads),
        b(kernel.getLoc(), kernel.getContext()) {}

  mlir::LogicalResult run();

private:
  using Values = llvm::SmallVector<mlir::Value>;

  // Control (Distribute.cpp).
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lowerOp(mlir::Operation *op);
  mlir::LogicalResult lowerLoop(mlir::scf::ForOp loop);
  void lowerYield(mlir::scf::YieldOp op);
  Values expand(mlir::ValueRange values);
  void takePieces(mlir::ValueRange tiles, mlir::ValueRange pieces);

  // Registers only (DistributeRegisters.cpp).
  mlir::LogicalResult lowerElementwise(mlir::Operation *op);
  mlir::Value getPiece(mlir::Value tile, int64_t e);
  void flush();
  void lower(mlir::arith::ConstantOp op);
  void lower(tile::SplatOp op);
  void lower(tile::IotaOp op);
  void sinkPositions();
  void lower(tile::BroadcastOp op);
  void lower(tile::SliceOp op);
  void lower(tile::ConcatOp op);
  Values pad(tile::ConcatOp op);
  void lower(tile::ReduceOp op);
  mlir::Value combine(tile::ReduceKind kind, mlir::Value x, mlir::Value y);

  // Global memory (DistributeViews.cpp).
  void lower(tile::LoadOp op);
  void lower(tile::StoreOp op);
  void lower(tile::GatherOp op);
  void lower(tile::WriteOp op);
  Values loadPieces(tile::LoadOp op);
  std::function<mlir::Value(mlir::Value)> keepPositions(mlir::Operation *op);
  void copyToShared(tile::LoadOp op);

  // Shared memory and products (DistributeShared.cpp).
  void lower(tile::ConvertLayoutOp op);
  void share(tile::ConvertLayoutOp op);
  void shareRounded(tile::ConvertLayoutOp op, mlir::Value wide);
  /// Whether the thread's i-th row exists in shared memory; null if it does.
  mlir::Value testSharedRow(tile::ConvertLayoutOp op, int64_t i);
  void shareVector(tile::ConvertLayoutOp op);
  void readBack(tile::ConvertLayoutOp op);
  void lower(tile::DotOp op);
  void lower(tile::AwaitOp op);
  void lower(tile::BarrierOp op);
  void clear(mlir::RankedTensorType type, Values &values);
  mlir::Value getBuffer(mlir::Value tile);
  /// Where element (row, column) of a shared tile lies in its buffer.
  mlir::Value getPlace(mlir::RankedTensorType type, mlir::Value row,
                       mlir::Value column);
  mlir::Value getStart(mlir::RankedTensorType type,
                       tile::RegistersAttr registers);
  /// The place of the thread's element (i, j) of a tile in registers in one of
  /// `type` in shared memory.
  mlir::Value getOwnPlace(tile::ConvertLayoutOp op, mlir::RankedTensorType type,
                          tile::RegistersAttr registers, int64_t i, int64_t j);
  /// Reads `count` neighbouring elements of a shared tile.
  Values readShared(mlir::Value tile, mlir::Value place, int64_t count);
  /// `column`, or the last one that `tile` has in shared memory; `most` is the
  /// largest that `column` can be.
  mlir::Value clampColumn(mlir::Value tile, mlir::Value column, int64_t most);
  /// The value that the lane has whose number differs in `lanes`.
  mlir::Value shuffleXor(mlir::Value value, int64_t lanes);

  // Rows that meet, from shared memory (DistributeColumns.cpp,
  // DistributeDecays.cpp).
  void lower(tile::ScanOp op);
  void lower(tile::DecayDotOp op);
  Values scanRows(tile::ScanOp op);
  Values reduceColumns(tile::ReduceOp op);
  mlir::Value getSwizzle(mlir::Value row);

  // Matrix instructions (DistributeMatrices.cpp).
  void multiplyMatrices(tile::DotOp op);
  void packFactor(mlir::arith::TruncFOp op);
  /// Two numbers of 32 bits, rounded to `element`, in the bits of one value of
  /// two elements, or of an integer if these are bf16.
  mlir::Value roundPair(mlir::Value low, mlir::Value high, mlir::Type element);

  // Between layouts of registers (DistributeExchange.cpp).
  void exchange(tile::ConvertLayoutOp op);

  /// Whether the kernel's products of 16 bits leave few registers: those of two
  /// bands of rows, or of a state that stays in them.
  bool isShortOfRegisters();
  /// Whether products of 16 bits add to a state of two bands of rows or more.
  bool hasState();
  /// `value`, but computed in each iteration of the loop around `op`: the sign
  /// of the induction variable, which is 0, is added. What is computed from it
  /// takes no register through the loop: where none is left, ptxas spills what
  /// was computed in front of the loop.
  mlir::Value keepInLoop(mlir::Value value, mlir::Operation *op);
  /// The same in kernels that have a state of two bands of rows or more. They
  /// have more tiles than others, and need the places of each once in a long
  /// iteration. With the sum alone LLVM adds constants behind it in front of
  /// the loop, so bits are flipped by the sign as well: `ptxas` spilled 16
  /// bytes beside a state of 128 x 64.
  mlir::Value keepBesideState(mlir::Value value, mlir::Operation *op);

  // Small things.
  mlir::Value index(int64_t value) { return threads.index(value); }
  mlir::Value add(mlir::Value x, mlir::Value y) {
    return mlir::arith::AddIOp::create(b, x, y);
  }
  mlir::Value mul(mlir::Value x, mlir::Value y) {
    return mlir::arith::MulIOp::create(b, x, y);
  }
  mlir::Value mulf(mlir::Value x, mlir::Value y) {
    return mlir::arith::MulFOp::create(b, x, y);
  }
  mlir::Value both(mlir::Value x, mlir::Value y);
  mlir::Value isLess(mlir::Value x, mlir::Value y);
  mlir::Value zero(mlir::Type type);
  static mlir::RankedTensorType tileOf(mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType());
  }

  friend class DotEmitter;
  friend class MatrixEmitter;
  friend class CopyEmitter;
  friend class DecayDotEmitter;
  friend class VectorScan;
  friend class GroupCopyEmitter;

  mlir::gpu::GPUFuncOp kernel;
  ThreadTiles threads;
  mlir::ImplicitLocOpBuilder b;
  llvm::DenseMap<mlir::Value, Values> pieces;
  /// Of factors that loops carry: their pieces, two in one value.
  llvm::DenseMap<mlir::Value, Values> words;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  /// Of buffers of other elements of 16 bits, the same as f16.
  llvm::DenseMap<mlir::Value, mlir::Value> halves;
  /// Of layouts in shared memory, element types and layouts in registers: the
  /// place of the thread's first element.
  std::map<std::tuple<const void *, const void *, const void *>, mlir::Value>
      starts;
  /// Of parameters: whether all rows start at multiples of 16 bytes.
  llvm::DenseMap<mlir::Value, mlir::Value> aligned;
  llvm::DenseMap<mlir::Value, mlir::memref::ExtractStridedMetadataOp> metadata;
  /// Results of elementwise ops that wait, in order, and the elements of each
  /// that are known, by their operands.
  llvm::SmallVector<mlir::Value> waitingOrder;
  std::map<void *, std::map<llvm::SmallVector<void *>, mlir::Value>> waiting;
  llvm::SmallVector<mlir::Operation *> lowered;
  std::optional<bool> shortOfRegisters, state;
};

} // namespace attn

#endif // ATTN_CODEGEN_GPU_DISTRIBUTOR_H
