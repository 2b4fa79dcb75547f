//===- ApplyTuning.cpp - Take schedules from a database -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/support/KernelFlags.h"

using namespace attn;
using llvm::Expected;
using llvm::StringRef;

Expected<bool> attn::applyTuning(CompileInput &input, StringRef database,
                                 const std::map<std::string, int64_t> *sizes) {
  StringRef target = input.options.target;
  bool hasSchedules = target.starts_with("cpu") || target.starts_with("cuda:");
  if (database.empty() || !hasSchedules || !input.options.schedule.empty())
    return false;
  Expected<std::optional<TuningRecord>> found =
      findTuned(database, input.text, input.name, input.options, sizes);
  if (!found)
    return found.takeError();
  if (!*found)
    return false;
  input.options.schedule = (*found)->schedule;
  return true;
}
