//===- FunctionModel.cpp - The cost model of a spec -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/FunctionModel.h"
#include "codegen/cpu/BlockRegisters.h"
#include "codegen/cpu/HostFeatures.h"
#include "codegen/nvidia/Pipeline.h"
#include "passes/Pipelines.h"
#include "runtime/DimName.h"
#include "runtime/compiler/Program.h"
#include "runtime/compiler/Signature.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include <set>

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

char CallSizesError::ID;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// The size of a dimension of an argument; an error if nobody says it.
static Expected<int64_t> getSize(const Signature &signature, unsigned argument,
                                 unsigned dim, const CallSizes &sizes) {
  const Port &port = signature.arguments[argument];
  if (port.sizes[dim] >= 0)
    return port.sizes[dim];
  DimName name = DimName::parse(port.dims[dim]);
  std::string text(name.name);
  if (auto it = sizes.find(text); it != sizes.end())
    return it->second + name.more;
  if (auto it = signature.defaults.find(text); it != signature.defaults.end())
    return it->second + name.more;
  return llvm::make_error<CallSizesError>(
      "dimension '" + text + "' has no size in the spec, and none was given");
}

/// The sizes of the dimensions of all arguments, by the argument.
static Expected<std::vector<SmallVector<int64_t>>>
getAllSizes(const Signature &signature, const CallSizes &sizes) {
  std::vector<SmallVector<int64_t>> all;
  for (auto [argument, port] : llvm::enumerate(signature.arguments)) {
    all.emplace_back();
    for (unsigned dim = 0; dim < port.dims.size(); ++dim) {
      Expected<int64_t> size = getSize(signature, argument, dim, sizes);
      if (!size)
        return size.takeError();
      all.back().push_back(*size);
    }
  }
  return all;
}

/// Fails if a size is of no dimension.
static Error checkNames(const Signature &signature, const CallSizes &sizes) {
  std::set<std::string> known;
  for (const Port &port : signature.arguments)
    for (const std::string &dim : port.dims)
      known.emplace(DimName::parse(dim).name);
  for (const auto &[name, size] : sizes)
    if (!known.count(name))
      return llvm::make_error<CallSizesError>(
          llvm::formatv("dims: unknown dimension '{0}'; expected {1}", name,
                        llvm::join(known, ", "))
              .str());
  return Error::success();
}

/// `sizes`, and 1 for batches and heads that nobody says: they are no part of a
/// bucket.
static CallSizes addLeading(const Signature &signature, CallSizes sizes) {
  std::set<std::string> lengths, others;
  for (const Port &port : signature.arguments)
    for (auto [dim, text] : llvm::enumerate(port.dims))
      (dim < 2 ? others : lengths).emplace(DimName::parse(text).name);
  for (const std::string &name : others)
    if (!lengths.count(name) && !signature.defaults.count(name))
      sizes.emplace(name, 1);
  return sizes;
}

/// "N=4096": dynamic dimensions behind batches and heads, rounded up to powers
/// of two.
static std::string makeBucket(const Signature &signature,
                              ArrayRef<SmallVector<int64_t>> sizes,
                              int64_t &tokens) {
  std::map<std::string, int64_t> lengths;
  for (auto [port, extents] : llvm::zip_equal(signature.arguments, sizes))
    for (auto [dim, size] : llvm::enumerate(extents)) {
      if (dim < 2 || port.sizes[dim] >= 0)
        continue;
      DimName name = DimName::parse(port.dims[dim]);
      lengths[std::string(name.name)] =
          llvm::PowerOf2Ceil(std::max<int64_t>(size - name.more, 1));
    }
  tokens = 1;
  std::vector<std::string> parts;
  for (auto [name, length] : lengths) {
    parts.push_back(name + "=" + std::to_string(length));
    tokens = std::min<int64_t>(tokens * length, int64_t(1) << 40);
  }
  return llvm::join(parts, ",");
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

static Expected<Signature> describe(Program &program) {
  FailureOr<Signature> described = describeFunction(program.getFunction());
  if (failed(described))
    return program.takeError("the function cannot be described");
  annotateFunction(program.getFunction(), *described);
  return std::move(*described);
}

/// "cpu:avx512" for "cpu".
static Expected<std::string> getFullTarget(StringRef target) {
  if (!target.consume_front("cpu"))
    return target.str();
  target.consume_front(":");
  Expected<CpuTarget> cpu = getCpuTarget(target);
  if (!cpu)
    return cpu.takeError();
  return "cpu:" + cpu->name;
}

/// All but the bucket, of a program that has been described.
static Expected<TuningKey> makeKey(Program &program, const Signature &signature,
                                   const CompileOptions &options,
                                   StringRef device) {
  TuningKey key;
  std::string text = program.getText();
  auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(text));
  key.spec = llvm::toHex(ArrayRef(hash).take_front(16), /*LowerCase=*/true);
  key.dtype = options.dtype;
  if (key.dtype.empty() && !signature.arguments.empty())
    key.dtype = getName(signature.arguments.front().type);
  Expected<std::string> target = getFullTarget(options.target);
  if (!target)
    return target.takeError();
  key.target = std::move(*target);
  if (StringRef(key.target).starts_with("cpu")) {
    key.device = getCpuName();
  } else {
    Expected<Machine> machine = findMachine(key.target, device);
    if (!machine)
      return machine.takeError();
    key.device = machine->name;
  }
  key.compiler = ATTN_VERSION;
  return key;
}

