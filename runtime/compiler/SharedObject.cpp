//===- SharedObject.cpp - Link and load machine code ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/SharedObject.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <dlfcn.h>
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace attn;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace {
/// A folder that only this user may read, removed with what is in it.
class TemporaryFolder {
public:
  static llvm::Expected<TemporaryFolder> create() {
    TemporaryFolder folder;
    if (std::error_code code =
            llvm::sys::fs::createUniqueDirectory("attn", folder.path))
      return llvm::createStringError("cannot make a temporary folder: " +
                                     code.message());
    return folder;
  }
  TemporaryFolder(TemporaryFolder &&other) : path(other.path) {
    other.path.clear();
  }
  ~TemporaryFolder() {
    if (!path.empty())
      llvm::sys::fs::remove_directories(path);
  }

  std::string getFile(StringRef name) const {
    llvm::SmallString<128> file = path;
    llvm::sys::path::append(file, name);
    return file.str().str();
  }

private:
  TemporaryFolder() = default;
  llvm::SmallString<128> path;
};
} // namespace

Error attn::writeFile(StringRef path, StringRef bytes) {
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (!code) {
    stream << bytes;
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  if (!code)
    return Error::success();
  return llvm::createStringError(path.str() +
                                 ": cannot write: " + code.message());
}

/// The C library's functions, which kernels may call, in the places where
/// systems keep them. Not finding it is no error: the process has it loaded.
static StringRef findMathLibrary() {
  for (StringRef path : {"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
                         "/usr/lib/libm.so.6"})
    if (llvm::sys::fs::exists(path))
      return path;
  return "";
}

namespace {
/// Hides the command-line options of this process while it lives: the linker
/// resets all that it finds, which would change the tool that runs it.
class HiddenOptions {
public:
  HiddenOptions() { swap(); }
  ~HiddenOptions() { swap(); }

private:
  static void swap(llvm::cl::SubCommand &a, llvm::cl::SubCommand &b) {
    std::swap(a.PositionalOpts, b.PositionalOpts);
    std::swap(a.SinkOpts, b.SinkOpts);
    std::swap(a.OptionsMap, b.OptionsMap);
    std::swap(a.ConsumeAfterOpt, b.ConsumeAfterOpt);
  }
  void swap() {
    swap(topLevel, llvm::cl::SubCommand::getTopLevel());
    swap(all, llvm::cl::SubCommand::getAll());
  }

  llvm::cl::SubCommand topLevel, all;
};
} // namespace

namespace {
/// Gives the handlers of signals back at the end. The linker takes them, to
/// delete what it writes if the process is interrupted; the process need not be
/// ours.
class KeptSignals {
public:
  KeptSignals() { sigaction(SIGINT, nullptr, &before); }
  ~KeptSignals() {
    struct sigaction after;
    sigaction(SIGINT, nullptr, &after);
    if (after.sa_handler != before.sa_handler)
      llvm::sys::unregisterHandlers();
  }

private:
  struct sigaction before;
};
} // namespace

/// Runs the linker, which keeps global state, one caller at a time.
static Error runLinker(llvm::ArrayRef<const char *> arguments) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  HiddenOptions hidden;
  KeptSignals signals;
  std::string output;
  llvm::raw_string_ostream stream(output);
  lld::Result result =
      lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return Error::success();
  return llvm::createStringError("cannot link: " + StringRef(output).trim());
}

llvm::Expected<std::string> attn::linkSharedObject(StringRef object) {
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string input = folder->getFile("kernel.o");
  std::string output = folder->getFile("kernel.so");
  if (Error error = writeFile(input, object))
    return std::move(error);
  std::string math = findMathLibrary().str();
  llvm::SmallVector<const char *> arguments = {
      "ld.lld",      "-shared", "-Bsymbolic",   "--threads=1",
      "--as-needed", "-o",      output.c_str(), input.c_str()};
  if (!math.empty())
    arguments.push_back(math.c_str());
  if (Error error = runLinker(arguments))
    return std::move(error);
  auto bytes = llvm::MemoryBuffer::getFile(output);
  if (!bytes)
    return llvm::createStringError(
        output + ": cannot read: " + bytes.getError().message());
  return (*bytes)->getBuffer().str();
}

llvm::Expected<std::unique_ptr<SharedObject>>
SharedObject::load(StringRef bytes) {
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string path = folder->getFile("kernel.so");
  if (Error error = writeFile(path, bytes))
    return std::move(error);
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return llvm::createStringError(Twine("cannot load the compiled code: ") +
                                   dlerror());
  return std::unique_ptr<SharedObject>(new SharedObject(handle));
}

SharedObject::~SharedObject() { dlclose(handle); }

llvm::Expected<void *> SharedObject::lookup(const std::string &symbol) const {
  if (void *address = dlsym(handle, symbol.c_str()))
    return address;
  return llvm::createStringError("the compiled code lacks the symbol '" +
                                 symbol + "'");
}
