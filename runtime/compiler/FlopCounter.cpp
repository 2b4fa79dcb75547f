//===- FlopCounter.cpp - The work of one call -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/FlopCounter.h"
#include "runtime/compiler/KernelInterface.h"

using namespace attn;
using llvm::ArrayRef;

FlopCounter::FlopCounter(Signature signature, MakeKernel makeKernel)
    : signature(std::move(signature)), makeKernel(std::move(makeKernel)) {}

llvm::Expected<const Kernel *> FlopCounter::getKernel() const {
  std::lock_guard<std::mutex> guard(lock);
  if (!kernel) {
    auto made = makeKernel();
    if (!made)
      return made.takeError();
    kernel = std::move(*made);
  }
  return kernel.get();
}

/// The pairs that the mask of each attend op keeps, the tokens of recurrences.
llvm::Expected<std::vector<double>>
FlopCounter::countUnits(ArrayRef<Buffer> arguments) const {
  if (llvm::all_of(signature.work,
                   [](const WorkFacts &facts) { return facts.isExact; }))
    return getAllUnits(signature, arguments);
  auto counter = getKernel();
  if (!counter)
    return counter.takeError();
  std::vector<int64_t> counts(signature.work.size());
  std::vector<Buffer> results;
  for (int64_t &count : counts)
    results.push_back({&count, ElementType::I64, {1}, {1}});
  if (llvm::Error error = (*counter)->launch(arguments, results))
    return std::move(error);
  return std::vector<double>(counts.begin(), counts.end());
}

llvm::Expected<double> FlopCounter::count(ArrayRef<Buffer> arguments) const {
  auto units = countUnits(arguments);
  if (!units)
    return units.takeError();
  double flops = 0;
  for (auto [facts, count] : llvm::zip_equal(signature.work, *units))
    flops += facts.flopsPerUnit * count;
  return flops;
}
