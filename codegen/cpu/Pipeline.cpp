//===- Pipeline.cpp - From a tile program to the LLVM dialect -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Pipeline.h"
#include "codegen/cpu/BlockRegisters.h"
#include "codegen/cpu/ExpandMath.h"
#include "codegen/cpu/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace attn;

static void addCleanup(OpPassManager &manager) {
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
}

static CpuMathOptions getMathOptions(const CpuTarget &target) {
  CpuMathOptions options;
  options.hasFma = target.hasFma;
  options.hasF16C = target.hasF16C;
  options.hasAvx512 = target.hasAvx512;
  return options;
}

SmallVector<Phase> attn::getCpuPhases(const CpuTarget &target) {
  SmallVector<Phase> phases;
  phases.push_back(
      {"block-registers", Form::Vector, [target](OpPassManager &manager) {
         manager.addNestedPass<func::FuncOp>(createBlockRegistersPass(
             target.vectorBits, target.vectorRegisters, target.hasFma));
         addCleanup(manager);
       }});
  phases.push_back(
      {"expand-math", Form::Vector, [target](OpPassManager &manager) {
         manager.addPass(createExpandMathPass(getMathOptions(target)));
         addCleanup(manager);
         CheckVectorsOptions options;
         options.vectorBits = target.vectorBits;
         manager.addPass(createCheckVectors(options));
       }});
  llvm::append_range(phases, getPlainCpuPhases());
  return phases;
}

SmallVector<Phase> attn::getPlainCpuPhases() {
  SmallVector<Phase> phases;
  phases.push_back({"outline-parallel", Form::Llvm, [](OpPassManager &manager) {
                      manager.addPass(createOutlineParallel());
                      manager.addPass(createCanonicalizerPass());
                    }});
  phases.push_back({"to-llvm", Form::Llvm, [](OpPassManager &manager) {
                      manager.addPass(createToLlvm());
                    }});
  return phases;
}

void attn::registerCpuPasses() {
  registerAttnCpuPasses();
  registerExpandMathPass();
}
