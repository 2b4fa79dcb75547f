//===- Check.cpp - Compare a kernel with its definition -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/Check.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <limits>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

/// The error of an element: 0 where both are the same infinity or both NaN, and
/// infinite where only one is. `expected` is in the range of the result's type.
static double getError(double got, double expected) {
  if (got == expected || (std::isnan(got) && std::isnan(expected)))
    return 0;
  if (!std::isfinite(got) || !std::isfinite(expected))
    return std::numeric_limits<double>::infinity();
  return std::abs(got - expected);
}

/// The reference, infinite where it is too large for the type of the result.
static double getExpected(const Array &reference, ElementType type, int64_t i) {
  double value = reference.get(i);
  return std::isfinite(roundTo(type, value)) ? value : roundTo(type, value);
}

double attn::getLargestError(const Array &result, const Array &reference) {
  double largest = 0;
  for (int64_t i = 0; i < result.getNumElements(); ++i) {
    double expected = getExpected(reference, result.getType(), i);
    if (double error = getError(result.get(i), expected); std::isfinite(error))
      largest = std::max(largest, error);
  }
  return largest;
}

/// The errors that are allowed where max|reference| is `largest`.
static double getTolerance(ElementType type, double naiveError,
                           double largest) {
  // A float64 reference is itself as wrong as the naive evaluation.
  bool isDouble = type == ElementType::F64;
  double factor = isDouble ? 3 : 2;
  double epsilon = getEpsilon(isDouble ? type : ElementType::F32);
  return std::max(factor * naiveError, 8 * epsilon * largest);
}

Comparison attn::compareResult(StringRef name, const Array &result,
                               const Array &reference, double naiveError) {
  Comparison comparison;
  comparison.name = name.str();
  comparison.naiveError = naiveError;
  double largest = 0;
  for (int64_t i = 0; i < result.getNumElements(); ++i) {
    double expected = getExpected(reference, result.getType(), i);
    if (std::isfinite(expected))
      largest = std::max(largest, std::abs(expected));
    double got = result.get(i), error = getError(got, expected);
    if (comparison.worst < 0 || error > comparison.error) {
      comparison.error = error;
      comparison.worst = i;
      comparison.got = got;
      comparison.expected = expected;
    }
  }
  comparison.tolerance = getTolerance(result.getType(), naiveError, largest);
  comparison.ok = comparison.error <= comparison.tolerance;
  if (comparison.worst >= 0)
    comparison.coordinates = result.getCoordinates(comparison.worst);
  return comparison;
}

/// Prints a comparison as one line.
static void print(llvm::raw_ostream &stream, StringRef label,
                  const Comparison &comparison) {
  stream << llvm::formatv("{0,-12}{1,-6} {2,-4}", label, comparison.name,
                          comparison.ok ? "ok" : "FAIL")
         << llvm::format("  max error %.3g", comparison.error);
  if (comparison.worst >= 0)
    stream << " at " << formatSizes(comparison.coordinates);
  stream << llvm::format("  tolerance %.3g  naive %.3g", comparison.tolerance,
                         comparison.naiveError);
  if (!comparison.ok)
    stream << llvm::format("  expected %.9g, got %.9g", comparison.expected,
                           comparison.got);
  stream << '\n';
}

bool attn::reportComparisons(llvm::raw_ostream &stream, StringRef label,
                             const Definition &definition,
                             const Arrays &results, ExplainElement explain) {
  bool ok = true;
  for (auto [name, result, reference, naiveError] :
       llvm::zip(definition.names, results, definition.reference,
                 definition.naiveErrors)) {
    Comparison comparison = compareResult(name, result, reference, naiveError);
    print(stream, label, comparison);
    ok &= comparison.ok;
    if (comparison.ok || !explain)
      continue;
    if (std::string words = explain(result, comparison.worst); !words.empty())
      stream << llvm::formatv("{0,-12}{1}\n", "", words);
  }
  return ok;
}

//===----------------------------------------------------------------------===//
// The definition
//===----------------------------------------------------------------------===//

Expected<Arrays> attn::evaluate(const Kernel &kernel, const Arrays &arguments) {
  Expected<Arrays> converted = convertArguments(arguments, kernel.arguments());
  if (!converted)
    return converted.takeError();
  Expected<Arrays> results = makeResults(kernel, *converted);
  if (!results)
    return results.takeError();
  LaunchOptions options;
  options.threads = 0;
  if (Error error =
          kernel.launch(getBuffers(*converted), getBuffers(*results), options))
    return error;
  return results;
}

/// Whether a result is float64 in the precision of the spec.
static bool hasDouble(const Kernel &naive) {
  return llvm::any_of(naive.results(), [](const Port &port) {
    return port.type == ElementType::F64;
  });
}

Expected<Checker::Evaluations> Checker::compileFor(const CompileInput &input,
                                                   StringRef dtype) {
  Evaluations kernels;
  for (auto [target, kernel] : {std::pair("reference", &kernels.reference),
                                std::pair("naive", &kernels.naive)}) {
    CompileOptions options = input.options;
    options.target = target;
    options.dtype = dtype;
    options.schedule.clear();
    options.dumpPhasesTo.clear();
    auto compiled = compile(input.text, input.name, options);
    if (!compiled)
      return compiled.takeError();
    *kernel = std::move(*compiled);
  }
  return kernels;
}

Expected<Checker> Checker::create(const CompileInput &input) {
  Checker checker;
  auto exact = compileFor(input, input.options.dtype);
  if (!exact)
    return exact.takeError();
  checker.exact = std::move(*exact);
  if (!hasDouble(*checker.exact.naive))
    return checker;
  auto coarse = compileFor(input, "f32");
  if (!coarse)
    return coarse.takeError();
  checker.coarse = std::move(*coarse);
  return checker;
}

/// The errors of the naive evaluation, one per result.
Expected<std::vector<double>> Checker::getErrors(const Evaluations &kernels,
                                                 const Arrays &arguments,
                                                 const Arrays &reference) {
  Expected<Arrays> naive = attn::evaluate(*kernels.naive, arguments);
  if (!naive)
    return naive.takeError();
  std::vector<double> errors;
  for (auto [result, expected] : llvm::zip(*naive, reference))
    errors.push_back(getLargestError(result, expected));
  return errors;
}

/// In float64 the naive evaluation and the reference are the same. But rounding
/// errors are proportional to eps, so the error in float64 is that of the same
/// loops in float32, on the arguments rounded to float32, times 2^-29.
Expected<std::vector<double>>
Checker::getNaiveErrors(const Arrays &arguments,
                        const Arrays &reference) const {
  if (!coarse)
    return getErrors(exact, arguments, reference);
  Expected<Arrays> rounded =
      convertArguments(arguments, coarse->naive->arguments());
  if (!rounded)
    return rounded.takeError();
  Expected<Arrays> expected = attn::evaluate(*coarse->reference, *rounded);
  if (!expected)
    return expected.takeError();
  auto errors = getErrors(*coarse, *rounded, *expected);
  if (errors)
    for (double &error : *errors)
      error *= getEpsilon(ElementType::F64) / getEpsilon(ElementType::F32);
  return errors;
}

Expected<Definition> Checker::evaluate(const Arrays &arguments) const {
  Expected<Arrays> reference = attn::evaluate(*exact.reference, arguments);
  if (!reference)
    return reference.takeError();
  auto errors = getNaiveErrors(arguments, *reference);
  if (!errors)
    return errors.takeError();
  Definition definition{{}, std::move(*reference), std::move(*errors)};
  for (const Port &port : exact.naive->results())
    definition.names.push_back(port.name);
  return definition;
}
