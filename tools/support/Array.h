//===- Array.h - Buffers that the tool owns ------------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An array is what a kernel reads or writes, in the element type and the memory
// layout that the run asks for. Elements are addressed by their row-major
// number whatever the layout is.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_ARRAY_H
#define ATTN_TOOLS_SUPPORT_ARRAY_H

#include "tools/support/Element.h"
#include "tools/support/Npy.h"

namespace attn {

/// How arrays [B, H, N, D] lie in memory; those of other ranks are row-major.
enum class Layout { Bhnd, Bnhd };

/// "[2, 8, 1024, 64]".
std::string formatSizes(llvm::ArrayRef<int64_t> sizes);

/// A strided array of numbers.
class Array {
public:
  /// Allocates; all bytes are 0xff, which is NaN in every floating-point type,
  /// so that elements nobody writes are noticed. Fails if the machine has not
  /// as much free memory; `name` stands for the array in the message.
  static llvm::Expected<Array> create(llvm::StringRef name, ElementType type,
                                      llvm::ArrayRef<int64_t> sizes,
                                      Layout layout = Layout::Bhnd);

  ElementType getType() const { return type; }
  llvm::ArrayRef<int64_t> getSizes() const { return sizes; }
  int64_t getNumElements() const { return count; }
  int64_t getNumBytes() const { return data.size(); }

  /// What the kernel is given. Results are written through it.
  Buffer getBuffer() const;

  /// The element with this row-major number.
  double get(int64_t index) const;
  void set(int64_t index, double value);

  /// Copies elements of any type: those of the same type exactly, others
  /// through float64. The sizes must be the same.
  void copyFrom(const Array &other);

  /// Where the element with this number lies.
  const char *getAddress(int64_t index) const;

  /// The coordinates of an element.
  llvm::SmallVector<int64_t, 4> getCoordinates(int64_t index) const;

private:
  /// Position in elements from the start of the memory.
  int64_t getOffset(int64_t index) const;

  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> sizes, strides;
  int64_t count = 0;
  bool isRowMajor = true;
  NpyBuffer data;
};

/// An array with the contents of a file, in the element type that corresponds
/// to that of the file.
llvm::Expected<Array> toArray(llvm::StringRef name, const NpyArray &file);

/// Writes an array in row-major order; bf16 becomes float32, i1 becomes bool.
llvm::Error saveArray(llvm::StringRef path, const Array &array);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_ARRAY_H
