//===- Defects.h - Collects defects of one launch ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_DEFECTS_H
#define ATTN_CODEGEN_SIMULATOR_DEFECTS_H

#include "codegen/simulator/Report.h"
#include <map>
#include <mutex>
#include <tuple>

namespace attn::sim {

/// Keeps the first defect of each kind at each pair of ops, and counts the
/// others. Workers share it.
class Defects {
public:
  explicit Defects(unsigned most) : most(most) {}

  /// `site` and `otherSite` tell defects apart; the other one is -1 if there is
  /// none. `make` is called for the first of its kind only.
  template <typename Make>
  void add(DefectKind kind, int32_t site, int32_t otherSite, Make make) {
    std::lock_guard<std::mutex> lock(mutex);
    auto [found, isNew] =
        places.try_emplace({kind, site, otherSite}, defects.size());
    if (!isNew) {
      if (found->second < defects.size())
        ++defects[found->second].count;
    } else if (defects.size() < most) {
      defects.push_back(make());
    } else {
      found->second = most;
    }
  }

  std::vector<Defect> take() { return std::move(defects); }

private:
  unsigned most;
  std::mutex mutex;
  std::map<std::tuple<DefectKind, int32_t, int32_t>, size_t> places;
  std::vector<Defect> defects;
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_DEFECTS_H
