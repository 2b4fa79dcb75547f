//===- RunnablePackage.h - Run packages like compiled specs -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_RUNNABLEPACKAGE_H
#define ATTN_TOOLS_ATTN_RUN_RUNNABLEPACKAGE_H

#include "runtime/LoadedKernel.h"
#include "tools/support/KernelFlags.h"

namespace attn {

/// Whether a file starts like a package.
bool isPackage(llvm::StringRef contents);

/// A kernel of a package, called through the runtime that has no compiler.
class RunnablePackage final : public Kernel {
public:
  /// Loads what `input` asks for: its text is a package. Afterwards the text is
  /// that of the spec in the package, for checks; empty if it has none.
  static llvm::Expected<std::unique_ptr<Kernel>> load(CompileInput &input);

  llvm::ArrayRef<Port> arguments() const override;
  llvm::ArrayRef<Port> results() const override;
  const std::map<std::string, int64_t> &defaultDims() const override;
  llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
  resultSizes(llvm::ArrayRef<Buffer> arguments) const override;
  llvm::Error launch(llvm::ArrayRef<Buffer> arguments,
                     llvm::ArrayRef<Buffer> results,
                     const LaunchOptions &options) const override;
  double compileSeconds() const override { return seconds; }
  std::string schedule() const override;
  llvm::Expected<double> flops(llvm::ArrayRef<Buffer> arguments) const override;

private:
  RunnablePackage() = default;

  std::unique_ptr<LoadedKernel> loaded;
  double seconds = 0; ///< From bytes to callable.
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_RUNNABLEPACKAGE_H
