//===- CompilerTest.cpp - Tests of the JIT core ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Compiler.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// Doubles rows through scratch memory: a program in the form that enters
/// attn-cpu-outline-parallel, one block per row.
static constexpr llvm::StringLiteral kDouble = R"mlir(
#view = strided<[?, ?, 1], offset: ?>
func.func @double(
    %x: memref<?x?x32xf32, #view> {attn.name = "x", attn.dims = ["B", "N", "D"]},
    %y: memref<?x?x32xf32, #view> {attn.dims = ["B", "N", "D"], attn.result}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %b = memref.dim %x, %c0 : memref<?x?x32xf32, #view>
  %n = memref.dim %x, %c1 : memref<?x?x32xf32, #view>
  %two = arith.constant dense<2.0> : vector<4xf32>
  scf.forall (%i, %j) in (%b, %n) {
    %unused = memref.alloca() : memref<3xf32>
    %t = memref.alloca() : memref<32xf32>
    scf.for %d = %c0 to %c32 step %c4 {
      %v = vector.load %x[%i, %j, %d] : memref<?x?x32xf32, #view>, vector<4xf32>
      %w = arith.mulf %v, %two : vector<4xf32>
      vector.store %w, %t[%d] : memref<32xf32>, vector<4xf32>
    }
    scf.for %d = %c0 to %c32 step %c4 {
      %v = vector.load %t[%d] : memref<32xf32>, vector<4xf32>
      vector.store %v, %y[%i, %j, %d] : memref<?x?x32xf32, #view>, vector<4xf32>
    }
  }
  return
})mlir";

/// A spec with grouped heads, a mask and the log-sum-exp.
static constexpr llvm::StringLiteral kCausal = R"mlir(
func.func @causal(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "Hk", "M", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "Hk", "M", "D"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 64}} {
  %out, %lse = attn.attend %q, %k, %v ALIGNMENT
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
        -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
})mlir";

/// Replaces every `from` in `text`.
static std::string replaceAll(StringRef text, StringRef from, StringRef to) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, from);
  return llvm::join(parts, to);
}

/// The spec above.
static std::string getCausal() {
  return replaceAll(kCausal, "ALIGNMENT", "alignment(end)");
}

