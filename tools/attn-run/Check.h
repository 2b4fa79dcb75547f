//===- Check.h - Compare a kernel with its definition --------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The definition of the spec is evaluated twice on the same inputs: in float64
// (the reference) and in the precision of the spec (the naive evaluation, whose
// error is known then). A result may be wrong by
//
//   max(2 * error of the naive evaluation, 8 * eps * max|reference|)
//
// where eps is that of the accumulator: float64 for f64 results, else float32.
// The naive evaluation rounds its results as the kernel does, so the rounding
// of 16-bit results is part of the first term. For f64 both evaluations would
// be the same; getNaiveErrors() says what is done instead. Infinities and NaN
// must stand exactly where the reference has them. docs/numerics.md gives the
// reasons.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_CHECK_H
#define ATTN_TOOLS_ATTN_RUN_CHECK_H

#include "tools/support/Arguments.h"
#include "tools/support/KernelFlags.h"
#include <optional>

namespace attn {

/// How one result compares with the reference.
struct Comparison {
  std::string name;
  double error = 0;             ///< Largest error of a finite element.
  double naiveError = 0;        ///< The same of the naive evaluation.
  double tolerance = 0;         ///< What is allowed.
  int64_t worst = -1;           ///< Number of the element; -1 if there is none.
  double got = 0, expected = 0; ///< That element here and in the reference.
  llvm::SmallVector<int64_t, 4> coordinates; ///< Where that element is.
  bool ok = true;
};

/// Compares a result with the reference.
Comparison compareResult(llvm::StringRef name, const Array &result,
                         const Array &reference, double naiveError);

/// The largest error of a finite element.
double getLargestError(const Array &result, const Array &reference);

/// What the definition says about some arguments.
struct Definition {
  std::vector<std::string> names; ///< Of the results.
  Arrays reference;
  std::vector<double> naiveErrors; ///< One per result.
};

/// What is known of how an element of a result came about; empty if nothing.
using ExplainElement =
    llvm::function_ref<std::string(const Array &result, int64_t element)>;

/// Compares all results and prints a line for each, and what `explain` says of
/// the worst element of those over tolerance; returns whether all are within.
bool reportComparisons(llvm::raw_ostream &stream, llvm::StringRef label,
                       const Definition &definition, const Arrays &results,
                       ExplainElement explain = {});

/// Runs a kernel on the numbers of `arguments`, converted to the element types
/// that it takes, with all cores.
llvm::Expected<Arrays> evaluate(const Kernel &kernel, const Arrays &arguments);

/// The two evaluations of a definition as kernels, compiled once.
class Checker {
public:
  /// Compiles the spec for the targets of the definition.
  static llvm::Expected<Checker> create(const CompileInput &input);

  /// Evaluates the definition.
  llvm::Expected<Definition> evaluate(const Arrays &arguments) const;

private:
  /// The definition in one element type.
  struct Evaluations {
    std::unique_ptr<Kernel> reference, naive;
  };

  static llvm::Expected<Evaluations> compileFor(const CompileInput &input,
                                                llvm::StringRef dtype);
  static llvm::Expected<std::vector<double>>
  getErrors(const Evaluations &kernels, const Arrays &arguments,
            const Arrays &reference);
  llvm::Expected<std::vector<double>>
  getNaiveErrors(const Arrays &arguments, const Arrays &reference) const;

  Evaluations exact;
  /// The definition in float32, if that of the spec is float64.
  std::optional<Evaluations> coarse;
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_CHECK_H