namespace {
/// A function that was parsed, and its arguments and results.
struct Spec {
  std::unique_ptr<Program> program;
  Signature signature;
};
} // namespace

static Expected<Spec> readSpec(StringRef text, StringRef name,
                               StringRef function) {
  auto program = Program::parse(text, name, function);
  if (!program)
    return program.takeError();
  Expected<Signature> signature = describe(**program);
  if (!signature)
    return signature.takeError();
  return Spec{std::move(*program), std::move(*signature)};
}

Expected<TuningKey> attn::makeTuningKey(StringRef text, StringRef name,
                                        const CompileOptions &options,
                                        StringRef device,
                                        const CallSizes *sizes,
                                        int64_t *tokens) {
  Expected<Spec> spec = readSpec(text, name, options.function);
  if (!spec)
    return spec.takeError();
  Expected<TuningKey> key =
      makeKey(*spec->program, spec->signature, options, device);
  if (!key || !sizes)
    return key;
  if (Error error = checkNames(spec->signature, *sizes))
    return std::move(error);
  auto all = getAllSizes(spec->signature, addLeading(spec->signature, *sizes));
  if (!all)
    return all.takeError();
  int64_t count;
  key->bucket = makeBucket(spec->signature, *all, tokens ? *tokens : count);
  return key;
}

