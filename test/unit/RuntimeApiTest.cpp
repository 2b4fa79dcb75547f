//===- RuntimeApiTest.cpp - The C interface of the runtime ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/attn.h"
#include "test/unit/TestPackages.h"
#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using namespace attn::unittest;

namespace {
/// The kernel 'scale' on the CPU, with tensors for a call.
class RuntimeApi : public ::testing::Test {
protected:
  RuntimeApi() : x({2, 3, 4}, 1), y({4, 3}), out({2, 3, 4}, -1000) {
    y.tensor.dtype = {kDLInt, 32, 1};
  }

  void SetUp() override {
    std::string bytes = mustWrite(makeScalePackage());
    ASSERT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &package),
              ATTN_OK)
        << attn_last_error();
    ASSERT_EQ(attn_kernel_load(package, "scale", cpu, &kernel), ATTN_OK)
        << attn_last_error();
  }

  void TearDown() override {
    attn_kernel_destroy(kernel);
    attn_package_destroy(package);
  }

  attn_status launch(void *memory, size_t bytes, void *stream = nullptr,
                     const attn_launch_options *options = nullptr) {
    const DLTensor *arguments[] = {&x.tensor, &y.tensor};
    const DLTensor *results[] = {&out.tensor};
    return attn_kernel_launch(kernel, arguments, 2, results, 1, memory, bytes,
                              stream, options);
  }

  /// The message of a launch that must fail.
  std::string getError() {
    EXPECT_EQ(launch(workspace, sizeof(workspace)), ATTN_INVALID_ARGUMENT);
    return attn_last_error();
  }

  static constexpr DLDevice cpu = {kDLCPU, 0};
  attn_package *package = nullptr;
  attn_kernel *kernel = nullptr;
  FloatTensor x, y, out;
  alignas(ATTN_WORKSPACE_ALIGNMENT) char workspace[256];
};
} // namespace

TEST_F(RuntimeApi, DescribesKernels) {
  EXPECT_EQ(attn_version(), 0x10003u);
  EXPECT_EQ(attn_package_kernel_count(package), 1u);
  EXPECT_STREQ(attn_package_kernel_name(package, 0), "scale");
  EXPECT_EQ(attn_package_kernel_name(package, 1), nullptr);
  size_t size;
  std::string manifest = attn_package_manifest(package, &size);
  EXPECT_EQ(manifest.size(), size);
  EXPECT_EQ(manifest.substr(0, 12), "{\"producer\":");
  EXPECT_STREQ(attn_kernel_target(kernel), "cpu:baseline");
  EXPECT_STREQ(attn_kernel_schedule(kernel), "some blocks");
  EXPECT_EQ(attn_kernel_argument_count(kernel), 2u);
  EXPECT_EQ(attn_kernel_result_count(kernel), 1u);
  attn_port port;
  ASSERT_EQ(attn_kernel_argument(kernel, 0, &port), ATTN_OK);
  EXPECT_STREQ(port.name, "x");
  EXPECT_STREQ(port.dtype, "f32");
  EXPECT_EQ(port.dlpack_dtype.code, kDLFloat);
  EXPECT_EQ(port.dlpack_dtype.bits, 32);
  ASSERT_EQ(port.ndim, 3);
  EXPECT_EQ(port.shape[1], -1);
  EXPECT_EQ(port.shape[2], 4);
  EXPECT_STREQ(port.dims[2], "D");
  ASSERT_EQ(attn_kernel_result(kernel, 0, &port), ATTN_OK);
  EXPECT_STREQ(port.name, "out");
  EXPECT_STREQ(port.dims[0], "B");
  size_t index;
  ASSERT_EQ(attn_kernel_find_argument(kernel, "y", &index), ATTN_OK);
  EXPECT_EQ(index, 1u);
  ASSERT_EQ(attn_kernel_find_result(kernel, "out", &index), ATTN_OK);
  EXPECT_EQ(index, 0u);
}

