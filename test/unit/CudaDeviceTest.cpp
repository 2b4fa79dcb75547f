//===- CudaDeviceTest.cpp - Kernels on GPUs, with a driver that is not one ===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaDevice.h"
#include "runtime/attn.h"
#include "test/unit/TestPackages.h"
#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using namespace attn::unittest;

static const char *const kTriple = "nvptx64-nvidia-cuda";

namespace {
/// Packages with code for GPUs, and the driver of loaded/fake_cuda.cpp.
class CudaDevice : public ::testing::Test {
protected:
  CudaDevice() : x({2, 300, 4}), y({4, 300}), out({2, 300, 4}) {
    y.tensor.dtype = {kDLInt, 32, 1};
    x.tensor.device = y.tensor.device = out.tensor.device = gpu;
  }

  void SetUp() override {
    useDriver(ATTN_FAKE_CUDA);
    library = dlopen(ATTN_FAKE_CUDA, RTLD_NOW);
    ASSERT_TRUE(library) << dlerror();
    takeLog();
  }
  void TearDown() override {
    attn_kernel_destroy(kernel);
    setQuiet(false);
    unsetenv("ATTN_CUDA_DRIVER");
    dlclose(library);
  }

  static void useDriver(const char *path) {
    setenv("ATTN_CUDA_DRIVER", path, 1);
  }

  std::string takeLog() { return call<const char *()>("fakeCudaTakeLog")(); }
  int getDepth() { return call<int()>("fakeCudaDepth")(); }
  void setQuiet(bool quiet) { call<void(bool)>("fakeCudaSetQuiet")(quiet); }
  void failNext(const char *function, int error) {
    call<void(const char *, int)>("fakeCudaFail")(function, error);
  }
  template <typename Function> Function *call(const char *name) {
    return reinterpret_cast<Function *>(dlsym(library, name));
  }

  attn_status load(const PackageFile &file, DLDevice device) {
    std::string bytes = mustWrite(file);
    attn_package *package = nullptr;
    EXPECT_EQ(attn_package_load_memory(bytes.data(), bytes.size(), &package),
              ATTN_OK)
        << attn_last_error();
    attn_kernel_destroy(kernel);
    kernel = nullptr;
    attn_status status = attn_kernel_load(package, nullptr, device, &kernel);
    attn_package_destroy(package);
    return status;
  }
  attn_status load(const std::string &code = "// ptx", DLDevice device = gpu) {
    return load(makePackage(makeGpuKernel(), {{"cuda:sm_80", kTriple,
                                               CodeFormat::Ptx, 64, code}}),
                device);
  }

  attn_status launch(size_t bytes = 768) {
    const DLTensor *arguments[] = {&x.tensor, &y.tensor};
    const DLTensor *results[] = {&out.tensor};
    return attn_kernel_launch(kernel, arguments, 2, results, 1, workspace,
                              bytes, reinterpret_cast<void *>(77), nullptr);
  }

  static constexpr DLDevice gpu = {kDLCUDA, 0};
  void *library = nullptr;
  attn_kernel *kernel = nullptr;
  FloatTensor x, y, out;
  alignas(ATTN_WORKSPACE_ALIGNMENT) char workspace[768];
};
} // namespace

TEST_F(CudaDevice, LaunchesWhatTheManifestSays) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  EXPECT_STREQ(attn_kernel_target(kernel), "cuda:sm_80");
  EXPECT_EQ(takeLog(), "retain 100\nload // ptx\n");
  x.strides[1] = 4;
  ASSERT_EQ(launch(), ATTN_OK) << attn_last_error();
  auto address = [](const void *pointer) {
    return std::to_string(reinterpret_cast<uintptr_t>(pointer));
  };
  EXPECT_EQ(takeLog(),
            "memset 8 stream 77\n"
            "launch count_blocks grid 5,1,1 block 128,1,1 shared 0 stream 77\n"
            // The first launch has left the number 2 (B) in the workspace.
            "synchronize 77\n"
            "map type 7 sizes 4 600 strides 16 box 4/1 64/1 modes 0320\n"
            "attribute attend 8 = 65536\n"
            "launch attend grid 1,2,1 block 256,1,1 shared 65536 stream 77\n"
            "parameter 0 = " +
                address(x.data.data()) +
                "\n"
                "parameter 1 = " +
                address(out.data.data()) +
                "\n"
                "parameter 2 = " +
                address(workspace + 256) +
                "\n"
                "parameter 3 = 4\n"
                "parameter 4 = 300\n"
                "parameter 5 = " +
                address(x.data.data()) + "\n");
  EXPECT_EQ(getDepth(), 0);
  attn_kernel_destroy(kernel);
  kernel = nullptr;
  EXPECT_EQ(takeLog(), "unload\nrelease 100\n");
}

