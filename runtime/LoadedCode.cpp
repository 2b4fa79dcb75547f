//===- LoadedCode.cpp - Machine code that was loaded from memory ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/LoadedCode.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace attn;

#if defined(__x86_64__)
static constexpr Elf64_Half kHostMachine = EM_X86_64;
#elif defined(__aarch64__)
static constexpr Elf64_Half kHostMachine = EM_AARCH64;
#else
static constexpr Elf64_Half kHostMachine = EM_NONE;
#endif

/// Code for other machines is refused before the dynamic linker sees it.
static Status checkElf(std::string_view bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof(header))
    return invalidPackage("the code must be an ELF file, got " +
                          std::to_string(bytes.size()) + " bytes");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN)
    return invalidPackage("the code must be a 64-bit ELF shared object");
  if (header.e_machine != kHostMachine)
    return {ATTN_NO_CODE_FOR_DEVICE,
            "the code must be for ELF machine " + std::to_string(kHostMachine) +
                ", got " + std::to_string(header.e_machine)};
  return {};
}

/// A temporary file without a name.
static int openTemporary() {
  const char *folder = secure_getenv("TMPDIR");
  std::string path = std::string(folder ? folder : "/tmp") + "/attn-XXXXXX";
  int file = mkostemp(path.data(), O_CLOEXEC);
  if (file >= 0)
    unlink(path.c_str());
  return file;
}

/// Writes all bytes; false, with errno set, if that fails.
static bool writeAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes.remove_prefix(written);
  }
  return true;
}

/// The name under which the dynamic linker knows the file of a descriptor.
static std::string getPath(int file) {
  return "/proc/self/fd/" + std::to_string(file);
}

Result<std::unique_ptr<LoadedCode>> LoadedCode::load(std::string_view bytes) {
  if (Status status = checkElf(bytes))
    return status;
  int file = memfd_create("attn-kernel", MFD_CLOEXEC);
  if (file < 0)
    file = openTemporary();
  if (file < 0 || !writeAll(file, bytes)) {
    Status status(ATTN_IO_ERROR, std::string("cannot make a file for the code "
                                             "of a kernel: ") +
                                     std::strerror(errno));
    if (file >= 0)
      close(file);
    return status;
  }
  std::string path = getPath(file);
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    Status status(ATTN_INVALID_PACKAGE,
                  std::string("cannot load the code of a kernel: ") +
                      dlerror());
    close(file);
    return status;
  }
  return std::unique_ptr<LoadedCode>(new LoadedCode(file, handle));
}

LoadedCode::~LoadedCode() {
  dlclose(handle);
  // Code may forbid to be unloaded. Then its path stays taken.
  if (void *stays = dlopen(getPath(file).c_str(), RTLD_NOW | RTLD_NOLOAD))
    dlclose(stays);
  else
    close(file);
}

Result<void *> LoadedCode::lookup(const std::string &symbol) const {
  if (void *address = dlsym(handle, symbol.c_str()))
    return address;
  return invalidPackage("the code of the package lacks the function '" +
                        symbol + "'");
}
