//===- IndexEmitter.cpp - Index arithmetic on linear forms ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/IndexEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

std::optional<LinearForm> IndexEmitter::overQueries(const LinearForm &form,
                                                    bool largest) const {
  bool grows = form.getCoefficient(variables.query) > 0;
  std::optional<LinearForm> extreme = form.substitute(
      variables.query, grows == largest ? variables.last : variables.first);
  for (auto [value, first, last] : ascending) {
    if (!extreme)
      break;
    grows = extreme->getCoefficient(value) > 0;
    extreme = extreme->substitute(value, grows == largest ? last : first);
  }
  return extreme;
}

bool IndexEmitter::isNonNegative(const LinearForm &form) const {
  std::optional<LinearForm> least = overQueries(form, /*largest=*/false);
  // last = first + a number that is not negative.
  if (!least || least->getCoefficient(variables.last) < 0)
    return false;
  least = least->substitute(variables.last, variables.first);
  if (!least || least->getConstant() < 0)
    return false;
  return llvm::all_of(least->getTerms(), [&](const auto &term) {
    return term.second > 0 && nonNegative.contains(term.first);
  });
}

bool IndexEmitter::isProvedAtMost(const LinearForm &a,
                                  const LinearForm &b) const {
  std::optional<LinearForm> difference = b.plus(a, -1);
  return difference && isNonNegative(*difference);
}

Value IndexEmitter::emitConstant(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value IndexEmitter::emit(const LinearForm &form) {
  Value sum;
  for (auto [value, coefficient] : form.getTerms()) {
    Value product = value;
    if (coefficient != 1 && (coefficient != -1 || !sum))
      product = arith::MulIOp::create(b, value, emitConstant(coefficient))
                    .getResult();
    if (!sum)
      sum = product;
    else if (coefficient == -1)
      sum = arith::SubIOp::create(b, sum, value);
    else
      sum = arith::AddIOp::create(b, sum, product);
  }
  if (!sum)
    return emitConstant(form.getConstant());
  if (form.getConstant() == 0)
    return sum;
  return arith::AddIOp::create(b, sum, emitConstant(form.getConstant()));
}

LinearForm IndexEmitter::min(const LinearForm &x, const LinearForm &y) {
  if (isProvedAtMost(x, y))
    return x;
  if (isProvedAtMost(y, x))
    return y;
  return Value(arith::MinSIOp::create(b, emit(x), emit(y)));
}

LinearForm IndexEmitter::max(const LinearForm &x, const LinearForm &y) {
  if (isProvedAtMost(x, y))
    return y;
  if (isProvedAtMost(y, x))
    return x;
  return Value(arith::MaxSIOp::create(b, emit(x), emit(y)));
}

LinearForm IndexEmitter::floorDiv(const LinearForm &form, int64_t divisor) {
  if (divisor == 1)
    return form;
  if (std::optional<int64_t> constant = form.getIfConstant())
    return llvm::divideFloorSigned(*constant, divisor);
  Value quotient =
      arith::FloorDivSIOp::create(b, emit(form), emitConstant(divisor));
  if (isNonNegative(form))
    assumeNonNegative(quotient);
  return quotient;
}

Value IndexEmitter::isAtMost(Value x, Value y) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::sle, x, y);
}

Value IndexEmitter::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, condition, x, y);
}