TEST_F(CudaDevice, ChecksLikeOnTheCpu) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  x.tensor.device.device_id = 1;
  EXPECT_EQ(launch(), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "argument 'x': device must be cuda:0, got cuda:1");
  x.tensor.device = {kDLCPU, 0};
  EXPECT_EQ(launch(), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(),
               "argument 'x': device must be cuda:0, got cpu");
  x.tensor.device = gpu;
  EXPECT_EQ(launch(512), ATTN_INVALID_ARGUMENT);
  EXPECT_STREQ(attn_last_error(), "workspace must have 768 bytes, got 512");
  takeLog();
}

TEST_F(CudaDevice, LaunchesNothingOnEmptyGrids) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  x.shape[1] = y.shape[1] = out.shape[1] = 0;
  takeLog();
  ASSERT_EQ(launch(), ATTN_OK) << attn_last_error();
  // The count was zeroed and nobody has written it: no launch at all.
  EXPECT_EQ(takeLog(), "memset 8 stream 77\nsynchronize 77\n");
}

TEST_F(CudaDevice, MakesStridesOfSingleElements) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  x.shape[1] = y.shape[1] = out.shape[1] = 1;
  x.strides[1] = INT64_MIN;
  takeLog();
  ASSERT_EQ(launch(), ATTN_OK) << attn_last_error();
  std::string log = takeLog();
  EXPECT_NE(log.find("map type 7 sizes 4 2 strides 16 box"), std::string::npos)
      << log;
  EXPECT_NE(log.find("parameter 3 = 4\n"), std::string::npos) << log;
}

TEST_F(CudaDevice, ChoosesCode) {
  auto rate = [](const char *target, CodeFormat format, int capability) {
    return rateCudaTarget(target, format, capability).value_or(-1);
  };
  auto ptx = CodeFormat::Ptx, cubin = CodeFormat::Cubin;
  EXPECT_EQ(rate("cuda:sm_90a", ptx, 100), -1);
  EXPECT_EQ(rate("cuda:sm_90", ptx, 86), -1);
  EXPECT_EQ(rate("cuda:sm_80", cubin, 90), -1);
  EXPECT_EQ(rate("cuda:sm_90b", ptx, 90), -1);
  EXPECT_EQ(rate("cuda:sm_", ptx, 90), -1);
  EXPECT_EQ(rate("cpu:avx2", ptx, 90), -1);
  EXPECT_GT(rate("cuda:sm_80", ptx, 100), 0);
  EXPECT_GT(rate("cuda:sm_80", cubin, 86), rate("cuda:sm_80", ptx, 86));
  EXPECT_GT(rate("cuda:sm_90", ptx, 90), rate("cuda:sm_80", ptx, 90));
  EXPECT_GT(rate("cuda:sm_90a", ptx, 90), rate("cuda:sm_90", cubin, 90));

  PackageKernel kernel = makeGpuKernel();
  kernel.programs.push_back(kernel.programs[0]);
  kernel.programs[1].section = 1;
  PackageFile file = makePackage(
      kernel, {{"cuda:sm_80", kTriple, CodeFormat::Ptx, 64, "old"},
               {"cuda:sm_90a", kTriple, CodeFormat::Ptx, 64, "new"}});
  ASSERT_EQ(load(file, {kDLCUDA, 0}), ATTN_OK) << attn_last_error();
  EXPECT_EQ(takeLog(), "retain 100\nload new\n");
  ASSERT_EQ(load(file, {kDLCUDA, 1}), ATTN_OK) << attn_last_error();
  EXPECT_EQ(takeLog(), "unload\nrelease 100\nretain 101\nload old\n");
  file.sections[0].target = "cuda:sm_89";
  EXPECT_EQ(load(file, {kDLCUDA, 1}), ATTN_NO_CODE_FOR_DEVICE);
  EXPECT_STREQ(attn_last_error(),
               "kernel 'scale' has no code for cuda:1 (sm_86); the package has "
               "cuda:sm_89 (nvptx64-nvidia-cuda), cuda:sm_90a "
               "(nvptx64-nvidia-cuda)");
}

