//===- SpecBuilderTest.cpp - Specs from C++ lambdas -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lambdas that take any type are called twice: with expressions, whose spec is
// compiled, and with numbers, which tell what the kernel must compute.
//
//===----------------------------------------------------------------------===//

#include "runtime/attn_jit.h"
#include "runtime/attn_spec.hpp"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

/// What the builder has for expressions, for numbers.
static double toNumber(int64_t index) { return double(index); }
template <typename T> static T select(bool condition, T a, T b) {
  return condition ? a : b;
}
using std::abs, std::exp, std::exp2, std::floor, std::log, std::log2, std::max,
    std::min, std::pow, std::sqrt, std::tanh;

static constexpr int64_t kTokens = 23, kHeads = 2, kFeatures = 8;
static constexpr DLDevice kCpu = {kDLCPU, 0};

namespace {
/// One batch of tensors.
struct Call {
  std::vector<float> q, k, v, out, slopes{0.5f, -0.25f};
  std::vector<int32_t> document;

  Call() {
    for (int64_t at = 0; at < kHeads * kTokens * kFeatures; ++at) {
      q.push_back(std::sin(0.7f * float(at)));
      k.push_back(std::cos(1.3f * float(at)));
      v.push_back(std::sin(2.1f * float(at) + 1));
    }
    for (int64_t i = 0; i < kTokens; ++i)
      document.push_back(int32_t(i / 9));
    out.resize(v.size());
  }

  /// Compiles and runs a spec; the message if that fails.
  std::string run(const std::string &text) {
    attn_jit_options own = {sizeof(own), nullptr, 1, 0};
    attn_compile_options how = {};
    how.struct_size = sizeof(how);
    how.name = "<built>";
    how.schedule = "block_q=16,block_k=16";
    attn_jit *jit = nullptr;
    attn_kernel *kernel = nullptr;
    attn_jit_create(&own, &jit);
    attn_status status =
        attn_jit_compile(jit, text.data(), text.size(), kCpu, &how, &kernel);
    if (status == ATTN_OK)
      status = launch(kernel);
    attn_kernel_destroy(kernel);
    attn_jit_destroy(jit);
    return status == ATTN_OK ? "" : attn_last_error() + ("\n" + text);
  }

private:
  attn_status launch(const attn_kernel *kernel) {
    int64_t shape[] = {1, kHeads, kTokens, kFeatures}, heads[] = {kHeads},
            tokens[] = {kTokens};
    auto view = [&](void *data, int64_t *sizes, int rank, uint8_t code) {
      return DLTensor{data, kCpu, rank, {code, 32, 1}, sizes, nullptr, 0};
    };
    DLTensor tensors[] = {view(q.data(), shape, 4, kDLFloat),
                          view(k.data(), shape, 4, kDLFloat),
                          view(v.data(), shape, 4, kDLFloat),
                          view(slopes.data(), heads, 1, kDLFloat),
                          view(document.data(), tokens, 1, kDLInt),
                          view(out.data(), shape, 4, kDLFloat)};
    const DLTensor *arguments[] = {&tensors[0], &tensors[1], &tensors[2],
                                   &tensors[3], &tensors[4]};
    const DLTensor *result = &tensors[5];
    return attn_kernel_launch(kernel, arguments, 5, &result, 1, nullptr, 0,
                              nullptr, nullptr);
  }
};
} // namespace

/// The largest difference between the result and the definition.
template <typename Mask, typename Score, typename Prob>
static double getError(const Call &call, double scale, Mask mask, Score score,
                       Prob prob) {
  double worst = 0;
  for (int64_t h = 0; h < kHeads; ++h)
    for (int64_t i = 0; i < kTokens; ++i) {
      auto at = [&](int64_t row, int64_t d) {
        return (h * kTokens + row) * kFeatures + d;
      };
      std::vector<double> sums(kFeatures);
      std::vector<std::pair<int64_t, double>> weights;
      double total = 0;
      for (int64_t j = 0; j < kTokens; ++j) {
        double s = 0;
        for (int64_t d = 0; d < kFeatures; ++d)
          s += scale * call.q[at(i, d)] * call.k[at(j, d)];
        if (!mask(int64_t(0), h, i, j))
          continue;
        weights.emplace_back(j, exp(score(s, int64_t(0), h, i, j)));
        total += weights.back().second;
      }
      for (auto [j, weight] : weights)
        for (int64_t d = 0; d < kFeatures; ++d)
          sums[d] +=
              prob(weight / total, int64_t(0), h, i, j) * call.v[at(j, d)];
      for (int64_t d = 0; d < kFeatures; ++d)
        worst = max(worst, abs(sums[d] - call.out[at(i, d)]));
    }
  return worst;
}

