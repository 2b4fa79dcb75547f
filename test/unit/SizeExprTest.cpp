//===- SizeExprTest.cpp - Expressions over the sizes of a call ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/SizeExpr.h"
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>

using namespace attn;
using Op = SizeExpr::Op;

static Result<int64_t> apply(Op op, int64_t a, int64_t b) {
  return SizeExpr::binary(op, SizeExpr::constant(a), SizeExpr::constant(b))
      .evaluate({});
}

/// The message with which an operation fails.
static std::string getError(Op op, int64_t a, int64_t b) {
  Result<int64_t> value = apply(op, a, b);
  return value ? std::to_string(*value) : value.takeStatus().getMessage();
}

TEST(SizeExpr, DividesTowardsMinusInfinity) {
  for (int64_t a = -20; a <= 20; ++a)
    for (int64_t b = -7; b <= 7; ++b) {
      if (b == 0)
        continue;
      double quotient = double(a) / double(b);
      EXPECT_EQ(*apply(Op::FloorDiv, a, b), int64_t(std::floor(quotient)));
      EXPECT_EQ(*apply(Op::CeilDiv, a, b), int64_t(std::ceil(quotient)));
      EXPECT_EQ(*apply(Op::Mod, a, b), a - b * int64_t(std::floor(quotient)));
    }
}

TEST(SizeExpr, ComputesTheRest) {
  EXPECT_EQ(*apply(Op::Add, 6, 7), 13);
  EXPECT_EQ(*apply(Op::Sub, 6, 7), -1);
  EXPECT_EQ(*apply(Op::Mul, 6, 7), 42);
  EXPECT_EQ(*apply(Op::Min, 6, 7), 6);
  EXPECT_EQ(*apply(Op::Max, 6, 7), 7);
  int64_t dims[] = {10, 20}, strides[] = {200, 1};
  std::span<const int64_t> tensors[] = {dims, strides};
  auto expr = SizeExpr::binary(
      Op::Sub, SizeExpr::dim(1),
      SizeExpr::binary(Op::Mul, SizeExpr::dim(0), SizeExpr::stride(1, 0)));
  EXPECT_EQ(*expr.evaluate({dims, tensors}), 20 - 10 * 200);
}

TEST(SizeExpr, RefusesWhatHasNoValue) {
  EXPECT_EQ(getError(Op::FloorDiv, 7, 0), "floordiv(7, 0) divides by zero");
  EXPECT_EQ(getError(Op::CeilDiv, 7, 0), "ceildiv(7, 0) divides by zero");
  EXPECT_EQ(getError(Op::Mod, 7, 0), "mod(7, 0) divides by zero");
  EXPECT_EQ(getError(Op::Add, INT64_MAX, 1),
            "add(9223372036854775807, 1) exceeds 64 bits");
  EXPECT_EQ(getError(Op::Sub, INT64_MIN, 1),
            "sub(-9223372036854775808, 1) exceeds 64 bits");
  EXPECT_EQ(getError(Op::Mul, INT64_MAX, 2),
            "mul(9223372036854775807, 2) exceeds 64 bits");
  EXPECT_EQ(getError(Op::FloorDiv, INT64_MIN, -1),
            "floordiv(-9223372036854775808, -1) exceeds 64 bits");
  EXPECT_EQ(getError(Op::CeilDiv, INT64_MIN, -1),
            "ceildiv(-9223372036854775808, -1) exceeds 64 bits");
  EXPECT_EQ(getError(Op::Mod, INT64_MIN, -1), "0");
}
