//===- Clocks.cpp - Which events happened before which --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Clocks.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::sim;

void BlockClocks::reset() {
  base = 0;
  time = 1;
  own.assign(threads, 0);
  if (!known.empty())
    llvm::fill(known, 0);
}

uint32_t *BlockClocks::getRow(unsigned thread) {
  if (known.empty())
    known.resize(size_t(threads) * threads);
  return known.data() + size_t(thread) * threads;
}

void BlockClocks::joinAll() {
  base = time;
  time = base + 1;
}

/// Takes the later one of each pair of epochs.
static void mergeInto(uint32_t *to, const uint32_t *from, unsigned count) {
  for (unsigned i = 0; i < count; ++i)
    to[i] = std::max(to[i], from[i]);
}

void BlockClocks::join(llvm::ArrayRef<unsigned> members,
                       const Knowledge &more) {
  Knowledge all = more;
  all.resize(threads);
  for (unsigned member : members) {
    mergeInto(all.data(), getRow(member), threads);
    all[member] = std::max(all[member], getEpoch(member));
  }
  ++time;
  for (unsigned member : members) {
    llvm::copy(all, getRow(member));
    own[member] = time;
  }
}

void BlockClocks::release(unsigned thread, Knowledge &to) {
  to.resize(threads);
  mergeInto(to.data(), getRow(thread), threads);
  // Barriers of the whole block left no trace in the row.
  for (uint32_t &epoch : to)
    epoch = std::max(epoch, base);
  to[thread] = std::max(to[thread], getEpoch(thread));
  own[thread] = ++time;
}

void BlockClocks::acquire(unsigned thread, const Knowledge &from) {
  if (!from.empty())
    mergeInto(getRow(thread), from.data(), threads);
}
