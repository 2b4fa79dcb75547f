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
#include <type_traits>

using namespace attn;

Status CudaDriver::check(Error error, const char *what) const {
  if (error == 0)
    return {};
  const char *text = nullptr;
  if (cuGetErrorString(error, &text) != 0)
    text = nullptr;
  return {ATTN_DEVICE_ERROR, std::string(what) +
                                 " failed: " + (text ? text : "unknown") +
                                 " (error " + std::to_string(error) + ")"};
}

/// Looks all functions up; returns the name of one that is missing, or "".
static std::string loadSymbols(void *library, CudaDriver &driver) {
  std::string missing;
  driver.visitFunctions([&](auto &function, const char *name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
        dlsym(library, name));
    if (!function && missing.empty())
      missing = name;
  });
  driver.cuTensorMapEncodeTiled =
      reinterpret_cast<decltype(driver.cuTensorMapEncodeTiled)>(
          dlsym(library, "cuTensorMapEncodeTiled"));
  return missing;
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
  CudaDriver::Error error = driver->cuInit(0);
  if (error == CudaDriver::kErrorNoDevice)
    return Status(ATTN_NOT_FOUND,
                  "no NVIDIA GPU: the CUDA driver " + path + " sees none");
  if (Status status = driver->check(error, "cuInit"))
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
