//===- TunedSchedule.h - What a database says about a spec ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For whoever compiles with a tuning database: tools and the JIT library.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_TUNING_TUNEDSCHEDULE_H
#define ATTN_RUNTIME_COMPILER_TUNING_TUNEDSCHEDULE_H

#include "runtime/compiler/tuning/FunctionModel.h"

namespace attn {

/// The schedule to compile with, and where it is from.
struct TunedSchedule {
  std::string schedule; ///< Of a record; empty: the compiler chooses.
  /// "record N=4096 many:block_q=64,block_k=128"; without a record "default, no
  /// record of N=4096", or "default, the record ... is of another build, which
  /// this one cannot run: ...".
  std::string origin;
};

/// What a database has for a spec whose key is `key`: the record of the bucket
/// or, where this is empty, of the largest bucket. That of another build of the
/// compiler is taken only if this one can run its schedule. Fails only if the
/// database cannot be read.
llvm::Expected<TunedSchedule>
findTuned(TuningDatabase &database, const TuningKey &key, llvm::StringRef text,
          llvm::StringRef name, const CompileOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_TUNING_TUNEDSCHEDULE_H
