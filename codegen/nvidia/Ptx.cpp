//===- Ptx.cpp - From kernels in NVVM to PTX and machine code -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/Ptx.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// PTX
//===----------------------------------------------------------------------===//

/// The version of PTX that all supported devices have a driver for.
static constexpr llvm::StringLiteral kPtxVersion = "+ptx78";

static Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const NvidiaTarget &target) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *entry = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!entry)
    return llvm::createStringError(error);
  return std::unique_ptr<llvm::TargetMachine>(entry->createTargetMachine(
      triple, target.chip, kPtxVersion, llvm::TargetOptions(), std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Default));
}

/// LLVM's usual passes but for those that rewrite loops: the back end has
/// unrolled what it wants unrolled.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(module, modules);
}

/// Functions of libdevice, which is not linked, must not be called.
static Error checkNoLibrary(const llvm::Module &module) {
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic())
      return llvm::createStringError("kernels call '" + function.getName() +
                                     "', which the device does not have");
  return Error::success();
}

namespace {
/// LLVM IR for a device. Members go in the reverse order.
struct DeviceModule {
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
};
} // namespace

static Expected<DeviceModule> translate(gpu::GPUModuleOp kernels,
                                        const NvidiaTarget &target) {
  auto machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  auto context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(kernels, *context);
  if (!module)
    return llvm::createStringError("kernels cannot be translated to LLVM IR");
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  if (Error error = checkNoLibrary(*module))
    return std::move(error);
  optimize(*module, **machine);
  return DeviceModule{std::move(*machine), std::move(context),
                      std::move(module)};
}

Expected<std::string> attn::makeNvidiaLlvmIr(gpu::GPUModuleOp kernels,
                                             const NvidiaTarget &target) {
  Expected<DeviceModule> device = translate(kernels, target);
  if (!device)
    return device.takeError();
  std::string text;
  llvm::raw_string_ostream stream(text);
  device->module->print(stream, nullptr);
  return text;
}

Expected<std::string> attn::makePtx(gpu::GPUModuleOp kernels,
                                    const NvidiaTarget &target) {
  Expected<DeviceModule> device = translate(kernels, target);
  if (!device)
    return device.takeError();
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (device->machine->addPassesToEmitFile(passes, stream, nullptr,
                                           llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("LLVM cannot make PTX for this device");
  passes.run(*device->module);
  return std::string(bytes.begin(), bytes.end());
}

//===----------------------------------------------------------------------===//
// Machine code
//===----------------------------------------------------------------------===//

static Expected<std::string> findPtxas() {
  if (const char *named = getenv("ATTN_PTXAS"))
    return std::string(named);
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (auto found =
          llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"}))
    return *found;
  return llvm::createStringError(
      "expected 'ptxas' of a CUDA toolkit on the PATH to make a cubin, found "
      "none; use --emit=ptx, or name it by ATTN_PTXAS");
}

namespace {
/// A file that disappears with its name.
class TemporaryFile {
public:
  explicit TemporaryFile(StringRef suffix) {
    code = llvm::sys::fs::createTemporaryFile("attn", suffix, path);
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path); }

  Error check() const {
    return code ? llvm::createStringError("cannot make a temporary file: " +
                                          code.message())
                : Error::success();
  }

  llvm::SmallString<128> path;

private:
  std::error_code code;
};
} // namespace

static std::string readText(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

Expected<std::string> attn::assemblePtx(StringRef ptx,
                                        const NvidiaTarget &target) {
  Expected<std::string> ptxas = findPtxas();
  if (!ptxas)
    return ptxas.takeError();
  TemporaryFile input("ptx"), output("cubin"), messages("txt");
  for (const TemporaryFile *file : {&input, &output, &messages})
    if (Error error = file->check())
      return std::move(error);
  {
    std::error_code code;
    llvm::raw_fd_ostream stream(input.path, code);
    stream << ptx;
  }
  std::string error;
  std::optional<StringRef> redirects[] = {std::nullopt, messages.path.str(),
                                          messages.path.str()};
  int result = llvm::sys::ExecuteAndWait(
      *ptxas, {*ptxas, "-arch=" + target.chip, input.path, "-o", output.path},
      std::nullopt, redirects, /*SecondsToWait=*/300, /*MemoryLimit=*/0,
      &error);
  if (result)
    return llvm::createStringError("'" + *ptxas + "' failed: " + error +
                                   readText(messages.path));
  return readText(output.path);
}
