//===- Findings.cpp - What is to be told of a spec ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-explain/Findings.h"
#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/support/CallData.h"
#include "tools/support/CommandLine.h"
#include "tools/support/Fill.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

void BlockCounts::add(const BlockCounts &other) {
  for (auto member :
       {&BlockCounts::blocks, &BlockCounts::empty, &BlockCounts::mixed,
        &BlockCounts::full, &BlockCounts::outside, &BlockCounts::visited,
        &BlockCounts::unmasked, &BlockCounts::existing, &BlockCounts::kept,
        &BlockCounts::inVisited, &BlockCounts::mixedEmpty,
        &BlockCounts::mixedFull, &BlockCounts::wrong})
    this->*member += other.*member;
}

BlockFacts::Class Version::getClass(size_t i) const {
  BlockFacts::Class formula = blocks->ofFormula(i),
                    ranges = blocks->ofRanges(i);
  if (formula == BlockFacts::Outside)
    return formula;
  for (BlockFacts::Class certain : {BlockFacts::Empty, BlockFacts::Full})
    if (formula == certain || ranges == certain)
      return certain;
  return BlockFacts::Mixed;
}

const Fact *OpFindings::findObstacle(StringRef of) const {
  for (const Fact *obstacle : obstacles)
    if (obstacle->get("Of") == of)
      return obstacle;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

namespace {
/// Whether the kernel visits a block, and does without the mask.
struct Visit {
  bool visited, unmasked;
};
} // namespace

/// What the kernel makes of block `i`: it goes by its list, or that of the
/// spec, else by ranges, else it visits all.
static Visit getVisit(const OpFindings &op, const Version &version, size_t i) {
  BlockFacts::Class formula = version.blocks->ofFormula(i);
  BlockFacts::Class ranges = version.blocks->ofRanges(i);
  StringRef kind = op.structure ? op.structure->get("Kind") : "";
  if (version.isListed() || kind == "given list")
    return {version.getClass(i) != BlockFacts::Empty,
            formula == BlockFacts::Full};
  if (kind == "no mask")
    return {true, true};
  if (kind == "ranges" || kind == "given ranges")
    return {ranges != BlockFacts::Empty, ranges == BlockFacts::Full};
  return {true, false};
}

/// Adds the pairs of block `i`.
static void countPairs(const Version &version, size_t i, bool visited,
                       BlockCounts &counts) {
  int64_t existing = version.blocks->pairs[2 * i];
  int64_t kept = version.blocks->pairs[2 * i + 1];
  counts.existing += existing;
  counts.kept += kept;
  counts.inVisited += visited ? existing : 0;
  switch (version.getClass(i)) {
  case BlockFacts::Mixed:
    counts.mixedEmpty += kept == 0;
    counts.mixedFull += kept == existing;
    break;
  case BlockFacts::Full:
    counts.wrong += kept != existing;
    break;
  default:
    counts.wrong += kept != 0;
  }
}

static void countBlock(const OpFindings &op, const Version &version, size_t i,
                       BlockCounts &counts) {
  BlockFacts::Class kind = version.getClass(i);
  if (kind == BlockFacts::Outside) {
    ++counts.outside;
    return;
  }
  ++counts.blocks;
  ++(kind == BlockFacts::Empty   ? counts.empty
     : kind == BlockFacts::Mixed ? counts.mixed
                                 : counts.full);
  Visit visit = getVisit(op, version, i);
  counts.visited += visit.visited;
  counts.unmasked += visit.visited && visit.unmasked;
  if (version.hasPairs())
    countPairs(version, i, visit.visited, counts);
}

/// Counts the blocks of each head.
static void count(const OpFindings &op, Version &version) {
  const BlockFacts &facts = *version.blocks;
  size_t perHead = facts.rows * facts.columns;
  for (int64_t head = 0; head < facts.batches * facts.heads; ++head) {
    BlockCounts counts;
    for (size_t i = 0; i < perHead; ++i)
      countBlock(op, version, head * perHead + i, counts);
    version.sum.add(counts);
    version.heads.push_back(counts);
  }
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

namespace {
/// Arguments of which only those that are read have elements of their own.
struct SparseArguments {
  std::vector<Port> ports; ///< Of those that are read.
  Arrays arrays;
  std::vector<std::byte> row; ///< Memory of all others.
  std::vector<Buffer> buffers;
};
} // namespace

/// A view of `row` with the sizes of an argument.
static Buffer getUnread(const Port &port, const Dims &dims,
                        std::vector<std::byte> &row) {
  Buffer buffer;
  buffer.type = port.type;
  buffer.sizes = getSizes(port, dims);
  buffer.strides.assign(buffer.sizes.size(), 0);
  if (!buffer.sizes.empty())
    buffer.strides.back() = 1;
  buffer.data = row.data();
  return buffer;
}

static Expected<SparseArguments> makeSparse(const BlockClassifier &classifier,
                                            const Dims &dims,
                                            const ArgumentFiles &files,
                                            const ArgumentOptions &options) {
  SparseArguments made;
  int64_t widest = 1;
  std::vector<Port> &read = made.ports;
  auto ports = classifier.getKernel().arguments();
  for (auto [i, port] : llvm::enumerate(ports)) {
    auto sizes = getSizes(port, dims);
    if (!sizes.empty())
      widest = std::max(widest, sizes.back());
    if (classifier.isRead(i))
      read.push_back(port);
  }
  Expected<Arrays> arrays = makeArguments(read, dims, files, options);
  if (!arrays)
    return arrays.takeError();
  made.arrays = std::move(*arrays);
  made.row.resize(8 * widest);
  std::vector<Buffer> buffers = getBuffers(made.arrays);
  size_t next = 0;
  for (auto [i, port] : llvm::enumerate(ports))
    made.buffers.push_back(classifier.isRead(i)
                               ? buffers[next++]
                               : getUnread(port, dims, made.row));
  return made;
}

//===----------------------------------------------------------------------===//
// Sorting
//===----------------------------------------------------------------------===//

/// Gives each fact its place.
static void sortFacts(Findings &findings) {
  const Explanation &explanation = findings.explanation;
  findings.ops.resize(explanation.ops.size());
  for (auto [found, op] : llvm::zip_equal(findings.ops, explanation.ops))
    found.op = &op;
  std::vector<std::vector<const Fact *>> candidates(findings.ops.size());
  std::vector<size_t> lists(findings.ops.size());
  for (const Fact &fact : explanation.facts) {
    OpFindings &op = findings.ops[fact.op];
    auto &versions = op.versions;
    if (fact.name == "structure")
      op.structure = &fact;
    else if (fact.name == "obstacle")
      op.obstacles.push_back(&fact);
    else if (fact.name == "candidate")
      candidates[fact.op].push_back(&fact);
    else if (fact.name == "schedule")
      versions.emplace_back().schedule = &fact,
      versions.back().candidates.swap(candidates[fact.op]);
    else if (fact.name == "device")
      versions.back().device = &fact;
    else if (fact.name == "list")
      versions[lists[fact.op]++].list = &fact;
    else if (fact.name == "bounds")
      versions[lists[fact.op] - 1].bounds.push_back(&fact);
  }
  for (OpFindings &op : findings.ops)
    for (Version &version : op.versions)
      llvm::sort(version.bounds, [](const Fact *x, const Fact *y) {
        return x->values < y->values;
      });
}

/// The names of the arguments with the list of blocks of an op that no file is
/// given for: random numbers are no list.
static std::vector<std::string> findMissing(const OpFindings &op,
                                            const ExplainOptions &options) {
  std::vector<std::string> missing;
  if (!op.structure)
    return missing;
  for (const std::string &name : getListArguments(*op.structure)) {
    bool isGiven = llvm::any_of(options.arguments, [&](const NamedFile &file) {
      return file.name == name;
    });
    if (!isGiven)
      missing.push_back(name);
  }
  return missing;
}

/// Keeps what is read of integers: for the cost model, and by name.
static CallData keepData(const SparseArguments &arguments,
                         const ExplainOptions &options, Findings &findings) {
  CallData data;
  for (auto [port, array] :
       llvm::zip_equal(arguments.ports, arguments.arrays)) {
    bool isMissing = llvm::any_of(findings.ops, [&](const OpFindings &op) {
      return llvm::is_contained(op.missing, port.name);
    });
    if (isFloat(port.type) || isMissing)
      continue;
    data[port.name] = makeTable(array);
    ReadArgument &read = findings.data.emplace_back();
    read.name = port.name;
    read.fill = port.fill;
    for (const NamedFile &file : options.arguments)
      if (file.name == port.name)
        read.file = file.path;
  }
  findings.seed = options.fill.seed;
  return data;
}

/// Gives each version of an attend op its blocks; returns what was read.
static Expected<CallData> addBlocks(const ExplainOptions &options,
                                    Findings &findings) {
  const CompileInput &input = options.input;
  auto classifier = BlockClassifier::create(input.text, input.name,
                                            input.options, options.exact);
  if (!classifier)
    return classifier.takeError();
  const Kernel &kernel = (*classifier)->getKernel();
  auto files = ArgumentFiles::read(options.arguments, kernel);
  if (!files)
    return files.takeError();
  Expected<Dims> dims = resolveDims(kernel, options.dims, files->getSizes());
  if (!dims)
    return dims.takeError();
  findings.dims = std::move(*dims);
  auto arguments =
      makeSparse(**classifier, findings.dims, *files, options.fill);
  if (!arguments)
    return arguments.takeError();
  auto all = (*classifier)->classify(arguments->buffers);
  if (!all)
    return all.takeError();
  size_t next = 0;
  for (OpFindings &op : findings.ops) {
    op.missing = findMissing(op, options);
    for (Version &version : op.versions) {
      if (!op.isAttention())
        continue;
      version.blocks = std::move((*all)[next++]);
      if (version.blocks && op.missing.empty())
        count(op, version);
    }
  }
  return keepData(*arguments, options, findings);
}

/// Asks the cost model, for all units of the machine.
static Error predict(const ExplainOptions &options, const CallData &data,
                     Findings &findings) {
  const CompileInput &input = options.input;
  CallSizes sizes(findings.dims.begin(), findings.dims.end());
  auto model =
      FunctionModel::create(input.text, input.name, input.options, sizes, data);
  if (!model)
    return model.takeError();
  Expected<Machine> machine = loadMachine(findings.explanation.target);
  if (!machine)
    return machine.takeError();
  findings.machine = std::move(*machine);
  findings.prediction =
      model->predict(findings.machine, int(findings.machine.units));
  return Error::success();
}

Expected<std::unique_ptr<Findings>> attn::find(const ExplainOptions &options) {
  const CompileInput &input = options.input;
  auto explained = explain(input.text, input.name, input.options);
  if (!explained)
    return explained.takeError();
  auto findings = std::make_unique<Findings>();
  findings->spec = input.name;
  findings->explanation = std::move(*explained);
  sortFacts(*findings);
  Expected<CallData> data = addBlocks(options, *findings);
  if (!data)
    return data.takeError();
  findings->isTuned = options.isTuned;
  if (!findings->ops.empty())
    if (Error error = predict(options, *data, *findings))
      return std::move(error);
  return findings;
}
