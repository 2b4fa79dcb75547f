//===- ForeignKnowledge.cpp - What blocks learn of each other -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/ForeignKnowledge.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::sim;

void attn::sim::merge(Publication &to, const Publication &from) {
  for (const auto &[block, knowledge] : from) {
    Knowledge &mine = to[block];
    mine.resize(std::max(mine.size(), knowledge.size()));
    for (size_t i = 0; i < knowledge.size(); ++i)
      mine[i] = std::max(mine[i], knowledge[i]);
  }
}

void ForeignKnowledge::learn(const Stamp &stamp,
                             const Publication &publication) {
  if (publication.empty())
    return;
  // One thread in one epoch learns into one lesson.
  if (lessons.empty() || !(lessons.back().when == stamp))
    lessons.push_back({stamp, {}});
  merge(lessons.back().what, publication);
}

bool ForeignKnowledge::knows(const BlockClocks &clocks, unsigned thread,
                             const Stamp &access) const {
  return llvm::any_of(lessons, [&](const Lesson &lesson) {
    if (!clocks.knows(thread, lesson.when.thread, lesson.when.epoch))
      return false;
    auto found = lesson.what.find(access.block);
    return found != lesson.what.end() && access.thread < found->second.size() &&
           access.epoch <= found->second[access.thread];
  });
}

void ForeignKnowledge::collect(const BlockClocks &clocks, unsigned thread,
                               Publication &to) const {
  for (const Lesson &lesson : lessons)
    if (clocks.knows(thread, lesson.when.thread, lesson.when.epoch))
      merge(to, lesson.what);
}

void MeetingPoints::publish(const void *address,
                            const Publication &publication) {
  std::lock_guard<std::mutex> lock(mutex);
  merge(points[address], publication);
}

Publication MeetingPoints::take(const void *address) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = points.find(address);
  return found == points.end() ? Publication() : found->second;
}
