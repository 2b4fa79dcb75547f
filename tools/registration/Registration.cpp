//===- Registration.cpp - What every tool of the project knows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/registration/Registration.h"
#include "codegen/cpu/Pipeline.h"
#include "codegen/gpu/Passes.h"
#include "codegen/nvidia/Passes.h"
#include "codegen/simulator/Passes.h"
#include "dialect/AttnDialect.h"
#include "dialect/TileDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"

void attn::registerEverything(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  registry.insert<AttnDialect, tile::TileDialect>();
  registerAttnPasses();
  registerReferencePipeline();
  registerCpuPasses();
  registerAttnGpuPasses();
  registerAttnNvidiaPasses();
  registerAttnSimulatorPasses();
}
