//===- Registration.h - What every tool of the project knows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_REGISTRATION_REGISTRATION_H
#define ATTN_TOOLS_REGISTRATION_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace attn {

/// Registers the project's dialects and passes, and those of MLIR, so that the
/// optimizer, the reducer and the language server accept the same programs.
void registerEverything(mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_TOOLS_REGISTRATION_REGISTRATION_H
