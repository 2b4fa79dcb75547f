//===- JitCompilerTest.cpp - Specs compiled through the C interface -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/attn_jit.h"
#include "test/unit/TestFolder.h"
#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <thread>

using attn::unittest::TestFolder;

static constexpr DLDevice kCpu = {kDLCPU, 0};
static constexpr int64_t kFeatures = 16;

/// With small blocks, whose code is compiled fast.
static attn_compile_options makeOptions() {
  attn_compile_options options = {};
  options.struct_size = sizeof(options);
  options.schedule = "block_q=16,block_k=16";
  return options;
}

/// Attention to the last `width` keys.
static std::string getWindow(int width) {
  std::string type = "tensor<?x?x?x16xf32>";
  auto argument = [&](const char *name) {
    return std::string("%") + name + ": " + type + " {attn.name = \"" + name +
           "\", attn.dims = [\"B\", \"H\", \"N\", \"D\"]}";
  };
  return "func.func @window(" + argument("q") + ", " + argument("k") + ", " +
         argument("v") + ") -> (" + type + " {attn.name = \"out\"}) {\n" +
         "  %width = arith.constant " + std::to_string(width) + " : index\n" +
         R"(  %out = attn.attend %q, %k, %v mask (%b, %h, %i, %j) {
    %past = arith.cmpi sge, %i, %j : index
    %distance = arith.subi %i, %j : index
    %near = arith.cmpi slt, %distance, %width : index
    %keep = arith.andi %past, %near : i1
    attn.yield %keep : i1
  } : )" +
         type + ", " + type + ", " + type + " -> " + type +
         "\n  return %out : " + type + "\n}\n";
}

/// Whether a kernel of getWindow() computes means of windows. All keys are 0,
/// so that weights are equal; the value of a key is its number.
static bool computesMeans(const attn_kernel *kernel, int width, int64_t b,
                          int64_t h, int64_t n) {
  int64_t shape[4] = {b, h, n, kFeatures};
  std::vector<float> zeros(b * h * n * kFeatures), values(zeros), out(zeros);
  for (size_t at = 0; at < values.size(); ++at)
    values[at] = float(at / kFeatures % n);
  DLTensor q = {zeros.data(), kCpu, 4, {kDLFloat, 32, 1}, shape, nullptr, 0};
  DLTensor v = q, result = q;
  v.data = values.data();
  result.data = out.data();
  const DLTensor *arguments[] = {&q, &q, &v}, *results[] = {&result};
  attn_launch_options options = {sizeof(options), 1};
  if (attn_kernel_launch(kernel, arguments, 3, results, 1, nullptr, 0, nullptr,
                         &options) != ATTN_OK)
    return false;
  for (size_t at = 0; at < out.size(); ++at) {
    int64_t i = at / kFeatures % n;
    int64_t first = std::max<int64_t>(0, i - width + 1);
    if (std::abs(out[at] - float(first + i) / 2) > 1e-3f)
      return false;
  }
  return true;
}

namespace {
/// A context with a folder of its own.
class JitCompiler : public ::testing::Test {
protected:
  void SetUp() override { jit = makeJit(); }
  void TearDown() override { attn_jit_destroy(jit); }

  attn_jit *makeJit() {
    attn_jit_options options = {sizeof(options), folder.path.c_str(), 0, 0};
    attn_jit *made = nullptr;
    EXPECT_EQ(attn_jit_create(&options, &made), ATTN_OK) << attn_last_error();
    return made;
  }

  /// The kernel, which the caller destroys; null if that fails.
  static attn_kernel *
  compile(attn_jit *jit, const std::string &text,
          const attn_compile_options &options = makeOptions()) {
    attn_kernel *kernel = nullptr;
    attn_status status = attn_jit_compile(jit, text.data(), text.size(), kCpu,
                                          &options, &kernel);
    return status == ATTN_OK ? kernel : nullptr;
  }

  attn_jit_counters getCounters() {
    attn_jit_counters counters = {};
    counters.struct_size = sizeof(counters);
    EXPECT_EQ(attn_jit_get_counters(jit, &counters), ATTN_OK);
    return counters;
  }

  /// The status and message of a compilation that must fail.
  std::string getError(const std::string &text,
                       const attn_compile_options &options,
                       DLDevice device = kCpu) {
    attn_kernel *kernel = nullptr;
    attn_status status = attn_jit_compile(jit, text.data(), text.size(), device,
                                          &options, &kernel);
    EXPECT_EQ(kernel, nullptr);
    return std::string(attn_status_name(status)) + ": " + attn_last_error();
  }

  TestFolder folder;
  attn_jit *jit = nullptr;
};
} // namespace

