//===- FlopCounter.h - The work of one call ---------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_FLOPCOUNTER_H
#define ATTN_RUNTIME_COMPILER_FLOPCOUNTER_H

#include "runtime/compiler/Signature.h"
#include <functional>
#include <mutex>

namespace attn {

/// Counts what Kernel::flops says. Where masks drop pairs, or ops are in
/// control flow, it runs a function that `attn-count-pairs` makes of the spec,
/// which is compiled on first use.
class FlopCounter {
public:
  using MakeKernel = std::function<llvm::Expected<std::unique_ptr<Kernel>>()>;

  FlopCounter(Signature signature, MakeKernel makeKernel);

  /// The operations of a call on `arguments`, which the kernel has checked.
  /// Calls may be concurrent.
  llvm::Expected<double> count(llvm::ArrayRef<Buffer> arguments) const;

private:
  llvm::Expected<const Kernel *> getKernel() const;
  llvm::Expected<std::vector<double>>
  countUnits(llvm::ArrayRef<Buffer> arguments) const;

  Signature signature;
  MakeKernel makeKernel;
  mutable std::mutex lock;
  mutable std::unique_ptr<Kernel> kernel; ///< Made when it is needed.
};

/// A counter for the function of a spec, which runs on this CPU whatever target
/// the options have.
llvm::Expected<std::unique_ptr<FlopCounter>>
makeFlopCounter(llvm::StringRef text, llvm::StringRef name,
                const CompileOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_FLOPCOUNTER_H
