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

/// What is allowed in any case, relative to the largest element. The reference
/// of an f64 result is rounded like the result, and its own error is unknown:
/// 32 eps stand for both (docs/numerics.md).
static double getFloor(ElementType type) {
  return type == ElementType::F64 ? 32 * getEpsilon(ElementType::F64)
                                  : 8 * getEpsilon(ElementType::F32);
}

Comparison attn::compareResult(StringRef name, const Array &result,
                               const Array &naive, const Array &reference) {
  Comparison comparison;
  comparison.name = name.str();
  ElementType type = result.getType();
  double largest = 0;
  for (int64_t i = 0; i < result.getNumElements(); ++i) {
    double expected = getExpected(reference, type, i);
    if (std::isfinite(expected))
      largest = std::max(largest, std::abs(expected));
    if (double error = getError(naive.get(i), expected); std::isfinite(error))
      comparison.naiveError = std::max(comparison.naiveError, error);
    double got = result.get(i), error = getError(got, expected);
    if (comparison.worst < 0 || error > comparison.error) {
      comparison.error = error;
      comparison.worst = i;
      comparison.got = got;
      comparison.expected = expected;
    }
  }
  comparison.tolerance =
      std::max(2 * comparison.naiveError, getFloor(type) * largest);
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
                             const Arrays &results) {
  bool ok = true;
  for (auto [name, result, naive, reference] : llvm::zip(
           definition.names, results, definition.naive, definition.reference)) {
    Comparison comparison = compareResult(name, result, naive, reference);
    print(stream, label, comparison);
    ok &= comparison.ok;
  }
  return ok;
}

//===----------------------------------------------------------------------===//
// The definition
//===----------------------------------------------------------------------===//

Expected<Checker> Checker::create(const CompileInput &input) {
  Checker checker;
  for (auto [target, kernel] : {std::pair("reference", &checker.reference),
                                std::pair("naive", &checker.naive)}) {
    CompileOptions definition = input.options;
    definition.target = target;
    definition.schedule.clear();
    definition.dumpPhasesTo.clear();
    auto compiled = compile(input.text, input.name, definition);
    if (!compiled)
      return compiled.takeError();
    *kernel = std::move(*compiled);
  }
  return checker;
}

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

Expected<Definition> Checker::evaluate(const Arrays &arguments) const {
  Expected<Arrays> exact = attn::evaluate(*reference, arguments);
  if (!exact)
    return exact.takeError();
  Expected<Arrays> rounded = attn::evaluate(*naive, arguments);
  if (!rounded)
    return rounded.takeError();
  Definition definition{{}, std::move(*exact), std::move(*rounded)};
  for (const Port &port : naive->results())
    definition.names.push_back(port.name);
  return definition;
}
