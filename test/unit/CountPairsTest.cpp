//===- CountPairsTest.cpp - The work that a kernel tells ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using namespace attn::unittest;
using llvm::ArrayRef;
using llvm::StringRef;

/// A function of one attend op with this mask, which may read `%x`, and with
/// these attributes.
static std::string getSpec(StringRef mask, StringRef attributes = "") {
  return replaceAll(replaceAll(R"mlir(
func.func @spec(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "Hk", "M", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "Hk", "M", "D"]},
    %x: tensor<?xi64> {attn.name = "x", attn.dims = ["X"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}) {
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %out = attn.attend %q, %k, %v ATTRIBUTES
      mask (%b, %h, %i, %j) {
        MASK
        attn.yield %keep : i1
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  return %out : tensor<?x?x?x16xf32>
})mlir",
                               "MASK", mask),
                    "ATTRIBUTES", attributes);
}

static const char *const kCausal = "%keep = arith.cmpi sge, %i, %j : index";

static const char *const kWindow = R"mlir(
        %past = arith.cmpi sge, %i, %j : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %c5 : index
        %keep = arith.andi %past, %near : i1)mlir";

/// As above, as far as the element of `%x` for the head says.
static const char *const kHeadWindow = R"mlir(
        %past = arith.cmpi sge, %i, %j : index
        %distance = arith.subi %i, %j : index
        %width = tensor.extract %x[%h] : tensor<?xi64>
        %reach = arith.index_cast %width : i64 to index
        %near = arith.cmpi slt, %distance, %reach : index
        %keep = arith.andi %past, %near : i1)mlir";

/// Tokens of one document, which `%x` numbers; batches differ.
static const char *const kDocuments = R"mlir(
        %ij = arith.addi %i, %b : index
        %here = tensor.extract %x[%ij] : tensor<?xi64>
        %there = tensor.extract %x[%j] : tensor<?xi64>
        %keep = arith.cmpi eq, %here, %there : i64)mlir";

/// Every second key: ranges bound these keys and do not describe them.
static const char *const kEven = R"mlir(
        %past = arith.cmpi sge, %i, %j : index
        %half = arith.divui %j, %c2 : index
        %twice = arith.muli %half, %c2 : index
        %even = arith.cmpi eq, %twice, %j : index
        %keep = arith.andi %past, %even : i1)mlir";

namespace {
struct Sizes {
  int64_t b, h, hk, nq, nk;
};
using Mask = llvm::function_ref<bool(int64_t, int64_t, int64_t, int64_t)>;
} // namespace

/// The kernel, which is not run.
static std::unique_ptr<Kernel> compileQuickly(StringRef text,
                                              StringRef target = "cpu") {
  CompileOptions options;
  options.target = target.str();
  options.quick = true;
  auto kernel = compile(text, "test.mlir", options);
  if (kernel)
    return std::move(*kernel);
  ADD_FAILURE() << llvm::toString(kernel.takeError());
  return nullptr;
}

static double getFlops(const Kernel &kernel, ArrayRef<Buffer> arguments) {
  llvm::Expected<double> flops = kernel.flops(arguments);
  if (flops)
    return *flops;
  ADD_FAILURE() << llvm::toString(flops.takeError());
  return -1;
}

/// The pairs that the kernel of `spec` counts.
static double countPairs(StringRef spec, const Sizes &sizes,
                         std::vector<int64_t> x, StringRef target = "cpu") {
  auto kernel = compileQuickly(spec, target);
  if (!kernel)
    return -1;
  auto operands = makeOperands(sizes.b, sizes.h, sizes.hk, sizes.nq, sizes.nk);
  std::vector<Buffer> arguments = getBuffers(operands);
  x.push_back(0); // So that there is an address.
  arguments.push_back(
      {x.data(), ElementType::I64, {int64_t(x.size()) - 1}, {1}});
  return getFlops(*kernel, arguments) / (2 * (16 + 16));
}

/// The pairs of `mask`, one by one; `before` is added to rows of queries.
static double countOneByOne(const Sizes &sizes, int64_t before, Mask mask) {
  int64_t count = 0;
  for (int64_t b = 0; b < sizes.b; ++b)
    for (int64_t h = 0; h < sizes.h; ++h)
      for (int64_t i = 0; i < sizes.nq; ++i)
        for (int64_t j = 0; j < sizes.nk; ++j)
          count += mask(b, h, i + before, j);
  return count;
}

