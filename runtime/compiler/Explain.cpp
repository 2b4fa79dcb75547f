//===- Explain.cpp - What the compiler found and decided ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The phases of a compilation run with somebody who listens to what passes
// report. Before the first pass that reports, ops get their number as the name
// of their location, which copies of them keep: so facts find their op.
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Explain.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "runtime/compiler/KernelInterface.h"
#include "runtime/compiler/Program.h"
#include "runtime/compiler/Target.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

StringRef Fact::get(StringRef key) const {
  for (const auto &[known, value] : values)
    if (known == key)
      return value;
  return "";
}

int64_t Fact::getNumber(StringRef key) const {
  int64_t number = 0;
  get(key).getAsInteger(10, number);
  return number;
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

/// What the names of numbered locations begin with.
static constexpr StringRef kNumbered = "attn op ";

namespace {
/// Collects what passes report.
class Listener : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Listener(std::vector<Fact> &facts) : facts(facts) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    Fact fact;
    fact.name = remark.getRemarkName();
    fact.position = getPosition(remark.getLocation());
    // What is told of other places belongs to the op before.
    if (auto named = dyn_cast<NameLoc>(remark.getLocation()))
      if (StringRef text = named.getName(); text.consume_front(kNumbered))
        text.getAsInteger(10, op);
    fact.op = op;
    for (const auto &value : remark.getArgs())
      fact.values.emplace_back(value.key, value.val);
    facts.push_back(std::move(fact));
  }

private:
  std::vector<Fact> &facts;
  size_t op = 0;
};
} // namespace

/// The sizes of an op, in words.
static std::string describe(Operation *op) {
  auto features = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getShape().back();
  };
  if (auto attend = dyn_cast<AttendOp>(op))
    return llvm::formatv("{0} features of queries and keys, {1} of values",
                         features(attend.getQuery()),
                         features(attend.getValue()));
  if (auto recur = dyn_cast<RecurOp>(op))
    return llvm::formatv("state of {0} x {1}", recur.getStateRows(),
                         recur.getStateColumns());
  return "";
}

/// Numbers the ops that are blocked and describes them.
static std::vector<ExplainedOp> numberOps(ModuleOp module) {
  std::vector<ExplainedOp> ops;
  module.walk([&](Operation *op) {
    if (!isa<AttendOp, RecurOp, MapRowsOp, MergeOp, ReduceOp>(op))
      return;
    auto number =
        StringAttr::get(op->getContext(), kNumbered + llvm::Twine(ops.size()));
    ops.push_back({op->getName().getStringRef().str(),
                   getPosition(op->getLoc()), describe(op)});
    op->setLoc(NameLoc::get(number, op->getLoc()));
  });
  return ops;
}

/// Runs the phases of `program` from `next` on up to the one called `last`, or
/// all.
static Error runPhases(Program &program, ArrayRef<Phase> phases, size_t &next,
                       StringRef last = "") {
  DefaultTimingManager timing;
  TimingScope scope = timing.getRootScope();
  while (next < phases.size()) {
    const Phase &phase = phases[next++];
    if (Error error = program.run(phase, scope))
      return error;
    if (phase.name == last)
      break;
  }
  return Error::success();
}

/// A program on its way through the phases of a target.
namespace {
struct Compilation {
  std::unique_ptr<Program> program;
  SmallVector<Phase> phases;
  std::string target;
  Signature signature;
};
} // namespace

static Expected<Compilation> begin(StringRef text, StringRef name,
                                   const CompileOptions &options) {
  Compilation result;
  auto phases = getTargetPhases(options, result.target);
  if (!phases)
    return phases.takeError();
  result.phases = std::move(*phases);
  auto hasSchedules = [](const Phase &phase) {
    return phase.name == "select-schedule";
  };
  if (llvm::none_of(result.phases, hasSchedules))
    return llvm::createStringError("target '" + options.target +
                                   "' has no schedules: expected a cpu or cuda "
                                   "target");
  auto parsed = Program::parse(text, name, options.function);
  if (!parsed)
    return parsed.takeError();
  result.program = std::move(*parsed);
  FailureOr<Signature> described =
      describeFunction(result.program->getFunction());
  if (failed(described))
    return result.program->takeError(name + ": cannot be described");
  result.signature = std::move(*described);
  annotateFunction(result.program->getFunction(), result.signature);
  return result;
}

