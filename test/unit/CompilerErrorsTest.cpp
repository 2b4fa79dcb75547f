//===- CompilerErrorsTest.cpp - What the JIT core refuses -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include "llvm/Support/FileSystem.h"
#include <gtest/gtest.h>

using namespace attn;
using namespace attn::unittest;
using llvm::ArrayRef;
using llvm::StringRef;

/// The message with which the arguments are refused.
static std::string getSizeError(const Kernel &kernel,
                                ArrayRef<Buffer> arguments) {
  auto sizes = kernel.resultSizes(arguments);
  return sizes ? "" : llvm::toString(sizes.takeError());
}

//===----------------------------------------------------------------------===//
// Calls that are refused
//===----------------------------------------------------------------------===//

TEST(CompilerErrors, RefusesSizesThatDisagree) {
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

TEST(CompilerErrors, RefusesDifferentLengthsWithoutAlignment) {
  auto kernel = mustCompile(getUnalignedCausal());
  ASSERT_TRUE(kernel);
  EXPECT_EQ(getSizeError(*kernel, getBuffers(makeOperands(1, 2, 1, 5, 6))),
            "argument 'k': dimension 2 (k2) must be 5 as dimension 2 (q2) of "
            "argument 'q', as the attend op has no alignment, got 6");
  EXPECT_EQ(getSizeError(*kernel, getBuffers(makeOperands(1, 2, 1, 5, 5))), "");
}

TEST(CompilerErrors, RefusesOffsetsOfOtherSegments) {
  auto kernel = mustCompile(kPacked);
  ASSERT_TRUE(kernel);
  auto error = [&](int64_t states, int64_t offsets) {
    FloatArray x({1, 2, 5, 16}), h0({states, 2, 16, 16}), c({offsets});
    c.buffer.type = ElementType::I32;
    return getSizeError(*kernel, {x.buffer, h0.buffer, c.buffer});
  };
  EXPECT_EQ(error(3, 4), "");
  EXPECT_EQ(error(0, 1), "");
  EXPECT_EQ(error(3, 3), "argument 'c': dimension 0 (G+1) must be 4 to fit "
                         "dimension G of argument 'h0', got 3");
  EXPECT_EQ(error(0, 0),
            "argument 'c': dimension 0 (G+1) must be at least 1, got 0");
}

TEST(CompilerErrors, RefusesBadBuffers) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  auto error = [&](llvm::function_ref<void(Buffer &)> change) {
    FloatArray x({2, 5, 32}, 1);
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

TEST(CompilerErrors, RefusesBadResultsAndThreads) {
  auto kernel = mustCompile(kDouble);
  ASSERT_TRUE(kernel);
  FloatArray x({2, 5, 32}, 1), y({2, 5, 32}), small({2, 4, 32});
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

TEST(CompilerErrors, RefusesUnknownTargets) {
  for (StringRef target : {"gpu", "", "cpuavx2", "referenc"}) {
    CompileOptions options;
    options.target = target.str();
    EXPECT_EQ(getCompileError(kDouble, options),
              "unknown target '" + target.str() +
                  "': expected cpu, cpu:avx512, cpu:avx2, cpu:baseline, "
                  "cuda:sm_80, cuda:sm_86, cuda:sm_89, cuda:sm_90, reference "
                  "or naive");
  }
  CompileOptions options;
  options.target = "cpu:neon";
  EXPECT_EQ(
      getCompileError(kDouble, options),
      "unknown instruction set 'neon': expected avx512, avx2 or baseline");
}

TEST(CompilerErrors, RefusesTextThatIsNoProgram) {
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

TEST(CompilerErrors, SelectsFunction) {
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

TEST(CompilerErrors, RefusesWhatPassesRefuse) {
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
