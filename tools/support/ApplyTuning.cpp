//===- ApplyTuning.cpp - Take schedules from a database -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/TunedSchedule.h"
#include "tools/support/KernelFlags.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::Expected;
using llvm::StringRef;

Expected<std::string>
attn::applyTuning(CompileInput &input, StringRef database,
                  const std::map<std::string, int64_t> *sizes) {
  StringRef target = input.options.target;
  bool hasSchedules = target.starts_with("cpu") || target.starts_with("cuda:");
  if (database.empty() || !hasSchedules || !input.options.schedule.empty())
    return "";
  auto opened = TuningDatabase::open(database, TuningDatabase::Mode::Read);
  if (!opened)
    return opened.takeError();
  Expected<TuningKey> key =
      makeTuningKey(input.text, input.name, input.options, "", sizes);
  if (!key)
    return key.takeError();
  Expected<TunedSchedule> found =
      findTuned(*opened, *key, input.text, input.name, input.options);
  if (!found)
    return found.takeError();
  input.options.schedule = found->schedule;
  return found->origin;
}

bool attn::isRecord(StringRef tool, StringRef origin) {
  if (origin.starts_with("default, the record"))
    llvm::errs() << tool << ": schedule: " << origin << "\n";
  return origin.starts_with("record");
}
