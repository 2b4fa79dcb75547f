//===- MaskProgramTest.cpp - Masks that the cost model runs ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random masks, and some by hand, are run for all keys at once and pair by
// pair, by RegionProgram. Where something is known, both say the same.
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/MaskProgram.h"
#include "MaskModule.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace attn;
using namespace attn::test;

namespace {
using Numbers = MaskProgram::Numbers;

/// A mask of one axis, run in both ways.
class BothWays {
public:
  BothWays(MLIRContext &context, const Mask &mask);

  /// Compares for all pairs; returns how many are known.
  int64_t compare(int64_t queries, int64_t keys);
  bool isUnknown() const { return program->isUnknown(); }

private:
  MaskModule parsed;
  std::string text;
  std::optional<MaskProgram> program;
  std::optional<RegionProgram> definition;
};
} // namespace

BothWays::BothWays(MLIRContext &context, const Mask &mask)
    : parsed(context, mask), text(getModuleText(mask)) {
  Region &region = parsed.getRegion();
  auto sizeOf = [&](Value value, unsigned dim) {
    return parsed.tables.lookup(value)->shape[dim];
  };
  auto tableOf = [&](Value value) {
    Table &table = *parsed.tables.lookup(value);
    auto known = std::make_shared<IntegerTable>();
    known->sizes.assign(table.shape.begin(), table.shape.end());
    known->elements = table.elements;
    return known;
  };
  program.emplace(region, sizeOf, tableOf);
  definition.emplace(region.front(),
                     region.front().getTerminator()->getOperands(),
                     parsed.tables);
}

int64_t BothWays::compare(int64_t queries, int64_t keys) {
  int64_t known = 0;
  Numbers all(keys);
  for (int64_t j = 0; j < keys; ++j)
    all[j] = j;
  for (int64_t head = 0; head < 2; ++head)
    for (int64_t i = 0; i < queries; ++i) {
      Numbers kept = program->run({{0}, {head}, {i}, all}, keys)[0];
      for (int64_t j = 0; j < keys; ++j) {
        int64_t here = kept[kept.size() == 1 ? 0 : j];
        if (here == MaskProgram::kUnknown)
          continue;
        ++known;
        EXPECT_EQ(here, definition->run({0, head, i, j})[0])
            << "head " << head << ", pair " << i << ", " << j << "\n"
            << text;
        if (testing::Test::HasFailure())
          return known;
      }
    }
  return known;
}

static Mask makeMask(const std::string &body) {
  Mask mask;
  mask.queries = mask.keys = {8};
  mask.body = body + "\"test.yield\"(%k) : (i1) -> ()\n";
  return mask;
}

TEST(MaskProgram, RandomMasks) {
  MLIRContext context;
  loadMaskDialects(context);
  RandomMasks masks(/*seed=*/20261126);
  int64_t known = 0, all = 0;
  for (int n = 0; n < 2000 && !testing::Test::HasFailure(); ++n) {
    Mask mask = masks.next();
    if (mask.queries.size() > 1)
      continue;
    known += BothWays(context, mask).compare(8, 9);
    all += int64_t(2) * 8 * 9;
  }
  // Elements outside of tables are not known.
  EXPECT_GE(known, all * 8 / 10);
}

TEST(MaskProgram, NarrowNumbersWrapAround) {
  MLIRContext context;
  loadMaskDialects(context);
  const std::string hash = R"(
    %n = arith.constant 37 : index
    %p = arith.muli %i0, %n : index
    %s = arith.addi %p, %j0 : index
)";
  for (const char *body :
       {// A hash of 8 bits, by its sign and by its unsigned value.
        R"(
    %t = arith.index_cast %s : index to i8
    %z = arith.constant 0 : i8
    %k = arith.cmpi slt, %t, %z : i8
)",
        R"(
    %t = arith.index_cast %s : index to i8
    %z = arith.constant -56 : i8
    %k = arith.cmpi ult, %t, %z : i8
)",
        // A truncation, and back with either kind of extension.
        R"(
    %w = arith.index_cast %s : index to i64
    %t = arith.trunci %w : i64 to i5
    %x = arith.extui %t : i5 to i64
    %y = arith.extsi %t : i5 to i64
    %k = arith.cmpi ne, %x, %y : i64
)",
        // A bit is 1 or, where it has a sign, -1.
        R"(
    %w = arith.index_cast %s : index to i64
    %t = arith.trunci %w : i64 to i1
    %x = arith.extui %t : i1 to i64
    %o = arith.constant 1 : i64
    %k = arith.cmpi eq, %x, %o : i64
)",
        // 200 x 3 has 8 bits only in part, and unsigned rests have no sign.
        R"(
    %t = arith.index_cast %s : index to i8
    %c = arith.constant 3 : i8
    %m = arith.muli %t, %c : i8
    %r = arith.remui %m, %c : i8
    %d = arith.divui %t, %c : i8
    %k = arith.cmpi ugt, %d, %r : i8
)"}) {
    SCOPED_TRACE(body);
    BothWays both(context, makeMask(hash + body));
    EXPECT_FALSE(both.isUnknown());
    EXPECT_EQ(both.compare(50, 60), 2 * 50 * 60);
  }
}

/// The results of a mask of the key alone, for keys from 0.
static Numbers runKeys(const std::string &body, int64_t keys) {
  MLIRContext context;
  loadMaskDialects(context);
  MaskModule parsed(context, makeMask(body));
  auto sizeOf = [](Value, unsigned) { return int64_t(1); };
  auto tableOf = [](Value) { return TableRef(); };
  MaskProgram program(parsed.getRegion(), sizeOf, tableOf);
  Numbers all(keys);
  for (int64_t j = 0; j < keys; ++j)
    all[j] = j;
  return program.run({{0}, {0}, {0}, all}, keys)[0];
}

TEST(MaskProgram, ShiftsAndBits) {
  // The second of two bits, once as a sign that is moved right.
  const Numbers second{0, 0, 1, 1, 0, 0, 1, 1};
  EXPECT_EQ(runKeys(R"(
    %t = arith.index_cast %j0 : index to i2
    %o = arith.constant 1 : i2
    %s = arith.shrui %t, %o : i2
    %k = arith.cmpi eq, %s, %o : i2
)",
                    8),
            second);
  EXPECT_EQ(runKeys(R"(
    %t = arith.index_cast %j0 : index to i2
    %o = arith.constant 1 : i2
    %n = arith.constant -1 : i2
    %s = arith.shrsi %t, %o : i2
    %k = arith.cmpi eq, %s, %n : i2
)",
                    8),
            second);
  // A bit with its sign is smaller than 0.
  EXPECT_EQ(runKeys(R"(
    %t = arith.index_cast %j0 : index to i1
    %x = arith.extsi %t : i1 to i32
    %z = arith.constant 0 : i32
    %k = arith.cmpi slt, %x, %z : i32
)",
                    4),
            (Numbers{0, 1, 0, 1}));
}

TEST(MaskProgram, WideNumbersAreNotKnown) {
  Numbers results = runKeys(R"(
    %t = arith.index_cast %j0 : index to i128
    %z = arith.constant 2 : i128
    %k = arith.cmpi slt, %t, %z : i128
)",
                            4);
  EXPECT_EQ(results, Numbers(results.size(), MaskProgram::kUnknown));
}