TEST_F(RuntimeApi, RunsLaunchesInOrder) {
  const DLTensor *arguments[] = {&x.tensor, &y.tensor};
  int64_t shape[3];
  ASSERT_EQ(attn_kernel_result_shape(kernel, arguments, 2, 0, 3, shape),
            ATTN_OK);
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(shape[1], 3);
  EXPECT_EQ(shape[2], 4);
  size_t bytes;
  ASSERT_EQ(attn_kernel_workspace_size(kernel, arguments, 2, &bytes), ATTN_OK);
  EXPECT_EQ(bytes, 256u); // 12, rounded up to the alignment.
  std::memset(workspace, 0x55, sizeof(workspace));
  attn_launch_options options = {sizeof(options), 2};
  ASSERT_EQ(launch(workspace, bytes, nullptr, &options), ATTN_OK)
      << attn_last_error();
  for (size_t i = 0; i < out.data.size(); ++i)
    EXPECT_EQ(out.data[i], 2 * x.data[i] + 5);
}

TEST_F(RuntimeApi, TakesStridesAndOffsets) {
  // Every other batch of a larger array, from its second on.
  FloatTensor large({4, 3, 4}, 1);
  x.strides[0] = 24;
  x.tensor.data = large.data.data();
  x.tensor.byte_offset = 12 * sizeof(float);
  out.tensor.strides = nullptr;
  ASSERT_EQ(launch(workspace, 256), ATTN_OK) << attn_last_error();
  for (size_t i = 0; i < 24; ++i)
    EXPECT_EQ(out.data[i], 2 * large.data[i + (i < 12 ? 12 : 24)] + 5);
}

TEST_F(RuntimeApi, IgnoresStridesOfSingleElements) {
  x.shape[0] = out.shape[0] = y.shape[0] = 1;
  x.strides[0] = INT64_MIN;
  out.strides[0] = 0;
  EXPECT_EQ(launch(workspace, 256), ATTN_OK) << attn_last_error();
  EXPECT_EQ(out.data[11], 2 * x.data[11] + 5);
}

TEST_F(RuntimeApi, KeepsKernelsWithoutTheirPackage) {
  attn_package_destroy(package);
  package = nullptr;
  EXPECT_EQ(launch(workspace, 256), ATTN_OK);
  attn_port port;
  ASSERT_EQ(attn_kernel_argument(kernel, 1, &port), ATTN_OK);
  EXPECT_STREQ(port.name, "y");
}

TEST_F(RuntimeApi, LoadsManyKernelsAtATime) {
  // The dynamic linker must not take one for another: every other one is a
  // kernel that adds 6.
  std::string bytes = mustWrite(makeScalePackage(ATTN_FAKE_KERNEL_6));
  attn_package *other;
  ASSERT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &other),
            ATTN_OK);
  std::vector<attn_kernel *> kernels(20);
  auto load = [&](size_t i) {
    ASSERT_EQ(
        attn_kernel_load(i % 2 ? other : package, nullptr, cpu, &kernels[i]),
        ATTN_OK);
  };
  for (size_t i = 0; i < kernels.size(); ++i)
    load(i);
  for (size_t i = 0; i < kernels.size(); i += 3) {
    attn_kernel_destroy(kernels[i]);
    load(i);
  }
  for (size_t i = 0; i < kernels.size(); ++i) {
    std::swap(kernel, kernels[i]);
    EXPECT_EQ(launch(workspace, 256), ATTN_OK);
    EXPECT_EQ(out.data[1], 2 * x.data[1] + (i % 2 ? 6 : 5));
    std::swap(kernel, kernels[i]);
    attn_kernel_destroy(kernels[i]);
  }
  attn_package_destroy(other);
}

