//===- Ranking.cpp - Schedules in the order of the model ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Ranking.h"
#include "tools/support/CallData.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace attn;
using llvm::Expected;
using llvm::StringRef;

/// Leaves out what is to be the list of blocks of an op.
static llvm::Error dropLists(const CompileInput &input, CallData &data) {
  auto explained = explain(input.text, input.name, input.options);
  if (!explained)
    return explained.takeError();
  for (const Fact &fact : explained->facts)
    if (fact.name == "structure")
      for (const std::string &name : getListArguments(fact))
        data.erase(name);
  return llvm::Error::success();
}

/// The model of a call, with the random data of a run without files where masks
/// are data. Random numbers are no lists of blocks.
static Expected<FunctionModel> createModel(const CompileInput &input,
                                           const Dims &dims) {
  auto create = [&](const Dims &known, const CallData &data) {
    CallSizes sizes(known.begin(), known.end());
    return FunctionModel::create(input.text, input.name, input.options, sizes,
                                 data);
  };
  Expected<FunctionModel> model = create(dims, {});
  if (!model || !model->isRough())
    return model;
  CompileOptions naive = input.options;
  naive.target = "naive";
  naive.schedule.clear();
  auto kernel = compile(input.text, input.name, naive);
  if (!kernel)
    return kernel.takeError();
  Expected<Dims> resolved = resolveDims(**kernel, dims, {});
  if (!resolved)
    return resolved.takeError();
  Expected<CallData> data =
      makeCallData((*kernel)->arguments(), *resolved, ArgumentOptions());
  if (!data)
    return data.takeError();
  if (llvm::Error error = dropLists(input, *data))
    return std::move(error);
  return create(*resolved, *data);
}

Expected<ModelledCall> ModelledCall::create(const CompileInput &input,
                                            const TuneOptions &options,
                                            const Dims &dims) {
  Expected<FunctionModel> model = createModel(input, dims);
  if (!model)
    return model.takeError();
  Expected<Machine> machine = loadMachine(input.options.target, options.device);
  if (!machine)
    return machine.takeError();
  return ModelledCall{std::move(*model), std::move(*machine), options.threads};
}

/// The time of all terms, one after the other.
static double getWork(const Prediction &prediction) {
  double seconds = 0;
  for (const CostTerm &term : prediction.terms)
    seconds += term.seconds;
  return seconds;
}

std::vector<RankedSchedule> ModelledCall::rank() const {
  std::vector<RankedSchedule> candidates;
  const OpFacts *op = model.getTuned(machine, threads);
  if (!op)
    return candidates;
  for (const std::string &point : op->space.getPoints()) {
    std::string schedule = model.getScheduleText(point);
    candidates.push_back(
        {point, schedule, model.predict(machine, threads, schedule)});
  }
  llvm::sort(candidates, [](const RankedSchedule &a, const RankedSchedule &b) {
    return std::tuple(a.prediction.seconds, getWork(a.prediction), a.point) <
           std::tuple(b.prediction.seconds, getWork(b.prediction), b.point);
  });
  return candidates;
}

std::string ModelledCall::getTitle() const {
  return llvm::formatv("{0}  {1}  {2}", model.getFunctionName(),
                       model.getKey().bucket, machine.name);
}

static void printTerms(llvm::raw_ostream &stream, StringRef title,
                       const Prediction &prediction) {
  stream << llvm::formatv("{0}: {1:f3} ms, limited by {2}\n", title,
                          1e3 * prediction.seconds, prediction.limit);
  for (const CostTerm &term : prediction.terms)
    stream << llvm::formatv("  {0,-24} {1,10:f4} ms   {2}\n", term.name,
                            1e3 * term.seconds, term.reason);
  for (const std::string &assumption : prediction.assumptions)
    stream << "  " << assumption << "\n";
}

void attn::printRanking(llvm::raw_ostream &stream, const ModelledCall &call,
                        bool explain) {
  const size_t shown = explain ? SIZE_MAX : 10;
  std::vector<RankedSchedule> ranked = call.rank();
  std::string chosen = call.getChosen();
  stream << llvm::formatv("{0}  {1} schedules can be run\n", call.getTitle(),
                          ranked.size());
  stream << llvm::formatv("{0,4}  {1,-36} {2,12}  {3}\n", "rank", "schedule",
                          "predicted", "limit");
  for (auto [number, candidate] : llvm::enumerate(ranked)) {
    bool isChosen = candidate.point == chosen;
    if (number >= shown && !isChosen)
      continue;
    stream << llvm::formatv("{0,4}  {1,-36} {2,9:f4} ms  {3}{4}\n", number + 1,
                            candidate.point, 1e3 * candidate.prediction.seconds,
                            candidate.prediction.limit,
                            isChosen ? "  (the default)" : "");
  }
  if (!explain)
    return;
  printTerms(stream, "default", call.model.predict(call.machine, call.threads));
  if (!ranked.empty())
    printTerms(stream, "best of the ranking", ranked.front().prediction);
}
