//===- Array.cpp - Buffers that the tool owns -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Array.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>
#include <optional>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

std::string attn::formatSizes(ArrayRef<int64_t> sizes) {
  return "[" +
         llvm::join(llvm::map_range(
                        sizes, [](int64_t n) { return std::to_string(n); }),
                    ", ") +
         "]";
}

/// The memory that the machine has free, in bytes; nothing where it is unknown.
static std::optional<int64_t> getFreeMemory() {
  auto file = llvm::MemoryBuffer::getFileAsStream("/proc/meminfo");
  if (!file)
    return std::nullopt;
  StringRef text = (*file)->getBuffer().split("MemAvailable:").second;
  int64_t kilobytes;
  if (text.ltrim().consumeInteger(10, kilobytes))
    return std::nullopt;
  return kilobytes * 1024;
}

/// The size in bytes; nothing if it has no int64_t.
static std::optional<int64_t> getNumBytes(ElementType type,
                                          ArrayRef<int64_t> sizes) {
  std::optional<int64_t> bytes = getByteSize(type);
  if (llvm::is_contained(sizes, 0))
    return 0;
  for (int64_t size : sizes)
    if (bytes)
      bytes = llvm::checkedMul(*bytes, size);
  return bytes;
}

Expected<Array> Array::create(StringRef name, ElementType type,
                              ArrayRef<int64_t> sizes, Layout layout) {
  std::optional<int64_t> bytes = ::getNumBytes(type, sizes);
  std::optional<int64_t> available = getFreeMemory();
  if (!bytes || (available && *bytes > *available))
    return makeError("'{0}': {1} of {2} does not fit into the free memory of "
                     "this machine",
                     name, formatSizes(sizes), getName(type));
  Array array;
  array.type = type;
  array.sizes.assign(sizes.begin(), sizes.end());
  // Grids have two or three dimensions of tokens.
  bool hasHeads = sizes.size() >= 4 && sizes.size() <= 6;
  array.isRowMajor = layout == Layout::Bhnd || !hasHeads;
  auto order = llvm::to_vector<4>(llvm::seq<int64_t>(0, sizes.size()));
  if (!array.isRowMajor)
    std::rotate(order.begin() + 1, order.begin() + 2, order.end() - 1);
  array.strides.resize(sizes.size());
  int64_t stride = 1;
  for (int64_t dim : llvm::reverse(order)) {
    array.strides[dim] = stride;
    stride *= std::max<int64_t>(sizes[dim], 1);
  }
  array.count = *bytes / getByteSize(type);
  array.data.resize(*bytes, '\xff');
  return array;
}

Buffer Array::getBuffer() const {
  return {const_cast<char *>(data.data()), type, sizes, strides};
}

llvm::SmallVector<int64_t, 4> Array::getCoordinates(int64_t index) const {
  llvm::SmallVector<int64_t, 4> coordinates(sizes.size());
  for (size_t dim = sizes.size(); dim-- > 0; index /= sizes[dim])
    coordinates[dim] = index % sizes[dim];
  return coordinates;
}

int64_t Array::getOffset(int64_t index) const {
  if (isRowMajor)
    return index;
  int64_t offset = 0;
  for (size_t dim = sizes.size(); dim-- > 0; index /= sizes[dim])
    offset += index % sizes[dim] * strides[dim];
  return offset;
}

const char *Array::getAddress(int64_t index) const {
  return data.data() + getOffset(index) * getByteSize(type);
}

double Array::get(int64_t index) const {
  return loadElement(type, getAddress(index));
}

void Array::set(int64_t index, double value) {
  storeElement(type, data.data() + getOffset(index) * getByteSize(type),
               roundTo(type, value));
}

void Array::copyFrom(const Array &other) {
  int64_t size = getByteSize(type);
  for (int64_t i = 0; i < count; ++i)
    if (type == other.type)
      std::memcpy(data.data() + getOffset(i) * size,
                  other.data.data() + other.getOffset(i) * size, size);
    else
      set(i, other.get(i));
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The element type of a file; nothing for those that no spec has.
static std::optional<ElementType> getElementType(NpyType type) {
  switch (type) {
  case NpyType::F64:
    return ElementType::F64;
  case NpyType::F32:
    return ElementType::F32;
  case NpyType::F16:
    return ElementType::F16;
  case NpyType::I64:
    return ElementType::I64;
  case NpyType::I32:
    return ElementType::I32;
  case NpyType::I16:
    return ElementType::I16;
  case NpyType::I8:
    return ElementType::I8;
  case NpyType::Bool:
    return ElementType::I1;
  case NpyType::U8:
    return std::nullopt;
  }
  llvm_unreachable("unknown file type");
}

/// The type of files for an element type.
static NpyType getNpyType(ElementType type) {
  for (NpyType file : {NpyType::F64, NpyType::F32, NpyType::F16, NpyType::I64,
                       NpyType::I32, NpyType::I16, NpyType::I8, NpyType::Bool})
    if (getElementType(file) == type)
      return file;
  return NpyType::F32; // bf16
}

Expected<Array> attn::toArray(StringRef name, const NpyArray &file) {
  std::optional<ElementType> type = getElementType(file.type);
  if (!type)
    return makeError("'{0}': expected floating-point numbers, signed integers "
                     "or bool, got {1}",
                     name, getNpyTypeName(file.type));
  Expected<Array> array = Array::create(name, *type, file.shape);
  if (array)
    std::memcpy(array->getBuffer().data, file.data.data(), file.data.size());
  return array;
}

Error attn::saveArray(StringRef path, const Array &array) {
  NpyArray file = makeNpyArray(getNpyType(array.getType()), array.getSizes());
  Expected<Array> copy = toArray(path, file);
  if (!copy)
    return copy.takeError();
  copy->copyFrom(array);
  std::memcpy(file.data.data(), copy->getBuffer().data, file.data.size());
  return writeNpy(path, file);
}
