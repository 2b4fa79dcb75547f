//===- Examine.cpp - Run a spec and compare -------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Examine.h"
#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "tools/attn-run/Check.h"
#include "tools/attn-run/PhaseCheck.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace attn;
using namespace attn::fuzz;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// What the compiler may refuse that the generator makes: messages. Those after
/// the first are of GPUs and of schedules of recurrences.
static constexpr StringRef kRefusals[] = {
    "bytes of scratch, at most",
    "registers per thread, at most",
    "bytes of shared memory",
    "columns of tiles must be cut at multiples of",
    "'block_k' must be at least the",
    "must be a multiple of 16 on GPUs",
    "'block_k' must divide the",
    "'splits' needs 'order(causal)'",
    "or joined in a region before a matrix multiplies",
};

/// What is further over a measured tolerance than this factor is so by no
/// chance.
static constexpr double kNear = 4;

namespace {
/// How a kernel is called on the arguments.
using RunKernel =
    llvm::function_ref<Expected<Arrays>(const Kernel &, const Arrays &)>;

/// One examination. Steps return an error where something could not be
/// compiled or called, and enter findings into `outcome`.
class Examiner {
public:
  Examiner(StringRef text, const Examination &examination)
      : examination(examination) {
    input.text = text.str();
    input.name = "spec";
    input.options.target = examination.target;
    input.options.quick = examination.quick;
  }

  Error run();

  Outcome outcome;

private:
  Expected<std::unique_ptr<Kernel>> compileFor(StringRef target);
  Error makeInputs(const Kernel &kernel, uint64_t seed);
  Error evaluateDefinition(bool isDouble);
  Error measureDefinition();
  Expected<Arrays> call(const Kernel &kernel, int threads);
  double getFloor(const Array &result, const Array &reference,
                  StringRef name) const;
  double compare(StringRef kind, StringRef where, const Kernel &kernel,
                 const Arrays &results);
  Error examineResults(StringRef kind, StringRef where, const Kernel &kernel,
                       RunKernel run);
  Expected<bool> isByChance(const Kernel &kernel, RunKernel run);
  Error checkThreads(const Kernel &kernel);
  Error checkPhases();
  void find(StringRef kind, const llvm::Twine &message);

  const Examination &examination;
  CompileInput input;
  Arrays arguments, reference;
  std::vector<double> naiveErrors;
  std::optional<Checker> checker; ///< If errors are measured.
};
} // namespace

void Examiner::find(StringRef kind, const llvm::Twine &message) {
  if (outcome.status == Outcome::Found || kind.empty())
    return;
  outcome = {Outcome::Found, kind.str(), message.str()};
}

Expected<std::unique_ptr<Kernel>> Examiner::compileFor(StringRef target) {
  CompileOptions options = input.options;
  options.target = target.str();
  if (target.starts_with("cuda"))
    return SimulatedKernel::compile(input.text, input.name, options);
  return compile(input.text, input.name, options);
}

/// Random arguments of the sizes that the spec states as defaults.
Error Examiner::makeInputs(const Kernel &kernel, uint64_t seed) {
  Expected<Dims> dims = resolveDims(kernel, {}, {});
  if (!dims)
    return dims.takeError();
  auto made = makeArguments(kernel.arguments(), *dims, ArgumentFiles(),
                            {seed, Layout::Bhnd});
  if (!made)
    return made.takeError();
  arguments = std::move(*made);
  return Error::success();
}

/// The naive evaluation takes as long as the reference and mostly allows less
/// than the error analysis does, so only some specs have it; not those in
/// float64, where it is the reference itself.
Error Examiner::evaluateDefinition(bool isDouble) {
  auto exact = compileFor("reference");
  if (!exact)
    return exact.takeError();
  Expected<Arrays> expected = evaluate(**exact, arguments);
  if (!expected)
    return expected.takeError();
  reference = std::move(*expected);
  naiveErrors.assign(reference.size(), 0);
  // Row maps outside of the attend round to the element type.
  bool isRounded = StringRef(input.text).contains("attn.map_rows");
  if (isDouble || examination.measured ||
      !(isRounded || examination.phases || !examination.quick))
    return Error::success();
  auto naive = compileFor("naive");
  if (!naive)
    return naive.takeError();
  Expected<Arrays> values = evaluate(**naive, arguments);
  if (!values)
    return values.takeError();
  for (auto [error, value, exactValue] :
       llvm::zip(naiveErrors, *values, reference))
    error = getLargestError(value, exactValue);
  return Error::success();
}

/// The definition, and the errors of its naive evaluation.
Error Examiner::measureDefinition() {
  if (!checker) {
    Expected<Checker> made = Checker::create(input);
    if (!made)
      return made.takeError();
    checker = std::move(*made);
  }
  Expected<Definition> definition = checker->evaluate(arguments);
  if (!definition)
    return definition.takeError();
  reference = std::move(definition->reference);
  naiveErrors = std::move(definition->naiveErrors);
  return Error::success();
}

Expected<Arrays> Examiner::call(const Kernel &kernel, int threads) {
  Expected<Arrays> results = makeResults(kernel, arguments);
  if (!results)
    return results.takeError();
  if (Error error =
          kernel.launch(getBuffers(arguments), getBuffers(*results), {threads}))
    return error;
  return results;
}

