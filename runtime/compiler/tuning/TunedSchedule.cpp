//===- TunedSchedule.cpp - What a database says about a spec --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/TunedSchedule.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// The sizes that a record was measured for: "B=1,H=8,N=4096".
static CallSizes readSizes(const TuningRecord &record) {
  CallSizes sizes;
  for (StringRef part : llvm::split(record.dims, ',')) {
    auto [name, digits] = part.split('=');
    int64_t size;
    if (!digits.getAsInteger(10, size))
      sizes[name.str()] = size;
  }
  return sizes;
}

/// Why this build cannot run a schedule, in one line; empty if it can.
static std::string checkSchedule(StringRef text, StringRef name,
                                 CompileOptions options,
                                 const TuningRecord &record) {
  options.schedule = record.schedule;
  options.dumpPhasesTo.clear();
  auto model = FunctionModel::create(text, name, options, readSizes(record));
  if (!model) {
    std::string message = llvm::toString(model.takeError());
    return StringRef(message).split('\n').first.str();
  }
  for (const OpFacts &op : model->getOps())
    if (op.space.whyNot && !getSchedulePart(record.schedule, op.isFew).empty())
      if (std::string reason = op.space.whyNot(op.chosen); !reason.empty())
        return reason;
  return "";
}

Expected<TunedSchedule> attn::findTuned(TuningDatabase &database,
                                        const TuningKey &key, StringRef text,
                                        StringRef name,
                                        const CompileOptions &options) {
  bool hasBucket = !key.bucket.empty();
  Expected<std::optional<TuningRecord>> found =
      hasBucket ? database.find(key) : database.findLargest(key);
  if (!found)
    return found.takeError();
  if (!*found)
    return TunedSchedule{"", "default, no record" +
                                 (hasBucket ? " of " + key.bucket : "")};
  const TuningRecord &record = **found;
  std::string title =
      llvm::formatv("record {0} {1}", record.key.bucket, record.schedule);
  if (record.isOfThisBuild())
    return TunedSchedule{record.schedule, title};
  std::string reason = checkSchedule(text, name, options, record);
  if (reason.empty())
    return TunedSchedule{record.schedule, title + ", of another build"};
  return TunedSchedule{"", "default, the " + title +
                               " is of another build, which this one cannot "
                               "run: " +
                               reason};
}
