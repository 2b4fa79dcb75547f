//===- Package.cpp - A package in memory ----------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Package.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>

using namespace attn;

Result<std::shared_ptr<const Package>> Package::read(std::string_view bytes) {
  Result<PackageFile> file = readPackageFile(bytes);
  if (!file)
    return file.takeStatus();
  Result<Manifest> manifest = readManifest(file->manifest, file->sections);
  if (!manifest)
    return manifest.takeStatus();
  auto package = std::make_shared<Package>();
  package->text = std::move(file->manifest);
  package->manifest = std::move(*manifest);
  package->sections = std::move(file->sections);
  return std::shared_ptr<const Package>(std::move(package));
}

/// Reads a whole file; never more than a package may have.
static Result<std::string> readBytes(const std::string &path) {
  auto fail = [&](attn_status code, const std::string &message) {
    return Status(code, path + ": " + message);
  };
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(
      std::fopen(path.c_str(), "rbe"),
      [](std::FILE *file) { return file ? std::fclose(file) : 0; });
  if (!file)
    return fail(errno == ENOENT ? ATTN_NOT_FOUND : ATTN_IO_ERROR,
                std::string("cannot read: ") + std::strerror(errno));
  struct stat info;
  if (fstat(fileno(file.get()), &info) != 0 || !S_ISREG(info.st_mode))
    return fail(ATTN_IO_ERROR, "cannot read: expected a regular file");
  if (uint64_t(info.st_size) > kMostPackageBytes)
    return fail(ATTN_INVALID_PACKAGE, "a package must have at most " +
                                          std::to_string(kMostPackageBytes) +
                                          " bytes, got " +
                                          std::to_string(info.st_size));
  // The file may change meanwhile: what was read counts.
  std::string bytes(info.st_size, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (std::ferror(file.get()))
    return fail(ATTN_IO_ERROR,
                std::string("cannot read: ") + std::strerror(errno));
  return bytes;
}

Result<std::shared_ptr<const Package>>
Package::readFile(const std::string &path) {
  Result<std::string> bytes = readBytes(path);
  if (!bytes)
    return bytes.takeStatus();
  auto package = read(*bytes);
  if (!package)
    return package.takeStatus().within(path + ": ");
  return package;
}

Result<const PackageKernel *> Package::findKernel(std::string_view name) const {
  std::string names;
  for (const PackageKernel &kernel : manifest.kernels) {
    if (kernel.name == name || (name.empty() && manifest.kernels.size() == 1))
      return &kernel;
    names += (names.empty() ? "'" : ", '") + kernel.name + "'";
  }
  if (name.empty())
    return invalidArgument("expected the name of one kernel, as there are "
                           "several: " +
                           names);
  return Status(ATTN_NOT_FOUND, "expected one of the kernels " + names +
                                    ", got '" + std::string(name) + "'");
}
