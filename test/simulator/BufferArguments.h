//===- BufferArguments.h - Arguments of attn-simulate -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the values of --arg; attn-simulate.cpp has their syntax.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_SIMULATOR_BUFFERARGUMENTS_H
#define ATTN_TEST_SIMULATOR_BUFFERARGUMENTS_H

#include "codegen/simulator/Simulator.h"
#include "tools/support/Element.h"
#include "llvm/ADT/STLExtras.h"

namespace attn {

struct NamedBuffer {
  ElementType type;
  llvm::SmallVector<int64_t> sizes;
  std::unique_ptr<sim::DeviceBuffer> memory;

  int64_t getCount() const { return llvm::product_of(sizes); }
};

/// Arguments of a kernel or host function, in order, and the buffers among
/// them.
struct BufferArguments {
  std::vector<NamedBuffer> buffers;
  std::vector<sim::Argument> values;
};

llvm::Expected<BufferArguments>
parseArguments(llvm::ArrayRef<std::string> texts);

} // namespace attn

#endif // ATTN_TEST_SIMULATOR_BUFFERARGUMENTS_H
