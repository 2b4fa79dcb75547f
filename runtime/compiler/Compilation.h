//===- Compilation.h - One run of the compiler ------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_COMPILATION_H
#define ATTN_RUNTIME_COMPILER_COMPILATION_H

#include "codegen/cpu/ObjectCode.h"
#include "mlir/Support/Timing.h"
#include "runtime/compiler/CpuKernel.h"
#include "runtime/compiler/DeviceProgram.h"
#include "runtime/compiler/PackageEmitter.h"
#include "runtime/compiler/Program.h"
#include "runtime/compiler/Target.h"

namespace attn {

/// One run of the compiler. Members are the state between its steps.
class Compilation {
public:
  Compilation(const CompileOptions &options, Target target)
      : options(options), target(std::move(target)) {}

  llvm::Error parse(llvm::StringRef text, llvm::StringRef name);
  /// What the function is before anything is lowered.
  llvm::Expected<Signature> readSignature(llvm::StringRef text,
                                          llvm::StringRef name);
  /// Runs the phases up to the form `last`.
  llvm::Error lower(Form last);
  /// Both for the function that counts the pairs of the function of `text`.
  llvm::Error lowerCounter(llvm::StringRef text, llvm::StringRef name);
  /// To LLVM IR, which the caller may want as it is, or optimized.
  llvm::Error translate();
  llvm::Error optimize();
  llvm::Expected<std::string> generate(llvm::CodeGenFileType type);
  /// From what translate() left; does what optimize() does, if need be.
  llvm::Expected<std::string> makeSharedObject();
  llvm::Expected<std::unique_ptr<CpuKernel>> load();
  /// Code and launches for a package; `spec` is the text of the program.
  llvm::Expected<CompiledCode> makeCode(std::string spec);
  /// LLVM IR, PTX or machine code of the kernels for a GPU.
  llvm::Expected<std::string> emitDeviceCode(Stage stage);

  DeviceProgram takeDeviceProgram() {
    return {std::move(program), std::move(signature), std::move(schedule)};
  }
  Program &getProgram() { return *program; }
  const Target &getTarget() const { return target; }
  std::string getLlvmIr() const { return code->getText(); }

private:
  llvm::Error read(llvm::StringRef text, llvm::StringRef name);
  llvm::Error describe(llvm::StringRef name);
  llvm::Error makeCpuCode(CompiledCode &made);
  llvm::Error makeGpuCode(CompiledCode &made);
  llvm::Error runPhase(const Phase &phase);
  llvm::Error dump(llvm::StringRef name, llvm::StringRef extension,
                   llvm::StringRef text);
  void readSchedule();

  const CompileOptions &options;
  Target target;
  mlir::DefaultTimingManager timingManager;
  mlir::TimingScope timing;
  std::unique_ptr<Program> program;
  Signature signature;
  std::string schedule;
  std::unique_ptr<ObjectCode> code;
  int dumped = 0;
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_COMPILATION_H
