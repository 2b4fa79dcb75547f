//===- Npy.h - Read and write NumPy array files -----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The .npy format, versions 1 to 3: a magic number, a header that is a Python
// dictionary literal, and the elements. Arrays in memory are always in
// row-major order; files in Fortran order are converted while they are read.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_NPY_H
#define ATTN_TOOLS_SUPPORT_NPY_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <new>
#include <vector>

namespace attn {

/// Element types that tools exchange with NumPy; little endian in files.
enum class NpyType { F16, F32, F64, I8, I16, I32, I64, U8, Bool };

/// Size of one element in bytes.
size_t getNpyElementSize(NpyType type);

/// The name NumPy prints for an element type, such as "float32".
llvm::StringRef getNpyTypeName(NpyType type);

/// Allocates at the start of a cache line, which is also an AVX-512 register.
template <typename T> struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  CacheLineAllocator() = default;
  template <typename U> CacheLineAllocator(const CacheLineAllocator<U> &) {}

  T *allocate(size_t count) {
    return static_cast<T *>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T *pointer, size_t) { ::operator delete(pointer, alignment); }
  bool operator==(const CacheLineAllocator &) const { return true; }
};

/// The bytes of an array, aligned to 64.
using NpyBuffer = std::vector<char, CacheLineAllocator<char>>;

/// An array in row-major order without gaps.
struct NpyArray {
  NpyType type = NpyType::F32;
  std::vector<int64_t> shape;
  NpyBuffer data;

  /// The elements; `T` must be the C++ type that `type` describes (uint16_t for
  /// F16).
  template <typename T> T *as() { return reinterpret_cast<T *>(data.data()); }
  template <typename T> const T *as() const {
    return reinterpret_cast<const T *>(data.data());
  }

  /// Number of elements, one for rank 0.
  int64_t getNumElements() const;
};

/// An array of zeros. The byte size must fit into int64_t.
NpyArray makeNpyArray(NpyType type, llvm::ArrayRef<int64_t> shape);

/// Reads a .npy file. Every error is one line that starts with the path.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Reads the contents of a .npy file; `name` stands for the file in errors.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef contents,
                                  llvm::StringRef name);

/// Writes `array` as a .npy file, version 1.0. Fails if the data is not as
/// large as type and shape say, or if the file cannot be written.
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &array);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_NPY_H
