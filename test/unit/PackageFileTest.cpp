//===- PackageFileTest.cpp - The container of packages --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/TestPackages.h"
#include <gtest/gtest.h>

using namespace attn;
using namespace attn::unittest;

static PackageFile makeFile() {
  PackageFile file;
  file.manifest = "the manifest";
  file.sections = {
      {"cpu:avx2", "x86_64-linux-gnu", CodeFormat::SharedObject, 64, "code"},
      {"cuda:sm_80", "nvptx64-nvidia-cuda", CodeFormat::Ptx, 4096, ""},
      {"future:x", "some-triple", CodeFormat(99), 1, std::string(1000, 'x')}};
  return file;
}

/// The message with which bytes are refused; empty if they are not.
static std::string getError(std::string_view bytes) {
  Result<PackageFile> file = readPackageFile(bytes);
  return file ? "" : file.takeStatus().getMessage();
}

/// The message for bytes whose checksums are right.
static std::string getRepairedError(std::string bytes) {
  repairChecksums(bytes);
  return getError(bytes);
}

/// Writes a number into a header or table.
template <typename T>
static std::string patch(std::string bytes, size_t offset, T value) {
  return bytes.replace(
      offset, sizeof(T),
      std::string(reinterpret_cast<char *>(&value), sizeof(T)));
}

/// Where fields stand (docs/packages.md).
enum Field : size_t {
  Major = 8,
  HeaderBytes = 12,
  FileBytes = 16,
  ManifestOffset = 24,
  ManifestBytes = 32,
  SectionCount = 48,
  EntryBytes = 52,
  Target = 64,
  Alignment = 64 + 76,
  Offset = 64 + 80,
  Bytes = 64 + 88,
  Reserved = 64 + 104
};

TEST(PackageFile, KeepsWhatWasWritten) {
  PackageFile file = makeFile();
  std::string bytes = mustWrite(file);
  Result<PackageFile> read = readPackageFile(bytes);
  ASSERT_TRUE(bool(read)) << read.takeStatus().getMessage();
  EXPECT_EQ(read->manifest, file.manifest);
  ASSERT_EQ(read->sections.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read->sections[i].target, file.sections[i].target);
    EXPECT_EQ(read->sections[i].triple, file.sections[i].triple);
    EXPECT_EQ(read->sections[i].format, file.sections[i].format);
    EXPECT_EQ(read->sections[i].bytes, file.sections[i].bytes);
  }
  EXPECT_EQ(mustWrite(*read), bytes);
}

TEST(PackageFile, ReadsLaterMinorVersions) {
  PackageFile file = makeFile();
  file.minor = 7;
  Result<PackageFile> read = readPackageFile(mustWrite(file));
  ASSERT_TRUE(bool(read));
  EXPECT_EQ(read->minor, 7);
}

TEST(PackageFile, RefusesEveryTruncation) {
  std::string bytes = mustWrite(makeFile());
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that sanitizers see what is read beyond it.
    std::vector<char> copy(bytes.begin(), bytes.begin() + size);
    std::string expected =
        size < 64
            ? "a package must have at least 64 bytes, got " +
                  std::to_string(size)
            : "the package must have " + std::to_string(bytes.size()) +
                  " bytes, got " + std::to_string(size) + ": it is truncated";
    ASSERT_EQ(getError({copy.data(), size}), expected);
  }
  EXPECT_EQ(getError(bytes + "x"),
            "the package must have " + std::to_string(bytes.size()) +
                " bytes, got " + std::to_string(bytes.size() + 1));
}

TEST(PackageFile, NoticesEveryChangedByte) {
  PackageFile file = makeFile();
  std::string bytes = mustWrite(file);
  // The gaps in front of sections belong to nobody.
  auto isCovered = [&](size_t i) {
    size_t table = 64 + 3 * 128 + file.manifest.size();
    return i < table || (i >= bytes.size() - 1000);
  };
  size_t covered = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!isCovered(i))
      continue;
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[i] ^= char(1 << bit);
      // The minor version is no reason to refuse, but it has a checksum.
      ASSERT_NE(getError(changed), "") << "byte " << i << " bit " << bit;
    }
    ++covered;
  }
  EXPECT_EQ(covered, 64 + 3 * 128 + file.manifest.size() + 1000);
  EXPECT_EQ(getError(replaceOnce(bytes, "code", "c0de")),
            "the checksum of the code of section 0 does not fit: the package "
            "is damaged");
  EXPECT_EQ(getError(replaceOnce(bytes, "the man", "the Man")),
            "the checksum of the manifest does not fit: the package is "
            "damaged");
  EXPECT_EQ(getError(replaceOnce(bytes, "avx2", "avx3")),
            "the checksum of the header does not fit: the package is damaged");
}

