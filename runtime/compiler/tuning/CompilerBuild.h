//===- CompilerBuild.h - Which compiler a record is of ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_TUNING_COMPILERBUILD_H
#define ATTN_RUNTIME_COMPILER_TUNING_COMPILERBUILD_H

#include "llvm/ADT/StringRef.h"

namespace attn {

/// The hash of the compiler's archives, as hexadecimal digits. Unlike the build
/// id of the linker (runtime/jit/BuildId.h), which is another one in each
/// program, it is the same in all tools and libraries of a build: records of
/// attn-tune are known to the JIT library. The build writes the definition
/// (cmake/HashArchives.cmake).
llvm::StringRef getCompilerBuild();

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_TUNING_COMPILERBUILD_H
