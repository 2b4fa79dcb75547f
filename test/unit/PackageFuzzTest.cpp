//===- PackageFuzzTest.cpp - Random bytes in packages ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Packages are hostile input. Thousands of damaged ones are read here; the
// sanitizers see what goes wrong. Numbers are random but the same every time.
// Checksums would stop nearly all of them at the door, so most are repaired.
//
//===----------------------------------------------------------------------===//

#include "runtime/LoadedKernel.h"
#include "runtime/Package.h"
#include "test/unit/TestPackages.h"
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace attn;
using namespace attn::unittest;

namespace {
/// What became of the packages.
struct Outcome {
  int accepted = 0;
  int ran = 0; ///< Accepted ones whose sizes could be computed.
  std::set<std::string> messages;
};

/// A source of random numbers.
class Random {
public:
  explicit Random(uint32_t seed) : engine(seed) {}
  size_t below(size_t limit) { return engine() % limit; }

private:
  std::mt19937 engine;
};
} // namespace

/// How many times the usual number of packages to read: more with
/// `make test-full`.
static int getScale() { return std::getenv("ATTN_TEST_FULL") ? 20 : 1; }

/// Words that manifests are made of, and some that they are not.
static const char *const kWords[] = {"null",
                                     "true",
                                     "0",
                                     "-1",
                                     "1",
                                     "4",
                                     "[]",
                                     "{}",
                                     "\"\"",
                                     "\"B\"",
                                     "\"N\"",
                                     "1e999",
                                     "2147483648",
                                     "\"f32\"",
                                     "[\"mul\",\"B\",\"N\"]",
                                     "4.5",
                                     "\"\\u0000\"",
                                     "[\"stride\",0,0]",
                                     "[\"floordiv\",1,0]",
                                     "9223372036854775807",
                                     "-9223372036854775808",
                                     "18446744073709551615",
                                     "[\"mul\",9223372036854775807,\"N\"]",
                                     "\"contiguous\"",
                                     "\"\\ud800\""};

/// The end of the JSON value that starts at `begin`, roughly.
static size_t findEnd(const std::string &text, size_t begin) {
  int depth = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == '{')
      ++depth;
    if ((text[i] == ']' || text[i] == '}') && --depth < 0)
      return i;
    if (text[i] == ',' && depth == 0)
      return i;
  }
  return text.size();
}

/// Replaces the value behind a random colon, comma or bracket.
static std::string changeManifest(std::string text, Random &random) {
  size_t begin = text.find_first_of(":,[", random.below(text.size()));
  if (begin == std::string::npos)
    return text;
  size_t end = findEnd(text, ++begin);
  return text.replace(begin, end - begin,
                      kWords[random.below(std::size(kWords))]);
}

/// Changes, removes, doubles or moves some bytes.
static void changeBytes(std::string &bytes, Random &random) {
  if (bytes.empty())
    return;
  // Most of a package is code, which nobody looks at.
  size_t limit =
      random.below(4) ? std::min<size_t>(bytes.size(), 2500) : bytes.size();
  size_t at = random.below(limit), count = 1 + random.below(8);
  switch (random.below(5)) {
  case 0:
    bytes[at] ^= char(1 << random.below(8));
    break;
  case 1:
    bytes.replace(at, count,
                  std::string(count, random.below(2) ? '\xff' : '\0'));
    break;
  case 2:
    bytes.resize(random.below(bytes.size()) + 1);
    break;
  case 3:
    bytes.insert(at, bytes.substr(random.below(bytes.size()), count));
    break;
  case 4:
    bytes.erase(at, count);
    break;
  }
}

/// Reads a package and asks its kernels for sizes. Their code is not run: it
/// would be right to crash where it is called as it was not meant to be.
static void examine(const std::string &bytes, Outcome &outcome) {
  // A copy of its own, so that sanitizers see what is read beyond it.
  std::vector<char> copy(bytes.begin(), bytes.end());
  auto package = Package::read({copy.data(), copy.size()});
  if (!package) {
    std::string message = package.takeStatus().getMessage();
    ASSERT_NE(message, "");
    outcome.messages.insert(message);
    return;
  }
  ++outcome.accepted;
  FloatTensor x({2, 3, 4}), y({4, 3});
  y.tensor.dtype = {kDLInt, 32, 1};
  const DLTensor *arguments[] = {&x.tensor, &y.tensor};
  for (const PackageKernel &kernel : (*package)->manifest.kernels) {
    std::vector<int64_t> sizes;
    auto list = TensorList::create("argument", kernel.interface.arguments,
                                   arguments, {kDLCPU, 0});
    if (!list || checkArguments(kernel.interface, list->getViews()))
      continue;
    auto shapes = getResultSizes(kernel.interface, list->getViews());
    std::vector<int64_t> dims = bindDims(kernel.interface, list->getViews());
    bool ran = bool(shapes);
    for (const LaunchProgram &program : kernel.programs)
      ran &= bool(Workspace::layOut(program, dims));
    outcome.ran += ran;
  }
}

TEST(PackageFuzz, ChangedBytes) {
  std::string original = mustWrite(makeScalePackage());
  Random random(1);
  Outcome repaired, plain;
  for (int i = 0; i < 6000 * getScale(); ++i) {
    std::string bytes = original;
    for (size_t n = 1 + random.below(3); n > 0; --n)
      changeBytes(bytes, random);
    examine(bytes, plain);
    repairChecksums(bytes);
    examine(bytes, repaired);
    if (HasFatalFailure())
      return;
  }
  // Bytes between sections belong to nobody; changes elsewhere are noticed.
  EXPECT_LT(plain.accepted, 600 * getScale());
  EXPECT_GT(repaired.messages.size(), 300u);
  EXPECT_GT(repaired.accepted, 50);
}

TEST(PackageFuzz, ChangedManifests) {
  const std::vector<Section> sections[] = {
      {{"cpu:baseline", "x86_64-linux-gnu", CodeFormat::SharedObject, 64, ""}},
      {{"cuda:sm_80", "nvptx64-nvidia-cuda", CodeFormat::Ptx, 64, ""}}};
  const PackageKernel kernels[] = {makeScaleKernel(), makeGpuKernel()};
  Random random(2);
  Outcome outcome;
  for (int i = 0; i < 12000 * getScale(); ++i) {
    size_t which = random.below(2);
    PackageFile file = makePackage(kernels[which], sections[which]);
    for (size_t n = 1 + random.below(2); n > 0; --n)
      file.manifest = changeManifest(file.manifest, random);
    examine(mustWrite(file), outcome);
    if (HasFatalFailure())
      return;
  }
  // The changes reach every corner: many complaints, and many that are fine.
  EXPECT_GT(outcome.messages.size(), 1000u);
  EXPECT_GT(outcome.accepted, 500);
  EXPECT_GT(outcome.ran, 200);
}

TEST(PackageFuzz, RandomBytes) {
  Random random(3);
  Outcome outcome;
  std::string header = mustWrite(makeScalePackage()).substr(0, 64);
  for (int i = 0; i < 4000 * getScale(); ++i) {
    std::string bytes(random.below(600), '\0');
    for (char &byte : bytes)
      byte = char(random.below(256));
    if (random.below(2))
      bytes.replace(0, std::min<size_t>(8, bytes.size()), header, 0,
                    std::min<size_t>(12, bytes.size()));
    repairChecksums(bytes);
    examine(bytes, outcome);
    if (HasFatalFailure())
      return;
  }
  EXPECT_EQ(outcome.accepted, 0);
}
