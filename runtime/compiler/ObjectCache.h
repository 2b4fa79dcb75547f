//===- ObjectCache.h - Machine code by its LLVM IR --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// More than half of the time of a compilation is spent in LLVM. Whoever
// compiles the same specs again and again, as the tests do for each size of
// their inputs, lets $ATTN_OBJECT_CACHE name a folder: shared objects are kept
// there by a hash of the LLVM IR that they are made of, definitions and
// simulated kernels too. All passes before run as ever. This is a tool for
// those who work on the compiler; hosts have a cache of whole kernels, which
// needs no passes either (runtime/jit/DiskCache.h).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_OBJECTCACHE_H
#define ATTN_RUNTIME_COMPILER_OBJECTCACHE_H

#include "codegen/cpu/ObjectCode.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace attn {

/// The shared object of `code`, which is not optimized yet: from the folder, or
/// made by `make` and left there. Without a folder, `make` alone.
llvm::Expected<std::string>
findSharedObject(const ObjectCode &code,
                 llvm::function_ref<llvm::Expected<std::string>()> make);

/// Optimizes `code`, generates an object file and links it, unless the folder
/// has the result.
llvm::Expected<std::string> makeSharedObject(ObjectCode &code);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_OBJECTCACHE_H
