//===- Catalogue.h - Benchmarks as data ------------------------ -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A data file is a JSON object { "benchmarks": [...] }. An entry names a spec
// and lists element types, sizes and numbers of threads; every combination of
// them is one benchmark. docs/tools.md has the fields.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_BENCH_CATALOGUE_H
#define ATTN_TOOLS_ATTN_BENCH_CATALOGUE_H

#include "runtime/compiler/Compiler.h"
#include "tools/support/Dims.h"

namespace attn {

/// What limits a kernel on a perfect machine, and so what it is judged by.
enum class Bound { Compute, Memory };

/// One benchmark.
struct Benchmark {
  std::string name;  ///< "causal/bf16/B=1,H=8,N=1024/threads:2".
  std::string where; ///< The entry of the file, for messages.
  std::string specPath;
  std::string specText;
  CompileOptions options;
  Dims dims;
  int threads = 1;
  Bound bound = Bound::Compute;
  bool inPlace = false; ///< Results replace arguments where they may.
};

/// Reads the benchmarks of data files. An error names the file, the entry, the
/// field, what is expected there, and what was found.
llvm::Expected<std::vector<Benchmark>>
readCatalogue(llvm::ArrayRef<std::string> paths);

} // namespace attn

#endif // ATTN_TOOLS_ATTN_BENCH_CATALOGUE_H