TEST_F(JitCompiler, CompilesOnceForAllSizes) {
  std::mt19937 random(1);
  auto draw = [&](int64_t most) { return 1 + int64_t(random() % most); };
  std::string text = getWindow(5);
  int correct = 0;
  for (int call = 0; call < 1000; ++call) {
    attn_kernel *kernel = compile(jit, text);
    ASSERT_NE(kernel, nullptr) << attn_last_error();
    correct += computesMeans(kernel, 5, draw(3), draw(4), draw(60));
    attn_kernel_destroy(kernel);
  }
  EXPECT_EQ(correct, 1000);
  EXPECT_EQ(getCounters().compilations, 1u);
  EXPECT_EQ(getCounters().memory_hits, 999u);
}

TEST_F(JitCompiler, CompilesForManyThreads) {
  std::atomic<int> correct = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 20; ++i) {
        int width = 1 + (i * 7 + thread) % 20;
        attn_kernel *kernel = compile(jit, getWindow(width));
        correct += kernel && computesMeans(kernel, width, 1, 2, 33);
        attn_kernel_destroy(kernel);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(correct, 8 * 20);
  EXPECT_EQ(getCounters().compilations, 20u);
  EXPECT_EQ(getCounters().memory_hits, 140u);
}

TEST_F(JitCompiler, LoadsWhatAnotherContextHasCompiled) {
  attn_kernel *first = compile(jit, getWindow(3));
  ASSERT_NE(first, nullptr) << attn_last_error();
  attn_jit_destroy(jit);
  jit = makeJit();
  attn_kernel *second = compile(jit, getWindow(3));
  ASSERT_NE(second, nullptr) << attn_last_error();
  // Comments and the names of values are no part of the program.
  attn_kernel *third = compile(jit, "// The same.\n" + getWindow(3));
  ASSERT_NE(third, nullptr) << attn_last_error();
  EXPECT_EQ(getCounters().compilations, 0u);
  EXPECT_EQ(getCounters().disk_hits, 1u);
  EXPECT_EQ(getCounters().memory_hits, 1u);
  for (attn_kernel *kernel : {first, second, third}) {
    EXPECT_TRUE(computesMeans(kernel, 3, 2, 1, 20));
    attn_kernel_destroy(kernel);
  }
  // A file of the cache is a package.
  attn_package *package = nullptr;
  EXPECT_EQ(attn_package_load_file(folder.list(".attn")[0].c_str(), &package),
            ATTN_OK);
  EXPECT_STREQ(attn_package_kernel_name(package, 0), "window");
  attn_package_destroy(package);
}

TEST_F(JitCompiler, HeedsOptions) {
  attn_compile_options options = makeOptions();
  options.dtype = "bf16";
  options.target = "cpu:baseline";
  options.schedule = "block_q=16,block_k=32";
  options.function = "window";
  attn_kernel *kernel =
      compile(jit, getWindow(3) + "func.func @other() { return }\n", options);
  ASSERT_NE(kernel, nullptr) << attn_last_error();
  EXPECT_STREQ(attn_kernel_target(kernel), "cpu:baseline");
  attn_port port;
  ASSERT_EQ(attn_kernel_result(kernel, 0, &port), ATTN_OK);
  EXPECT_STREQ(port.dtype, "bf16");
  attn_kernel_destroy(kernel);
}

TEST_F(JitCompiler, ChoosesTargetsOfGpus) {
  // The driver is one that only writes down calls; it has an sm_90 and an
  // sm_86.
  ::setenv("ATTN_CUDA_DRIVER", ATTN_FAKE_CUDA, 1);
  std::string text = getWindow(3);
  attn_compile_options options = makeOptions();
  for (auto [ordinal, target] :
       {std::pair(0, "cuda:sm_90"), {1, "cuda:sm_86"}}) {
    attn_kernel *kernel = nullptr;
    ASSERT_EQ(attn_jit_compile(jit, text.data(), text.size(),
                               {kDLCUDA, ordinal}, &options, &kernel),
              ATTN_OK)
        << attn_last_error();
    EXPECT_STREQ(attn_kernel_target(kernel), target);
    attn_kernel_destroy(kernel);
  }
  EXPECT_EQ(getError(text, options, {kDLCUDA, 9}).find("ATTN_NOT_FOUND: "), 0u);
  ::unsetenv("ATTN_CUDA_DRIVER");
}

