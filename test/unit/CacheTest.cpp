//===- CacheTest.cpp - Kernels on views of a cache of keys and values -----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace attn;
using attn::unittest::getCausal;
using attn::unittest::mustCompile;
using llvm::ArrayRef;

/// All keys.
static constexpr llvm::StringLiteral kDense = R"mlir(
func.func @dense(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x16xf32>, tensor<?x?x?xf32>) {
  %out, %lse = attn.attend %q, %k, %v
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
        -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
})mlir";

/// Two sets of keys.
static constexpr llvm::StringLiteral kMerge = R"mlir(
func.func @merge(%outs: tensor<2x?x?x?x16xf32>, %lses: tensor<2x?x?x?xf32>)
    -> (tensor<?x?x?x16xf32>, tensor<?x?x?xf32>) {
  %out, %lse = attn.merge %outs, %lses
      : tensor<2x?x?x?x16xf32>, tensor<2x?x?x?xf32>
        -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
})mlir";

static constexpr int64_t kCapacity = 512;
static constexpr int64_t kHeads = 4, kKeyHeads = 2, kFeatures = 16;

/// A row-major view of `data`.
static Buffer view(std::vector<float> &data, ArrayRef<int64_t> sizes) {
  Buffer buffer;
  buffer.data = data.data();
  buffer.sizes.assign(sizes.begin(), sizes.end());
  buffer.strides.resize(sizes.size());
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0; stride *= sizes[i])
    buffer.strides[i] = stride;
  return buffer;
}

/// What stands in row `n` of key head `head`: any numbers.
static float element(int64_t head, int64_t n, int64_t d, float seed) {
  return std::sin(seed * float((n * kKeyHeads + head) * kFeatures + d + 1));
}

namespace {
/// Keys or values: [1, Hk, capacity, D], allocated once. Rows that were not
/// appended hold NaN, which would reach the result if it were read.
class Cache {
public:
  explicit Cache(float seed)
      : seed(seed), data(kKeyHeads * kCapacity * kFeatures, NAN) {}

  /// Writes row `length` of every head where it stands.
  void append() {
    for (int64_t head = 0; head < kKeyHeads; ++head)
      for (int64_t d = 0; d < kFeatures; ++d)
        data[(head * kCapacity + length) * kFeatures + d] =
            element(head, length, d, seed);
    ++length;
  }

  /// Rows `first` to `last - 1`, nothing is copied.
  Buffer rows(int64_t first, int64_t last) {
    Buffer buffer = view(data, {1, kKeyHeads, kCapacity, kFeatures});
    buffer.data = data.data() + first * kFeatures;
    buffer.sizes[2] = last - first;
    return buffer;
  }
  Buffer rows() { return rows(0, length); }

  /// A contiguous copy of the rows.
  std::vector<float> copy() const {
    std::vector<float> rows;
    for (int64_t head = 0; head < kKeyHeads; ++head)
      for (int64_t n = 0; n < length; ++n)
        for (int64_t d = 0; d < kFeatures; ++d)
          rows.push_back(element(head, n, d, seed));
    return rows;
  }

private:
  float seed;
  int64_t length = 0;
  std::vector<float> data;
};

/// The results of a kernel for `queries` queries.
struct Results {
  std::vector<float> out, lse;

  explicit Results(int64_t queries)
      : out(kHeads * queries * kFeatures, NAN), lse(kHeads * queries, NAN) {}
  bool operator==(const Results &other) const {
    return out == other.out && lse == other.lse;
  }
};
} // namespace

static Results run(const Kernel &kernel, ArrayRef<Buffer> arguments,
                   int64_t queries) {
  Results results(queries);
  Buffer buffers[] = {view(results.out, {1, kHeads, queries, kFeatures}),
                      view(results.lse, {1, kHeads, queries})};
  if (llvm::Error error = kernel.launch(arguments, buffers))
    ADD_FAILURE() << llvm::toString(std::move(error));
  return results;
}

static std::vector<float> makeQuery(int64_t queries) {
  std::vector<float> query;
  for (int64_t i = 0; i < kHeads * queries * kFeatures; ++i)
    query.push_back(std::sin(0.7f * float(i + 1)));
  return query;
}

TEST(CacheTest, AppendsInPlace) {
  // The last Nq of Nk tokens, in groups of heads.
  auto kernel = mustCompile(getCausal());
  ASSERT_TRUE(kernel);
  Cache keys(0.9f), values(1.1f);
  for (int64_t n = 1; n <= kCapacity; ++n) {
    keys.append();
    values.append();
    // One query, and as many as have to be appended at once after a prompt.
    for (int64_t queries : {1, 20}) {
      if (queries > n || (queries > 1 && n % 64 > 1))
        continue;
      std::vector<float> query = makeQuery(queries), k = keys.copy(),
                         v = values.copy();
      Buffer q = view(query, {1, kHeads, queries, kFeatures});
      Results inPlace = run(*kernel, {q, keys.rows(), values.rows()}, queries);
      int64_t sizes[] = {1, kKeyHeads, n, kFeatures};
      Results fresh =
          run(*kernel, {q, view(k, sizes), view(v, sizes)}, queries);
      ASSERT_TRUE(inPlace == fresh) << n << " rows, " << queries << " queries";
      ASSERT_TRUE(std::isfinite(inPlace.out[0]));
    }
  }
}

TEST(CacheTest, MergesPartsOfOneCache) {
  auto dense = mustCompile(kDense), merge = mustCompile(kMerge);
  ASSERT_TRUE(dense && merge);
  Cache keys(0.9f), values(1.1f);
  for (int64_t n = 0; n < 200; ++n) {
    keys.append();
    values.append();
  }
  int64_t queries = 5, count = kHeads * queries;
  std::vector<float> query = makeQuery(queries);
  Buffer q = view(query, {1, kHeads, queries, kFeatures});
  Results whole = run(*dense, {q, keys.rows(), values.rows()}, queries);
  for (int64_t cut : {0, 1, 130, 200}) {
    // The two calls write to the slices of what the third one reads.
    std::vector<float> outs(2 * count * kFeatures, NAN), lses(2 * count, NAN);
    for (int64_t set : {0, 1}) {
      int64_t first = set ? cut : 0, last = set ? 200 : cut;
      Buffer slices[] = {view(outs, {1, kHeads, queries, kFeatures}),
                         view(lses, {1, kHeads, queries})};
      slices[0].data = outs.data() + set * count * kFeatures;
      slices[1].data = lses.data() + set * count;
      ASSERT_FALSE(llvm::errorToBool(dense->launch(
          {q, keys.rows(first, last), values.rows(first, last)}, slices)));
    }
    Results merged = run(*merge,
                         {view(outs, {2, 1, kHeads, queries, kFeatures}),
                          view(lses, {2, 1, kHeads, queries})},
                         queries);
    for (int64_t i = 0; i < count * kFeatures; ++i)
      ASSERT_NEAR(merged.out[i], whole.out[i], 1e-6) << "cut at " << cut;
    for (int64_t i = 0; i < count; ++i)
      ASSERT_NEAR(merged.lse[i], whole.lse[i], 2e-6) << "cut at " << cut;
  }
}
