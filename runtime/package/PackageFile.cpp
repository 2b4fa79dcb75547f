//===- PackageFile.cpp - The container of a package -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/package/PackageFile.h"
#include <algorithm>
#include <bit>
#include <cstring>
#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace attn;

static_assert(std::endian::native == std::endian::little,
              "packages are little endian");

namespace {
/// The first bytes of a file. Every field stands at a multiple of its size.
struct Header {
  char magic[8];
  uint16_t major, minor;
  uint32_t headerBytes;
  uint64_t fileBytes;
  uint64_t manifestOffset, manifestBytes, manifestChecksum;
  uint32_t sectionCount, sectionEntryBytes;
  uint64_t checksum; ///< Of the header before this field, then of the table.
};
static_assert(sizeof(Header) == 64);

/// One entry of the table of sections. Names end with a zero.
struct SectionEntry {
  char target[32];
  char triple[40];
  uint32_t format, alignment;
  uint64_t offset, bytes, checksum;
  uint64_t reserved[3];
};
static_assert(sizeof(SectionEntry) == 128);

/// A part of the file.
struct Extent {
  std::string name;
  uint64_t offset, bytes;
};
} // namespace

/// Not text, and damaged by transfers that take it for text.
static constexpr char kMagic[8] = {'\x89', 'A',  'T',  'T',
                                   'N',    '\r', '\n', '\x1a'};

static uint64_t getChecksum(std::string_view bytes) {
  return XXH64(bytes.data(), bytes.size(), 0);
}

/// The checksum over the header and the table behind it.
static uint64_t getHeaderChecksum(std::string_view bytes, uint32_t sections) {
  std::string covered(bytes.substr(0, offsetof(Header, checksum)));
  covered += bytes.substr(sizeof(Header), sections * sizeof(SectionEntry));
  return getChecksum(covered);
}

static std::string toString(uint64_t value) { return std::to_string(value); }

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Checks what other versions of the format have as well.
static Status checkVersion(const Header &header) {
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0)
    return invalidPackage("not a package: it does not start with the bytes "
                          "\\x89ATTN\\r\\n\\x1a");
  if (header.major != ATTN_PACKAGE_MAJOR)
    return {ATTN_UNSUPPORTED_PACKAGE,
            "the package has format version " + toString(header.major) + "." +
                toString(header.minor) + "; this runtime reads version " +
                toString(ATTN_PACKAGE_MAJOR) +
                ".x; compile the spec again with a compiler of the same "
                "release"};
  return {};
}

static Status checkHeader(const Header &header, uint64_t fileBytes) {
  if (header.fileBytes != fileBytes)
    return invalidPackage(
        "the package must have " + toString(header.fileBytes) + " bytes, got " +
        toString(fileBytes) +
        (fileBytes < header.fileBytes ? ": it is truncated" : ""));
  if (header.headerBytes != sizeof(Header) ||
      header.sectionEntryBytes != sizeof(SectionEntry))
    return invalidPackage(
        "the header must have 64 bytes and a section entry 128, got " +
        toString(header.headerBytes) + " and " +
        toString(header.sectionEntryBytes));
  if (header.sectionCount == 0 || header.sectionCount > kMostSections)
    return invalidPackage("the package must have 1 to " +
                          toString(kMostSections) + " sections, got " +
                          toString(header.sectionCount));
  if (header.manifestBytes > kMostManifestBytes)
    return invalidPackage("the manifest must have at most " +
                          toString(kMostManifestBytes) + " bytes, got " +
                          toString(header.manifestBytes));
  uint64_t table = header.sectionCount * sizeof(SectionEntry);
  if (table > fileBytes - sizeof(Header))
    return invalidPackage("the section table must lie in the file: expected " +
                          toString(table) + " bytes behind the header, got " +
                          toString(fileBytes - sizeof(Header)));
  return {};
}

static Status checkChecksum(const std::string &what, uint64_t expected,
                            uint64_t got) {
  if (expected == got)
    return {};
  return invalidPackage("the checksum of the " + what +
                        " does not fit: the package is damaged");
}

