//===- KernelFlags.cpp - Options that say what to compile -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/KernelFlags.h"
#include "mlir/Support/Timing.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdlib>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// `--mlir-timing`, which the compiler reads, is one of MLIR's own options.
KernelFlags::KernelFlags() { mlir::registerDefaultTimingManagerCLOptions(); }

Expected<std::string> attn::readSpec(StringRef path) {
  if (llvm::sys::fs::is_directory(path))
    return makeError("'{0}': expected a spec, got a folder", path);
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
  if (!buffer)
    return makeError("'{0}': cannot read: {1}", path,
                     buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

std::string attn::getTuningDatabase(const KernelFlags &flags) {
  const char *variable = std::getenv("ATTN_TUNING_DB");
  if (flags.database.getNumOccurrences() || !variable)
    return flags.database;
  return variable;
}

ArrayRef<StringRef> attn::getGpuTargets() {
  static constexpr StringRef targets[] = {"cuda:sm_80", "cuda:sm_86",
                                          "cuda:sm_89", "cuda:sm_90"};
  return targets;
}

Error attn::checkTarget(StringRef target, bool hasDevice) {
  llvm::SmallVector<StringRef> known = {"cpu", "cpu:avx512", "cpu:avx2",
                                        "cpu:baseline"};
  if (hasDevice)
    known.push_back("cuda");
  llvm::append_range(known, getGpuTargets());
  known.append({"reference", "naive"});
  if (llvm::is_contained(known, target))
    return Error::success();
  return makeError("target '{0}' is not supported by this build; expected {1}",
                   target, llvm::join(known, ", "));
}

Error attn::checkDtype(StringRef dtype, StringRef givenBy) {
  constexpr StringRef known[] = {"", "f64", "f32", "f16", "bf16"};
  if (llvm::is_contained(known, dtype))
    return Error::success();
  return makeError("{0}: expected f64, f32, f16 or bf16, got '{1}'", givenBy,
                   dtype);
}

/// Makes a folder, unless the path is empty.
static Error makeFolder(StringRef path) {
  if (path.empty())
    return Error::success();
  if (std::error_code code = llvm::sys::fs::create_directories(path))
    return makeError("'{0}': cannot make this folder: {1}", path,
                     code.message());
  return Error::success();
}

Expected<CompileInput> attn::parseKernelFlags(const KernelFlags &flags,
                                              bool hasDevice) {
  if (Error error = checkTarget(flags.target, hasDevice))
    return error;
  if (Error error = checkDtype(flags.dtype, "--dtype"))
    return error;
  if (flags.spec.size() != 1)
    return makeError("expected one spec ('-' for standard input), got {0}",
                     flags.spec.size());
  Expected<std::string> text = readSpec(flags.spec.front());
  if (!text)
    return text.takeError();
  if (Error error = makeFolder(flags.dumpPhases))
    return error;
  return CompileInput{std::move(*text),
                      flags.spec.front() == "-" ? "<stdin>"
                                                : flags.spec.front(),
                      {flags.target, flags.function, flags.dtype,
                       flags.schedule, flags.dumpPhases}};
}