Error attn::checkCallSizes(StringRef text, StringRef name,
                           const CompileOptions &options,
                           const CallSizes &sizes) {
  Expected<Spec> spec = readSpec(text, name, options.function);
  if (!spec)
    return spec.takeError();
  return checkNames(spec->signature, sizes);
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// What the phases and the model need of a target.
static Expected<CostTarget> getTarget(const CompileOptions &options,
                                      TileOptions &tile) {
  tile.dtype = options.dtype;
  tile.schedule = options.schedule;
  StringRef chip = options.target, level = options.target;
  CostTarget target;
  if (chip.consume_front("cuda:")) {
    Expected<NvidiaTarget> device = getNvidiaTarget(chip);
    if (!device)
      return device.takeError();
    tile.selectSchedule = getNvidiaSchedule(*device, options.schedule);
    target.sharedBytes = device->sharedBytes;
    target.threads = device->threads;
    return target;
  }
  if (!level.consume_front("cpu"))
    return llvm::createStringError("target '" + options.target +
                                   "': expected a cpu or cuda target");
  level.consume_front(":");
  Expected<CpuTarget> cpu = getCpuTarget(level);
  if (!cpu)
    return cpu.takeError();
  tile.vectorBits = cpu->vectorBits;
  tile.l1Bytes = cpu->l1Bytes;
  tile.l2Bytes = cpu->l2Bytes;
  tile.rowGroup = getStripRows(cpu->vectorBits, cpu->vectorRegisters);
  target.vectorBits = cpu->vectorBits;
  target.vectorRegisters = cpu->vectorRegisters;
  return target;
}

/// Runs the phases up to the choice of schedules.
static Error runPhases(Program &program, const TileOptions &tile) {
  DefaultTimingManager manager;
  TimingScope timing = manager.getRootScope();
  for (const Phase &phase : getTilePhases(tile)) {
    if (Error error = program.run(phase, timing))
      return error;
    if (phase.name == "select-schedule")
      break;
  }
  return Error::success();
}

/// The tables of the arguments, null where there is no data.
static std::vector<TableRef> findTables(const Signature &signature,
                                        const CallData &data) {
  std::vector<TableRef> tables;
  for (const Port &port : signature.arguments) {
    auto it = data.find(port.name);
    tables.push_back(it == data.end() ? TableRef() : it->second);
  }
  return tables;
}

Expected<FunctionModel> FunctionModel::create(StringRef text, StringRef name,
                                              const CompileOptions &options,
                                              const CallSizes &sizes,
                                              const CallData &data) {
  TileOptions tile;
  Expected<CostTarget> target = getTarget(options, tile);
  if (!target)
    return target.takeError();
  auto program = Program::parse(text, name, options.function);
  if (!program)
    return program.takeError();
  if (!(*program)->isAboveVectors())
    return llvm::createStringError(name + ": expected a spec, got a program "
                                          "that is lowered already");
  Expected<Signature> signature = describe(**program);
  if (!signature)
    return signature.takeError();
  FunctionModel model;
  model.target = *target;
  model.function = signature->function;
  Expected<TuningKey> key = makeKey(**program, *signature, options, "");
  if (!key)
    return key.takeError();
  model.key = std::move(*key);
  auto all = getAllSizes(*signature, sizes);
  if (!all)
    return all.takeError();
  model.key.bucket = makeBucket(*signature, *all, model.tokens);
  if (Error error = runPhases(**program, tile))
    return std::move(error);
  SizeOf sizeOf = [&](Value value, unsigned dim) -> int64_t {
    SizeSource source = traceSizes(value)[dim];
    if (source.kind == SizeSource::Kind::Constant)
      return source.constant;
    if (source.kind == SizeSource::Kind::Argument &&
        source.argument < all->size())
      return std::max<int64_t>(
          (*all)[source.argument][source.dim] + source.more, 0);
    return 1; // Computed: as good as nothing is known.
  };
  KnownTables tables(findTables(*signature, data), sizeOf);
  auto tableOf = [&](Value tensor) { return tables.find(tensor); };
  model.ops = collectFacts((*program)->getFunction(), sizeOf, tableOf, *target);
  return model;
}

bool FunctionModel::isRough() const {
  return llvm::any_of(
      ops, [](const OpFacts &op) { return op.kept && op.kept->isUnknown(); });
}

const OpFacts *FunctionModel::getTuned(const Machine &machine,
                                       int threads) const {
  const OpFacts *longest = nullptr;
  double most = 0;
  for (const OpFacts &op : ops) {
    if (op.space.axes.empty())
      continue;
    double seconds = predictOp(op, op.chosen, machine, target, threads).seconds;
    if (!longest || seconds > most) {
      most = seconds;
      longest = &op;
    }
  }
  return longest;
}

Prediction FunctionModel::predict(const Machine &machine, int threads) const {
  std::vector<Prediction> predictions;
  for (const OpFacts &op : ops)
    predictions.push_back(predictOp(op, op.chosen, machine, target, threads));
  return addUp(predictions);
}

std::vector<Prediction> FunctionModel::predictOps(const Machine &machine,
                                                  int threads,
                                                  StringRef schedule) const {
  std::vector<Prediction> predictions;
  for (const OpFacts &op : ops) {
    BlockSizes blocks = op.chosen;
    if (!op.space.axes.empty())
      blocks = applyPoint(getSchedulePart(schedule, op.isFew), blocks);
    predictions.push_back(predictOp(op, blocks, machine, target, threads));
  }
  return predictions;
}

Prediction FunctionModel::predict(const Machine &machine, int threads,
                                  StringRef schedule) const {
  return addUp(predictOps(machine, threads, schedule));
}

std::string FunctionModel::getScheduleText(StringRef schedule) const {
  bool isFew = llvm::any_of(ops, [](const OpFacts &op) { return op.isFew; });
  return (isFew ? "few:" : "many:") + schedule.str();
}

std::string FunctionModel::getChosen(const Machine &machine,
                                     int threads) const {
  const OpFacts *op = getTuned(machine, threads);
  return op ? printPoint(op->chosen, op->space) : "";
}