/// The spec above without an alignment, where sizes are known only at run time.
static std::string getUnalignedCausal() {
  std::string text = replaceAll(kCausal, "ALIGNMENT", "");
  text = replaceAll(text, R"(, attn.dims = ["B", "H", "N", "D"])", "");
  return replaceAll(text, R"(, attn.dims = ["B", "Hk", "M", "D"])", "");
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

namespace {
/// An array of floats in row-major order, with its buffer.
struct Array {
  std::vector<float> data;
  Buffer buffer;

  explicit Array(ArrayRef<int64_t> sizes, float seed = 0) {
    int64_t count = 1;
    buffer.sizes.assign(sizes.begin(), sizes.end());
    buffer.strides.resize(sizes.size());
    for (size_t i = sizes.size(); i-- > 0; count *= sizes[i])
      buffer.strides[i] = count;
    for (int64_t i = 0; i < count; ++i)
      data.push_back(seed ? std::sin(seed * float(i + 1)) : -1);
    data.push_back(0); // So that the address is one, even of an empty array.
    buffer.data = data.data();
  }
  Array(Array &&) = default;
};
} // namespace

static std::unique_ptr<Kernel>
mustCompile(StringRef text, StringRef target = "cpu", StringRef dtype = "") {
  CompileOptions options;
  options.target = target.str();
  options.dtype = dtype.str();
  auto kernel = compile(text, "test.mlir", options);
  if (kernel)
    return std::move(*kernel);
  ADD_FAILURE() << llvm::toString(kernel.takeError());
  return nullptr;
}

/// The message with which compiling `text` fails.
static std::string getCompileError(StringRef text,
                                   CompileOptions options = {}) {
  auto kernel = compile(text, "test.mlir", options);
  return kernel ? "" : llvm::toString(kernel.takeError());
}

/// Runs `kernel` on fresh results; fails the test on an error.
static std::vector<Array> run(const Kernel &kernel, ArrayRef<Buffer> arguments,
                              int threads = 1) {
  std::vector<Array> results;
  std::vector<Buffer> buffers;
  auto sizes = kernel.resultSizes(arguments);
  if (!sizes) {
    ADD_FAILURE() << llvm::toString(sizes.takeError());
    return results;
  }
  for (ArrayRef<int64_t> size : *sizes)
    buffers.push_back(results.emplace_back(size).buffer);
  LaunchOptions options;
  options.threads = threads;
  if (llvm::Error error = kernel.launch(arguments, buffers, options))
    ADD_FAILURE() << llvm::toString(std::move(error));
  return results;
}

/// The message with which the arguments are refused.
static std::string getSizeError(const Kernel &kernel,
                                ArrayRef<Buffer> arguments) {
  auto sizes = kernel.resultSizes(arguments);
  return sizes ? "" : llvm::toString(sizes.takeError());
}

/// Queries, keys and values for the causal spec.
static std::vector<Array> makeOperands(int64_t b, int64_t h, int64_t hk,
                                       int64_t nq, int64_t nk) {
  std::vector<Array> operands;
  operands.emplace_back(ArrayRef<int64_t>{b, h, nq, 16}, 0.7f);
  operands.emplace_back(ArrayRef<int64_t>{b, hk, nk, 16}, 0.9f);
  operands.emplace_back(ArrayRef<int64_t>{b, hk, nk, 16}, 1.1f);
  return operands;
}

static std::vector<Buffer> getBuffers(const std::vector<Array> &arrays) {
  std::vector<Buffer> buffers;
  for (const Array &array : arrays)
    buffers.push_back(array.buffer);
  return buffers;
}

/// The causal spec in double precision, written out.
static std::vector<double> computeCausal(const std::vector<Array> &operands) {
  ArrayRef<int64_t> q = operands[0].buffer.sizes, k = operands[1].buffer.sizes;
  std::vector<double> out;
  auto at = [&](int which, int64_t head, int64_t row, int64_t d) {
    int64_t rows = operands[which].buffer.sizes[2];
    return double(operands[which].data[(head * rows + row) * 16 + d]);
  };
  for (int64_t head = 0; head < q[0] * q[1]; ++head)
    for (int64_t i = 0; i < q[2]; ++i) {
      int64_t keyHead = head / q[1] * k[1] + head % q[1] / (q[1] / k[1]);
      double sum = 0, row[16] = {};
      for (int64_t j = 0; j <= i + k[2] - q[2]; ++j) {
        double dot = 0;
        for (int64_t d = 0; d < 16; ++d)
          dot += at(0, head, i, d) * at(1, keyHead, j, d);
        double weight = std::exp(dot / 4);
        sum += weight;
        for (int64_t d = 0; d < 16; ++d)
          row[d] += weight * at(2, keyHead, j, d);
      }
      for (double value : row)
        out.push_back(sum ? value / sum : 0);
    }
  return out;
}

static void expectNear(ArrayRef<float> actual, ArrayRef<double> expected) {
  ASSERT_EQ(actual.size(), expected.size() + 1);
  for (size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], 1e-5) << "element " << i;
}

//===----------------------------------------------------------------------===//
// Running programs
//===----------------------------------------------------------------------===//

TEST(CompilerTest, RunsVectorProgram) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->arguments().size(), 1u);
  EXPECT_EQ(kernel->results()[0].name, "out");
  EXPECT_GT(kernel->compileSeconds(), 0);
  for (int threads : {1, 2, 3, 0})
    for (int64_t n : {0, 1, 7, 100}) {
      Array x({3, n, 32}, 0.3f);
      auto results = run(*kernel, x.buffer, threads);
      ASSERT_EQ(results.size(), 1u);
      for (int64_t i = 0; i < 3 * n * 32; ++i)
        ASSERT_EQ(results[0].data[i], 2 * x.data[i]);
    }
}

TEST(CompilerTest, RunsOnEveryInstructionSet) {
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
    Array x({1, 5, 32}, 0.3f);
    EXPECT_EQ(run(**kernel, x.buffer)[0].data[9], 2 * x.data[9]);
  }
}

TEST(CompilerTest, ReadsAndWritesStridedBuffers) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  // x is [N, B, D] in memory and repeats a row by a stride of 0; y has gaps.
  Array x({4, 3, 32}, 0.3f), y({3, 4, 40}, 0.1f);
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