/// Compiles the regions, and compares the kernel with what they say of numbers.
template <typename Mask, typename Score, typename Prob>
static void expectComputed(Mask mask, Score score, Prob prob) {
  Call call;
  auto spec = attn::attend(kFeatures);
  auto slopes = spec.numbers("slopes", {"H"});
  auto document = spec.integers("document", {"N"});
  spec.scale(0.5).mask(mask(document)).score(score(slopes)).prob(prob);
  ASSERT_EQ(call.run(spec.text()), "");
  auto readSlope = [&](int64_t h) { return double(call.slopes[h]); };
  auto readDocument = [&](int64_t i) { return int64_t(call.document[i]); };
  EXPECT_LT(getError(call, 0.5, mask(readDocument), score(readSlope), prob),
            1e-4);
}

TEST(SpecBuilder, WritesMasksAndScores) {
  expectComputed(
      [](auto document) {
        return [=](auto, auto, auto i, auto j) {
          return (i >= j && i - j < 7 && document(i) == document(j)) ||
                 (j + 1) * 2 <= 4 || !(i != j);
        };
      },
      [](auto slopes) {
        return [=](auto s, auto, auto h, auto i, auto j) {
          auto biased = s + slopes(h) * toNumber(j - i);
          return 3.0 * tanh(biased / 3.0);
        };
      },
      [](auto p, auto, auto, auto, auto) { return p * 2.0 - 0.25 * p; });
}

TEST(SpecBuilder, WritesFunctionsOfNumbersAndIndices) {
  expectComputed(
      [](auto document) {
        return [=](auto, auto, auto i, auto j) {
          return i % 5 != 3 && j / 2 > -1 && document(i) >= document(j) &&
                 min(i, j) < max(i, j) + 1;
        };
      },
      [](auto slopes) {
        return [=](auto s, auto, auto h, auto i, auto j) {
          auto near = exp2(-sqrt(abs(s) + 1.0)) + log(exp(s) + 1.0) +
                      log2(pow(abs(s) + 1.0, toNumber(j % 3)) + 1.0);
          auto far = max(min(s, slopes(h)), -s) + floor(s * 4.0);
          return select(i - j < 4, near, far);
        };
      },
      [](auto p, auto, auto, auto i, auto j) {
        return select(p > 0.0 || p != p, p, p - 1.0) +
               select(i <= j, p, -p) * 0.5;
      });
}

TEST(SpecBuilder, WritesConstants) {
  auto text = [](double value) {
    return attn::attend(8)
        .score([=](auto s, auto, auto, auto, auto) { return s + value; })
        .text("named");
  };
  EXPECT_NE(text(0.1).find("arith.constant 1.00000000000000006e-01 : f32"),
            std::string::npos);
  EXPECT_NE(text(-INFINITY).find("arith.constant 0xFF800000 : f32"),
            std::string::npos);
  EXPECT_NE(text(1).find("func.func @named("), std::string::npos);
  std::string all =
      attn::attend(8).mask([](auto, auto, auto, auto) { return true; }).text();
  EXPECT_NE(all.find("arith.constant true\n"), std::string::npos);
}

TEST(SpecBuilder, WritesOptions) {
  std::string text =
      attn::attend(16, 32).alignment("end").normalizer("softmax").lse().text();
  EXPECT_NE(text.find("attn.attend %q, %k, %v alignment(end) "
                      "normalizer(softmax)"),
            std::string::npos);
  EXPECT_NE(text.find("%v: tensor<?x?x?x32xf32> {attn.name = \"v\", attn.dims "
                      "= [\"B\", \"Hk\", \"M\", \"E\"]}"),
            std::string::npos);
  EXPECT_NE(text.find("return %out, %lse"), std::string::npos);
}

TEST(SpecBuilder, RefusesWhatHasNoRegion) {
  auto spec = attn::attend(8);
  auto slopes = spec.numbers("slopes", {"H"});
  EXPECT_THROW(
      spec.score([&](auto s, auto, auto, auto, auto) { return s + slopes(0); }),
      std::logic_error);
  EXPECT_THROW(attn::Index(1) + attn::Index(2), std::logic_error);
  attn::Index kept(1);
  spec.mask([&](auto, auto, auto i, auto j) {
    kept = i;
    return i >= j;
  });
  EXPECT_THROW(spec.prob([&](auto p, auto, auto, auto i, auto) {
    return p * toNumber(kept - i);
  }),
               std::logic_error);
}
