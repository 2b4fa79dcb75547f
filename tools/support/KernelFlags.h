//===- KernelFlags.h - Options that say what to compile ------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_KERNELFLAGS_H
#define ATTN_TOOLS_SUPPORT_KERNELFLAGS_H

#include "runtime/compiler/Compiler.h"
#include "llvm/Support/CommandLine.h"

namespace attn {

/// The options of every tool that compiles a spec.
struct KernelFlags {
  KernelFlags();

  llvm::cl::OptionCategory category{"Kernel"};

  llvm::cl::list<std::string> spec{llvm::cl::Positional,
                                   llvm::cl::desc("SPEC.mlir"),
                                   llvm::cl::cat(category)};
  llvm::cl::opt<std::string> target{
      "target", llvm::cl::init("cpu"), llvm::cl::value_desc("T"),
      llvm::cl::desc("cpu (the widest vectors of this machine), cpu:avx512, "
                     "cpu:avx2, cpu:baseline, cuda:sm_80, cuda:sm_86, "
                     "cuda:sm_89, cuda:sm_90, reference (the definition in "
                     "float64) or naive (the definition in the spec's "
                     "precision); default cpu"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> dtype{
      "dtype", llvm::cl::value_desc("TYPE"),
      llvm::cl::desc("Rewrite the spec to f64, f32, f16 or bf16"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> function{
      "func", llvm::cl::value_desc("NAME"),
      llvm::cl::desc("Which function, if the spec has several"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> schedule{
      "schedule", llvm::cl::value_desc("block_q=M,block_k=N"),
      llvm::cl::desc("Block sizes, instead of the compiler's choice"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> database{
      "db", llvm::cl::value_desc("FILE"),
      llvm::cl::desc("Database of tuned schedules; default: what the "
                     "environment variable ATTN_TUNING_DB names, if anything"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> dumpPhases{
      "dump-phases", llvm::cl::value_desc("DIR"),
      llvm::cl::desc("Write the IR after each phase to this folder"),
      llvm::cl::cat(category)};
};

/// A spec, and what to compile it for.
struct CompileInput {
  std::string text;
  std::string name; ///< The file, or "<stdin>".
  CompileOptions options;
};

/// The file of --db, else of ATTN_TUNING_DB; empty if there is neither.
std::string getTuningDatabase(const KernelFlags &flags);

/// The GPUs that code can be made for, the oldest first.
llvm::ArrayRef<llvm::StringRef> getGpuTargets();

/// Fails unless the compiler knows the target. Tools that run kernels know
/// "cuda" as well, the GPU of this machine.
llvm::Error checkTarget(llvm::StringRef target, bool hasDevice = false);

/// Fails unless the name is that of an element type of specs, or empty.
/// Messages call it by the name `givenBy`.
llvm::Error checkDtype(llvm::StringRef dtype, llvm::StringRef givenBy);

/// Reads the text of a spec; "-" is standard input.
llvm::Expected<std::string> readSpec(llvm::StringRef path);

/// Takes the schedule of `database`, unless the options have one or the file
/// has none for the spec: that of `sizes` or, without sizes, that of the
/// largest. Packages and definitions have no use for one. Returns where the
/// schedule is from, as TunedSchedule has it, or "" if nobody was asked. An
/// empty name of a file is no database.
llvm::Expected<std::string>
applyTuning(CompileInput &input, llvm::StringRef database,
            const std::map<std::string, int64_t> *sizes = nullptr);

/// Whether an origin of applyTuning() is a record. Tells the user of `tool` if
/// it is one that this build cannot run.
bool isRecord(llvm::StringRef tool, llvm::StringRef origin);

/// Checks the options and reads the spec.
llvm::Expected<CompileInput> parseKernelFlags(const KernelFlags &flags,
                                              bool hasDevice = false);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_KERNELFLAGS_H
