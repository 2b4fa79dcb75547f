//===- Program.h - The program that is being compiled -----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_PROGRAM_H
#define ATTN_RUNTIME_COMPILER_PROGRAM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Support/Timing.h"
#include "passes/Pipelines.h"
#include "llvm/Support/Error.h"

namespace attn {

/// "name:3:5" if the file and line are known.
std::string getPosition(mlir::Location location);

/// A module with one public function, in a context of its own. Diagnostics do
/// not go to the terminal but become part of errors.
class Program {
public:
  /// Parses and verifies `text`, which messages call `name`, and keeps the
  /// function called `function`; an empty name means the only one.
  static llvm::Expected<std::unique_ptr<Program>>
  parse(llvm::StringRef text, llvm::StringRef name, llvm::StringRef function);

  mlir::ModuleOp getModule() { return *module; }

  /// The function, until it becomes one of the LLVM dialect.
  mlir::func::FuncOp getFunction();

  /// Whether there is something left of the attn or tile dialects, or a tensor.
  bool isAboveVectors();

  /// Runs the passes of a phase; their time goes to `timing`.
  llvm::Error run(const Phase &phase, mlir::TimingScope &timing);

  /// The program as text, with aliases.
  std::string getText();

  /// The diagnostics so far as an error; `fallback` if there are none.
  llvm::Error takeError(const llvm::Twine &fallback);

private:
  Program();
  llvm::Error selectFunction(llvm::StringRef name, llvm::StringRef function);

  mlir::MLIRContext context;
  std::string messages;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_PROGRAM_H
