//===- IntervalEmitter.cpp - Interval arithmetic at run time --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ends of intervals are numbers of 64 bits. Magnitudes are followed when the
// program is compiled, so that no end wraps around: where a result could be too
// large, the operands are assumed to be smaller than they might be.
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/IntervalEmitter.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace attn;

/// Ends of intervals have a magnitude of at most 2 to this.
static constexpr unsigned kMostBits = 62;

//===----------------------------------------------------------------------===//
// Numbers and bits
//===----------------------------------------------------------------------===//

static std::optional<int64_t> getConstant(Value value) {
  APInt number;
  if (value && matchPattern(value, m_ConstantInt(&number)))
    return number.getSExtValue();
  return std::nullopt;
}

Value IntervalEmitter::constant(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value IntervalEmitter::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(x, y);
}

Value IntervalEmitter::subtract(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(x, y);
}

Value IntervalEmitter::min(Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(x, y);
}

Value IntervalEmitter::max(Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(x, y);
}

Value IntervalEmitter::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(condition, x, y);
}

Value IntervalEmitter::isAtMost(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sle, x, y);
}

Value IntervalEmitter::both(Value x, Value y) {
  return b.createOrFold<arith::AndIOp>(x, y);
}

Value IntervalEmitter::either(Value x, Value y) {
  return b.createOrFold<arith::OrIOp>(x, y);
}

Value IntervalEmitter::negation(Value x) {
  Value yes = arith::ConstantOp::create(b, b.getBoolAttr(true));
  return b.createOrFold<arith::XOrIOp>(x, yes);
}

void IntervalEmitter::assume(Value condition) {
  assumption = assumption ? both(assumption, condition) : condition;
}

void IntervalEmitter::assumeNonNegative(const Interval &x) {
  assume(isAtMost(constant(0), x.lo));
}

Interval IntervalEmitter::narrow(Interval x, unsigned bits) {
  if (x.bits <= bits)
    return x;
  assume(isAtMost(constant(-(int64_t(1) << bits)), x.lo));
  assume(isAtMost(x.hi, constant(int64_t(1) << bits)));
  x.bits = bits;
  return x;
}

Interval IntervalEmitter::fitInto(Interval x, unsigned width) {
  // Numbers of `width` bits have magnitudes of 2^(width - 1) or less.
  if (width >= 64 || x.bits + 2 <= width)
    return x;
  int64_t end = int64_t(1) << (width - 1);
  assume(isAtMost(constant(-end), x.lo));
  assume(isAtMost(x.hi, constant(end - 1)));
  x.bits = width - 1;
  return x;
}

//===----------------------------------------------------------------------===//
// Intervals
//===----------------------------------------------------------------------===//

Interval IntervalEmitter::exact(Value value, unsigned bits) {
  if (std::optional<int64_t> number = getConstant(value))
    if (*number > std::numeric_limits<int64_t>::min())
      bits = llvm::Log2_64_Ceil(std::max<int64_t>(1, std::abs(*number)));
  return {value, value, 0, bits};
}

/// The least common step of sums of `x` and `y`; 0 if both are exact.
static int64_t commonStep(const Interval &x, const Interval &y) {
  return std::gcd(x.step, y.step);
}

/// The sum of `p` and `q`, the difference if `negated`.
Interval IntervalEmitter::combine(const Interval &p, const Interval &q,
                                  bool negated) {
  if (!p.isKnown() || !q.isKnown())
    return {};
  Interval x = p, y = q;
  if (std::max(x.bits, y.bits) >= kMostBits) {
    x = narrow(x, kMostBits - 1);
    y = narrow(y, kMostBits - 1);
  }
  auto apply = [&](Value a, Value c) {
    return negated ? subtract(a, c) : add(a, c);
  };
  // The largest subtrahend belongs to the least difference.
  Value lo = apply(x.lo, negated ? y.hi : y.lo);
  Value hi =
      x.isExact() && y.isExact() ? lo : apply(x.hi, negated ? y.lo : y.hi);
  return {lo, hi, commonStep(x, y), std::max(x.bits, y.bits) + 1};
}

Interval IntervalEmitter::add(const Interval &x, const Interval &y) {
  return combine(x, y, /*negated=*/false);
}

Interval IntervalEmitter::subtract(const Interval &x, const Interval &y) {
  return combine(x, y, /*negated=*/true);
}

Interval IntervalEmitter::multiply(const Interval &p, const Interval &q) {
  if (!p.isKnown() || !q.isKnown())
    return {};
  Interval x = p, y = q;
  if (x.bits + y.bits > kMostBits) {
    x = narrow(x, kMostBits / 2);
    y = narrow(y, kMostBits / 2);
  }
  if (x.isExact())
    std::swap(x, y);
  unsigned bits = x.bits + y.bits;
  auto times = [&](Value a, Value c) {
    return b.createOrFold<arith::MulIOp>(a, c);
  };
  if (std::optional<int64_t> factor = getConstant(y.isExact() ? y.lo : Value()))
    if (std::abs(*factor) < (int64_t(1) << 31) &&
        x.step < (int64_t(1) << 31)) { // Steps stay small.
      Value least = times(x.lo, y.lo), largest = times(x.hi, y.lo);
      if (*factor < 0)
        std::swap(least, largest);
      return {least, x.isExact() ? least : largest,
              *factor ? x.step * std::abs(*factor) : 1, bits};
    }
  if (y.isExact()) {
    Value one = times(x.lo, y.lo);
    if (x.isExact())
      return {one, one, 0, bits};
    Value other = times(x.hi, y.lo);
    return {min(one, other), max(one, other), 1, bits};
  }
  Value products[] = {times(x.lo, y.lo), times(x.lo, y.hi), times(x.hi, y.lo),
                      times(x.hi, y.hi)};
  Value lo = products[0], hi = products[0];
  for (Value product : ArrayRef(products).drop_front()) {
    lo = min(lo, product);
    hi = max(hi, product);
  }
  return {lo, hi, 1, bits};
}

