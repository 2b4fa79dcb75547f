//===- Report.cpp - What was predicted, and what was measured -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Report.h"
#include "tools/attn-tune/Ranking.h"
#include "tools/support/CommandLine.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static Error reportAll(TuningDatabase &database) {
  Expected<std::vector<TuningRecord>> records = database.getRecords();
  if (!records)
    return records.takeError();
  llvm::outs() << llvm::formatv("{0} records\n", records->size());
  for (const TuningRecord &record : *records)
    llvm::outs() << llvm::formatv(
        "{0,-24} {1,-5} {2,-12} {3,-16} {4,-40} {5,10:f4} ms  {6:f3} of the "
        "default  {7}{8}\n",
        record.name, record.key.dtype, record.key.target, record.key.bucket,
        record.schedule, 1e3 * record.seconds, record.getRatio(),
        record.key.device,
        record.isOfThisBuild() ? "" : "  (of another build)");
  return Error::success();
}

/// The trials as a table and in the picture; `known` is the record, if any.
static void printTrials(llvm::ArrayRef<TuningTrial> trials,
                        const std::optional<TuningRecord> &known,
                        Picture &picture) {
  llvm::outs() << llvm::formatv("{0,-44} {1,12} {2,12} {3,8}  {4}\n",
                                "schedule", "predicted", "measured", "ratio",
                                "verdict");
  auto print = [&](StringRef schedule, double predicted, double seconds,
                   double ratio, StringRef verdict, bool isChosen) {
    llvm::outs() << llvm::formatv("{0,-44} {1,9:f4} ms {2,9:f4} ms {3,8:f3}  "
                                  "{4}\n",
                                  schedule, 1e3 * predicted, 1e3 * seconds,
                                  ratio, verdict);
    if (seconds > 0)
      picture.times.push_back({1e3 * predicted, 1e3 * seconds, isChosen});
  };
  for (const TuningTrial &trial : trials) {
    bool isChosen = known && known->schedule == trial.schedule;
    print(trial.schedule, trial.predicted, trial.seconds, trial.ratio,
          isChosen ? "chosen" : StringRef(trial.verdict), isChosen);
  }
}

/// The report of one spec and its sizes.
static Error reportSpec(const TuneOptions &options, const Dims &dims,
                        TuningDatabase &database) {
  Expected<ModelledCall> call =
      ModelledCall::create(*options.input, options, dims);
  if (!call)
    return call.takeError();
  const FunctionModel &model = call->model;
  const Machine &machine = call->machine;
  const TuningKey &key = model.getKey();
  Expected<std::optional<TuningRecord>> known = database.find(key);
  Expected<std::vector<TuningTrial>> trials = database.getTrials(key);
  if (!known || !trials)
    return llvm::joinErrors(known.takeError(), trials.takeError());
  std::string name = model.getFunctionName().str();
  llvm::outs() << llvm::formatv("{0}  {1}  {2}  {3}\n", name, key.dtype,
                                key.target, key.bucket);
  Picture picture;
  picture.title = name + "  " + key.bucket;
  double units = double(options.threads > 0
                            ? std::min<int64_t>(options.threads, machine.units)
                            : machine.units);
  picture.peak = units * machine.matrix32;
  picture.bandwidth = machine.memory;
  printTrials(*trials, *known, picture);
  if (*known) {
    Prediction prediction =
        model.predict(machine, options.threads, (*known)->schedule);
    picture.work = {prediction.intensity,
                    1e-9 * prediction.flops / (*known)->seconds, true};
    llvm::outs() << llvm::formatv(
        "record      {0}  {1:f4} ms  {2:f3} of the default  {3:f1} GFLOP/s  "
        "{4:f1} operations per byte\n",
        (*known)->schedule, 1e3 * (*known)->seconds, (*known)->getRatio(),
        picture.work.y, picture.work.x);
  } else {
    llvm::outs() << "record      none\n";
  }
  return options.svg.empty() ? Error::success()
                             : writeOutput(options.svg, drawPicture(picture));
}

Error attn::report(const TuneOptions &options, TuningDatabase &database) {
  if (!options.input)
    return reportAll(database);
  for (const Dims &dims : options.dims)
    if (Error error = reportSpec(options, dims, database))
      return error;
  return Error::success();
}
