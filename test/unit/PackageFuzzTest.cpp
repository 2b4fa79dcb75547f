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
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace attn;
using namespace attn::unittest;

namespace {
/// What became of the packages.
struct Outcome {
  int accepted = 0;
  int ran = 0;      ///< Accepted ones whose sizes could be computed.
  int launched = 0; ///< Of these, launched on a GPU that does nothing.
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

namespace {
/// The driver of loaded/fake_cuda.cpp, whose kernels do nothing here: they may
/// be given anything. Memory of the GPU is that of the process, so sanitizers
/// see what is cleared and read back.
class IdleGpu {
public:
  IdleGpu() : library(dlopen(ATTN_FAKE_CUDA, RTLD_NOW)) {
    setenv("ATTN_CUDA_DRIVER", ATTN_FAKE_CUDA, 1);
    set(true);
  }
  ~IdleGpu() {
    set(false);
    unsetenv("ATTN_CUDA_DRIVER");
    dlclose(library);
  }

private:
  void set(bool value) {
    for (const char *name : {"fakeCudaSetQuiet", "fakeCudaSetIdle"})
      reinterpret_cast<void (*)(bool)>(dlsym(library, name))(value);
  }

  void *library;
};
} // namespace

/// Loads and launches a kernel on the GPU; returns whether that worked.
static bool launchOnGpu(std::shared_ptr<const Package> package,
                        const PackageKernel &kernel) {
  constexpr DLDevice gpu = {kDLCUDA, 0};
  constexpr int64_t mostBytes = 1 << 20;
  auto loaded = LoadedKernel::load(std::move(package), kernel, gpu);
  if (!loaded)
    return false;
  FloatTensor x({2, 3, 4}), y({4, 3}), out({2, 3, 4});
  y.tensor.dtype = {kDLInt, 32, 1};
  x.tensor.device = y.tensor.device = out.tensor.device = gpu;
  const DLTensor *arguments[] = {&x.tensor, &y.tensor};
  const DLTensor *results[] = {&out.tensor};
  Result<int64_t> bytes = (*loaded)->getWorkspaceBytes(arguments);
  if (!bytes || *bytes > mostBytes)
    return false;
  // Exactly what is needed, so that sanitizers see what is beyond it.
  std::unique_ptr<void, decltype(&std::free)> workspace(
      std::aligned_alloc(ATTN_WORKSPACE_ALIGNMENT, *bytes), &std::free);
  return !(*loaded)->launch(arguments, results,
                            {workspace.get(), size_t(*bytes), nullptr, 0});
}

/// Reads a package and asks its kernels for sizes. Code for the CPU is not run:
/// it would be right to crash where it is called as it was not meant to be.
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
    outcome.launched += launchOnGpu(*package, kernel);
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

/// A package with two sections for GPUs.
static PackageFile makeGpuPackage() {
  PackageKernel kernel = makeGpuKernel();
  kernel.programs.push_back(kernel.programs[0]);
  kernel.programs[1].section = 1;
  const char *triple = "nvptx64-nvidia-cuda";
  return makePackage(kernel,
                     {{"cuda:sm_80", triple, CodeFormat::Ptx, 64, "// old"},
                      {"cuda:sm_90", triple, CodeFormat::Ptx, 64, "// new"}});
}

TEST(PackageFuzz, ChangedBytesOfGpuCode) {
  IdleGpu gpu;
  std::string original = mustWrite(makeGpuPackage());
  Random random(4);
  Outcome outcome;
  examine(original, outcome);
  ASSERT_EQ(outcome.launched, 1);
  for (int i = 0; i < 6000 * getScale(); ++i) {
    std::string bytes = original;
    for (size_t n = 1 + random.below(3); n > 0; --n)
      changeBytes(bytes, random);
    repairChecksums(bytes);
    examine(bytes, outcome);
    if (HasFatalFailure())
      return;
  }
  EXPECT_GT(outcome.messages.size(), 300u);
  EXPECT_GT(outcome.launched, 50);
}

TEST(PackageFuzz, ChangedManifests) {
  IdleGpu gpu;
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
  EXPECT_GT(outcome.launched, 200);
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
