//===- CallEntry.h - Call the entry of a CPU kernel -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CALLENTRY_H
#define ATTN_RUNTIME_CALLENTRY_H

#include "runtime/CallChecks.h"
#include "runtime/ParallelFor.h"

namespace attn {

/// The function that a CPU kernel exports; see runtime/ParallelFor.h.
using Entry = int32_t (*)(const AttnHost *host, void **args);

/// The arguments of one call of an entry, in their order.
class EntryCall {
public:
  /// More threads than any machine has are a mistake.
  static constexpr int kMostThreads = 4096;

  /// Fails unless `threads` is a number of threads; 0 means all cores.
  static Status checkThreads(int threads);

  void add(const TensorView &tensor);

  /// Adds memory as a tensor of bytes.
  void addBytes(void *data, int64_t size);

  /// Calls the entry on that many threads.
  Status run(Entry entry, int threads);

private:
  /// The words of the memref descriptors: two pointers, offset, sizes, strides.
  std::vector<std::vector<int64_t>> descriptors;
};

} // namespace attn

#endif // ATTN_RUNTIME_CALLENTRY_H