TEST_F(JitCompiler, ReportsMistakesInSpecs) {
  attn_compile_options options = makeOptions();
  EXPECT_EQ(
      getError("func.func @f(\n", options),
      "ATTN_INVALID_SPEC: <spec>:1:14: error: expected non-function type");
  options.name = "window.mlir";
  std::string text = getWindow(3);
  text.replace(text.find("slt"), 3, "few");
  std::string error = getError(text, options);
  EXPECT_EQ(error.find("ATTN_INVALID_SPEC: window.mlir:6:"), 0u) << error;
  EXPECT_EQ(getError("", options), "ATTN_INVALID_SPEC: window.mlir: expected a "
                                   "function, got none");
  options.function = "f";
  EXPECT_EQ(getError(getWindow(3), options),
            "ATTN_INVALID_SPEC: window.mlir: expected one of the functions "
            "'window', got 'f'");
  options.function = nullptr;
  options.schedule = "block_q=0";
  error = getError(getWindow(3), options);
  EXPECT_EQ(error.find("ATTN_INVALID_SPEC: window.mlir:3:"), 0u) << error;
  EXPECT_NE(error.find("block_q"), std::string::npos) << error;
  EXPECT_EQ(getCounters().compilations, 0u);
  EXPECT_TRUE(folder.list().empty());
}

TEST_F(JitCompiler, ReportsMistakesInOptions) {
  std::string text = getWindow(3);
  attn_compile_options options = makeOptions();
  options.target = "gpu";
  EXPECT_EQ(
      getError(text, options)
          .find("ATTN_INVALID_ARGUMENT: unknown target 'gpu': expected cpu, "),
      0u);
  options.target = "reference";
  EXPECT_EQ(
      getError(text, options),
      "ATTN_INVALID_ARGUMENT: target 'reference' has no package: expected "
      "a cpu or cuda target");
  options.target = "cuda:sm_80";
  EXPECT_EQ(getError(text, options),
            "ATTN_INVALID_ARGUMENT: target 'cuda:sm_80' is not for cpu; "
            "expected a cpu target");
  options.target = "cpu:avx2";
  EXPECT_EQ(getError(text, options, {kDLCUDA, 0}),
            "ATTN_INVALID_ARGUMENT: target 'cpu:avx2' is not for cuda:0; "
            "expected a cuda target");
  options.target = nullptr;
  EXPECT_EQ(
      getError(text, options, {kDLVulkan, 0}),
      "ATTN_INVALID_ARGUMENT: device must be cpu or cuda, got DLPack device "
      "{type 7, id 0}");
  options.dtype = "f8";
  EXPECT_EQ(getError(text, options),
            "ATTN_INVALID_ARGUMENT: dtype must be f64, f32, f16 or bf16, got "
            "'f8'");
  options.dtype = nullptr;
  options.struct_size = 8;
  EXPECT_EQ(getError(text, options),
            "ATTN_INVALID_ARGUMENT: struct_size must be " +
                std::to_string(sizeof(options)) + ", got 8");
}

TEST_F(JitCompiler, RefusesNullPointers) {
  attn_kernel *kernel = nullptr;
  auto expect = [](attn_status status, const char *message) {
    EXPECT_EQ(status, ATTN_INVALID_ARGUMENT);
    EXPECT_STREQ(attn_last_error(), message);
  };
  expect(attn_jit_create(nullptr, nullptr), "jit must not be null");
  expect(attn_jit_compile(nullptr, "", 0, kCpu, nullptr, &kernel),
         "jit must not be null");
  expect(attn_jit_compile(jit, nullptr, 0, kCpu, nullptr, &kernel),
         "text must not be null");
  expect(attn_jit_compile(jit, "", 0, kCpu, nullptr, nullptr),
         "kernel must not be null");
  attn_jit_counters counters = {};
  expect(attn_jit_get_counters(jit, nullptr), "counters must not be null");
  expect(attn_jit_get_counters(nullptr, &counters), "jit must not be null");
  expect(attn_jit_get_counters(jit, &counters),
         "struct_size must be 56, got 0");
  attn_jit_options options = {};
  expect(attn_jit_create(&options, &jit), "struct_size must be 32, got 0");
  attn_jit_destroy(nullptr);
  EXPECT_EQ(attn_jit_config(nullptr), nullptr);
}

TEST_F(JitCompiler, TellsWhatItResolved) {
  std::string config = attn_jit_config(jit);
  EXPECT_NE(config.find("\"cache_dir\": {\"value\": \"" + folder.path +
                        "\", \"from\": \"option cache_dir\"}"),
            std::string::npos);
  EXPECT_NE(config.find("\"cache\": {\"value\": true, "), std::string::npos)
      << config;
  EXPECT_NE(config.find("\"cpu\": \"cpu:"), std::string::npos) << config;
}

TEST_F(JitCompiler, LeavesSignalsToTheProgram) {
  // Which signals have handlers: the linker in this process must take none.
  auto getCaught = [] {
    std::string status = attn::unittest::readFile("/proc/self/status");
    size_t at = status.find("SigCgt:");
    return status.substr(at, status.find('\n', at) - at);
  };
  std::string before = getCaught();
  attn_kernel *kernel = compile(jit, getWindow(4));
  ASSERT_NE(kernel, nullptr) << attn_last_error();
  attn_kernel_destroy(kernel);
  EXPECT_EQ(getCaught(), before);
}
