//===- PackageFile.h - The container of a package ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A package is one file, little endian:
//
//   header (64 bytes) | section table (128 bytes each) | manifest, sections
//
// A section is code for one target. The manifest is JSON text that says how
// kernels are called (package/Manifest.h). docs/packages.md has the layout, the
// rules and the promise of compatibility. Files are hostile input: nothing here
// trusts a number before it has been compared with the size of the file.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_PACKAGE_PACKAGEFILE_H
#define ATTN_RUNTIME_PACKAGE_PACKAGEFILE_H

#include "runtime/Status.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attn {

/// What the bytes of a section are. Others are kept, but not used.
enum class CodeFormat : uint32_t {
  SharedObject = 1, ///< ELF shared object with the entries of ParallelFor.h.
  Ptx = 2,          ///< Text for the driver's compiler.
  Cubin = 3,        ///< NVIDIA machine code.
  CodeObject = 4    ///< AMD machine code (HSACO).
};

/// Code for one target.
struct Section {
  std::string target; ///< "cpu:avx512", "cuda:sm_90a".
  std::string triple; ///< "x86_64-linux-gnu", "nvptx64-nvidia-cuda".
  CodeFormat format = CodeFormat::SharedObject;
  uint32_t alignment = 64; ///< Of its place in the file; a power of two.
  std::string bytes;
};

/// The parts of a package file.
struct PackageFile {
  uint16_t minor = ATTN_PACKAGE_MINOR; ///< Of the format version.
  std::string manifest;
  std::vector<Section> sections;
};

/// No package is larger, nor has more or larger parts.
inline constexpr uint64_t kMostPackageBytes = uint64_t(1) << 30;
inline constexpr uint64_t kMostManifestBytes = uint64_t(4) << 20;
inline constexpr uint32_t kMostSections = 64;
inline constexpr uint32_t kMostSectionAlignment = 4096;

/// Reads the bytes of a package; every checksum is compared.
Result<PackageFile> readPackageFile(std::string_view bytes);

/// The bytes of a package. Fails if a part exceeds its limit.
Result<std::string> writePackageFile(const PackageFile &file);

/// Writes the checksums of a package whose header, manifest or table have been
/// changed, as far as these can be found. For tests of what lies behind them.
void repairChecksums(std::string &bytes);

} // namespace attn

#endif // ATTN_RUNTIME_PACKAGE_PACKAGEFILE_H