TEST(CompilerTest, ComputesTheDefinition) {
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

TEST(CompilerTest, ReferenceIsInDoublePrecision) {
  auto kernel = mustCompile(getCausal(), "reference");
  ASSERT_TRUE(kernel);
  for (const Port &port : kernel->arguments())
    EXPECT_EQ(port.type, ElementType::F64);
  EXPECT_EQ(kernel->results()[1].type, ElementType::F64);
}

TEST(CompilerTest, ChangesElementType) {
  auto kernel = mustCompile(getCausal(), "cpu", "bf16");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->arguments()[0].type, ElementType::BF16);
  EXPECT_EQ(kernel->results()[0].type, ElementType::BF16);
  EXPECT_EQ(kernel->results()[1].type, ElementType::F32);
}

TEST(CompilerTest, RowsWithoutKeys) {
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

TEST(CompilerTest, NothingToCompute) {
  auto kernel = mustCompile(getCausal());
  ASSERT_TRUE(kernel);
  auto operands = makeOperands(2, 0, 0, 5, 5);
  auto results = run(*kernel, getBuffers(operands), 2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].buffer.sizes,
            (llvm::SmallVector<int64_t, 4>{2, 0, 5, 16}));
}

TEST(CompilerTest, SameBitsForEveryThreadCount) {
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

TEST(CompilerTest, CompilesAndRunsConcurrently) {
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

TEST(CompilerTest, DescribesFunction) {
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
  auto operands = makeOperands(2, 4, 2, 5, 7);
  EXPECT_EQ(kernel->flops(getBuffers(operands)),
            2. * 2 * 4 * 5 * 7 * (16 + 16));
}

TEST(CompilerTest, FollowsSizesThroughRowMaps) {
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
  Array x({1, 2, 50, 16}, 0.3f);
  auto results = run(*kernel, x.buffer);
  ASSERT_EQ(results.size(), 1u);
  ASSERT_EQ(results[0].buffer.sizes,
            (llvm::SmallVector<int64_t, 4>{1, 2, 50, 8}));
  for (int64_t row = 0; row < 100; ++row)
    for (int64_t d = 0; d < 8; ++d)
      ASSERT_EQ(results[0].data[row * 8 + d], x.data[row * 16 + 8 + d]);
}

TEST(CompilerTest, UsesTheGivenSchedule) {
  CompileOptions options;
  options.schedule = "block_q=32,block_k=16";
  auto kernel = compile(getCausal(), "test.mlir", options);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  EXPECT_EQ((*kernel)->schedule(), "block_q=32,block_k=16");
  auto operands = makeOperands(1, 2, 1, 45, 50);
  expectNear(run(**kernel, getBuffers(operands))[0].data,
             computeCausal(operands));
}

//===----------------------------------------------------------------------===//
// Calls that are refused
//===----------------------------------------------------------------------===//

TEST(CompilerTest, RefusesSizesThatDisagree) {
  auto kernel = mustCompile(getCausal());
  ASSERT_TRUE(kernel);
  auto error = [&](int64_t b, int64_t h, int64_t hk, int64_t nq, int64_t nk) {
    return getSizeError(*kernel, getBuffers(makeOperands(b, h, hk, nq, nk)));
  };
  EXPECT_EQ(error(1, 4, 3, 5, 5), "argument 'q': dimension 1 (H) must be a "
                                  "multiple of 3, dimension 1 (Hk) of argument "
                                  "'k', got 4");
  EXPECT_EQ(error(1, 4, 0, 5, 5), "argument 'q': dimension 1 (H) must be a "
                                  "multiple of 0, dimension 1 (Hk) of argument "
                                  "'k', got 4");
  auto operands = makeOperands(1, 4, 2, 5, 64);
  operands[2].buffer.sizes[2] = 63;
  EXPECT_EQ(
      getSizeError(*kernel, getBuffers(operands)),
      "argument 'v': dimension 2 (M) must be 64 as in argument 'k', got 63");
  operands[0].buffer.sizes[3] = 15;
  EXPECT_EQ(getSizeError(*kernel, getBuffers(operands)),
            "argument 'q': dimension 3 (D) must be 16, got 15");
}

TEST(CompilerTest, RefusesDifferentLengthsWithoutAlignment) {
  auto kernel = mustCompile(getUnalignedCausal());
  ASSERT_TRUE(kernel);
  EXPECT_EQ(getSizeError(*kernel, getBuffers(makeOperands(1, 2, 1, 5, 6))),
            "argument 'k': dimension 2 (k2) must be 5 as dimension 2 (q2) of "
            "argument 'q', as the attend op has no alignment, got 6");
  EXPECT_EQ(getSizeError(*kernel, getBuffers(makeOperands(1, 2, 1, 5, 5))), "");
}

TEST(CompilerTest, RefusesBadBuffers) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  auto error = [&](llvm::function_ref<void(Buffer &)> change) {
    Array x({2, 5, 32}, 1);
    change(x.buffer);
    return getSizeError(*kernel, x.buffer);
  };
  EXPECT_EQ(error([](Buffer &) {}), "");
  EXPECT_EQ(error([](Buffer &x) { x.type = ElementType::F64; }),
            "argument 'x': element type must be f32, got f64");
  EXPECT_EQ(error([](Buffer &x) { x.sizes.pop_back(); }),
            "argument 'x': expected 3 dimensions, got 2");
  EXPECT_EQ(error([](Buffer &x) { x.strides.pop_back(); }),
            "argument 'x': expected 3 strides, got 2");
  EXPECT_EQ(error([](Buffer &x) { x.sizes[1] = -1; }),
            "argument 'x': dimension 1 (N) must not be negative, got -1");
  EXPECT_EQ(
      error([](Buffer &x) { x.strides[1] = -32; }),
      "argument 'x': dimension 1 (N) must not have a negative stride, got "
      "-32");
  EXPECT_EQ(error([](Buffer &x) { x.strides[2] = 2; }),
            "argument 'x': dimension 2 (D) must have stride 1, got 2");
  EXPECT_EQ(error([](Buffer &x) { x.data = nullptr; }),
            "argument 'x': data must not be null");
  EXPECT_EQ(error([](Buffer &x) { x.data = static_cast<char *>(x.data) + 1; }),
            "argument 'x': data must be aligned to 4 bytes");
  EXPECT_EQ(error([](Buffer &x) { x.strides[0] = INT64_MAX; }),
            "argument 'x': sizes and strides exceed 64-bit offsets");
  // Strides of dimensions with one element, and addresses of nothing.
  EXPECT_EQ(error([](Buffer &x) { x.sizes[0] = 1, x.strides[0] = -7; }), "");
  EXPECT_EQ(error([](Buffer &x) { x.sizes[0] = 0, x.data = nullptr; }), "");
}

TEST(CompilerTest, RefusesBadResultsAndThreads) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  Array x({2, 5, 32}, 1), y({2, 5, 32}), small({2, 4, 32});
  auto error = [&](ArrayRef<Buffer> results, int threads = 1) {
    LaunchOptions options;
    options.threads = threads;
    return llvm::toString(kernel->launch(x.buffer, results, options));
  };
  EXPECT_EQ(error({}), "expected 1 results, got 0");
  EXPECT_EQ(error(small.buffer),
            "result 'out': dimension 1 (N) must be 5, got 4");
  EXPECT_EQ(error(y.buffer, -1), "threads must be between 0 and 4096, got -1");
  y.buffer.strides[0] = 0;
  EXPECT_EQ(error(y.buffer),
            "result 'out': dimension 0 (B) must not have stride "
            "0: its elements would overlap");
}