static bool isCausal(int64_t, int64_t, int64_t i, int64_t j) { return i >= j; }

//===----------------------------------------------------------------------===//
// Masks of positions
//===----------------------------------------------------------------------===//

TEST(CountPairs, AllWithoutMask) {
  std::string spec = getSpec("%keep = arith.constant true");
  std::string plain = replaceAll(spec, R"(
      mask (%b, %h, %i, %j) {
        %keep = arith.constant true
        attn.yield %keep : i1
      })",
                                 "");
  ASSERT_NE(spec, plain);
  EXPECT_EQ(countPairs(spec, {2, 4, 2, 5, 7}, {}), 2 * 4 * 5 * 7);
  EXPECT_EQ(countPairs(plain, {2, 4, 2, 5, 7}, {}), 2 * 4 * 5 * 7);
}

TEST(CountPairs, Causal) {
  std::string spec = getSpec(kCausal, "alignment(end)");
  for (Sizes sizes : {Sizes{1, 1, 1, 1, 1},
                      {2, 4, 2, 33, 33},
                      {1, 3, 1, 5, 70},
                      {2, 2, 2, 1, 40},
                      {1, 2, 1, 0, 5},
                      {1, 2, 1, 5, 0}})
    EXPECT_EQ(countPairs(spec, sizes, {}),
              countOneByOne(sizes, sizes.nk - sizes.nq, isCausal));
}

TEST(CountPairs, RowsWithoutKeys) {
  // The first queries stand before the first key.
  Sizes sizes{2, 2, 1, 50, 20};
  std::string spec = getSpec(kCausal, "alignment(end)");
  EXPECT_EQ(countPairs(spec, sizes, {}), 2 * 2 * 20 * 21 / 2);
  EXPECT_EQ(countPairs(getSpec(kCausal, "alignment(start)"), sizes, {}),
            2 * 2 * (20 * 21 / 2 + 30 * 20));
}

TEST(CountPairs, Window) {
  auto isNear = [](int64_t, int64_t, int64_t i, int64_t j) {
    return i >= j && i - j < 5;
  };
  for (Sizes sizes :
       {Sizes{1, 2, 2, 64, 64}, {2, 4, 1, 3, 90}, {1, 1, 1, 90, 3}})
    EXPECT_EQ(countPairs(getSpec(kWindow, "alignment(end)"), sizes, {}),
              countOneByOne(sizes, sizes.nk - sizes.nq, isNear));
}

TEST(CountPairs, MaskWithGaps) {
  Sizes sizes{1, 2, 1, 41, 41};
  EXPECT_EQ(countPairs(getSpec(kEven, "alignment(end)"), sizes, {}),
            countOneByOne(sizes, 0, [](int64_t, int64_t, int64_t i, int64_t j) {
              return i >= j && j % 2 == 0;
            }));
}

TEST(CountPairs, ManyPairs) {
  // More pairs than a float counts one by one.
  Sizes sizes{1, 4, 1, 8192, 8192};
  EXPECT_EQ(countPairs(getSpec(kCausal, "alignment(end)"), sizes, {}),
            4. * 8192 * 8193 / 2);
}

//===----------------------------------------------------------------------===//
// Masks that read captured tensors
//===----------------------------------------------------------------------===//

TEST(CountPairs, WindowOfEachHead) {
  std::vector<int64_t> widths = {3, 40, 0, 1};
  Sizes sizes{2, 4, 2, 50, 50};
  auto isNear = [&](int64_t, int64_t h, int64_t i, int64_t j) {
    return i >= j && i - j < widths[h];
  };
  std::string spec = getSpec(kHeadWindow, "alignment(end)");
  double expected = countOneByOne(sizes, 0, isNear);
  for (StringRef target : {"cpu", "naive"})
    EXPECT_EQ(countPairs(spec, sizes, widths, target), expected);
}

