//===- ObjectCode.h - From the LLVM dialect to machine code -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_OBJECTCODE_H
#define ATTN_CODEGEN_CPU_OBJECTCODE_H

#include "codegen/cpu/HostFeatures.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace attn {

/// How much LLVM does for fast code. Low is for code that runs once on little
/// data, where making it takes most of the time.
enum class CodeEffort { Low, Full };

/// A module of LLVM IR on its way to machine code. Members are destroyed in
/// reverse order, so the context goes last.
class ObjectCode {
public:
  /// Translates `module`, which is in the LLVM dialect.
  static llvm::Expected<std::unique_ptr<ObjectCode>>
  create(mlir::ModuleOp module, const CpuTarget &target, CodeEffort effort);

  /// Bytes that name the machine code that optimize() and generate() of this
  /// build will make: all that it depends on.
  std::string getIdentity() const;

  /// Runs LLVM's -O2 passes, but for those that vectorize: code has vectors
  /// where they pay already. With low effort a few passes for each function.
  void optimize();

  /// LLVM IR as text.
  std::string getText() const;

  /// Machine code: assembly text or an object file. Call once, at the end.
  llvm::Expected<std::string> generate(llvm::CodeGenFileType type);

private:
  ObjectCode() = default;

  CodeEffort effort = CodeEffort::Full;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

} // namespace attn

#endif // ATTN_CODEGEN_CPU_OBJECTCODE_H
