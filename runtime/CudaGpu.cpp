//===- CudaGpu.cpp - A GPU and its context --------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaGpu.h"

using namespace attn;

/// Reads what code must know of the GPU.
static Status readAttributes(CudaGpu &gpu) {
  const CudaDriver &cuda = *gpu.driver;
  int major = 0, minor = 0;
  for (auto [value, attribute] :
       {std::pair(&major, CudaDriver::kCapabilityMajor),
        std::pair(&minor, CudaDriver::kCapabilityMinor),
        std::pair(&gpu.mostSharedBytes, CudaDriver::kMostSharedBytes)})
    if (Status status =
            cuda.check(cuda.cuDeviceGetAttribute(value, attribute, gpu.device),
                       "cuDeviceGetAttribute"))
      return status;
  gpu.capability = 10 * major + minor;
  return {};
}

Result<CudaGpu> CudaGpu::open(int ordinal) {
  Result<const CudaDriver *> driver = CudaDriver::get();
  if (!driver)
    return driver.takeStatus();
  const CudaDriver &cuda = **driver;
  int count = 0;
  if (Status status =
          cuda.check(cuda.cuDeviceGetCount(&count), "cuDeviceGetCount"))
    return status;
  if (ordinal < 0 || ordinal >= count)
    return Status(ATTN_NOT_FOUND, "device cuda:" + std::to_string(ordinal) +
                                      " does not exist; the driver has " +
                                      std::to_string(count) + " devices");
  CudaGpu gpu;
  gpu.driver = &cuda;
  gpu.ordinal = ordinal;
  if (Status status =
          cuda.check(cuda.cuDeviceGet(&gpu.device, ordinal), "cuDeviceGet"))
    return status;
  if (Status status = readAttributes(gpu))
    return status;
  return gpu;
}

Result<CudaContext> CudaContext::retain(const CudaGpu &gpu) {
  CudaDriver::Handle context = nullptr;
  if (Status status = gpu.driver->check(
          gpu.driver->cuDevicePrimaryCtxRetain(&context, gpu.device),
          "cuDevicePrimaryCtxRetain"))
    return status;
  return CudaContext(gpu, context);
}

CudaContext::~CudaContext() {
  if (context)
    gpu.driver->cuDevicePrimaryCtxRelease(gpu.device);
}

Result<CudaContext::Current> CudaContext::makeCurrent() const {
  if (Status status = gpu.driver->check(gpu.driver->cuCtxPushCurrent(context),
                                        "cuCtxPushCurrent"))
    return status;
  return Current(*gpu.driver);
}

CudaContext::Current::~Current() {
  CudaDriver::Handle context;
  if (driver)
    driver->cuCtxPopCurrent(&context);
}
