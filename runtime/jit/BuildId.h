//===- BuildId.h - Which build of the compiler this is ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_BUILDID_H
#define ATTN_RUNTIME_JIT_BUILDID_H

#include <string>

namespace attn {

/// The build id, in hexadecimal digits, that the linker has given to the
/// library or program that this function is in: a hash of its contents. Empty
/// if it was linked without one.
std::string getBuildId();

} // namespace attn

#endif // ATTN_RUNTIME_JIT_BUILDID_H
