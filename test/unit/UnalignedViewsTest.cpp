//===- UnalignedViewsTest.cpp - Rows that start anywhere ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels of matrix instructions copy 16 bytes at a time, and store pairs,
// where a caller's rows turn out to be aligned. Where they are not, the other
// side of each of these branches has the same bits.
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/simulated/SimulatedKernel.h"
#include "tools/support/Arguments.h"
#include "tools/support/Dims.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace attn;
using llvm::cantFail;

namespace {
/// A spec of the catalogue, and what it is compiled with.
struct Case {
  std::string spec, dtype, schedule;
};

/// The elements of an array of 16 bits in rows of odd length, which start at an
/// odd element.
class OddRows {
public:
  explicit OddRows(const Buffer &from) : view(from) {
    int64_t columns = view.sizes.back(), row = columns + 3, rows = 1;
    for (size_t dim = view.sizes.size() - 1; dim-- > 0;) {
      view.strides[dim] = rows * row;
      rows *= view.sizes[dim];
    }
    memory.resize(rows * row + 1);
    auto *elements = static_cast<const uint16_t *>(from.data);
    for (int64_t n = 0; n < rows * columns; ++n)
      memory[1 + n / columns * row + n % columns] = elements[n];
  }

  /// Memory may move until all rows are made.
  Buffer getBuffer() {
    view.data = memory.data() + 1;
    return view;
  }
  /// The elements, row by row.
  std::vector<uint16_t> getElements() const {
    int64_t columns = view.sizes.back(), row = columns + 3;
    std::vector<uint16_t> elements;
    for (size_t start = 1; start + columns <= memory.size(); start += row)
      elements.insert(elements.end(), memory.begin() + start,
                      memory.begin() + start + columns);
    return elements;
  }

private:
  Buffer view;
  std::vector<uint16_t> memory;
};
} // namespace

static bool hasHalves(const Buffer &buffer) {
  return buffer.type == ElementType::F16 || buffer.type == ElementType::BF16;
}

static std::vector<uint16_t> getElements(const Array &array) {
  auto *elements = static_cast<const uint16_t *>(array.getBuffer().data);
  return {elements, elements + array.getNumElements()};
}

/// Compares the first results of both calls.
static void compare(const Case &one) {
  std::string path = std::string(ATTN_VARIANTS) + "/" + one.spec;
  auto text = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(bool(text));
  CompileOptions options;
  options.target = "cuda:sm_80";
  options.dtype = one.dtype;
  options.schedule = one.schedule;
  auto kernel =
      cantFail(SimulatedKernel::compile((*text)->getBuffer(), path, options));
  Dims dims =
      cantFail(resolveDims(*kernel, cantFail(parseDims("B=1,H=2,N=70")), {}));
  Arrays arguments = cantFail(makeArguments(kernel->arguments(), dims, {}, {}));
  Arrays results = cantFail(makeResults(*kernel, arguments));
  std::vector<Buffer> inputs = getBuffers(arguments);
  std::vector<Buffer> outputs = getBuffers(results);
  cantFail(kernel->launch(inputs, outputs, {}));
  std::vector<uint16_t> expected = getElements(results.front());

  std::vector<OddRows> rows;
  rows.reserve(inputs.size() + 1);
  for (Buffer &input : inputs)
    if (hasHalves(input))
      input = rows.emplace_back(input).getBuffer();
  OddRows &out = rows.emplace_back(outputs.front());
  outputs.front() = out.getBuffer();
  if (llvm::Error error = kernel->launch(inputs, outputs, {})) {
    ADD_FAILURE() << one.spec << ": " << llvm::toString(std::move(error));
    return;
  }
  EXPECT_EQ(out.getElements(), expected) << one.spec << " " << one.dtype;
}

TEST(UnalignedViewsTest, HaveTheBitsOfAlignedOnes) {
  for (const Case &one :
       {Case{"softmax/causal.mlir", "bf16", "block_q=64,block_k=32"},
        {"softmax/causal.mlir", "f16", "block_q=64,block_k=32,stages=2"},
        {"linear/retention.mlir", "bf16", ""},
        {"linear/gla.mlir", "f16", "stages=2"}})
    compare(one);
}