TEST(PackageFile, RefusesOtherFilesAndVersions) {
  EXPECT_EQ(getError(std::string(100, 'x')),
            "not a package: it does not start with the bytes "
            "\\x89ATTN\\r\\n\\x1a");
  std::string bytes = mustWrite(makeFile());
  Result<PackageFile> read = readPackageFile(patch<uint16_t>(bytes, Major, 2));
  ASSERT_FALSE(bool(read));
  Status status = read.takeStatus();
  EXPECT_EQ(status.getCode(), ATTN_UNSUPPORTED_PACKAGE);
  EXPECT_EQ(status.getMessage(),
            "the package has format version 2.0; this runtime reads version "
            "1.x; compile the spec again with a compiler of the same release");
}

TEST(PackageFile, RefusesWrongHeaders) {
  std::string bytes = mustWrite(makeFile());
  std::string size = std::to_string(bytes.size());
  EXPECT_EQ(getRepairedError(patch<uint32_t>(bytes, HeaderBytes, 63)),
            "the header must have 64 bytes and a section entry 128, got 63 and "
            "128");
  EXPECT_EQ(getRepairedError(patch<uint32_t>(bytes, EntryBytes, 0)),
            "the header must have 64 bytes and a section entry 128, got 64 and "
            "0");
  EXPECT_EQ(getRepairedError(patch<uint32_t>(bytes, SectionCount, 0)),
            "the package must have 1 to 64 sections, got 0");
  EXPECT_EQ(getRepairedError(patch<uint32_t>(bytes, SectionCount, 65)),
            "the package must have 1 to 64 sections, got 65");
  EXPECT_EQ(getRepairedError(patch<uint32_t>(bytes, SectionCount, 64)),
            "the section table must lie in the file: expected 8192 bytes "
            "behind the header, got " +
                std::to_string(bytes.size() - 64));
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, FileBytes, UINT64_MAX)),
            "the package must have 18446744073709551615 bytes, got " + size +
                ": it is truncated");
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, ManifestBytes, 4194305)),
            "the manifest must have at most 4194304 bytes, got 4194305");
  EXPECT_EQ(
      getRepairedError(patch<uint64_t>(bytes, ManifestOffset, UINT64_MAX)),
      "the manifest must lie between 448 and " + size +
          ", got offset 18446744073709551615 and 12 bytes");
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, ManifestOffset, 0)),
            "the manifest must lie between 448 and " + size +
                ", got offset 0 and 12 bytes");
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, ManifestBytes, 4194304)),
            "the manifest must lie between 448 and " + size +
                ", got offset 448 and 4194304 bytes");
}

TEST(PackageFile, RefusesWrongSections) {
  std::string bytes = mustWrite(makeFile());
  std::string size = std::to_string(bytes.size());
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, Offset, UINT64_MAX - 63)),
            "section 0 must lie between 448 and " + size +
                ", got offset 18446744073709551552 and 4 bytes");
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, Bytes, UINT64_MAX)),
            "section 0 must lie between 448 and " + size +
                ", got offset 512 and 18446744073709551615 bytes");
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, Offset, 448)),
            "the manifest overlaps section 0");
  for (uint32_t alignment : {0u, 3u, 8192u, 1024u})
    EXPECT_EQ(getRepairedError(patch<uint32_t>(bytes, Alignment, alignment)),
              "section 0 must be aligned to a power of two up to 4096, got "
              "offset 512 and alignment " +
                  std::to_string(alignment));
  EXPECT_EQ(getRepairedError(patch<uint64_t>(bytes, Reserved, 1)),
            "section 0: reserved bytes must be zero");
  for (char c : {'\0', '\n', ' ', '\x80'})
    EXPECT_EQ(getRepairedError(patch<char>(bytes, Target, c)),
              "section 0: target must be printable text of 1 to 31 bytes");
  std::string endless = bytes;
  endless.replace(Target, 32, std::string(32, 'x'));
  EXPECT_EQ(getRepairedError(endless),
            "section 0: target must be printable text of 1 to 31 bytes");
}

TEST(PackageFile, RefusesToWriteWhatCannotBeRead) {
  auto getWriteError = [](auto change) {
    PackageFile file = makeFile();
    change(file);
    Result<std::string> bytes = writePackageFile(file);
    return bytes ? "" : bytes.takeStatus().getMessage();
  };
  EXPECT_EQ(getWriteError([](PackageFile &file) { file.sections.clear(); }),
            "a package must have 1 to 64 sections, got 0");
  EXPECT_EQ(getWriteError([](PackageFile &file) {
              file.manifest.resize(kMostManifestBytes + 1);
            }),
            "the manifest must have at most 4194304 bytes, got 4194305");
  EXPECT_EQ(getWriteError([](PackageFile &file) {
              file.sections[0].target = std::string(32, 'x');
            }),
            "a name in the section table must have 1 to 31 bytes, got '" +
                std::string(32, 'x') + "'");
}
