//===- Pipeline.cpp - From a tile program to NVIDIA kernels ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/Pipeline.h"
#include "codegen/gpu/Passes.h"
#include "codegen/gpu/Resources.h"
#include "codegen/nvidia/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace attn;

llvm::Expected<NvidiaTarget> attn::getNvidiaTarget(StringRef chip) {
  // What cudaDevAttrMaxSharedMemoryPerBlockOptin says of these devices.
  static const NvidiaTarget known[] = {{"sm_80", 163 * 1024},
                                       {"sm_86", 99 * 1024},
                                       {"sm_89", 99 * 1024},
                                       {"sm_90", 227 * 1024}};
  for (const NvidiaTarget &target : known)
    if (target.chip == chip)
      return target;
  return llvm::createStringError("unknown device '" + chip +
                                 "': expected sm_80, sm_86, sm_89 or sm_90");
}

std::function<void(OpPassManager &)>
attn::getNvidiaSchedule(const NvidiaTarget &target, StringRef schedule) {
  GpuSelectScheduleOptions options;
  options.schedule = schedule.str();
  options.sharedBytes = target.sharedBytes;
  options.threads = target.threads;
  return [options](OpPassManager &functions) {
    functions.addPass(createGpuMoveFactors());
    functions.addPass(createGpuSelectSchedule(options));
  };
}

static void addCleanup(OpPassManager &kernels) {
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
}

/// Blocks to kernels with layouts, places and barriers.
static void addPlacement(OpPassManager &manager, const NvidiaTarget &target) {
  GpuMapBlocksOptions mapping;
  mapping.threads = target.threads;
  manager.addPass(createGpuMapBlocks(mapping));
  OpPassManager &kernels = manager.nest<gpu::GPUModuleOp>();
  addCleanup(kernels);
  kernels.addPass(createNvidiaMatrixStates());
  kernels.addPass(createNvidiaMatrixProducts());
  kernels.addPass(createNvidiaDelayScales());
  GpuSliceProductsOptions slices;
  slices.bytes = kSliceBytes;
  kernels.addPass(createGpuSliceProducts(slices));
  kernels.addPass(createGpuSliceStores());
  // No CSE: keys that are values as well would be kept from one product to the
  // other, all slices of them at once.
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createLoopInvariantCodeMotionPass());
  kernels.addPass(createGpuShareColumns());
  kernels.addPass(createGpuAssignLayouts());
  kernels.addPass(createGpuOverlapProducts());
  kernels.addPass(createGpuPipelineCopies());
  GpuAllocateSharedOptions shared;
  shared.limit = target.sharedBytes;
  kernels.addPass(createGpuAllocateShared(shared));
  kernels.addPass(createGpuInsertBarriers());
}

SmallVector<Phase> attn::getNvidiaPhases(const NvidiaTarget &target) {
  SmallVector<Phase> phases;
  phases.push_back(
      {"place-tiles", Form::Vector,
       [target](OpPassManager &manager) { addPlacement(manager, target); }});
  phases.push_back({"distribute", Form::Vector, [](OpPassManager &manager) {
                      OpPassManager &kernels = manager.nest<gpu::GPUModuleOp>();
                      kernels.addPass(createGpuDistribute());
                      addCleanup(kernels);
                      kernels.addPass(createGpuNarrowPositions());
                      kernels.addPass(createNvidiaApproximateMath());
                      kernels.addPass(createGpuExpandMath());
                      addCleanup(kernels);
                      kernels.addPass(createLoopInvariantCodeMotionPass());
                    }});
  phases.push_back({"to-nvvm", Form::Llvm, [](OpPassManager &manager) {
                      OpPassManager &kernels = manager.nest<gpu::GPUModuleOp>();
                      kernels.addPass(createNvidiaToNvvm());
                      addCleanup(kernels);
                    }});
  return phases;
}
