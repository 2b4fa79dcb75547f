//===- TestPackages.h - Packages that tests make by hand --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_TESTPACKAGES_H
#define ATTN_TEST_UNIT_TESTPACKAGES_H

#include "runtime/package/Manifest.h"
#include <memory>
#include <string>
#include <vector>

namespace attn::unittest {

/// Kernel 'scale': x, out : f32[B, N, 4]; y : i32[M, N], M a multiple of B.
/// out = 2 x + 5 in two launches, with a workspace (loaded/fake_kernel.c).
PackageKernel makeScaleKernel();

/// The kernel with its code, for the lowest level of this CPU. The code is that
/// of a file.
PackageFile makeScalePackage(const char *path = ATTN_FAKE_KERNEL);

/// The same with a key of a cache in its manifest.
PackageFile makeCachedPackage(const std::string &cacheKey);

/// A kernel with everything that a manifest can say, for GPUs.
PackageKernel makeGpuKernel();

/// The bytes of a package; fails the test on an error.
std::string mustWrite(const PackageFile &file);

/// A package with one kernel and these sections.
PackageFile makePackage(const PackageKernel &kernel,
                        std::vector<Section> sections);

/// Replaces the first `from` in `text`; fails the test if there is none.
std::string replaceOnce(std::string text, const std::string &from,
                        const std::string &to);

/// A tensor with its elements, row-major.
struct FloatTensor {
  std::vector<float> data;
  std::vector<int64_t> shape, strides;
  DLTensor tensor;

  FloatTensor(std::vector<int64_t> sizes, float first = 0);
  FloatTensor(const FloatTensor &) = delete;
};

} // namespace attn::unittest

#endif // ATTN_TEST_UNIT_TESTPACKAGES_H
