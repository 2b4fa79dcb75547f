//===- PackageEmitter.cpp - From specs to packages ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/PackageEmitter.h"
#include "codegen/cpu/Entries.h"
#include "runtime/compiler/KernelInterface.h"

using namespace attn;

LaunchProgram attn::makeCpuProgram(const Signature &signature) {
  Launch launch;
  launch.symbol = kEntryPrefix.str() + signature.function;
  for (const PortPosition &position : getPositions(signature)) {
    LaunchArgument &argument = launch.arguments.emplace_back();
    argument.index = position.index;
    if (position.isResult)
      argument.index += signature.arguments.size();
  }
  LaunchProgram program;
  program.launches.push_back(std::move(launch));
  return program;
}

llvm::Expected<std::string> attn::writePackage(std::vector<CompiledCode> codes,
                                               llvm::StringRef dtype,
                                               llvm::StringRef cacheKey) {
  PackageKernel kernel;
  kernel.name = codes.front().signature.function;
  kernel.interface = makeInterface(codes.front().signature);
  kernel.flops = makeFlopCounts(codes.front().signature);
  kernel.spec = codes.front().spec;
  kernel.dtype = dtype.str();
  PackageFile file;
  for (CompiledCode &code : codes) {
    if (!(makeInterface(code.signature) == kernel.interface))
      return llvm::createStringError(
          "targets '" + file.sections.front().target + "' and '" +
          code.section.target +
          "' need tensors in different layouts; expected a package for each");
    code.program.section = file.sections.size();
    code.program.schedule = std::move(code.schedule);
    kernel.programs.push_back(std::move(code.program));
    file.sections.push_back(std::move(code.section));
  }
  Manifest manifest;
  manifest.producer = "attn-mlir " ATTN_VERSION;
  manifest.cacheKey = cacheKey.str();
  manifest.kernels.push_back(std::move(kernel));
  file.manifest = writeManifest(manifest);
  // Expressions have limits, which readers enforce.
  if (auto read = readManifest(file.manifest, file.sections); !read)
    return toError(read.takeStatus());
  Result<std::string> bytes = writePackageFile(file);
  if (!bytes)
    return toError(bytes.takeStatus());
  return std::move(*bytes);
}
