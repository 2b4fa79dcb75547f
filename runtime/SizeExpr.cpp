//===- SizeExpr.cpp - Expressions over the sizes of a call ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/SizeExpr.h"
#include <algorithm>
#include <limits>

using namespace attn;

std::string_view attn::getOpName(SizeExpr::Op op) {
  switch (op) {
  case SizeExpr::Op::Add:
    return "add";
  case SizeExpr::Op::Sub:
    return "sub";
  case SizeExpr::Op::Mul:
    return "mul";
  case SizeExpr::Op::FloorDiv:
    return "floordiv";
  case SizeExpr::Op::CeilDiv:
    return "ceildiv";
  case SizeExpr::Op::Mod:
    return "mod";
  case SizeExpr::Op::Min:
    return "min";
  case SizeExpr::Op::Max:
    return "max";
  case SizeExpr::Op::Constant:
  case SizeExpr::Op::Dim:
  case SizeExpr::Op::Stride:
    break;
  }
  return "";
}

SizeExpr SizeExpr::binary(Op op, const SizeExpr &left, const SizeExpr &right) {
  std::vector<Step> steps = left.steps;
  steps.insert(steps.end(), right.steps.begin(), right.steps.end());
  steps.push_back({op, 0, 0});
  return SizeExpr(std::move(steps));
}

/// "mul(6, 7)", for messages.
static std::string describe(SizeExpr::Op op, int64_t a, int64_t b) {
  return std::string(getOpName(op)) + "(" + std::to_string(a) + ", " +
         std::to_string(b) + ")";
}

/// Quotient and remainder of a division that rounds down. The divisor is not 0
/// and the quotient fits.
static std::pair<int64_t, int64_t> divideDown(int64_t a, int64_t b) {
  int64_t quotient = a / b, remainder = a % b;
  if (remainder != 0 && (remainder < 0) != (b < 0))
    return {quotient - 1, remainder + b};
  return {quotient, remainder};
}

static Result<int64_t> divide(SizeExpr::Op op, int64_t a, int64_t b) {
  if (b == 0)
    return invalidArgument(describe(op, a, b) + " divides by zero");
  if (a == std::numeric_limits<int64_t>::min() && b == -1) {
    if (op == SizeExpr::Op::Mod)
      return 0;
    return invalidArgument(describe(op, a, b) + " exceeds 64 bits");
  }
  auto [quotient, remainder] = divideDown(a, b);
  if (op == SizeExpr::Op::Mod)
    return remainder;
  return op == SizeExpr::Op::CeilDiv && remainder != 0 ? quotient + 1
                                                       : quotient;
}

static Result<int64_t> apply(SizeExpr::Op op, int64_t a, int64_t b) {
  int64_t value = 0;
  bool overflows = false;
  switch (op) {
  case SizeExpr::Op::Add:
    overflows = __builtin_add_overflow(a, b, &value);
    break;
  case SizeExpr::Op::Sub:
    overflows = __builtin_sub_overflow(a, b, &value);
    break;
  case SizeExpr::Op::Mul:
    overflows = __builtin_mul_overflow(a, b, &value);
    break;
  case SizeExpr::Op::Min:
    return std::min(a, b);
  case SizeExpr::Op::Max:
    return std::max(a, b);
  default:
    return divide(op, a, b);
  }
  if (overflows)
    return invalidArgument(describe(op, a, b) + " exceeds 64 bits");
  return value;
}

/// The value of an operand, or nothing for an operation.
static std::optional<int64_t> getOperand(const SizeExpr::Step &step,
                                         const SizeValues &values) {
  switch (step.op) {
  case SizeExpr::Op::Constant:
    return step.value;
  case SizeExpr::Op::Dim:
    return values.dims[step.value];
  case SizeExpr::Op::Stride:
    return values.strides[step.value][step.dim];
  default:
    return std::nullopt;
  }
}

Result<int64_t> SizeExpr::evaluate(const SizeValues &values) const {
  std::vector<int64_t> stack;
  for (const Step &step : steps) {
    if (std::optional<int64_t> operand = getOperand(step, values)) {
      stack.push_back(*operand);
      continue;
    }
    int64_t right = stack.back();
    stack.pop_back();
    Result<int64_t> value = apply(step.op, stack.back(), right);
    if (!value)
      return value;
    stack.back() = *value;
  }
  return stack.back();
}
