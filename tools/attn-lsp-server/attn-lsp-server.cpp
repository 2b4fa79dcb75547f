//===- attn-lsp-server.cpp - Specs in editors -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "tools/registration/Registration.h"
#include "llvm/Support/CommandLine.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  attn::registerEverything(registry);
  llvm::cl::ResetCommandLineParser(); // Of the options of all of LLVM.
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
