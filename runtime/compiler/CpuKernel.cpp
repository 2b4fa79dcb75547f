//===- CpuKernel.cpp - A kernel that was loaded into the process ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/CpuKernel.h"
#include "codegen/cpu/Entries.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;

llvm::Expected<std::unique_ptr<CpuKernel>>
CpuKernel::load(llvm::StringRef bytes, Signature signature,
                std::string schedule) {
  std::unique_ptr<CpuKernel> kernel(new CpuKernel());
  auto code = SharedObject::load(bytes);
  if (!code)
    return code.takeError();
  auto entry = (*code)->lookup(kEntryPrefix.str() + signature.function);
  if (!entry)
    return entry.takeError();
  kernel->code = std::move(*code);
  kernel->entry = reinterpret_cast<Entry>(*entry);
  kernel->interface = makeInterface(signature);
  kernel->positions = getPositions(signature);
  kernel->signature = std::move(signature);
  kernel->chosenSchedule = std::move(schedule);
  return kernel;
}

llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
CpuKernel::resultSizes(ArrayRef<Buffer> arguments) const {
  return getResultSizes(interface, arguments);
}

Error CpuKernel::launch(ArrayRef<Buffer> arguments, ArrayRef<Buffer> results,
                        const LaunchOptions &options) const {
  std::vector<TensorView> inputs = getViews(arguments),
                          outputs = getViews(results);
  if (Status status = EntryCall::checkThreads(options.threads))
    return toError(std::move(status));
  if (Status status = checkArguments(interface, inputs))
    return toError(std::move(status));
  if (Status status = checkResults(interface, inputs, outputs))
    return toError(std::move(status));
  if (Status status = checkOverlaps(interface, inputs, outputs))
    return toError(std::move(status));
  EntryCall call;
  for (const PortPosition &position : positions)
    call.add(position.isResult ? outputs[position.index]
                               : inputs[position.index]);
  return toError(call.run(entry, options.threads));
}

llvm::Expected<double> CpuKernel::flops(ArrayRef<Buffer> arguments) const {
  if (Status status = checkArguments(interface, getViews(arguments)))
    return toError(std::move(status));
  return counter->count(arguments);
}
