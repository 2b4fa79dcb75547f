//===- BuildId.cpp - Which build of the compiler this is ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/BuildId.h"
#include <cstdint>
#include <cstring>
#include <link.h>
#include <string_view>

using namespace attn;

/// Whether an object of the process has `address` in one of its segments.
static bool contains(const dl_phdr_info &object, uintptr_t address) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = object.dlpi_phdr[i];
    uintptr_t start = object.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= start &&
        address - start < segment.p_memsz)
      return true;
  }
  return false;
}

/// The build id among the notes of a segment, as it stands there.
static std::string_view findNote(const char *notes, size_t size) {
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof(note));
    size_t name = (note.n_namesz + 3) & ~size_t(3);
    size_t text = (note.n_descsz + 3) & ~size_t(3);
    if (size - sizeof(note) < name || size - sizeof(note) - name < text)
      return {};
    const char *start = notes + sizeof(note);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(start, "GNU", 4) == 0)
      return {start + name, note.n_descsz};
    notes = start + name + text;
    size -= sizeof(note) + name + text;
  }
  return {};
}

/// Called for each object of the process until the one of this code is found.
static int visit(dl_phdr_info *object, size_t, void *result) {
  if (!contains(*object, reinterpret_cast<uintptr_t>(&visit)))
    return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE)
      continue;
    std::string_view id = findNote(
        reinterpret_cast<const char *>(object->dlpi_addr + segment.p_vaddr),
        segment.p_memsz);
    if (!id.empty())
      *static_cast<std::string_view *>(result) = id;
  }
  return 1;
}

std::string attn::getBuildId() {
  std::string_view id;
  dl_iterate_phdr(visit, &id);
  std::string digits;
  for (unsigned char byte : id) {
    digits += "0123456789abcdef"[byte / 16];
    digits += "0123456789abcdef"[byte % 16];
  }
  return digits;
}
