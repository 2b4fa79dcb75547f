//===- Pipelines.cpp - The order of the passes ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Pipelines.h"
#include "dialect/TileDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/ScheduleText.h"

using namespace mlir;
using namespace attn;

/// The phase that changes the element type of a spec.
static Phase getDtypePhase(StringRef dtype) {
  return {"set-dtype", Form::Attn,
          [dtype = dtype.str()](OpPassManager &manager) {
            SetDtypeOptions options;
            options.dtype = dtype;
            manager.addPass(createSetDtype(options));
          }};
}

static SelectScheduleOptions getScheduleOptions(const TileOptions &options) {
  SelectScheduleOptions result;
  result.schedule = options.schedule;
  result.vectorBits = options.vectorBits;
  result.l1Bytes = options.l1Bytes;
  result.l2Bytes = options.l2Bytes;
  return result;
}

/// Whether ops occur that only recurrences have.
static bool hasRecurrence(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        auto dot = dyn_cast<tile::DotOp>(op);
        bool found = isa<tile::ScanOp, tile::DecayDotOp>(op) ||
                     (dot && dot.getTransposeLhs());
        return found ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether blocks say how many warps they have, or how they copy.
static bool hasMarkedBlocks(ModuleOp module) {
  return module
      .walk([](scf::ForallOp blocks) {
        bool found = blocks->hasAttr(tile::kWarpsAttr) ||
                     blocks->hasAttr(tile::kStagesAttr) ||
                     blocks->hasAttr(tile::kOverlapAttr) ||
                     blocks->hasAttr(tile::kResidentAttr);
        return found ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

namespace {
/// Canonicalizes a tile program. The loop over the chunks of a recurrence stays
/// a loop where there is one chunk: back ends find the state by what it
/// carries. A loop over blocks stays one where it says something of the blocks,
/// be it over a single one.
struct CanonicalizeTiles
    : PassWrapper<CanonicalizeTiles, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CanonicalizeTiles)

  void runOnOperation() override {
    OpPassManager manager(ModuleOp::getOperationName());
    std::vector<std::string> disabled;
    if (hasRecurrence(getOperation()))
      disabled.push_back("(anonymous namespace)::SimplifyTrivialLoops");
    if (hasMarkedBlocks(getOperation()))
      disabled.push_back(
          "(anonymous namespace)::ForallOpSingleOrZeroIterationDimsFolder");
    manager.addPass(createCanonicalizerPass(GreedyRewriteConfig(), disabled));
    if (failed(runPipeline(manager, getOperation())))
      signalPassFailure();
  }
};
} // namespace

SmallVector<Phase> attn::getTilePhases(const TileOptions &options) {
  SmallVector<Phase> phases;
  if (!options.dtype.empty())
    phases.push_back(getDtypePhase(options.dtype));
  phases.push_back({"decompose", Form::Attn, [](OpPassManager &manager) {
                      manager.addNestedPass<func::FuncOp>(
                          createExpandSegments());
                      manager.addNestedPass<func::FuncOp>(createDecompose());
                    }});
  phases.push_back({"fuse", Form::Attn, [](OpPassManager &manager) {
                      manager.addNestedPass<func::FuncOp>(createFuse());
                    }});
  phases.push_back({"infer-sparsity", Form::Attn, [](OpPassManager &manager) {
                      manager.addNestedPass<func::FuncOp>(
                          createInferSparsity());
                    }});
  phases.push_back({"expand-random", Form::Attn, [](OpPassManager &manager) {
                      manager.addNestedPass<func::FuncOp>(createExpandRandom());
                    }});
  // A schedule that is asked for is meant for all numbers of queries, unless it
  // says for which.
  if (options.schedule.empty() || hasScheduleParts(options.schedule))
    phases.push_back({"specialize", Form::Attn, [](OpPassManager &manager) {
                        manager.addNestedPass<func::FuncOp>(createSpecialize());
                      }});
  phases.push_back(
      {"select-schedule", Form::Attn, [options](OpPassManager &manager) {
         if (options.selectSchedule)
           return options.selectSchedule(manager.nest<func::FuncOp>());
         manager.addNestedPass<func::FuncOp>(
             createSelectSchedule(getScheduleOptions(options)));
       }});
  phases.push_back({"list-blocks", Form::Attn, [](OpPassManager &manager) {
                      manager.addNestedPass<func::FuncOp>(createListBlocks());
                    }});
  phases.push_back(
      {"split-blocks", Form::Tile,
       [longestFirst = options.longestFirst](OpPassManager &manager) {
         SplitBlocksOptions split;
         split.longestFirst = longestFirst;
         manager.addNestedPass<func::FuncOp>(createSplitBlocks(split));
       }});
  phases.push_back({"apply-sparsity", Form::Tile,
                    [rowGroup = options.rowGroup](OpPassManager &manager) {
                      ApplySparsityOptions sparsity;
                      sparsity.rowGroup = rowGroup;
                      manager.addNestedPass<func::FuncOp>(
                          createApplySparsity(sparsity));
                    }});
  phases.push_back({"to-tile", Form::Tile,
                    [countLists = options.countLists](OpPassManager &manager) {
                      ToTileOptions tile;
                      tile.countLists = countLists;
                      manager.addPass(createToTile(tile));
                      manager.addPass(std::make_unique<CanonicalizeTiles>());
                      manager.addPass(createCSEPass());
                      manager.addNestedPass<func::FuncOp>(createVerifyTile());
                    }});
  return phases;
}

SmallVector<Phase> attn::getCountPhases(StringRef dtype) {
  SmallVector<Phase> phases;
  if (!dtype.empty())
    phases.push_back(getDtypePhase(dtype));
  phases.push_back({"count-pairs", Form::Attn, [](OpPassManager &manager) {
                      OpPassManager &nested = manager.nest<func::FuncOp>();
                      nested.addPass(createExpandSegments());
                      nested.addPass(createInferSparsity());
                      nested.addPass(createExpandRandom());
                      nested.addPass(createCountPairs());
                      // Sizes are asked of arguments, not of computed values.
                      manager.addPass(
                          memref::createResolveRankedShapeTypeResultDimsPass());
                      manager.addPass(createCanonicalizerPass());
                    }});
  return phases;
}

SmallVector<Phase> attn::getReferencePhases(StringRef dtype,
                                            StringRef precision) {
  SmallVector<Phase> phases;
  if (!dtype.empty())
    phases.push_back(getDtypePhase(dtype));
  phases.push_back({"lower-to-reference", Form::Vector,
                    [precision = precision.str()](OpPassManager &manager) {
                      buildReferencePipeline(manager, precision);
                    }});
  return phases;
}
