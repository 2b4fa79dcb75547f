//===- MaskSteps.cpp - Masks that keep every d-th token -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Candidates are the constants that the mask takes remainders by. For each, the
// classes of single pairs of tokens are evaluated when the program is compiled,
// the other axes being unknown: pairs that are no multiple of d apart must be
// known to be masked, and a pair that is d apart must not.
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/MaskSteps.h"
#include "mlir/IR/Matchers.h"
#include "passes/sparsity/BlockClasses.h"
#include <set>

using namespace mlir;
using namespace attn;

/// Steps above this are not looked for.
static constexpr int64_t kMostStep = 64;

/// What remainders are taken by in `mask`.
static std::set<int64_t> getDivisors(Region &mask) {
  std::set<int64_t> divisors;
  mask.walk([&](Operation *op) {
    APInt number;
    if (!isa<arith::RemSIOp, arith::RemUIOp, arith::AndIOp>(op) ||
        !matchPattern(op->getOperand(1), m_ConstantInt(&number)) ||
        number.getActiveBits() > 32)
      return;
    int64_t divisor = number.getZExtValue();
    // The lowest bits are the rest of a power of two.
    divisor += isa<arith::AndIOp>(op);
    if (divisor > 1 && divisor <= kMostStep)
      divisors.insert(divisor);
  });
  return divisors;
}

/// Whether the mask is known to drop all pairs of query `i` and key `j`, which
/// are indices along `axis`.
static bool isMasked(AttendOp op, unsigned axis, int64_t i, int64_t j) {
  Region scratch;
  Block &block = scratch.emplaceBlock();
  ImplicitLocOpBuilder b(op.getLoc(), op.getContext());
  b.setInsertionPointToEnd(&block);
  auto unbounded = [](Value, unsigned, unsigned) {
    return std::optional<TableBounds>();
  };
  BlockClasses classes(op.getMask(), b, unbounded);
  unsigned axes = op.getNumAxes();
  auto any = [&] { return block.addArgument(b.getIndexType(), op.getLoc()); };
  for (unsigned outer : {0, 1})
    classes.bind(outer, any());
  for (unsigned number = 0; number < 2 * axes; ++number) {
    if (number % axes != axis) {
      classes.bind(2 + number, BlockAxis{any(), any()});
      continue;
    }
    Value token = arith::ConstantIndexOp::create(b, number < axes ? i : j);
    classes.bind(2 + number, BlockAxis{token, token});
  }
  return matchPattern(classes.evaluateAssuming().some, m_Zero());
}

/// Whether tokens meet others only that are a multiple of `step` away.
static bool isStep(AttendOp op, unsigned axis, int64_t step) {
  bool meets = false;
  for (int64_t rest : {0, 1})
    for (int64_t away = -step - 1; away <= step + 1; ++away) {
      int64_t i = 4 * step + rest;
      bool masked = isMasked(op, axis, i, i + away);
      if (away % step && !masked)
        return false;
      meets |= away && away % step == 0 && !masked;
    }
  return meets;
}

SmallVector<int64_t> attn::findSteps(AttendOp op) {
  SmallVector<int64_t> steps(op.getNumAxes(), 1);
  if (op.getMask().empty())
    return {};
  bool found = false;
  std::set<int64_t> divisors = getDivisors(op.getMask());
  for (auto [axis, step] : llvm::enumerate(steps))
    for (int64_t candidate : llvm::reverse(divisors))
      if (isStep(op, axis, candidate)) {
        step = candidate;
        found = true;
        break;
      }
  return found ? steps : SmallVector<int64_t>();
}