//===----------------------------------------------------------------------===//
// Programs that are refused
//===----------------------------------------------------------------------===//

TEST(CompilerTest, RefusesUnknownTargets) {
  for (StringRef target : {"gpu", "", "cpuavx2", "referenc"}) {
    CompileOptions options;
    options.target = target.str();
    EXPECT_EQ(getCompileError(kDouble, options),
              "unknown target '" + target.str() +
                  "': expected cpu, cpu:avx512, cpu:avx2, cpu:baseline, "
                  "reference or naive");
  }
  CompileOptions options;
  options.target = "cpu:neon";
  EXPECT_EQ(
      getCompileError(kDouble, options),
      "unknown instruction set 'neon': expected avx512, avx2 or baseline");
}

TEST(CompilerTest, RefusesTextThatIsNoProgram) {
  EXPECT_EQ(getCompileError("func.func @f("),
            "test.mlir:1:13: error: expected non-function type");
  EXPECT_EQ(getCompileError(""), "test.mlir: expected a function, got none");
  EXPECT_EQ(
      getCompileError("func.func @f(%x: f32) { return }"),
      "test.mlir:1:1: error: 'func.func' op 'arg0' must be a ranked tensor "
      "or memref, got 'f32'");
  EXPECT_EQ(
      getCompileError("func.func @f(%x: memref<4xi7>) { return }"),
      "test.mlir:1:1: error: 'func.func' op 'arg0' has an element type that "
      "no buffer can have, got 'memref<4xi7>'");
}