TEST(CountPairs, Documents) {
  std::vector<int64_t> documents = {0, 0, 0, 1, 1, 2, 2, 2, 2, 3};
  Sizes sizes{2, 3, 1, 10, 10};
  auto areTogether = [&](int64_t b, int64_t, int64_t i, int64_t j) {
    // Outside of a captured tensor there are zeros.
    return (i + b < 10 ? documents[i + b] : 0) == documents[j];
  };
  EXPECT_EQ(countPairs(getSpec(kDocuments, "alignment(end)"), sizes, documents),
            countOneByOne(sizes, 0, areTogether));
}

//===----------------------------------------------------------------------===//
// Recurrences
//===----------------------------------------------------------------------===//

/// A recurrence with 16 rows and 8 columns of state; `%g` has a gate for each
/// token.
static std::string getRecurrence(StringRef options) {
  return replaceAll(R"mlir(
func.func @recurrence(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x8xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: tensor<?x?x?xf32> {attn.name = "g", attn.dims = ["B", "H", "N"]})
    -> (tensor<?x?x?x8xf32> {attn.name = "out"}) {
  %out = attn.recur %q, %q, %v OPTIONS
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %out : tensor<?x?x?x8xf32>
})mlir",
                    "OPTIONS", options);
}

/// What one token of one head of it is said to cost.
static double getFlopsPerToken(StringRef options,
                               StringRef schedule = "block_q=16,block_k=8") {
  CompileOptions quick;
  quick.quick = true;
  quick.schedule = schedule.str();
  auto kernel = compile(getRecurrence(options), "test.mlir", quick);
  if (!kernel) {
    ADD_FAILURE() << llvm::toString(kernel.takeError());
    return -1;
  }
  FloatArray q({2, 3, 70, 16}), v({2, 3, 70, 8}), g({2, 3, 70});
  return getFlops(**kernel, {q.buffer, v.buffer, g.buffer}) / (2 * 3 * 70);
}

TEST(CountTokens, InChunksOf64) {
  constexpr StringRef gate = "gate(%g : tensor<?x?x?xf32>)";
  // 64 pairs of products of 16 and of 8 numbers; twice the state of 16 x 8.
  double expected = 2 * 64 * (16 + 8) + 4 * 16 * 8;
  ASSERT_EQ(expected, 3584);
  EXPECT_EQ(getFlopsPerToken(""), expected);
  EXPECT_EQ(getFlopsPerToken(gate), expected);
  EXPECT_EQ(getFlopsPerToken("order(reversed)"), expected);
  EXPECT_EQ(getFlopsPerToken("read(before)"), expected);
  // Whatever the schedule has.
  EXPECT_EQ(getFlopsPerToken(gate, "block_q=64,block_k=8"), expected);
  EXPECT_EQ(getFlopsPerToken(gate, "splits=2"), expected);
}

TEST(CountTokens, BothDirections) {
  // One state of all tokens, or two sweeps.
  EXPECT_EQ(getFlopsPerToken("order(bidirectional)"), 4 * 16 * 8);
  EXPECT_EQ(
      getFlopsPerToken("gate(%g : tensor<?x?x?xf32>) order(bidirectional)"),
      2 * 3584);
}

TEST(CountTokens, BesidePairs) {
  // The counter of pairs is compiled for the mask; the recurrence has another.
  std::string spec =
      replaceAll(getRecurrence(""), "return %out : tensor<?x?x?x8xf32>",
                 R"mlir(
  %both = attn.attend %q, %q, %out
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %both : tensor<?x?x?x8xf32>)mlir");
  auto kernel = compileQuickly(spec);
  ASSERT_TRUE(kernel);
  FloatArray q({2, 3, 9, 16}), v({2, 3, 9, 8}), g({2, 3, 9});
  EXPECT_EQ(getFlops(*kernel, {q.buffer, v.buffer, g.buffer}),
            2 * 3 * (9 * 3584 + 45 * 2 * (16 + 8)));
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

TEST(CountPairs, DropoutIsNoMask) {
  std::string dropout = R"mlir(prob (%p: f32, %b, %h, %i, %j) {
        %rate = arith.constant 0.5 : f32
        %zero = arith.constant 0.0 : f32
        %seed = tensor.extract %x[%c2] : tensor<?xi64>
        %u = attn.random %seed at(%i, %j) : f32
        %stays = arith.cmpf oge, %u, %rate : f32
        %w = arith.select %stays, %p, %zero : f32
        attn.yield %w : f32
      } :)mlir";
  std::string spec = getSpec(kCausal, "alignment(end)");
  spec = replaceAll(spec, "} : tensor", "} " + dropout + " tensor");
  EXPECT_EQ(countPairs(spec, {1, 2, 1, 9, 9}, {1, 2, 3}), 2 * 45);
}