Expected<Explanation> attn::explain(StringRef text, StringRef name,
                                    const CompileOptions &options) {
  Expected<Compilation> begun = begin(text, name, options);
  if (!begun)
    return begun.takeError();
  Program &program = *begun->program;
  Explanation result;
  result.target = begun->target;
  size_t next = 0;
  if (Error error = runPhases(program, begun->phases, next, "fuse"))
    return std::move(error);
  ModuleOp module = program.getModule();
  result.ops = numberOps(module);
  remark::RemarkCategories categories;
  categories.analysis = "attn";
  if (failed(remark::enableOptimizationRemarks(
          *module.getContext(), std::make_unique<Listener>(result.facts),
          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories)))
    return llvm::createStringError("MLIR takes no remarks");
  StringRef last = options.schedule.empty() ? "list-blocks" : "";
  if (Error error = runPhases(program, begun->phases, next, last))
    return std::move(error);
  return result;
}

//===----------------------------------------------------------------------===//
// Classes of blocks
//===----------------------------------------------------------------------===//

/// Most blocks that are written down for an op, and most pairs that are
/// evaluated unasked: a few seconds.
static constexpr int64_t kMostBlocks = int64_t(1) << 27, kMostPairs = int64_t(1)
                                                                      << 31;

static Phase getClassifyPhase(bool exact) {
  return {"classify-blocks", Form::Attn, [exact](OpPassManager &manager) {
            ClassifyBlocksOptions options;
            options.exact = exact;
            manager.addNestedPass<func::FuncOp>(createClassifyBlocks(options));
            // Sizes are asked of arguments, not of computed values.
            manager.addPass(
                memref::createResolveRankedShapeTypeResultDimsPass());
            manager.addPass(createCanonicalizerPass());
          }};
}

/// Whether anything but the size of `argument` is asked for.
static bool isReadOf(Value argument) {
  return llvm::any_of(argument.getUsers(), [](Operation *user) {
    return !isa<tensor::DimOp>(user);
  });
}

Expected<std::unique_ptr<BlockClassifier>>
BlockClassifier::create(StringRef text, StringRef name,
                        const CompileOptions &options, bool exact) {
  Expected<Compilation> begun = begin(text, name, options);
  if (!begun)
    return begun.takeError();
  std::unique_ptr<BlockClassifier> made(new BlockClassifier());
  made->interface = makeInterface(begun->signature);
  // Nothing is known yet of strides, which do not matter here.
  for (auto [layout, port] : llvm::zip_equal(made->interface.argumentLayouts,
                                             made->interface.arguments)) {
    layout.isContiguous = false;
    layout.strides.assign(port.sizes.size(), StrideLayout::kAny);
  }
  made->exact = exact;
  Program &program = *begun->program;
  size_t next = 0;
  if (Error error = runPhases(program, begun->phases, next, "select-schedule"))
    return std::move(error);
  program.getModule().walk([&](AttendOp op) {
    ScheduleAttr schedule = op.getScheduleAttr();
    made->pairsPerBlock.push_back(schedule.getBlockQ() * schedule.getBlockK());
  });
  next = 0;
  if (Error error = runPhases(program, getClassifyPhase(exact), next))
    return std::move(error);
  for (size_t i = 0; i < made->interface.arguments.size(); ++i)
    made->read.push_back(isReadOf(program.getFunction().getArgument(i)));
  // Now it is a program of its own, which the executable definition covers.
  CompileOptions own;
  own.target = "naive";
  Expected<std::unique_ptr<Kernel>> kernel =
      compile(program.getText(), name, own);
  if (!kernel)
    return kernel.takeError();
  made->kernel = std::move(*kernel);
  for (auto [argument, port] :
       llvm::zip_equal(made->interface.arguments, made->kernel->arguments()))
    argument.type = port.type; // That of --dtype.
  return made;
}

