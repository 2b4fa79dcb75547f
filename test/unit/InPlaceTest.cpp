//===- InPlaceTest.cpp - Results in place of arguments --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A recurrence that goes on from a state may write the last one over the first
// one: a package of it, through the C interface, and just in time.
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include "test/unit/TestPackages.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace attn;
using namespace attn::unittest;

static constexpr int64_t kBatches = 2, kHeads = 3, kRows = 16, kColumns = 32;

/// A recurrence whose result `last` is called `ht`.
static std::string getRecurrence(llvm::StringRef last = "%ht") {
  std::string text = R"mlir(
func.func @gated(%q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "K"]},
                 %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "V"]},
                 %g: tensor<?x?x?xf32> {attn.name = "g", attn.dims = ["B", "H", "N"]},
                 %h0: tensor<?x?x16x32xf32> {attn.name = "h0", attn.dims = ["B", "H", "K", "V"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x16x32xf32> {attn.name = "ht"}) {
  %out, %ht = attn.recur %q, %q, %v gate(%g : tensor<?x?x?xf32>) initial(%h0 : tensor<?x?x16x32xf32>)
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>
  %again, %other = attn.recur %q, %q, %v initial(%START : tensor<?x?x16x32xf32>)
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>
  return %out, LAST : tensor<?x?x?x32xf32>, tensor<?x?x16x32xf32>
})mlir";
  // Another recurrence that reads the state, where its result is asked for.
  if (last == "%ht") {
    size_t begin = text.find("  %again"), end = text.find("  return");
    text.erase(begin, end - begin);
  }
  return replaceAll(replaceAll(text, "%START", "%h0"), "LAST", last);
}

namespace {
/// A kernel with the tensors of a call on `tokens` tokens.
class InPlace : public ::testing::TestWithParam<int64_t> {
protected:
  InPlace()
      : q({kBatches, kHeads, GetParam(), kRows}),
        v({kBatches, kHeads, GetParam(), kColumns}),
        g({kBatches, kHeads, GetParam()}),
        h0({kBatches, kHeads, kRows, kColumns}),
        out({kBatches, kHeads, GetParam(), kColumns}),
        ht({kBatches, kHeads, kRows, kColumns}) {
    fill(q, 0.7F);
    fill(v, 1.3F);
    fill(h0, 0.3F);
    fill(g, 0.9F);
    for (float &x : g.data)
      x = -std::abs(x);
  }

  /// Numbers between -1 and 1 that do not repeat.
  static void fill(FloatTensor &tensor, float step) {
    for (float &x : tensor.data)
      x = std::sin(step * x);
  }

  void load(const std::string &text, const std::string &schedule = "") {
    CompileOptions options;
    options.schedule = schedule;
    auto bytes = emitPackage(text, "test.mlir", options);
    ASSERT_TRUE(bool(bytes)) << llvm::toString(bytes.takeError());
    ASSERT_EQ(attn_package_load_memory(bytes->data(), bytes->size(), &package),
              ATTN_OK)
        << attn_last_error();
    ASSERT_EQ(attn_kernel_load(package, nullptr, {kDLCPU, 0}, &kernel), ATTN_OK)
        << attn_last_error();
  }

  void TearDown() override {
    attn_kernel_destroy(kernel);
    attn_package_destroy(package);
  }

  attn_status launch(const DLTensor &state, const DLTensor &last) {
    const DLTensor *arguments[] = {&q.tensor, &v.tensor, &g.tensor, &state};
    const DLTensor *results[] = {&out.tensor, &last};
    size_t bytes;
    attn_status status =
        attn_kernel_workspace_size(kernel, arguments, 4, &bytes);
    if (status != ATTN_OK)
      return status;
    void *memory =
        bytes ? std::aligned_alloc(ATTN_WORKSPACE_ALIGNMENT, bytes) : nullptr;
    status = attn_kernel_launch(kernel, arguments, 4, results, 2, memory, bytes,
                                nullptr, nullptr);
    std::free(memory);
    return status;
  }

  /// Both ways of a call have the same bits, and do change the state.
  void compare() {
    ASSERT_EQ(launch(h0.tensor, ht.tensor), ATTN_OK) << attn_last_error();
    std::vector<float> rows = out.data, first = h0.data;
    std::ranges::fill(out.data, 0);
    ASSERT_EQ(launch(h0.tensor, h0.tensor), ATTN_OK) << attn_last_error();
    EXPECT_EQ(out.data, rows);
    EXPECT_EQ(h0.data, ht.data);
    if (GetParam())
      EXPECT_NE(h0.data, first);
  }

  attn_package *package = nullptr;
  attn_kernel *kernel = nullptr;
  FloatTensor q, v, g, h0, out, ht;
};
} // namespace

