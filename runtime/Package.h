//===- Package.h - A package in memory --------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_PACKAGE_H
#define ATTN_RUNTIME_PACKAGE_H

#include "runtime/package/Manifest.h"
#include <memory>

namespace attn {

/// A package that was read and checked. Its kernels share it.
struct Package {
  std::string text; ///< The manifest as JSON.
  Manifest manifest;
  std::vector<Section> sections;

  /// Reads the bytes of a package.
  static Result<std::shared_ptr<const Package>> read(std::string_view bytes);

  /// Reads a file. Its errors start with the path.
  static Result<std::shared_ptr<const Package>>
  readFile(const std::string &path);

  /// The kernel called `name`; an empty name means the only one.
  Result<const PackageKernel *> findKernel(std::string_view name) const;
};

} // namespace attn

#endif // ATTN_RUNTIME_PACKAGE_H
