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
#include "codegen/gpu/Window.h"

namespace attn {

/// Whether `op` rounds a tile of f32 to 16 bits, two elements of a thread at a
/// time.
bool isRounding(mlir::Operation *op);

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
  mlir::LogicalResult lowerYield(mlir::scf::YieldOp op);
  mlir::LogicalResult checkCarried(mlir::Operation *op,
                                   mlir::ValueRange values);
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
  /// Base, offset and strides of a parameter.
  mlir::memref::ExtractStridedMetadataOp getMetadata(mlir::Value parameter);
  /// Whether all rows of a parameter start at multiples of 16 bytes.
  mlir::Value testAligned(mlir::Value parameter);
  void storePieces(tile::StoreOp op, int64_t atOnce);
  void storePair(tile::StoreOp op, mlir::ValueRange positions, int64_t e);
  Values loadPieces(tile::LoadOp op);
  std::function<mlir::Value(mlir::Value)> keepPositions(mlir::Operation *op);
  /// Where a tile that `op` loads or stores lies in `view`. Beside a state what
  /// only tells where its rows begin, the leading offsets, is computed anew.
  Window makeWindow(mlir::Operation *op, mlir::Value view,
                    mlir::ValueRange offsets, int64_t rank,
                    mlir::ValueRange rows);
  void copyToShared(tile::LoadOp op);
  /// Waits for copies that have begun and that nothing waited for.
  void awaitCopies();

  // Shared memory and products (DistributeShared.cpp).
  void lower(tile::ConvertLayoutOp op);
  void share(tile::ConvertLayoutOp op);
  void shareRounded(llvm::ArrayRef<tile::ConvertLayoutOp> group);
  void sharePair(tile::ConvertLayoutOp op, int64_t i, int64_t j);
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
  mlir::Value walkRows(tile::ScanOp op, mlir::Value column, mlir::Value first,
                       int64_t size, mlir::Value before, bool isReverse,
                       bool isExclusive);
  void walkColumn(tile::ScanOp op, mlir::Value column);
  void walkFromBorder(tile::ScanOp op, mlir::Value block, mlir::Value column);
  void walkColumns(tile::ScanOp op);
  Values reduceColumns(tile::ReduceOp op);
  Values reduceTogether(tile::ReduceOp op);
  mlir::Value getSwizzle(mlir::Value row);

  // Matrix instructions (DistributeMatrices.cpp).
  void multiplyMatrices(tile::DotOp op);
  void multiplyTf32(tile::DotOp op);
  void roundCopied(tile::AwaitOp op);
  mlir::Value getOtherBlock(int64_t size);
  mlir::Value isBlock(int64_t number, int64_t size);
  Values takeBlock(llvm::ArrayRef<mlir::Value> all, const PieceShape &shape,
                   int64_t size);
  Values putBlock(llvm::ArrayRef<mlir::Value> all,
                  llvm::ArrayRef<mlir::Value> block, const PieceShape &shape,
                  int64_t size);

  // To 16 bits (DistributeRounding.cpp).
  /// Two numbers of 32 bits, rounded to `element`, in the bits of one value of
  /// two elements, or of an integer if these are bf16.
  mlir::Value roundPair(mlir::Value low, mlir::Value high, mlir::Type element);
  /// Elements `e` and `e + 1` of a tile that is rounded, as `roundPair` has
  /// them.
  mlir::Value getPair(mlir::Value tile, int64_t e);
  /// All pairs of a tile, and what they are for a tile that a loop carries.
  Values getPairs(mlir::Value tile);
  void setPairs(mlir::Value tile, mlir::ValueRange values);
  /// Rounds what a loop carries of `tile` at once: the numbers of 32 bits would
  /// take twice the registers up to the end of the iteration.
  void roundCarried(mlir::Value tile);
  /// Whether `getPair` has elements of `tile`: it is rounded, or a factor of
  /// products that a loop carries.
  bool hasPairs(mlir::Value tile);
  /// Whether a tile is only what left operands in registers, and pairs in
  /// shared memory, are rounded from, in a kernel that updates a state. Its
  /// elements are computed where they are read.
  bool isDelayed(mlir::Value tile);
  /// Whether all uses of a tile read it in pairs: it is rounded, and a left
  /// operand or stored to shared memory.
  static bool isReadInPairs(mlir::Value tile);
  /// Two elements of bf16 as a pair, as `roundPair` makes it.
  mlir::Value joinPair(mlir::Value low, mlir::Value high);
  /// The lower or upper half of a pair of bf16 as f32.
  mlir::Value widen(mlir::Value pair, bool upper);
  /// Element `e` of a tile that is rounded.
  mlir::Value getRounded(mlir::Value tile, int64_t e);

