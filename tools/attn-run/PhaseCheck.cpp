//===- PhaseCheck.cpp - Run the IR after every phase ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/PhaseCheck.h"
#include "passes/Pipelines.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// Whether the file holds the IR after a target-independent phase: its name
/// is that of the phase behind a number.
static bool isTilePhase(StringRef path, const CompileOptions &options) {
  TileOptions tileOptions;
  tileOptions.dtype = options.dtype;
  return llvm::any_of(getTilePhases(tileOptions), [&](const Phase &phase) {
    return llvm::sys::path::stem(path).ends_with("-" + phase.name);
  });
}

/// The files of a folder with the IR after target-independent phases, in their
/// order.
static std::vector<std::string> listPhases(StringRef folder,
                                           const CompileOptions &options) {
  std::vector<std::string> paths;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator file(folder, code), end;
       file != end && !code; file.increment(code))
    if (isTilePhase(file->path(), options))
      paths.push_back(file->path());
  llvm::sort(paths);
  return paths;
}

/// Compiles the IR in a file by the definition's loops.
static Error compilePhase(StringRef path, const CompileOptions &options,
                          PhaseKernels &phases) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return makeError("'{0}': cannot read: {1}", path,
                     buffer.getError().message());
  std::string phase = llvm::sys::path::stem(path).str();
  CompileOptions naive;
  naive.target = "naive";
  naive.function = options.function;
  naive.quick = options.quick;
  auto kernel = compile((*buffer)->getBuffer(), phase, naive);
  if (!kernel)
    return kernel.takeError();
  phases.emplace_back(phase, std::move(*kernel));
  return Error::success();
}

Expected<PhaseKernels> attn::compilePhases(const CompileInput &input) {
  llvm::SmallString<128> folder;
  if (std::error_code code =
          llvm::sys::fs::createUniqueDirectory("attn-phases", folder))
    return makeError("'{0}': cannot make this folder: {1}", folder,
                     code.message());
  llvm::scope_exit remove([&] { llvm::sys::fs::remove_directories(folder); });
  CompileOptions dumping = input.options;
  dumping.dumpPhasesTo = folder.str().str();
  if (auto kernel = compile(input.text, input.name, dumping); !kernel)
    return kernel.takeError();
  PhaseKernels phases;
  for (const std::string &path : listPhases(folder, input.options))
    if (Error error = compilePhase(path, input.options, phases))
      return error;
  return phases;
}
