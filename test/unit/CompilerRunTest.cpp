//===- CompilerRunTest.cpp - Kernels of the JIT core run ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include <cmath>
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using namespace attn::unittest;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Running programs
//===----------------------------------------------------------------------===//

TEST(CompilerRun, RunsVectorProgram) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->arguments().size(), 1u);
  EXPECT_EQ(kernel->results()[0].name, "out");
  EXPECT_GT(kernel->compileSeconds(), 0);
  for (int threads : {1, 2, 3, 0})
    for (int64_t n : {0, 1, 7, 100}) {
      FloatArray x({3, n, 32}, 0.3f);
      auto results = run(*kernel, x.buffer, threads);
      ASSERT_EQ(results.size(), 1u);
      for (int64_t i = 0; i < 3 * n * 32; ++i)
        ASSERT_EQ(results[0].data[i], 2 * x.data[i]);
    }
}

TEST(CompilerRun, RunsOnEveryInstructionSet) {
  for (StringRef target : {"cpu:baseline", "cpu:avx2", "cpu:avx512"}) {
    CompileOptions options;
    options.target = target.str();
    auto kernel = compile(kDouble, "test.mlir", options);
    if (!kernel) { // A machine without it says so.
      EXPECT_TRUE(
          StringRef(llvm::toString(kernel.takeError()))
              .starts_with("this machine cannot run code for " + target.str()));
      continue;
    }
    FloatArray x({1, 5, 32}, 0.3f);
    EXPECT_EQ(run(**kernel, x.buffer)[0].data[9], 2 * x.data[9]);
  }
}

TEST(CompilerRun, ReadsAndWritesStridedBuffers) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  // x is [N, B, D] in memory and repeats a row by a stride of 0; y has gaps.
  FloatArray x({4, 3, 32}, 0.3f), y({3, 4, 40}, 0.1f);
  std::vector<float> before = y.data;
  x.buffer.sizes = {3, 4, 32};
  x.buffer.strides = {0, 96, 1};
  y.buffer.sizes = {3, 4, 32};
  ASSERT_FALSE(llvm::errorToBool(kernel->launch(x.buffer, y.buffer)));
  for (int64_t b = 0; b < 3; ++b)
    for (int64_t n = 0; n < 4; ++n)
      for (int64_t d = 0; d < 40; ++d) {
        int64_t at = (b * 4 + n) * 40 + d;
        ASSERT_EQ(y.data[at], d < 32 ? 2 * x.data[n * 96 + d] : before[at]);
      }
}

TEST(CompilerRun, ComputesTheDefinition) {
  for (StringRef target : {"naive", "cpu"}) {
    auto kernel = mustCompile(getCausal(), target);
    ASSERT_TRUE(kernel);
    for (auto [nq, nk] : {std::pair(1, 1), {5, 9}, {70, 70}, {130, 129}}) {
      auto operands = makeOperands(2, 4, 2, nq, nk);
      auto results = run(*kernel, getBuffers(operands));
      ASSERT_EQ(results.size(), 2u);
      expectNear(results[0].data, computeCausal(operands));
    }
  }
}

TEST(CompilerRun, ReferenceIsInDoublePrecision) {
  auto kernel = mustCompile(getCausal(), "reference");
  ASSERT_TRUE(kernel);
  for (const Port &port : kernel->arguments())
    EXPECT_EQ(port.type, ElementType::F64);
  EXPECT_EQ(kernel->results()[1].type, ElementType::F64);
}

TEST(CompilerRun, ChangesElementType) {
  auto kernel = mustCompile(getCausal(), "cpu", "bf16");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->arguments()[0].type, ElementType::BF16);
  EXPECT_EQ(kernel->results()[0].type, ElementType::BF16);
  EXPECT_EQ(kernel->results()[1].type, ElementType::F32);
}

TEST(CompilerRun, RowsWithoutKeys) {
  for (StringRef target : {"naive", "cpu"}) {
    auto kernel = mustCompile(getCausal(), target);
    ASSERT_TRUE(kernel);
    auto operands = makeOperands(1, 2, 1, 3, 0);
    std::vector<Buffer> buffers = getBuffers(operands);
    buffers[1].data = buffers[2].data = nullptr;
    auto results = run(*kernel, buffers);
    ASSERT_EQ(results.size(), 2u);
    for (int i = 0; i < 2 * 3 * 16; ++i)
      EXPECT_EQ(results[0].data[i], 0);
    for (int i = 0; i < 2 * 3; ++i)
      EXPECT_EQ(results[1].data[i], -INFINITY);
  }
}

TEST(CompilerRun, NothingToCompute) {
  auto kernel = mustCompile(getCausal());
  ASSERT_TRUE(kernel);
  auto operands = makeOperands(2, 0, 0, 5, 5);
  auto results = run(*kernel, getBuffers(operands), 2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].buffer.sizes,
            (llvm::SmallVector<int64_t, 4>{2, 0, 5, 16}));
}