TEST_F(RuntimeApi, KeepsCodeApartThatStaysLoaded) {
  // Code may forbid to be unloaded. What is loaded next is not taken for it.
  std::string bytes = mustWrite(makeScalePackage(ATTN_FAKE_KERNEL_STAYS));
  attn_package *other;
  ASSERT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &other),
            ATTN_OK);
  for (auto [from, number] : {std::pair(other, 6), std::pair(package, 5)}) {
    attn_kernel_destroy(kernel);
    kernel = nullptr;
    ASSERT_EQ(attn_kernel_load(from, nullptr, cpu, &kernel), ATTN_OK);
    EXPECT_EQ(launch(workspace, 256), ATTN_OK);
    EXPECT_EQ(out.data[1], 2 * x.data[1] + float(number));
  }
  attn_package_destroy(other);
}

TEST_F(RuntimeApi, KeepsErrorsApart) {
  attn_package *other;
  attn_package_load_memory("x", 1, &other);
  std::string expected = "a package must have at least 64 bytes, got 1";
  EXPECT_EQ(attn_last_error(), expected);
  std::thread([&] {
    EXPECT_STREQ(attn_last_error(), "");
    attn_package_load_memory("xy", 2, &other);
    EXPECT_STREQ(attn_last_error(),
                 "a package must have at least 64 bytes, got 2");
  }).join();
  EXPECT_EQ(attn_last_error(), expected);
}

