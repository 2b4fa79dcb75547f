//===- SliceStores.cpp - Elementwise kernels, some columns at a time ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel that merges partial results loads a row of each of them, and adds
// them up element by element. Wide rows do not fit into registers side by side;
// so their columns are loaded, added up and stored some at a time.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Passes.h"
#include "codegen/gpu/TileSlices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace attn {
#define GEN_PASS_DEF_GPUSLICESTORES
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Whether no element of a wide tile meets one of another column.
static bool isElementwise(gpu::GPUFuncOp kernel) {
  WalkResult result = kernel.walk([](Operation *op) {
    bool mixes = isa<scf::ForOp, tile::DotOp, tile::DecayDotOp, tile::ReduceOp,
                     tile::ScanOp>(op);
    return mixes ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !result.wasInterrupted();
}

/// Replaces a store by one for each slice of the columns.
static void cut(tile::StoreOp store, int64_t columns) {
  Slicer slicer(store, /*isLate=*/true);
  ImplicitLocOpBuilder b(store.getLoc(), store);
  for (Cut cut : getColumnCuts(store.getValue(), columns)) {
    Value slice = slicer.cut(store.getValue(), cut);
    SmallVector<Value> offsets(store.getOffsets());
    Value start = arith::ConstantIndexOp::create(b, cut.start);
    offsets.back() = arith::AddIOp::create(b, offsets.back(), start);
    tile::StoreOp::create(b, slice, store.getView(), offsets, store.getRows());
  }
  store.erase();
}

namespace {
struct GpuSliceStores : attn::impl::GpuSliceStoresBase<GpuSliceStores> {
  using GpuSliceStoresBase::GpuSliceStoresBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>()) {
      if (!isElementwise(kernel))
        continue;
      SmallVector<tile::StoreOp> stores;
      kernel.walk([&](tile::StoreOp store) { stores.push_back(store); });
      for (tile::StoreOp store : stores) {
        auto type = cast<RankedTensorType>(store.getValue().getType());
        if (type.getRank() == 2 && type.getDimSize(1) > columns)
          cut(store, columns);
      }
    }
  }
};
} // namespace