Interval IntervalEmitter::absolute(const Interval &p) {
  if (!p.isKnown())
    return {};
  Interval x = narrow(p, kMostBits);
  Value zero = constant(0);
  Value least = subtract(zero, x.hi), largest = subtract(zero, x.lo);
  Value lo = max(max(x.lo, least), zero);
  Value hi = x.isExact() ? lo : max(largest, x.hi);
  return {lo, hi, x.isExact() ? 0 : 1, x.bits};
}

Interval IntervalEmitter::square(const Interval &p) {
  if (!p.isKnown())
    return {};
  Interval x = absolute(narrow(p, kMostBits / 2));
  Value lo = b.createOrFold<arith::MulIOp>(x.lo, x.lo);
  Value hi = x.isExact() ? lo : b.createOrFold<arith::MulIOp>(x.hi, x.hi);
  return {lo, hi, x.isExact() ? 0 : 1, 2 * x.bits};
}

Interval IntervalEmitter::min(const Interval &x, const Interval &y) {
  if (!x.isKnown() || !y.isKnown())
    return {};
  bool isExact = x.isExact() && y.isExact();
  Value lo = min(x.lo, y.lo);
  return {lo, isExact ? lo : min(x.hi, y.hi), isExact ? 0 : 1,
          std::max(x.bits, y.bits)};
}

Interval IntervalEmitter::max(const Interval &x, const Interval &y) {
  if (!x.isKnown() || !y.isKnown())
    return {};
  bool isExact = x.isExact() && y.isExact();
  Value lo = max(x.lo, y.lo);
  return {lo, isExact ? lo : max(x.hi, y.hi), isExact ? 0 : 1,
          std::max(x.bits, y.bits)};
}

Interval IntervalEmitter::choose(Value some, Value all, const Interval &x,
                                 const Interval &y) {
  if (!x.isKnown() || !y.isKnown())
    return {};
  Value lo = select(all, x.lo, select(some, min(x.lo, y.lo), y.lo));
  Value hi = select(all, x.hi, select(some, max(x.hi, y.hi), y.hi));
  return {lo, hi, 1, std::max(x.bits, y.bits)};
}

Interval IntervalEmitter::remainder(const Interval &x,
                                    const Interval &divisor) {
  Value d = divisor.lo, zero = constant(0), one = constant(1);
  auto rest = [&](Value value) {
    return b.createOrFold<arith::RemSIOp>(value, d);
  };
  Value restLo = rest(x.lo);
  Value most = subtract(d, one);
  // Not beyond the number itself, and of its sign.
  Value lo = max(subtract(zero, most), min(x.lo, zero));
  Value hi = min(most, max(x.hi, zero));
  Value isSame; // Whether remainders are what numbers are beyond one multiple.
  std::optional<int64_t> number = getConstant(d);
  Value restHi;
  if (number && x.step % *number == 0) {
    // One rest, where there is one sign.
    isSame = either(isAtMost(zero, x.lo), isAtMost(x.hi, zero));
    restHi = restLo;
  } else {
    Value first = b.createOrFold<arith::DivSIOp>(x.lo, d);
    Value last = b.createOrFold<arith::DivSIOp>(x.hi, d);
    isSame =
        b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, first, last);
    restHi = rest(x.hi);
  }
  return {select(isSame, restLo, lo), select(isSame, restHi, hi), 1, x.bits};
}

Interval IntervalEmitter::divide(Operation *op, const Interval &x,
                                 const Interval &q) {
  if (!x.isKnown() || !q.isExact())
    return {};
  Interval divisor = q;
  if (std::optional<int64_t> number = getConstant(q.lo)) {
    if (*number <= 0)
      return {};
  } else {
    Value one = constant(1);
    assume(isAtMost(one, q.lo));
    divisor.lo = divisor.hi = max(q.lo, one);
  }
  if (isa<arith::DivUIOp, arith::CeilDivUIOp, arith::RemUIOp>(op))
    assumeNonNegative(x);
  if (isa<arith::RemSIOp, arith::RemUIOp>(op))
    return remainder(x, divisor);
  // Quotients by one number do not decrease.
  auto quotient = [&](Value value) -> Value {
    if (isa<arith::DivSIOp, arith::DivUIOp>(op))
      return b.createOrFold<arith::DivSIOp>(value, divisor.lo);
    if (isa<arith::FloorDivSIOp>(op))
      return b.createOrFold<arith::FloorDivSIOp>(value, divisor.lo);
    return b.createOrFold<arith::CeilDivSIOp>(value, divisor.lo);
  };
  return {quotient(x.lo), quotient(x.hi), 1, x.bits};
}

Interval IntervalEmitter::lowestBits(const Interval &x, int64_t mask) {
  if (!x.isKnown() || mask < 0 || !llvm::isPowerOf2_64(mask + 1))
    return {};
  Value bits = constant(mask), size = constant(mask + 1);
  auto take = [&](Value value) {
    return b.createOrFold<arith::AndIOp>(value, bits);
  };
  if (x.step % (mask + 1) == 0) {
    Value rest = take(x.lo);
    return {rest, rest, 0, x.bits};
  }
  Value first = b.createOrFold<arith::FloorDivSIOp>(x.lo, size);
  Value last = b.createOrFold<arith::FloorDivSIOp>(x.hi, size);
  Value isSame =
      b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, first, last);
  return {select(isSame, take(x.lo), constant(0)),
          select(isSame, take(x.hi), bits), 1,
          unsigned(llvm::Log2_64_Ceil(mask + 1))};
}
