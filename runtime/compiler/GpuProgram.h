//===- GpuProgram.h - Launches over the sizes of a call ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The host function of GPU code does nothing but arithmetic on sizes,
// allocations and launches. planLaunches() finds out what it does for sizes
// that are known; a package needs the same for all sizes, as expressions.
//
// Both sides of a branch are in the program. The condition is a number, 0 or 1,
// by which the grids and the work space of its side are multiplied: what has an
// empty grid is not launched, and nothing else of it is evaluated.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_GPUPROGRAM_H
#define ATTN_RUNTIME_COMPILER_GPUPROGRAM_H

#include "runtime/compiler/Signature.h"
#include "runtime/package/Manifest.h"

namespace attn {

/// The launches of `host` as a program of a package. Fails where something does
/// not follow from the sizes and strides of the call.
llvm::Expected<LaunchProgram> makeGpuProgram(mlir::func::FuncOp host,
                                             const Signature &signature);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_GPUPROGRAM_H
