//===- RecurTiles.h - Chunks of recurrences as tile ops ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_RECURTILES_H
#define ATTN_PASSES_RECURTILES_H

#include "passes/TileValues.h"

namespace attn {

/// Rows and columns of a view that a value stands for.
struct ViewSlice {
  mlir::Value view;
  llvm::SmallVector<mlir::Value> offsets; ///< One per dimension of the view.

  /// Where `row` and `column` of it are.
  llvm::SmallVector<mlir::Value> at(mlir::ImplicitLocOpBuilder &b,
                                    mlir::Value row, mlir::Value column) const;
};

/// The tile of an `attn.load_state`.
mlir::Value loadState(mlir::ImplicitLocOpBuilder &b,
                      const mlir::IRMapping &mapping, LoadStateOp op);

/// The tile of an `attn.merge_state`.
mlir::Value mergeState(mlir::ImplicitLocOpBuilder &b,
                       const mlir::IRMapping &mapping, MergeStateOp op);

/// Expands one `attn.recur_chunk`, whose operands `mapping` sends to views
/// (tensors), tiles (parts of the state) and indices.
class RecurTiles : public TileValues {
public:
  RecurTiles(mlir::ImplicitLocOpBuilder &b, const mlir::IRMapping &mapping,
             RecurChunkOp op);

  /// The results of the op: its rows, if there are any, then the parts of its
  /// state. `past` is where earlier sums lie, if the op reads them.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> run(const ViewSlice *past);

private:
  using Tile = mlir::Value;

  mlir::Value index(int64_t value);
  mlir::Value headIn(mlir::Value operand);
  mlir::Value batchIn(mlir::Value operand);
  Tile load(mlir::Value operand, llvm::ArrayRef<int64_t> shape,
            mlir::ValueRange offsets);
  Tile broadcast(Tile vector, int64_t along, llvm::ArrayRef<int64_t> shape);
  Tile multiply(Tile x, Tile y);
  Tile product(Tile lhs, Tile rhs, Tile init, bool transposeLhs,
               bool transposeRhs);
  Tile decayUpTo(bool reverse, bool exclusive);
  Tile rowSums(Tile value);
  Tile exists(llvm::ArrayRef<int64_t> shape);
  Tile keepExisting(Tile rows);
  mlir::FailureOr<Tile> features(mlir::Value operand, mlir::Region &region);
  Tile loadPerToken(mlir::Value operand);
  Tile loadGate();
  llvm::LogicalResult loadOperands();
  Tile pairsWhere(mlir::arith::CmpIPredicate predicate);
  Tile decaysBetween(bool isStrict);
  Tile scores();
  Tile bonus();
  Tile weights();
  Tile decayedRows(Tile rows, Tile decay);
  void readState(Tile &rows, Tile &denominator);
  void addPast(const ViewSlice &past, Tile &rows, Tile &denominator);
  mlir::FailureOr<Tile> finish(Tile rows, Tile denominator);
  mlir::FailureOr<Tile> output(const ViewSlice *past);
  /// Whether the state is what is left of a column behind the values.
  bool isBehindColumns();
  llvm::SmallVector<mlir::Value> nextState();

  // RecurStep.cpp: chunks of one token.
  bool isStep() const { return length == 1; }
  Tile sumRows(Tile tile);
  Tile scaleRows(Tile state, Tile factors);
  Tile stepDecays();
  Tile stepOwn();
  void readStep(Tile &rows, Tile &denominator);
  llvm::SmallVector<mlir::Value> nextStep();

  RecurChunkOp op;
  mlir::Type type;                 ///< In which everything is computed.
  int64_t length, height, columns; ///< Of the chunk and the state.
  mlir::Value batch, head, row, col;
  bool isReversed, isPerChannel;
  Tile query, key, value; ///< Mapped; the query scaled.
  /// Factors of a token, and their logarithms: [length], or [length, height]
  /// per channel; null if nothing decays.
  Tile decay, gate;
};

} // namespace attn

#endif // ATTN_PASSES_RECURTILES_H
