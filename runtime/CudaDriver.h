//===- CudaDriver.h - The driver of NVIDIA GPUs -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Nothing of CUDA is needed to build or to link: the library of the driver is
// opened when the first GPU is asked for. The few types and numbers of its
// interface that are used are declared here; they have been stable since
// CUDA 4.0, and the functions are looked up by their versioned names.
//
// The environment variable ATTN_CUDA_DRIVER names another library to open in
// place of libcuda.so.1, which tests use.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CUDADRIVER_H
#define ATTN_RUNTIME_CUDADRIVER_H

#include "runtime/Status.h"
#include <cstddef>
#include <cstdint>

namespace attn {

/// The functions of the driver that are used, with its own types.
struct CudaDriver {
  using Error = int;        // CUresult
  using Device = int;       // CUdevice
  using Handle = void *;    // CUcontext, CUmodule, CUfunction, CUstream
  using Address = uint64_t; // CUdeviceptr

  // CUresult, CUdevice_attribute, CUfunction_attribute, CUjit_option.
  static constexpr Error kErrorNoDevice = 100, kErrorNotFound = 500;
  static constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;
  static constexpr int kMostSharedBytes = 97; // Per block, if it asks for it.
  static constexpr int kMaxDynamicSharedBytes = 8;
  static constexpr int kErrorLogBuffer = 5, kErrorLogBufferBytes = 6;

  // CUtensorMapDataType, CUtensorMapSwizzle, CUtensorMapL2promotion.
  static constexpr int kMapU8 = 0, kMapU16 = 1, kMapI32 = 3, kMapI64 = 5,
                       kMapF16 = 6, kMapF32 = 7, kMapF64 = 8, kMapBf16 = 9;
  static constexpr int kSwizzleNone = 0, kSwizzle32 = 1, kSwizzle64 = 2,
                       kSwizzle128 = 3;
  static constexpr int kPromoteTo128Bytes = 2;
  // CUtensorMap; before CUDA 13 it was aligned to 64 bytes.
  static constexpr size_t kMapBytes = 128, kMapAlignment = 128;

  Error (*cuInit)(unsigned flags);
  Error (*cuGetErrorString)(Error error, const char **text);
  Error (*cuDeviceGetCount)(int *count);
  Error (*cuDeviceGet)(Device *device, int ordinal);
  Error (*cuDeviceGetAttribute)(int *value, int attribute, Device device);
  Error (*cuDevicePrimaryCtxRetain)(Handle *context, Device device);
  Error (*cuDevicePrimaryCtxRelease)(Device device);
  Error (*cuCtxPushCurrent)(Handle context);
  Error (*cuCtxPopCurrent)(Handle *context);
  Error (*cuModuleLoadDataEx)(Handle *module, const void *image, unsigned count,
                              int *options, void **values);
  Error (*cuModuleUnload)(Handle module);
  Error (*cuModuleGetFunction)(Handle *function, Handle module,
                               const char *name);
  Error (*cuFuncSetAttribute)(Handle function, int attribute, int value);
  Error (*cuLaunchKernel)(Handle function, unsigned gridX, unsigned gridY,
                          unsigned gridZ, unsigned blockX, unsigned blockY,
                          unsigned blockZ, unsigned sharedBytes, Handle stream,
                          void **parameters, void **extra);
  Error (*cuMemAlloc)(Address *address, size_t bytes);
  Error (*cuMemFree)(Address address);
  Error (*cuMemcpyHtoDAsync)(Address to, const void *from, size_t bytes,
                             Handle stream);
  Error (*cuMemsetD8Async)(Address address, unsigned char value, size_t bytes,
                           Handle stream);
  Error (*cuMemcpyDtoHAsync)(void *to, Address from, size_t bytes,
                             Handle stream);
  Error (*cuStreamSynchronize)(Handle stream);
  /// Null in drivers before CUDA 12.
  Error (*cuTensorMapEncodeTiled)(void *map, int type, uint32_t rank,
                                  void *address, const uint64_t *sizes,
                                  const uint64_t *strides, const uint32_t *box,
                                  const uint32_t *elementStrides,
                                  int interleave, int swizzle, int promotion,
                                  int fill);

  /// Calls `visit(FUNCTION, NAME)` for every function that a driver must have,
  /// with the name of that version of it which is meant.
  template <typename Visitor> void visitFunctions(Visitor &&visit) {
    visit(cuInit, "cuInit");
    visit(cuGetErrorString, "cuGetErrorString");
    visit(cuDeviceGetCount, "cuDeviceGetCount");
    visit(cuDeviceGet, "cuDeviceGet");
    visit(cuDeviceGetAttribute, "cuDeviceGetAttribute");
    visit(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
    visit(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
    visit(cuCtxPushCurrent, "cuCtxPushCurrent_v2");
    visit(cuCtxPopCurrent, "cuCtxPopCurrent_v2");
    visit(cuModuleLoadDataEx, "cuModuleLoadDataEx");
    visit(cuModuleUnload, "cuModuleUnload");
    visit(cuModuleGetFunction, "cuModuleGetFunction");
    visit(cuFuncSetAttribute, "cuFuncSetAttribute");
    visit(cuLaunchKernel, "cuLaunchKernel");
    visit(cuMemAlloc, "cuMemAlloc_v2");
    visit(cuMemFree, "cuMemFree_v2");
    visit(cuMemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2");
    visit(cuMemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2");
    visit(cuMemsetD8Async, "cuMemsetD8Async");
    visit(cuStreamSynchronize, "cuStreamSynchronize");
  }

  /// Opens and initializes the driver. Success is kept for the life of the
  /// process; a failure is tried again by the next caller.
  static Result<const CudaDriver *> get();

  /// "WHAT failed: TEXT (error NUMBER)", or success for 0.
  Status check(Error error, const char *what) const;
};

} // namespace attn

#endif // ATTN_RUNTIME_CUDADRIVER_H