TEST_P(InPlace, HasTheBitsOfACallWithTwoStates) {
  load(getRecurrence());
  size_t argument = 0;
  ASSERT_EQ(attn_kernel_result_in_place(kernel, 1, &argument), ATTN_OK)
      << attn_last_error();
  EXPECT_EQ(argument, 3u);
  compare();
}

TEST_P(InPlace, HoldsWithOtherSchedules) {
  for (const char *schedule : {"block_q=1", "block_q=16,block_k=16", "splits=3",
                               "block_q=1,splits=2"}) {
    load(getRecurrence(), schedule);
    compare();
    TearDown();
  }
  load(getRecurrence());
}

/// Columns of a wider state: strides are those of both.
TEST_P(InPlace, HoldsForViews) {
  load(getRecurrence());
  FloatTensor wide({kBatches, kHeads, kRows, kColumns + 5}), other(wide.shape);
  wide.shape[3] = other.shape[3] = kColumns;
  wide.tensor.shape = wide.shape.data();
  fill(wide, 0.3F);
  other.data = wide.data;
  other.tensor.data = other.data.data();
  FloatTensor last({kBatches, kHeads, kRows, kColumns + 5});
  last.data = wide.data;
  last.tensor.data = last.data.data();
  last.shape[3] = kColumns;
  ASSERT_EQ(launch(wide.tensor, last.tensor), ATTN_OK) << attn_last_error();
  ASSERT_EQ(launch(wide.tensor, wide.tensor), ATTN_OK) << attn_last_error();
  EXPECT_EQ(wide.data, last.data);
}

TEST_P(InPlace, RefusesOtherOverlaps) {
  load(getRecurrence());
  // Another row of the same memory.
  FloatTensor both({2 * kBatches, kHeads, kRows, kColumns});
  both.shape[0] = kBatches;
  DLTensor moved = both.tensor;
  moved.byte_offset = 4 * kColumns;
  EXPECT_EQ(launch(both.tensor, moved), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "result 'ht': must not share memory with argument 'h0' in part; "
               "expected other memory, or the same data, sizes and strides");
  // The same data with other strides.
  std::vector<int64_t> strides = {both.strides[0], both.strides[1],
                                  both.strides[2] * 2, 1};
  moved = both.tensor;
  moved.strides = strides.data();
  EXPECT_EQ(launch(both.tensor, moved), ATTN_INVALID_ARGUMENT);
  // A result that is no state.
  if (GetParam() == 0)
    return; // It has no elements.
  DLTensor rows = v.tensor;
  std::swap(rows, out.tensor);
  EXPECT_EQ(launch(h0.tensor, ht.tensor), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "result 'out': must not share memory with argument 'v'");
  std::swap(rows, out.tensor);
  size_t argument;
  EXPECT_EQ(attn_kernel_result_in_place(kernel, 0, &argument), ATTN_NOT_FOUND);
  EXPECT_EQ(attn_kernel_result_in_place(kernel, 2, &argument),
            ATTN_INVALID_ARGUMENT);
  EXPECT_EQ(attn_kernel_result_in_place(kernel, 1, nullptr),
            ATTN_INVALID_ARGUMENT);
}

/// Another op reads the first state, perhaps when it is lost.
TEST_P(InPlace, RefusesAStateThatIsReadTwice) {
  load(getRecurrence("%other"));
  size_t argument;
  EXPECT_EQ(attn_kernel_result_in_place(kernel, 1, &argument), ATTN_NOT_FOUND);
  EXPECT_EQ(launch(h0.tensor, h0.tensor), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "result 'ht': must not share memory with argument 'h0'");
}

INSTANTIATE_TEST_SUITE_P(Tokens, InPlace, ::testing::Values(0, 1, 5, 40));

/// The just-in-time compiler checks the same.
TEST(InPlaceCompiled, AllowsTheStateAlone) {
  std::string text = getRecurrence();
  for (llvm::StringRef target : {"cpu", "naive"}) {
    std::unique_ptr<Kernel> kernel = mustCompile(text, target);
    ASSERT_TRUE(kernel);
    FloatArray q({1, 1, 1, kRows}), v({1, 1, 1, kColumns}), g({1, 1, 1}),
        state({1, 1, kRows, kColumns}), out({1, 1, 1, kColumns});
    std::string message = llvm::toString(
        kernel->launch({q.buffer, v.buffer, g.buffer, state.buffer},
                       {out.buffer, state.buffer}));
    // A definition does not say when it writes.
    EXPECT_EQ(message,
              target == "cpu"
                  ? ""
                  : "result 'ht': must not share memory with argument 'h0'");
    EXPECT_EQ(llvm::toString(
                  kernel->launch({q.buffer, v.buffer, g.buffer, state.buffer},
                                 {v.buffer, out.buffer}))
                  .substr(0, 8),
              "result '");
  }
}
