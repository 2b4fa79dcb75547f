//===- CompilerPrograms.cpp - What tests of the JIT core share ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace attn;
using namespace attn::unittest;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

const StringRef unittest::kPacked = R"mlir(
func.func @packed(
    %x: tensor<1x2x?x16xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %h0: tensor<?x2x16x16xf32> {attn.name = "h0", attn.dims = ["G", "H", "D", "D"]},
    %c: tensor<?xi32> {attn.name = "c", attn.dims = ["G+1"]})
    -> (tensor<1x2x?x16xf32>, tensor<?x2x16x16xf32>) {
  %out, %ht = attn.recur %x, %x, %x initial(%h0 : tensor<?x2x16x16xf32>) segments(%c : tensor<?xi32>)
      : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
      -> tensor<1x2x?x16xf32>, tensor<?x2x16x16xf32>
  return %out, %ht : tensor<1x2x?x16xf32>, tensor<?x2x16x16xf32>
})mlir";

const StringRef unittest::kDouble = R"mlir(
#view = strided<[?, ?, 1], offset: ?>
func.func @double(
    %x: memref<?x?x32xf32, #view> {attn.name = "x", attn.dims = ["B", "N", "D"]},
    %y: memref<?x?x32xf32, #view> {attn.dims = ["B", "N", "D"], attn.result}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %b = memref.dim %x, %c0 : memref<?x?x32xf32, #view>
  %n = memref.dim %x, %c1 : memref<?x?x32xf32, #view>
  %two = arith.constant dense<2.0> : vector<4xf32>
  scf.forall (%i, %j) in (%b, %n) {
    %unused = memref.alloca() : memref<3xf32>
    %t = memref.alloca() : memref<32xf32>
    scf.for %d = %c0 to %c32 step %c4 {
      %v = vector.load %x[%i, %j, %d] : memref<?x?x32xf32, #view>, vector<4xf32>
      %w = arith.mulf %v, %two : vector<4xf32>
      vector.store %w, %t[%d] : memref<32xf32>, vector<4xf32>
    }
    scf.for %d = %c0 to %c32 step %c4 {
      %v = vector.load %t[%d] : memref<32xf32>, vector<4xf32>
      vector.store %v, %y[%i, %j, %d] : memref<?x?x32xf32, #view>, vector<4xf32>
    }
  }
  return
})mlir";

static constexpr llvm::StringLiteral kCausal = R"mlir(
func.func @causal(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "Hk", "M", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "Hk", "M", "D"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 64}} {
  %out, %lse = attn.attend %q, %k, %v ALIGNMENT
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
        -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
})mlir";

std::string unittest::replaceAll(StringRef text, StringRef from, StringRef to) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, from);
  return llvm::join(parts, to);
}

std::string unittest::getCausal() {
  return replaceAll(kCausal, "ALIGNMENT", "alignment(end)");
}

std::string unittest::getUnalignedCausal() {
  std::string text = replaceAll(kCausal, "ALIGNMENT", "");
  text = replaceAll(text, R"(, attn.dims = ["B", "H", "N", "D"])", "");
  return replaceAll(text, R"(, attn.dims = ["B", "Hk", "M", "D"])", "");
}

std::unique_ptr<Kernel> unittest::mustCompile(StringRef text, StringRef target,
                                              StringRef dtype) {
  CompileOptions options;
  options.target = target.str();
  options.dtype = dtype.str();
  auto kernel = compile(text, "test.mlir", options);
  if (kernel)
    return std::move(*kernel);
  ADD_FAILURE() << llvm::toString(kernel.takeError());
  return nullptr;
}

std::string unittest::getCompileError(StringRef text,
                                      const CompileOptions &options) {
  auto kernel = compile(text, "test.mlir", options);
  return kernel ? "" : llvm::toString(kernel.takeError());
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

FloatArray::FloatArray(ArrayRef<int64_t> sizes, float seed) {
  int64_t count = 1;
  buffer.sizes.assign(sizes.begin(), sizes.end());
  buffer.strides.resize(sizes.size());
  for (size_t i = sizes.size(); i-- > 0; count *= sizes[i])
    buffer.strides[i] = count;
  for (int64_t i = 0; i < count; ++i)
    data.push_back(seed ? std::sin(seed * float(i + 1)) : -1);
  data.push_back(0); // So that the address is one, even of an empty array.
  buffer.data = data.data();
}

std::vector<FloatArray> unittest::run(const Kernel &kernel,
                                      ArrayRef<Buffer> arguments, int threads) {
  std::vector<FloatArray> results;
  std::vector<Buffer> buffers;
  auto sizes = kernel.resultSizes(arguments);
  if (!sizes) {
    ADD_FAILURE() << llvm::toString(sizes.takeError());
    return results;
  }
  for (ArrayRef<int64_t> size : *sizes)
    buffers.push_back(results.emplace_back(size).buffer);
  LaunchOptions options;
  options.threads = threads;
  if (llvm::Error error = kernel.launch(arguments, buffers, options))
    ADD_FAILURE() << llvm::toString(std::move(error));
  return results;
}

std::vector<FloatArray> unittest::makeOperands(int64_t b, int64_t h, int64_t hk,
                                               int64_t nq, int64_t nk) {
  std::vector<FloatArray> operands;
  operands.emplace_back(ArrayRef<int64_t>{b, h, nq, 16}, 0.7f);
  operands.emplace_back(ArrayRef<int64_t>{b, hk, nk, 16}, 0.9f);
  operands.emplace_back(ArrayRef<int64_t>{b, hk, nk, 16}, 1.1f);
  return operands;
}

std::vector<Buffer>
unittest::getBuffers(const std::vector<FloatArray> &arrays) {
  std::vector<Buffer> buffers;
  for (const FloatArray &array : arrays)
    buffers.push_back(array.buffer);
  return buffers;
}

std::vector<double>
unittest::computeCausal(const std::vector<FloatArray> &operands) {
  ArrayRef<int64_t> q = operands[0].buffer.sizes, k = operands[1].buffer.sizes;
  std::vector<double> out;
  auto at = [&](int which, int64_t head, int64_t row, int64_t d) {
    int64_t rows = operands[which].buffer.sizes[2];
    return double(operands[which].data[(head * rows + row) * 16 + d]);
  };
  for (int64_t head = 0; head < q[0] * q[1]; ++head)
    for (int64_t i = 0; i < q[2]; ++i) {
      int64_t keyHead = head / q[1] * k[1] + head % q[1] / (q[1] / k[1]);
      double sum = 0, row[16] = {};
      for (int64_t j = 0; j <= i + k[2] - q[2]; ++j) {
        double dot = 0;
        for (int64_t d = 0; d < 16; ++d)
          dot += at(0, head, i, d) * at(1, keyHead, j, d);
        double weight = std::exp(dot / 4);
        sum += weight;
        for (int64_t d = 0; d < 16; ++d)
          row[d] += weight * at(2, keyHead, j, d);
      }
      for (double value : row)
        out.push_back(sum ? value / sum : 0);
    }
  return out;
}

void unittest::expectNear(ArrayRef<float> actual, ArrayRef<double> expected) {
  ASSERT_EQ(actual.size(), expected.size() + 1);
  for (size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], 1e-5) << "element " << i;
}
