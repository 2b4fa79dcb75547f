//===- LinearForm.cpp - Linear combinations of index values ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/LinearForm.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// `a + factor * b`, if it is small enough.
static std::optional<int64_t> addSmall(int64_t a, int64_t factor, int64_t b) {
  int64_t product, sum;
  if (llvm::MulOverflow(factor, b, product) ||
      llvm::AddOverflow(a, product, sum) || !llvm::isInt<32>(sum))
    return std::nullopt;
  return sum;
}

int64_t LinearForm::getCoefficient(Value value) const {
  for (auto [term, coefficient] : terms)
    if (term == value)
      return coefficient;
  return 0;
}

std::optional<int64_t> LinearForm::getIfConstant() const {
  if (terms.empty())
    return constant;
  return std::nullopt;
}

std::optional<LinearForm> LinearForm::plus(const LinearForm &other,
                                           int64_t factor) const {
  LinearForm sum = *this;
  std::optional<int64_t> total = addSmall(constant, factor, other.constant);
  if (!total)
    return std::nullopt;
  sum.constant = *total;
  for (auto [value, coefficient] : other.terms) {
    std::optional<int64_t> added =
        addSmall(sum.getCoefficient(value), factor, coefficient);
    if (!added)
      return std::nullopt;
    auto *term = llvm::find_if(
        sum.terms, [v = value](const auto &entry) { return entry.first == v; });
    if (term == sum.terms.end())
      sum.terms.push_back({value, *added});
    else
      term->second = *added;
  }
  llvm::erase_if(sum.terms,
                 [](const auto &entry) { return entry.second == 0; });
  return sum;
}

LinearForm LinearForm::without(Value value) const {
  LinearForm rest = *this;
  llvm::erase_if(rest.terms,
                 [&](const auto &entry) { return entry.first == value; });
  return rest;
}

std::optional<LinearForm>
LinearForm::substitute(Value value, const LinearForm &replacement) const {
  return without(value).plus(replacement, getCoefficient(value));
}
