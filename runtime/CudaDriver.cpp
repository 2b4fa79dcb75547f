//===- CudaDriver.cpp - The driver of NVIDIA GPUs -------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaDriver.h"
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <mutex>

using namespace attn;

Status CudaDriver::check(Error error, const char *what) const {
  if (error == 0)
    return {};
  const char *text = nullptr;
  cuGetErrorString(error, &text);
  return {ATTN_DEVICE_ERROR, std::string(what) +
                                 " failed: " + (text ? text : "unknown") +
                                 " (error " + std::to_string(error) + ")"};
}

namespace {
/// Looks functions up until one is missing.
class SymbolLoader {
public:
  explicit SymbolLoader(void *library) : library(library) {}

  template <typename Function>
  SymbolLoader &load(Function &function, const char *name) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function && missing.empty())
      missing = name;
    return *this;
  }

  const std::string &getMissing() const { return missing; }

private:
  void *library;
  std::string missing;
};
} // namespace

/// Looks all functions up; returns the name of one that is missing, or "".
static std::string loadSymbols(void *library, CudaDriver &driver) {
  SymbolLoader(library).load(driver.cuTensorMapEncodeTiled,
                             "cuTensorMapEncodeTiled");
  return SymbolLoader(library)
      .load(driver.cuInit, "cuInit")
      .load(driver.cuGetErrorString, "cuGetErrorString")
      .load(driver.cuDeviceGetCount, "cuDeviceGetCount")
      .load(driver.cuDeviceGet, "cuDeviceGet")
      .load(driver.cuDeviceGetAttribute, "cuDeviceGetAttribute")
      .load(driver.cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain")
      .load(driver.cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2")
      .load(driver.cuCtxPushCurrent, "cuCtxPushCurrent_v2")
      .load(driver.cuCtxPopCurrent, "cuCtxPopCurrent_v2")
      .load(driver.cuModuleLoadDataEx, "cuModuleLoadDataEx")
      .load(driver.cuModuleUnload, "cuModuleUnload")
      .load(driver.cuModuleGetFunction, "cuModuleGetFunction")
      .load(driver.cuFuncSetAttribute, "cuFuncSetAttribute")
      .load(driver.cuLaunchKernel, "cuLaunchKernel")
      .load(driver.cuMemsetD8Async, "cuMemsetD8Async")
      .load(driver.cuMemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2")
      .load(driver.cuStreamSynchronize, "cuStreamSynchronize")
      .getMissing();
}

static Result<std::unique_ptr<CudaDriver>> open(const std::string &path) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return Status(ATTN_NOT_FOUND,
                  "no CUDA driver: " + path + " not found (" + dlerror() + ")");
  auto driver = std::make_unique<CudaDriver>();
  std::string missing = loadSymbols(library, *driver);
  if (!missing.empty()) {
    dlclose(library);
    return Status(ATTN_NOT_FOUND, "the CUDA driver " + path +
                                      " is too old: it lacks " + missing);
  }
  // From here on the library stays: drivers do not expect to be unloaded.
  if (Status status = driver->check(driver->cuInit(0), "cuInit"))
    return status;
  return driver;
}

Result<const CudaDriver *> CudaDriver::get() {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<CudaDriver>> drivers;
  const char *given = secure_getenv("ATTN_CUDA_DRIVER");
  std::string path = given && *given ? given : "libcuda.so.1";
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<CudaDriver> &driver = drivers[path];
  if (driver)
    return driver.get();
  Result<std::unique_ptr<CudaDriver>> opened = open(path);
  if (!opened)
    return opened.takeStatus();
  driver = std::move(*opened);
  return driver.get();
}
