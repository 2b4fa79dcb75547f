//===- StripLowering.h - Score-like tiles of a segment, strip by strip -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A segment is a run of tile ops without a loop between them. Those of its ops
// whose lanes run along queries are executed strip by strip: for one strip,
// everything from the first product to the last. Inside a strip the ops are
// ordered by stages. A value of stage n can be computed column by column once
// all columns of stage n - 1 are there:
//
//   stage(product)      = 1 + stage(left operand), if that is of this segment
//   stage(reduction)    = stage(operand), its result is there at stage + 1
//   stage(elementwise)  = largest stage of its operands
//
// For softmax: stage 0 computes scores and their maximum, stage 1 exponentials
// and their sum, stage 2 the second product. The roots of a stage (reductions,
// and values that must be in memory) share one loop over columns; what they are
// computed from is evaluated inside of it, in registers.
//
// A product is evaluated for several columns at once: columns x registers
// accumulators stay in registers during the loop over its depth.
//
// Products that decay (tile.decay_dot) go from column to column in one
// direction and are computed in a loop of their own in front of stage 0: their
// stage is -1.
//
// Where all that a loop over columns computes is trimmed to the same ranges
// (tile.trim), it runs over the range of the strip, and so do products over
// their depth.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_STRIPLOWERING_H
#define ATTN_CODEGEN_CPU_STRIPLOWERING_H

#include "codegen/cpu/TileBuffers.h"
#include "codegen/cpu/VectorOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include <map>
#include <set>

namespace attn {

/// A value of a segment and the buffer of its own that it must be stored to.
struct Materialized {
  mlir::Value tile;
  mlir::Value buffer; ///< Strips for rank 2, a column for rank 1.
};

/// Lowers the strips of one segment. `segment` holds the segment's ops.
class StripLowering {
public:
  StripLowering(mlir::ImplicitLocOpBuilder &b, VectorOps &vectors,
                const VectorUnit &unit, TileBuffers &buffers,
                const mlir::IRMapping &scalars,
                const llvm::SetVector<mlir::Operation *> &segment)
      : b(b), vectors(vectors), unit(unit), buffers(buffers), scalars(scalars),
        segment(segment) {}

  /// Emits the loop over strips that computes `wanted`. Tiles have `rows` rows;
  /// of their strips the first `live` are computed, all if that is null.
  llvm::LogicalResult run(llvm::ArrayRef<Materialized> wanted, int64_t rows,
                          mlir::Value live);

  /// Registers side by side in a strip, where the rows of a block permit:
  /// two make little waste, but 16 registers hold too few accumulators then.
  static int64_t usualRegisters(int64_t registersOfUnit) {
    return registersOfUnit > 16 ? 2 : 3;
  }

  /// Registers side by side in a strip of a block of `rows` rows.
  static int64_t stripRegisters(int64_t rows, int64_t lanes,
                                const VectorUnit &unit);

private:
  using Vectors = llvm::SmallVector<mlir::Value>;

  /// What the loops over columns of one stage and one width compute.
  struct Loop {
    llvm::SmallVector<tile::ReduceOp> reductions;
    llvm::SmallVector<mlir::Value> stores;
  };
  /// When a buffered value is read last, by the same column and by all columns.
  struct Reads {
    int64_t byColumn = -1;
    int64_t whole = -1;
  };

  // Planning.
  bool isLocal(mlir::Value tile) const;
  bool isHeavy(mlir::Value tile);
  int64_t stageOf(mlir::Value tile);
  int64_t loopStage(tile::ReduceOp op);
  void need(mlir::Value tile, int64_t stage);
  void needOperands(mlir::Operation *op, int64_t stage);
  void needStored(mlir::Value tile);
  void needReduced(tile::ReduceOp op);
  void placeTemporaries(llvm::ArrayRef<Materialized> wanted);
  mlir::Value reusableTemporary(mlir::Value tile);

  // Emission.
  llvm::LogicalResult emitStrip(llvm::ArrayRef<Materialized> wanted);
  llvm::LogicalResult emitStage(int64_t stage);
  llvm::LogicalResult emitLoop(Loop &loop, int64_t cols);
  llvm::LogicalResult emitColumns(Loop &loop, mlir::Value first, int64_t count,
                                  llvm::SmallVector<Vectors> &sums);
  int64_t columnsAtOnce(int64_t cols);

  // Ranges of columns.
  struct Range {
    mlir::Value begin, end;
  };
  llvm::LogicalResult planTrims();
  bool isTrimmed(mlir::Value tile) const;
  bool isReadTrimmed(mlir::OpOperand &use) const;
  bool isNarrow(int64_t cols) const { return narrow.count({stage, cols}); }
  Range emitRange(tile::TrimOp op);
  Vectors trim(tile::TrimOp op, const Vectors &value, mlir::Value at);

  // Evaluation: of a column (rank 1), and of one column of pairs (rank 2).
  mlir::FailureOr<Vectors> column(mlir::Value tile);
  mlir::FailureOr<Vectors> computeColumn(mlir::Value tile);
  mlir::FailureOr<Vectors> pairs(mlir::Value tile, int64_t col);
  mlir::FailureOr<Vectors> computePairs(mlir::Value tile, int64_t col);
  mlir::FailureOr<Vectors> elementwise(mlir::Operation *op, int64_t col,
                                       bool rank2);

