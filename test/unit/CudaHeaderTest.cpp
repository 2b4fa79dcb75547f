//===- CudaHeaderTest.cpp - Our declarations of the driver and NVIDIA's ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// runtime/CudaDriver.h declares what it needs of the driver's interface itself.
// Where a CUDA toolkit is installed, its header is compared with that here:
// most of it while this file is compiled. Elsewhere the test is skipped.
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaDriver.h"
#include <gtest/gtest.h>
#include <set>
#include <type_traits>

using attn::CudaDriver;

#ifndef ATTN_HAS_CUDA_HEADER

TEST(CudaHeader, DeclaresWhatWeDeclare) {
  GTEST_SKIP() << "no cuda.h was found when this was configured";
}

#else

// The header renames functions by macros, members of ours included, so these
// get names of their own before it is read.
#define OURS(name) using our_##name = decltype(CudaDriver::name);
#define FOR_EACH_FUNCTION(do)                                                                                                                                                                                                \
  do                                                                                                                                                                                                                         \
  (cuInit) do(cuGetErrorString) do(cuDeviceGetCount) do(cuDeviceGet) do(cuDeviceGetAttribute) do(cuDevicePrimaryCtxRetain) do(cuDevicePrimaryCtxRelease) do(cuCtxPushCurrent) do(cuCtxPopCurrent) do(cuModuleLoadDataEx) do( \
      cuModuleUnload) do(cuModuleGetFunction) do(cuFuncSetAttribute) do(cuLaunchKernel) do(cuMemAlloc) do(cuMemFree) do(cuMemcpyHtoDAsync) do(cuMemcpyDtoHAsync) do(cuMemsetD8Async) do(cuStreamSynchronize) do(cuTensorMapEncodeTiled)
namespace {
FOR_EACH_FUNCTION(OURS)
} // namespace

#include <cuda.h>

namespace {
/// Whether values of both types are passed in the same way. What points to
/// objects of the driver is `void *` with us, and enumerations are integers.
template <typename Ours, typename Theirs> constexpr bool isSame() {
  if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    using To = std::remove_cv_t<std::remove_pointer_t<Ours>>;
    using From = std::remove_cv_t<std::remove_pointer_t<Theirs>>;
    if constexpr (std::is_void_v<To> || std::is_void_v<From>)
      return true;
    else
      return isSame<To, From>();
  } else if constexpr (std::is_enum_v<Theirs>) {
    // Values of enumerations are small, so their sign does not matter.
    return std::is_integral_v<Ours> && sizeof(Ours) == sizeof(Theirs);
  } else if constexpr (std::is_integral_v<Ours> && std::is_integral_v<Theirs>) {
    return sizeof(Ours) == sizeof(Theirs) &&
           std::is_signed_v<Ours> == std::is_signed_v<Theirs>;
  } else {
    return std::is_same_v<Ours, Theirs>;
  }
}

template <typename Ours, typename Theirs>
struct SameFunction : std::false_type {};
template <typename R, typename... Args, typename R2, typename... Args2>
struct SameFunction<R (*)(Args...), R2 (*)(Args2...)> {
  static constexpr bool getValue() {
    if constexpr (sizeof...(Args) == sizeof...(Args2))
      return isSame<R, R2>() && (isSame<Args, Args2>() && ...);
    return false;
  }
  static constexpr bool value = getValue();
};

// A comparison that can fail.
static_assert(!SameFunction<int (*)(int), CUresult (*)(size_t)>::value);
static_assert(!SameFunction<int (*)(int), CUresult (*)(int, int)>::value);
static_assert(!SameFunction<int (*)(int *), CUresult (*)(int)>::value);
static_assert(!SameFunction<int (*)(int *), CUresult (*)(size_t *)>::value);
static_assert(!SameFunction<int (*)(int), CUresult (*)(unsigned)>::value);

#define SAME(name)                                                             \
  static_assert(SameFunction<our_##name, decltype(&name)>::value, #name);
FOR_EACH_FUNCTION(SAME)

// Numbers.
static_assert(CudaDriver::kErrorNoDevice == CUDA_ERROR_NO_DEVICE);
static_assert(CudaDriver::kErrorNotFound == CUDA_ERROR_NOT_FOUND);
static_assert(0 == CUDA_SUCCESS);
static_assert(CudaDriver::kCapabilityMajor ==
              CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(CudaDriver::kCapabilityMinor ==
              CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(CudaDriver::kMostSharedBytes ==
              CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
static_assert(CudaDriver::kMaxDynamicSharedBytes ==
              CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
static_assert(CudaDriver::kErrorLogBuffer == CU_JIT_ERROR_LOG_BUFFER);
static_assert(CudaDriver::kErrorLogBufferBytes ==
              CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);

// Tensor maps.
static_assert(CudaDriver::kMapU8 == CU_TENSOR_MAP_DATA_TYPE_UINT8);
static_assert(CudaDriver::kMapU16 == CU_TENSOR_MAP_DATA_TYPE_UINT16);
static_assert(CudaDriver::kMapI32 == CU_TENSOR_MAP_DATA_TYPE_INT32);
static_assert(CudaDriver::kMapI64 == CU_TENSOR_MAP_DATA_TYPE_INT64);
static_assert(CudaDriver::kMapF16 == CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
static_assert(CudaDriver::kMapF32 == CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
static_assert(CudaDriver::kMapF64 == CU_TENSOR_MAP_DATA_TYPE_FLOAT64);
static_assert(CudaDriver::kMapBf16 == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
static_assert(CudaDriver::kSwizzleNone == CU_TENSOR_MAP_SWIZZLE_NONE);
static_assert(CudaDriver::kSwizzle32 == CU_TENSOR_MAP_SWIZZLE_32B);
static_assert(CudaDriver::kSwizzle64 == CU_TENSOR_MAP_SWIZZLE_64B);
static_assert(CudaDriver::kSwizzle128 == CU_TENSOR_MAP_SWIZZLE_128B);
static_assert(CudaDriver::kPromoteTo128Bytes ==
              CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
static_assert(0 == CU_TENSOR_MAP_INTERLEAVE_NONE);
static_assert(0 == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
static_assert(CudaDriver::kMapBytes == sizeof(CUtensorMap));
static_assert(CudaDriver::kMapAlignment >= alignof(CUtensorMap));
} // namespace

/// The names that are looked up are those that the header's macros make of the
/// functions.
TEST(CudaHeader, DeclaresWhatWeDeclare) {
#define NAME(name) #name
#define EXPANDED(name) NAME(name),
  std::set<std::string> expected = {FOR_EACH_FUNCTION(EXPANDED)};
  // May be missing, so it is looked up apart.
  expected.erase("cuTensorMapEncodeTiled");
  std::set<std::string> got;
  CudaDriver().visitFunctions(
      [&](auto &, const char *name) { got.insert(name); });
  EXPECT_EQ(got, expected);
}

#endif // ATTN_HAS_CUDA_HEADER
