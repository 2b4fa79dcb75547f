//===- CudaParameters.cpp - What a launch on a GPU is given ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaParameters.h"

using namespace attn;

Result<int64_t> attn::evaluateWithin(const SizeExpr &expr,
                                     const DeviceCall &call, int64_t lowest,
                                     int64_t highest, const char *what) {
  Result<int64_t> value = expr.evaluate(call.values);
  if (value && (*value < lowest || *value > highest))
    return invalidArgument(
        std::string(what) + " must be between " + std::to_string(lowest) +
        " and " + std::to_string(highest) + ", got " + std::to_string(*value));
  return value;
}

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

/// CUtensorMapDataType.
static int getMapType(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return CudaDriver::kMapF64;
  case ElementType::F32:
    return CudaDriver::kMapF32;
  case ElementType::F16:
    return CudaDriver::kMapF16;
  case ElementType::BF16:
    return CudaDriver::kMapBf16;
  case ElementType::I64:
    return CudaDriver::kMapI64;
  case ElementType::I32:
    return CudaDriver::kMapI32;
  case ElementType::I16: // Its bits are copied.
    return CudaDriver::kMapU16;
  case ElementType::I8:
  case ElementType::I1:
    break;
  }
  return CudaDriver::kMapU8;
}

/// CUtensorMapSwizzle.
static int getSwizzle(uint32_t bytes) {
  return bytes == 128  ? CudaDriver::kSwizzle128
         : bytes == 64 ? CudaDriver::kSwizzle64
         : bytes == 32 ? CudaDriver::kSwizzle32
                       : CudaDriver::kSwizzleNone;
}

/// Evaluates expressions, each times `factor`, into `values`.
template <typename T>
static Status evaluateAll(const std::vector<SizeExpr> &exprs,
                          const DeviceCall &call, int64_t lowest,
                          int64_t highest, int64_t factor, const char *what,
                          T *values) {
  for (const SizeExpr &expr : exprs) {
    Result<int64_t> value =
        evaluateWithin(expr, call, lowest, highest / factor, what);
    if (!value)
      return value.takeStatus();
    *values++ = T(*value * factor);
  }
  return {};
}

static Status encodeMap(const TensorMap &map, const TensorView &tensor,
                        const DeviceCall &call, const CudaDriver &cuda,
                        void *encoded) {
  if (!cuda.cuTensorMapEncodeTiled)
    return {ATTN_DEVICE_ERROR, "the CUDA driver is too old for tensor maps: it "
                               "lacks cuTensorMapEncodeTiled"};
  constexpr int64_t mostSize = int64_t(1) << 32, mostStride = int64_t(1) << 40;
  uint64_t sizes[5], strides[5];
  uint32_t box[5], elementStrides[5] = {1, 1, 1, 1, 1};
  if (Status status = evaluateAll(map.sizes, call, 1, mostSize, 1,
                                  "size of a tensor map", sizes))
    return status;
  if (Status status = evaluateAll(map.strides, call, 0, mostStride,
                                  getByteSize(tensor.type),
                                  "stride of a tensor map", strides))
    return status;
  if (Status status =
          evaluateAll(map.box, call, 1, 256, 1, "box of a tensor map", box))
    return status;
  return cuda.check(cuda.cuTensorMapEncodeTiled(
                        encoded, getMapType(tensor.type),
                        uint32_t(map.sizes.size()), tensor.data, sizes, strides,
                        box, elementStrides, 0, getSwizzle(map.swizzleBytes),
                        CudaDriver::kPromoteTo128Bytes, 0),
                    "encoding a tensor map");
}

//===----------------------------------------------------------------------===//
// All parameters
//===----------------------------------------------------------------------===//

CudaParameters::CudaParameters(size_t count) : values(count) {
  for (Parameter &value : values)
    pointers.push_back(&value);
}

Status CudaParameters::set(size_t index, const LaunchArgument &argument,
                           const DeviceCall &call, const CudaDriver &cuda) {
  Parameter &parameter = values[index];
  bool isWide = argument.kind == LaunchArgument::Kind::I64;
  switch (argument.kind) {
  case LaunchArgument::Kind::Tensor:
    parameter.words[0] =
        reinterpret_cast<uintptr_t>(call.tensors[argument.index].data);
    return {};
  case LaunchArgument::Kind::Workspace:
    parameter.words[0] = reinterpret_cast<uintptr_t>(
        call.memory + call.workspace.offsets[argument.index]);
    return {};
  case LaunchArgument::Kind::TensorMap:
    return encodeMap(argument.map, call.tensors[argument.index], call, cuda,
                     &parameter);
  case LaunchArgument::Kind::I32:
  case LaunchArgument::Kind::I64:
    break;
  }
  Result<int64_t> value =
      evaluateWithin(argument.value, call, isWide ? INT64_MIN : INT32_MIN,
                     isWide ? INT64_MAX : INT32_MAX, "a scalar");
  if (!value)
    return value.takeStatus();
  parameter.words[0] = uint64_t(*value);
  return {};
}
