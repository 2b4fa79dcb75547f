//===- TileTranslator.h - One function as a tile program --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_TILETRANSLATOR_H
#define ATTN_PASSES_TILETRANSLATOR_H

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/RecurTiles.h"

namespace attn {

/// Where a block of rows is.
struct RowBlock {
  mlir::Value batch, head;
  llvm::SmallVector<mlir::Value>
      token; ///< That of its first row, one index per axis.

  llvm::SmallVector<mlir::Value> getOffsets() const {
    llvm::SmallVector<mlir::Value> offsets{batch, head};
    llvm::append_range(offsets, token);
    return offsets;
  }
};

/// Translates one function (ToTile.cpp).
class TileTranslator {
public:
  TileTranslator(mlir::func::FuncOp from, bool countLists)
      : from(from), countLists(countLists),
        b(from.getLoc(), from.getContext()) {}

  llvm::LogicalResult run();

private:
  mlir::func::FuncOp declare();
  llvm::LogicalResult translate(mlir::Block &block);
  llvm::LogicalResult translate(mlir::Operation *op);
  // One kind of op each.
  llvm::LogicalResult translate(MapRowsOp op);
  llvm::LogicalResult translate(ReduceOp op);
  llvm::LogicalResult translate(MergeOp op);
  llvm::LogicalResult translate(BlockBoundsOp op);
  llvm::LogicalResult translate(BlockListOp op);
  llvm::LogicalResult translate(BlockOrderOp op);
  llvm::LogicalResult translate(TransposeListOp op);
  llvm::LogicalResult translate(SegmentBoundsOp op);
  llvm::LogicalResult translate(PartialOp op);
  llvm::LogicalResult translate(AddSinkOp op);
  llvm::LogicalResult translate(FinishOp op);
  llvm::LogicalResult translate(RecurChunkOp op);
  llvm::LogicalResult translate(LoadStateOp op);
  llvm::LogicalResult translate(MergeStateOp op);
  llvm::LogicalResult chooseNumbers(mlir::scf::IfOp op);
  llvm::LogicalResult translate(mlir::scf::IfOp op);
  llvm::LogicalResult translate(mlir::scf::ForallOp op);
  llvm::LogicalResult translate(mlir::scf::ForOp op);
  llvm::LogicalResult translate(mlir::tensor::DimOp op);
  llvm::LogicalResult translate(mlir::tensor::EmptyOp op);
  llvm::LogicalResult translate(mlir::tensor::ExtractOp op);
  llvm::LogicalResult translate(mlir::tensor::ExtractSliceOp op);
  llvm::LogicalResult translate(mlir::tensor::InsertSliceOp op);
  llvm::LogicalResult translate(mlir::tensor::ReshapeOp op);
  RowBlock enterRowBlocks(llvm::ArrayRef<mlir::Value> sizes, int64_t rows);
  mlir::Value sizeBefore(mlir::Value size);
  llvm::SmallVector<mlir::OpFoldResult>
  mapped(llvm::ArrayRef<mlir::OpFoldResult> sizes);
  llvm::SmallVector<mlir::Value>
  mappedValues(llvm::ArrayRef<mlir::OpFoldResult> offsets);
  void storeRows(mlir::tensor::ParallelInsertSliceOp insert);
  mlir::Value viewFor(mlir::Value tensor, mlir::ValueRange dynamicSizes);

  mlir::func::FuncOp from;
  bool countLists; ///< See the option of the pass.
  mlir::ImplicitLocOpBuilder b;
  mlir::IRMapping mapping;
  /// The view that each returned tensor is written to.
  llvm::DenseMap<mlir::Value, mlir::Value> destination;
  llvm::SmallVector<mlir::Value> buffers;
  /// Parts of results that blocks fill in loops.
  llvm::DenseMap<mlir::Value, ViewSlice> slices;
};

} // namespace attn

#endif // ATTN_PASSES_TILETRANSLATOR_H
