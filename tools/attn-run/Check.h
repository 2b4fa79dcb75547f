//===- Check.h - Compare a kernel with its definition --------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The definition of the spec is evaluated twice on the same inputs: in float64
// (the reference) and in the precision of the spec (the naive evaluation). A
// result may be wrong by
//
//   max(2 * max|naive - reference|, 8 * eps * max|reference|)
//
// where eps is that of float32; for f64 results, whose reference is no more
// precise than they are, the bound is 32 eps of float64.
// The naive evaluation rounds its results as the kernel does, so the rounding
// of 16-bit results is part of the first term. Infinities and NaN must stand
// exactly where the reference has them; docs/numerics.md gives the reasons.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_CHECK_H
#define ATTN_TOOLS_ATTN_RUN_CHECK_H

#include "tools/attn-run/Arguments.h"
#include "tools/support/KernelFlags.h"

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

/// Compares a result with both evaluations of the definition.
Comparison compareResult(llvm::StringRef name, const Array &result,
                         const Array &naive, const Array &reference);

/// What the definition says about some arguments.
struct Definition {
  std::vector<std::string> names; ///< Of the results.
  Arrays reference;
  Arrays naive;
};

/// Compares all results and prints a line for each; returns whether all are
/// within tolerance.
bool reportComparisons(llvm::raw_ostream &stream, llvm::StringRef label,
                       const Definition &definition, const Arrays &results);

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
  std::unique_ptr<Kernel> reference, naive;
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_CHECK_H