namespace {
/// Memory for what is written about one version of an op.
struct Room {
  int64_t numbers[9] = {};
  BlockFacts facts;

  /// Blocks that are classified: none of a version that is not run.
  int64_t getNumBlocks() const {
    return numbers[4] ? numbers[0] * numbers[1] * numbers[2] * numbers[3] : 0;
  }
  void addBuffers(std::vector<Buffer> &buffers) {
    auto getSize = [](const auto &list) { return int64_t(list.size()); };
    buffers.push_back({numbers, ElementType::I64, {9}, {1}});
    buffers.push_back(
        {facts.classes.data(), ElementType::I8, {getSize(facts.classes)}, {1}});
    buffers.push_back(
        {facts.pairs.data(), ElementType::I32, {getSize(facts.pairs)}, {1}});
  }
};
} // namespace

static Error launch(const Kernel &kernel, ArrayRef<Buffer> arguments,
                    std::vector<Room> &rooms) {
  std::vector<Buffer> results;
  for (Room &room : rooms)
    room.addBuffers(results);
  return kernel.launch(arguments, results);
}

/// Makes room for the classes of all blocks.
static Error addRoom(std::vector<Room> &rooms) {
  for (Room &room : rooms) {
    if (room.getNumBlocks() > kMostBlocks)
      return llvm::createStringError(llvm::formatv(
          "{0} x {1} blocks for {2} heads are more than the {3} that are "
          "classified; expected smaller --dims or a --schedule whose blocks "
          "have at least {4} times as many pairs",
          room.numbers[2], room.numbers[3], room.numbers[0] * room.numbers[1],
          kMostBlocks, llvm::divideCeil(room.getNumBlocks(), kMostBlocks)));
    room.facts.classes.resize(room.getNumBlocks());
  }
  return Error::success();
}

/// How many blocks neither the formula nor ranges decide.
static int64_t countOpen(const BlockFacts &facts) {
  int64_t count = 0;
  for (size_t i = 0; i < facts.classes.size(); ++i)
    count += facts.ofFormula(i) == BlockFacts::Mixed &&
             facts.ofRanges(i) == BlockFacts::Mixed;
  return count;
}

Expected<std::vector<std::optional<BlockFacts>>>
BlockClassifier::classify(ArrayRef<Buffer> arguments) const {
  if (Status status = checkArguments(interface, getViews(arguments)))
    return toError(std::move(status));
  std::vector<Room> rooms(pairsPerBlock.size());
  if (Error error = launch(*kernel, arguments, rooms))
    return std::move(error);
  if (Error error = addRoom(rooms))
    return std::move(error);
  if (Error error = launch(*kernel, arguments, rooms))
    return std::move(error);
  bool counts = false;
  for (auto [room, most] : llvm::zip_equal(rooms, pairsPerBlock))
    if (exact || countOpen(room.facts) <= kMostPairs / most) {
      room.facts.pairs.resize(2 * room.facts.classes.size());
      counts = true;
    }
  if (counts)
    if (Error error = launch(*kernel, arguments, rooms))
      return std::move(error);
  std::vector<std::optional<BlockFacts>> all;
  for (Room &room : rooms) {
    std::optional<BlockFacts> &facts = all.emplace_back();
    if (!room.numbers[4])
      continue;
    facts = std::move(room.facts);
    facts->batches = room.numbers[0];
    facts->heads = room.numbers[1];
    facts->rows = room.numbers[2];
    facts->columns = room.numbers[3];
    std::copy(room.numbers + 5, room.numbers + 8, facts->places);
    facts->room = room.numbers[8];
  }
  return all;
}