  // StripProducts.cpp.
  mlir::FailureOr<Vectors> product(tile::DotOp op, int64_t col);
  mlir::FailureOr<Vectors> sumProducts(tile::DotOp op);
  Vectors leftColumn(tile::DotOp op, mlir::Value left, mlir::Value k);
  Vectors sumOverDepth(tile::DotOp op, mlir::Value left, mlir::Value right,
                       Range depth, mlir::ValueRange sums,
                       mlir::Value ofStrip = {});
  Vectors sumOverStrips(tile::DotOp op, mlir::Value left, mlir::Value right,
                        mlir::ValueRange zeros);
  Vectors sumInParts(tile::DotOp op, mlir::Value left, mlir::Value right,
                     int64_t depth, mlir::ValueRange zeros);
  mlir::FailureOr<Vectors> addInit(mlir::Value init, int64_t col,
                                   const Vectors &sum);
  void prefetchNext(tile::DotOp op, mlir::Value first, mlir::Value k);

  // StripDecays.cpp: tile.decay_dot, in front of the first stage.
  /// The columns whose products are summed at once, and for each of them and
  /// each register the lanes that are in (or out of) the triangle.
  struct DecayColumns {
    mlir::Value first;
    int64_t count;
    llvm::SmallVector<Vectors> masks; ///< Empty: all lanes are inside.
  };
  llvm::LogicalResult emitDecays();
  llvm::LogicalResult emitDecayDot(tile::DecayDotOp op);
  llvm::LogicalResult startDecays(tile::DecayDotOp op, mlir::Value terms);
  llvm::LogicalResult
  forEachDecayTile(tile::DecayDotOp op, Range range, int64_t count,
                   llvm::function_ref<llvm::LogicalResult(mlir::Value)> body);
  llvm::LogicalResult emitDecayColumns(tile::DecayDotOp op, mlir::Value terms,
                                       const DecayColumns &columns);
  mlir::FailureOr<Vectors> addDecayed(tile::DecayDotOp op, mlir::Value terms,
                                      const DecayColumns &columns);
  Vectors decayMasks(tile::DecayDotOp op, mlir::Value at);
  /// `inside` in the lanes of the triangle, `outside` in others.
  mlir::Value choose(mlir::Value mask, bool maskIsInside, mlir::Value inside,
                     mlir::Value outside) {
    if (!maskIsInside)
      std::swap(inside, outside);
    return mlir::arith::SelectOp::create(b, mask, inside, outside);
  }
  /// Whether single elements of `tile` can be read.
  bool hasElements(mlir::Value tile) const;
  mlir::FailureOr<mlir::Value> rowElement(mlir::Value tile, mlir::Value row,
                                          mlir::Value col);
  int64_t decayColumnsAtOnce() const;

  Vectors repeat(mlir::Value vector) const {
    return Vectors(registers, vector);
  }
  Vectors rowPositions(mlir::Value start);
  Vectors loadColumn(tile::LoadOp op);
  mlir::FailureOr<Vectors> loadIndexed(tile::LoadOp op);
  mlir::FailureOr<mlir::Value> elementOfRow(tile::BroadcastOp op,
                                            mlir::Value at);
  Vectors loadVectors(mlir::Value buffer, mlir::Value col);
  void storeVectors(const Vectors &values, mlir::Value buffer, mlir::Value col);
  llvm::SmallVector<mlir::Value> address(mlir::Value buffer, mlir::Value col,
                                         int64_t vector);
  mlir::Value multiplyAdd(mlir::Value x, mlir::Value y, mlir::Value sum);

  mlir::ImplicitLocOpBuilder &b;
  VectorOps &vectors;
  const VectorUnit &unit;
  TileBuffers &buffers;
  const mlir::IRMapping &scalars;
  const llvm::SetVector<mlir::Operation *> &segment;

  int64_t registers = 1; ///< Side by side in a strip.
  int64_t strips = 1;    ///< Of the block.
  mlir::Value strip;     ///< Which strip is being emitted.

  // The plan.
  std::map<int64_t, std::map<int64_t, Loop>> loops; ///< By stage and columns.
  llvm::SetVector<mlir::Value> stored;              ///< Tiles kept in memory.
  llvm::SetVector<mlir::Operation *> reduced;
  llvm::SetVector<mlir::Value> columnsNeeded;
  llvm::DenseMap<mlir::Value, int64_t> stages;
  llvm::DenseMap<mlir::Value, Reads> reads;
  /// Buffer of a stored tile: of this strip, or the caller's.
  llvm::DenseMap<mlir::Value, mlir::Value> home;
  /// Stored tiles that are copied to the caller's buffer after the last stage.
  llvm::SmallVector<Materialized> copies;
  llvm::SmallVector<tile::TrimOp> trims;      ///< Of the segment.
  llvm::SmallVector<tile::DecayDotOp> decays; ///< Computed in front.
  /// Stages and columns of loops that run over the range of the strip.
  std::set<std::pair<int64_t, int64_t>> narrow;

  // State of emission.
  int64_t stage = 0;
  mlir::Value firstColumn;
  int64_t columnCount = 0;
  llvm::DenseMap<mlir::Operation *, Range> ranges; ///< Of trims, here.
  llvm::DenseMap<mlir::Value, Vectors> knownColumns;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, Vectors> knownPairs;
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_STRIPLOWERING_H
