//===- TensorViews.cpp - Tensors of DLPack as the checks see them ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/TensorViews.h"

using namespace attn;

/// Later versions of DLPack call it kDLBool.
static constexpr uint8_t kBoolCode = 6;

/// More dimensions than any tensor of a kernel has.
static constexpr int32_t kMostDimensions = 64;

static bool operator==(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

DLDataType attn::getDLType(ElementType type) {
  auto bits = uint8_t(8 * getByteSize(type));
  switch (type) {
  case ElementType::F64:
  case ElementType::F32:
  case ElementType::F16:
    return {kDLFloat, bits, 1};
  case ElementType::BF16:
    return {kDLBfloat, bits, 1};
  case ElementType::I1:
    return {kBoolCode, bits, 1};
  case ElementType::I64:
  case ElementType::I32:
  case ElementType::I16:
  case ElementType::I8:
    break;
  }
  return {kDLInt, bits, 1};
}

/// "f32", or the numbers of a type that no kernel has.
static std::string describeType(DLDataType type) {
  for (int i = 0; i <= int(ElementType::I1); ++i)
    if (getDLType(ElementType(i)) == type)
      return std::string(getTypeName(ElementType(i)));
  return "DLPack type {code " + std::to_string(type.code) + ", bits " +
         std::to_string(type.bits) + ", lanes " + std::to_string(type.lanes) +
         "}";
}

std::string attn::describeDevice(DLDevice device) {
  if (device.device_type == kDLCPU)
    return "cpu";
  if (device.device_type == kDLCUDA)
    return "cuda:" + std::to_string(device.device_id);
  return "DLPack device {type " + std::to_string(int(device.device_type)) +
         ", id " + std::to_string(device.device_id) + "}";
}

/// There is one CPU, whatever its number.
static bool isSameDevice(DLDevice a, DLDevice b) {
  return a.device_type == b.device_type &&
         (a.device_type == kDLCPU || a.device_id == b.device_id);
}

/// The strides of a tensor; row-major ones where it has none. Strides of
/// dimensions of one element are any numbers: they become row-major too, so
/// that what is computed from them makes sense. Wrong sizes, which later checks
/// find, may wrap around.
static std::vector<int64_t> makeStrides(const DLTensor &tensor) {
  std::vector<int64_t> strides(tensor.ndim);
  uint64_t next = 1;
  for (size_t i = tensor.ndim; i-- > 0;) {
    bool isGiven = tensor.strides && tensor.shape[i] > 1;
    strides[i] = isGiven ? tensor.strides[i] : int64_t(next);
    next = uint64_t(strides[i]) * uint64_t(tensor.shape[i]);
  }
  return strides;
}

Status TensorList::add(const DLTensor &tensor, const Port &port,
                       DLDevice device) {
  if (!isSameDevice(tensor.device, device))
    return invalidArgument("device must be " + describeDevice(device) +
                           ", got " + describeDevice(tensor.device));
  if (!(tensor.dtype == getDLType(port.type)))
    return invalidArgument("element type must be " +
                           std::string(getTypeName(port.type)) + ", got " +
                           describeType(tensor.dtype));
  if (tensor.ndim < 0 || tensor.ndim > kMostDimensions)
    return invalidArgument("expected " + std::to_string(port.dims.size()) +
                           " dimensions, got " + std::to_string(tensor.ndim));
  if (tensor.ndim > 0 && !tensor.shape)
    return invalidArgument("shape must not be null");
  TensorView view;
  view.type = port.type;
  view.sizes = {tensor.shape, size_t(tensor.ndim)};
  view.strides = strides.emplace_back(makeStrides(tensor));
  // A null address stays one, so that it is found.
  uintptr_t address = reinterpret_cast<uintptr_t>(tensor.data);
  if (address && __builtin_add_overflow(address, tensor.byte_offset, &address))
    return invalidArgument("byte_offset exceeds the address space, got " +
                           std::to_string(tensor.byte_offset));
  view.data = reinterpret_cast<void *>(address);
  views.push_back(view);
  return {};
}

Result<TensorList> TensorList::create(const char *role,
                                      const std::vector<Port> &ports,
                                      std::span<const DLTensor *const> tensors,
                                      DLDevice device) {
  if (tensors.size() != ports.size())
    return invalidArgument("expected " + std::to_string(ports.size()) + " " +
                           role + "s, got " + std::to_string(tensors.size()));
  TensorList list;
  for (size_t i = 0; i < ports.size(); ++i) {
    std::string prefix = std::string(role) + " '" + ports[i].name + "': ";
    if (!tensors[i])
      return invalidArgument(prefix + "tensor must not be null");
    if (Status status = list.add(*tensors[i], ports[i], device))
      return std::move(status).within(prefix);
  }
  return list;
}
