//===- AttnRegions.h - What the regions of attn ops may hold -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNREGIONS_H
#define ATTN_DIALECT_ATTNREGIONS_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Region.h"

namespace attn {

/// The optional regions that `attn.attend` and `attn.partial` share.
struct PairwiseRegions {
  mlir::Region &queryRows;
  mlir::Region &keyRows;
  mlir::Region &valueRows;
  mlir::Region &score;
  mlir::Region &mask;
  mlir::Region &keys;
  mlir::Region &prob;
};

/// Collects the shared regions of `op`, an `attn.attend` or `attn.partial`.
template <typename OpT> PairwiseRegions getPairwiseRegions(OpT op) {
  return {op.getQueryRows(), op.getKeyRows(), op.getValueRows(), op.getScore(),
          op.getMask(),      op.getKeys(),    op.getProb()};
}

/// Checks a region that maps one feature vector of `width` elements of type
/// `element`, that of a token with an index for each of `axes`; returns the
/// width of what it yields, or fails with an error on `op`. An empty region is
/// the identity. `name` is the region's keyword.
mlir::FailureOr<int64_t> verifyRowRegion(mlir::Operation *op,
                                         mlir::Region &region,
                                         llvm::StringRef name, int64_t width,
                                         mlir::Type element, int64_t axes = 1);

/// Checks the `norm` region of a recurrence: (vector of `width` elements of
/// type `element`, element, index x 3) -> vector; returns the width of what it
/// yields. An empty region is the identity.
mlir::FailureOr<int64_t> verifyNormRegion(mlir::Operation *op,
                                          mlir::Region &region, int64_t width,
                                          mlir::Type element);

/// Checks the region `name`, `score` or `prob`: (element, index x (2 + 2 axes))
/// -> element.
llvm::LogicalResult verifyPairRegion(mlir::Operation *op, mlir::Region &region,
                                     llvm::StringRef name, mlir::Type element,
                                     int64_t axes = 1);

/// Checks the `sink` region: (index x (2 + axes)) -> element.
llvm::LogicalResult verifySinkRegion(mlir::Operation *op, mlir::Region &region,
                                     mlir::Type element, int64_t axes = 1);

/// Checks the `mask` region: (index x (2 + 2 axes)) -> i1.
llvm::LogicalResult verifyMaskRegion(mlir::Operation *op, mlir::Region &region,
                                     int64_t axes = 1);

/// Checks the `keys` region: (index x 4) -> (index x 4).
llvm::LogicalResult verifyKeysRegion(mlir::Operation *op, mlir::Region &region);

/// Checks the `classes` region: (index x (2 + 4 axes)) -> (i1, i1).
llvm::LogicalResult verifyClassesRegion(mlir::Operation *op,
                                        mlir::Region &region, int64_t axes);

/// Whether an `attn.contract_row` of a row region takes another matrix for
/// another head.
bool hasMatrixPerHead(mlir::Region &rows);

/// Whether pair regions of tokens of so many `axes` relate query positions to
/// key positions, that is use indices of both; only then does an alignment
/// matter.
bool relatesPositions(llvm::ArrayRef<mlir::Region *> regions, int64_t axes = 1);

} // namespace attn

#endif // ATTN_DIALECT_ATTNREGIONS_H
