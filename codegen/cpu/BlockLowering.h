//===- BlockLowering.h - One loop over blocks, for registers ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_BLOCKLOWERING_H
#define ATTN_CODEGEN_CPU_BLOCKLOWERING_H

#include "codegen/cpu/RowEvaluator.h"
#include "codegen/cpu/StripLowering.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attn {

/// Lanes of a register for the widest floating-point tiles in `forall`.
int64_t getLanes(mlir::scf::ForallOp forall, int64_t bits);

/// Lowers one scf.forall of a tile program (BlockRegisters.cpp tells how).
class BlockLowering {
public:
  /// One pass over the rows of tiles of one shape (StateSweep.cpp).
  struct Sweep {
    int64_t rows = 0, columns = 0;
    llvm::SmallVector<tile::ReduceOp> sums; ///< Of all rows.
    llvm::SmallVector<tile::StoreOp> stores;
    llvm::SmallVector<Materialized> yields;
  };

  BlockLowering(mlir::scf::ForallOp forall, const VectorUnit &unit)
      : from(forall), unit(unit), b(forall.getLoc(), forall),
        vectors(b, getLanes(forall, unit.bits)) {}

  /// Replaces the loop by one over vectors; fails with an error on the op that
  /// is not supported.
  llvm::LogicalResult run();

private:
  using Segment = llvm::SetVector<mlir::Operation *>;

  llvm::LogicalResult lowerBody(mlir::Block &block,
                                llvm::ArrayRef<Materialized> yields);
  llvm::LogicalResult lowerLoop(mlir::scf::ForOp loop);
  llvm::LogicalResult lowerSegment(const Segment &segment,
                                   llvm::ArrayRef<Materialized> yields);
  void cloneScalar(mlir::Operation *op);
  void writeScalar(tile::WriteOp op);
  llvm::LogicalResult lowerScalarLoop(mlir::scf::ForOp loop);

  bool isPair(mlir::Value tile);
  mlir::Value allocate(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  mlir::Value allocateFor(mlir::Value tile);
  llvm::DenseMap<mlir::Value, mlir::Value> &buffersFor(mlir::Value tile);
  llvm::LogicalResult compute(llvm::ArrayRef<Materialized> wanted,
                              const Segment &segment);
  llvm::LogicalResult computeStrips(llvm::ArrayRef<Materialized> wanted,
                                    const Segment &segment);
  llvm::LogicalResult computeRows(llvm::ArrayRef<Materialized> wanted,
                                  int64_t rows);
  int64_t stripWidth(int64_t rows) const;
  bool hasFewRows();
  bool foldsRows();
  mlir::FailureOr<mlir::Value> carried(mlir::Value init, mlir::scf::ForOp loop);

  // BlockPacking.cpp.
  int64_t getPitch(mlir::Value tile) const;
  tile::LoadOp getPlainLoad(mlir::Value tile);
  llvm::LogicalResult viewRows(mlir::Value tile, tile::LoadOp load);
  llvm::LogicalResult packRows(mlir::Value tile);
  llvm::LogicalResult packStrips(mlir::Value tile);
  llvm::LogicalResult unpackStrips(mlir::Value tile);
  llvm::LogicalResult packOperands(const Segment &segment);

  // BlockRecurrence.cpp.
  /// Whether ops of recurrences occur: a product that reads what a loop
  /// carries or sums over rows, scans, decays.
  bool isRecurrence();
  bool isOfColumns(mlir::Value tile) const;
  llvm::LogicalResult writeColumn(mlir::Value tile, mlir::Value buffer);
  mlir::Value allocateColumn(mlir::Value tile);
  llvm::LogicalResult
  forEachScanned(tile::ScanOp op,
                 llvm::function_ref<llvm::LogicalResult(mlir::Value)> body);
  llvm::LogicalResult scan(tile::ScanOp op);
  llvm::LogicalResult reduceRows(tile::ReduceOp op);
  llvm::LogicalResult packForProducts(mlir::Value tile);
  llvm::LogicalResult prepare(mlir::Operation *op);
  llvm::LogicalResult computeByRows(llvm::ArrayRef<Materialized> wanted,
                                    const Segment &segment);
  llvm::LogicalResult verifyYields(llvm::ArrayRef<Materialized> yields,
                                   const Segment &segment);
  llvm::LogicalResult lowerRecurrence(const Segment &segment,
                                      llvm::ArrayRef<Materialized> yields);

  // StateSweep.cpp.
  /// Whether rows of a state are stored or carried, and no product is a part of
  /// what is computed.
  bool sweepsState();
  llvm::LogicalResult beginSums(tile::ReduceOp op);
  std::pair<llvm::SmallVector<mlir::Value>, mlir::Value>
  placeOf(tile::StoreOp store, mlir::Value row, int64_t col);
  void storeSwept(tile::StoreOp store, llvm::ArrayRef<mlir::Value> parts,
                  mlir::Value row, int64_t col);
  mlir::FailureOr<llvm::SmallVector<llvm::SmallVector<mlir::Value>>>
  evaluateSwept(llvm::ArrayRef<mlir::Value> tiles, mlir::Value row, int64_t col,
                int64_t count);
  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>>
  placesOfSums(const Sweep &sweep, int64_t col, int64_t count);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  sweepRow(const Sweep &sweep, mlir::Value row, int64_t col, int64_t count,
           mlir::ValueRange sums);
  llvm::LogicalResult sweepColumns(const Sweep &sweep, int64_t col,
                                   int64_t count);
  llvm::LogicalResult sweepRows(const Sweep &sweep);
  llvm::LogicalResult lowerSweep(const Segment &segment,
                                 llvm::ArrayRef<Materialized> yields);

  void findLiveStrips();
  mlir::Value liveStrips(int64_t rows) {
    return rows == liveOf ? live : mlir::Value();
  }
  mlir::Value endOfRows(int64_t rows);
  llvm::LogicalResult
  forEachGroup(int64_t rows,
               llvm::function_ref<llvm::LogicalResult(mlir::Value)> body);
  llvm::LogicalResult
  forEachRow(mlir::Value end,
             llvm::function_ref<llvm::LogicalResult(mlir::Value)> body);
  bool isOfStrips(mlir::Value tile) const;
  void wantLeaves(mlir::Value tile, const Segment &segment,
                  llvm::SmallVector<Materialized> &wanted);
  void wantEscaping(const Segment &segment,
                    llvm::SmallVector<Materialized> &wanted);
  void want(mlir::Value tile, llvm::SmallVector<Materialized> &wanted);
  llvm::LogicalResult storeRows(llvm::ArrayRef<tile::StoreOp> stores,
                                int64_t rows);
  llvm::LogicalResult storeRow(tile::StoreOp op, RowEvaluator &rows);

  mlir::scf::ForallOp from;
  const VectorUnit &unit;
  mlir::ImplicitLocOpBuilder b;
  VectorOps vectors;
  TileBuffers buffers;
  mlir::IRMapping scalars;
  mlir::Block *entry = nullptr;
  llvm::DenseMap<mlir::Value, bool> pairs;
  /// Strips of tiles with `liveOf` rows that are computed; null means all.
  mlir::Value live;
  int64_t liveOf = 0;
  /// Whether blocks have so few rows that they are computed row by row, lanes
  /// along the columns.
  bool byRows = false;
  /// Whether it carries tiles that no product is a part of.
  bool folds = false;
  /// Whether the block is one of a recurrence.
  bool recurs = false;
  /// Whether it is one that goes over the rows of a state.
  bool sweeps = false;
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_BLOCKLOWERING_H