/// Text in a field of fixed size; printable, with a zero behind it.
static Result<std::string> readName(const char *field, size_t size,
                                    const std::string &what) {
  size_t length = strnlen(field, size);
  std::string name(field, length);
  bool isText =
      std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  if (length == 0 || length == size || !isText)
    return invalidPackage(what + " must be printable text of 1 to " +
                          toString(size - 1) + " bytes");
  return name;
}

/// Checks that a part lies in the file, behind the table.
static Status checkExtent(const Extent &extent, uint64_t tableEnd,
                          uint64_t fileBytes) {
  if (extent.offset >= tableEnd && extent.offset <= fileBytes &&
      extent.bytes <= fileBytes - extent.offset)
    return {};
  return invalidPackage(extent.name + " must lie between " +
                        toString(tableEnd) + " and " + toString(fileBytes) +
                        ", got offset " + toString(extent.offset) + " and " +
                        toString(extent.bytes) + " bytes");
}

/// Checks that parts do not overlap.
static Status checkDisjoint(std::vector<Extent> extents) {
  std::ranges::sort(extents, [](const Extent &a, const Extent &b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  for (size_t i = 1; i < extents.size(); ++i)
    if (extents[i].offset < extents[i - 1].offset + extents[i - 1].bytes)
      return invalidPackage(extents[i].name + " overlaps " +
                            extents[i - 1].name);
  return {};
}

static Result<Section> readSection(const SectionEntry &entry,
                                   const std::string &name) {
  Result<std::string> target =
      readName(entry.target, sizeof(entry.target), name + ": target");
  if (!target)
    return target.takeStatus();
  Result<std::string> triple =
      readName(entry.triple, sizeof(entry.triple), name + ": triple");
  if (!triple)
    return triple.takeStatus();
  if (!std::has_single_bit(entry.alignment) ||
      entry.alignment > kMostSectionAlignment ||
      entry.offset % entry.alignment != 0)
    return invalidPackage(name + " must be aligned to a power of two up to " +
                          toString(kMostSectionAlignment) + ", got offset " +
                          toString(entry.offset) + " and alignment " +
                          toString(entry.alignment));
  for (uint64_t reserved : entry.reserved)
    if (reserved)
      return invalidPackage(name + ": reserved bytes must be zero");
  return Section{*target, *triple, static_cast<CodeFormat>(entry.format),
                 entry.alignment, ""};
}

/// Reads the table and the bytes of its sections.
static Status readSections(std::string_view bytes, const Header &header,
                           PackageFile &file) {
  uint64_t tableEnd =
      sizeof(Header) + header.sectionCount * sizeof(SectionEntry);
  std::vector<Extent> extents = {
      {"the manifest", header.manifestOffset, header.manifestBytes}};
  if (Status status = checkExtent(extents[0], tableEnd, bytes.size()))
    return status;
  std::vector<SectionEntry> entries(header.sectionCount);
  std::memcpy(entries.data(), bytes.data() + sizeof(Header),
              tableEnd - sizeof(Header));
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string name = "section " + toString(i);
    Result<Section> section = readSection(entries[i], name);
    if (!section)
      return section.takeStatus();
    extents.push_back({name, entries[i].offset, entries[i].bytes});
    if (Status status = checkExtent(extents.back(), tableEnd, bytes.size()))
      return status;
    file.sections.push_back(std::move(*section));
  }
  // Before anything is copied, so that memory is bounded by the file.
  if (Status status = checkDisjoint(extents))
    return status;
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string_view code = bytes.substr(entries[i].offset, entries[i].bytes);
    if (Status status = checkChecksum("code of section " + toString(i),
                                      entries[i].checksum, getChecksum(code)))
      return status;
    file.sections[i].bytes = code;
  }
  return {};
}