  // Between layouts of registers (DistributeExchange.cpp).
  void exchange(tile::ConvertLayoutOp op);

  /// Whether the kernel's products of 16 bits leave few registers: those of two
  /// bands of rows, of a state that stays in them, or of scores that take a
  /// quarter of them.
  bool isShortOfRegisters();
  /// Whether products of 16 bits add to a state.
  bool updatesState();
  /// Whether products of 16 bits add to a state of two bands of rows or more.
  bool hasState();
  /// Whether chunks multiply queries whose terms are in registers, as they are
  /// computed, beside a state of one band of rows: all that does not change
  /// from chunk to chunk is computed in the loop then.
  bool hasTermsBesideState();
  /// Whether channels decay in a kernel of matrix instructions.
  bool decaysInBands();
  /// Whether the kernel adds to a state, a product with a transposed operand.
  bool isRecurrence();
  /// `value`, but computed in each iteration of the loop around `op`: the sign
  /// of the sum of the induction variable and its bound, which is 0, is added
  /// (in most recurrences, that of the induction variable). What is computed
  /// from it takes no register through the loop: where none is left, ptxas
  /// spills what was computed in front of the loop.
  mlir::Value keepInLoop(mlir::Value value, mlir::Operation *op);
  /// The same in kernels that have a state of two bands of rows or more. They
  /// have more tiles than others, and need the places of each once in a long
  /// iteration. With the sum alone LLVM adds constants behind it in front of
  /// the loop, so bits are flipped by the sign as well: `ptxas` spilled 16
  /// bytes beside a state of 128 x 64.
  mlir::Value keepBesideState(mlir::Value value, mlir::Operation *op);

  /// Has what a branch that is seldom executed computes from the place of a
  /// tile and the number of the thread computed there, in each iteration of the
  /// loop around `op`. In front of the loop it would take registers through it.
  void keepSeldom(Window &window, mlir::Value &thread, mlir::Operation *op);

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
  friend class Tf32Emitter;
  friend class CopyEmitter;
  friend class DecayDotEmitter;
  friend class VectorScan;
  friend class GroupCopyEmitter;

  mlir::gpu::GPUFuncOp kernel;
  ThreadTiles threads;
  mlir::ImplicitLocOpBuilder b;
  llvm::DenseMap<mlir::Value, Values> pieces;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  /// Of buffers of other elements of 16 bits, the same as f16.
  llvm::DenseMap<mlir::Value, mlir::Value> halves;
  /// Numbers rounded to tf32.
  llvm::DenseMap<mlir::Value, mlir::Value> rounded;
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
  /// Pairs of tiles that are rounded, by the number of their first elements.
  std::map<std::pair<void *, int64_t>, mlir::Value> pairs;
  llvm::SmallVector<mlir::Operation *> lowered;
  std::optional<bool> shortOfRegisters, state, wideState, termsBesideState,
      recurrence, bands;
  llvm::DenseMap<mlir::Value, bool> delayed;
  /// Scans of vectors, by all that they depend on but their results' layout,
  /// and what the lanes have of each.
  std::map<std::tuple<const void *, tile::ReduceKind, bool, bool>, Values>
      scanned;
  /// Terms of a sum that are stored with the next one.
  llvm::SmallVector<tile::ConvertLayoutOp> terms;
  bool hasOpenCopies = false;
  /// Of sizes of blocks: the one that the warp's rows are multiplied with.
  std::map<int64_t, mlir::Value> otherBlocks;
};

} // namespace attn

#endif // ATTN_CODEGEN_GPU_DISTRIBUTOR_H