TEST_F(CudaDevice, ReportsMissingDriversAndDevices) {
  EXPECT_EQ(load("// ptx", {kDLCUDA, 2}), ATTN_NOT_FOUND);
  EXPECT_STREQ(attn_last_error(),
               "device cuda:2 does not exist; the driver has 2 devices");
  useDriver("/no/such/libcuda.so.1");
  EXPECT_EQ(load(), ATTN_NOT_FOUND);
  EXPECT_TRUE(std::string(attn_last_error())
                  .starts_with("no CUDA driver: /no/such/libcuda.so.1 not "
                               "found ("))
      << attn_last_error();
  // A library, but not that of a driver.
  useDriver(ATTN_FAKE_KERNEL);
  EXPECT_EQ(load(), ATTN_NOT_FOUND);
  EXPECT_STREQ(attn_last_error(), "the CUDA driver " ATTN_FAKE_KERNEL
                                  " is too old: it lacks cuInit");
  // Without code for GPUs nobody asks for a driver.
  EXPECT_EQ(load(makeScalePackage(), gpu), ATTN_NO_CODE_FOR_DEVICE);
  EXPECT_TRUE(std::string(attn_last_error())
                  .starts_with("kernel 'scale' has no code for cuda:0; the "
                               "package has cpu:baseline ("))
      << attn_last_error();
}

TEST_F(CudaDevice, ReportsWhatTheDriverReports) {
  EXPECT_EQ(load("bad code"), ATTN_DEVICE_ERROR);
  EXPECT_STREQ(attn_last_error(),
               "loading the code of a kernel failed: an error (error 218): "
               "ptxas: line 1: syntax error");
  EXPECT_EQ(takeLog(), "retain 100\nload bad code\nrelease 100\n");
  PackageKernel missing = makeGpuKernel();
  missing.programs[0].launches[1].symbol = "missing";
  EXPECT_EQ(load(makePackage(missing, {{"cuda:sm_80", kTriple, CodeFormat::Ptx,
                                        64, "// ptx"}}),
                 gpu),
            ATTN_INVALID_PACKAGE);
  EXPECT_STREQ(attn_last_error(),
               "the code of the package lacks the function 'missing'");
  ASSERT_EQ(load(), ATTN_OK);
  failNext("cuLaunchKernel", 701);
  EXPECT_EQ(launch(), ATTN_DEVICE_ERROR);
  EXPECT_STREQ(attn_last_error(),
               "launch of 'count_blocks': cuLaunchKernel failed: too many "
               "resources requested for launch (error 701)");
  EXPECT_EQ(getDepth(), 0);
}

TEST_F(CudaDevice, ReportsEachFailedCallOfLoading) {
  for (const char *function :
       {"cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetAttribute",
        "cuDevicePrimaryCtxRetain", "cuCtxPushCurrent",
        "cuModuleGetFunction"}) {
    failNext(function, 999);
    EXPECT_EQ(load(), ATTN_DEVICE_ERROR) << function;
    EXPECT_EQ(attn_last_error(),
              std::string(function) + " failed: an error (error 999)");
    EXPECT_EQ(getDepth(), 0) << function;
    // What was made is undone.
    std::string log = takeLog();
    EXPECT_EQ(log.find("retain") == std::string::npos,
              log.find("release") == std::string::npos)
        << function << ": " << log;
    EXPECT_EQ(log.find("load // ptx") == std::string::npos,
              log.find("unload") == std::string::npos)
        << function << ": " << log;
  }
  failNext("cuModuleLoadDataEx", 999);
  EXPECT_EQ(load(), ATTN_DEVICE_ERROR);
  EXPECT_STREQ(attn_last_error(),
               "loading the code of a kernel failed: an error (error 999)");
  // Nothing of this lasts.
  EXPECT_EQ(load(), ATTN_OK) << attn_last_error();
}

TEST_F(CudaDevice, ReportsEachFailedCallOfALaunch) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  const std::pair<const char *, std::string> cases[] = {
      {"cuCtxPushCurrent", "cuCtxPushCurrent"},
      {"cuMemsetD8Async", "cuMemsetD8Async"},
      {"cuLaunchKernel", "launch of 'count_blocks': cuLaunchKernel"},
      {"cuMemcpyDtoHAsync", "launch of 'attend': cuMemcpyDtoHAsync"},
      {"cuStreamSynchronize", "launch of 'attend': cuStreamSynchronize"},
      {"cuTensorMapEncodeTiled", "launch of 'attend': encoding a tensor map"},
      {"cuFuncSetAttribute", "launch of 'attend': cuFuncSetAttribute"}};
  for (const auto &[function, message] : cases) {
    failNext(function, 2);
    EXPECT_EQ(launch(), ATTN_DEVICE_ERROR) << function;
    EXPECT_EQ(attn_last_error(), message + " failed: out of memory (error 2)");
    EXPECT_EQ(getDepth(), 0) << function;
  }
  EXPECT_EQ(launch(), ATTN_OK) << attn_last_error();
}

