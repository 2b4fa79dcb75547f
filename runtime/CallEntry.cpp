//===- CallEntry.cpp - Call the entry of a CPU kernel ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CallEntry.h"

using namespace attn;

Status EntryCall::checkThreads(int threads) {
  if (threads >= 0 && threads <= kMostThreads)
    return {};
  return invalidArgument("threads must be between 0 and " +
                         std::to_string(kMostThreads) + ", got " +
                         std::to_string(threads));
}

void EntryCall::add(const TensorView &tensor) {
  int64_t address = reinterpret_cast<int64_t>(tensor.data);
  std::vector<int64_t> &words = descriptors.emplace_back();
  words = {address, address, 0};
  words.insert(words.end(), tensor.sizes.begin(), tensor.sizes.end());
  words.insert(words.end(), tensor.strides.begin(), tensor.strides.end());
}

void EntryCall::addBytes(void *data, int64_t size) {
  int64_t stride = 1;
  add({data, ElementType::I8, {&size, 1}, {&stride, 1}});
}

Status EntryCall::run(Entry entry, int threads) {
  std::vector<void *> pointers;
  for (std::vector<int64_t> &descriptor : descriptors)
    pointers.push_back(descriptor.data());
  ParallelHost host(threads);
  int32_t status = entry(&host, pointers.data());
  if (host.isOutOfMemory())
    return {ATTN_OUT_OF_MEMORY, "out of memory for the scratch buffers of "
                                "blocks"};
  if (status)
    return {ATTN_DEVICE_ERROR,
            "the compiled code returned status " + std::to_string(status)};
  return {};
}
