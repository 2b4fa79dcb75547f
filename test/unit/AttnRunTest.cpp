//===- AttnRunTest.cpp - Tests of the parts of attn-run -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/Check.h"
#include "tools/support/Measure.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace attn;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

/// A vector of numbers.
Array makeArray(ElementType type, llvm::ArrayRef<double> values) {
  auto array = Array::create("test", type, {int64_t(values.size())});
  EXPECT_TRUE(bool(array));
  for (size_t i = 0; i < values.size(); ++i)
    array->set(i, values[i]);
  return std::move(*array);
}

/// Compares numbers with what is expected of a naive error.
Comparison compare(ElementType type, llvm::ArrayRef<double> values,
                   llvm::ArrayRef<double> expected, double naiveError = 0) {
  return compareResult("out", makeArray(type, values),
                       makeArray(ElementType::F64, expected), naiveError);
}

} // namespace

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Every number of a 16-bit type is stored and loaded without a change.
static void testAllBits(ElementType type) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t from = bits, to = 0;
    double value = loadElement(type, reinterpret_cast<const char *>(&from));
    if (std::isnan(value))
      continue;
    EXPECT_TRUE(roundTo(type, value) == value);
    storeElement(type, reinterpret_cast<char *>(&to), value);
    EXPECT_EQ(from, to);
  }
}

TEST(Element, F16RoundTrip) { testAllBits(ElementType::F16); }
TEST(Element, Bf16RoundTrip) { testAllBits(ElementType::BF16); }

TEST(Element, RoundsToNearestEven) {
  EXPECT_EQ(roundTo(ElementType::F16, 1 + 0x1p-11), 1);
  EXPECT_EQ(roundTo(ElementType::F16, 1 + 3 * 0x1p-11), 1 + 0x1p-9);
  EXPECT_EQ(roundTo(ElementType::F16, 1 + 0x1p-11 + 0x1p-40), 1 + 0x1p-10);
  EXPECT_EQ(roundTo(ElementType::BF16, -1 - 0x1p-8), -1);
  EXPECT_EQ(roundTo(ElementType::F16, 0x1p-25), 0);
  EXPECT_EQ(roundTo(ElementType::F16, 0x1.8p-25), 0x1p-24);
  EXPECT_EQ(roundTo(ElementType::F16, 65519), 65504);
  EXPECT_EQ(roundTo(ElementType::F16, -65520), -kInfinity);
  EXPECT_EQ(roundTo(ElementType::BF16, 0x1.ffp127), kInfinity);
}

