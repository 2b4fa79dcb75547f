//===- ObjectCode.cpp - From the LLVM dialect to machine code -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ObjectCode.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace attn;

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const CpuTarget &target, llvm::CodeGenOptLevel level) {
  static const bool initialized = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target *entry = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!entry)
    return llvm::createStringError(error);
  return std::unique_ptr<llvm::TargetMachine>(entry->createTargetMachine(
      triple, target.cpu, /*Features=*/"", llvm::TargetOptions(),
      llvm::Reloc::PIC_, std::nullopt, level,
      /*JIT=*/false));
}

/// Tells LLVM which instructions functions may use. Code of the widest level
/// uses full registers, which its tuning would otherwise halve.
static void setProcessor(llvm::Module &module, const CpuTarget &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("tune-cpu", llvm::sys::getHostCPUName());
    function.addFnAttr("prefer-vector-width",
                       std::to_string(target.vectorBits));
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
}

llvm::Expected<std::unique_ptr<ObjectCode>>
ObjectCode::create(mlir::ModuleOp module, const CpuTarget &target,
                   CodeEffort effort) {
  std::unique_ptr<ObjectCode> code(new ObjectCode());
  code->effort = effort;
  auto machine = createMachine(target, effort == CodeEffort::Low
                                           ? llvm::CodeGenOptLevel::None
                                           : llvm::CodeGenOptLevel::Default);
  if (!machine)
    return machine.takeError();
  code->machine = std::move(*machine);
  code->module = mlir::translateModuleToLLVMIR(module, code->context);
  if (!code->module)
    return llvm::createStringError("cannot be translated to LLVM IR");
  code->module->setTargetTriple(code->machine->getTargetTriple());
  code->module->setDataLayout(code->machine->createDataLayout());
  setProcessor(*code->module, target);
  return code;
}

std::string ObjectCode::getIdentity() const {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  stream << LLVM_VERSION_STRING << '\0' << static_cast<int>(effort)
         << machine->getTargetCPU() << '\0';
  llvm::WriteBitcodeToFile(*module, stream);
  return bytes;
}

/// What kernels gain from. Loops are vectors already and have the shape that
/// they should have; of the default pipeline, which takes three times as long,
/// they would gain nothing.
static constexpr llvm::StringLiteral kPasses =
    "function(sroa,early-cse<memssa>,simplifycfg,"
    "instcombine<no-verify-fixpoint>,loop-mssa(licm),"
    "gvn,dse,instcombine<no-verify-fixpoint>,simplifycfg)";

void ObjectCode::optimize() {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(machine.get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  if (effort == CodeEffort::Low) {
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
    for (llvm::Function &function : *module)
      if (!function.isDeclaration())
        passes.run(function, functions);
    return;
  }
  llvm::ModulePassManager passes;
  llvm::cantFail(builder.parsePassPipeline(passes, kPasses));
  passes.run(*module, modules);
}

std::string ObjectCode::getText() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, nullptr);
  return text;
}

llvm::Expected<std::string> ObjectCode::generate(llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, type))
    return llvm::createStringError("LLVM cannot make code for this machine");
  passes.run(*module);
  return std::string(bytes.begin(), bytes.end());
}