Result<PackageFile> attn::readPackageFile(std::string_view bytes) {
  if (bytes.size() > kMostPackageBytes)
    return invalidPackage("a package must have at most " +
                          toString(kMostPackageBytes) + " bytes, got " +
                          toString(bytes.size()));
  if (bytes.size() < sizeof(Header))
    return invalidPackage("a package must have at least 64 bytes, got " +
                          toString(bytes.size()));
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(Header));
  if (Status status = checkVersion(header))
    return status;
  if (Status status = checkHeader(header, bytes.size()))
    return status;
  if (Status status =
          checkChecksum("header", header.checksum,
                        getHeaderChecksum(bytes, header.sectionCount)))
    return status;
  PackageFile file;
  file.minor = header.minor;
  if (Status status = readSections(bytes, header, file))
    return status;
  file.manifest = bytes.substr(header.manifestOffset, header.manifestBytes);
  if (Status status = checkChecksum("manifest", header.manifestChecksum,
                                    getChecksum(file.manifest)))
    return status;
  return file;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Status writeName(const std::string &name, char *field, size_t size) {
  if (name.empty() || name.size() >= size)
    return invalidArgument("a name in the section table must have 1 to " +
                           toString(size - 1) + " bytes, got '" + name + "'");
  std::memcpy(field, name.data(), name.size());
  return {};
}

static Status writeSection(const Section &section, std::string &bytes,
                           SectionEntry &entry) {
  if (Status status =
          writeName(section.target, entry.target, sizeof(entry.target)))
    return status;
  if (Status status =
          writeName(section.triple, entry.triple, sizeof(entry.triple)))
    return status;
  uint64_t alignment = section.alignment;
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  entry.format = static_cast<uint32_t>(section.format);
  entry.alignment = section.alignment;
  entry.offset = bytes.size();
  entry.bytes = section.bytes.size();
  entry.checksum = getChecksum(section.bytes);
  bytes += section.bytes;
  return {};
}

Result<std::string> attn::writePackageFile(const PackageFile &file) {
  if (file.sections.empty() || file.sections.size() > kMostSections)
    return invalidArgument("a package must have 1 to " +
                           toString(kMostSections) + " sections, got " +
                           toString(file.sections.size()));
  if (file.manifest.size() > kMostManifestBytes)
    return invalidArgument("the manifest must have at most " +
                           toString(kMostManifestBytes) + " bytes, got " +
                           toString(file.manifest.size()));
  std::vector<SectionEntry> entries(file.sections.size());
  uint64_t table = entries.size() * sizeof(SectionEntry);
  std::string bytes(sizeof(Header) + table, '\0');
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.major = ATTN_PACKAGE_MAJOR;
  header.minor = file.minor;
  header.headerBytes = sizeof(Header);
  header.sectionEntryBytes = sizeof(SectionEntry);
  header.sectionCount = entries.size();
  header.manifestOffset = bytes.size();
  header.manifestBytes = file.manifest.size();
  bytes += file.manifest;
  for (size_t i = 0; i < entries.size(); ++i)
    if (Status status = writeSection(file.sections[i], bytes, entries[i]))
      return status;
  if (bytes.size() > kMostPackageBytes)
    return invalidArgument("a package must have at most " +
                           toString(kMostPackageBytes) + " bytes, got " +
                           toString(bytes.size()));
  header.fileBytes = bytes.size();
  std::memcpy(bytes.data(), &header, sizeof(Header));
  std::memcpy(bytes.data() + sizeof(Header), entries.data(), table);
  repairChecksums(bytes);
  return bytes;
}

void attn::repairChecksums(std::string &bytes) {
  Header header;
  if (bytes.size() < sizeof(Header))
    return;
  std::memcpy(&header, bytes.data(), sizeof(Header));
  std::string_view view = bytes;
  if (header.manifestOffset <= bytes.size())
    header.manifestChecksum =
        getChecksum(view.substr(header.manifestOffset, header.manifestBytes));
  std::memcpy(bytes.data(), &header, sizeof(Header));
  uint64_t sections =
      std::min<uint64_t>(header.sectionCount, (bytes.size() - sizeof(Header)) /
                                                  sizeof(SectionEntry));
  header.checksum = getHeaderChecksum(view, sections);
  std::memcpy(bytes.data(), &header, sizeof(Header));
}