TEST(Element, KeepsNan) {
  for (ElementType type : {ElementType::F16, ElementType::BF16})
    EXPECT_TRUE(std::isnan(makeArray(type, {kNan}).get(0)));
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

TEST(Array, StartsAsNan) {
  for (ElementType type : {ElementType::F64, ElementType::F32, ElementType::F16,
                           ElementType::BF16}) {
    auto array = Array::create("test", type, {3});
    ASSERT_TRUE(bool(array));
    EXPECT_TRUE(std::isnan(array->get(2)));
  }
}

TEST(Array, LayoutChangesStridesAndNotNumbers) {
  auto plain = Array::create("test", ElementType::F32, {2, 3, 5, 4});
  auto other =
      Array::create("test", ElementType::F32, {2, 3, 5, 4}, Layout::Bnhd);
  ASSERT_TRUE(plain && other);
  for (int64_t i = 0; i < plain->getNumElements(); ++i)
    plain->set(i, i);
  other->copyFrom(*plain);
  Buffer buffer = other->getBuffer();
  EXPECT_EQ(llvm::ArrayRef(buffer.strides),
            llvm::ArrayRef<int64_t>({60, 4, 12, 1}));
  auto *data = static_cast<const float *>(buffer.data);
  EXPECT_EQ(data[1 * 60 + 2 * 4 + 3 * 12 + 1], ((1 * 3 + 2) * 5 + 3) * 4 + 1);
  EXPECT_EQ(other->get(77), 77);
}

TEST(Array, RefusesWhatDoesNotFit) {
  for (int64_t size : {int64_t(1) << 40, int64_t(1) << 62}) {
    auto array = Array::create("q", ElementType::F32, {size, size});
    ASSERT_FALSE(bool(array));
    EXPECT_NE(llvm::toString(array.takeError()).find("does not fit"),
              std::string::npos);
  }
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

TEST(Compare, AllowsTwiceTheNaiveError) {
  EXPECT_TRUE(compare(ElementType::F32, {1, 2.5}, {1, 2}, 0.25).ok);
  Comparison over = compare(ElementType::F32, {1, 2.75}, {1, 2}, 0.25);
  EXPECT_FALSE(over.ok);
  EXPECT_EQ(over.error, 0.75);
  EXPECT_EQ(over.tolerance, 0.5);
  EXPECT_EQ(over.naiveError, 0.25);
  EXPECT_EQ(over.coordinates[0], 1);
}

TEST(Compare, AllowsTheErrorOfAFloat64ReferenceAsWell) {
  EXPECT_TRUE(compare(ElementType::F64, {1, 2.75}, {1, 2}, 0.25).ok);
  EXPECT_FALSE(compare(ElementType::F64, {1, 2.76}, {1, 2}, 0.25).ok);
}

TEST(Compare, NaiveErrorIsThatOfFiniteElements) {
  EXPECT_EQ(
      getLargestError(makeArray(ElementType::F32, {1, kNan, kInfinity, 2, -4}),
                      makeArray(ElementType::F64, {1, 1, 1, 2.5, kInfinity})),
      0.5);
}

TEST(Compare, AllowsEightRoundingsOfTheAccumulator) {
  EXPECT_TRUE(compare(ElementType::F32, {4 + 0x1p-18}, {4}).ok);
  EXPECT_FALSE(compare(ElementType::F32, {4 + 0x1.2p-18}, {4}).ok);
  EXPECT_TRUE(compare(ElementType::F64, {4 + 0x1p-47}, {4}).ok);
  EXPECT_FALSE(compare(ElementType::F64, {4 + 0x1.2p-47}, {4}).ok);
  // The accumulator of 16-bit types is float32.
  EXPECT_FALSE(compare(ElementType::BF16, {1 + 0x1p-7}, {1}).ok);
}

TEST(Compare, NanMustStandWhereTheReferenceHasIt) {
  EXPECT_TRUE(compare(ElementType::F32, {kNan, 1}, {kNan, 1}).ok);
  EXPECT_FALSE(compare(ElementType::F32, {1, kNan}, {1, 1}, 100).ok);
  EXPECT_FALSE(compare(ElementType::F32, {1, 1}, {1, kNan}, 100).ok);
}

TEST(Compare, InfinitiesMustBeTheSame) {
  EXPECT_TRUE(compare(ElementType::F32, {-kInfinity, 1}, {-kInfinity, 1}).ok);
  EXPECT_FALSE(compare(ElementType::F32, {1, kInfinity}, {1, -kInfinity}).ok);
  EXPECT_FALSE(compare(ElementType::F32, {1, 1e30}, {1, kInfinity}, 1e31).ok);
  EXPECT_FALSE(compare(ElementType::F32, {1, kInfinity}, {1, 1e30}, 1e31).ok);
}

TEST(Compare, InfinityIsRightWhereTheTypeEnds) {
  EXPECT_TRUE(compare(ElementType::F16, {1, kInfinity}, {1, 1e5}).ok);
  EXPECT_FALSE(compare(ElementType::F16, {1, 65504}, {1, 1e5}).ok);
}

TEST(Compare, AcceptsEmptyResults) {
  Array empty = makeArray(ElementType::F32, {});
  EXPECT_TRUE(compareResult("out", empty, empty, 0).ok);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(Compare, WorstElementOfAWrongResultIsExplained) {
  Definition definition;
  definition.names = {"right", "wrong"};
  for (auto values : {std::vector<double>{1, 2}, std::vector<double>{3, 4}})
    definition.reference.push_back(makeArray(ElementType::F64, values));
  definition.naiveErrors = {0, 0};
  Arrays results;
  results.push_back(makeArray(ElementType::F32, {1, 2}));
  results.push_back(makeArray(ElementType::F32, {3, 5}));
  std::string text;
  llvm::raw_string_ostream stream(text);
  EXPECT_FALSE(reportComparisons(stream, "check", definition, results,
                                 [&](const Array &result, int64_t element) {
                                   EXPECT_EQ(&result, &results[1]);
                                   return "number " + std::to_string(element);
                                 }));
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).split(lines, '\n');
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[1].contains("FAIL"));
  EXPECT_EQ(lines[2].trim(), "number 1");
}

TEST(Measure, SeesTheMemoryOfACall) {
  constexpr int64_t size = 64 << 20;
  auto growth = measureMemory([] {
    auto bytes = Array::create("test", ElementType::I8, {size});
    EXPECT_TRUE(bool(bytes));
    return llvm::Error::success();
  });
  ASSERT_TRUE(bool(growth));
  if (!*growth)
    GTEST_SKIP() << "the system does not tell";
  EXPECT_GT(**growth, size / 2);
  EXPECT_LT(**growth, size * 2);
}