TEST(CompilerRun, SameBitsForEveryThreadCount) {
  auto kernel = mustCompile(getCausal());
  ASSERT_TRUE(kernel);
  auto operands = makeOperands(2, 4, 2, 300, 300);
  auto serial = run(*kernel, getBuffers(operands), 1);
  for (int threads : {2, 5, 0}) {
    auto parallel = run(*kernel, getBuffers(operands), threads);
    ASSERT_EQ(parallel.size(), 2u);
    EXPECT_EQ(serial[0].data, parallel[0].data);
    EXPECT_EQ(serial[1].data, parallel[1].data);
  }
}

TEST(CompilerRun, CompilesAndRunsConcurrently) {
  auto operands = makeOperands(1, 2, 2, 40, 40);
  std::vector<double> expected = computeCausal(operands);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto kernel = mustCompile(getCausal());
      ASSERT_TRUE(kernel);
      expectNear(run(*kernel, getBuffers(operands), 2)[0].data, expected);
    });
  for (std::thread &thread : threads)
    thread.join();
}

//===----------------------------------------------------------------------===//
// What a kernel tells
//===----------------------------------------------------------------------===//

TEST(CompilerRun, DescribesFunction) {
  auto kernel = mustCompile(getCausal());
  ASSERT_TRUE(kernel);
  ArrayRef<Port> arguments = kernel->arguments(), results = kernel->results();
  ASSERT_EQ(arguments.size(), 3u);
  EXPECT_EQ(arguments[1].name, "k");
  EXPECT_EQ(arguments[1].dims, (std::vector<std::string>{"B", "Hk", "M", "D"}));
  EXPECT_EQ(arguments[1].sizes, (std::vector<int64_t>{-1, -1, -1, 16}));
  EXPECT_EQ(arguments[1].fill, "normal");
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].name, "lse");
  EXPECT_EQ(results[1].dims, (std::vector<std::string>{"B", "H", "N"}));
  EXPECT_EQ(kernel->defaultDims().at("N"), 64);
  EXPECT_TRUE(StringRef(kernel->schedule()).starts_with("block_q="));
}

TEST(CompilerRun, FollowsSizesThroughRowMaps) {
  auto kernel = mustCompile(R"mlir(
func.func @half(
    %x: tensor<?x?x?x16xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]})
    -> tensor<?x?x?x8xf32> {
  %y = attn.map_rows %x rows (%r: tensor<16xf32>, %b, %h, %n) {
    %part = tensor.extract_slice %r[8] [8] [1] : tensor<16xf32> to tensor<8xf32>
    attn.yield %part : tensor<8xf32>
  } : tensor<?x?x?x16xf32> -> tensor<?x?x?x8xf32>
  return %y : tensor<?x?x?x8xf32>
})mlir");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->results()[0].dims,
            (std::vector<std::string>{"B", "H", "N", "out3"}));
  FloatArray x({1, 2, 50, 16}, 0.3f);
  auto results = run(*kernel, x.buffer);
  ASSERT_EQ(results.size(), 1u);
  ASSERT_EQ(results[0].buffer.sizes,
            (llvm::SmallVector<int64_t, 4>{1, 2, 50, 8}));
  for (int64_t row = 0; row < 100; ++row)
    for (int64_t d = 0; d < 8; ++d)
      ASSERT_EQ(results[0].data[row * 8 + d], x.data[row * 16 + 8 + d]);
}

TEST(CompilerRun, FollowsSizesThroughOffsets) {
  auto kernel = mustCompile(kPacked);
  ASSERT_TRUE(kernel);
  ArrayRef<Port> results = kernel->results();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].dims[0], "G");
  FloatArray x({1, 2, 5, 16}, 0.3f), h0({3, 2, 16, 16}, 0.1f), c({4});
  c.buffer.type = ElementType::I32;
  auto sizes = kernel->resultSizes({x.buffer, h0.buffer, c.buffer});
  ASSERT_TRUE(bool(sizes)) << llvm::toString(sizes.takeError());
  EXPECT_EQ((*sizes)[1], (llvm::SmallVector<int64_t, 4>{3, 2, 16, 16}));
}

TEST(CompilerRun, UsesTheGivenSchedule) {
  CompileOptions options;
  options.schedule = "block_q=32,block_k=16";
  auto kernel = compile(getCausal(), "test.mlir", options);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  EXPECT_EQ((*kernel)->schedule(), "block_q=32,block_k=16");
  auto operands = makeOperands(1, 2, 1, 45, 50);
  expectNear(run(**kernel, getBuffers(operands))[0].data,
             computeCausal(operands));
}
