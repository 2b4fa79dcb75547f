//===- RecurSplitter.h - One recurrence into blocks and chunks --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_RECURSPLITTER_H
#define ATTN_PASSES_RECURSPLITTER_H

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/RecurSegments.h"

namespace attn {

/// What a loop over chunks does.
struct ChunkLoop {
  TokenOrder order;
  bool writes;             ///< Whether it carries the state.
  mlir::Value past;        ///< Sums of an earlier loop; null if there is none.
  bool isUnscaled = false; ///< Whether rows are sums for a later loop.
  bool hasDecay = false;   ///< Whether the state is followed by its decays.
};

/// The operands of chunks that have rows of tokens.
struct RowOperands {
  mlir::Value query, key, value, gate, beta;
};

/// Splits one attn.recur, which has a schedule (RecurBlocks.h).
class RecurSplitter {
public:
  explicit RecurSplitter(RecurOp op);

  llvm::LogicalResult run();

private:
  mlir::Value constant(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, value);
  }
  mlir::Value splat(int64_t height, int64_t width, double value);
  mlir::RankedTensorType typeOf(mlir::Value value) {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  bool isReversed() { return op.getOrder() == TokenOrder::Reversed; }
  /// Whether a single step passes all tokens.
  bool isStep() { return chunk == 1 && op.hasOneToken() && !op.getSegments(); }
  /// Whether both directions need a sweep: with decays, and where tokens do not
  /// read what they write themselves.
  bool sweepsTwice() {
    return op.getOrder() == TokenOrder::Bidirectional &&
           (op.hasGate() || op.getRead() == ReadTime::Before);
  }
  llvm::LogicalResult checkSchedule();
  llvm::SmallVector<mlir::Value> makeOutputs();
  mlir::Value emptyStates(int64_t width);
  llvm::SmallVector<mlir::Value> zeroState();
  llvm::SmallVector<mlir::Value> firstState();
  mlir::Value openRows(mlir::Value result, int64_t width, mlir::Value first,
                       mlir::Value count);
  mlir::Value insertRows(mlir::Value rows, mlir::Value into, mlir::Value row,
                         mlir::Value left);
  void insertInto(mlir::scf::ForallOp forall, unsigned result,
                  mlir::Value source, mlir::Value row, mlir::Value col,
                  mlir::OpFoldResult height, int64_t width,
                  mlir::Value lead = {});
  void insertState(mlir::scf::ForallOp forall, unsigned result,
                   mlir::Value state);
  RecurChunkOp emitChunk(const ChunkLoop &loop, mlir::Value row,
                         mlir::ValueRange state, mlir::Type output);
  mlir::Value emitDecay(const ChunkLoop &loop, mlir::Value row,
                        mlir::Value decay);
  llvm::SmallVector<mlir::Value>
  emitTokens(const ChunkLoop &loop, mlir::Value row, mlir::ValueRange state,
             mlir::ValueRange carried, mlir::Type output);
  llvm::SmallVector<mlir::Value> emitChunks(const ChunkLoop &loop,
                                            mlir::ValueRange state,
                                            mlir::ValueRange init,
                                            mlir::Type output);
  mlir::Value emitLoop(const ChunkLoop &loop,
                       llvm::SmallVector<mlir::Value> &state, mlir::Value rows,
                       mlir::Type output);
  void emitRows(mlir::scf::ForallOp forall,
                llvm::SmallVector<mlir::Value> state, bool isLast);
  mlir::Value untilEnd(mlir::Value rows);
  /// Opens block (batch, head, columns), whose indices stand behind `before`
  /// others.
  void enterBlock(mlir::scf::ForallOp forall, unsigned before);
  void enterSegment();
  void emitBehind(mlir::scf::ForallOp forall);
  llvm::SmallVector<mlir::OpFoldResult> partsGrid();
  void enterPart(mlir::scf::ForallOp forall);
  /// Where the decays of the part lie that block `number` of its columns has.
  mlir::Value decayColumn(mlir::Value number) {
    return mlir::arith::AddIOp::create(b, number,
                                       constant(op.getStateColumns()));
  }
  mlir::Value emitParts();
  llvm::SmallVector<mlir::Value> emitBegins(mlir::Value parts,
                                            mlir::Value lastStates);
  void runWhole(mlir::ValueRange outputs);
  void runParts(mlir::ValueRange outputs);

  RecurOp op;
  mlir::ImplicitLocOpBuilder b;
  int64_t chunk, columns; ///< Tokens and columns of a block.
  int64_t rows;           ///< Of the state in a block.
  int64_t splits;         ///< Parts of the sequence; 0 if there is one.
  mlir::Value numTokens;
  std::optional<Segments> segments;
  mlir::Value sums; ///< Of a first sweep, `[B, H, N, width]`; else null.
  // Of the block that is being emitted.
  RowOperands operands;
  mlir::Value batch, head, column;
  mlir::Value sequence; ///< Whose states it has: the batch, or the segment.
  mlir::Value firstToken,
      tokens;      ///< Where its part begins, and how long it is.
  mlir::Value end; ///< Where its segment ends; null without segments.
};

} // namespace attn

#endif // ATTN_PASSES_RECURSPLITTER_H