TEST_F(RuntimeApi, RunsInSeveralThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      FloatTensor input({2, 3, 4}, float(t)), output({2, 3, 4});
      alignas(ATTN_WORKSPACE_ALIGNMENT) char memory[256];
      const DLTensor *arguments[] = {&input.tensor, &y.tensor};
      const DLTensor *results[] = {&output.tensor};
      for (int i = 0; i < 50; ++i) {
        attn_status status = attn_kernel_launch(
            kernel, arguments, 2, results, 1, memory, 256, nullptr, nullptr);
        // Errors belong to the thread that makes them.
        attn_status failed =
            attn_kernel_launch(kernel, arguments, size_t(t), results, 1, memory,
                               256, nullptr, nullptr);
        std::string expected = "expected 2 arguments, got " + std::to_string(t);
        right +=
            status == ATTN_OK && output.data[5] == 2 * (5.f + t) + 5 &&
            (t == 2 || (failed != ATTN_OK && attn_last_error() == expected));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(right, 200);
}

TEST_F(RuntimeApi, LoadsInSeveralThreads) {
  std::string bytes = mustWrite(makeScalePackage());
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      FloatTensor output({2, 3, 4});
      alignas(ATTN_WORKSPACE_ALIGNMENT) char memory[256];
      const DLTensor *arguments[] = {&x.tensor, &y.tensor};
      const DLTensor *results[] = {&output.tensor};
      attn_launch_options options = {sizeof(options), 2};
      for (int i = 0; i < 20; ++i) {
        attn_package *own = nullptr;
        attn_kernel *loaded = nullptr, *shared = nullptr;
        attn_package_load_memory(bytes.data(), bytes.size(), &own);
        attn_kernel_load(own, nullptr, cpu, &loaded);
        attn_kernel_load(package, nullptr, cpu, &shared);
        attn_package_destroy(own);
        for (attn_kernel *each : {loaded, shared}) {
          output.data[5] = 0;
          attn_status status = attn_kernel_launch(
              each, arguments, 2, results, 1, memory, 256, nullptr, &options);
          EXPECT_EQ(status, ATTN_OK) << attn_last_error();
          right += output.data[5] == 2 * x.data[5] + 5;
          attn_kernel_destroy(each);
        }
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(right, 160);
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(RuntimeApi, RefusesWrongTensors) {
  x.tensor.device = {kDLCUDA, 1};
  EXPECT_EQ(getError(), "argument 'x': device must be cpu, got cuda:1");
  x.tensor.device = {DLDeviceType(10), 0};
  EXPECT_EQ(getError(),
            "argument 'x': device must be cpu, got DLPack device {type 10, id "
            "0}");
  x.tensor.device = cpu;
  x.tensor.dtype.bits = 64;
  EXPECT_EQ(getError(), "argument 'x': element type must be f32, got f64");
  x.tensor.dtype = {kDLFloat, 32, 4};
  EXPECT_EQ(getError(), "argument 'x': element type must be f32, got DLPack "
                        "type {code 2, bits 32, lanes 4}");
  x.tensor.dtype = {kDLFloat, 32, 1};
  x.tensor.ndim = 2;
  EXPECT_EQ(getError(), "argument 'x': expected 3 dimensions, got 2");
  x.tensor.ndim = -1;
  EXPECT_EQ(getError(), "argument 'x': expected 3 dimensions, got -1");
  x.tensor.ndim = 3;
  x.tensor.shape = nullptr;
  EXPECT_EQ(getError(), "argument 'x': shape must not be null");
  x.tensor.shape = x.shape.data();
  x.tensor.data = nullptr;
  EXPECT_EQ(getError(), "argument 'x': data must not be null");
  x.tensor.data = x.data.data();
  x.tensor.byte_offset = 2;
  EXPECT_EQ(getError(), "argument 'x': data must be aligned to 4 bytes");
  x.tensor.byte_offset = UINT64_MAX;
  EXPECT_EQ(getError(), "argument 'x': byte_offset exceeds the address space, "
                        "got 18446744073709551615");
}

TEST_F(RuntimeApi, RefusesWrongSizesAndStrides) {
  x.shape[2] = 5;
  EXPECT_EQ(getError(), "argument 'x': dimension 2 (D) must be 4, got 5");
  x.shape[2] = 4;
  y.shape[1] = 2;
  EXPECT_EQ(
      getError(),
      "argument 'y': dimension 1 (N) must be 3 as in argument 'x', got 2");
  y.shape = {3, 3};
  EXPECT_EQ(getError(), "argument 'y': dimension 0 (M) must be a multiple of "
                        "2, dimension 0 (B) of argument 'x', got 3");
  y.shape = {4, 3};
  x.strides[2] = 2;
  EXPECT_EQ(getError(), "argument 'x': dimension 2 (D) must have stride 1, got "
                        "2");
  x.strides = {12, -4, 1};
  EXPECT_EQ(getError(), "argument 'x': dimension 1 (N) must not have a "
                        "negative stride, got -4");
  x.strides = {INT64_MAX, 4, 1};
  EXPECT_EQ(getError(),
            "argument 'x': sizes and strides exceed 64-bit offsets");
  x.strides = {12, 4, 1};
  out.shape[1] = 2;
  EXPECT_EQ(getError(), "result 'out': dimension 1 (N) must be 3, got 2");
  out.shape[1] = 3;
  out.strides[0] = 0;
  EXPECT_EQ(getError(), "result 'out': dimension 0 (B) must not have stride 0: "
                        "its elements would overlap");
}

TEST_F(RuntimeApi, RefusesSharedMemory) {
  out.tensor.data = x.data.data();
  EXPECT_EQ(getError(),
            "result 'out': must not share memory with argument 'x'");
  // The last element of x is the first of out.
  FloatTensor both({4, 3, 4});
  x.tensor.data = both.data.data();
  out.tensor.data = both.data.data() + 23;
  EXPECT_EQ(getError(),
            "result 'out': must not share memory with argument 'x'");
  out.tensor.data = both.data.data() + 24;
  EXPECT_EQ(launch(workspace, 256), ATTN_OK) << attn_last_error();
  // Views that interleave: rows of 4 in rows of 8.
  x.strides = out.strides = {24, 8, 1};
  out.tensor.data = both.data.data() + 4;
  EXPECT_EQ(launch(workspace, 256), ATTN_OK) << attn_last_error();
  EXPECT_EQ(both.data[4], 2 * both.data[0] + 5);
}

TEST_F(RuntimeApi, RefusesWrongResources) {
  EXPECT_EQ(launch(workspace, 255), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "workspace must have 256 bytes, got 255");
  EXPECT_EQ(launch(nullptr, 256), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "workspace must not be null, as 256 bytes are needed");
  EXPECT_EQ(launch(workspace + 8, 256), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "workspace must be aligned to 256 bytes");
  EXPECT_EQ(launch(workspace, 256, workspace), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "stream must be null on the CPU");
  attn_launch_options options = {sizeof(options), -1};
  EXPECT_EQ(launch(workspace, 256, nullptr, &options), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "threads must be between 0 and 4096, got -1");
  options.struct_size = 0;
  EXPECT_EQ(launch(workspace, 256, nullptr, &options), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "struct_size must be 16, got 0");
}

TEST_F(RuntimeApi, RefusesNullAndUnknownThings) {
  auto expect = [](attn_status status, attn_status code, const char *message) {
    EXPECT_EQ(status, code);
    EXPECT_STREQ(attn_last_error(), message);
  };
  attn_package *other = nullptr;
  expect(attn_package_load_file(nullptr, &other), ATTN_INVALID_ARGUMENT,
         "path must not be null");
  expect(attn_package_load_memory("x", 1, nullptr), ATTN_INVALID_ARGUMENT,
         "package must not be null");
  expect(attn_package_load_file("/no/such/file", &other), ATTN_NOT_FOUND,
         "/no/such/file: cannot read: No such file or directory");
  expect(attn_package_load_file("/", &other), ATTN_IO_ERROR,
         "/: cannot read: expected a regular file");
  expect(attn_package_load_file("/dev/zero", &other), ATTN_IO_ERROR,
         "/dev/zero: cannot read: expected a regular file");
  expect(attn_package_load_file(ATTN_FAKE_KERNEL, &other), ATTN_INVALID_PACKAGE,
         ATTN_FAKE_KERNEL ": not a package: it does not start with the bytes "
                          "\\x89ATTN\\r\\n\\x1a");
  EXPECT_EQ(other, nullptr);
  attn_kernel *found = nullptr;
  expect(attn_kernel_load(package, "skale", cpu, &found), ATTN_NOT_FOUND,
         "expected one of the kernels 'scale', got 'skale'");
  expect(attn_kernel_load(package, nullptr, {DLDeviceType(7), 3}, &found),
         ATTN_INVALID_ARGUMENT,
         "device must be cpu or cuda, got DLPack device {type 7, id 3}");
  EXPECT_EQ(found, nullptr);
  size_t index;
  expect(attn_kernel_find_argument(kernel, "z", &index), ATTN_NOT_FOUND,
         "expected one of the arguments 'x', 'y', got 'z'");
  attn_port port;
  expect(attn_kernel_result(kernel, 1, &port), ATTN_INVALID_ARGUMENT,
         "index must be less than 1, got 1");
  expect(attn_kernel_launch(kernel, nullptr, 2, nullptr, 0, nullptr, 0, nullptr,
                            nullptr),
         ATTN_INVALID_ARGUMENT, "arguments must not be null");
  const DLTensor *nothing[] = {&x.tensor, nullptr};
  int64_t shape[3];
  expect(attn_kernel_result_shape(kernel, nothing, 2, 0, 3, shape),
         ATTN_INVALID_ARGUMENT, "argument 'y': tensor must not be null");
  nothing[1] = &y.tensor;
  expect(attn_kernel_result_shape(kernel, nothing, 2, 1, 3, shape),
         ATTN_INVALID_ARGUMENT, "result must be less than 1, got 1");
  expect(attn_kernel_result_shape(kernel, nothing, 2, 0, 4, shape),
         ATTN_INVALID_ARGUMENT, "ndim must be 3, got 4");
}

TEST_F(RuntimeApi, RefusesImpossibleShapes) {
  auto getShapeError = [&](const std::string &expr) {
    PackageFile file = makeScalePackage();
    file.manifest =
        replaceOnce(file.manifest, "\"shape\":[\"B\"", "\"shape\":[" + expr);
    std::string bytes = mustWrite(file);
    attn_package *other = nullptr;
    EXPECT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &other),
              ATTN_OK);
    attn_kernel_destroy(kernel);
    EXPECT_EQ(attn_kernel_load(other, nullptr, cpu, &kernel), ATTN_OK);
    attn_package_destroy(other);
    const DLTensor *arguments[] = {&x.tensor, &y.tensor};
    int64_t shape[3];
    EXPECT_EQ(attn_kernel_result_shape(kernel, arguments, 2, 0, 3, shape),
              ATTN_INVALID_ARGUMENT);
    return std::string(attn_last_error());
  };
  EXPECT_EQ(getShapeError("[\"sub\",\"B\",3]"),
            "result 'out': dimension 0 (B) must not be negative, got -1");
  EXPECT_EQ(getShapeError("[\"floordiv\",\"B\",0]"),
            "result 'out': floordiv(2, 0) divides by zero");
  EXPECT_EQ(getShapeError("null"),
            "result 'out': nothing tells the size of dimension 0 (B); expected "
            "attn.dims to name a dimension of an argument");
}

TEST_F(RuntimeApi, RefusesCodeForOtherMachines) {
  auto getLoadError = [](auto change, attn_status code) {
    PackageFile file = makeScalePackage();
    change(file);
    std::string bytes = mustWrite(file);
    attn_package *package = nullptr;
    attn_kernel *kernel = nullptr;
    EXPECT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &package),
              ATTN_OK)
        << attn_last_error();
    EXPECT_EQ(attn_kernel_load(package, nullptr, cpu, &kernel), code);
    attn_package_destroy(package);
    return std::string(attn_last_error());
  };
  std::string message = getLoadError(
      [](PackageFile &file) { file.sections[0].target = "cpu:future"; },
      ATTN_NO_CODE_FOR_DEVICE);
  EXPECT_EQ(message.substr(0, 53),
            "kernel 'scale' has no code for this CPU, whose widest");
  EXPECT_NE(message.find("; the package has cpu:future ("), std::string::npos);
  getLoadError(
      [](PackageFile &file) { file.sections[0].triple = "riscv64-linux-gnu"; },
      ATTN_NO_CODE_FOR_DEVICE);
  message = getLoadError(
      [](PackageFile &file) { file.sections[0].bytes[18] = 3; }, // e_machine
      ATTN_NO_CODE_FOR_DEVICE);
  EXPECT_TRUE(message.ends_with(", got 3")) << message;
  EXPECT_EQ(
      getLoadError([](PackageFile &file) { file.sections[0].bytes.resize(10); },
                   ATTN_INVALID_PACKAGE),
      "the code must be an ELF file, got 10 bytes");
  EXPECT_EQ(
      getLoadError([](PackageFile &file) { file.sections[0].bytes[0] = 0; },
                   ATTN_INVALID_PACKAGE),
      "the code must be a 64-bit ELF shared object");
  EXPECT_EQ(getLoadError(
                [](PackageFile &file) {
                  file.manifest = replaceOnce(file.manifest, "attn_entry_add",
                                              "attn_entry_sub");
                },
                ATTN_INVALID_PACKAGE),
            "the code of the package lacks the function 'attn_entry_sub'");
}

TEST_F(RuntimeApi, ReportsTheStatusOfCode) {
  PackageFile file = makeScalePackage();
  file.manifest =
      replaceOnce(file.manifest, "\"zeroed\":true", "\"zeroed\":false");
  std::string bytes = mustWrite(file);
  attn_package *other;
  ASSERT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &other),
            ATTN_OK);
  attn_kernel_destroy(kernel);
  ASSERT_EQ(attn_kernel_load(other, nullptr, cpu, &kernel), ATTN_OK);
  attn_package_destroy(other);
  std::memset(workspace, 1, sizeof(workspace));
  EXPECT_EQ(launch(workspace, 256), ATTN_DEVICE_ERROR);
  EXPECT_STREQ(attn_last_error(), "the compiled code returned status 7");
}
