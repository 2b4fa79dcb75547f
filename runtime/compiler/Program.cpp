//===- Program.cpp - The program that is being compiled -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Program.h"
#include "dialect/AttnDialect.h"
#include "dialect/TileDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace attn;

/// Everything that a program may hold on its way; loaded when it is met.
static const DialectRegistry &getRegistry() {
  static const DialectRegistry registry = [] {
    DialectRegistry result;
    registerAllDialects(result);
    registerAllExtensions(result);
    registerBuiltinDialectTranslation(result);
    registerLLVMDialectTranslation(result);
    registerGPUDialectTranslation(result);
    registerNVVMDialectTranslation(result);
    result.insert<AttnDialect, tile::TileDialect>();
    return result;
  }();
  return registry;
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

std::string attn::getPosition(Location location) {
  std::string text;
  if (auto position = location->findInstanceOf<FileLineColLoc>()) {
    llvm::raw_string_ostream stream(text);
    stream << position.getFilename().strref() << ':' << position.getLine()
           << ':' << position.getColumn();
  }
  return text;
}

/// Appends an error and its notes, a line each.
static void appendMessage(std::string &messages, Diagnostic &diagnostic) {
  auto append = [&](StringRef kind, Diagnostic &part) {
    if (!messages.empty())
      messages += '\n';
    std::string position = getPosition(part.getLocation());
    messages += (position.empty() ? "" : position + ": ") + kind.str() + ": " +
                StringRef(part.str()).rtrim().str();
  };
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
    return;
  append("error", diagnostic);
  // Notes with the whole op help with a single op, not with a program.
  for (Diagnostic &note : diagnostic.getNotes())
    if (!StringRef(note.str()).starts_with("see current operation"))
      append("note", note);
}

llvm::Error Program::takeError(const llvm::Twine &fallback) {
  std::string message = messages.empty() ? fallback.str() : messages;
  messages.clear();
  return llvm::createStringError(message);
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

Program::Program()
    : context(getRegistry(), MLIRContext::Threading::DISABLED),
      handler(&context, [this](Diagnostic &diagnostic) {
        appendMessage(messages, diagnostic);
        return success();
      }) {}

llvm::Expected<std::unique_ptr<Program>>
Program::parse(StringRef text, StringRef name, StringRef function) {
  std::unique_ptr<Program> program(new Program());
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                             llvm::SMLoc());
  program->module = parseSourceFile<ModuleOp>(sources, &program->context);
  if (!program->module)
    return program->takeError(name + ": cannot be parsed");
  if (llvm::Error error = program->selectFunction(name, function))
    return std::move(error);
  return program;
}

/// Names for a message: 'a', 'b', 'c'.
static std::string listNames(ArrayRef<func::FuncOp> functions) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(functions, stream, [&](func::FuncOp function) {
    stream << '\'' << function.getName() << '\'';
  });
  return text;
}

llvm::Error Program::selectFunction(StringRef name, StringRef function) {
  SmallVector<func::FuncOp> functions;
  for (auto op : module->getOps<func::FuncOp>())
    if (op.isPublic() && !op.isExternal())
      functions.push_back(op);
  if (functions.empty())
    return llvm::createStringError(name + ": expected a function, got none");
  if (function.empty() && functions.size() > 1)
    return llvm::createStringError(
        name + ": expected the name of one function, as there are several: " +
        listNames(functions));
  bool isFound = function.empty();
  for (func::FuncOp op : functions)
    isFound |= op.getName() == function;
  if (!isFound)
    return llvm::createStringError(name + ": expected one of the functions " +
                                   listNames(functions) + ", got '" + function +
                                   "'");
  for (func::FuncOp op : functions)
    if (!function.empty() && op.getName() != function)
      op.erase();
  if (failed(verify(*module)))
    return takeError(name + ": other functions are called");
  if (!getFunction().getBody().hasOneBlock())
    return llvm::createStringError(name + ": expected a function of one block");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Access
//===----------------------------------------------------------------------===//

func::FuncOp Program::getFunction() {
  for (auto op : module->getOps<func::FuncOp>())
    if (op.isPublic() && !op.isExternal())
      return op;
  return {};
}

bool Program::isAboveVectors() {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  WalkResult result = module->walk([&](Operation *op) {
    bool isAbove =
        isa_and_nonnull<AttnDialect, tile::TileDialect>(op->getDialect());
    isAbove |= llvm::any_of(op->getOperandTypes(), isTensor);
    return isAbove ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

llvm::Error Program::run(const Phase &phase, TimingScope &timing) {
  PassManager manager(&context);
  manager.enableTiming(timing);
  phase.build(manager);
  if (succeeded(manager.run(*module)))
    return llvm::Error::success();
  return takeError("error: phase '" + phase.name +
                   "' failed without a message");
}

std::string Program::getText() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text;
}