/// What the error analysis allows, and half a unit in the last place for the
/// rounding of the result.
double Examiner::getFloor(const Array &result, const Array &reference,
                          StringRef name) const {
  if (examination.measured)
    return 0;
  bool isDouble = result.getType() == ElementType::F64;
  double eps = getEpsilon(isDouble ? result.getType() : ElementType::F32);
  double largest = 0;
  for (int64_t i = 0; i < reference.getNumElements(); ++i)
    if (double value = std::abs(reference.get(i)); std::isfinite(value))
      largest = std::max(largest, value);
  double bound = eps * (16 + 4 * examination.scoreError);
  if (name == "out")
    bound *= examination.valueBound;
  return bound + 0.51 * getEpsilon(result.getType()) * largest;
}

/// Returns the largest error that is not allowed, as a multiple of what is; 0
/// if all are. Without a `kind` it is no finding.
double Examiner::compare(StringRef kind, StringRef where, const Kernel &kernel,
                         const Arrays &results) {
  double largest = 0;
  for (auto [port, result, expected, naiveError] :
       llvm::zip(kernel.results(), results, reference, naiveErrors)) {
    Comparison comparison =
        compareResult(port.name, result, expected, naiveError);
    double allowed =
        std::max(comparison.tolerance, getFloor(result, expected, port.name));
    if (comparison.error <= allowed)
      continue;
    largest = std::max(largest, comparison.error / allowed);
    find(kind,
         llvm::formatv("{0}{1}: error {2:E3} at {3}, allowed {4:E3}, expected "
                       "{5}, got {6}",
                       where, port.name, comparison.error,
                       formatSizes(comparison.coordinates), allowed,
                       comparison.expected, comparison.got));
  }
  return largest;
}

/// Whether a kernel that is over a measured tolerance here is within it on most
/// other arguments, and never far over it. One that computes something else, or
/// loses more than the naive evaluation does, is over it on most.
Expected<bool> Examiner::isByChance(const Kernel &kernel, RunKernel run) {
  constexpr int kOthers = 8, kFewest = 2;
  int misses = 0;
  for (int other = 1; other <= kOthers; ++other) {
    if (Error error = makeInputs(kernel, examination.seed + 1000 * other))
      return error;
    if (Error error = measureDefinition())
      return error;
    Expected<Arrays> results = run(kernel, arguments);
    if (!results)
      return results.takeError();
    double excess = compare("", "", kernel, *results);
    misses += excess > 0;
    if (excess > kNear || misses > kFewest)
      return false;
  }
  outcome.message +=
      llvm::formatv("; so are {0} of {1} other arguments", misses, kOthers)
          .str();
  return true;
}

/// Runs a kernel and compares what it computes.
Error Examiner::examineResults(StringRef kind, StringRef where,
                               const Kernel &kernel, RunKernel run) {
  Expected<Arrays> results = run(kernel, arguments);
  if (!results)
    return where.empty() ? results.takeError()
                         : makeError("phase {0}{1}", where,
                                     llvm::toString(results.takeError()));
  if (!examination.measured) {
    compare(kind, where, kernel, *results);
    return Error::success();
  }
  // Most are within what is allowed beside an exact naive evaluation, which
  // takes longer than the rest.
  if (compare("", where, kernel, *results) == 0)
    return Error::success();
  if (Error error = measureDefinition())
    return error;
  bool isFirst = outcome.status != Outcome::Found;
  double excess = compare(kind, where, kernel, *results);
  if (!isFirst || excess == 0 || excess > kNear)
    return Error::success();
  Expected<bool> byChance = isByChance(kernel, run);
  if (!byChance)
    return byChance.takeError();
  if (*byChance)
    outcome.status = Outcome::ByChance;
  if (Error error = makeInputs(kernel, examination.seed))
    return error;
  return measureDefinition();
}

Error Examiner::checkThreads(const Kernel &kernel) {
  Expected<Arrays> results = call(kernel, 1), others = call(kernel, 2);
  if (!results || !others)
    return llvm::joinErrors(results.takeError(), others.takeError());
  for (auto [port, one, two] : llvm::zip(kernel.results(), *results, *others))
    if (std::memcmp(one.getBuffer().data, two.getBuffer().data,
                    one.getNumBytes()) != 0)
      find("threads", port.name + ": one and two threads give different bits");
  return Error::success();
}

Error Examiner::checkPhases() {
  Expected<PhaseKernels> phases = compilePhases(input);
  if (!phases)
    return phases.takeError();
  for (const auto &[phase, kernel] : *phases)
    if (Error error = examineResults("phase", phase + ": ", *kernel, evaluate))
      return error;
  return Error::success();
}

Error Examiner::run() {
  auto kernel = compileFor(examination.target);
  if (!kernel)
    return kernel.takeError();
  if (Error error = makeInputs(**kernel, examination.seed))
    return error;
  bool isDouble = (*kernel)->results().front().type == ElementType::F64;
  if (Error error = evaluateDefinition(isDouble))
    return error;
  auto run = [&](const Kernel &called, const Arrays &) {
    return call(called, 1);
  };
  if (Error error = examineResults("mismatch", "", **kernel, run))
    return error;
  if (examination.threads)
    if (Error error = checkThreads(**kernel))
      return error;
  return examination.phases ? checkPhases() : Error::success();
}

Outcome attn::fuzz::examine(StringRef text, const Examination &examination) {
  Examiner examiner(text, examination);
  Error error = examiner.run();
  if (!error)
    return examiner.outcome;
  std::string message = llvm::toString(std::move(error));
  message = StringRef(message).split('\n').first.str();
  for (StringRef refusal : kRefusals)
    if (StringRef(message).contains(refusal))
      return {Outcome::Refused, "refused", message};
  return {Outcome::Found, "compile", message};
}