TEST_F(CudaDevice, AsksForSharedMemoryOnce) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  ASSERT_EQ(launch(), ATTN_OK) << attn_last_error();
  EXPECT_NE(takeLog().find("attribute attend 8 = 65536\n"), std::string::npos);
  ASSERT_EQ(launch(), ATTN_OK) << attn_last_error();
  EXPECT_EQ(takeLog().find("attribute"), std::string::npos);
}

TEST_F(CudaDevice, RunsInSeveralThreads) {
  ASSERT_EQ(load(), ATTN_OK) << attn_last_error();
  // Without its log the driver has no lock that would order the threads.
  setQuiet(true);
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      alignas(ATTN_WORKSPACE_ALIGNMENT) char own[768];
      const DLTensor *arguments[] = {&x.tensor, &y.tensor};
      const DLTensor *results[] = {&out.tensor};
      for (int n = 0; n < 50; ++n)
        if (attn_kernel_launch(kernel, arguments, 2, results, 1, own, 768,
                               nullptr, nullptr))
          ++failed;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(CudaDevice, RefusesImpossibleLaunches) {
  auto getLaunchError = [&](const std::string &from, const std::string &to) {
    PackageFile file =
        makePackage(makeGpuKernel(),
                    {{"cuda:sm_80", kTriple, CodeFormat::Ptx, 64, "// ptx"}});
    file.manifest = replaceOnce(file.manifest, from, to);
    EXPECT_EQ(load(file, gpu), ATTN_OK) << attn_last_error();
    EXPECT_NE(launch(), ATTN_OK);
    EXPECT_EQ(getDepth(), 0);
    return std::string(attn_last_error());
  };
  EXPECT_EQ(getLaunchError("\"threads\":[128", "\"threads\":[1025"),
            "launch of 'count_blocks': block size must be between 1 and 1024, "
            "got 1025");
  EXPECT_EQ(
      getLaunchError("\"threads\":[128", "\"threads\":[[\"sub\",\"B\",2]"),
      "launch of 'count_blocks': block size must be between 1 and 1024, "
      "got 0");
  EXPECT_EQ(
      getLaunchError("[\"ceildiv\",\"N\",64],1,1", "1,[\"mul\",\"N\",300],1"),
      "launch of 'count_blocks': grid size must be between 0 and 65535, "
      "got 90000");
  EXPECT_EQ(getLaunchError("\"shared_bytes\":65536", "\"shared_bytes\":-1"),
            "launch of 'attend': shared memory must be between 0 and "
            "232448, got -1");
  EXPECT_EQ(getLaunchError("\"shared_bytes\":65536", "\"shared_bytes\":232449"),
            "launch of 'attend': shared memory must be between 0 and "
            "232448, got 232449");
  EXPECT_EQ(getLaunchError("[\"stride\",0,1]", "2147483648"),
            "launch of 'attend': a scalar must be between -2147483648 and "
            "2147483647, got 2147483648");
  EXPECT_EQ(getLaunchError("\"box\":[4,64]", "\"box\":[4,257]"),
            "launch of 'attend': box of a tensor map must be between 1 and "
            "256, got 257");
  EXPECT_EQ(getLaunchError("\"strides\":[[\"stride\",0,1]]",
                           "\"strides\":[274877906945]"),
            "launch of 'attend': stride of a tensor map must be between 0 and "
            "274877906944, got 274877906945");
  EXPECT_EQ(getLaunchError("\"offset\":0", "\"offset\":5"),
            "launch of 'attend': offset of a count must be between 0 and 4, "
            "got 5");
  EXPECT_EQ(getLaunchError("\"most\":\"B\"", "\"most\":1"),
            "launch of 'attend': a count on the device must be at most 1, got "
            "2");
  EXPECT_EQ(getLaunchError("\"i64\":\"B\"", "\"i64\":[\"floordiv\",1,0]"),
            "launch of 'count_blocks': floordiv(1, 0) divides by zero");
}
