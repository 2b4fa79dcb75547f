//===- DeviceProgram.h - A spec compiled for a GPU --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What those need who run kernels themselves: the simulator, and drivers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_DEVICEPROGRAM_H
#define ATTN_RUNTIME_COMPILER_DEVICEPROGRAM_H

#include "runtime/compiler/Program.h"
#include "runtime/compiler/Signature.h"

namespace attn {

/// A host function with launches and a `gpu.module` in the LLVM and NVVM
/// dialects (`planLaunches` says what the former does).
struct DeviceProgram {
  std::unique_ptr<Program> program;
  Signature signature;
  std::string schedule;
  double seconds = 0; ///< From text to here.
};

/// Compiles one function of `text` for a cuda target.
llvm::Expected<DeviceProgram> compileForDevice(llvm::StringRef text,
                                               llvm::StringRef name,
                                               const CompileOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_DEVICEPROGRAM_H
