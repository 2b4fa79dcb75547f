//===- SpecCompilation.h - The compiler behind contexts ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_SPECCOMPILATION_H
#define ATTN_RUNTIME_COMPILER_SPECCOMPILATION_H

#include "runtime/jit/SpecCompiler.h"

namespace attn {

/// The compiler of this program (Compiler.h), as contexts use it (jit/Jit.h).
std::unique_ptr<SpecCompiler> makeSpecCompiler();

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_SPECCOMPILATION_H
