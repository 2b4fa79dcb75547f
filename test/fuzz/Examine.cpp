//===- Examine.cpp - Run a spec and compare -------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Examine.h"
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

/// What the compiler may refuse that the generator makes: messages.
static constexpr StringRef kRefusals[] = {
    "bytes of scratch, at most",
};

namespace {
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
  Error makeInputs(const Kernel &kernel);
  Error evaluateDefinition(bool isDouble);
  Expected<Arrays> call(const Kernel &kernel, int threads);
  double getFloor(const Array &result, const Array &reference,
                  StringRef name) const;
  void compare(StringRef kind, StringRef where, const Kernel &kernel,
               const Arrays &results);
  Error checkThreads(const Kernel &kernel, const Arrays &results);
  Error checkPhases();
  void find(StringRef kind, const llvm::Twine &message);

  const Examination &examination;
  CompileInput input;
  Arrays arguments, reference;
  std::vector<double> naiveErrors;
};
} // namespace

void Examiner::find(StringRef kind, const llvm::Twine &message) {
  if (outcome.status == Outcome::Found)
    return;
  outcome = {Outcome::Found, kind.str(), message.str()};
}

Expected<std::unique_ptr<Kernel>> Examiner::compileFor(StringRef target) {
  CompileOptions options = input.options;
  options.target = target.str();
  return compile(input.text, input.name, options);
}

/// Random arguments of the sizes that the spec states as defaults.
Error Examiner::makeInputs(const Kernel &kernel) {
  Expected<Dims> dims = resolveDims(kernel, {}, {});
  if (!dims)
    return dims.takeError();
  auto made = makeArguments(kernel.arguments(), *dims, ArgumentFiles(),
                            {examination.seed, Layout::Bhnd});
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
  if (isDouble || !(isRounded || examination.phases || !examination.quick))
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

void Examiner::compare(StringRef kind, StringRef where, const Kernel &kernel,
                       const Arrays &results) {
  for (auto [port, result, expected, naiveError] :
       llvm::zip(kernel.results(), results, reference, naiveErrors)) {
    Comparison comparison =
        compareResult(port.name, result, expected, naiveError);
    double allowed =
        std::max(comparison.tolerance, getFloor(result, expected, port.name));
    if (comparison.error <= allowed)
      continue;
    find(kind,
         llvm::formatv("{0}{1}: error {2:E3} at {3}, allowed {4:E3}, expected "
                       "{5}, got {6}",
                       where, port.name, comparison.error,
                       formatSizes(comparison.coordinates), allowed,
                       comparison.expected, comparison.got));
  }
}

Error Examiner::checkThreads(const Kernel &kernel, const Arrays &results) {
  Expected<Arrays> others = call(kernel, 2);
  if (!others)
    return others.takeError();
  for (auto [port, one, two] : llvm::zip(kernel.results(), results, *others))
    if (std::memcmp(one.getBuffer().data, two.getBuffer().data,
                    one.getNumBytes()) != 0)
      find("threads", port.name + ": one and two threads give different bits");
  return Error::success();
}

Error Examiner::checkPhases() {
  Expected<PhaseKernels> phases = compilePhases(input);
  if (!phases)
    return phases.takeError();
  for (const auto &[phase, kernel] : *phases) {
    Expected<Arrays> values = evaluate(*kernel, arguments);
    if (!values)
      return makeError("phase {0}: {1}", phase,
                       llvm::toString(values.takeError()));
    compare("phase", phase + ": ", *kernel, *values);
  }
  return Error::success();
}

Error Examiner::run() {
  auto kernel = compileFor(examination.target);
  if (!kernel)
    return kernel.takeError();
  if (Error error = makeInputs(**kernel))
    return error;
  bool isDouble = (*kernel)->results().front().type == ElementType::F64;
  if (Error error = evaluateDefinition(isDouble))
    return error;
  Expected<Arrays> results = call(**kernel, 1);
  if (!results)
    return results.takeError();
  compare("mismatch", "", **kernel, *results);
  if (examination.threads)
    if (Error error = checkThreads(**kernel, *results))
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