TEST(CountPairs, SeveralOpsAndControlFlow) {
  auto kernel = compileQuickly(R"mlir(
func.func @several(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x8xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "E"]})
    -> (tensor<?x?x?x8xf32> {attn.name = "out"}) {
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %half = attn.map_rows %q rows (%r: tensor<16xf32>, %b, %h, %n) {
    %part = tensor.extract_slice %r[8] [8] [1] : tensor<16xf32> to tensor<8xf32>
    attn.yield %part : tensor<8xf32>
  } : tensor<?x?x?x16xf32> -> tensor<?x?x?x8xf32>
  %first = attn.attend %half, %k, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  %second = attn.attend %first, %q, %k
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  %n = tensor.dim %q, %c2 : tensor<?x?x?x16xf32>
  %few = arith.cmpi ule, %n, %c16 : index
  %out = scf.if %few -> (tensor<?x?x?x8xf32>) {
    %x = attn.attend %second, %k, %k max_queries(16)
        schedule(<block_q = 16, block_k = 16>)
        : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
    scf.yield %x : tensor<?x?x?x8xf32>
  } else {
    %x = attn.attend %second, %k, %k schedule(<block_q = 16, block_k = 16>)
        mask (%b, %h, %i, %j) {
          %keep = arith.cmpi sgt, %i, %j : index
          attn.yield %keep : i1
        } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
    scf.yield %x : tensor<?x?x?x8xf32>
  }
  return %out : tensor<?x?x?x8xf32>
})mlir");
  ASSERT_TRUE(kernel);
  for (int64_t n : {10, 20}) {
    FloatArray q({2, 3, n, 16}, 0.3f), k({2, 3, n, 8}, 0.4f);
    double masked = n * (n + 1) / 2, all = n * n;
    double last = (n <= 16 ? all : n * (n - 1) / 2) * (8 + 8);
    EXPECT_EQ(getFlops(*kernel, {q.buffer, k.buffer}),
              2 * 2 * 3 * (masked * (8 + 16) + all * (16 + 8) + last));
  }
}

TEST(CountPairs, Strided) {
  // [B, N, H, D] in memory.
  auto kernel = compileQuickly(getCausal());
  ASSERT_TRUE(kernel);
  auto operands = makeOperands(2, 4, 4, 7, 7);
  std::vector<Buffer> arguments = getBuffers(operands);
  for (Buffer &buffer : arguments)
    buffer.strides = {7 * 4 * 16, 16, 4 * 16, 1};
  EXPECT_EQ(getFlops(*kernel, arguments), 2. * 2 * 4 * 28 * (16 + 16));
}

TEST(CountPairs, Concurrently) {
  auto kernel = compileQuickly(getCausal());
  ASSERT_TRUE(kernel);
  std::vector<std::thread> threads;
  for (int64_t n = 1; n <= 4; ++n)
    threads.emplace_back([&kernel, n] {
      auto operands = makeOperands(1, 2, 1, n, n);
      EXPECT_EQ(getFlops(*kernel, getBuffers(operands)),
                2. * 2 * n * (n + 1) / 2 * (16 + 16));
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(CountPairs, RefusesWrongArguments) {
  auto kernel = compileQuickly(getCausal());
  ASSERT_TRUE(kernel);
  auto operands = makeOperands(1, 3, 2, 5, 5);
  llvm::Expected<double> flops = kernel->flops(getBuffers(operands));
  ASSERT_FALSE(bool(flops));
  EXPECT_EQ(
      llvm::toString(flops.takeError()),
      "argument 'q': dimension 1 (H) must be a multiple of 2, dimension 1 "
      "(Hk) of argument 'k', got 3");
}
