//===- ExpandRandom.cpp - Counter-based random numbers as integer arithmetic -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox4x32-10: a counter of four words c is mixed by ten rounds with a key of
// two words k, which a constant is added to after each round:
//
//   (h0, l0) = M0 c0         c' = (h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0)
//   (h1, l1) = M1 c2         k' = (k0 + W0, k1 + W1)
//
// with the high and low words h, l of 64-bit products.
//
// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Passes.h"

namespace attn {
#define GEN_PASS_DEF_EXPANDRANDOM
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

static constexpr uint32_t kMultiplier[] = {0xD2511F53, 0xCD9E8D57};
static constexpr uint32_t kKeyStep[] = {0x9E3779B9, 0xBB67AE85};
static constexpr int kRounds = 10;

namespace {
/// Emits the arithmetic of one generator.
class Philox {
public:
  explicit Philox(ImplicitLocOpBuilder &b) : b(b) {}

  /// The first word of the mixed counter.
  Value run(Value seed, ValueRange counter);

private:
  using Words = SmallVector<Value, 4>;

  Value word(uint64_t value) {
    return arith::ConstantIntOp::create(b, b.getI32Type(),
                                        static_cast<int32_t>(value));
  }
  Value low(Value wide) {
    return arith::TruncIOp::create(b, b.getI32Type(), wide);
  }
  Value high(Value wide) {
    Value bits = arith::ConstantIntOp::create(b, b.getI64Type(), 32);
    return low(arith::ShRUIOp::create(b, wide, bits));
  }
  Value multiply(Value x, uint32_t factor) {
    Value wide = arith::ExtUIOp::create(b, b.getI64Type(), x);
    Value constant =
        arith::ConstantIntOp::create(b, b.getI64Type(), int64_t(factor));
    return arith::MulIOp::create(b, wide, constant);
  }
  Value mix(Value high, Value word, Value key) {
    return arith::XOrIOp::create(b, arith::XOrIOp::create(b, high, word), key);
  }
  Words round(const Words &c, ValueRange key);

  ImplicitLocOpBuilder &b;
};
} // namespace

Philox::Words Philox::round(const Words &c, ValueRange key) {
  Value p0 = multiply(c[0], kMultiplier[0]);
  Value p1 = multiply(c[2], kMultiplier[1]);
  return {mix(high(p1), c[1], key[0]), low(p1), mix(high(p0), c[3], key[1]),
          low(p0)};
}

Value Philox::run(Value seed, ValueRange counter) {
  Words words;
  for (Value index : counter)
    words.push_back(arith::IndexCastOp::create(b, b.getI32Type(), index));
  while (words.size() < 4)
    words.push_back(word(0));
  SmallVector<Value> key{low(seed), high(seed)};
  for (int round = 0; round < kRounds; ++round) {
    words = this->round(words, key);
    for (int half = 0; half < 2; ++half)
      key[half] = arith::AddIOp::create(b, key[half], word(kKeyStep[half]));
  }
  return words.front();
}

/// The upper 24 bits of `word` as a fraction, which every type we compute in
/// holds exactly.
static Value toFraction(ImplicitLocOpBuilder &b, Value word, Type type) {
  Value eight = arith::ConstantIntOp::create(b, b.getI32Type(), 8);
  // Nonnegative as a signed number too, which vector units convert faster.
  Value bits = arith::ShRUIOp::create(b, word, eight);
  Value number = arith::SIToFPOp::create(b, type, bits);
  Value unit = arith::ConstantOp::create(b, b.getFloatAttr(type, 0x1p-24));
  return arith::MulFOp::create(b, number, unit);
}

namespace {
struct ExpandRandom : attn::impl::ExpandRandomBase<ExpandRandom> {
  void runOnOperation() override {
    SmallVector<RandomOp> ops;
    getOperation().walk([&](RandomOp op) { ops.push_back(op); });
    for (RandomOp op : ops) {
      ImplicitLocOpBuilder b(op.getLoc(), op);
      Value word = Philox(b).run(op.getSeed(), op.getCounter());
      op.replaceAllUsesWith(toFraction(b, word, op.getType()));
      op.erase();
    }
  }
};
} // namespace
