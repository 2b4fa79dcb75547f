//===- PackageEmitter.h - From specs to packages ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A back end makes a CompiledCode: the code of one section, the launches that
// run it, and what callers must know. A package collects those of several
// targets.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_PACKAGEEMITTER_H
#define ATTN_RUNTIME_COMPILER_PACKAGEEMITTER_H

#include "runtime/compiler/Compiler.h"
#include "runtime/compiler/Signature.h"
#include "runtime/package/Manifest.h"

namespace attn {

/// A function that was compiled for one target.
struct CompiledCode {
  Signature signature;
  std::string spec;     ///< The program as it was parsed, in canonical form.
  std::string schedule; ///< What was chosen.
  Section section;
  LaunchProgram program; ///< Section number and schedule are not yet in it.
};

/// The launch program of CPU code: one call of the entry with all tensors.
LaunchProgram makeCpuProgram(const Signature &signature);

/// The bytes of a package with one kernel, compiled for several targets. The
/// manifest gets the key, unless it is empty.
llvm::Expected<std::string> writePackage(std::vector<CompiledCode> codes,
                                         llvm::StringRef dtype,
                                         llvm::StringRef cacheKey = "");

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_PACKAGEEMITTER_H