TEST(CompilerTest, SelectsFunction) {
  StringRef text = "func.func @f(%x: memref<4xf32>) { return }\n"
                   "func.func @g(%y: memref<8xf32>) { return }";
  EXPECT_EQ(
      getCompileError(text),
      "test.mlir: expected the name of one function, as there are several: "
      "'f', 'g'");
  CompileOptions options;
  options.function = "h";
  EXPECT_EQ(getCompileError(text, options),
            "test.mlir: expected one of the functions 'f', 'g', got 'h'");
  options.function = "g";
  auto kernel = compile(text, "test.mlir", options);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  EXPECT_EQ((*kernel)->arguments()[0].sizes, std::vector<int64_t>{8});
}

TEST(CompilerTest, RefusesWhatPassesRefuse) {
  EXPECT_EQ(
      getCompileError("func.func @f(%n: memref<?xf32>, %m: memref<1xf32>) {\n"
                      "  %c0 = arith.constant 0 : index\n"
                      "  %c9 = arith.constant 9 : index\n"
                      "  scf.forall (%i) in (%c9) {\n"
                      "    %t = memref.alloca() : memref<3000000xf32>\n"
                      "    %x = memref.load %t[%i] : memref<3000000xf32>\n"
                      "    memref.store %x, %n[%i] : memref<?xf32>\n"
                      "  }\n  return\n}"),
      "test.mlir:4:3: error: a block needs 12000000 bytes of scratch memory, "
      "at most 8388608 are allowed; make block_q or block_k smaller");
}

//===----------------------------------------------------------------------===//
// Intermediate forms
//===----------------------------------------------------------------------===//

TEST(CompilerTest, LaterFormsRun) {
  auto operands = makeOperands(1, 4, 2, 33, 50);
  auto direct = run(*mustCompile(getCausal()), getBuffers(operands));
  for (Stage stage : {Stage::Attn, Stage::Tile, Stage::Vector}) {
    auto text = emit(getCausal(), "test.mlir", {}, stage);
    ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
    auto kernel = mustCompile(*text);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(kernel->results()[1].name, "lse");
    auto results = run(*kernel, getBuffers(operands));
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(direct[0].data, results[0].data);
    EXPECT_EQ(direct[1].data, results[1].data);
  }
}

TEST(CompilerTest, EmitsEveryStage) {
  const std::pair<Stage, StringRef> expected[] = {
      {Stage::Attn, "attn.attend"},
      {Stage::Tile, "tile.dot"},
      {Stage::Vector, "vector.store"},
      {Stage::Llvm, "llvm.func @attn_entry_"},
      {Stage::LlvmIr, "define "},
      {Stage::Assembly, "attn_entry_causal:"},
      {Stage::Object, "\x7f"
                      "ELF"},
      {Stage::SharedObject, "\x7f"
                            "ELF"}};
  for (auto [stage, part] : expected) {
    auto text = emit(getCausal(), "test.mlir", {}, stage);
    ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
    EXPECT_TRUE(StringRef(*text).contains(part)) << part.str();
  }
  CompileOptions options;
  options.target = "reference";
  EXPECT_EQ(
      llvm::toString(
          emit(getCausal(), "test.mlir", options, Stage::Tile).takeError()),
      "target 'reference' has no tile program: expected a cpu target");
}

TEST(CompilerTest, DumpsPhases) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-test", folder));
  CompileOptions options;
  options.dumpPhasesTo = (folder + "/new").str();
  EXPECT_EQ(getCompileError(kDouble, options), "");
  for (StringRef name : {"00-parsed.mlir", "01-block-registers.mlir",
                         "04-to-llvm.mlir", "05-llvm-ir.ll"})
    EXPECT_TRUE(llvm::sys::fs::exists(options.dumpPhasesTo + "/" + name))
        << name.str();
  options.dumpPhasesTo += "/00-parsed.mlir";
  EXPECT_EQ(getCompileError(kDouble, options),
            options.dumpPhasesTo +
                "/00-parsed.mlir: cannot write: Not a directory");
  llvm::sys::fs::remove_directories(folder);
}

static llvm::cl::opt<int> kept("compiler-test-kept", llvm::cl::init(1));

TEST(CompilerTest, LeavesCommandLineOptionsAlone) {
  const char *arguments[] = {"test", "--compiler-test-kept=7"};
  ASSERT_TRUE(llvm::cl::ParseCommandLineOptions(2, arguments));
  mustCompile(kDouble);
  EXPECT_EQ(kept, 7);
}
